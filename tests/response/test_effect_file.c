/* Models of lifts in files: what comes back is what was saved; no altered file is believed. */
#include "response/effect_world.h"

#include <unistd.h>

#include "response/effect_inner.h"

static char path[256];
static effect_world *w;
static effect_model *model[EFFECT_WAYS]; /* one of each learner */

/* The learner is set against the choice: what a file holds does not depend on who won. */
static void make_learner(effect_way way)
{
    effect_options o = world_options(w);
    effect_making k = {.d = w->data, .o = &o, .until_us = world_end_us(w)};
    effect_rows r;
    effect_measure e;
    effect_model *m = world_fit(w, &o);
    k.view = m->view;
    assert_int_equal(effect_scope_new(&k.scope, &w->c, NULL), PF_OK);
    assert_int_equal(effect_rows_new(&r, &k, o.most_rows, NULL), PF_OK);
    assert_int_equal(effect_rows_of_campaigns(&r, &k, true, NULL), PF_OK);
    assert_int_equal(effect_rows_close(&r, NULL), PF_OK);
    assert_int_equal(effect_measure_make(&e, &r, NULL, 1, NULL), PF_OK);
    uplift_learner_free(&m->learner);
    m->choice.chosen = way;
    m->choice.by_folds = way % 2;
    if (way != EFFECT_SHARE)
        assert_int_equal(effect_learner_fit(&m->learner, &r, &e, EFFECT_FOLDS, way, &o, NULL),
                         PF_OK);
    effect_measure_free(&e);
    effect_rows_free(&r);
    effect_scope_free(&k.scope);
    model[way] = m;
}

static int make(void **state)
{
    world_plan p = plain_plan;
    (void)state;
    p.shoppers = 90;
    (void)snprintf(path, sizeof path, "%s/effect-%ld.safetensors", PROFFER_BINARY_DIR,
                   (long)getpid());
    w = world_make(&p);
    for (int way = 0; way < EFFECT_WAYS; way++)
        make_learner((effect_way)way);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    (void)remove(path);
    for (int way = 0; way < EFFECT_WAYS; way++)
        effect_free(model[way]);
    world_free(w);
    return 0;
}

static void assert_alike(const effect_model *a, const effect_model *b)
{
    static world_question q;
    static float first[2 * WORLD_SHOPPERS], second[2 * WORLD_SHOPPERS];
    char *said = world_words(a), *again = world_words(b);
    draws one, other;
    world_ask(w, &q);
    assert_int_equal(effect_score(a, w->data, &q.ask, first, NULL), PF_OK);
    assert_int_equal(effect_score(b, w->data, &q.ask, second, NULL), PF_OK);
    assert_memory_equal(first, second, 2 * w->plan.shoppers * sizeof *first);
    assert_string_equal(said, again);
    assert_int_equal(draws_new(&one, 16, effect_scales(a), 1, 1, NULL), PF_OK);
    assert_int_equal(draws_new(&other, 16, effect_scales(b), 1, 1, NULL), PF_OK);
    assert_int_equal(effect_draws(a, &one, NULL), PF_OK);
    assert_int_equal(effect_draws(b, &other, NULL), PF_OK);
    assert_memory_equal(one.value, other.value, 16 * effect_scales(a) * sizeof *one.value);
    draws_free(&one);
    draws_free(&other);
    mem_free(said);
    mem_free(again);
}

static void a_loaded_model_says_what_the_saved_one_says(void **state)
{
    (void)state;
    for (int way = 0; way < EFFECT_WAYS; way++) {
        effect_model *back;
        pf_error err = {0};
        assert_int_equal(effect_save(model[way], path, NULL), PF_OK);
        if (effect_load(path, &back, &err) != PF_OK) fail_msg("%d: %s", way, err.message);
        assert_alike(model[way], back);
        effect_free(back);
    }
}

static void assert_refused(const effect_model *m)
{
    effect_model *back = NULL;
    pf_error err = {0};
    assert_int_equal(effect_save(m, path, NULL), PF_OK);
    assert_int_equal(effect_load(path, &back, &err), PF_DATA);
    assert_null(back);
    assert_true(strstr(err.message, "train again") || strstr(err.message, "tensor"));
}

static void a_model_that_contradicts_itself_is_refused(void **state)
{
    (void)state;
    effect_model *m = model[EFFECT_DR_LINES];
    const effect_model whole = *m;
    m->basis = EFFECT_EITHER; /* which no model is */
    assert_refused(m);
    *m = whole;
    m->choice.chosen = EFFECT_SHARE; /* which has no parts */
    assert_refused(m);
    m->choice.chosen = EFFECT_S_LINES; /* which reads other features */
    assert_refused(m);
    *m = whole;
    m->view.unit_minor = 0;
    assert_refused(m);
    *m = whole;
    m->total.standard_error = NAN;
    assert_refused(m);
    *m = whole;
    m->belief.deviation = 0;
    assert_refused(m);
    *m = whole;
    m->belief.scale[0].spread = -1;
    assert_refused(m);
    *m = whole;
    m->belief.scale[1].pull = INFINITY;
    assert_refused(m);
    *m = whole;
    m->belief.scale[0].error = NAN; /* and yet measured */
    assert_refused(m);
    *m = whole;
    memcpy(m->kinds.name[1], m->kinds.name[0], EFFECT_KIND_BYTES);
    assert_refused(m);
    *m = whole;
    m->kinds.name[0][0] = 0;
    assert_refused(m);
    *m = whole;
    m->give = -1;
    assert_refused(m);
    *m = whole;
    m->learner.scale.mean[3] = NAN;
    assert_refused(m);
    m->learner.scale.mean[3] = 0;
    assert_int_equal(effect_save(m, path, NULL), PF_OK);
}

/* The checksum refuses what the checks would miss. */
static void no_byte_may_change_and_none_may_be_missing(void **state)
{
    (void)state;
    static unsigned char bytes[1 << 16];
    effect_model *back = NULL;
    assert_int_equal(effect_save(model[EFFECT_SHARE], path, NULL), PF_OK);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    const size_t n = fread(bytes, 1, sizeof bytes, f);
    (void)fclose(f);
    assert_true(n > 500 && n < sizeof bytes);
    for (size_t at = 0; at < n; at += 1 + n / 100) {
        for (int cut = 0; cut < 2; cut++) {
            f = fopen(path, "wb");
            assert_non_null(f);
            bytes[at] ^= cut ? 0 : 0x41;
            assert_int_equal(fwrite(bytes, 1, cut ? at : n, f), cut ? at : n);
            bytes[at] ^= cut ? 0 : 0x41;
            assert_int_equal(fclose(f), 0);
            assert_true(effect_load(path, &back, NULL) != PF_OK);
            assert_null(back);
        }
    }
}

static void what_is_not_there_or_of_another_kind_is_told(void **state)
{
    (void)state;
    effect_model *back = NULL;
    pf_error err = {0};
    safetensors_writer *file = NULL;
    const double number = 1;
    const uint64_t n = 1;
    (void)remove(path);
    assert_int_equal(effect_load(path, &back, &err), PF_NOT_FOUND);
    assert_int_equal(safetensors_begin(&file, path, NULL), PF_OK);
    assert_int_equal(safetensors_note(file, "kind", "uplift", NULL), PF_OK);
    assert_int_equal(safetensors_add(file, "constants", TENSOR_F64, &number, 1, &n, NULL), PF_OK);
    assert_int_equal(safetensors_commit(file, NULL), PF_OK);
    assert_int_equal(effect_load(path, &back, &err), PF_DATA);
    assert_non_null(strstr(err.message, "another kind"));
    assert_null(back);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    for (int way = EFFECT_SHARE; way <= EFFECT_DR_LINES; way++) {
        fault f = {0};
        while (fault_next(&f)) {
            effect_model *back = NULL;
            pf_status s = effect_save(model[way], path, NULL);
            if (s == PF_OK) s = effect_load(path, &back, NULL);
            if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
            effect_free(back);
        }
        assert_true(f.n > 10);
    }
}

static void every_failed_allocation_of_asking_a_learner_is_told(void **state)
{
    (void)state;
    static world_question q;
    static float lift[2 * WORLD_SHOPPERS];
    world_ask(w, &q);
    q.ask.response.n_shoppers = 2;
    for (int way = EFFECT_SHARE; way <= EFFECT_DR_LINES; way++) {
        fault f = {0};
        while (fault_next(&f)) {
            pf_status s = effect_score(model[way], w->data, &q.ask, lift, NULL);
            if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
            else assert_int_equal(s, PF_OK);
        }
        assert_true(way == EFFECT_SHARE || f.n > 10);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loaded_model_says_what_the_saved_one_says),
        cmocka_unit_test(a_model_that_contradicts_itself_is_refused),
        cmocka_unit_test(no_byte_may_change_and_none_may_be_missing),
        cmocka_unit_test(what_is_not_there_or_of_another_kind_is_told),
        cmocka_unit_test(every_failed_allocation_is_told),
        cmocka_unit_test(every_failed_allocation_of_asking_a_learner_is_told),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
