/* Whole messages: what stands in them, what is left out, and what never is. */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "message/length.h"
#include "message/message.h"
#include "message/small_shop.h"

/* 2017-04-10 00:00 UTC: the last day is 9 April. */
static const int64_t ends = INT64_C(1491782400) * US_PER_SECOND;

typedef struct fixture {
    small_shop shop;
    frame_set *frames;
    arena memory;
    uint32_t cheese, butter, milk, wine, nameless;
    uint32_t dairy;
} fixture;

static int setup(void **state)
{
    static fixture f;
    memset(&f, 0, sizeof f);
    small_shop_init(&f.shop, 40, "USD");
    arena_init(&f.memory, 1u << 22);
    uint32_t grocery = small_shop_category(&f.shop, "GROCERY", 0);
    uint32_t spirits = small_shop_category(&f.shop, "SPIRITS", 0);
    f.dairy = small_shop_category(&f.shop, "GROCERY > DAIRY", grocery);
    uint32_t imported = small_shop_category(&f.shop, "SPIRITS > IMPORTED WINE", spirits);
    f.cheese = small_shop_product(&f.shop, "CHEESE", f.dairy);
    f.butter = small_shop_product(&f.shop, "BUTTER, 8 OZ", f.dairy);
    f.milk = small_shop_product(&f.shop, "FLUID MILK PRODUCTS", f.dairy);
    f.wine = small_shop_product(&f.shop, "CHATEAU NEUF", imported);
    f.nameless = small_shop_product(&f.shop, "", f.dairy);
    if (frame_set_default(&f.frames, NULL) != PF_OK) return -1;
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    frame_set_free(f->frames);
    arena_free(&f->memory);
    small_shop_free(&f->shop);
    return 0;
}

static message_request request(const fixture *f, channel by, message_language language)
{
    return (message_request){.promotion = f->shop.c.n_promotions,
                             .channel = by,
                             .language = language,
                             .send_at_us = ends - 20 * US_PER_DAY};
}

static pf_status render(fixture *f, const char *shop, const message_request *r,
                        message *m, pf_error *err)
{
    message_writer *w = NULL;
    message_settings settings = message_settings_default();
    settings.shop = shop;
    assert_int_equal(message_writer_new(&w, &f->shop.c, f->frames, &settings, NULL),
                     PF_OK);
    pf_status s = message_render(w, r, &f->memory, m, err);
    message_writer_free(w);
    return s;
}

static void check(fixture *f, const char *shop, const message_request *r,
                  const char *expected)
{
    message m;
    pf_error err = {0};
    if (render(f, shop, r, &m, &err) != PF_OK) fail_msg("%s", err.message);
    assert_string_equal(m.body, expected);
}

static promotion *ten_percent(fixture *f)
{
    promotion *p = small_shop_promotion(&f->shop, PROMOTION_PERCENT_OFF);
    uint32_t scope[] = {f->cheese, f->butter, f->milk};
    small_shop_scope(&f->shop, p, scope, 3);
    p->percent_hundredths = 1500;
    p->ends_us = ends;
    return p;
}

static void a_push_names_favourites_discount_and_end(void **state)
{
    fixture *f = *state;
    (void)ten_percent(f);
    message_request r = request(f, CHANNEL_PUSH, LANGUAGE_EN);
    uint32_t likes[] = {f->cheese, f->butter};
    r.favourites = likes;
    r.n_favourites = 2;
    check(f, "", &r, "15 % off Cheese, Butter (8 oz) and more, until 9 April.");
    r.variant = 1;
    check(f, "", &r, "For you: 15 % off Cheese, Butter (8 oz) and more, until 9 April.");
    r.variant = 0;
    r.language = LANGUAGE_ZH;
    check(f, "", &r, "Cheese、Butter (8 oz)等 8.5折，截至4月9日。");
}

static void without_favourites_the_scope_is_said(void **state)
{
    fixture *f = *state;
    promotion *p = ten_percent(f);
    message_request r = request(f, CHANNEL_PUSH, LANGUAGE_EN);
    check(f, "", &r, "15 % off selected products in Dairy, until 9 April.");
    p->n_scope = 0;
    check(f, "", &r, "15 % off everything, until 9 April.");
    r.language = LANGUAGE_ZH;
    check(f, "", &r, "全部商品 8.5折，截至4月9日。");
}

static void a_scope_over_categories_names_none(void **state)
{
    fixture *f = *state;
    promotion *p = ten_percent(f);
    uint32_t scope[] = {f->cheese, f->wine};
    small_shop_scope(&f->shop, p, scope, 2);
    message_request r = request(f, CHANNEL_PUSH, LANGUAGE_EN);
    check(f, "", &r, "15 % off selected products, until 9 April.");
}

static void a_scope_that_is_one_sensitive_category_is_not_named(void **state)
{
    fixture *f = *state;
    promotion *p = ten_percent(f);
    uint32_t scope[] = {f->wine};
    small_shop_scope(&f->shop, p, scope, 1);
    message_request r = request(f, CHANNEL_PUSH, LANGUAGE_EN);
    check(f, "", &r, "15 % off selected products, until 9 April.");
    r.language = LANGUAGE_ZH;
    check(f, "", &r, "指定商品 8.5折，截至4月9日。");
}

static void an_unknown_value_is_never_stated(void **state)
{
    fixture *f = *state;
    promotion *p = ten_percent(f);
    message_request r = request(f, CHANNEL_PUSH, LANGUAGE_EN);
    p->percent_hundredths = 0;
    p->ends_us = TIME_ABSENT;
    check(f, "", &r, "A lower price on selected products in Dairy.");
    p->kind = PROMOTION_MONEY_OFF;
    check(f, "", &r, "A coupon for selected products in Dairy.");
    r.language = LANGUAGE_ZH;
    check(f, "", &r, "Dairy类指定商品有优惠券。");
    p->value_minor = 200;
    check(f, "", &r, "Dairy类指定商品 立减$2.00。");
}

static void the_minimum_purchase_is_always_stated(void **state)
{
    fixture *f = *state;
    promotion *p = ten_percent(f);
    p->minimum_purchase_minor = 3000;
    message_request r = request(f, CHANNEL_PUSH, LANGUAGE_EN);
    check(f, "", &r,
          "15 % off selected products in Dairy when you spend $30.00 or more, until "
          "9 April.");
    r.channel = CHANNEL_SITE;
    check(f, "", &r,
          "15 % off selected products in Dairy when you spend $30.00 or more, until "
          "9 April");
    /* In a shop with long names the site's 90 characters are too few: the date gives way. */
    p->minimum_purchase_minor = 300000000000000;
    check(f, "", &r,
          "15 % off selected products in Dairy when you spend $3000000000000.00 or more");
}

static void a_frame_without_a_place_for_the_minimum_is_not_used(void **state)
{
    fixture *f = *state;
    promotion *p = ten_percent(f);
    frame_key key = {PROMOTION_PERCENT_OFF, CHANNEL_PUSH, LANGUAGE_EN, p->id};
    frame_words bare = {key, "bare", 1, NULL, "{discount}"};
    frame_words full = {key, "full", 1, NULL, "{discount} from {minimum}"};
    assert_int_equal(frame_set_add(f->frames, &bare, NULL), PF_OK);
    message_request r = request(f, CHANNEL_PUSH, LANGUAGE_EN);
    check(f, "", &r, "15 % off");
    p->minimum_purchase_minor = 3000;
    message m;
    pf_error err = {0};
    assert_int_equal(render(f, "", &r, &m, &err), PF_LIMIT);
    assert_non_null(strstr(err.message, "minimum purchase has no place"));
    assert_int_equal(frame_set_add(f->frames, &full, NULL), PF_OK);
    assert_int_equal(render(f, "", &r, &m, &err), PF_OK);
    assert_string_equal(m.body, "15 % off from $30.00");
    assert_int_equal(m.variant, 1);
    assert_string_equal(m.frame->id, "full");
}

static void an_email_has_a_subject_and_others_have_none(void **state)
{
    fixture *f = *state;
    promotion *p = ten_percent(f);
    p->kind = PROMOTION_BOGO;
    message_request r = request(f, CHANNEL_EMAIL, LANGUAGE_EN);
    message m;
    assert_int_equal(render(f, "Green Grocer", &r, &m, NULL), PF_OK);
    assert_string_equal(m.subject, "Buy one, get one free: selected products in Dairy");
    assert_string_equal(m.body,
                        "Hello,\n\nBuy one, get one free: selected products in Dairy, "
                        "until 9 April.\n\nBest wishes,\nGreen Grocer");
    assert_string_equal(
        message_text(&m, &f->memory),
        "Buy one, get one free: selected products in Dairy\n\nHello,\n\nBuy "
        "one, get one free: selected products in Dairy, until 9 April.\n\nBest "
        "wishes,\nGreen Grocer");
    r.channel = CHANNEL_MAIL;
    assert_int_equal(render(f, "", &r, &m, NULL), PF_OK);
    assert_string_equal(m.subject, "");
    assert_string_equal(m.body,
                        "Dear customer,\n\nBuy one, get one free: selected products in "
                        "Dairy, until 9 April.");
    assert_string_equal(message_text(&m, &f->memory), m.body);
}

static void urgency_stands_only_on_the_last_day_and_never_in_a_letter(void **state)
{
    fixture *f = *state;
    (void)ten_percent(f);
    message_request r = request(f, CHANNEL_PUSH, LANGUAGE_EN);
    r.send_at_us = ends - US_PER_HOUR;
    check(f, "", &r, "15 % off selected products in Dairy; today is the last day.");
    r.channel = CHANNEL_SITE;
    r.language = LANGUAGE_ZH;
    check(f, "", &r, "Dairy类指定商品 8.5折，今天是最后一天");
    r.channel = CHANNEL_MAIL;
    r.language = LANGUAGE_EN;
    message m;
    assert_int_equal(render(f, "", &r, &m, NULL), PF_OK);
    assert_null(strstr(m.body, "today"));
    assert_non_null(strstr(m.body, "until 9 April"));
}

static void sensitive_unscoped_and_nameless_favourites_are_passed_over(void **state)
{
    fixture *f = *state;
    promotion *p = ten_percent(f);
    uint32_t scope[] = {f->cheese, f->wine, f->nameless};
    small_shop_scope(&f->shop, p, scope, 3);
    message_request r = request(f, CHANNEL_PUSH, LANGUAGE_EN);
    uint32_t likes[] = {f->wine, f->butter, f->nameless, 0, 99999, f->cheese, f->cheese};
    r.favourites = likes;
    r.n_favourites = 7;
    check(f, "", &r, "15 % off Cheese and more, until 9 April.");
    r.n_favourites = 5;
    check(f, "", &r, "15 % off selected products, until 9 April.");
}

static void sizes_of_the_same_thing_are_named_once(void **state)
{
    fixture *f = *state;
    promotion *p = ten_percent(f);
    uint32_t small = small_shop_product(&f->shop, "HAM, 8 OZ", f->dairy);
    uint32_t large = small_shop_product(&f->shop, "HAM, 16 OZ", f->dairy);
    uint32_t smoked = small_shop_product(&f->shop, "Ham (smoked)", f->dairy);
    uint32_t scope[] = {f->cheese, small, large, smoked};
    small_shop_scope(&f->shop, p, scope, 4);
    message_request r = request(f, CHANNEL_PUSH, LANGUAGE_EN);
    uint32_t likes[] = {small, large, smoked};
    r.favourites = likes;
    r.n_favourites = 3;
    check(f, "", &r, "15 % off Ham (8 oz), Ham (smoked) and more, until 9 April.");
}

static void products_with_the_same_readable_title_are_named_once(void **state)
{
    fixture *f = *state;
    promotion *p = ten_percent(f);
    uint32_t twin = small_shop_product(&f->shop, "Cheese", f->dairy);
    uint32_t scope[] = {f->cheese, f->butter, twin};
    small_shop_scope(&f->shop, p, scope, 3);
    message_request r = request(f, CHANNEL_PUSH, LANGUAGE_EN);
    uint32_t likes[] = {f->cheese, twin};
    r.favourites = likes;
    r.n_favourites = 2;
    check(f, "", &r, "15 % off Cheese and more, until 9 April.");
}

static void
a_long_message_names_fewer_products_then_drops_parts_from_the_end(void **state)
{
    fixture *f = *state;
    promotion *p = ten_percent(f);
    uint32_t scope[4], n = 0;
    static const char *const titles[] = {
        "A cheese with a long and winding name of its own",
        "Another cheese of great renown", "A third one"};
    for (int i = 0; i < 3; i++)
        scope[n++] = small_shop_product(&f->shop, titles[i], f->dairy);
    small_shop_scope(&f->shop, p, scope, 3);
    message_request r = request(f, CHANNEL_PUSH, LANGUAGE_EN);
    r.favourites = scope;
    r.n_favourites = 3;
    check(f, "", &r,
          "15 % off A cheese with a long and winding name of its own, Another cheese "
          "of great renown and more, until 9 April.");
    r.channel = CHANNEL_SITE;
    check(f, "", &r,
          "15 % off A cheese with a long and winding name of its own and more, until "
          "9 April");
    r.channel = CHANNEL_SMS;
    r.language = LANGUAGE_ZH;
    check(f, "绿色超市绿色超市绿色超市", &r,
          "【绿色超市绿色超市绿色超市】A cheese with a long and winding name of its "
          "own等 8.5折。");
}

static void nothing_is_ever_cut_even_when_nothing_fits(void **state)
{
    fixture *f = *state;
    (void)ten_percent(f);
    static char shop[400];
    memset(shop, 'x', sizeof shop - 1);
    message_request r = request(f, CHANNEL_SMS, LANGUAGE_EN);
    check(f, shop, &r, "15 % off selected products in Dairy, until 9 April.");
    frame_key key = {PROMOTION_PERCENT_OFF, CHANNEL_SMS, LANGUAGE_EN,
                     f->shop.c.promotions[r.promotion].id};
    frame_words w = {key, "shout", 1, NULL, "{shop} {discount}"};
    assert_int_equal(frame_set_add(f->frames, &w, NULL), PF_OK);
    message m;
    pf_error err = {0};
    assert_int_equal(render(f, shop, &r, &m, &err), PF_LIMIT);
    assert_non_null(strstr(err.message, "too long"));
}

static void a_key_without_frames_is_not_found(void **state)
{
    fixture *f = *state;
    (void)ten_percent(f);
    frame_set *empty = NULL, *kept = f->frames;
    assert_int_equal(frame_set_new(&empty, NULL), PF_OK);
    f->frames = empty;
    message_request r = request(f, CHANNEL_PUSH, LANGUAGE_EN);
    message m;
    pf_error err = {0};
    assert_int_equal(render(f, "", &r, &m, &err), PF_NOT_FOUND);
    assert_string_equal(err.message, "there is no frame for percent_off by push in en");
    r.promotion = 99;
    assert_int_equal(render(f, "", &r, &m, &err), PF_NOT_FOUND);
    r.promotion = 0;
    assert_int_equal(render(f, "", &r, &m, &err), PF_NOT_FOUND);
    f->frames = kept;
    frame_set_free(empty);
}

static void the_facts_in_it_are_listed(void **state)
{
    fixture *f = *state;
    promotion *p = ten_percent(f);
    p->minimum_purchase_minor = 3000;
    message_request r = request(f, CHANNEL_SMS, LANGUAGE_EN);
    uint32_t likes[] = {f->milk, f->cheese};
    r.favourites = likes;
    r.n_favourites = 2;
    message m;
    assert_int_equal(render(f, "Green Grocer", &r, &m, NULL), PF_OK);
    uint32_t seen = 0;
    for (uint32_t i = 0; i < m.n_facts; i++) {
        seen |= 1u << m.facts[i].slot;
        assert_non_null(strstr(m.body, m.facts[i].text));
        if (m.facts[i].slot != SLOT_PRODUCTS) continue;
        assert_int_equal(m.facts[i].n_products, 2);
        assert_int_equal(m.facts[i].products[0], f->milk);
        assert_int_equal(m.facts[i].products[1], f->cheese);
    }
    assert_int_equal(seen, 1u << SLOT_PRODUCTS | 1u << SLOT_DISCOUNT |
                               1u << SLOT_MINIMUM | 1u << SLOT_ENDS | 1u << SLOT_SHOP);
}

static void every_built_in_frame_can_say_every_promotion(void **state)
{
    fixture *f = *state;
    promotion *p = ten_percent(f);
    for (int kind = 0; kind < PROMOTION_KIND_COUNT; kind++)
        for (int by = 1; by < CHANNEL_COUNT; by++)
            for (int language = 0; language < LANGUAGE_COUNT; language++)
                for (uint32_t variant = 0; variant < 2; variant++)
                    for (int full = 0; full < 2; full++) {
                        p->kind = (promotion_kind)kind;
                        p->percent_hundredths = full ? 1000 : 0;
                        p->value_minor = full ? 250 : MONEY_ABSENT;
                        p->minimum_purchase_minor = full ? 3000 : MONEY_ABSENT;
                        p->ends_us = full ? ends : TIME_ABSENT;
                        p->title = full ? "SPRING COFFEE SALE" : "";
                        message_request r =
                            request(f, (channel)by, (message_language)language);
                        message m;
                        r.variant = variant;
                        assert_int_equal(render(f, "Green Grocer", &r, &m, NULL), PF_OK);
                        assert_int_equal(m.variant, variant);
                        assert_null(strpbrk(m.body, "{}[]|@&~"));
                        assert_null(strstr(m.body, "  "));
                        if (full) assert_non_null(strstr(m.body, "$30.00"));
                        arena_reset(&f->memory);
                    }
}

static void an_informational_one_gives_its_title(void **state)
{
    fixture *f = *state;
    promotion *p = ten_percent(f);
    p->kind = PROMOTION_INFORMATIONAL;
    p->title = "NEW STORE ON MAIN STREET";
    message_request r = request(f, CHANNEL_PUSH, LANGUAGE_EN);
    check(f, "", &r, "New store on main street, until 9 April.");
    p->title = "";
    check(f, "", &r, "News for you, until 9 April.");
}

static void every_failed_allocation_is_reported(void **state)
{
    fixture *f = *state;
    (void)ten_percent(f);
    message_request r = request(f, CHANNEL_EMAIL, LANGUAGE_EN);
    uint32_t likes[] = {f->cheese, f->butter};
    r.favourites = likes;
    r.n_favourites = 2;
    fault x = {0};
    while (fault_next(&x)) {
        arena memory;
        message m;
        message_writer *w = NULL;
        message_settings settings = message_settings_default();
        arena_init(&memory, 1u << 20);
        pf_status s = message_writer_new(&w, &f->shop.c, f->frames, &settings, NULL);
        if (s == PF_OK) s = message_render(w, &r, &memory, &m, NULL);
        if (fault_reached(&x)) assert_int_equal(s, PF_NO_MEMORY);
        message_writer_free(w);
        arena_free(&memory);
    }
    assert_true(x.n > 3);
    message_writer *w = NULL;
    message_settings settings = message_settings_default();
    assert_int_equal(message_writer_new(&w, &f->shop.c, f->frames, &settings, NULL),
                     PF_OK);
    for (size_t most = 0; most < 1200; most += 16) {
        arena memory;
        message m;
        arena_init(&memory, most);
        pf_status s = message_render(w, &r, &memory, &m, NULL);
        assert_true(s == PF_OK || s == PF_NO_MEMORY);
        arena_free(&memory);
    }
    message_writer_free(w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_push_names_favourites_discount_and_end),
        TEST(without_favourites_the_scope_is_said),
        TEST(a_scope_over_categories_names_none),
        TEST(a_scope_that_is_one_sensitive_category_is_not_named),
        TEST(an_unknown_value_is_never_stated),
        TEST(the_minimum_purchase_is_always_stated),
        TEST(a_frame_without_a_place_for_the_minimum_is_not_used),
        TEST(an_email_has_a_subject_and_others_have_none),
        TEST(urgency_stands_only_on_the_last_day_and_never_in_a_letter),
        TEST(sensitive_unscoped_and_nameless_favourites_are_passed_over),
        TEST(sizes_of_the_same_thing_are_named_once),
        TEST(products_with_the_same_readable_title_are_named_once),
        TEST(a_long_message_names_fewer_products_then_drops_parts_from_the_end),
        TEST(nothing_is_ever_cut_even_when_nothing_fits),
        TEST(a_key_without_frames_is_not_found),
        TEST(the_facts_in_it_are_listed),
        TEST(every_built_in_frame_can_say_every_promotion),
        TEST(an_informational_one_gives_its_title),
        TEST(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
