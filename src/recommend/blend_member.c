/* The mean is taken out of the deviation only: what a model knows nothing of keeps its zero. */
#include "recommend/blend_member.h"

#include <math.h>
#include <string.h>

#include "recommend/inner.h"
#include "recommend/scratch.h"

const recommender_kind *blend_member_kind(const blend_member *m)
{
    return recommender_kind_of(m->copy[0]);
}

void blend_member_free(blend_member *m)
{
    for (uint64_t c = 0; c < m->n; c++)
        if (!m->borrowed[c]) recommender_free(m->copy[c]);
    *m = (blend_member){0};
}

/* Deviations below this share of the mean are the rounding of equal scores. */
#define NO_DEVIATION 1e-5

/* What brings the scores to standard deviation 1; 0 where they have none. */
static float factor_of(const float *scores, size_t n)
{
    double sum = 0, square = 0;
    for (size_t v = 0; v < n; v++)
        sum += (double)scores[v];
    const double mean = sum / (double)n;
    for (size_t v = 0; v < n; v++)
        square += ((double)scores[v] - mean) * ((double)scores[v] - mean);
    const double deviation = sqrt(square / (double)n);
    const bool some = deviation > NO_DEVIATION * fabs(mean) && deviation > 1e-30;
    return some && isfinite(deviation) ? (float)(1 / deviation) : 0;
}

/* A factor of 0 may stand for scores that are not finite: they are not touched. */
static void add_over_deviation(const float *scores, size_t n, size_t copies, float *total)
{
    const float factor = factor_of(scores, n) / (float)copies;
    for (size_t v = 0; v < n && factor > 0; v++)
        total[v] += factor * scores[v];
}

void blend_member_score(const blend_member *m, const recommend_query *query, float *scores,
                        recommend_scratch *scratch)
{
    const size_t V = recommender_n_products(m->copy[0]);
    recommend_scratch rest = *scratch;
    float *own = recommend_scratch_take(&rest, V); /* one copy's scores */
    memset(scores, 0, V * sizeof *scores);
    for (uint64_t c = 0; c < m->n; c++) {
        recommender_score(m->copy[c], query, own, &rest);
        add_over_deviation(own, V, (size_t)m->n, scores);
    }
}

size_t blend_member_scratch_floats(const blend_member *m)
{
    size_t most = 0;
    for (uint64_t c = 0; c < m->n; c++) {
        size_t n = recommender_scratch_floats(m->copy[c]);
        most = n > most ? n : most;
    }
    return recommend_scratch_room(recommender_n_products(m->copy[0])) + most;
}
