/* Settings: by name and back without loss, refused with the name, and chosen by the data. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "sequence/settings.h"

/* `shoppers` with `events` each over a catalogue; n = shoppers x events. */
typedef struct shop {
    uint64_t *first;
    uint32_t *thing;
    sequence_events e;
} shop;

static void make(shop *s, uint32_t shoppers, uint32_t events, uint32_t products)
{
    size_t n = (size_t)shoppers * events;
    s->first = mem_alloc(shoppers + 1, sizeof *s->first);
    s->thing = mem_alloc_zero(n, sizeof *s->thing);
    for (uint32_t u = 0; u <= shoppers; u++)
        s->first[u] = (uint64_t)u * events;
    for (size_t i = 0; i < n; i++)
        s->thing[i] = (uint32_t)(i % products);
    s->e = (sequence_events){.n_shoppers = shoppers,
                             .n_products = products,
                             .n = n,
                             .first = s->first,
                             .thing = s->thing};
}

static void unmake(shop *s)
{
    mem_free(s->first);
    mem_free(s->thing);
}

static sequence_settings some(void)
{
    shop s;
    make(&s, 10, 5, 7);
    sequence_settings out = sequence_settings_for(SEQUENCE_TRANSFORMER, &s.e, NULL);
    unmake(&s);
    return out;
}

static void json_of(const sequence_settings *s, buffer *out)
{
    json_writer w;
    buffer_init(out, 1 << 16);
    json_begin(&w, out);
    sequence_settings_write(&w, s);
    assert_true(json_finish(&w));
}

/* ---- by name ---- */

static void test_pairs_set_what_they_name_and_nothing_else(void **state)
{
    (void)state;
    sequence_settings s = some(), before = s;
    pf_error err = {0};
    assert_int_equal(sequence_settings_set(&s, " width = 96, dropout=.25,loss=sampled ,"
                                               "block=hstu,ids=no,precision=bf16,seed="
                                               "18446744073709551615,windows=last", &err),
                     PF_OK);
    assert_int_equal(s.width, 96);
    assert_true(s.dropout == .25f);
    assert_int_equal(s.loss, SEQUENCE_LOSS_SAMPLED);
    assert_int_equal(s.block, SEQUENCE_BLOCK_HSTU);
    assert_false(s.ids);
    assert_int_equal(s.precision, TENSOR_BF16);
    assert_true(s.seed == UINT64_MAX);
    assert_int_equal(s.windows, SEQUENCE_WINDOW_LAST);
    s.width = before.width, s.dropout = before.dropout, s.loss = before.loss;
    s.block = before.block, s.ids = before.ids, s.precision = before.precision;
    s.seed = before.seed, s.windows = before.windows;
    assert_null(sequence_settings_difference(&s, &before));
    assert_int_equal(sequence_settings_set(&s, "", &err), PF_OK);
    assert_int_equal(sequence_settings_set(&s, " , ,", &err), PF_OK);
    assert_null(sequence_settings_difference(&s, &before));
}

static void assert_not_set(const char *pairs, const char *words)
{
    sequence_settings s = some(), before = s;
    pf_error err = {0};
    assert_int_equal(sequence_settings_set(&s, pairs, &err), PF_USAGE);
    if (strstr(err.message, words) == NULL) fail_msg("'%s' lacks '%s'", err.message, words);
    assert_null(sequence_settings_difference(&s, &before));
}

static void test_a_wrong_pair_is_named_and_changes_nothing(void **state)
{
    (void)state;
    assert_not_set("width=128,droput=.3", "did you mean 'dropout'");
    assert_not_set("colour=blue", "no setting 'colour'");
    assert_not_set("width=128,width", "'width' is no name=value");
    assert_not_set("width=128,heads=2.5", "heads=2.5: it must be a whole number from 1 to 64");
    assert_not_set("width=0", "from 2 to 1024");
    assert_not_set("dropout=1", "a number from 0 to 0.95");
    assert_not_set("dropout=nan", "dropout=nan");
    assert_not_set("dropout=", "dropout=");
    assert_not_set("loss=hinge", "one of full, sampled, gbce");
    assert_not_set("cosine=perhaps", "true or false");
    assert_not_set("seed=-1", "a whole number from 0");
    assert_not_set("rate=1e-9", "rate");
}

/* ---- checking ---- */

static void test_settings_that_contradict_each_other_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *pairs, *words;
    } cases[] = {
        {"width=64,heads=3", "heads do not divide"},
        {"ids=false,side=false", "needs ids or side"},
        {"architecture=bert,block=hstu", "both ways"},
        {"architecture=bert,positions=false", "BERT4Rec needs positions"},
        {"loss=sampled,smoothing=.1", "smoothing needs loss=full"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sequence_settings s = some();
        assert_int_equal(sequence_settings_set(&s, cases[i].pairs, NULL), PF_OK);
        const char *reason = sequence_settings_check(&s);
        assert_non_null(reason);
        assert_non_null(strstr(reason, cases[i].words));
    }
    sequence_settings gru = some();
    assert_int_equal(sequence_settings_set(&gru, "architecture=gru,heads=3", NULL), PF_OK);
    assert_null(sequence_settings_check(&gru)); /* it has none */
}

static void test_values_out_of_range_are_refused_wherever_they_come_from(void **state)
{
    (void)state;
    sequence_settings s = some();
    s.length = SEQUENCE_LENGTH_MAX + 1;
    assert_non_null(strstr(sequence_settings_check(&s), "length"));
    s = some();
    s.dropout = -0.5f;
    assert_non_null(strstr(sequence_settings_check(&s), "dropout"));
    s = some();
    s.rate = NAN;
    assert_non_null(strstr(sequence_settings_check(&s), "rate"));
    s = some();
    s.loss = (sequence_loss)3;
    assert_non_null(strstr(sequence_settings_check(&s), "loss"));
    s = some();
    s.threads = 0;
    assert_non_null(strstr(sequence_settings_check(&s), "threads"));
}

/* ---- JSON ---- */

static void test_json_brings_back_every_bit(void **state)
{
    (void)state;
    sequence_settings s = some(), back = {0};
    buffer json;
    /* Values that need all nine digits, and none of them a default. */
    assert_int_equal(sequence_settings_set(&s, "rate=.00123456789,dropout=.1,beta2=.98765432,"
                                               "seed=9007199254740993,architecture=gru,"
                                               "smoothing=.3333333333,cosine=true", NULL),
                     PF_OK);
    json_of(&s, &json);
    assert_int_equal(sequence_settings_read(&back, json.data, NULL), PF_OK);
    assert_null(sequence_settings_difference(&s, &back));
    assert_non_null(strstr(json.data, "\"dropout\":0.1,"));
    assert_non_null(strstr(json.data, "\"seed\":9007199254740993"));
    buffer_free(&json);
}

/* The JSON with `from` replaced by `to`. */
static void replace(const char *json, const char *from, const char *to, char *into, size_t size)
{
    const char *at = strstr(json, from);
    assert_non_null(at);
    (void)snprintf(into, size, "%.*s%s%s", (int)(at - json), json, to, at + strlen(from));
}

static void test_json_that_lacks_or_breaks_a_setting_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *words;
    } cases[] = {
        {"\"width\":", "\"wdith\":", "wdith"},
        {",\"seed\":1", "", "'seed' is missing"},
        {"\"heads\":1", "\"heads\":\"1\"", "'heads' has an impossible value"},
        {"\"heads\":1", "\"heads\":-1", "'heads' has an impossible value"},
        {"\"heads\":1", "\"heads\":5", "heads do not divide"},
        {"\"cosine\":true", "\"cosine\":1", "'cosine' has an impossible value"},
        {"\"transformer\"", "\"mamba\"", "'architecture' has an impossible value"},
        {"{", "[", ""},
    };
    sequence_settings s = some();
    char changed[8192];
    buffer json;
    json_of(&s, &json);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sequence_settings back = s;
        pf_error err = {0};
        replace(json.data, cases[i].from, cases[i].to, changed, sizeof changed);
        assert_int_equal(sequence_settings_read(&back, changed, &err), PF_DATA);
        if (strstr(err.message, cases[i].words) == NULL)
            fail_msg("'%s' lacks '%s'", err.message, cases[i].words);
        assert_null(sequence_settings_difference(&s, &back));
    }
    assert_int_equal(sequence_settings_read(&s, "3", NULL), PF_DATA);
    assert_int_equal(sequence_settings_read(&s, "", NULL), PF_DATA);
    buffer_free(&json);
}

static void test_reading_survives_each_failed_allocation(void **state)
{
    (void)state;
    sequence_settings s = some(), back;
    buffer json;
    fault f = {0};
    json_of(&s, &json);
    while (fault_next(&f)) {
        pf_status status = sequence_settings_read(&back, json.data, NULL);
        if (fault_reached(&f)) assert_int_equal(status, PF_NO_MEMORY);
    }
    assert_true(f.n > 1);
    buffer_free(&json);
}

static void test_a_difference_is_named(void **state)
{
    (void)state;
    sequence_settings a = some(), b = a;
    assert_null(sequence_settings_difference(&a, &b));
    b.decay = .5f;
    assert_string_equal(sequence_settings_difference(&a, &b), "decay");
    b = a;
    b.seed++;
    assert_string_equal(sequence_settings_difference(&a, &b), "seed");
}

/* ---- by the data ---- */

static void test_what_the_data_ask_for_can_always_be(void **state)
{
    (void)state;
    static const uint32_t worlds[][3] = {
        {1, 1, 1}, {3, 2, 2}, {500, 6, 900}, {300, 90, 100}, {2, 300, 3}, {40, 3, 40000}};
    float vector = 1;
    const sequence_side side = {&vector, 8};
    for (size_t i = 0; i < sizeof worlds / sizeof worlds[0]; i++)
        for (int a = SEQUENCE_TRANSFORMER; a <= SEQUENCE_BERT; a++) {
            shop w;
            make(&w, worlds[i][0], worlds[i][1], worlds[i][2]);
            sequence_settings s =
                sequence_settings_for((sequence_architecture)a, &w.e, i % 2 ? &side : NULL);
            assert_null(sequence_settings_check(&s));
            assert_int_equal(s.architecture, a);
            assert_int_equal(s.side, i % 2);
            assert_false(s.gaps); /* there are no times */
            unmake(&w);
        }
    const sequence_events none = {.n_products = 5, .first = (const uint64_t[]){0}};
    sequence_settings s = sequence_settings_for(SEQUENCE_TRANSFORMER, &none, NULL);
    assert_null(sequence_settings_check(&s));
}

static void test_long_dense_histories_get_a_deeper_and_longer_network(void **state)
{
    (void)state;
    shop dense, sparse, wide;
    make(&dense, 1000, 150, 300);
    make(&sparse, 5000, 6, 3000);
    make(&wide, 100, 6, 40000);
    sequence_settings d = sequence_settings_for(SEQUENCE_TRANSFORMER, &dense.e, NULL);
    sequence_settings s = sequence_settings_for(SEQUENCE_TRANSFORMER, &sparse.e, NULL);
    sequence_settings w = sequence_settings_for(SEQUENCE_TRANSFORMER, &wide.e, NULL);
    assert_true(d.blocks > s.blocks && d.length > s.length);
    assert_true(d.dropout < s.dropout);
    assert_int_equal(d.loss, SEQUENCE_LOSS_FULL);
    assert_int_equal(w.loss, SEQUENCE_LOSS_SAMPLED);
    unmake(&dense);
    unmake(&sparse);
    unmake(&wide);
}

/* Few shoppers get smaller batches and more epochs, many get fewer epochs. */
static void test_steps_of_a_training_stay_within_bounds(void **state)
{
    (void)state;
    static const uint32_t shoppers[] = {100, 1000, 6000, 30000, 200000};
    for (size_t i = 0; i < sizeof shoppers / sizeof shoppers[0]; i++) {
        shop w;
        make(&w, shoppers[i], 5, 700);
        for (int a = SEQUENCE_TRANSFORMER; a <= SEQUENCE_BERT; a++) {
            sequence_settings s = sequence_settings_for((sequence_architecture)a, &w.e, NULL);
            uint64_t steps = (uint64_t)s.epochs * ((shoppers[i] + s.batch - 1) / s.batch);
            assert_in_range(steps, shoppers[i] < 200 ? 1400 : 2400, 20000);
        }
        unmake(&w);
    }
}

static void test_gaps_are_read_where_times_are_known(void **state)
{
    (void)state;
    shop s;
    make(&s, 4, 3, 5);
    int64_t times[12] = {0};
    s.e.time_us = times;
    assert_true(sequence_settings_for(SEQUENCE_TRANSFORMER, &s.e, NULL).gaps);
    unmake(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs_set_what_they_name_and_nothing_else),
        cmocka_unit_test(test_a_wrong_pair_is_named_and_changes_nothing),
        cmocka_unit_test(test_settings_that_contradict_each_other_are_refused),
        cmocka_unit_test(test_values_out_of_range_are_refused_wherever_they_come_from),
        cmocka_unit_test(test_json_brings_back_every_bit),
        cmocka_unit_test(test_json_that_lacks_or_breaks_a_setting_is_refused),
        cmocka_unit_test(test_reading_survives_each_failed_allocation),
        cmocka_unit_test(test_a_difference_is_named),
        cmocka_unit_test(test_what_the_data_ask_for_can_always_be),
        cmocka_unit_test(test_long_dense_histories_get_a_deeper_and_longer_network),
        cmocka_unit_test(test_steps_of_a_training_stay_within_bounds),
        cmocka_unit_test(test_gaps_are_read_where_times_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
