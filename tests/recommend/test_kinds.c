/*
 * Every kind of recommender against a naive twin: the formula of its head comment in dense
 * double arrays. And what holds for all kinds: popularity for an empty past, finite scores,
 * no allocation while scoring, the same bits for any number of threads, clear errors.
 */
#include "check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "recommend/cf.h"
#include "recommend/fitted.h"
#include "recommend/small_data.h"

enum { V = SMALL_PRODUCTS, U = SMALL_USERS };

/* want [V] by the twin. */
typedef void twin(const small_data *d, const recommend_query *q, double *want);

/* ---- twins ---- */

static double count_since(const small_data *d, uint32_t v, int64_t from_us)
{
    double n = 0;
    for (uint64_t i = 0; i < d->x.n; i++)
        n += d->x.product[i] == v && d->x.time_us[i] >= from_us;
    return n;
}

static void twin_popularity(const small_data *d, const recommend_query *q, double *want)
{
    (void)q;
    for (uint32_t v = 0; v < V; v++)
        want[v] = log(1 + count_since(d, v, INT64_MIN));
}

static void twin_recent(const small_data *d, const recommend_query *q, double *want)
{
    int64_t days = 7, from = 0;
    double n = 0;
    (void)q;
    for (;; days *= 2) {
        from = d->input.until_us - days * US_PER_DAY;
        n = 0;
        for (uint32_t v = 0; v < V; v++)
            n += count_since(d, v, from);
        if (n >= 1000 || n >= (double)d->x.n) break;
    }
    assert_true(n < (double)d->x.n); /* else it would only test popularity again */
    for (uint32_t v = 0; v < V; v++)
        want[v] = log(1 + count_since(d, v, from));
}

static void twin_category(const small_data *d, const recommend_query *q, double *want)
{
    for (uint32_t v = 0; v < V; v++) {
        double share = 0;
        for (size_t i = 0; i < q->n; i++)
            share += d->side.category[q->product[i]] == d->side.category[v];
        want[v] = d->side.category[v]
                      ? share / (double)q->n * log(1 + count_since(d, v, INT64_MIN))
                      : 0;
    }
}

static void twin_repeat(const small_data *d, const recommend_query *q, double *want)
{
    (void)d;
    memset(want, 0, V * sizeof *want);
    for (size_t i = 0; i < q->n; i++) {
        double days = (double)(q->at_us - q->time_us[i]) / (double)US_PER_DAY;
        want[q->product[i]] += pow(0.5, days / 90);
    }
}

static bool took(const small_data *d, uint32_t u, uint32_t v)
{
    for (uint64_t i = d->x.first[u]; i < d->x.first[u + 1]; i++)
        if (d->x.product[i] == v) return true;
    return false;
}

static bool asked_took(const recommend_query *q, uint32_t v)
{
    for (size_t i = 0; i < q->n; i++)
        if (q->product[i] == v) return true;
    return false;
}

static void twin_item_knn(const small_data *d, const recommend_query *q, double *want)
{
    for (uint32_t v = 0; v < V; v++) {
        want[v] = 0;
        for (uint32_t j = 0; j < V; j++) {
            double both = 0, a = 0, b = 0;
            if (j == v || !asked_took(q, j)) continue;
            for (uint32_t u = 0; u < U; u++) {
                bool x = took(d, u, v), y = took(d, u, j);
                both += x && y;
                a += x;
                b += y;
            }
            if (both > 0) want[v] += both / (sqrt(a * b) + 10);
        }
    }
}

typedef struct peer {
    double similarity;
    uint32_t user;
} peer;

static int nearest_first(const void *a, const void *b)
{
    const peer *x = a, *y = b;
    if (x->similarity > y->similarity) return -1;
    if (x->similarity < y->similarity) return 1;
    return (x->user > y->user) - (x->user < y->user);
}

static void twin_user_knn(const small_data *d, const recommend_query *q, double *want)
{
    peer peers[U];
    for (uint32_t u = 0; u < U; u++) {
        double both = 0, a = 0, b = 0;
        for (uint32_t v = 0; v < V; v++) {
            bool x = asked_took(q, v), y = took(d, u, v);
            both += x && y;
            a += x;
            b += y;
        }
        peers[u] = (peer){u != q->user && both > 0 ? both / (sqrt(a * b) + 10) : 0, u};
    }
    qsort(peers, U, sizeof *peers, nearest_first);
    for (uint32_t v = 0; v < V; v++) {
        want[v] = 0;
        for (size_t i = 0; i < 100; i++)
            if (took(d, peers[i].user, v)) want[v] += peers[i].similarity;
    }
}

static void dense_transitions(const small_data *d, double T[V][V])
{
    double row[V] = {0}, popularity[V] = {0};
    memset(T, 0, sizeof(double) * V * V);
    for (uint64_t i = 0; i < d->x.n; i++)
        popularity[d->x.product[i]] += 1;
    for (uint32_t u = 0; u < U; u++)
        for (uint64_t i = d->x.first[u]; i < d->x.first[u + 1]; i++)
            for (uint64_t gap = 1; gap <= 5 && i + gap < d->x.first[u + 1]; gap++)
                T[d->x.product[i]][d->x.product[i + gap]] += 1 / (double)gap;
    for (uint32_t i = 0; i < V; i++)
        for (uint32_t j = 0; j < V; j++)
            row[i] += T[i][j];
    for (uint32_t i = 0; i < V; i++)
        for (uint32_t j = 0; j < V; j++)
            if (row[i] > 0) T[i][j] /= sqrt(row[i]) * sqrt(popularity[j] + 1);
}

/* want = sum of .7^age rows of a dense matrix. */
static void decayed_rows(const recommend_query *q, double M[V][V], double *want)
{
    memset(want, 0, V * sizeof *want);
    for (size_t age = 0; age < 10 && age < q->n; age++)
        for (uint32_t v = 0; v < V; v++)
            want[v] += pow(0.7, (double)age) * M[q->product[q->n - 1 - age]][v];
}

static void twin_transitions(const small_data *d, const recommend_query *q, double *want)
{
    double T[V][V];
    dense_transitions(d, T);
    decayed_rows(q, T, want);
}

static void dense_cosines(const small_data *d, double M[V][V])
{
    for (uint32_t i = 0; i < V; i++)
        for (uint32_t j = 0; j < V; j++)
            M[i][j] =
                sparse_dot(lexical_vector(d->words, i), lexical_vector(d->words, j));
}

static void twin_words(const small_data *d, const recommend_query *q, double *want)
{
    double M[V][V];
    dense_cosines(d, M);
    decayed_rows(q, M, want);
}

static void twin_kin(const small_data *d, const recommend_query *q, double *want)
{
    double M[V][V], T[V][V], product[V][V];
    dense_cosines(d, M);
    dense_transitions(d, T);
    for (uint32_t i = 0; i < V; i++) {
        peer kin[V];
        double sum = 0;
        for (uint32_t j = 0; j < V; j++)
            kin[j] = (peer){i == j ? 0 : (double)(float)(M[i][j] * M[i][j]), j};
        qsort(kin, V, sizeof *kin, nearest_first);
        for (size_t k = 0; k < 20; k++)
            sum += kin[k].similarity;
        for (uint32_t v = 0; v < V; v++) {
            product[i][v] = 0;
            for (size_t k = 0; k < 20 && sum > 0; k++)
                product[i][v] += kin[k].similarity / sum * T[kin[k].user][v];
        }
    }
    decayed_rows(q, product, want);
}

static void twin_meaning(const small_data *d, const recommend_query *q, double *want)
{
    double M[V][V];
    for (uint32_t i = 0; i < V; i++)
        for (uint32_t j = 0; j < V; j++) {
            M[i][j] = 0;
            for (size_t k = 0; k < SMALL_DIMENSION; k++)
                M[i][j] += (double)d->side.vectors[i * SMALL_DIMENSION + k] *
                           (double)d->side.vectors[j * SMALL_DIMENSION + k];
        }
    decayed_rows(q, M, want);
}

static void predictions(const small_data *d, cf_side side, const recommend_query *q,
                        double *want)
{
    cf_options o = cf_options_default(side, side == CF_USERS ? CF_PEARSON : CF_COSINE);
    cf_model *m = NULL;
    assert_int_equal(cf_fit(&d->x, &o, &m, NULL), PF_OK);
    for (uint32_t v = 0; v < V; v++)
        want[v] = cf_predict(m, q->user, v);
    cf_free(m);
}

static void twin_user_cf(const small_data *d, const recommend_query *q, double *want)
{
    predictions(d, CF_USERS, q, want);
}

static void twin_item_cf(const small_data *d, const recommend_query *q, double *want)
{
    predictions(d, CF_ITEMS, q, want);
}

static const struct {
    const char *kind;
    twin *twin;
} twins[] = {
    {"popularity", twin_popularity},
    {"recent", twin_recent},
    {"category", twin_category},
    {"repeat", twin_repeat},
    {"user-cf", twin_user_cf},
    {"item-cf", twin_item_cf},
    {"user-knn", twin_user_knn},
    {"item-knn", twin_item_knn},
    {"transitions", twin_transitions},
    {"kin", twin_kin},
    {"words", twin_words},
    {"meaning", twin_meaning},
};
enum { TWINS = sizeof twins / sizeof twins[0] };

static void compare(const char *kind, uint32_t user, const double *want, const float *got)
{
    for (uint32_t v = 0; v < V; v++)
        if (!(fabs(want[v] - (double)got[v]) <= 2e-5 * (1 + fabs(want[v]))))
            fail_msg("%s, shopper %u, product %u: %.8g, the twin says %.8g", kind, user,
                     v, (double)got[v], want[v]);
}

static void every_kind_scores_as_its_naive_twin(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 2; seed++) {
        small_data *d = small_data_new(seed, 60);
        for (size_t t = 0; t < TWINS; t++) {
            recommender *m = small_fit(d, twins[t].kind);
            for (uint32_t u = 1; u < 30; u++) {
                recommend_query q = small_query(d, u);
                double want[V];
                float got[V];
                twins[t].twin(d, &q, want);
                score_with(m, &q, got);
                compare(twins[t].kind, u, want, got);
            }
            recommender_free(m);
        }
        small_data_free(d);
    }
}

static void no_kind_is_without_a_twin_or_tests_of_its_own(void **state)
{
    (void)state;
    static const char *const elsewhere[] = {"habit", "blend", "two-embedding", "als",
                                            "ease",  "gru4rec", "bert4rec", "transformer",
                                            "month-blend"};
    for (size_t i = 0; recommender_kind_at(i) != NULL; i++) {
        const char *name = recommender_kind_at(i)->name;
        bool met = false;
        for (size_t t = 0; t < TWINS; t++)
            met |= strcmp(twins[t].kind, name) == 0;
        for (size_t t = 0; t < sizeof elsewhere / sizeof elsewhere[0]; t++)
            met |= strcmp(elsewhere[t], name) == 0;
        if (!met) fail_msg("nothing tests '%s'", name);
        assert_ptr_equal(recommender_find(name), recommender_kind_at(i));
    }
    assert_null(recommender_kind_at(999));
    assert_null(recommender_find("no such kind"));
}

/* ---- what holds for all ---- */

static void a_past_without_events_gets_the_order_of_popularity(void **state)
{
    (void)state;
    small_data *d = small_data_new(3, 20);
    const recommend_query nobody = {.user = RECOMMEND_NO_USER};
    double want[V];
    twin_popularity(d, &nobody, want);
    for (size_t k = 0; recommender_kind_at(k) != NULL; k++) {
        recommender *m = small_fit(d, recommender_kind_at(k)->name);
        float got[V];
        score_with(m, &nobody, got);
        compare(recommender_kind_at(k)->name, 0, want, got);
        assert_ptr_equal(recommender_kind_of(m), recommender_kind_at(k));
        assert_int_equal(recommender_n_products(m), V);
        recommender_free(m);
    }
    small_data_free(d);
}

static void a_stranger_with_a_past_gets_finite_scores_of_every_kind(void **state)
{
    (void)state;
    small_data *d = small_data_new(4, 20);
    static const uint32_t product[] = {5, V - 1, 5, 3};
    for (size_t k = 0; recommender_kind_at(k) != NULL; k++) {
        recommender *m = small_fit(d, recommender_kind_at(k)->name);
        const recommend_query q = {.product = product, .n = 4, .user = RECOMMEND_NO_USER};
        float got[V];
        score_with(m, &q, got);
        for (uint32_t v = 0; v < V; v++)
            assert_true(isfinite(got[v]));
        recommender_free(m);
    }
    small_data_free(d);
}

static void without_times_repeats_decay_by_order(void **state)
{
    (void)state;
    small_data *d = small_data_new(4, 20);
    static const uint32_t product[] = {1, 2, 1};
    const recommend_query q = {.product = product, .n = 3, .user = RECOMMEND_NO_USER};
    recommender *m = small_fit(d, "repeat");
    float got[V];
    score_with(m, &q, got);
    assert_true(fabs((double)got[1] - (1 + pow(0.5, 2.0 / 20))) < 1e-6);
    assert_true(fabs((double)got[2] - pow(0.5, 1.0 / 20)) < 1e-6);
    assert_true(got[3] == 0);
    recommender_free(m);
    small_data_free(d);
}

static void a_rater_who_rated_nothing_gets_mean_ratings(void **state)
{
    (void)state;
    small_data *d = small_data_new(4, 20);
    static const uint32_t product[] = {1};
    const recommend_query q = {.product = product, .n = 1, .user = RECOMMEND_NO_USER};
    for (int k = 0; k < 2; k++) {
        recommender *m = small_fit(d, k ? "item-cf" : "user-cf");
        float got[V];
        double sum = 0, n = 0;
        score_with(m, &q, got);
        for (uint32_t u = 0; u < U; u++) { /* of several ratings by one the last counts */
            double last = NAN;
            for (uint64_t i = d->x.first[u]; i < d->x.first[u + 1]; i++)
                if (d->x.product[i] == 7) last = (double)d->x.rating[i];
            if (isnan(last)) continue;
            sum += last;
            n += 1;
        }
        assert_true(fabs((double)got[7] - sum / n) < 1e-5);
        recommender_free(m);
    }
    small_data_free(d);
}

static void the_number_of_threads_changes_no_bit(void **state)
{
    (void)state;
    small_data *d = small_data_new(5, 20);
    for (size_t k = 0; recommender_kind_at(k) != NULL; k++) {
        recommender *one = small_fit(d, recommender_kind_at(k)->name);
        d->input.pool = pool_new(3);
        assert_non_null(d->input.pool);
        recommender *three = small_fit(d, recommender_kind_at(k)->name);
        pool_free(d->input.pool);
        d->input.pool = NULL;
        for (uint32_t u = 1; u < U; u += 7) {
            recommend_query q = small_query(d, u);
            float a[V], b[V];
            score_with(one, &q, a);
            score_with(three, &q, b);
            assert_memory_equal(a, b, sizeof a);
        }
        recommender_free(one);
        recommender_free(three);
    }
    small_data_free(d);
}

/* ---- what is missing ---- */

static pf_status try_fit(const char *kind, const recommend_input *input, pf_error *err)
{
    recommender *m = NULL;
    pf_status s = recommender_fit(recommender_find(kind), input, &m, err);
    if (s == PF_OK) recommender_free(m);
    return s;
}

static void a_kind_whose_part_is_absent_says_which(void **state)
{
    (void)state;
    small_data *d = small_data_new(6, 10);
    interactions bare = d->x;
    product_side nothing = {0};
    bare.time_us = NULL;
    bare.rating = NULL;
    for (int i = 0; i < 2; i++) {
        recommend_input input = {.train = &bare, .side = i ? &nothing : NULL};
        static const struct {
            const char *kind, *word;
        } needs[] = {{"recent", "times"},    {"category", "categories"},
                     {"user-cf", "ratings"}, {"item-cf", "ratings"},
                     {"words", "words"},     {"kin", "words"},
                     {"meaning", "vectors"}};
        for (size_t k = 0; k < sizeof needs / sizeof needs[0]; k++) {
            pf_error err = {0};
            assert_int_equal(try_fit(needs[k].kind, &input, &err), PF_UNAVAILABLE);
            assert_non_null(strstr(err.message, needs[k].word));
            assert_non_null(strstr(err.message, needs[k].kind));
        }
        assert_int_equal(try_fit("user-knn", &input, NULL), PF_OK);
        assert_int_equal(try_fit("item-knn", &input, NULL), PF_OK);
        assert_int_equal(try_fit("repeat", &input, NULL), PF_OK);
        assert_int_equal(try_fit("blend", &input, NULL), PF_OK);
    }
    small_data_free(d);
}

static void nothing_to_learn_from_is_told_by_every_kind(void **state)
{
    (void)state;
    static const uint64_t first[2] = {0, 0};
    const interactions none = {.n_users = 1, .n_products = 3, .first = first};
    const interactions empty = {.n_users = 0, .n_products = 0, .first = first};
    for (size_t k = 0; recommender_kind_at(k) != NULL; k++) {
        recommend_input input = {.train = &none};
        assert_int_equal(try_fit(recommender_kind_at(k)->name, &input, NULL), PF_DATA);
        input.train = &empty;
        assert_int_equal(try_fit(recommender_kind_at(k)->name, &input, NULL), PF_DATA);
    }
}

static void one_shopper_and_one_product_are_enough(void **state)
{
    (void)state;
    static const uint64_t first[] = {0, 3};
    static const uint32_t product[] = {0, 0, 0}, category[] = {0};
    static const int64_t time_us[] = {1, 2, 3};
    static const float rating[] = {3, 4, 5}, vectors[] = {1, 0};
    const lexical_field field = {.text = text_of("soap"), .weight = 1};
    const lexical_document document = {&field, 1};
    lexical *words = NULL;
    assert_int_equal(lexical_fit(&words, 1, &document, NULL, NULL), PF_OK);
    const interactions x = {.n_users = 1,
                            .n_products = 1,
                            .n = 3,
                            .first = first,
                            .product = product,
                            .time_us = time_us,
                            .rating = rating};
    const product_side side = {.category = category,
                               .n_categories = 1,
                               .vectors = vectors,
                               .dimension = 2,
                               .words = words};
    const recommend_input input = {
        .train = &x, .side = &side, .until_us = 4, .repeats = true};
    for (size_t k = 0; recommender_kind_at(k) != NULL; k++) {
        recommender *m = NULL;
        pf_error err = {0};
        const recommend_query q = {.product = product,
                                   .time_us = time_us,
                                   .rating = rating,
                                   .n = 3,
                                   .at_us = 4,
                                   .user = 0};
        float score = NAN;
        /* Habits are learnt from the last month against what was before it; with one product
         * there is nothing to foresee. */
        if (strcmp(recommender_kind_at(k)->name, "habit") == 0) continue;
        if (recommender_kind_at(k)->trained && x.n_products == 1) continue;
        if (recommender_fit(recommender_kind_at(k), &input, &m, &err) != PF_OK)
            fail_msg("%s", err.message);
        score_with(m, &q, &score);
        assert_true(isfinite(score));
        recommender_free(m);
    }
    lexical_free(words);
}

static void wrong_input_is_a_programmers_error_that_is_told(void **state)
{
    (void)state;
    small_data *d = small_data_new(6, 10);
    uint32_t *product = (uint32_t *)(uintptr_t)d->x.product;
    uint32_t was = product[3];
    product[3] = V;
    assert_int_equal(try_fit("popularity", &d->input, NULL), PF_INTERNAL);
    product[3] = was;
    d->side.n_categories = 2;
    assert_int_equal(try_fit("category", &d->input, NULL), PF_INTERNAL);
    interactions more = d->x;
    more.n_products = V + 1;
    d->input.train = &more;
    assert_int_equal(try_fit("words", &d->input, NULL), PF_INTERNAL);
    d->input.train = &d->x;
    ((float *)(uintptr_t)d->side.vectors)[9] = NAN;
    assert_int_equal(try_fit("meaning", &d->input, NULL), PF_DATA);
    small_data_free(d);
}

static void failing_memory_is_told_by_every_kind(void **state)
{
    (void)state;
    small_data *d = small_data_new(7, 6);
    const recommender_kind *members[] = {recommender_find("popularity"),
                                         recommender_find("transitions")};
    d->input.members = members;
    d->input.n_members = 2;
    for (size_t k = 0; recommender_kind_at(k) != NULL; k++) {
        fault f = {0};
        if (recommender_kind_at(k)->trained) continue; /* tests/sequence has theirs */
        while (fault_next(&f)) {
            recommender *m = NULL;
            recommend_scratch *scratch = NULL;
            pf_status s = recommender_fit(recommender_kind_at(k), &d->input, &m, NULL);
            if (s == PF_OK) s = recommend_scratch_new(m, &scratch, NULL);
            if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
            recommend_scratch_free(scratch);
            recommender_free(m);
        }
        assert_true(f.n > 2);
    }
    small_data_free(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_scores_as_its_naive_twin),
        cmocka_unit_test(no_kind_is_without_a_twin_or_tests_of_its_own),
        cmocka_unit_test(a_past_without_events_gets_the_order_of_popularity),
        cmocka_unit_test(a_stranger_with_a_past_gets_finite_scores_of_every_kind),
        cmocka_unit_test(without_times_repeats_decay_by_order),
        cmocka_unit_test(a_rater_who_rated_nothing_gets_mean_ratings),
        cmocka_unit_test(the_number_of_threads_changes_no_bit),
        cmocka_unit_test(a_kind_whose_part_is_absent_says_which),
        cmocka_unit_test(nothing_to_learn_from_is_told_by_every_kind),
        cmocka_unit_test(one_shopper_and_one_product_are_enough),
        cmocka_unit_test(wrong_input_is_a_programmers_error_that_is_told),
        cmocka_unit_test(failing_memory_is_told_by_every_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
