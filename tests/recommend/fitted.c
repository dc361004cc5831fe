#include "recommend/fitted.h"

#include "check.h"

recommender *fit_kind(const char *kind, const recommend_input *input)
{
    recommender *m = NULL;
    pf_error err = {0};
    assert_non_null(recommender_find(kind));
    if (recommender_fit(recommender_find(kind), input, &m, &err) != PF_OK)
        fail_msg("%s: %s", kind, err.message);
    return m;
}

void score_with(const recommender *m, const recommend_query *q, float *scores)
{
    recommend_scratch *scratch = NULL;
    assert_int_equal(recommend_scratch_new(m, &scratch, NULL), PF_OK);
    mem_guard_enter();
    recommender_score(m, q, scores, scratch);
    mem_guard_leave();
    recommend_scratch_free(scratch);
}
