/*
 * Windows: every row foresees the next product its shopper took, stretches move with the
 * epoch and with nothing else, masks hide what they should.
 */
#include "check.h"

#include <string.h>

#include "base/random.h"
#include "sequence/windows.h"

/* ---- random shops ---- */

enum { U = 60, LONGEST = 70, V = U * LONGEST, P = V };

typedef struct shop {
    uint64_t first[U + 1];
    uint32_t thing[U * LONGEST];
    uint8_t kind[U * LONGEST], band[U * LONGEST];
    int64_t time_us[U * LONGEST];
    bool taken[U * LONGEST];
    sequence_events e;
} shop;

/* Shopper 0 has nothing, shopper 1 one event, shopper 2 only promotions. Event n names product
 * n or promotion n, so that a row tells which event it is. */
static void make(shop *s, uint64_t seed, double share_taken)
{
    random_stream r = random_begin(seed, 7);
    uint64_t n = 0;
    memset(s, 0, sizeof *s);
    for (uint32_t u = 0; u < U; u++) {
        uint32_t events = u < 2 ? u : 1 + random_below(&r, LONGEST);
        int64_t now = 0;
        s->first[u] = n;
        for (uint32_t i = 0; i < events; i++, n++) {
            bool taken = u != 2 && random_unit(&r) < share_taken;
            now += (int64_t)random_below(&r, 1 << 30);
            s->taken[n] = taken;
            s->thing[n] = (uint32_t)n + (taken ? 0 : V);
            s->kind[n] = (uint8_t)(1 + taken);
            s->band[n] = (uint8_t)random_below(&r, SEQUENCE_BANDS);
            s->time_us[n] = now;
        }
    }
    s->first[U] = n;
    s->e = (sequence_events){.n_shoppers = U,
                             .n_products = V,
                             .n_promotions = P,
                             .n = n,
                             .first = s->first,
                             .thing = s->thing,
                             .kind = s->kind,
                             .band = s->band,
                             .time_us = s->time_us,
                             .taken = s->taken};
    assert_int_equal(sequence_events_check(&s->e, NULL), PF_OK);
}

static sequence_settings settings(const shop *s, const char *pairs)
{
    sequence_settings out = sequence_settings_for(SEQUENCE_TRANSFORMER, &s->e, NULL);
    assert_int_equal(sequence_settings_set(&out, "batch=7,length=20", NULL), PF_OK);
    assert_int_equal(sequence_settings_set(&out, pairs, NULL), PF_OK);
    assert_null(sequence_settings_check(&out));
    return out;
}

static sequence_batches *batches(const shop *s, const uint64_t *ends, const char *pairs)
{
    sequence_batches *b = NULL;
    pf_error err = {0};
    sequence_settings with = settings(s, pairs);
    if (sequence_batches_new(&b, &s->e, ends, &with, &err) != PF_OK)
        fail_msg("%s", err.message);
    return b;
}

/* ---- the definition, row by row ---- */

/* What is taken first from event i on before `end`, or end. */
static uint64_t next_taken(const shop *s, uint64_t i, uint64_t end)
{
    while (i < end && !s->taken[i])
        i++;
    return i;
}

/* Which event a row is. */
static uint64_t event_of(const sequence_pack *p, size_t row)
{
    uint32_t thing = p->thing[row] == SEQUENCE_MASK ? p->target[row] : p->thing[row];
    return thing < V ? thing : thing - V;
}

/* Where the stretch of rows [begin, begin + n) begins, and whose it is. */
static uint64_t find_stretch(const shop *s, const sequence_pack *p, size_t begin, size_t n,
                             uint32_t *who)
{
    uint64_t at = event_of(p, begin);
    uint32_t u = 0;
    while (s->first[u + 1] <= at)
        u++;
    assert_true(at + n <= s->first[u + 1]);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(event_of(p, begin + i), at + i);
        if (p->thing[begin + i] == SEQUENCE_MASK) continue;
        assert_int_equal(p->thing[begin + i], s->thing[at + i]);
        assert_int_equal(p->band[begin + i], s->band[at + i]);
        assert_int_equal(p->gap[begin + i], sequence_event_gap(&s->e, s->first[u], at + i));
    }
    *who = u;
    return at;
}

static void check_causal_window(const shop *s, const uint64_t *ends, const sequence_pack *p,
                                size_t w, bool last, unsigned *seen)
{
    size_t begin = p->offset[w], n = p->offset[w + 1] - begin;
    uint32_t u = 0;
    uint64_t at = find_stretch(s, p, begin, n, &u);
    uint64_t end = ends ? ends[u] : s->first[u + 1];
    for (size_t i = 0; i < n; i++) {
        uint64_t next = next_taken(s, at + i + 1, end);
        assert_true(next < end);
        assert_int_equal(p->target[begin + i], s->thing[next]);
        assert_int_equal(p->position[begin + i], i);
        assert_int_equal(p->kind[begin + i], s->kind[at + i]);
    }
    if (last || at + n == end) assert_true(next_taken(s, at + n + 1, end) == end);
    seen[u]++;
}

/* Shoppers who have something to learn, and their rows in all. */
static unsigned expected(const shop *s, const uint64_t *ends, unsigned length, uint64_t *rows)
{
    unsigned n = 0;
    *rows = 0;
    for (uint32_t u = 0; u < U; u++) {
        uint64_t last = ends ? ends[u] : s->first[u + 1];
        while (last > s->first[u] && !s->taken[last - 1])
            last--;
        uint64_t mine = last > s->first[u] ? last - 1 - s->first[u] : 0;
        n += mine > 0;
        *rows += mine < length ? mine : length;
    }
    return n;
}

static void check_epoch(const shop *s, const uint64_t *ends, sequence_batches *b, bool last)
{
    unsigned seen[U] = {0};
    uint64_t rows = 0, should = 0;
    size_t sequences = 0;
    for (size_t i = 0; i < sequence_batches_count(b); i++) {
        const sequence_pack *p = sequence_batches_take(b, i);
        assert_true(p->n_sequences <= 7 && p->n_sequences > 0);
        assert_int_equal(p->offset[0], 0);
        assert_int_equal(p->offset[p->n_sequences], p->R);
        for (size_t w = 0; w < p->n_sequences; w++)
            check_causal_window(s, ends, p, w, last, seen);
        rows += p->R;
        sequences += p->n_sequences;
    }
    assert_int_equal(sequences, expected(s, ends, 20, &should));
    assert_int_equal(rows, should);
    assert_int_equal(rows, sequence_batches_rows(b));
    assert_int_equal(seen[0] + seen[1] + seen[2], 0);
}

static void test_each_row_foresees_the_next_product_taken(void **state)
{
    (void)state;
    static const double shares[] = {1, .5, .1};
    for (uint64_t seed = 0; seed < 12; seed++) {
        shop s;
        make(&s, seed, shares[seed % 3]);
        sequence_batches *b = batches(&s, NULL, seed % 2 ? "windows=last" : "windows=random");
        for (unsigned epoch = 0; epoch < 3; epoch++) {
            sequence_batches_epoch(b, epoch);
            check_epoch(&s, NULL, b, seed % 2);
        }
        sequence_batches_free(b);
    }
}

static void test_what_is_held_back_is_never_read(void **state)
{
    (void)state;
    shop s;
    uint64_t ends[U];
    make(&s, 3, .6);
    for (uint32_t u = 0; u < U; u++) {
        uint64_t n = s.first[u + 1] - s.first[u];
        ends[u] = s.first[u] + n / 2;
    }
    sequence_batches *b = batches(&s, ends, "windows=random");
    /* From here on what is behind the ends would be seen. */
    for (uint32_t u = 0; u < U; u++)
        for (uint64_t i = ends[u]; i < s.first[u + 1]; i++)
            s.thing[i] = UINT32_MAX / 2;
    check_epoch(&s, ends, b, false);
    sequence_batches_free(b);
}

/* ---- drawn numbers ---- */

static uint64_t digest(sequence_batches *b)
{
    static const hash_key key = {{1}};
    uint64_t h = 0;
    for (size_t i = 0; i < sequence_batches_count(b); i++) {
        const sequence_pack *p = sequence_batches_take(b, i);
        h = h * 31 + hash_bytes(p->thing, p->R * sizeof *p->thing, &key);
        h = h * 31 + hash_bytes(p->target, p->R * sizeof *p->target, &key);
        h = h * 31 + hash_bytes(p->gap, p->R, &key);
    }
    return h;
}

/* With omit_taken a window's list is what its shopper took among the events that may be read:
 * ascending, whole, and nothing of what is held back. */
static void check_taken(const shop *s, const uint64_t *ends, const sequence_pack *p, size_t w)
{
    uint32_t u = 0;
    find_stretch(s, p, p->offset[w], p->offset[w + 1] - p->offset[w], &u);
    uint64_t end = ends != NULL ? ends[u] : s->first[u + 1], n = 0;
    for (uint64_t i = s->first[u]; i < end; i++)
        n += s->taken[i];
    assert_int_equal(p->taken_end[w] - p->taken_from[w], n);
    for (uint64_t i = p->taken_from[w]; i < p->taken_end[w]; i++) {
        uint32_t v = p->taken[i]; /* product n is event n */
        assert_true(v >= s->first[u] && v < end && s->taken[v]);
        assert_true(i == p->taken_from[w] || p->taken[i - 1] < v);
    }
}

static void test_what_a_shopper_took_is_listed_and_nothing_held_back(void **state)
{
    (void)state;
    static shop s;
    uint64_t ends[U];
    make(&s, 21, .7);
    for (uint32_t u = 0; u < U; u++)
        ends[u] = s.first[u] + (s.first[u + 1] - s.first[u]) * 3 / 4;
    for (int held = 0; held < 2; held++) {
        sequence_batches *b = batches(&s, held ? ends : NULL, "omit_taken=true");
        for (size_t i = 0; i < sequence_batches_count(b); i++) {
            const sequence_pack *p = sequence_batches_take(b, i);
            assert_non_null(p->taken);
            for (size_t w = 0; w < p->n_sequences; w++)
                check_taken(&s, held ? ends : NULL, p, w);
        }
        sequence_batches_free(b);
    }
    sequence_batches *b = batches(&s, NULL, "omit_taken=false");
    assert_null(sequence_batches_take(b, 0)->taken);
    sequence_batches_free(b);
}

static void test_an_epoch_is_a_function_of_seed_and_number_alone(void **state)
{
    (void)state;
    static const char *const how[] = {"windows=random", "architecture=bert"};
    shop s;
    make(&s, 5, .8);
    for (size_t a = 0; a < 2; a++) {
        sequence_batches *b = batches(&s, NULL, how[a]), *c = batches(&s, NULL, how[a]);
        uint64_t first[4];
        for (unsigned epoch = 0; epoch < 4; epoch++) {
            sequence_batches_epoch(b, epoch);
            first[epoch] = digest(b);
            for (unsigned e = 0; e < epoch; e++)
                assert_true(first[e] != first[epoch]);
        }
        sequence_batches_epoch(c, 2); /* without 0 and 1 before, as after a resume */
        assert_true(digest(c) == first[2]);
        assert_true(digest(c) == first[2]); /* and taken twice */
        sequence_batches_free(b);
        sequence_batches_free(c);
    }
    sequence_batches *other = batches(&s, NULL, "seed=2");
    sequence_batches *same = batches(&s, NULL, "seed=1");
    assert_true(digest(other) != digest(same));
    sequence_batches_free(other);
    sequence_batches_free(same);
}

/* Each start of a long shopper's window comes about as often as any other. */
static void test_random_windows_reach_every_stretch_evenly(void **state)
{
    (void)state;
    enum { EVENTS = 15, LENGTH = 5, STARTS = EVENTS - 1 - LENGTH + 1, EPOCHS = 4000 };
    uint64_t first[] = {0, EVENTS};
    uint32_t thing[EVENTS];
    unsigned count[STARTS] = {0};
    for (uint32_t i = 0; i < EVENTS; i++)
        thing[i] = i;
    sequence_events e = {
        .n_shoppers = 1, .n_products = EVENTS, .n = EVENTS, .first = first, .thing = thing};
    sequence_settings s = sequence_settings_for(SEQUENCE_TRANSFORMER, &e, NULL);
    sequence_batches *b = NULL;
    s.length = LENGTH;
    s.windows = SEQUENCE_WINDOW_RANDOM;
    assert_int_equal(sequence_batches_new(&b, &e, NULL, &s, NULL), PF_OK);
    for (unsigned epoch = 0; epoch < EPOCHS; epoch++) {
        sequence_batches_epoch(b, epoch);
        const sequence_pack *p = sequence_batches_take(b, 0);
        assert_int_equal(p->R, LENGTH);
        assert_null(p->kind);
        assert_null(p->gap);
        assert_true(p->thing[0] < STARTS);
        assert_int_equal(p->target[LENGTH - 1], p->thing[LENGTH - 1] + 1);
        count[p->thing[0]]++;
    }
    double mean = (double)EPOCHS / STARTS; /* 4.5 standard deviations */
    for (int i = 0; i < STARTS; i++)
        assert_true(count[i] > mean * .78 && count[i] < mean * 1.22);
    sequence_batches_free(b);
}

static void test_every_shopper_comes_first_as_often_as_any(void **state)
{
    (void)state;
    enum { SHOPPERS = 8, EPOCHS = 4000 };
    uint64_t first[SHOPPERS + 1];
    uint32_t thing[SHOPPERS * 2];
    unsigned count[SHOPPERS] = {0};
    for (uint32_t u = 0; u <= SHOPPERS; u++)
        first[u] = 2 * u;
    for (uint32_t i = 0; i < SHOPPERS * 2; i++)
        thing[i] = i;
    sequence_events e = {.n_shoppers = SHOPPERS,
                         .n_products = SHOPPERS * 2,
                         .n = SHOPPERS * 2,
                         .first = first,
                         .thing = thing};
    sequence_settings s = sequence_settings_for(SEQUENCE_TRANSFORMER, &e, NULL);
    sequence_batches *b = NULL;
    assert_int_equal(sequence_batches_new(&b, &e, NULL, &s, NULL), PF_OK);
    for (unsigned epoch = 0; epoch < EPOCHS; epoch++) {
        sequence_batches_epoch(b, epoch);
        count[sequence_batches_take(b, 0)->thing[0] / 2]++;
    }
    for (int i = 0; i < SHOPPERS; i++)
        assert_true(count[i] > 400 && count[i] < 600);
    sequence_batches_free(b);
}

/* ---- masks ---- */

static void test_masked_rows_guess_themselves_and_tell_nothing(void **state)
{
    (void)state;
    shop s;
    size_t masked = 0, could = 0, last_alone = 0, windows = 0;
    make(&s, 9, .7);
    sequence_batches *b = batches(&s, NULL, "architecture=bert,mask_share=.2");
    for (unsigned epoch = 0; epoch < 40; epoch++) {
        sequence_batches_epoch(b, epoch);
        for (size_t i = 0; i < sequence_batches_count(b); i++) {
            const sequence_pack *p = sequence_batches_take(b, i);
            for (size_t w = 0; w < p->n_sequences; w++) {
                size_t begin = p->offset[w], n = p->offset[w + 1] - begin, mine = 0, took = 0;
                uint32_t u;
                uint64_t at = find_stretch(&s, p, begin, n, &u);
                for (size_t r = 0; r < n; r++) {
                    bool is = p->thing[begin + r] == SEQUENCE_MASK;
                    took += s.taken[at + r];
                    mine += is;
                    assert_int_equal(p->target[begin + r],
                                     is ? s.thing[at + r] : SEQUENCE_NOTHING);
                    if (!is) continue;
                    assert_true(s.taken[at + r]);
                    assert_int_equal(p->kind[begin + r] + p->band[begin + r] +
                                         p->gap[begin + r], 0);
                }
                assert_true(took == 0 || mine > 0);
                masked += mine;
                could += took;
                windows++;
                last_alone += mine == 1 && p->thing[begin + n - 1] == SEQUENCE_MASK;
            }
        }
    }
    double share = (double)masked / (double)could;
    assert_true(share > .15 && share < .25);
    assert_true((double)last_alone / (double)windows > .08);
    sequence_batches_free(b);
}

/* ---- pasts ---- */

static void test_a_past_is_the_latest_events_and_for_bert_a_masked_row(void **state)
{
    (void)state;
    shop s;
    pack_rows r;
    make(&s, 11, .5);
    const pack_parts parts = {.kind = true, .gap = true};
    sequence_settings causal = settings(&s, "length=4"), bert = causal;
    bert.architecture = SEQUENCE_BERT;
    assert_int_equal(pack_rows_new(&r, 3, 16, parts, NULL), PF_OK);
    uint32_t u = 3;
    while (s.first[u + 1] - s.first[u] < 10)
        u++;
    uint64_t a = s.first[u];
    pack_rows_add_past(&r, &s.e, a, a + 9, &causal);
    pack_rows_add_past(&r, &s.e, a, a + 9, &bert);
    pack_rows_add_past(&r, &s.e, a, a + 2, &causal);
    const sequence_pack *p = &r.pack;
    assert_int_equal(p->n_sequences, 3);
    assert_int_equal(p->R, 4 + 4 + 2);
    assert_null(p->band);
    assert_null(p->target);
    for (uint64_t i = 0; i < 4; i++) {
        assert_int_equal(p->thing[i], s.thing[a + 5 + i]);
        assert_int_equal(p->gap[i], sequence_event_gap(&s.e, a, a + 5 + i));
        assert_int_equal(p->position[i], i);
    }
    for (uint64_t i = 0; i < 3; i++)
        assert_int_equal(p->thing[4 + i], s.thing[a + 6 + i]);
    assert_int_equal(p->thing[7], SEQUENCE_MASK);
    assert_int_equal(p->kind[7] + p->gap[7], 0);
    assert_int_equal(p->thing[8], s.thing[a]);
    assert_int_equal(p->position[9], 1);
    pack_rows_free(&r);
}

/* ---- refusals ---- */

static void test_nobody_with_two_events_is_said(void **state)
{
    (void)state;
    uint64_t first[] = {0, 1, 2};
    uint32_t thing[] = {0, 1};
    sequence_events e = {
        .n_shoppers = 2, .n_products = 2, .n = 2, .first = first, .thing = thing};
    sequence_settings s = sequence_settings_for(SEQUENCE_TRANSFORMER, &e, NULL);
    sequence_batches *b = NULL;
    pf_error err = {0};
    for (int a = SEQUENCE_TRANSFORMER; a <= SEQUENCE_BERT; a++) {
        s.architecture = (sequence_architecture)a;
        assert_int_equal(sequence_batches_new(&b, &e, NULL, &s, &err), PF_DATA);
        assert_null(b);
        assert_non_null(strstr(err.message, "two events"));
    }
}

static void test_failed_allocations_leave_nothing_behind(void **state)
{
    (void)state;
    shop s;
    fault f = {0};
    make(&s, 1, .5);
    sequence_settings with = settings(&s, "omit_taken=true");
    while (fault_next(&f)) {
        sequence_batches *b = NULL;
        pf_status status = sequence_batches_new(&b, &s.e, NULL, &with, NULL);
        if (fault_reached(&f)) {
            assert_int_equal(status, PF_NO_MEMORY);
            assert_null(b);
        }
        sequence_batches_free(b);
    }
    assert_true(f.n > 3);
}

static void test_an_epoch_allocates_nothing(void **state)
{
    (void)state;
    shop s;
    make(&s, 2, .5);
    sequence_batches *b = batches(&s, NULL, "");
    mem_guard_enter();
    sequence_batches_epoch(b, 1);
    for (size_t i = 0; i < sequence_batches_count(b); i++)
        (void)sequence_batches_take(b, i);
    mem_guard_leave();
    sequence_batches_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_row_foresees_the_next_product_taken),
        cmocka_unit_test(test_what_is_held_back_is_never_read),
        cmocka_unit_test(test_what_a_shopper_took_is_listed_and_nothing_held_back),
        cmocka_unit_test(test_an_epoch_is_a_function_of_seed_and_number_alone),
        cmocka_unit_test(test_random_windows_reach_every_stretch_evenly),
        cmocka_unit_test(test_every_shopper_comes_first_as_often_as_any),
        cmocka_unit_test(test_masked_rows_guess_themselves_and_tell_nothing),
        cmocka_unit_test(test_a_past_is_the_latest_events_and_for_bert_a_masked_row),
        cmocka_unit_test(test_nobody_with_two_events_is_said),
        cmocka_unit_test(test_failed_allocations_leave_nothing_behind),
        cmocka_unit_test(test_an_epoch_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
