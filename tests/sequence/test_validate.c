/*
 * Validation against its definition, shopper by shopper: whole catalogue, taken products left
 * out, mean ranks; who is asked, and who is held back.
 */
#include "small_world.h"

#include <math.h>
#include <string.h>

#include "base/pool.h"
#include "base/random.h"
#include "check.h"
#include "sequence/validate.h"
#include "sequence/windows.h"

static small_world w;

static sequence_net *net_of(const char *pairs)
{
    sequence_net *net = NULL;
    pf_error err = {0};
    sequence_settings s = small_world_settings(&w, pairs);
    const sequence_sizes sizes = {.V = WORLD_V,
                                  .P = w.events.n_promotions,
                                  .kinds = w.events.kind != NULL,
                                  .bands = w.events.band != NULL,
                                  .gaps = s.gaps,
                                  .K = s.side ? WORLD_K : 0};
    if (sequence_net_new(&net, &s, &sizes, s.side ? w.vectors : NULL, NULL, &err) != PF_OK)
        fail_msg("%s", err.message);
    sequence_net_refresh(net, NULL);
    return net;
}

/* ---- the definition ---- */

static void score_one(const sequence_net *net, uint32_t u, uint64_t end, float scores[WORLD_V])
{
    const sequence_settings *s = sequence_net_settings(net);
    const sequence_sizes *z = sequence_net_sizes(net);
    const pack_parts parts = {.kind = z->kinds, .band = z->bands, .gap = z->gaps};
    workspace memory = {0};
    pack_rows rows;
    float *state = mem_alloc_aligned(s->width, sizeof *state);
    void *scratch = mem_alloc_aligned(1, KERNEL_SCRATCH_BYTES);
    assert_int_equal(pack_rows_new(&rows, 1, s->length, parts, NULL), PF_OK);
    assert_int_equal(sequence_net_workspace(net, s->length, &memory, NULL), PF_OK);
    pack_rows_add_past(&rows, &w.events, w.first[u], end, s);
    sequence_net_states(net, &rows.pack, &memory, state);
    sequence_net_scores(net, 1, state, scores, scratch);
    workspace_free(&memory);
    pack_rows_free(&rows);
    mem_free(scratch);
    mem_free(state);
}

/* NDCG@10 of one target: 1 / log2(1 + mean rank) within 10. */
static double naive_gain(const float scores[WORLD_V], const bool out[WORLD_V], uint32_t target)
{
    double better = 0, equal = 0;
    if (out[target]) return 0;
    for (uint32_t v = 0; v < WORLD_V; v++) {
        if (out[v]) continue;
        better += scores[v] > scores[target];
        equal += scores[v] == scores[target];
    }
    double rank = better + (equal + 1) / 2;
    return rank <= 10 ? 1 / log2(1 + rank) : 0;
}

static double naive_ndcg(const sequence_net *net, const sequence_question *q)
{
    double sum = 0;
    unsigned n = 0;
    for (uint32_t u = 0; u < WORLD_U; u++) {
        uint64_t end = q->ends != NULL ? q->ends[u] : w.first[u + 1];
        float scores[WORLD_V];
        bool out[WORLD_V] = {false};
        if (q->next[u] == SEQUENCE_NOTHING || end == w.first[u]) continue;
        score_one(net, u, end, scores);
        for (uint64_t i = w.first[u]; !q->repeats && i < end; i++)
            if (sequence_event_took(&w.events, i)) out[w.thing[i]] = true;
        sum += naive_gain(scores, out, q->next[u]);
        n++;
    }
    return sum / n;
}

static void assert_as_defined(const sequence_net *net, const sequence_question *q)
{
    sequence_validation *v = NULL;
    pool *threads = pool_new(2);
    assert_int_equal(sequence_validation_new(&v, q, net, 2, NULL), PF_OK);
    double one = sequence_validation_ndcg(v, net, NULL);
    mem_guard_enter();
    double two = sequence_validation_ndcg(v, net, threads);
    mem_guard_leave();
    assert_true(one == two);
    assert_true(fabs(one - naive_ndcg(net, q)) < 1e-9);
    sequence_validation_free(v);
    pool_free(threads);
}

static void test_the_figure_is_the_mean_gain_of_each_shopper(void **state)
{
    (void)state;
    static const char *const kinds[] = {"", "architecture=bert", "block=hstu,length=3",
                                        "architecture=gru,positions=false"};
    for (uint64_t seed = 0; seed < 8; seed++) {
        small_world_make(&w, seed, seed % 2);
        sequence_net *net = net_of(kinds[seed / 2]);
        sequence_question q = {.events = &w.events, .next = w.next, .repeats = true};
        assert_as_defined(net, &q);
        q.repeats = false;
        assert_as_defined(net, &q);
        w.next[3] = w.next[70] = SEQUENCE_NOTHING;
        uint64_t ends[WORLD_U];
        for (uint32_t u = 0; u < WORLD_U; u++)
            ends[u] = u == 9 ? w.first[u] : w.first[u + 1] - 1;
        q.ends = ends;
        assert_as_defined(net, &q);
        sequence_net_free(net);
    }
}

static void test_equal_scores_win_nothing(void **state)
{
    (void)state;
    small_world_make(&w, 3, false);
    sequence_net *net = net_of("");
    parameters *p = sequence_net_parameters(net);
    memset(parameters_values(p), 0, parameters_floats(p) * sizeof(float));
    sequence_net_refresh(net, NULL);
    const sequence_question q = {.events = &w.events, .next = w.next, .repeats = true};
    sequence_validation *v = NULL;
    assert_int_equal(sequence_validation_new(&v, &q, net, 1, NULL), PF_OK);
    assert_true(sequence_validation_ndcg(v, net, NULL) == 0); /* rank 12.5 of 24 */
    sequence_validation_free(v);
    sequence_net_free(net);
}

/* ---- who is asked ---- */

static void test_nobody_to_ask_is_no_validation(void **state)
{
    (void)state;
    small_world_make(&w, 4, false);
    sequence_net *net = net_of("");
    for (uint32_t u = 0; u < WORLD_U; u++)
        w.next[u] = SEQUENCE_NOTHING;
    const sequence_question q = {.events = &w.events, .next = w.next};
    sequence_validation *v = (sequence_validation *)&w;
    assert_int_equal(sequence_validation_new(&v, &q, net, 1, NULL), PF_OK);
    assert_null(v);
    sequence_net_free(net);
}

/* Many shoppers with 1, 2, 3 ... events of products in turn. */
static void many_shoppers(uint64_t *first, uint32_t *thing, uint32_t U, sequence_events *e)
{
    uint64_t n = 0;
    for (uint32_t u = 0; u < U; u++) {
        first[u] = n;
        for (uint32_t i = 0; i < 1 + u % 4; i++)
            thing[n++] = (u + i) % WORLD_V;
    }
    first[U] = n;
    *e = (sequence_events){
        .n_shoppers = U, .n_products = WORLD_V, .n = n, .first = first, .thing = thing};
}

static void test_at_most_five_thousand_are_asked_the_same_ones_each_time(void **state)
{
    (void)state;
    enum { MANY = 9000 };
    static uint64_t first[MANY + 1];
    static uint32_t thing[MANY * 4], next[MANY];
    sequence_events e;
    sequence_validation *a = NULL, *b = NULL;
    many_shoppers(first, thing, MANY, &e);
    for (uint32_t u = 0; u < MANY; u++)
        next[u] = u % WORLD_V;
    small_world_make(&w, 5, false);
    sequence_net *net = net_of("");
    const sequence_question q = {.events = &e, .next = next};
    assert_int_equal(sequence_validation_new(&a, &q, net, 1, NULL), PF_OK);
    assert_int_equal(sequence_validation_new(&b, &q, net, 1, NULL), PF_OK);
    assert_int_equal(sequence_validation_shoppers(a), SEQUENCE_VALIDATION_SHOPPERS);
    assert_true(sequence_validation_ndcg(a, net, NULL) == sequence_validation_ndcg(b, net, NULL));
    sequence_validation_free(a);
    sequence_validation_free(b);
    sequence_net_free(net);
}

static void test_the_last_event_of_whoever_took_three_is_held_back(void **state)
{
    (void)state;
    enum { MANY = 14000 }; /* half of them took three or four: 7,000 */
    static uint64_t first[MANY + 1], ends[MANY], again[MANY];
    static uint32_t thing[MANY * 4], next[MANY];
    sequence_events e;
    uint32_t held = 0, counted = 0, moved = 0;
    many_shoppers(first, thing, MANY, &e);
    assert_int_equal(sequence_hold_back(&e, 1, ends, next, &held, NULL), PF_OK);
    for (uint32_t u = 0; u < MANY; u++) {
        if (next[u] == SEQUENCE_NOTHING) {
            assert_int_equal(ends[u], first[u + 1]);
            continue;
        }
        counted++;
        assert_true(first[u + 1] - first[u] >= 3);
        assert_int_equal(ends[u], first[u + 1] - 1);
        assert_int_equal(next[u], thing[ends[u]]);
    }
    assert_int_equal(held, SEQUENCE_VALIDATION_SHOPPERS);
    assert_int_equal(counted, held);
    memcpy(again, ends, sizeof again);
    assert_int_equal(sequence_hold_back(&e, 2, ends, next, &held, NULL), PF_OK);
    for (uint32_t u = 0; u < MANY; u++)
        moved += ends[u] != again[u];
    assert_true(moved > 1000); /* another seed, other shoppers */
}

static void test_events_behind_the_one_held_back_are_not_read_either(void **state)
{
    (void)state;
    uint64_t first[] = {0, 5};
    uint32_t thing[] = {0, 1, 2, 3, 3}, next[1];
    const bool taken[] = {true, true, true, false, false};
    uint64_t ends[1];
    uint32_t held = 0;
    const sequence_events e = {.n_shoppers = 1,
                               .n_products = 3,
                               .n_promotions = 1,
                               .n = 5,
                               .first = first,
                               .thing = thing,
                               .taken = taken};
    assert_int_equal(sequence_hold_back(&e, 1, ends, next, &held, NULL), PF_OK);
    assert_int_equal(held, 1);
    assert_int_equal(ends[0], 2);
    assert_int_equal(next[0], 2);
}

static void test_each_failed_allocation_is_survived(void **state)
{
    (void)state;
    small_world_make(&w, 6, true);
    sequence_net *net = net_of("");
    const sequence_question q = {.events = &w.events, .next = w.next};
    fault f = {0};
    while (fault_next(&f)) {
        sequence_validation *v = NULL;
        pf_status status = sequence_validation_new(&v, &q, net, 2, NULL);
        if (fault_reached(&f)) {
            assert_int_equal(status, PF_NO_MEMORY);
            assert_null(v);
        }
        sequence_validation_free(v);
    }
    assert_true(f.n > 8);
    sequence_net_free(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_figure_is_the_mean_gain_of_each_shopper),
        cmocka_unit_test(test_equal_scores_win_nothing),
        cmocka_unit_test(test_nobody_to_ask_is_no_validation),
        cmocka_unit_test(test_at_most_five_thousand_are_asked_the_same_ones_each_time),
        cmocka_unit_test(test_the_last_event_of_whoever_took_three_is_held_back),
        cmocka_unit_test(test_events_behind_the_one_held_back_are_not_read_either),
        cmocka_unit_test(test_each_failed_allocation_is_survived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
