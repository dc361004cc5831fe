/*
 * Leave-one-out: who is tested on what, that nothing of the test or validation reaches a
 * model, and the figures against a naive twin of the protocol.
 */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/random.h"
#include "evaluate/leave_one_out.h"

enum { U = 60, V = 25, MOST = 12 };

typedef struct data {
    uint64_t first[U + 1];
    uint32_t product[U * MOST];
    int64_t time_us[U * MOST];
    interactions x;
} data;

/* Users 0, 1, 2 have 0, 1, 2 events, the others three or more. */
static void make(data *d, uint64_t seed, bool repeats)
{
    random_stream r = random_begin(seed, 4);
    uint64_t n = 0;
    d->first[0] = 0;
    for (uint32_t u = 0; u < U; u++) {
        uint32_t events = u < 3 ? u : 3 + random_below(&r, MOST - 3);
        for (uint32_t i = 0; i < events; i++) {
            uint32_t v = random_below(&r, 1 + random_below(&r, V));
            for (uint64_t k = d->first[u]; k < n && !repeats; k++)
                if (d->product[k] == v) { /* the next one nobody of his has */
                    v = (v + 1) % V;
                    k = d->first[u] - 1;
                }
            d->product[n] = v;
            d->time_us[n] = (int64_t)(1000 * i + u);
            n++;
        }
        d->first[u + 1] = n;
    }
    d->x = (interactions){.n_users = U,
                          .n_products = V,
                          .n = n,
                          .first = d->first,
                          .product = d->product,
                          .time_us = d->time_us};
}

static loo_split *split_of(const interactions *x, loo_repeats repeats)
{
    loo_split *s = NULL;
    pf_error err = {0};
    if (loo_split_new(x, repeats, &s, &err) != PF_OK) fail_msg("%s", err.message);
    return s;
}

static recommender *fit(const loo_split *s, const char *kind)
{
    recommender *m = NULL;
    pf_error err = {0};
    double train_s = -1;
    const recommend_input given = {.seed = 1};
    if (loo_fit(s, recommender_find(kind), &given, &m, &train_s, &err) != PF_OK)
        fail_msg("%s", err.message);
    assert_true(train_s >= 0);
    return m;
}

static loo_result measure(const loo_split *s, const char *kind, unsigned k, pool *threads)
{
    recommender *m = fit(s, kind);
    loo_result r;
    assert_int_equal(loo_measure(s, m, k, threads, &r, NULL), PF_OK);
    recommender_free(m);
    return r;
}

/* ---- the split ---- */

static void the_last_is_the_test_and_the_one_before_the_validation(void **state)
{
    (void)state;
    data d;
    make(&d, 1, false);
    loo_split *s = split_of(&d.x, LOO_REPEATS_AUTO);
    assert_int_equal(s->tested, U - 3);
    assert_int_equal(s->untested, 2);
    for (uint32_t u = 0; u < U; u++) {
        uint64_t from = d.first[u], n = d.first[u + 1] - from;
        const uint64_t *train = s->train->view.first, *past = s->past->view.first;
        uint64_t kept = n < 3 ? n : n - 2, known = n < 3 ? n : n - 1;
        assert_int_equal(train[u + 1] - train[u], kept);
        assert_int_equal(past[u + 1] - past[u], known);
        assert_memory_equal(s->train->product + train[u], d.product + from, kept * 4);
        assert_memory_equal(s->past->product + past[u], d.product + from, known * 4);
        assert_int_equal(s->test[u],
                         n < 3 ? RECOMMEND_NO_PRODUCT : d.product[from + n - 1]);
        assert_int_equal(s->validation[u],
                         n < 3 ? RECOMMEND_NO_PRODUCT : d.product[from + n - 2]);
        if (n < 3) continue;
        assert_int_equal(s->test_us[u], d.time_us[from + n - 1]);
        assert_int_equal(s->validation_us[u], d.time_us[from + n - 2]);
    }
    loo_split_free(s);
    loo_split_free(NULL);
}

static void without_three_events_there_is_nobody_to_test(void **state)
{
    (void)state;
    static const uint64_t first[] = {0, 2, 3};
    static const uint32_t product[] = {0, 1, 0};
    const interactions x = {
        .n_users = 2, .n_products = 2, .n = 3, .first = first, .product = product};
    const interactions none = {.first = first};
    loo_split *s = NULL;
    pf_error err = {0};
    assert_int_equal(loo_split_new(&x, LOO_REPEATS_AUTO, &s, &err), PF_DATA);
    assert_int_equal(loo_split_new(&none, LOO_REPEATS_AUTO, &s, &err), PF_DATA);
    assert_true(err.message[0] != '\0');
}

static void repeats_are_allowed_when_the_data_repeat_themselves(void **state)
{
    (void)state;
    for (int repeats = 0; repeats < 2; repeats++) {
        static const struct {
            loo_repeats asked;
            bool with, without;
        } cases[] = {{LOO_REPEATS_AUTO, true, false},
                     {LOO_REPEATS_MASKED, false, false},
                     {LOO_REPEATS_ALLOWED, true, true}};
        data d;
        make(&d, 2, repeats);
        for (size_t i = 0; i < 3; i++) {
            loo_split *s = split_of(&d.x, cases[i].asked);
            assert_true((s->repeat_share > 0.05) == (repeats == 1));
            assert_true(s->repeats == (repeats ? cases[i].with : cases[i].without));
            loo_split_free(s);
        }
    }
}

/* ---- no leak ---- */

/* The bytes a model is saved as. */
static size_t saved_bytes(const loo_split *s, const char *kind, char **bytes)
{
    char path[300];
    size_t n = 0;
    recommender *m = fit(s, kind);
    (void)snprintf(path, sizeof path, "%s/loo-%ld.safetensors", PROFFER_BINARY_DIR,
                   (long)getpid());
    assert_int_equal(recommender_save(m, path, NULL, NULL), PF_OK);
    assert_int_equal(file_read_whole(bytes, &n, path, 1 << 24, NULL), PF_OK);
    (void)remove(path);
    recommender_free(m);
    return n;
}

static void assert_same_model(const data *a, const data *b, const char *kind)
{
    loo_split *x = split_of(&a->x, LOO_REPEATS_MASKED);
    loo_split *y = split_of(&b->x, LOO_REPEATS_MASKED);
    char *p = NULL, *q = NULL;
    size_t n = saved_bytes(x, kind, &p);
    assert_int_equal(saved_bytes(y, kind, &q), n);
    if (memcmp(p, q, n) != 0) fail_msg("what was held back has reached '%s'", kind);
    mem_free(p);
    mem_free(q);
    loo_split_free(x);
    loo_split_free(y);
}

static const char *const kinds[] = {"popularity", "recent",      "repeat", "user-knn",
                                    "item-knn",   "transitions", "blend"};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static void another_test_event_changes_no_bit_of_any_model(void **state)
{
    (void)state;
    data d, other;
    make(&d, 3, false);
    other = d;
    other.x.first = other.first;
    other.x.product = other.product;
    other.x.time_us = other.time_us;
    for (uint32_t u = 3; u < U; u++) {
        other.product[d.first[u + 1] - 1] = (d.product[d.first[u + 1] - 1] + 1) % V;
        other.time_us[d.first[u + 1] - 1] += 12345;
    }
    for (size_t k = 0; k < KINDS; k++)
        assert_same_model(&d, &other, kinds[k]);
}

static void another_validation_event_changes_only_the_blend(void **state)
{
    (void)state;
    data d, other;
    make(&d, 3, false);
    other = d;
    other.x.first = other.first;
    other.x.product = other.product;
    other.x.time_us = other.time_us;
    for (uint32_t u = 3; u < U; u++)
        other.product[d.first[u + 1] - 2] = (d.product[d.first[u + 1] - 2] + 1) % V;
    for (size_t k = 0; k + 1 < KINDS; k++)
        assert_same_model(&d, &other, kinds[k]);
}

/* ---- figures ---- */

/* The protocol once more, in plain loops, for popularity. */
static void twin(const data *d, bool repeats, unsigned k, ranking_values *out,
                 loo_group *cold_products, loo_group *cold_shoppers)
{
    double count[V] = {0}, users = 0;
    *out = (ranking_values){0};
    *cold_products = *cold_shoppers = (loo_group){0};
    for (uint32_t u = 0; u < U; u++) {
        uint64_t n = d->first[u + 1] - d->first[u];
        for (uint64_t i = 0; i < (n < 3 ? n : n - 2); i++)
            count[d->product[d->first[u] + i]] += 1;
    }
    for (uint32_t u = 3; u < U; u++) {
        uint64_t from = d->first[u], end = d->first[u + 1];
        uint32_t target = d->product[end - 1];
        double above = 0, equal = 0;
        for (uint32_t v = 0; v < V; v++) {
            bool past = false;
            for (uint64_t i = from; i + 1 < end; i++)
                past |= d->product[i] == v;
            if (past && !repeats) continue;
            above += count[v] > count[target];
            equal +=
                v != target && count[v] >= count[target] && count[v] <= count[target];
        }
        double rank = above + 1 + equal / 2, hit = rank <= k;
        double ndcg = hit > 0 ? 1 / log2(rank + 1) : 0, mrr = hit > 0 ? 1 / rank : 0;
        out->hit += hit;
        out->ndcg += ndcg;
        out->mrr += mrr;
        users += 1;
        if (count[target] <= LOO_COLD_EVENTS) cold_products->users++, cold_products->ndcg += ndcg;
        if (end - from - 2 <= 5) cold_shoppers->users++, cold_shoppers->ndcg += ndcg;
    }
    out->hit /= users;
    out->ndcg /= users;
    out->mrr /= users;
    cold_products->ndcg /= cold_products->users;
    cold_shoppers->ndcg /= cold_shoppers->users;
}

static void assert_near(double a, double b)
{
    if (!(fabs(a - b) < 1e-12 || (isnan(a) && isnan(b))))
        fail_msg("%.15g, not %.15g", a, b);
}

static void figures_are_those_of_a_naive_twin(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        data d;
        bool repeats = seed % 2;
        ranking_values want;
        loo_group cold_products, cold_shoppers;
        make(&d, seed, repeats);
        loo_split *s = split_of(&d.x, repeats ? LOO_REPEATS_ALLOWED : LOO_REPEATS_MASKED);
        loo_result got = measure(s, "popularity", 5, NULL);
        twin(&d, repeats, 5, &want, &cold_products, &cold_shoppers);
        assert_near(got.mean.hit, want.hit);
        assert_near(got.mean.ndcg, want.ndcg);
        assert_near(got.mean.mrr, want.mrr);
        assert_int_equal(got.cold_products.users, cold_products.users);
        assert_int_equal(got.cold_shoppers.users, cold_shoppers.users);
        assert_near(got.cold_products.ndcg, cold_products.ndcg);
        assert_near(got.cold_shoppers.ndcg, cold_shoppers.ndcg);
        assert_int_equal(got.users, U - 3);
        assert_int_equal(got.untested, 2);
        assert_true(got.standard_error.ndcg > 0);
        assert_true(got.coverage > 0 && got.coverage <= 1);
        loo_split_free(s);
    }
}

/* a -> b in training; at test the last known event is a, the validation. */
static void the_validation_event_is_known_at_test_but_not_learnt(void **state)
{
    (void)state;
    enum { a, b, c, d };
    static const uint64_t first[] = {0, 4, 8, 11};
    static const uint32_t product[] = {a, b, c, c, a, b, d, d, c, a, b};
    const interactions x = {
        .n_users = 3, .n_products = 4, .n = 11, .first = first, .product = product};
    loo_split *s = split_of(&x, LOO_REPEATS_MASKED);
    recommender *m = fit(s, "transitions");
    float scores[4];
    const recommend_query q = {.product = product + 8, .n = 2, .user = 2};
    recommend_scratch *scratch = NULL;
    loo_result r;
    assert_int_equal(recommend_scratch_new(m, &scratch, NULL), PF_OK);
    recommender_score(m, &q, scores, scratch);
    assert_true(scores[b] > 0);    /* a -> b was learnt from the others */
    assert_true(!(scores[a] > 0)); /* c -> a is validation, b -> c and b -> d too */
    assert_true(!(scores[d] > 0));
    assert_int_equal(loo_measure(s, m, 1, NULL, &r, NULL), PF_OK);
    assert_near(r.mean.hit, 1.0 / 3); /* the third shopper's b */
    recommend_scratch_free(scratch);
    recommender_free(m);
    loo_split_free(s);
}

static void the_number_of_threads_changes_no_figure(void **state)
{
    (void)state;
    data d;
    make(&d, 7, false);
    loo_split *s = split_of(&d.x, LOO_REPEATS_AUTO);
    pool *three = pool_new(3);
    for (size_t k = 0; k < KINDS; k++) {
        loo_result one = measure(s, kinds[k], 10, NULL);
        loo_result many = measure(s, kinds[k], 10, three);
        one.score_s = many.score_s = one.train_s = many.train_s = 0;
        assert_memory_equal(&one.mean, &many.mean, sizeof one.mean);
        assert_memory_equal(&one.standard_error, &many.standard_error, sizeof one.mean);
        assert_near(one.coverage, many.coverage);
        assert_near(one.novelty, many.novelty);
    }
    pool_free(three);
    loo_split_free(s);
}

static void a_cut_out_of_range_is_refused(void **state)
{
    (void)state;
    data d;
    make(&d, 7, false);
    loo_split *s = split_of(&d.x, LOO_REPEATS_AUTO);
    recommender *m = fit(s, "popularity");
    loo_result r;
    assert_int_equal(loo_measure(s, m, 0, NULL, &r, NULL), PF_USAGE);
    assert_int_equal(loo_measure(s, m, RANKING_CUT_MAX + 1, NULL, &r, NULL), PF_USAGE);
    recommender_free(m);
    loo_split_free(s);
}

static void a_result_is_one_line_of_json(void **state)
{
    (void)state;
    const loo_result r = {.model = "blend",
                          .k = 10,
                          .users = 7,
                          .mean = {.hit = .5, .ndcg = .25, .mrr = .125},
                          .cold_products = {.ndcg = NAN, .hr = NAN, .mrr = NAN},
                          .coverage = .75,
                          .train_s = 1.5};
    buffer b;
    json_writer w;
    buffer_init(&b, 4096);
    json_begin(&w, &b);
    loo_write_json(&w, &r, NULL);
    assert_true(json_finish(&w));
    assert_null(strchr(b.data, '\n'));
    static const char *const parts[] = {
        "\"model\":\"blend\"",    "\"hr@10\":0.5",   "\"ndcg@10\":0.25",
        "\"mrr@10\":0.125",       "\"users\":7",     "\"coverage@10\":0.75",
        "\"repeats\":\"masked\"", "\"train_s\":1.5", "\"cold_products\":{\"users\":0"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (strstr(b.data, parts[i]) == NULL) fail_msg("%s lacks %s", b.data, parts[i]);
    buffer_free(&b);
}

static void a_blends_line_names_its_weights(void **state)
{
    (void)state;
    data d;
    make(&d, 9, false);
    loo_split *s = split_of(&d.x, LOO_REPEATS_AUTO);
    recommender *m = fit(s, "blend");
    loo_result r;
    buffer b;
    json_writer w;
    assert_int_equal(loo_measure(s, m, 10, NULL, &r, NULL), PF_OK);
    buffer_init(&b, 4096);
    json_begin(&w, &b);
    loo_write_json(&w, &r, m);
    assert_true(json_finish(&w));
    assert_non_null(strstr(b.data, "\"weights\":{\""));
    assert_non_null(strstr(b.data, "\"scales\":{\""));
    buffer_free(&b);
    recommender_free(m);
    loo_split_free(s);
}

static void failing_memory_is_told(void **state)
{
    (void)state;
    data d;
    make(&d, 8, false);
    fault f = {0};
    while (fault_next(&f)) {
        loo_split *s = NULL;
        recommender *m = NULL;
        loo_result r;
        double train_s;
        const recommend_input given = {.seed = 1};
        pf_status status = loo_split_new(&d.x, LOO_REPEATS_AUTO, &s, NULL);
        if (status == PF_OK)
            status = loo_fit(s, recommender_find("user-knn"), &given, &m, &train_s, NULL);
        if (status == PF_OK) status = loo_measure(s, m, 10, NULL, &r, NULL);
        if (fault_reached(&f)) assert_int_equal(status, PF_NO_MEMORY);
        recommender_free(m);
        loo_split_free(s);
    }
    assert_true(f.n > 25);
}

/* ---- by time, over seeds ---- */

static void two_moments_cut_all_shoppers_alike(void **state)
{
    (void)state;
    data d;
    make(&d, 21, true);
    loo_split *s = NULL;
    assert_int_equal(loo_split_by_time(&d.x, LOO_REPEATS_AUTO, .5, .75, &s, NULL), PF_OK);
    const interactions *train = &s->train->view, *past = &s->past->view;
    int64_t one = s->from_us[0], two = s->from_us[1];
    uint64_t before_one = 0, before_two = 0;
    uint32_t tested = 0;
    assert_true(one < two);
    for (uint64_t i = 0; i < d.x.n; i++) {
        before_one += d.time_us[i] < one;
        before_two += d.time_us[i] < two;
    }
    assert_int_equal(train->n, before_one);
    assert_int_equal(past->n, before_two);
    for (uint64_t i = 0; i < train->n; i++)
        assert_true(train->time_us[i] < one);
    for (uint32_t u = 0; u < U; u++) {
        uint64_t n = past->first[u + 1] - past->first[u];
        uint64_t all = d.first[u + 1] - d.first[u];
        bool asked = n > 0 && n < all;
        tested += asked;
        assert_int_equal(s->test[u] != RECOMMEND_NO_PRODUCT, asked);
        if (asked) assert_int_equal(s->test[u], d.product[d.first[u] + n]);
        if (asked) assert_true(s->test_us[u] >= two);
        if (s->validation[u] != RECOMMEND_NO_PRODUCT)
            assert_true(s->validation_us[u] >= one && s->validation_us[u] < two);
    }
    assert_int_equal(s->tested, tested);
    assert_true(s->until_us <= one);
    loo_split_free(s);
}

static void a_split_by_time_that_cannot_be_is_told(void **state)
{
    (void)state;
    data d;
    make(&d, 22, true);
    pf_error err = {0};
    loo_split *s = NULL;
    interactions bare = d.x;
    bare.time_us = NULL;
    assert_int_equal(loo_split_by_time(&bare, LOO_REPEATS_AUTO, .8, .9, &s, &err), PF_DATA);
    assert_non_null(strstr(err.message, "needs times"));
    for (uint64_t i = 0; i < d.x.n; i++)
        d.time_us[i] = 7; /* all at once: nobody has a before and an after */
    assert_int_equal(loo_split_by_time(&d.x, LOO_REPEATS_AUTO, .8, .9, &s, &err), PF_DATA);
    assert_non_null(strstr(err.message, "nobody to test on"));
}

static void figures_over_seeds_are_means_with_their_error(void **state)
{
    (void)state;
    loo_result of[3], mean;
    for (int i = 0; i < 3; i++)
        of[i] = (loo_result){.model = "m",
                             .k = 10,
                             .users = 7,
                             .mean = {.hit = .1 * (i + 1), .ndcg = .2 * (i + 1), .mrr = .3},
                             .cold_products = {.users = 2, .ndcg = .1 * i},
                             .validation = .01 * i,
                             .train_s = i};
    loo_mean_of_seeds(of, 3, &mean);
    assert_near(mean.mean.hit, .2);
    assert_near(mean.mean.ndcg, .4);
    assert_near(mean.cold_products.ndcg, .1);
    assert_near(mean.train_s, 1);
    assert_int_equal(mean.users, 7);
    assert_near(mean.seed_error[0], .1 / sqrt(3)); /* deviation .1 over three */
    assert_near(mean.seed_error[2], 0);
    assert_near(mean.validation, .01);
    assert_near(mean.seed_error[3], .01 / sqrt(3));
    loo_mean_of_seeds(of, 1, &mean);
    assert_near(mean.mean.ndcg, .2);
    assert_true(isnan(mean.seed_error[1]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_is_the_test_and_the_one_before_the_validation),
        cmocka_unit_test(without_three_events_there_is_nobody_to_test),
        cmocka_unit_test(repeats_are_allowed_when_the_data_repeat_themselves),
        cmocka_unit_test(another_test_event_changes_no_bit_of_any_model),
        cmocka_unit_test(another_validation_event_changes_only_the_blend),
        cmocka_unit_test(figures_are_those_of_a_naive_twin),
        cmocka_unit_test(the_validation_event_is_known_at_test_but_not_learnt),
        cmocka_unit_test(the_number_of_threads_changes_no_figure),
        cmocka_unit_test(a_cut_out_of_range_is_refused),
        cmocka_unit_test(a_result_is_one_line_of_json),
        cmocka_unit_test(a_blends_line_names_its_weights),
        cmocka_unit_test(failing_memory_is_told),
        cmocka_unit_test(two_moments_cut_all_shoppers_alike),
        cmocka_unit_test(a_split_by_time_that_cannot_be_is_told),
        cmocka_unit_test(figures_over_seeds_are_means_with_their_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
