/*
 * Loading the catalogue: numbers, tables of ids, the category tree, scopes.
 */
#include "store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

static void put_product(fixture *f, const char *id, const char *in, const char *by)
{
    store_outcome outcome;
    const product_record r = {.id = text_of(id),
                              .category = text_of(in),
                              .brand = text_of(by),
                              .price_minor = MONEY_ABSENT};
    must(store_put_product(f->s, &r, &outcome, &f->err));
}

static void put_promotion(fixture *f, const char *id, const char *in, const char *by)
{
    store_outcome outcome;
    const promotion_record r = {.id = text_of(id),
                                .scope_categories = text_of(in),
                                .scope_brands = text_of(by),
                                .value_minor = MONEY_ABSENT,
                                .minimum_purchase_minor = MONEY_ABSENT,
                                .starts_us = TIME_ABSENT,
                                .ends_us = TIME_ABSENT,
                                .budget_minor = MONEY_ABSENT,
                                .contact_cost_minor = MONEY_ABSENT};
    must(store_put_promotion(f->s, &r, &outcome, &f->err));
}

static void put_scope(fixture *f, const char *in, const char *what)
{
    store_outcome outcome;
    const scope_record r = {text_of(in), text_of(what)};
    must(store_put_scope(f->s, &r, &outcome, &f->err));
    assert_int_equal(outcome, STORE_ADDED);
}

static shop_catalogue *commit_and_load(fixture *f)
{
    shop_catalogue *c;
    must(store_commit(f->s, &f->err));
    must(store_load_catalogue(f->s, &c, &f->err));
    return c;
}

static void an_empty_store_gives_an_empty_catalogue(void **state)
{
    fixture *f = *state;
    shop_catalogue *c;
    must(store_load_catalogue(f->s, &c, &f->err));
    assert_int_equal(c->n_products + c->n_promotions + c->n_shoppers + c->n_campaigns, 0);
    assert_int_equal(c->n_categories + c->n_brands, 0);
    assert_string_equal(c->products[0].id, "");
    assert_string_equal(c->categories[0].path, "");
    assert_string_equal(c->brands[0], "");
    assert_int_equal(c->n_tags, 0);
    assert_string_equal(c->tags[0], "");
    assert_string_equal(c->shoppers[0].zone, "");
    assert_string_equal(c->promotions[0].title, "");
    assert_string_equal(c->campaigns[0].kind, "");
    assert_string_equal(c->currency.code, "");
    catalogue_free(c);
}

static void ids_lead_to_numbers_and_back(void **state)
{
    fixture *f = *state;
    char id[16];
    must(store_begin(f->s, &f->err));
    for (int i = 0; i < 300; i++) {
        snprintf(id, sizeof id, "p-%d", i * 7);
        put_product(f, id, "", "");
    }
    shop_catalogue *c = commit_and_load(f);
    assert_int_equal(c->n_products, 300);
    for (uint32_t i = 1; i <= 300; i++) {
        const char *own = c->products[i].id;
        snprintf(id, sizeof id, "p-%u", (i - 1) * 7);
        assert_string_equal(own, id);
        assert_int_equal(intern_find(c->product_ids, own, strlen(own)), i);
    }
    assert_int_equal(intern_find(c->product_ids, "p-1", 3), 0);
    catalogue_free(c);
}

static void what_is_not_given_is_empty_or_absent_and_never_null(void **state)
{
    fixture *f = *state;
    store_outcome outcome;
    const shopper_record s = {.id = t("anna")};
    must(store_begin(f->s, &f->err));
    put_product(f, "milk", "", "");
    put_promotion(f, "o1", "", "");
    must(store_put_shopper(f->s, &s, &outcome, &f->err));
    shop_catalogue *c = commit_and_load(f);
    const product *p = &c->products[1];
    const promotion *o = &c->promotions[1];
    assert_string_equal(p->title, "");
    assert_string_equal(p->description, "");
    assert_string_equal(p->image, "");
    assert_string_equal(p->attributes, "");
    assert_true(p->price_minor == MONEY_ABSENT);
    assert_int_equal(p->category + p->brand, 0);
    assert_string_equal(o->title, "");
    assert_string_equal(o->body, "");
    assert_string_equal(o->audience, "");
    assert_true(o->starts_us == TIME_ABSENT && o->ends_us == TIME_ABSENT);
    assert_true(o->budget_minor == MONEY_ABSENT && o->contact_cost_minor == MONEY_ABSENT);
    assert_int_equal(o->n_scope + o->campaign + o->channels, 0);
    assert_string_equal(c->shoppers[1].language, "");
    catalogue_free(c);
}

static void the_currency_is_that_of_the_settings(void **state)
{
    fixture *f = *state;
    must(store_begin(f->s, &f->err));
    must(store_set_setting(f->s, "currency", "JPY", &f->err));
    shop_catalogue *c = commit_and_load(f);
    assert_string_equal(c->currency.code, "JPY");
    assert_int_equal(c->currency.exponent, 0);
    catalogue_free(c);
    must(store_begin(f->s, &f->err));
    must(store_set_setting(f->s, "currency", "XYQ", &f->err));
    must(store_commit(f->s, &f->err));
    assert_int_equal(store_load_catalogue(f->s, &c, &f->err), PF_DATA);
    assert_null(c);
}

static void a_promotion_takes_the_dates_of_its_campaign(void **state)
{
    fixture *f = *state;
    store_outcome outcome;
    const campaign_record in = {.id = t("c"), .starts_us = 100, .ends_us = TIME_ABSENT};
    promotion_record r = {.id = t("own"),
                          .campaign = t("c"),
                          .starts_us = 5,
                          .ends_us = 6,
                          .value_minor = MONEY_ABSENT,
                          .minimum_purchase_minor = MONEY_ABSENT,
                          .budget_minor = MONEY_ABSENT,
                          .contact_cost_minor = MONEY_ABSENT};
    must(store_begin(f->s, &f->err));
    must(store_put_campaign(f->s, &in, &outcome, &f->err));
    must(store_put_promotion(f->s, &r, &outcome, &f->err));
    r.id = t("its");
    r.starts_us = TIME_ABSENT;
    must(store_put_promotion(f->s, &r, &outcome, &f->err));
    r.id = t("open");
    r.ends_us = TIME_ABSENT;
    must(store_put_promotion(f->s, &r, &outcome, &f->err));
    shop_catalogue *c = commit_and_load(f);
    assert_int_equal(c->promotions[1].starts_us, 5);
    assert_int_equal(c->promotions[2].starts_us, 100);
    assert_int_equal(c->promotions[2].ends_us, 6);
    assert_int_equal(c->promotions[3].starts_us, 100);
    assert_true(c->promotions[3].ends_us == TIME_ABSENT);
    assert_int_equal(c->promotions[3].campaign, 1);
    catalogue_free(c);
}

/* --- tags ----------------------------------------------------------------------------- */

static void put_tagged(fixture *f, const char *id, const char *tags)
{
    store_outcome outcome;
    const promotion_record r = {.id = text_of(id),
                                .tags = text_of(tags),
                                .value_minor = MONEY_ABSENT,
                                .minimum_purchase_minor = MONEY_ABSENT,
                                .starts_us = TIME_ABSENT,
                                .ends_us = TIME_ABSENT,
                                .budget_minor = MONEY_ABSENT,
                                .contact_cost_minor = MONEY_ABSENT};
    must(store_put_promotion(f->s, &r, &outcome, &f->err));
}

static void promotions_share_the_numbers_of_their_tags(void **state)
{
    fixture *f = *state;
    must(store_begin(f->s, &f->err));
    put_tagged(f, "a", "tea|sale");
    put_tagged(f, "b", "");
    put_tagged(f, "c", "sale|coffee");
    put_tagged(f, "d", "coffee|tea|sale|new");
    shop_catalogue *c = commit_and_load(f);
    assert_int_equal(c->n_tags, 4);
    static const char *const has[5][4] = {
        {0}, {"sale", "tea"}, {0}, {"coffee", "sale"}, {"coffee", "new", "sale", "tea"}};
    static const uint32_t counts[] = {0, 2, 0, 2, 4};
    for (uint32_t i = 0; i <= c->n_promotions; i++) {
        const promotion *p = &c->promotions[i];
        assert_int_equal(p->n_tag, counts[i]);
        for (uint32_t k = 0; k < counts[i]; k++) {
            assert_true(promotion_has_tag(p, catalogue_find_tag(c, has[i][k])));
            assert_true(k == 0 || p->tag[k] > p->tag[k - 1]);
        }
    }
    catalogue_free(c);
}

static void tags_that_cannot_be_are_damage(void **state)
{
    fixture *f = *state;
    shop_catalogue *c;
    must(store_begin(f->s, &f->err));
    put_tagged(f, "a", "tea");
    catalogue_free(commit_and_load(f));
    fixture_sql(f, "UPDATE promotions SET tags = hex(zeroblob(200))");
    assert_int_equal(store_load_catalogue(f->s, &c, &f->err), PF_DATA);
    assert_null(c);
    assert_non_null(strstr(f->err.message, "promotion 'a'"));
}

/* --- categories ----------------------------------------------------------------------- */

static void a_path_is_a_chain_of_categories(void **state)
{
    fixture *f = *state;
    must(store_begin(f->s, &f->err));
    put_product(f, "1", "GROCERY > CHEESE > SOFT", "");
    put_product(f, "2", "GROCERY", "");
    put_product(f, "3", "GROCERY > BREAD", "");
    put_product(f, "4", " GROCERY > CHEESE > SOFT ", "");
    put_product(f, "5", "GROCERY>CHEESE", ""); /* no separator in it */
    shop_catalogue *c = commit_and_load(f);
    assert_int_equal(c->n_categories, 5);
    const category *soft = &c->categories[c->products[1].category];
    assert_string_equal(soft->path, "GROCERY > CHEESE > SOFT");
    assert_string_equal(soft->name, "SOFT");
    assert_int_equal(soft->depth, 3);
    const category *cheese = &c->categories[soft->parent];
    assert_string_equal(cheese->path, "GROCERY > CHEESE");
    assert_string_equal(cheese->name, "CHEESE");
    const category *grocery = &c->categories[cheese->parent];
    assert_string_equal(grocery->name, "GROCERY");
    assert_int_equal(grocery->depth, 1);
    assert_int_equal(grocery->parent, 0);
    assert_int_equal(c->products[2].category, cheese->parent);
    assert_int_equal(c->categories[c->products[3].category].parent, cheese->parent);
    assert_int_equal(c->products[4].category, c->products[1].category);
    assert_int_equal(c->categories[c->products[5].category].depth, 1);
    for (uint32_t i = 1; i <= c->n_categories; i++)
        assert_true(c->categories[i].parent < i);
    catalogue_free(c);
}

static void odd_paths_are_read_without_harm(void **state)
{
    fixture *f = *state;
    static const char *const paths[] = {" > ",  ">",    " > > ",    "A >  > B",
                                        " > A", "A > ", "A > B > ", "   "};
    char id[8];
    must(store_begin(f->s, &f->err));
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        snprintf(id, sizeof id, "%zu", i);
        put_product(f, id, paths[i], "");
    }
    shop_catalogue *c = commit_and_load(f);
    for (uint32_t i = 1; i <= c->n_categories; i++) {
        assert_true(c->categories[i].parent < i);
        assert_int_equal(c->categories[i].depth,
                         c->categories[c->categories[i].parent].depth + 1);
        assert_true(strlen(c->categories[i].path) > 0);
    }
    assert_int_equal(c->products[8].category, 0);
    catalogue_free(c);
}

/* --- scopes --------------------------------------------------------------------------- */

static void a_scope_is_the_union_of_what_it_names(void **state)
{
    fixture *f = *state;
    must(store_begin(f->s, &f->err));
    put_product(f, "soft", "GROCERY > CHEESE > SOFT", "Farm");
    put_product(f, "hard", "GROCERY > CHEESE", "Alp");
    put_product(f, "bread", "GROCERY > BREAD", "Farm");
    put_product(f, "soap", "DRUG", "Clean");
    put_promotion(f, "all", "", "");
    put_promotion(f, "cheese", "GROCERY > CHEESE", "");
    put_promotion(f, "grocery", "GROCERY", "");
    put_promotion(f, "farm", "", " Farm ");
    put_promotion(f, "both", "DRUG | GROCERY > BREAD", "Alp|Farm");
    put_promotion(f, "one", "", "");
    put_promotion(f, "mixed", "DRUG", "");
    put_scope(f, "one", "hard");
    put_scope(f, "mixed", "hard");
    put_scope(f, "mixed", "soap");
    shop_catalogue *c = commit_and_load(f);
    static const char *const expected[] = {"1111", "1100", "1110", "1010",
                                           "1111", "0100", "0101"};
    for (uint32_t i = 1; i <= 7; i++)
        for (uint32_t p = 1; p <= 4; p++)
            assert_int_equal(promotion_covers(&c->promotions[i], p),
                             expected[i - 1][p - 1] == '1');
    assert_int_equal(c->promotions[1].n_scope, 0);
    assert_int_equal(c->promotions[5].n_scope, 4);
    catalogue_free(c);
}

/* A name that leads nowhere must not turn into "everything". */
static void a_scope_that_leads_nowhere_covers_nothing(void **state)
{
    fixture *f = *state;
    must(store_begin(f->s, &f->err));
    put_product(f, "soft", "GROCERY > CHEESE", "Farm");
    put_promotion(f, "o1", "GROCERY > WINE", "");
    put_promotion(f, "o2", "", "Nobody");
    put_promotion(f, "o3", "CHEESE", ""); /* a name is no path */
    put_promotion(f, "o4", "|", " | ");   /* names nothing */
    shop_catalogue *c = commit_and_load(f);
    for (uint32_t i = 1; i <= 3; i++) {
        assert_int_equal(c->promotions[i].n_scope, 1);
        assert_int_equal(c->promotions[i].scope[0], 0);
        assert_false(promotion_covers(&c->promotions[i], 1));
    }
    assert_true(promotion_covers(&c->promotions[4], 1));
    catalogue_free(c);
}

/* Random trees and scopes against looking at every product. */
static void any_scope_is_what_looking_at_every_product_gives(void **state)
{
    fixture *f = *state;
    enum { PRODUCTS = 120, PROMOTIONS = 60 };
    static char paths[PRODUCTS][40], lists[PROMOTIONS][100], brands[PRODUCTS][8];
    static bool pair[PROMOTIONS][PRODUCTS];
    random_stream r = random_begin(3, 9);
    char id[16], other[16];
    memset(pair, 0, sizeof pair);
    must(store_begin(f->s, &f->err));
    for (uint32_t p = 0; p < PRODUCTS; p++) {
        size_t at = 0;
        for (uint32_t depth = random_below(&r, 4); depth > 0; depth--)
            at += (size_t)snprintf(paths[p] + at, sizeof paths[p] - at, "%s%c",
                                   at > 0 ? " > " : "", 'A' + (int)random_below(&r, 3));
        snprintf(brands[p], sizeof brands[p], "B%u", random_below(&r, 9));
        snprintf(id, sizeof id, "p%u", p);
        put_product(f, id, paths[p], brands[p]);
    }
    for (uint32_t o = 0; o < PROMOTIONS; o++) {
        size_t at = 0;
        for (uint32_t k = random_below(&r, 3); k > 0; k--)
            at += (size_t)snprintf(lists[o] + at, sizeof lists[o] - at, "%s|",
                                   paths[random_below(&r, PRODUCTS)]);
        snprintf(id, sizeof id, "o%u", o);
        put_promotion(f, id, lists[o], o % 4 == 0 ? brands[o] : "");
        for (uint32_t k = random_below(&r, 4); k > 0; k--) {
            uint32_t p = random_below(&r, PRODUCTS);
            snprintf(other, sizeof other, "p%u", p);
            if (!pair[o][p]) put_scope(f, id, other);
            pair[o][p] = true;
        }
    }
    shop_catalogue *c = commit_and_load(f);
    for (uint32_t o = 0; o < PROMOTIONS; o++) {
        bool named = o % 4 == 0;
        for (uint32_t p = 0; p < PRODUCTS; p++)
            named |= pair[o][p];
        for (const char *s = lists[o]; *s; s++)
            named |= *s != '|';
        for (uint32_t p = 0; p < PRODUCTS; p++) {
            bool covered =
                pair[o][p] || (o % 4 == 0 && strcmp(brands[p], brands[o]) == 0);
            char list[100], *rest = list, *name;
            memcpy(list, lists[o], sizeof list);
            while ((name = strsep(&rest, "|")) != NULL) {
                size_t n = strlen(name);
                covered |= n > 0 && strncmp(paths[p], name, n) == 0 &&
                           (paths[p][n] == '\0' || strncmp(paths[p] + n, " > ", 3) == 0);
            }
            assert_int_equal(promotion_covers(&c->promotions[o + 1], p + 1),
                             covered || !named);
        }
    }
    catalogue_free(c);
}

static void a_catalogue_is_of_one_moment(void **state)
{
    fixture *f = *state;
    store *reader;
    shop_catalogue *c;
    must(store_open(&reader, f->path, STORE_READ_ONLY, &f->err));
    must(store_read_begin(reader, &f->err));
    must(store_begin(f->s, &f->err));
    put_product(f, "late", "", "");
    must(store_commit(f->s, &f->err));
    must(store_load_catalogue(reader, &c, &f->err));
    assert_int_equal(c->n_products, 0);
    catalogue_free(c);
    store_read_end(reader);
    must(store_load_catalogue(reader, &c, &f->err));
    assert_int_equal(c->n_products, 1);
    catalogue_free(c);
    store_close(reader);
}

static void any_allocation_of_loading_may_fail(void **state)
{
    fixture *f = *state;
    shop_catalogue *c;
    fault x = {0};
    must(store_begin(f->s, &f->err));
    put_product(f, "soft", "GROCERY > CHEESE > SOFT", "Farm");
    put_promotion(f, "o1", "GROCERY", "Farm");
    put_promotion(f, "o2", "NOWHERE", "");
    put_tagged(f, "o3", "sale|tea");
    put_scope(f, "o1", "soft");
    must(store_commit(f->s, &f->err));
    while (fault_next(&x)) {
        pf_status status = store_load_catalogue(f->s, &c, &f->err);
        if (fault_reached(&x)) {
            assert_int_equal(status, PF_NO_MEMORY);
            assert_null(c);
        } else {
            assert_int_equal(status, PF_OK);
            assert_int_equal(c->n_categories, 3);
        }
        catalogue_free(c);
    }
    assert_true(x.n > 15);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_empty_store_gives_an_empty_catalogue),
        TEST(ids_lead_to_numbers_and_back),
        TEST(what_is_not_given_is_empty_or_absent_and_never_null),
        TEST(the_currency_is_that_of_the_settings),
        TEST(a_promotion_takes_the_dates_of_its_campaign),
        TEST(promotions_share_the_numbers_of_their_tags),
        TEST(tags_that_cannot_be_are_damage),
        TEST(a_path_is_a_chain_of_categories),
        TEST(odd_paths_are_read_without_harm),
        TEST(a_scope_is_the_union_of_what_it_names),
        TEST(a_scope_that_leads_nowhere_covers_nothing),
        TEST(any_scope_is_what_looking_at_every_product_gives),
        TEST(a_catalogue_is_of_one_moment),
        TEST(any_allocation_of_loading_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
