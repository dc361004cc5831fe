/* measure/ranking.h: metrics by hand, against a full sort, under ties, by threads. */
#include "golden_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "base/random.h"
#include "measure/ranking.h"

static void metrics_by_hand(void **state)
{
    (void)state;
    /* Targets on ranks 1, 3 and 7; cut 5. */
    const double rank[] = {3, 1, 7};
    ranking_values v = ranking_values_of(rank, 3, 5);
    double ideal = 1.0 + 1.0 / log2(3) + 0.5;
    assert_near(v.hit, 1.0, 0.0);
    assert_near(v.ndcg, (1.0 + 0.5) / ideal, 1e-12);
    assert_near(v.mrr, 1.0, 0.0);
    assert_near(v.recall, 2.0 / 3.0, 1e-12);
    assert_near(v.precision, 2.0 / 5.0, 1e-12);
    v = ranking_values_of(rank + 2, 1, 5);
    assert_true(v.hit == 0.0 && v.ndcg == 0.0 && v.mrr == 0.0 && v.recall == 0.0);
    v = ranking_values_of(rank, 3, 2);
    assert_near(v.ndcg, 1.0 / (1.0 + 1.0 / log2(3)), 1e-12);
    v = ranking_values_of((double[]){1, 2, 3}, 3, 10);
    assert_near(v.ndcg, 1.0, 1e-12);
}

static void ties_take_the_mean_rank(void **state)
{
    (void)state;
    const float score[] = {5, 3, 3, 3, 1, 1};
    const uint32_t target[] = {0, 2, 5};
    double rank[3];
    ranking_ranks(score, 6, target, 3, rank);
    assert_near(rank[0], 1.0, 0.0);
    assert_near(rank[1], 3.0, 0.0);
    assert_near(rank[2], 5.5, 0.0);
    /* Everybody equal among ten: nobody is within the first five. */
    const float same[10] = {0};
    ranking_ranks(same, 10, target, 1, rank);
    assert_near(rank[0], 5.5, 0.0);
    assert_near(ranking_values_of(rank, 1, 5).hit, 0.0, 0.0);
    assert_near(ranking_values_of(rank, 1, 6).ndcg, 1.0 / log2(6.5), 1e-12);
}

static void what_is_excluded_is_neither_ranked_nor_found(void **state)
{
    (void)state;
    const float score[] = {-INFINITY, 2, NAN, 1, -INFINITY, 3};
    const uint32_t target[] = {0, 2, 3};
    double rank[3];
    ranking_ranks(score, 6, target, 3, rank);
    assert_true(isinf(rank[0]) && isinf(rank[1]));
    assert_near(rank[2], 3.0, 0.0);
    uint32_t top[6];
    assert_int_equal(ranking_top(score, 6, 6, top), 3);
    assert_true(top[0] == 5 && top[1] == 1 && top[2] == 3);
    ranking_values v = ranking_values_of(rank, 3, 100);
    assert_near(v.recall, 1.0 / 3.0, 1e-12);
    assert_near(v.mrr, 1.0 / 3.0, 1e-12);
}

static const float *sorting;

static int by_score(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    if (sorting[a] != sorting[b]) return sorting[a] > sorting[b] ? -1 : 1;
    return a < b ? -1 : 1;
}

/* The list by a full sort; mean ranks by walking its blocks. */
static void lists_and_ranks_agree_with_a_full_sort(void **state)
{
    (void)state;
    enum { V = 400 };
    random_stream r = random_begin(1, 1);
    for (int turn = 0; turn < 200; turn++) {
        float score[V];
        uint32_t all[V], top[V];
        double expected[V], rank[V];
        size_t n = 1 + random_below(&r, V);
        for (size_t v = 0; v < n; v++) {
            score[v] = turn % 2 ? (float)random_below(&r, 30) : (float)random_normal(&r);
            all[v] = (uint32_t)v;
        }
        sorting = score;
        qsort(all, n, sizeof *all, by_score);
        for (size_t from = 0, end; from < n; from = end) {
            for (end = from; end < n && score[all[end]] == score[all[from]]; end++) {
            }
            for (size_t i = from; i < end; i++)
                expected[all[i]] = ((double)from + 1.0 + (double)end) / 2.0;
        }
        size_t most = random_below(&r, V + 1), got = ranking_top(score, n, most, top);
        assert_int_equal(got, most < n ? most : n);
        for (size_t i = 0; i < got; i++)
            assert_int_equal(top[i], all[i]);
        ranking_ranks(score, n, all, n, rank);
        for (size_t i = 0; i < n; i++)
            assert_near(rank[i], expected[all[i]], 0.0);
    }
}

/* Odd sizes around the blocks of the counting loop. */
static void large_catalogues_are_counted_right(void **state)
{
    (void)state;
    static const size_t sizes[] = {65535, 65536, 65537, 131072, 140001};
    float *score = mem_alloc(140001, sizeof *score);
    for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
        size_t n = sizes[s];
        for (size_t v = 0; v < n; v++)
            score[v] = (float)(v % 1000);
        uint32_t target = (uint32_t)(n - 1);
        double rank, above = 0.0, equal = 0.0;
        for (size_t v = 0; v < n; v++) {
            above += score[v] > score[target];
            equal += score[v] == score[target];
        }
        ranking_ranks(score, n, &target, 1, &rank);
        assert_near(rank, above + (equal + 1.0) / 2.0, 0.0);
    }
    mem_free(score);
}

/* ---- many shoppers ---- */

enum { SHOPPERS = 200, PRODUCTS = 150 };

typedef struct crowd {
    ranking *r;
    float score[SHOPPERS][PRODUCTS];
    uint32_t target[SHOPPERS][3];
} crowd;

static void fill(crowd *c)
{
    random_stream r = random_begin(4, 4);
    for (size_t s = 0; s < SHOPPERS; s++) {
        for (size_t v = 0; v < PRODUCTS; v++)
            c->score[s][v] = (float)random_below(&r, 40) + (float)(v % 7);
        for (uint32_t t = 0; t < 3; t++)
            c->target[s][t] = 50 * t + random_below(&r, 50);
    }
}

static void add_one(void *context, size_t task, unsigned worker)
{
    (void)worker;
    crowd *c = context;
    if (task % 10 == 9) return; /* every tenth shopper had no targets */
    mem_guard_enter();
    ranking_add(c->r, (uint32_t)task, c->score[task], c->target[task], 1 + task % 3);
    mem_guard_leave();
}

static const ranking_plan plan = {
    .cut = {5, 20}, .cuts = 2, .products = PRODUCTS, .shoppers = SHOPPERS};

static void means_are_over_the_shoppers_added(void **state)
{
    (void)state;
    static crowd c;
    fill(&c);
    assert_int_equal(ranking_new(&c.r, &plan, NULL), PF_OK);
    pool_run(NULL, SHOPPERS, add_one, &c);
    assert_int_equal(ranking_shoppers(c.r), 180);
    assert_true(ranking_has(c.r, 0) && !ranking_has(c.r, 9));
    for (unsigned cut = 0; cut < 2; cut++) {
        double sum = 0.0, squares = 0.0;
        for (uint32_t s = 0; s < SHOPPERS; s++) {
            if (s % 10 == 9) continue;
            double rank[3];
            ranking_ranks(c.score[s], PRODUCTS, c.target[s], 1 + s % 3, rank);
            ranking_values v = ranking_values_of(rank, 1 + s % 3, plan.cut[cut]);
            assert_near(ranking_of_shopper(c.r, s, cut).ndcg, v.ndcg, 0.0);
            sum += v.ndcg;
            squares += v.ndcg * v.ndcg;
        }
        double mean = sum / 180, variance = (squares - 180 * mean * mean) / 179;
        assert_near(ranking_mean(c.r, cut).ndcg, mean, 1e-12);
        assert_near(ranking_standard_error(c.r, cut).ndcg, sqrt(variance / 180), 1e-12);
        assert_true(ranking_mean(c.r, cut).hit > 0.0);
    }
    ranking_free(c.r);
    ranking_free(NULL);
}

static void coverage_and_novelty_look_at_the_lists(void **state)
{
    (void)state;
    ranking *r;
    const ranking_plan small = {.cut = {1, 2}, .cuts = 2, .products = 4, .shoppers = 2};
    const float first[] = {4, 3, 2, 1}, second[] = {4, 1, 3, 2};
    const uint32_t target = 0, times[] = {7, 3, 1, 0};
    assert_int_equal(ranking_new(&r, &small, NULL), PF_OK);
    assert_true(isnan(ranking_novelty(r, 0, times)));
    assert_true(isnan(ranking_mean(r, 0).ndcg));
    assert_near(ranking_coverage(r, 0), 0.0, 0.0);
    ranking_add(r, 0, first, &target, 1);
    assert_true(isnan(ranking_standard_error(r, 0).ndcg));
    ranking_add(r, 1, second, &target, 1);
    assert_near(ranking_coverage(r, 0), 0.25, 0.0);
    assert_near(ranking_coverage(r, 1), 0.75, 0.0);
    /* Shares (times + 1) / (11 + 4). */
    assert_near(ranking_novelty(r, 0, times), -log2(8.0 / 15.0), 1e-12);
    double bits = -(2 * log2(8.0 / 15.0) + log2(4.0 / 15.0) + log2(2.0 / 15.0)) / 4;
    assert_near(ranking_novelty(r, 1, times), bits, 1e-12);
    ranking_free(r);
}

static void threads_change_no_bit(void **state)
{
    (void)state;
    static crowd one, many;
    uint32_t times[PRODUCTS];
    for (uint32_t v = 0; v < PRODUCTS; v++)
        times[v] = v * 3;
    fill(&one);
    fill(&many);
    assert_int_equal(ranking_new(&one.r, &plan, NULL), PF_OK);
    assert_int_equal(ranking_new(&many.r, &plan, NULL), PF_OK);
    pool *p = pool_new(4);
    pool_run(NULL, SHOPPERS, add_one, &one);
    pool_run(p, SHOPPERS, add_one, &many);
    pool_free(p);
    for (unsigned cut = 0; cut < 2; cut++) {
        ranking_values a = ranking_mean(one.r, cut), b = ranking_mean(many.r, cut);
        assert_memory_equal(&a, &b, sizeof a);
        assert_near(ranking_novelty(one.r, cut, times),
                    ranking_novelty(many.r, cut, times), 0.0);
        assert_near(ranking_coverage(one.r, cut), ranking_coverage(many.r, cut), 0.0);
    }
    ranking_free(one.r);
    ranking_free(many.r);
}

static void wrong_plans_are_refused(void **state)
{
    (void)state;
    static const ranking_plan wrong[] = {
        {.cuts = 0, .products = 1, .shoppers = 1},
        {.cuts = RANKING_CUTS_MAX + 1, .products = 1, .shoppers = 1},
        {.cut = {0}, .cuts = 1, .products = 1, .shoppers = 1},
        {.cut = {RANKING_CUT_MAX + 1}, .cuts = 1, .products = 1, .shoppers = 1},
        {.cut = {1}, .cuts = 1, .products = 0, .shoppers = 1},
        {.cut = {1}, .cuts = 1, .products = 1, .shoppers = 0}};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ranking *r = NULL;
        assert_int_equal(ranking_new(&r, &wrong[i], NULL), PF_USAGE);
        assert_null(r);
    }
}

static void failed_allocations_are_reported(void **state)
{
    (void)state;
    fault f = {0};
    while (fault_next(&f)) {
        ranking *r;
        pf_status status = ranking_new(&r, &plan, NULL);
        bool failed = fault_reached(&f);
        assert_int_equal(status, failed ? PF_NO_MEMORY : PF_OK);
        assert_int_equal(r == NULL, failed);
        ranking_free(r);
    }
    assert_int_equal(f.n, 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(metrics_by_hand),
        cmocka_unit_test(ties_take_the_mean_rank),
        cmocka_unit_test(what_is_excluded_is_neither_ranked_nor_found),
        cmocka_unit_test(lists_and_ranks_agree_with_a_full_sort),
        cmocka_unit_test(large_catalogues_are_counted_right),
        cmocka_unit_test(means_are_over_the_shoppers_added),
        cmocka_unit_test(coverage_and_novelty_look_at_the_lists),
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(wrong_plans_are_refused),
        cmocka_unit_test(failed_allocations_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
