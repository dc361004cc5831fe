/*
 * Stories: all that shoppers did, in step with what they took; cut together, never showing
 * what came later.
 */
#include "check.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "recommend/basket_order.h"
#include "recommend/from_history.h"
#include "recommend/interactions.h"
#include "recommend/story.h"

/* ---- a small shop by hand ---- */

enum { PRODUCTS = 5 };

static history_row at(uint32_t shopper, int64_t time_us, event_type type, uint32_t product,
                      uint32_t promotion)
{
    return (history_row){.shopper = shopper,
                         .time_us = time_us,
                         .type = (uint8_t)type,
                         .product = product,
                         .promotion = promotion,
                         .paid_minor = MONEY_ABSENT,
                         .discount_minor = MONEY_ABSENT,
                         .coupon_minor = MONEY_ABSENT,
                         .quantity = 1,
                         .rating = NAN,
                         .propensity = NAN};
}

static shop_history *shop_of(const history_row *rows, uint64_t n, uint32_t shoppers)
{
    shop_history *h = NULL;
    assert_int_equal(history_from_rows(&h, rows, n, shoppers, NULL), PF_OK);
    return h;
}

static void an_event_names_its_product_or_its_promotion_or_nothing(void **state)
{
    (void)state;
    const history_row rows[] = {
        at(1, 10, EVENT_EXPOSURE, 0, 3),    at(1, 20, EVENT_VIEW, 4, 0),
        at(1, 30, EVENT_PURCHASE, 4, 0),    at(1, 31, EVENT_REDEMPTION, 4, 3),
        at(1, 40, EVENT_UNSUBSCRIBE, 0, 0), at(1, 50, EVENT_DISMISSAL, 0, 0),
    };
    const uint32_t things[] = {PRODUCTS + 2, 3, 3, PRODUCTS + 2, SEQUENCE_NOTHING};
    const uint8_t kinds[] = {EVENT_EXPOSURE, EVENT_VIEW, EVENT_PURCHASE, EVENT_REDEMPTION,
                             EVENT_DISMISSAL};
    const bool taken[] = {false, false, true, false, false};
    shop_history *h = shop_of(rows, 6, 1);
    sequence_events_owned *s = NULL;
    assert_int_equal(story_from_history(h, PRODUCTS, NULL, 1000, &s, NULL), PF_OK);
    assert_int_equal(s->view.n, 5);
    assert_int_equal(s->view.n_promotions, 3);
    assert_memory_equal(s->thing, things, sizeof things);
    assert_memory_equal(s->kind, kinds, sizeof kinds);
    assert_memory_equal(s->taken, taken, sizeof taken);
    assert_int_equal(sequence_events_check(&s->view, NULL), PF_OK);
    sequence_events_free(s);
    sequence_events_free(NULL);
    history_free(h);
}

static void what_is_shown_at_one_moment_is_one_event(void **state)
{
    (void)state;
    const history_row rows[] = {
        at(1, 10, EVENT_EXPOSURE, 0, 1), at(1, 10, EVENT_EXPOSURE, 0, 2),
        at(1, 10, EVENT_EXPOSURE, 0, 3), at(1, 11, EVENT_EXPOSURE, 0, 2),
        at(2, 11, EVENT_EXPOSURE, 0, 2),
    };
    const uint32_t things[] = {SEQUENCE_NOTHING, PRODUCTS + 1, PRODUCTS + 1};
    shop_history *h = shop_of(rows, 5, 2);
    sequence_events_owned *s = NULL;
    assert_int_equal(story_from_history(h, PRODUCTS, NULL, 1000, &s, NULL), PF_OK);
    assert_int_equal(s->view.n, 3);
    assert_int_equal(s->first[1], 2);
    assert_memory_equal(s->thing, things, sizeof things);
    sequence_events_free(s);
    history_free(h);
}

/* A product that is no goods leaves no trace, not even where it was shown first. */
static void left_out_products_are_in_no_story(void **state)
{
    (void)state;
    const bool excluded[PRODUCTS + 1] = {[2] = true};
    const history_row rows[] = {
        at(1, 5, EVENT_EXPOSURE, 1, 0),  at(1, 10, EVENT_EXPOSURE, 2, 0),
        at(1, 10, EVENT_EXPOSURE, 3, 0), at(1, 12, EVENT_PURCHASE, 2, 0),
        at(1, 13, EVENT_PURCHASE, 0, 0), at(1, 14, EVENT_PURCHASE, 3, 0),
    };
    shop_history *h = shop_of(rows, 6, 1);
    sequence_events_owned *s = NULL;
    assert_int_equal(story_from_history(h, PRODUCTS, excluded, 1000, &s, NULL), PF_OK);
    assert_int_equal(s->view.n, 3);
    assert_int_equal(s->thing[0], 0); /* the earlier showing is not touched */
    assert_int_equal(s->thing[1], 2); /* what was shown beside it is */
    assert_int_equal(s->thing[2], 2);
    sequence_events_free(s);
    history_free(h);
}

static void a_band_is_the_octave_of_one_pieces_price(void **state)
{
    (void)state;
    assert_int_equal(story_price_band(MONEY_ABSENT, 1), 0);
    assert_int_equal(story_price_band(0, 1), 0);
    assert_int_equal(story_price_band(-5, 1), 0);
    assert_int_equal(story_price_band(1, 1), 1);
    assert_int_equal(story_price_band(31, 1), 1);
    assert_int_equal(story_price_band(32, 1), 2);
    assert_int_equal(story_price_band(63, 1), 2);
    assert_int_equal(story_price_band(64, 2), 2);
    assert_int_equal(story_price_band(64, 0), 3); /* quantity unknown: one piece */
    assert_int_equal(story_price_band(64, NAN), 3);
    assert_int_equal(story_price_band(INT64_MAX, 1), SEQUENCE_BANDS - 1);
}

/* ---- random shops ---- */

enum { SHOPPERS = 12, ROWS = 600, LAST_US = 300 };

static const bool some_excluded[PRODUCTS + 1] = {[4] = true};

static shop_history *random_shop(uint64_t seed)
{
    static history_row rows[ROWS];
    random_stream r = random_begin(seed, 3);
    for (int i = 0; i < ROWS; i++) {
        rows[i] = at(random_below(&r, SHOPPERS + 1), (int64_t)random_below(&r, LAST_US),
                     (event_type)(1 + random_below(&r, EVENT_TYPE_COUNT - 1)),
                     random_below(&r, PRODUCTS + 1), random_below(&r, 4));
        if (i % 3 == 0) rows[i].type = EVENT_PURCHASE;
        rows[i].paid_minor = (int64_t)random_below(&r, 5000);
        rows[i].order = random_below(&r, 3);
    }
    return shop_of(rows, ROWS, SHOPPERS);
}

/* The events that took something are the interactions, one by one. */
static void check_in_step(const interactions *x)
{
    const sequence_events *e = x->story;
    assert_int_equal(e->n_shoppers, x->n_users);
    assert_int_equal(e->n_products, x->n_products);
    assert_int_equal(sequence_events_check(e, NULL), PF_OK);
    for (uint32_t u = 0; u < x->n_users; u++) {
        uint64_t i = x->first[u];
        for (uint64_t s = e->first[u]; s < e->first[u + 1]; s++) {
            if (!e->taken[s]) continue;
            assert_true(i < x->first[u + 1]);
            assert_int_equal(e->thing[s], x->product[i]);
            assert_int_equal(e->time_us[s], x->time_us[i]);
            i++;
        }
        assert_int_equal(i, x->first[u + 1]);
    }
}

static void stories_and_purchases_of_a_history_are_in_step(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        interactions_owned *x = NULL;
        shop_history *h = random_shop(seed);
        assert_int_equal(purchases_from_history(h, PRODUCTS, some_excluded, 250, &x, NULL),
                         PF_OK);
        check_in_step(&x->view);
        for (uint64_t i = 0; i < x->view.story->n; i++)
            assert_true(x->view.story->time_us[i] < 250);
        interactions_free(x);
        history_free(h);
    }
}

static uint64_t count_taken(const sequence_window *w)
{
    uint64_t n = 0;
    for (size_t i = 0; i < w->n; i++)
        n += w->kind[i] == EVENT_PURCHASE;
    return n;
}

static void a_query_until_a_moment_shows_nothing_from_then_on(void **state)
{
    (void)state;
    interactions_owned *x = NULL;
    shop_history *h = random_shop(31);
    assert_int_equal(purchases_from_history(h, PRODUCTS, some_excluded, 999, &x, NULL), PF_OK);
    for (uint32_t shopper = 1; shopper <= SHOPPERS; shopper++)
        for (int64_t now = 0; now <= LAST_US; now += 7) {
            recommend_query q = purchases_of(x, shopper, now);
            assert_int_equal(count_taken(&q.story), q.n);
            for (size_t i = 0; i < q.story.n; i++)
                assert_true(q.story.time_us[i] < now);
        }
    interactions_free(x);
    history_free(h);
}

/* Whoever drops the last purchases drops what happened since with them, and a query about n
 * purchases ends where the next one begins. */
static void a_cut_of_interactions_cuts_the_story(void **state)
{
    (void)state;
    interactions_owned *x = NULL;
    interactions_owned *part = NULL;
    shop_history *h = random_shop(47);
    assert_int_equal(purchases_from_history(h, PRODUCTS, some_excluded, 999, &x, NULL), PF_OK);
    assert_int_equal(interactions_without_last(&x->view, 2, 2, &part, NULL), PF_OK);
    check_in_step(&part->view);
    for (uint32_t u = 0; u < SHOPPERS; u++) {
        const uint64_t n = part->view.first[u + 1] - part->view.first[u];
        recommend_query short_of = interactions_query(&x->view, u, n, 0);
        const sequence_events *e = part->view.story;
        assert_int_equal(short_of.story.n, e->first[u + 1] - e->first[u]);
        assert_int_equal(count_taken(&short_of.story), n);
        assert_memory_equal(short_of.story.thing, e->thing + e->first[u],
                            short_of.story.n * sizeof *e->thing);
        assert_memory_equal(short_of.story.band, e->band + e->first[u], short_of.story.n);
    }
    interactions_free(part);
    interactions_free(x);
    history_free(h);
}

/* ---- lines of a basket ---- */

enum { LINES = 40 };

static shop_history *baskets_by_number(void)
{
    static history_row rows[3 * LINES + 2];
    uint64_t n = 0;
    for (uint64_t basket = 1; basket <= 3; basket++) {
        for (uint32_t line = 0; line < LINES; line++) {
            rows[n] = at(1, basket == 3 ? 20 : 10, EVENT_PURCHASE, 1 + line, 0);
            rows[n++].order = basket;
        }
        if (basket < 3) rows[n++] = at(1, 10, EVENT_REDEMPTION, 0, 1);
    }
    return shop_of(rows, n, 1);
}

/* Each basket keeps its places and its products; its order is no longer that of numbers, and
 * not that of another basket with the same products; and it is the same every time. */
static void lines_of_a_basket_stand_in_an_order_of_their_own(void **state)
{
    (void)state;
    uint64_t first_time[3 * LINES + 2], rising = 0, alike = 0;
    const uint64_t *row;
    basket_order *o = NULL;
    shop_history *h = baskets_by_number();
    assert_int_equal(basket_order_new(h, &o, NULL), PF_OK);
    const uint64_t n = basket_order_read(o, 1, 1000, &row);
    assert_int_equal(n, 3 * LINES + 2);
    memcpy(first_time, row, sizeof first_time);
    assert_int_equal(basket_order_read(o, 1, 1000, &row), n);
    assert_memory_equal(row, first_time, sizeof first_time);
    bool met[3 * LINES + 2] = {false};
    for (uint64_t i = 0; i < n; i++) {
        assert_false(met[row[i] - h->first[1]]);
        met[row[i] - h->first[1]] = true;
        if (i < 2 * LINES) assert_int_equal(h->order[row[i]], 1 + i / LINES);
        if (i >= 2 * LINES + 2) assert_int_equal(h->order[row[i]], 3);
    }
    for (uint64_t i = 0; i + 1 < LINES; i++) {
        rising += h->product[row[i]] < h->product[row[i + 1]];
        alike += h->product[row[i]] == h->product[row[i + LINES]];
    }
    assert_in_range(rising, 10, 30);
    assert_true(alike < 10);
    assert_int_equal(basket_order_read(o, 1, 20, &row), 2 * LINES + 2);
    basket_order_free(o);
    history_free(h);
}

/* Purchases without an order's id are a basket as well. */
static void purchases_without_an_order_are_one_basket(void **state)
{
    (void)state;
    history_row rows[LINES];
    const uint64_t *row;
    basket_order *o = NULL;
    uint64_t rising = 0;
    for (uint32_t i = 0; i < LINES; i++)
        rows[i] = at(1, 5, EVENT_PURCHASE, 1 + i, 0);
    shop_history *h = shop_of(rows, LINES, 1);
    assert_int_equal(basket_order_new(h, &o, NULL), PF_OK);
    assert_int_equal(basket_order_read(o, 1, 1000, &row), LINES);
    for (uint64_t i = 0; i + 1 < LINES; i++)
        rising += row[i] < row[i + 1];
    assert_in_range(rising, 10, 30);
    basket_order_free(o);
    history_free(h);
}

/* Whatever stands in front of a purchase at its own moment would tell what is bought. */
static void of_one_moment_purchases_come_first(void **state)
{
    (void)state;
    const history_row rows[] = {
        at(1, 5, EVENT_VIEW, 2, 0),       at(1, 9, EVENT_REDEMPTION, 3, 1),
        at(1, 9, EVENT_ADD_TO_CART, 3, 0), at(1, 9, EVENT_PURCHASE, 3, 0),
        at(1, 9, EVENT_EXPOSURE, 0, 1),
    };
    const uint8_t kinds[] = {EVENT_VIEW, EVENT_PURCHASE, EVENT_REDEMPTION, EVENT_ADD_TO_CART,
                             EVENT_EXPOSURE};
    interactions_owned *x = NULL;
    shop_history *h = shop_of(rows, 5, 1);
    assert_int_equal(purchases_from_history(h, PRODUCTS, NULL, 1000, &x, NULL), PF_OK);
    assert_memory_equal(x->story->kind, kinds, sizeof kinds);
    assert_int_equal(interactions_query(&x->view, 0, 0, 0).story.n, 1);
    interactions_free(x);
    history_free(h);
}

/* A cut by time leaves nothing of later, not even of those who bought nothing later. */
static void a_cut_by_time_cuts_the_story_by_time(void **state)
{
    (void)state;
    interactions_owned *x = NULL;
    interactions_owned *part = NULL;
    shop_history *h = random_shop(53);
    assert_int_equal(purchases_from_history(h, PRODUCTS, some_excluded, 999, &x, NULL), PF_OK);
    assert_int_equal(interactions_until(&x->view, 150, &part, NULL), PF_OK);
    check_in_step(&part->view);
    uint64_t before = 0;
    for (uint64_t i = 0; i < x->view.story->n; i++)
        before += x->view.story->time_us[i] < 150;
    assert_int_equal(part->view.story->n, before);
    for (uint64_t i = 0; i < part->view.story->n; i++)
        assert_true(part->view.story->time_us[i] < 150);
    interactions_free(part);
    interactions_free(x);
    history_free(h);
}

static void failed_allocations_leave_nothing_behind(void **state)
{
    (void)state;
    shop_history *h = random_shop(5);
    fault f = {0};
    while (fault_next(&f)) {
        interactions_owned *x = NULL;
        interactions_owned *part = NULL;
        pf_status s = purchases_from_history(h, PRODUCTS, NULL, 999, &x, NULL);
        if (s == PF_OK) s = interactions_without_last(&x->view, 1, 1, &part, NULL);
        if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
        interactions_free(part);
        interactions_free(x);
    }
    assert_true(f.n > 15);
    history_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_names_its_product_or_its_promotion_or_nothing),
        cmocka_unit_test(what_is_shown_at_one_moment_is_one_event),
        cmocka_unit_test(left_out_products_are_in_no_story),
        cmocka_unit_test(a_band_is_the_octave_of_one_pieces_price),
        cmocka_unit_test(stories_and_purchases_of_a_history_are_in_step),
        cmocka_unit_test(a_query_until_a_moment_shows_nothing_from_then_on),
        cmocka_unit_test(a_cut_of_interactions_cuts_the_story),
        cmocka_unit_test(lines_of_a_basket_stand_in_an_order_of_their_own),
        cmocka_unit_test(purchases_without_an_order_are_one_basket),
        cmocka_unit_test(of_one_moment_purchases_come_first),
        cmocka_unit_test(a_cut_by_time_cuts_the_story_by_time),
        cmocka_unit_test(failed_allocations_leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
