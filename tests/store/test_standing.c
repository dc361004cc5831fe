/*
 * Upserts of products, shoppers, campaigns, promotions and scope: what is given is kept,
 * what is not given stays, and the outcome says what happened.
 */
#include "store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/random.h"

static const product_record nothing_of_a_product = {.price_minor = MONEY_ABSENT};

static promotion_record promotion_without(const char *id)
{
    return (promotion_record){.id = text_of(id),
                              .value_minor = MONEY_ABSENT,
                              .minimum_purchase_minor = MONEY_ABSENT,
                              .starts_us = TIME_ABSENT,
                              .ends_us = TIME_ABSENT,
                              .budget_minor = MONEY_ABSENT,
                              .contact_cost_minor = MONEY_ABSENT};
}

static store_outcome put_product(fixture *f, const product_record *r)
{
    store_outcome outcome;
    must(store_begin(f->s, &f->err));
    must(store_put_product(f->s, r, &outcome, &f->err));
    must(store_commit(f->s, &f->err));
    return outcome;
}

static store_outcome put_shopper(fixture *f, const shopper_record *r)
{
    store_outcome outcome;
    must(store_begin(f->s, &f->err));
    must(store_put_shopper(f->s, r, &outcome, &f->err));
    must(store_commit(f->s, &f->err));
    return outcome;
}

static store_outcome put_campaign(fixture *f, const campaign_record *r)
{
    store_outcome outcome;
    must(store_begin(f->s, &f->err));
    must(store_put_campaign(f->s, r, &outcome, &f->err));
    must(store_commit(f->s, &f->err));
    return outcome;
}

static store_outcome put_promotion(fixture *f, const promotion_record *r)
{
    store_outcome outcome;
    must(store_begin(f->s, &f->err));
    must(store_put_promotion(f->s, r, &outcome, &f->err));
    must(store_commit(f->s, &f->err));
    return outcome;
}

static store_outcome put_scope(fixture *f, const char *in, const char *what)
{
    store_outcome outcome;
    const scope_record r = {text_of(in), text_of(what)};
    must(store_begin(f->s, &f->err));
    must(store_put_scope(f->s, &r, &outcome, &f->err));
    must(store_commit(f->s, &f->err));
    return outcome;
}

static shop_catalogue *load(fixture *f)
{
    shop_catalogue *c;
    must(store_load_catalogue(f->s, &c, &f->err));
    return c;
}

/* --- products ------------------------------------------------------------------------- */

static void a_product_is_added_kept_and_changed(void **state)
{
    fixture *f = *state;
    product_record r = {t("milk"), t("Milk"), t("Whole milk"), t("DAIRY > MILK"),
                        t("Farm"), 199,       t("milk.jpg"),   t("{\"fat\":3.5}")};
    assert_int_equal(put_product(f, &r), STORE_ADDED);
    assert_int_equal(put_product(f, &r), STORE_SAME);
    r.price_minor = 209;
    assert_int_equal(put_product(f, &r), STORE_CHANGED);
    shop_catalogue *c = load(f);
    const product *p = &c->products[1];
    assert_int_equal(c->n_products, 1);
    assert_string_equal(p->id, "milk");
    assert_string_equal(p->title, "Milk");
    assert_string_equal(p->description, "Whole milk");
    assert_string_equal(c->categories[p->category].path, "DAIRY > MILK");
    assert_string_equal(c->brands[p->brand], "Farm");
    assert_int_equal(p->price_minor, 209);
    assert_string_equal(p->image, "milk.jpg");
    assert_string_equal(p->attributes, "{\"fat\":3.5}");
    catalogue_free(c);
}

static void fields_not_given_keep_what_was_there(void **state)
{
    fixture *f = *state;
    product_record r = {t("milk"), t("Milk"), t("d"), t("c"),
                        t("b"),    199,       t("i"), t("{}")};
    product_record bare = nothing_of_a_product;
    bare.id = t("milk");
    put_product(f, &r);
    assert_int_equal(put_product(f, &bare), STORE_SAME);
    bare.title = t("New");
    assert_int_equal(put_product(f, &bare), STORE_CHANGED);
    shop_catalogue *c = load(f);
    assert_string_equal(c->products[1].title, "New");
    assert_string_equal(c->products[1].description, "d");
    assert_string_equal(c->products[1].attributes, "{}");
    assert_int_equal(c->products[1].price_minor, 199);
    catalogue_free(c);
}

/* Each field alone is noticed and kept, for every table. */
static void a_change_of_any_field_of_a_product_is_noticed(void **state)
{
    fixture *f = *state;
    product_record r = nothing_of_a_product;
    text *const texts[] = {&r.title, &r.description, &r.category,
                           &r.brand, &r.image,       &r.attributes};
    r.id = t("p");
    put_product(f, &r);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i] = t("one");
        assert_int_equal(put_product(f, &r), STORE_CHANGED);
        *texts[i] = t("two");
        assert_int_equal(put_product(f, &r), STORE_CHANGED);
        assert_int_equal(put_product(f, &r), STORE_SAME);
    }
    r.price_minor = 0;
    assert_int_equal(put_product(f, &r), STORE_CHANGED);
    r.price_minor = -5;
    assert_int_equal(put_product(f, &r), STORE_CHANGED);
    assert_int_equal(put_product(f, &r), STORE_SAME);
}

static void a_product_needs_an_id_that_fits(void **state)
{
    fixture *f = *state;
    static char wide[LIMIT_TEXT_BYTES + 1];
    store_outcome outcome;
    product_record r = nothing_of_a_product;
    memset(wide, 'x', sizeof wide);
    must(store_begin(f->s, &f->err));
    assert_int_equal(store_put_product(f->s, &r, &outcome, &f->err), PF_DATA);
    r.id = (text){wide, LIMIT_ID_BYTES + 1};
    assert_int_equal(store_put_product(f->s, &r, &outcome, &f->err), PF_LIMIT);
    r.id.n = LIMIT_ID_BYTES;
    must(store_put_product(f->s, &r, &outcome, &f->err));
    r.id = t("p");
    r.description = (text){wide, sizeof wide};
    assert_int_equal(store_put_product(f->s, &r, &outcome, &f->err), PF_LIMIT);
    assert_non_null(strstr(f->err.message, "description"));
    assert_non_null(strstr(f->err.message, "'p'"));
    r.description.n--;
    must(store_put_product(f->s, &r, &outcome, &f->err));
    r.title = (text){wide, LIMIT_TITLE_BYTES + 1};
    assert_int_equal(store_put_product(f->s, &r, &outcome, &f->err), PF_LIMIT);
    must(store_commit(f->s, &f->err)); /* such a record spoils nothing */
}

static void ids_are_bytes_and_differ_by_case_and_space(void **state)
{
    fixture *f = *state;
    static const char *const ids[] = {"a", "A", "a ", "ä", "a\xcc\x88", "1", "01", "1.0"};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        product_record r = nothing_of_a_product;
        r.id = text_of(ids[i]);
        assert_int_equal(put_product(f, &r), STORE_ADDED);
    }
}

/* --- shoppers ------------------------------------------------------------------------- */

static void a_shopper_is_added_kept_and_changed(void **state)
{
    fixture *f = *state;
    shopper_record r = {.id = t("anna"),
                        .language = t("zh-CN"),
                        .zone = t("Asia/Shanghai"),
                        .attributes = t("{\"age\":\"25-34\"}")};
    assert_int_equal(put_shopper(f, &r), STORE_ADDED);
    assert_int_equal(put_shopper(f, &r), STORE_SAME);
    r.language = t("en");
    assert_int_equal(put_shopper(f, &r), STORE_CHANGED);
    r.zone = t("UTC");
    assert_int_equal(put_shopper(f, &r), STORE_CHANGED);
    r.attributes = t("{}");
    assert_int_equal(put_shopper(f, &r), STORE_CHANGED);
    shop_catalogue *c = load(f);
    assert_true(c->shoppers[1].exists);
    assert_string_equal(c->shoppers[1].language, "en");
    assert_string_equal(c->shoppers[1].zone, "UTC");
    assert_string_equal(c->shoppers[1].attributes, "{}");
    catalogue_free(c);
}

/* The last word on each channel counts; refused wins over given in the same breath. */
static void consent_is_what_was_said_last(void **state)
{
    fixture *f = *state;
    random_stream r = random_begin(4, 4);
    channel_set given = 0, refused = 0;
    shopper_record bare = {.id = t("anna")};
    put_shopper(f, &bare);
    for (int i = 0; i < 60; i++) {
        shopper_record s = {.id = t("anna"),
                            .consent_given = random_u32(&r) & random_u32(&r) & 126,
                            .consent_refused = random_u32(&r) & random_u32(&r) & 126};
        channel_set was_given = given, was_refused = refused;
        for (int ch = 1; ch < CHANNEL_COUNT; ch++) {
            channel_set bit = 1u << ch;
            if (s.consent_refused & bit) {
                refused |= bit;
                given &= ~bit;
            } else if (s.consent_given & bit) {
                given |= bit;
                refused &= ~bit;
            }
        }
        bool same = given == was_given && refused == was_refused;
        assert_int_equal(put_shopper(f, &s), same ? STORE_SAME : STORE_CHANGED);
        shop_catalogue *c = load(f);
        assert_int_equal(c->shoppers[1].consent_given, given);
        assert_int_equal(c->shoppers[1].consent_refused, refused);
        catalogue_free(c);
    }
}

static void consent_of_a_new_shopper_is_sorted_out_too(void **state)
{
    fixture *f = *state;
    const shopper_record r = {.id = t("anna"), .consent_given = 6, .consent_refused = 4};
    put_shopper(f, &r);
    shop_catalogue *c = load(f);
    assert_int_equal(c->shoppers[1].consent_given, 2);
    assert_int_equal(c->shoppers[1].consent_refused, 4);
    catalogue_free(c);
    assert_int_equal(put_shopper(f, &r), STORE_SAME);
}

/* --- campaigns and promotions --------------------------------------------------------- */

static void a_campaign_is_added_kept_and_changed(void **state)
{
    fixture *f = *state;
    campaign_record r = {t("c1"), t("Spring"), t("A"), 100, 200, t("{\"k\":1}")};
    const campaign_record bare = {
        .id = t("c1"), .starts_us = TIME_ABSENT, .ends_us = TIME_ABSENT};
    assert_int_equal(put_campaign(f, &r), STORE_ADDED);
    assert_int_equal(put_campaign(f, &r), STORE_SAME);
    assert_int_equal(put_campaign(f, &bare), STORE_SAME);
    r.ends_us = 300;
    assert_int_equal(put_campaign(f, &r), STORE_CHANGED);
    r.starts_us = 0;
    assert_int_equal(put_campaign(f, &r), STORE_CHANGED);
    r.kind = t("B");
    assert_int_equal(put_campaign(f, &r), STORE_CHANGED);
    shop_catalogue *c = load(f);
    assert_string_equal(c->campaigns[1].title, "Spring");
    assert_string_equal(c->campaigns[1].kind, "B");
    assert_int_equal(c->campaigns[1].starts_us, 0);
    assert_int_equal(c->campaigns[1].ends_us, 300);
    assert_string_equal(c->campaigns[1].attributes, "{\"k\":1}");
    catalogue_free(c);
}

static void every_field_of_a_promotion_is_kept(void **state)
{
    fixture *f = *state;
    const campaign_record in = {.id = t("c1"), .starts_us = 5, .ends_us = 6};
    const promotion_record r = {.id = t("o1"),
                                .campaign = t("c1"),
                                .title = t("Ten off"),
                                .body = t("Ten percent off all milk"),
                                .kind = PROMOTION_PERCENT_OFF,
                                .percent_hundredths = 1000,
                                .value_minor = 50,
                                .minimum_purchase_minor = 2000,
                                .starts_us = 10,
                                .ends_us = 20,
                                .budget_minor = 100000,
                                .shopper_limit = 1,
                                .redemption_limit = 500,
                                .channels = 6,
                                .stacking_group = t("g"),
                                .contact_cost_minor = 3,
                                .scope_categories = t("DAIRY"),
                                .scope_brands = t("Farm"),
                                .audience = t("age = 25-34"),
                                .attributes = t("{\"x\":1}"),
                                .tags = t("coffee|sale")};
    put_campaign(f, &in);
    assert_int_equal(put_promotion(f, &r), STORE_ADDED);
    const promotion_record bare = promotion_without("o1");
    assert_int_equal(put_promotion(f, &bare), STORE_SAME);
    shop_catalogue *c = load(f);
    const promotion *p = &c->promotions[1];
    assert_string_equal(p->id, "o1");
    assert_string_equal(c->campaigns[p->campaign].id, "c1");
    assert_string_equal(p->title, "Ten off");
    assert_string_equal(p->body, "Ten percent off all milk");
    assert_int_equal(p->kind, PROMOTION_PERCENT_OFF);
    assert_int_equal(p->percent_hundredths, 1000);
    assert_int_equal(p->value_minor, 50);
    assert_int_equal(p->minimum_purchase_minor, 2000);
    assert_int_equal(p->starts_us, 10);
    assert_int_equal(p->ends_us, 20);
    assert_int_equal(p->budget_minor, 100000);
    assert_int_equal(p->shopper_limit, 1);
    assert_int_equal(p->redemption_limit, 500);
    assert_int_equal(p->channels, 6);
    assert_string_equal(p->stacking_group, "g");
    assert_int_equal(p->contact_cost_minor, 3);
    assert_string_equal(p->audience, "age = 25-34");
    assert_int_equal(p->n_tag, 2);
    assert_string_equal(c->tags[p->tag[0]], "coffee");
    assert_string_equal(c->tags[p->tag[1]], "sale");
    assert_string_equal(p->attributes, "{\"x\":1}");
    catalogue_free(c);
}

static void a_change_of_any_field_of_a_promotion_is_noticed(void **state)
{
    fixture *f = *state;
    const campaign_record in = {.id = t("c1"), .starts_us = 5, .ends_us = 6};
    promotion_record r = promotion_without("o1");
    text *const texts[] = {
        &r.title,      &r.body,     &r.stacking_group,   &r.scope_brands, &r.audience,
        &r.attributes, &r.campaign, &r.scope_categories, &r.tags};
    int64_t *const amounts[] = {&r.value_minor,  &r.minimum_purchase_minor,
                                &r.starts_us,    &r.ends_us,
                                &r.budget_minor, &r.contact_cost_minor};
    uint32_t *const counts[] = {&r.shopper_limit, &r.redemption_limit, &r.channels};
    put_campaign(f, &in);
    put_promotion(f, &r);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        *texts[i] = t("c1");
        assert_int_equal(put_promotion(f, &r), STORE_CHANGED);
    }
    for (size_t i = 0; i < sizeof amounts / sizeof amounts[0]; i++) {
        *amounts[i] = 0;
        assert_int_equal(put_promotion(f, &r), STORE_CHANGED);
        assert_int_equal(put_promotion(f, &r), STORE_SAME);
    }
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        *counts[i] = 2;
        assert_int_equal(put_promotion(f, &r), STORE_CHANGED);
        assert_int_equal(put_promotion(f, &r), STORE_SAME);
    }
    r.kind = PROMOTION_BOGO;
    assert_int_equal(put_promotion(f, &r), STORE_CHANGED);
    r.percent_hundredths = -1;
    assert_int_equal(put_promotion(f, &r), STORE_CHANGED);
    assert_int_equal(put_promotion(f, &r), STORE_SAME);
}

static void the_order_of_tags_makes_no_other_promotion(void **state)
{
    fixture *f = *state;
    promotion_record r = promotion_without("o1");
    r.tags = t("coffee|sale");
    assert_int_equal(put_promotion(f, &r), STORE_ADDED);
    r.tags = t(" sale |coffee||sale");
    assert_int_equal(put_promotion(f, &r), STORE_SAME);
    r.tags = t(" | "); /* no tag: not given */
    assert_int_equal(put_promotion(f, &r), STORE_SAME);
    r.tags = t("sale");
    assert_int_equal(put_promotion(f, &r), STORE_CHANGED);
    shop_catalogue *c = load(f);
    assert_int_equal(c->n_tags, 1);
    assert_int_equal(c->promotions[1].n_tag, 1);
    catalogue_free(c);
}

static void tags_that_are_too_long_or_too_many_are_not_taken(void **state)
{
    fixture *f = *state;
    char words[4 * LIMIT_PROMOTION_TAGS + 80] = "";
    size_t n = 0;
    store_outcome outcome;
    promotion_record r = promotion_without("o1");
    must(store_begin(f->s, &f->err));
    memset(words, 'x', LIMIT_TAG_BYTES + 1);
    r.tags = (text){words, LIMIT_TAG_BYTES + 1};
    assert_int_equal(store_put_promotion(f->s, &r, &outcome, &f->err), PF_LIMIT);
    assert_non_null(strstr(f->err.message, "a tag of promotion 'o1' is longer than 64"));
    for (unsigned i = 0; i <= LIMIT_PROMOTION_TAGS; i++)
        n += (size_t)snprintf(words + n, sizeof words - n, "|t%u", i);
    r.tags = (text){words, n};
    assert_int_equal(store_put_promotion(f->s, &r, &outcome, &f->err), PF_LIMIT);
    assert_non_null(strstr(f->err.message, "'o1' has more than 32 tags"));
    must(store_commit(f->s, &f->err)); /* the transaction goes on without it */
    shop_catalogue *c = load(f);
    assert_int_equal(c->n_promotions, 0);
    catalogue_free(c);
}

static void a_promotion_of_an_unknown_campaign_is_not_taken(void **state)
{
    fixture *f = *state;
    promotion_record r = promotion_without("o1");
    r.campaign = t("nowhere");
    assert_int_equal(put_promotion(f, &r), STORE_UNKNOWN_CAMPAIGN);
    shop_catalogue *c = load(f);
    assert_int_equal(c->n_promotions, 0);
    catalogue_free(c);
}

static void scope_pairs_are_added_once_and_lead_somewhere(void **state)
{
    fixture *f = *state;
    const promotion_record o = promotion_without("o1");
    product_record p = nothing_of_a_product;
    p.id = t("milk");
    put_promotion(f, &o);
    put_product(f, &p);
    assert_int_equal(put_scope(f, "o2", "milk"), STORE_UNKNOWN_PROMOTION);
    assert_int_equal(put_scope(f, "o1", "mulk"), STORE_UNKNOWN_PRODUCT);
    assert_int_equal(put_scope(f, "o2", "mulk"), STORE_UNKNOWN_PROMOTION);
    assert_int_equal(put_scope(f, "o1", "milk"), STORE_ADDED);
    assert_int_equal(put_scope(f, "o1", "milk"), STORE_SAME);
    store_counts counts;
    must(store_count(f->s, &counts, &f->err));
    assert_int_equal(counts.scope_rows, 1);
    assert_int_equal(counts.promotions, 1);
}

/* --- the fingerprint ------------------------------------------------------------------ */

static fingerprint print_of(fixture *f)
{
    fingerprint p;
    must(store_data_fingerprint(f->s, &p, &f->err));
    return p;
}

static bool same_print(fingerprint a, fingerprint b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void the_fingerprint_follows_every_change(void **state)
{
    fixture *f = *state;
    fingerprint seen[6];
    product_record p = nothing_of_a_product;
    const shopper_record s = {.id = t("milk")};
    const campaign_record c = {
        .id = t("milk"), .starts_us = TIME_ABSENT, .ends_us = TIME_ABSENT};
    promotion_record o = promotion_without("milk");
    p.id = t("milk");
    seen[0] = print_of(f);
    put_product(f, &p);
    seen[1] = print_of(f);
    put_shopper(f, &s);
    seen[2] = print_of(f);
    put_campaign(f, &c);
    seen[3] = print_of(f);
    put_promotion(f, &o);
    seen[4] = print_of(f);
    put_scope(f, "milk", "milk");
    seen[5] = print_of(f);
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < i; k++)
            assert_false(same_print(seen[i], seen[k]));
    put_product(f, &p);
    put_scope(f, "milk", "milk");
    assert_true(same_print(print_of(f), seen[5]));
    o.tags = t("sale");
    put_promotion(f, &o);
    assert_false(same_print(print_of(f), seen[5]));
    seen[5] = print_of(f);
    p.price_minor = 1;
    put_product(f, &p);
    assert_false(same_print(print_of(f), seen[5]));
    must(store_begin(f->s, &f->err));
    must(store_set_setting(f->s, "x", "y", &f->err));
    fingerprint before = print_of(f);
    must(store_commit(f->s, &f->err));
    assert_true(same_print(print_of(f), before));
}

/* The same rows in another order, in other steps, through other values on the way. */
static void the_fingerprint_is_of_the_data_and_not_of_the_way(void **state)
{
    fixture *f = *state;
    product_record a = nothing_of_a_product, b = nothing_of_a_product;
    a.id = t("a");
    a.title = t("A");
    b.id = t("b");
    b.price_minor = 7;
    put_product(f, &a);
    put_product(f, &b);
    fingerprint one = print_of(f);
    fixture_renew(f);
    a.title = t("first");
    put_product(f, &b);
    put_product(f, &a);
    assert_false(same_print(print_of(f), one));
    a.title = t("A");
    put_product(f, &a);
    assert_true(same_print(print_of(f), one));
}

static void a_change_rolled_back_leaves_the_fingerprint(void **state)
{
    fixture *f = *state;
    store_outcome outcome;
    product_record p = nothing_of_a_product;
    p.id = t("milk");
    fingerprint before = print_of(f);
    must(store_begin(f->s, &f->err));
    must(store_put_product(f->s, &p, &outcome, &f->err));
    assert_false(same_print(print_of(f), before)); /* seen from inside */
    store_rollback(f->s);
    assert_true(same_print(print_of(f), before));
    assert_int_equal(put_product(f, &p), STORE_ADDED);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_product_is_added_kept_and_changed),
        TEST(fields_not_given_keep_what_was_there),
        TEST(a_change_of_any_field_of_a_product_is_noticed),
        TEST(a_product_needs_an_id_that_fits),
        TEST(ids_are_bytes_and_differ_by_case_and_space),
        TEST(a_shopper_is_added_kept_and_changed),
        TEST(consent_is_what_was_said_last),
        TEST(consent_of_a_new_shopper_is_sorted_out_too),
        TEST(a_campaign_is_added_kept_and_changed),
        TEST(every_field_of_a_promotion_is_kept),
        TEST(a_change_of_any_field_of_a_promotion_is_noticed),
        TEST(the_order_of_tags_makes_no_other_promotion),
        TEST(tags_that_are_too_long_or_too_many_are_not_taken),
        TEST(a_promotion_of_an_unknown_campaign_is_not_taken),
        TEST(scope_pairs_are_added_once_and_lead_somewhere),
        TEST(the_fingerprint_follows_every_change),
        TEST(the_fingerprint_is_of_the_data_and_not_of_the_way),
        TEST(a_change_rolled_back_leaves_the_fingerprint),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
