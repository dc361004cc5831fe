/*
 * Training: it learns, the same bits come out every time, what is held back stays unseen, and
 * whoever stops or breaks it keeps the last good state.
 */
#include "small_world.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/pool.h"
#include "check.h"

/* ---- learning ---- */

static void assert_learns(const char *pairs, bool rich, double at_least)
{
    static small_world w;
    small_world_make(&w, 1, rich);
    training_task task = small_world_task(&w);
    sequence_model *m = small_world_train(&task, pairs);
    double ndcg = sequence_model_training(m)->best_validation;
    /* A ranking by chance has .19, one that knows the rule about .93. */
    if (!(ndcg >= at_least)) fail_msg("%s: ndcg@10 %.3f", pairs, ndcg);
    assert_true(ndcg <= 1);
    sequence_model_free(m);
}

static void test_every_architecture_learns_the_rule(void **state)
{
    (void)state;
    assert_learns("epochs=25", false, .75);
    assert_learns("epochs=25", true, .7);
    assert_learns("epochs=25,block=gated,rms_norm=true", true, .7);
    assert_learns("epochs=25,block=hstu", true, .7);
    assert_learns("epochs=25,architecture=gru,positions=false", true, .7);
    assert_learns("epochs=60,architecture=bert,mask_share=.4", false, .6);
}

static void test_every_loss_learns_the_rule(void **state)
{
    (void)state;
    assert_learns("epochs=25,loss=sampled,negatives=12", true, .7);
    assert_learns("epochs=150,loss=gbce,negatives=12", false, .7);
    assert_learns("epochs=25,smoothing=.1", false, .7);
}

static void test_side_vectors_alone_can_carry_a_model(void **state)
{
    (void)state;
    assert_learns("epochs=40,ids=false", true, .5);
}

static void test_averaged_weights_and_a_falling_rate_learn_too(void **state)
{
    (void)state;
    assert_learns("epochs=25,average=.9,cosine=true,clip=1,decay=.01", true, .7);
}

/* ---- the same bits ---- */

static void test_three_runs_give_the_same_bits_whatever_the_threads(void **state)
{
    (void)state;
    static small_world w;
    small_world_make(&w, 2, true);
    training_task task = small_world_task(&w);
    const char *pairs = "epochs=3,average=.9";
    sequence_model *a = small_world_train(&task, pairs);
    sequence_model *b = small_world_train(&task, pairs);
    task.threads = pool_new(2);
    sequence_model *c = small_world_train(&task, pairs);
    assert_same_model(a, b);
    assert_same_model(a, c);
    sequence_model *other = small_world_train(&task, "epochs=3,average=.9,seed=2");
    assert_false(same_parameters(a, other));
    pool_free(task.threads);
    sequence_model_free(a);
    sequence_model_free(b);
    sequence_model_free(c);
    sequence_model_free(other);
}

/* ---- nothing leaks ---- */

/* After one epoch there is nothing to choose between: what is validated on may not show. */
static void test_what_shoppers_took_next_is_never_trained_on(void **state)
{
    (void)state;
    static small_world w;
    small_world_make(&w, 3, true);
    training_task task = small_world_task(&w);
    sequence_model *a = small_world_train(&task, "epochs=1");
    for (uint32_t u = 0; u < WORLD_U; u++)
        w.next[u] = (w.next[u] + 7) % WORLD_V;
    sequence_model *b = small_world_train(&task, "epochs=1");
    assert_true(same_parameters(a, b));
    assert_true(sequence_model_training(a)->best_validation !=
                sequence_model_training(b)->best_validation);
    sequence_model_free(a);
    sequence_model_free(b);
}

static void test_held_back_events_and_what_follows_are_never_trained_on(void **state)
{
    (void)state;
    static small_world w;
    small_world_make(&w, 4, true);
    training_task task = small_world_task(&w);
    task.next = NULL;
    sequence_model *a = small_world_train(&task, "epochs=1");
    /* Fewer shoppers than are held back at most: of all with three the last taken is. */
    for (uint32_t u = 0; u < WORLD_U; u++) {
        uint64_t last = w.first[u + 1], taken = 0;
        for (uint64_t i = w.first[u]; i < w.first[u + 1]; i++)
            taken += w.taken[i];
        if (taken < 3) continue;
        do
            last--;
        while (!w.taken[last]);
        w.thing[last] = (w.thing[last] + 11) % WORLD_V;
        for (uint64_t i = last; i < w.first[u + 1]; i++)
            w.band[i] = 9, w.kind[i] = 7;
    }
    sequence_model *b = small_world_train(&task, "epochs=1");
    assert_true(same_parameters(a, b));
    assert_string_not_equal(sequence_model_training(a)->data_hash,
                            sequence_model_training(b)->data_hash);
    sequence_model_free(a);
    sequence_model_free(b);
}

/* ---- stopping ---- */

static void test_the_best_epoch_is_what_is_kept(void **state)
{
    (void)state;
    static small_world w;
    small_world_make(&w, 5, false);
    training_task task = small_world_task(&w);
    const char *pairs = "epochs=60,patience=3,rate=.03,dropout=0";
    sequence_model *stopped = small_world_train(&task, pairs);
    const sequence_training *t = sequence_model_training(stopped);
    assert_true(t->epochs < 60);
    assert_int_equal(t->epochs, t->best_epoch + 3);
    assert_false(t->interrupted);
    char shorter[96];
    (void)snprintf(shorter, sizeof shorter, "epochs=%u,patience=3,rate=.03,dropout=0",
                   t->best_epoch);
    sequence_model *best = small_world_train(&task, shorter);
    assert_true(same_parameters(stopped, best));
    sequence_model_free(stopped);
    sequence_model_free(best);
}

typedef struct observer {
    unsigned stop_after_calls, calls;
    unsigned ends, told;
    size_t bytes;
    bool wrong;
    unsigned last_epoch;
} observer;

static bool stop_after(void *context)
{
    observer *o = context;
    return ++o->calls > o->stop_after_calls;
}

static void test_a_stop_keeps_the_best_model_so_far(void **state)
{
    (void)state;
    static small_world w;
    small_world_make(&w, 6, false);
    training_task task = small_world_task(&w);
    sequence_model *two = small_world_train(&task, "epochs=2");
    /* Asked before every epoch and every step; 80 shoppers in batches of 16 are 5 steps. */
    observer o = {.stop_after_calls = 2 * 6 + 3};
    task.hooks = (training_hooks){.context = &o, .stop = stop_after};
    sequence_model *m = small_world_train(&task, "epochs=50");
    const sequence_training *t = sequence_model_training(m);
    assert_true(t->interrupted);
    assert_int_equal(t->epochs, 2);
    assert_int_equal(t->steps, 2 * 5 + 2);
    assert_true(same_parameters(m, two));
    assert_int_equal(o.calls, 2 * 6 + 4); /* and not again */
    sequence_model_free(m);

    o = (observer){.stop_after_calls = 0}; /* before anything was learnt */
    sequence_settings s = small_world_settings(&w, "epochs=50");
    pf_error err = {0};
    assert_int_equal(sequence_train(&task, &s, &m, &err), PF_CANCELLED);
    assert_null(m);
    assert_non_null(strstr(err.message, "before its first epoch"));
    sequence_model_free(two);
}

static void watch(void *context, const training_progress *p)
{
    observer *o = context;
    o->told++;
    o->ends += p->epoch_end;
    o->wrong |= p->epochs != 4 || p->epoch < 1 || p->epoch > 4 || p->rows == 0 ||
                p->rows_done > p->rows || !(p->loss > 0) || p->rows_per_s < 0;
    o->wrong |= p->epoch_end && (p->rows_done != p->rows || isnan(p->validation) ||
                                 p->best < p->validation || p->best_epoch > p->epoch);
    o->wrong |= p->epoch_end && p->epoch != o->last_epoch + 1;
    if (p->epoch_end) o->last_epoch = p->epoch;
}

static void hear(void *context, size_t bytes)
{
    observer *o = context;
    o->wrong |= o->told > 0; /* announced before anything is done */
    o->bytes = bytes;
}

static void test_progress_and_memory_are_told(void **state)
{
    (void)state;
    static small_world w;
    small_world_make(&w, 7, true);
    training_task task = small_world_task(&w);
    observer o = {0};
    task.hooks = (training_hooks){.context = &o, .progress = watch, .memory = hear};
    sequence_model *m = small_world_train(&task, "epochs=4");
    size_t floats = parameters_floats(sequence_model_parameters(m));
    assert_int_equal(o.ends, 4);
    assert_false(o.wrong);
    assert_true(o.bytes > floats * 4 * sizeof(float) && o.bytes < (64u << 20));
    sequence_model_free(m);
}

/* ---- what cannot be trained on ---- */

static void assert_refused(const training_task *task, const sequence_settings *s,
                           pf_status status, const char *words)
{
    sequence_model *m = NULL;
    pf_error err = {0};
    assert_int_equal(sequence_train(task, s, &m, &err), status);
    assert_null(m);
    if (strstr(err.message, words) == NULL) fail_msg("'%s' lacks '%s'", err.message, words);
}

static void test_data_without_anything_to_learn_are_refused(void **state)
{
    (void)state;
    static small_world w;
    uint64_t ones[WORLD_U + 1], none[WORLD_U + 1] = {0};
    small_world_make(&w, 8, false);
    training_task task = small_world_task(&w);
    sequence_settings s = small_world_settings(&w, "epochs=1");
    for (uint32_t u = 0; u <= WORLD_U; u++)
        ones[u] = u;
    w.events.first = ones, w.events.n = WORLD_U;
    assert_refused(&task, &s, PF_DATA, "no shopper has two events");
    w.events.first = none, w.events.n = 0;
    assert_refused(&task, &s, PF_DATA, "no events");
    w.events.n_shoppers = 0;
    assert_refused(&task, &s, PF_DATA, "no events");

    small_world_make(&w, 8, false);
    memset(w.thing, 0, sizeof w.thing);
    memset(w.next, 0, sizeof w.next);
    w.events.n_products = 1;
    assert_refused(&task, &s, PF_DATA, "a single product");
}

static void test_wrong_tasks_are_refused_with_a_reason(void **state)
{
    (void)state;
    static small_world w;
    small_world_make(&w, 9, false);
    training_task task = small_world_task(&w);
    sequence_settings s = small_world_settings(&w, "epochs=1");
    w.next[3] = WORLD_V;
    assert_refused(&task, &s, PF_DATA, "next product of shopper 3");
    w.next[3] = 0;
    w.thing[0] = WORLD_V;
    assert_refused(&task, &s, PF_DATA, "event 0 of shopper 0");
    w.thing[0] = 0;
    s.side = true;
    assert_refused(&task, &s, PF_USAGE, "needs side vectors");
    s.side = false, s.gaps = true;
    assert_refused(&task, &s, PF_USAGE, "needs times");
    s.gaps = false, s.heads = 3;
    assert_refused(&task, &s, PF_USAGE, "heads do not divide");
    s.heads = 2;
    task.resume = true;
    assert_refused(&task, &s, PF_USAGE, "needs the path");
}

static void test_a_shopper_with_one_event_is_passed_over(void **state)
{
    (void)state;
    static small_world w;
    small_world_make(&w, 10, false);
    training_task task = small_world_task(&w);
    uint64_t cut = w.first[1] - w.first[0] - 1;
    for (uint32_t u = 1; u <= WORLD_U; u++)
        w.first[u] -= cut;
    memmove(w.thing + 1, w.thing + 1 + cut, (size_t)(w.events.n - 1 - cut) * sizeof *w.thing);
    w.events.n -= cut;
    w.next[0] = SEQUENCE_NOTHING;
    sequence_model *m = small_world_train(&task, "epochs=1");
    assert_int_equal(sequence_model_training(m)->epochs, 1);
    sequence_model_free(m);
}

static void test_without_anyone_to_validate_on_all_epochs_are_run(void **state)
{
    (void)state;
    static small_world w;
    small_world_make(&w, 11, false);
    training_task task = small_world_task(&w);
    for (uint32_t u = 0; u < WORLD_U; u++)
        w.next[u] = SEQUENCE_NOTHING;
    sequence_model *m = small_world_train(&task, "epochs=4,patience=1,average=.5");
    assert_int_equal(sequence_model_training(m)->epochs, 4);
    assert_int_equal(sequence_model_training(m)->best_epoch, 0);
    assert_true(isnan(sequence_model_training(m)->best_validation));
    sequence_model_free(m);
}

static void test_a_loss_that_is_not_finite_is_refused_with_its_place(void **state)
{
    (void)state;
    static small_world w;
    small_world_make(&w, 12, true);
    training_task task = small_world_task(&w);
    sequence_settings s = small_world_settings(&w, "epochs=3");
    for (size_t i = 0; i < WORLD_V * WORLD_K; i++)
        w.vectors[i] = 1e30f;
    assert_refused(&task, &s, PF_DATA, "not finite in epoch 1, step 0");
}

/* ---- the rate ---- */

/* Adam's first step moves a weight by the rate itself, warmed up. */
static void test_the_rate_is_warmed_up(void **state)
{
    (void)state;
    static small_world w;
    small_world_make(&w, 13, false);
    training_task task = small_world_task(&w);
    /* A step so small is none: the values are those at the start. */
    sequence_model *start = small_world_train(&task, "epochs=1,batch=80,rate=1e-8");
    static const struct {
        const char *pairs;
        double rate;
    } cases[] = {{"epochs=1,batch=80,warmup_steps=0", .01},
                 {"epochs=1,batch=80,warmup_steps=4", .0025}};
    for (size_t c = 0; c < 2; c++) {
        sequence_model *m = small_world_train(&task, cases[c].pairs);
        const parameters *p = sequence_model_parameters(start);
        const parameters *q = sequence_model_parameters(m);
        double most = 0;
        for (size_t i = 0; i < parameters_floats(p); i++) {
            double moved =
                fabs((double)parameters_values(p)[i] - (double)parameters_values(q)[i]);
            if (moved > most) most = moved;
        }
        assert_true(fabs(most / cases[c].rate - 1) < .01);
        sequence_model_free(m);
    }
    sequence_model_free(start);
}

/* ---- faults ---- */

static void test_every_failed_allocation_is_survived(void **state)
{
    (void)state;
    static small_world w;
    small_world_make(&w, 14, true);
    training_task task = small_world_task(&w);
    task.next = NULL;
    sequence_settings s = small_world_settings(&w, "epochs=1,average=.9,loss=sampled");
    fault f = {0};
    while (fault_next(&f)) {
        sequence_model *m = NULL;
        pf_status status = sequence_train(&task, &s, &m, NULL);
        if (fault_reached(&f)) {
            assert_int_equal(status, PF_NO_MEMORY);
            assert_null(m);
        }
        sequence_model_free(m);
    }
    assert_true(f.n > 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_architecture_learns_the_rule),
        cmocka_unit_test(test_every_loss_learns_the_rule),
        cmocka_unit_test(test_side_vectors_alone_can_carry_a_model),
        cmocka_unit_test(test_averaged_weights_and_a_falling_rate_learn_too),
        cmocka_unit_test(test_three_runs_give_the_same_bits_whatever_the_threads),
        cmocka_unit_test(test_what_shoppers_took_next_is_never_trained_on),
        cmocka_unit_test(test_held_back_events_and_what_follows_are_never_trained_on),
        cmocka_unit_test(test_the_best_epoch_is_what_is_kept),
        cmocka_unit_test(test_a_stop_keeps_the_best_model_so_far),
        cmocka_unit_test(test_progress_and_memory_are_told),
        cmocka_unit_test(test_data_without_anything_to_learn_are_refused),
        cmocka_unit_test(test_wrong_tasks_are_refused_with_a_reason),
        cmocka_unit_test(test_a_shopper_with_one_event_is_passed_over),
        cmocka_unit_test(test_without_anyone_to_validate_on_all_epochs_are_run),
        cmocka_unit_test(test_a_loss_that_is_not_finite_is_refused_with_its_place),
        cmocka_unit_test(test_the_rate_is_warmed_up),
        cmocka_unit_test(test_every_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
