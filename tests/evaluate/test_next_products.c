/*
 * The protocol by time: what is the past, what a target, what is ranked, held against
 * values worked out by hand; and that nothing after the test window, nor the number of
 * threads, changes a bit.
 */
#include "check.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "evaluate/next_products.h"

enum { V = 12, S_MAX = 64, ROWS_MAX = 20000, FROM = 100, TO = 131 };

/* A catalogue of V products in two categories, and events put into it by hand. */
typedef struct world {
    product products[V + 1];
    category categories[3];
    shop_catalogue catalogue;
    history_row *rows;
    uint64_t n;
    shop_history *history;
    bool excluded[V + 1];
    next_products_task task;
} world;

static world *world_new(void)
{
    world *w = mem_alloc_zero(1, sizeof *w);
    assert_non_null(w);
    w->rows = mem_alloc(ROWS_MAX, sizeof *w->rows);
    assert_non_null(w->rows);
    for (uint32_t i = 1; i <= V; i++)
        w->products[i] = (product){.id = "p", .title = "", .category = 1 + i % 2};
    w->catalogue = (shop_catalogue){.n_products = V,
                                    .n_categories = 2,
                                    .products = w->products,
                                    .categories = w->categories};
    return w;
}

static void buy_at(world *w, uint32_t who, uint32_t what, int64_t time_us, uint8_t type)
{
    assert_true(w->n < ROWS_MAX);
    w->rows[w->n++] = (history_row){.shopper = who,
                                    .product = what,
                                    .type = type,
                                    .time_us = time_us,
                                    .paid_minor = MONEY_ABSENT,
                                    .discount_minor = MONEY_ABSENT,
                                    .coupon_minor = MONEY_ABSENT,
                                    .quantity = 1,
                                    .rating = NAN,
                                    .propensity = NAN};
}

static void buy(world *w, uint32_t who, uint32_t what, double day)
{
    buy_at(w, who, what, (int64_t)(day * (double)US_PER_DAY), EVENT_PURCHASE);
}

static void settle(world *w, uint32_t shoppers)
{
    history_free(w->history);
    assert_int_equal(history_from_rows(&w->history, w->rows, w->n, shoppers, NULL),
                     PF_OK);
    w->task = (next_products_task){.catalogue = &w->catalogue,
                                   .history = w->history,
                                   .excluded = w->excluded,
                                   .from_us = FROM * US_PER_DAY,
                                   .to_us = TO * US_PER_DAY,
                                   .repeats = true,
                                   .k = 10,
                                   .seed = 1};
}

static void world_free(world *w)
{
    history_free(w->history);
    mem_free(w->rows);
    mem_free(w);
}

/* One kind alone. */
static next_products_result measure(world *w, const char *kind)
{
    const recommender_kind *kinds[1] = {recommender_find(kind)};
    next_products_result r;
    pf_error err = {0};
    w->task.kinds = kinds;
    w->task.n_kinds = 1;
    if (next_products_measure(&w->task, &r, &err) != PF_OK) fail_msg("%s", err.message);
    w->task.kinds = NULL;
    assert_int_equal(r.n_models, 1);
    assert_string_equal(r.models[0].model, kind);
    return r;
}

static void near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-12)) fail_msg("%.17g is not %.17g", a, b);
}

/* ---- by hand ---- */

/* Shopper 1 took product 1 thrice, 2 once; shopper 2 took 3. In the window shopper 1 takes
 * 2 and 9, which nobody had taken before; shopper 2 takes nothing. */
static world *small_world(void)
{
    world *w = world_new();
    for (int i = 0; i < 3; i++)
        buy(w, 1, 1, 60 + 10 * i);
    buy(w, 1, 2, 90);
    buy(w, 2, 3, 95);
    buy(w, 1, 2, 105);
    buy(w, 1, 9, 106);
    buy(w, 1, 9, 107);
    settle(w, 2);
    return w;
}

static void a_small_shop_worked_out_by_hand(void **state)
{
    (void)state;
    world *w = small_world();
    next_products_result r = measure(w, "repeat");
    assert_int_equal(r.users, 1);
    assert_int_equal(r.targets, 2);
    assert_int_equal(r.candidates, 3);
    /* Ranked: 1, 2, 3. Of the targets 2 is second, 9 is not ranked. */
    near(r.models[0].mean.ndcg, (1 / log2(3)) / (1 + 1 / log2(3)));
    near(r.models[0].mean.recall, 0.5);
    near(r.models[0].mean.hit, 1);
    near(r.models[0].mean.mrr, 0.5);
    near(r.models[0].coverage, 3.0 / V);
    near(r.models[0].gain, 0);
    w->task.k = 1;
    r = measure(w, "repeat");
    near(r.models[0].mean.hit, 0);
    world_free(w);
}

static void without_repeats_the_past_is_neither_ranked_nor_a_target(void **state)
{
    (void)state;
    world *w = small_world();
    buy(w, 1, 3, 110);
    settle(w, 2);
    w->task.repeats = false;
    next_products_result r = measure(w, "popularity");
    assert_int_equal(r.targets, 2); /* 9 and 3 */
    /* Product 3 alone is left to rank. */
    near(r.models[0].mean.ndcg, 1 / (1 + 1 / log2(3)));
    near(r.models[0].mean.mrr, 1);
    world_free(w);
}

static void excluded_products_are_no_past_no_target_and_not_ranked(void **state)
{
    (void)state;
    world *w = small_world();
    w->excluded[1] = w->excluded[9] = true;
    next_products_result r = measure(w, "repeat");
    assert_int_equal(r.targets, 1);
    assert_int_equal(r.candidates, 2);
    near(r.models[0].mean.ndcg, 1);
    world_free(w);
}

static void the_window_holds_its_first_moment_and_not_its_last(void **state)
{
    (void)state;
    world *w = world_new();
    buy(w, 1, 1, 50);
    buy_at(w, 1, 2, FROM * US_PER_DAY - 1, EVENT_PURCHASE);
    buy_at(w, 1, 3, FROM * US_PER_DAY, EVENT_PURCHASE);
    buy_at(w, 1, 4, TO * US_PER_DAY - 1, EVENT_PURCHASE);
    buy_at(w, 1, 5, TO * US_PER_DAY, EVENT_PURCHASE);
    settle(w, 1);
    next_products_result r = measure(w, "popularity");
    assert_int_equal(r.candidates, 2);
    assert_int_equal(r.targets, 2);
    world_free(w);
}

static void only_purchases_of_known_shoppers_count(void **state)
{
    (void)state;
    world *w = small_world();
    buy_at(w, 1, 5, 20 * US_PER_DAY, EVENT_VIEW);
    buy_at(w, 1, 6, 120 * US_PER_DAY, EVENT_VIEW);
    buy_at(w, 0, 7, 120 * US_PER_DAY, EVENT_PURCHASE); /* anonymous */
    buy_at(w, 1, 0, 121 * US_PER_DAY, EVENT_PURCHASE); /* of no product */
    settle(w, 2);
    next_products_result r = measure(w, "repeat");
    assert_int_equal(r.users, 1);
    assert_int_equal(r.targets, 2);
    assert_int_equal(r.candidates, 3);
    world_free(w);
}

/* Equal scores share their mean rank: nothing is won by a model that tells no difference. */
static void a_tie_counts_with_its_mean_rank(void **state)
{
    (void)state;
    world *w = world_new();
    for (uint32_t v = 1; v <= 5; v++)
        buy(w, 2, v, 40);
    buy(w, 1, 6, 40);
    buy(w, 1, 1, 110);
    settle(w, 2);
    next_products_result r = measure(w, "repeat");
    /* Shopper 1 took 6; the five others tie at ranks 2 to 6. */
    near(r.models[0].mean.ndcg, 1 / log2(1 + 4));
    world_free(w);
}

/* ---- a shop of some size ---- */

/* Everybody buys one product every week and something else besides. after: purchases
 * behind the window. */
static world *weekly_world(bool after)
{
    world *w = world_new();
    for (uint32_t s = 1; s <= S_MAX - 4; s++) {
        for (unsigned day = s % 7; day < TO; day += 7) {
            buy(w, s, 1 + s % 5, day);
            if ((day / 7 + s) % 3 == 0) buy(w, s, 6 + (s * 5 + day / 7) % 7, day + 0.5);
        }
        for (unsigned day = TO; after && day < TO + 9; day++)
            buy(w, s, 1 + day % V, day);
    }
    settle(w, S_MAX);
    return w;
}

static next_products_result measure_usual(world *w)
{
    next_products_result r;
    pf_error err = {0};
    if (next_products_measure(&w->task, &r, &err) != PF_OK) fail_msg("%s", err.message);
    return r;
}

static void same_but_for_time(const next_products_result *a,
                              const next_products_result *b)
{
    assert_int_equal(a->users, b->users);
    assert_int_equal(a->targets, b->targets);
    assert_int_equal(a->candidates, b->candidates);
    assert_int_equal(a->n_models, b->n_models);
    for (size_t i = 0; i < a->n_models; i++) {
        next_products_model x = a->models[i], y = b->models[i];
        assert_string_equal(x.model, y.model);
        assert_memory_equal(&x.mean, &y.mean, sizeof x.mean);
        assert_memory_equal(&x.standard_error, &y.standard_error, sizeof x.mean);
        near(x.coverage, y.coverage);
        near(x.novelty, y.novelty);
        near(x.gain, y.gain);
        near(x.gain_se, y.gain_se);
    }
}

static const next_products_model *find(const next_products_result *r, const char *model)
{
    for (size_t i = 0; i < r->n_models; i++)
        if (!strcmp(r->models[i].model, model)) return &r->models[i];
    fail_msg("no model '%s'", model);
    return NULL;
}

static void the_usual_models_are_compared_with_repeat(void **state)
{
    (void)state;
    world *w = weekly_world(false);
    next_products_result r = measure_usual(w);
    assert_int_equal(r.users, S_MAX - 4);
    /* Without texts there are neither words nor vectors. */
    assert_int_equal(r.n_models, 6);
    const next_products_model *repeat = find(&r, "repeat");
    for (size_t i = 0; i < r.n_models; i++) {
        near(r.models[i].gain, r.models[i].mean.ndcg - repeat->mean.ndcg);
        assert_true(r.models[i].gain_se >= 0);
        assert_true(r.models[i].train_s >= 0 && r.models[i].score_s >= 0);
    }
    near(repeat->gain_se, 0);
    assert_true(find(&r, "habit")->mean.ndcg > find(&r, "popularity")->mean.ndcg);
    assert_true(find(&r, "habit")->mean.mrr > 0.9); /* the weekly product on top */
    world_free(w);
}

/* Too few shoppers for a network: month-blend is habit, and stands beside it. */
static void with_training_month_blend_is_compared_where_repeats_are_allowed(void **state)
{
    (void)state;
    const recommend_training how = {.settings = NULL};
    world *w = weekly_world(false);
    w->task.training = &how;
    next_products_result r = measure_usual(w);
    assert_int_equal(r.n_models, 7);
    near(find(&r, "month-blend")->mean.ndcg, find(&r, "habit")->mean.ndcg);
    w->task.repeats = false;
    r = measure_usual(w);
    assert_int_equal(r.n_models, 6);
    world_free(w);
}

static void nothing_behind_the_window_changes_a_bit(void **state)
{
    (void)state;
    world *plain = weekly_world(false), *more = weekly_world(true);
    assert_true(more->n > plain->n);
    next_products_result a = measure_usual(plain), b = measure_usual(more);
    same_but_for_time(&a, &b);
    world_free(plain);
    world_free(more);
}

static void the_number_of_threads_changes_no_bit(void **state)
{
    (void)state;
    world *w = weekly_world(false);
    next_products_result one = measure_usual(w);
    w->task.threads = pool_new(3);
    assert_non_null(w->task.threads);
    next_products_result three = measure_usual(w);
    same_but_for_time(&one, &three);
    pool_free(w->task.threads);
    world_free(w);
}

/* ---- what cannot be done ---- */

static pf_status try_measure(const world *w, const char *word)
{
    next_products_result r;
    pf_error err = {0};
    pf_status s = next_products_measure(&w->task, &r, &err);
    if (s != PF_OK && strstr(err.message, word) == NULL) fail_msg("%s", err.message);
    return s;
}

static void wrong_tasks_are_told(void **state)
{
    (void)state;
    world *w = small_world();
    const recommender_kind *many[NEXT_PRODUCTS_MODELS_MAX + 1] = {
        recommender_find("meaning")};
    w->task.to_us = w->task.from_us;
    assert_int_equal(try_measure(w, "before it begins"), PF_USAGE);
    settle(w, 2);
    w->task.k = 0;
    assert_int_equal(try_measure(w, "cut"), PF_USAGE);
    settle(w, 2);
    w->task.kinds = many;
    w->task.n_kinds = NEXT_PRODUCTS_MODELS_MAX + 1;
    assert_int_equal(try_measure(w, "at most"), PF_USAGE);
    w->task.n_kinds = 1;
    assert_int_equal(try_measure(w, "vectors"), PF_UNAVAILABLE);
    world_free(w);
}

static void a_window_without_a_past_or_without_purchases_is_told(void **state)
{
    (void)state;
    world *w = small_world();
    w->task.from_us = 0;
    assert_int_equal(try_measure(w, "before the test window"), PF_DATA);
    settle(w, 2);
    w->task.from_us = 120 * US_PER_DAY;
    assert_int_equal(try_measure(w, "in the test window"), PF_DATA);
    world_free(w);
}

/* A shopper with more targets than a ranking takes is left out and counted. */
static void a_shopper_with_too_many_targets_is_not_tested(void **state)
{
    (void)state;
    enum { MANY = RANKING_TARGETS_MAX + 1 };
    world *w = world_new();
    product *products = mem_alloc_zero(MANY + 1, sizeof *products);
    bool *excluded = mem_alloc_zero(MANY + 1, sizeof *excluded);
    assert_true(products && excluded);
    buy(w, 1, 1, 50);
    buy(w, 2, 1, 50);
    buy(w, 1, 1, 101);
    for (uint32_t v = 1; v <= MANY; v++)
        buy(w, 2, v, 102);
    settle(w, 2);
    w->catalogue.products = products;
    w->catalogue.n_products = MANY;
    w->task.excluded = excluded;
    next_products_result r = measure(w, "popularity");
    assert_int_equal(r.users, 1);
    assert_int_equal(r.untested, 1);
    near(r.models[0].mean.ndcg, 1);
    excluded[MANY] = true; /* one target fewer: now he is */
    r = measure(w, "popularity");
    assert_int_equal(r.users, 2);
    assert_int_equal(r.untested, 0);
    mem_free(products);
    mem_free(excluded);
    world_free(w);
}

static void failing_memory_is_told(void **state)
{
    (void)state;
    world *w = small_world();
    const recommender_kind *kinds[] = {recommender_find("repeat"),
                                       recommender_find("user-knn")};
    w->task.kinds = kinds;
    w->task.n_kinds = 2;
    fault f = {0};
    while (fault_next(&f)) {
        next_products_result r;
        pf_status s = next_products_measure(&w->task, &r, NULL);
        if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
    }
    assert_true(f.n > 20);
    world_free(w);
}

/* ---- JSON ---- */

static void the_json_bears_the_fields_names(void **state)
{
    (void)state;
    world *w = small_world();
    next_products_result r = measure(w, "repeat");
    buffer json;
    json_writer writer;
    arena memory;
    const json_value *tree = NULL, *model;
    buffer_init(&json, 1 << 16);
    arena_init(&memory, 1 << 20);
    json_begin(&writer, &json);
    next_products_write_json(&writer, &r);
    assert_true(json_finish(&writer));
    assert_int_equal(json_parse(&memory, json.data, json.length, &tree, NULL), PF_OK);
    assert_true(text_is(json_member(tree, "from")->text, "1970-04-11T00:00:00Z"));
    assert_true(text_is(json_member(tree, "to")->text, "1970-05-12T00:00:00Z"));
    assert_true(text_is(json_member(tree, "users")->text, "1"));
    assert_int_equal(json_member(tree, "models")->n, 1);
    model = &json_member(tree, "models")->values[0];
    static const char *const keys[] = {
        "ndcg@10", "ndcg@10_se", "ndcg@10_gain", "ndcg@10_gain_se", "recall@10",
        "hr@10",   "mrr@10",     "coverage@10",  "novelty@10",      "train_s"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        assert_non_null(json_member(model, keys[i]));
    assert_true(text_is(json_member(model, "model")->text, "repeat"));
    assert_true(text_is(json_member(model, "recall@10")->text, "0.5"));
    arena_free(&memory);
    buffer_free(&json);
    world_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_shop_worked_out_by_hand),
        cmocka_unit_test(without_repeats_the_past_is_neither_ranked_nor_a_target),
        cmocka_unit_test(excluded_products_are_no_past_no_target_and_not_ranked),
        cmocka_unit_test(the_window_holds_its_first_moment_and_not_its_last),
        cmocka_unit_test(only_purchases_of_known_shoppers_count),
        cmocka_unit_test(a_tie_counts_with_its_mean_rank),
        cmocka_unit_test(the_usual_models_are_compared_with_repeat),
        cmocka_unit_test(with_training_month_blend_is_compared_where_repeats_are_allowed),
        cmocka_unit_test(nothing_behind_the_window_changes_a_bit),
        cmocka_unit_test(the_number_of_threads_changes_no_bit),
        cmocka_unit_test(wrong_tasks_are_told),
        cmocka_unit_test(a_window_without_a_past_or_without_purchases_is_told),
        cmocka_unit_test(a_shopper_with_too_many_targets_is_not_tested),
        cmocka_unit_test(failing_memory_is_told),
        cmocka_unit_test(the_json_bears_the_fields_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
