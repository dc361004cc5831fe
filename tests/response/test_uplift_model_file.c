/* Models of effects in files: what comes back is what was saved; no altered file is believed. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "response/uplift_model_inner.h"
#include "response/uplift_world.h"

enum { ROWS = 1500 };

static char path[256];
static uplift_world *one, *several;

static int make(void **state)
{
    (void)state;
    world_plan p = plain_world;
    (void)snprintf(path, sizeof path, "%s/uplift-%ld.safetensors", PROFFER_BINARY_DIR,
                   (long)getpid());
    one = world_make(&p);
    p.arms = 3;
    several = world_make(&p);
    one->trial.n = several->trial.n = ROWS;
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    (void)remove(path);
    free(one);
    free(several);
    return 0;
}

static uplift_model *fitted(const uplift_world *w, int kind, uplift_outcome outcome)
{
    uplift_model_options o = uplift_model_options_default();
    o.consider = UPLIFT_ONLY(kind);
    o.outcome = outcome;
    o.metric = UPLIFT_BY_VALUE;
    return world_fit(w, &o);
}

static void assert_alike(const uplift_world *w, const uplift_model *a, const uplift_model *b)
{
    static double first[ROWS * WORLD_MOST_ARMS], second[ROWS * WORLD_MOST_ARMS];
    const feature_rows rows = world_rows(w);
    const size_t arms = w->trial.arms;
    char *said = describe(a), *again = describe(b);
    assert_int_equal(uplift_model_score(a, &rows, w->trial.attribute, arms, first, NULL), PF_OK);
    assert_int_equal(uplift_model_score(b, &rows, w->trial.attribute, arms, second, NULL), PF_OK);
    assert_memory_equal(first, second, ROWS * arms * sizeof *first);
    assert_string_equal(said, again);
    mem_free(said);
    mem_free(again);
}

static void a_loaded_model_says_what_the_saved_one_says(void **state)
{
    (void)state;
    for (int outcome = UPLIFT_CHANCE; outcome <= UPLIFT_AMOUNT; outcome++)
        for (int kind = 0; kind < 2 * UPLIFT_KINDS; kind++) {
            const uplift_world *w = kind < UPLIFT_KINDS ? one : several;
            if (!uplift_recipe_bears((uplift_kind)(kind % UPLIFT_KINDS), w->trial.arms)) continue;
            uplift_model *m = fitted(w, kind % UPLIFT_KINDS, (uplift_outcome)outcome), *back;
            pf_error err = {0};
            assert_int_equal(uplift_model_save(m, path, NULL), PF_OK);
            if (uplift_model_load(path, &back, &err) != PF_OK) fail_msg("%s", err.message);
            assert_alike(w, m, back);
            uplift_model_free(m);
            uplift_model_free(back);
        }
}

/* Saves what was changed and expects a refusal in words. */
static void assert_refused(const uplift_model *m)
{
    uplift_model *back = NULL;
    pf_error err = {0};
    assert_int_equal(uplift_model_save(m, path, NULL), PF_OK);
    assert_int_equal(uplift_model_load(path, &back, &err), PF_DATA);
    assert_null(back);
    assert_true(strstr(err.message, "train again") || strstr(err.message, "tensor"));
}

static void a_model_that_contradicts_itself_is_refused(void **state)
{
    (void)state;
    uplift_model *m = fitted(one, UPLIFT_T_LINES, UPLIFT_CHANCE);
    const uplift_model whole = *m;
    m->choice.chosen = UPLIFT_KINDS;
    assert_refused(m);
    m->choice.chosen = UPLIFT_S_LINES; /* which has one part, not two, and more features */
    assert_refused(m);
    m->choice.chosen = UPLIFT_X_LINES; /* whose parts are effects, not chances */
    assert_refused(m);
    *m = whole;
    m->outcome = UPLIFT_AMOUNT;
    assert_refused(m);
    *m = whole;
    m->learner.scale.share = 1.5;
    assert_refused(m);
    *m = whole;
    m->rows = -1;
    assert_refused(m);
    *m = whole;
    m->effect = NAN;
    assert_refused(m);
    *m = whole;
    m->learner.scale.mean[1] = INFINITY;
    assert_refused(m);
    m->learner.scale.mean[1] = 0;
    m->learner.part[1].mean.line.weight[0] = NAN;
    assert_refused(m);
    m->learner.part[1].mean.line.weight[0] = 0;
    assert_int_equal(uplift_model_save(m, path, NULL), PF_OK);
    uplift_model_free(m);
}

/* The checksum refuses what the checks would miss. */
static void no_byte_may_change_and_none_may_be_missing(void **state)
{
    (void)state;
    uplift_model *m = fitted(several, UPLIFT_DR_LINES, UPLIFT_CHANCE), *back = NULL;
    assert_int_equal(uplift_model_save(m, path, NULL), PF_OK);
    uplift_model_free(m);
    static unsigned char bytes[1 << 16];
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t n = fread(bytes, 1, sizeof bytes, f);
    (void)fclose(f);
    assert_true(n > 500 && n < sizeof bytes);
    for (size_t at = 0; at < n; at += 1 + n / 150) {
        for (int cut = 0; cut < 2; cut++) {
            f = fopen(path, "wb");
            assert_non_null(f);
            bytes[at] ^= cut ? 0 : 0x41;
            assert_int_equal(fwrite(bytes, 1, cut ? at : n, f), cut ? at : n);
            bytes[at] ^= cut ? 0 : 0x41;
            assert_int_equal(fclose(f), 0);
            assert_true(uplift_model_load(path, &back, NULL) != PF_OK);
            assert_null(back);
        }
    }
}

static void what_is_not_there_or_of_another_kind_is_told(void **state)
{
    (void)state;
    uplift_model *back = NULL;
    pf_error err = {0};
    safetensors_writer *w = NULL;
    const double one_number = 1;
    const uint64_t n = 1;
    (void)remove(path);
    assert_int_equal(uplift_model_load(path, &back, &err), PF_NOT_FOUND);
    assert_int_equal(safetensors_begin(&w, path, NULL), PF_OK);
    assert_int_equal(safetensors_add(w, "constants", TENSOR_F64, &one_number, 1, &n, NULL), PF_OK);
    assert_int_equal(safetensors_commit(w, NULL), PF_OK);
    assert_int_equal(uplift_model_load(path, &back, &err), PF_DATA);
    assert_non_null(strstr(err.message, "another kind"));
    assert_null(back);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    uplift_model *m = fitted(one, UPLIFT_X_LINES, UPLIFT_CHANCE), *back;
    fault f = {0};
    while (fault_next(&f)) {
        pf_status s = uplift_model_save(m, path, NULL);
        if (s == PF_OK) s = uplift_model_load(path, &back, NULL);
        if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
        if (s == PF_OK) uplift_model_free(back);
    }
    assert_true(f.n > 10);
    uplift_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loaded_model_says_what_the_saved_one_says),
        cmocka_unit_test(a_model_that_contradicts_itself_is_refused),
        cmocka_unit_test(no_byte_may_change_and_none_may_be_missing),
        cmocka_unit_test(what_is_not_there_or_of_another_kind_is_told),
        cmocka_unit_test(every_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
