/* Protects what goes in and comes out: making a workspace, importing twice, validating
 * without loading, searching in two languages, profiles that do not know the future,
 * exports that hold everything, and forgetting that leaves nothing. */
#include "program.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "fixtures/corner_shop.h"

/* The whole file; freed with mem_free. */
static char *read_file(const char *path, size_t *n)
{
    char *bytes = NULL;
    pf_error err = {.code = PF_OK};
    if (file_read_whole(&bytes, n, path, (size_t)1 << 30, &err) != PF_OK)
        fail_msg("%s: %s", path, err.message);
    return bytes;
}

static const char *in_workspace(const char *workspace, const char *name)
{
    char path[4096];
    const char *last = strrchr(workspace, '/');
    (void)snprintf(path, sizeof path, "%s/%s", last + 1, name);
    return in_folder(path);
}

/* --- making one ------------------------------------------------------------------- */

static void init_makes_a_commented_configuration_and_an_empty_store(void **state)
{
    (void)state;
    size_t n = 0;
    const char *w = in_folder("deep/er/shop");
    const json_value *v = json_of(RUN_CODE(0, "init", w, "--shop", "Bob's \"Best\"",
                                           "--currency", "eur", "--json"));
    assert_string_equal(word_of(v, "shop"), "Bob's \"Best\"");
    assert_string_equal(word_of(v, "currency"), "EUR");
    assert_int_equal(number_of(member_of(v, "counts"), "events"), 0);
    char *yaml = read_file(in_folder("deep/er/shop/proffer.yaml"), &n);
    assert_contains(yaml, "\n  # ISO 4217");
    assert_contains(yaml, "currency: \"EUR\"");
    mem_free(yaml);
}

static void init_keeps_what_is_there(void **state)
{
    (void)state;
    size_t n = 0;
    const char *w = copy_of_corner("kept");
    char *yaml = read_file(in_workspace(w, "proffer.yaml"), &n);
    char *before = everything_in(w);
    RUN_CODE(0, "init", w, "--shop", "Another", "--currency", "USD");
    char *yaml_now = read_file(in_workspace(w, "proffer.yaml"), &n);
    char *now = everything_in(w);
    assert_string_equal(yaml_now, yaml);
    assert_string_equal(now, before);
    mem_free(yaml);
    mem_free(yaml_now);
    mem_free(before);
    mem_free(now);
}

static void init_without_a_folder_makes_this_one(void **state)
{
    (void)state;
    next_run.folder = corner_data();
    RUN_CODE(0, "doctor", "-w", corner());
    RUN_CODE(0, "init", in_folder("here"));
    next_run.folder = in_folder("here");
    RUN_CODE(0, "init", "--quiet");
    next_run.folder = in_folder("here");
    RUN_CODE(0, "doctor");
}

/* --- import ----------------------------------------------------------------------- */

static void import_counts_what_it_read(void **state)
{
    (void)state;
    const char *w = empty_workspace("counted");
    const json_value *v =
        json_of(RUN_CODE(0, "import", "--mapping", corner_mapping(), "-w", w, "--json"));
    assert_keys(
        v, "rows added changed same duplicates skipped rejected created bytes wall_s "
           "cpu_s tables");
    const json_value *tables = member_of(v, "tables");
    assert_int_equal(tables->n, 8);
    assert_string_equal(word_of(&tables->values[5], "name"), "purchases");
    assert_int_equal(number_of(&tables->values[0], "added"), CORNER_PRODUCTS);
    assert_int_equal(number_of(&tables->values[1], "added"), CORNER_SHOPPERS);
    assert_int_equal(number_of(&tables->values[2], "added"), CORNER_CAMPAIGNS);
    assert_int_equal(number_of(&tables->values[3], "added"), CORNER_PROMOTIONS);
    assert_int_equal(number_of(&tables->values[6], "added"), CORNER_MAILINGS);
    assert_int_equal(number_of(v, "rejected"), 0);
    assert_int_equal(number_of(v, "rows"), number_of(v, "added"));
    v = json_of(RUN_CODE(0, "doctor", "-w", w, "--json"));
    assert_int_equal(number_of(member_of(v, "counts"), "products"), CORNER_PRODUCTS);
    assert_int_equal(number_of(member_of(v, "events_by_type"), "exposure"),
                     CORNER_MAILINGS);
}

static void importing_twice_changes_nothing(void **state)
{
    (void)state;
    const char *w = copy_of_corner("twice");
    char *before = everything_in(w);
    const json_value *v =
        json_of(RUN_CODE(0, "import", "--mapping", corner_mapping(), "-w", w, "--json"));
    assert_int_equal(number_of(v, "added"), 0);
    assert_int_equal(number_of(v, "changed"), 0);
    assert_int_equal(number_of(v, "rejected"), 0);
    assert_int_equal(number_of(v, "same") + number_of(v, "duplicates"),
                     number_of(v, "rows"));
    char *now = everything_in(w);
    assert_string_equal(now, before);
    mem_free(before);
    mem_free(now);
}

static void files_without_a_mapping_are_read_by_their_headers(void **state)
{
    (void)state;
    const char *w = empty_workspace("guessed");
    const char *products = put("catalogue.csv", "product_id,title,category,price\n"
                                                "p1,Oat milk,Breakfast > Milk,14.50\n");
    const char *events = put(
        "events.jsonl", "{\"type\":\"purchase\",\"user_id\":\"u1\",\"sku\":\"p1\","
                        "\"timestamp\":\"2026-01-02T10:00:00Z\",\"amount\":\"14.50\"}\n");
    RUN_CODE(0, "import", products, events, "-w", w);
    const json_value *v = json_of(RUN_CODE(0, "export", "--shopper", "u1", "-w", w));
    assert_int_equal(member_of(v, "events")->n, 1);
    assert_string_equal(word_of(&member_of(v, "events")->values[0], "paid"), "14.50");
    next_run.input = in_folder("more.csv");
    (void)put("more.csv", "event_type,shopper_id,product_id,time\n"
                          "view,u1,p1,2026-01-03 10:00:00\n");
    RUN_CODE(0, "import", "-", "--table", "events", "-w", w);
    v = json_of(RUN_CODE(0, "export", "--shopper", "u1", "-w", w));
    assert_int_equal(member_of(v, "events")->n, 2);
}

static const char *broken_lines(void)
{
    return put("broken.csv", "event_id,type,shopper_id,product_id,time,paid\n"
                             "b1,purchase,s01,p01,2026-05-01 10:00:00,9.90\n"
                             "b2,purchase,s01,p01,2026-13-01 10:00:00,9.90\n"
                             "b3,purchase,s01,p01,2026-05-01 10:00:00,9.9x\n"
                             "b4,purchase,s01,nothing,2026-05-01 10:00:00,9.90\n");
}

static void rejected_rows_are_kept_with_place_and_reason_and_the_others_load(void **state)
{
    (void)state;
    size_t n = 0;
    const char *w = copy_of_corner("rejecting");
    const ran *r = RUN_CODE(0, "import", broken_lines(), "-w", w);
    assert_contains(r->out, "3 rows rejected; the first: ");
    assert_contains(r->out, "broken.csv:3:5: ");
    assert_contains(r->out, "bad_time");
    const json_value *v =
        json_of(RUN_CODE(0, "import", broken_lines(), "-w", w, "--json"));
    const json_value *t = &member_of(v, "tables")->values[0];
    assert_keys(t,
                "table name reading rows added changed same duplicates skipped rejected "
                "reasons first_reject rejects_file errors files");
    assert_int_equal(number_of(t, "duplicates"), 1);
    assert_int_equal(number_of(member_of(t, "reasons"), "bad_money"), 1);
    assert_int_equal(number_of(member_of(t, "reasons"), "unknown_product"), 1);
    char *rejects = read_file(word_of(t, "rejects_file"), &n);
    assert_contains(rejects, "b2,purchase,s01,p01,2026-13-01 10:00:00,9.90");
    mem_free(rejects);
}

static void validate_reports_the_same_and_loads_nothing(void **state)
{
    (void)state;
    const char *w = copy_of_corner("validated");
    char *before = everything_in(w);
    const ran *r = RUN_CODE(3, "validate", broken_lines(), "-w", w);
    assert_contains(r->out, "broken.csv:3:5: ");
    assert_contains(r->err, "would reject 3 of 4 rows");
    const json_value *v =
        json_of(RUN_CODE(3, "validate", broken_lines(), "-w", w, "--json"));
    assert_int_equal(number_of(v, "rejected"), 3);
    char *now = everything_in(w);
    assert_string_equal(now, before);
    const json_value *lines = &json_member(v, "tables")->values[0];
    size_t n = 0;
    char *rejects = read_file(word_of(lines, "rejects_file"), &n);
    assert_contains(rejects, "broken.csv,3,5,");
    mem_free(rejects);
    mem_free(before);
    mem_free(now);
    w = empty_workspace("validated-empty");
    v = json_of(
        RUN_CODE(0, "validate", "--mapping", corner_mapping(), "-w", w, "--json"));
    assert_int_equal(number_of(v, "rejected"), 0);
    v = json_of(RUN_CODE(0, "doctor", "-w", w, "--json"));
    assert_int_equal(number_of(member_of(v, "counts"), "products"), 0);
    assert_int_equal(number_of(member_of(v, "counts"), "events"), 0);
}

/* --- search ----------------------------------------------------------------------- */

/* The id of the best hit, "" when there is none. */
static const char *best_for(const char *query)
{
    const json_value *v = json_of(RUN_CODE(0, "search", query, "--json", "-w", corner()));
    const json_value *found = member_of(v, "products");
    assert_string_equal(word_of(v, "query"), query);
    if (found->n == 0) return "";
    assert_keys(&found->values[0],
                "id title category brand price alike score word_share cosine");
    return word_of(&found->values[0], "id");
}

static void search_finds_products_by_words_in_chinese_and_english(void **state)
{
    (void)state;
    assert_string_equal(best_for("绿茶"), "p09");
    assert_string_equal(best_for("普洱"), "p11");
    assert_string_equal(best_for("dark chocolate"), "p20");
    assert_string_equal(best_for("DARK CHOCOLATE"), "p20");
    assert_string_equal(best_for("洗洁精"), "p25");
    assert_string_equal(best_for("燕麦奶"), "p02");
    assert_string_equal(best_for("granola honey"), "p05");
    assert_string_equal(best_for("青岛"), "p38");
    assert_string_equal(best_for("screwdriver"), "");
}

static void search_gives_as_many_as_were_asked_for(void **state)
{
    (void)state;
    const json_value *v =
        json_of(RUN_CODE(0, "search", "tea", "--limit", "2", "--json", "-w", corner()));
    assert_int_equal(member_of(v, "products")->n, 2);
    v = json_of(RUN_CODE(0, "search", "tea", "--json", "-w", corner()));
    assert_true(member_of(v, "products")->n > 2);
    assert_string_equal(RUN_CODE(0, "search", "jasmine", "tea", "-w", corner())->out,
                        RUN_CODE(0, "search", "jasmine tea", "-w", corner())->out);
}

/* --- profile ---------------------------------------------------------------------- */

static void profile_shows_a_shopper_to_a_person_and_to_a_program(void **state)
{
    (void)state;
    const ran *r = RUN_CODE(0, "profile", "s05", "-w", corner());
    assert_contains(r->out, "Shopper s05 as of ");
    assert_contains(r->out, "Categories\n");
    const json_value *v =
        json_of(RUN_CODE(0, "profile", "s05", "--json", "-w", corner()));
    assert_keys(
        v, "shopper at stage events recency_days usual_gap_days trips_28d spend_28d "
           "discount_share coupon_share price_band mailed_campaigns redeemed_campaigns "
           "categories brands favourites live_promotions");
    assert_string_equal(word_of(v, "shopper"), "s05");
}

/* Events at and after the moment, of every kind, must not be seen. */
static void a_profile_as_of_a_moment_does_not_know_the_future(void **state)
{
    (void)state;
    static const char at[] = "2026-04-01T00:00:00+08:00";
    const char *w = copy_of_corner("future");
    const char *past = RUN_CODE(0, "profile", "s05", "--at", at, "--json", "-w", w)->out;
    const char *now = RUN_CODE(0, "profile", "s05", "--json", "-w", w)->out;
    const char *file =
        put("future.csv", "event_id,type,shopper_id,product_id,promotion_id,time,paid\n"
                          "f1,purchase,s05,p33,,2026-04-01T00:00:00+08:00,99.00\n"
                          "f2,purchase,s05,p33,,2026-04-02T00:00:00+08:00,99.00\n"
                          "f3,view,s05,p34,,2026-04-01T00:00:00+08:00,\n"
                          "f4,redemption,s05,,april-C,2026-04-07T00:00:00+08:00,\n"
                          "f5,unsubscribe,s05,,,2026-04-08T00:00:00+08:00,\n");
    const json_value *v = json_of(RUN_CODE(0, "import", file, "-w", w, "--json"));
    assert_int_equal(number_of(v, "added"), 5);
    assert_string_equal(RUN_CODE(0, "profile", "s05", "--at", at, "--json", "-w", w)->out,
                        past);
    assert_string_not_equal(RUN_CODE(0, "profile", "s05", "--json", "-w", w)->out, now);
    v = json_of(RUN_CODE(0, "profile", "s05", "--at", "2020-01-01", "--json", "-w", w));
    assert_int_equal(number_of(v, "events"), 0);
}

/* A date without a zone is the shop's own midnight. */
static void times_without_a_zone_are_the_shops(void **state)
{
    (void)state;
    const char *local =
        RUN_CODE(0, "profile", "s05", "--at", "2026-04-01", "--json", "-w", corner())
            ->out;
    assert_string_equal(RUN_CODE(0, "profile", "s05", "--at", "2026-03-31T16:00:00Z",
                                 "--json", "-w", corner())
                            ->out,
                        local);
    assert_string_not_equal(RUN_CODE(0, "profile", "s05", "--at", "2026-04-01T16:00:00Z",
                                     "--json", "-w", corner())
                                ->out,
                            local);
}

/* --- export ----------------------------------------------------------------------- */

/* Rows of a file whose column (0-based) is a word: a naive reader for the fixture's plain
 * files, which hold no quotes. */
static unsigned count_rows(const char *name, unsigned column, const char *word)
{
    size_t n = 0;
    char path[64];
    unsigned count = 0;
    (void)snprintf(path, sizeof path, "corner-shop/%s", name);
    char *bytes = read_file(in_folder(path), &n);
    for (char *line = strchr(bytes, '\n'); line != NULL && line[1] != 0;
         line = strchr(line + 1, '\n')) {
        const char *cell = line + 1;
        for (unsigned k = 0; k < column; k++)
            cell = strchr(cell, ',') + 1;
        count += !strncmp(cell, word, strlen(word)) && strchr(",\n", cell[strlen(word)]);
    }
    mem_free(bytes);
    return count;
}

/* Order lines of a shopper: the orders are, and then their lines. */
static unsigned count_lines_of(const char *shopper)
{
    size_t n = 0;
    char order[32], who[32];
    unsigned count = 0;
    char *bytes = read_file(in_folder("corner-shop/orders.csv"), &n);
    for (char *line = strchr(bytes, '\n'); line != NULL && line[1] != 0;
         line = strchr(line + 1, '\n')) {
        assert_int_equal(sscanf(line + 1, "%31[^,],%31[^,]", order, who), 2);
        if (!strcmp(who, shopper)) count += count_rows("order_lines.csv", 0, order);
    }
    mem_free(bytes);
    return count;
}

static void export_holds_every_event_of_a_shopper(void **state)
{
    (void)state;
    const json_value *v =
        json_of(RUN_CODE(0, "export", "--shopper", "s05", "-w", corner()));
    assert_keys(
        v, "shopper language time_zone consent_given consent_refused attributes events "
           "decisions");
    const json_value *events = member_of(v, "events");
    unsigned purchases = 0, exposures = 0, redemptions = 0;
    const char *earlier = "";
    for (size_t i = 0; i < events->n; i++) {
        const char *type = word_of(&events->values[i], "type");
        const char *when = word_of(&events->values[i], "time");
        purchases += !strcmp(type, "purchase");
        exposures += !strcmp(type, "exposure");
        redemptions += !strcmp(type, "redemption");
        assert_true(strcmp(earlier, when) <= 0);
        earlier = when;
    }
    assert_int_equal(purchases, count_lines_of("s05"));
    assert_int_equal(exposures, count_rows("mailings.csv", 0, "s05"));
    assert_int_equal(redemptions, count_rows("redemptions.csv", 0, "s05"));
    assert_true(purchases > 40 && exposures > 0 && redemptions > 0);
    assert_int_equal(events->n, purchases + exposures + redemptions);
}

static void export_gives_values_back_as_they_came(void **state)
{
    (void)state;
    const char *w = copy_of_corner("given-back");
    const char *shopper =
        put("guest.jsonl",
            "{\"id\":\"guest 7\",\"language\":\"en-GB\",\"zone\":\"Asia/Tokyo\","
            "\"consent_given\":\"sms\",\"note\":\"likes \\\"tea\\\" 茶\","
            "\"big\":12345678901234567890.5}\n");
    const char *event =
        put("guest-event.jsonl",
            "{\"id\":\"g/1\",\"type\":\"purchase\",\"shopper\":\"guest 7\","
            "\"product\":\"p09\",\"order\":\"G-1\",\"time\":"
            "\"2026-05-05T12:34:56.789012+08:00\",\"quantity\":2.5,"
            "\"paid\":\"170.01\",\"discount\":\"0.99\",\"colour\":\"绿\"}\n");
    RUN_CODE(0, "import", shopper, "--table", "shoppers", "-w", w);
    RUN_CODE(0, "import", event, "--table", "events", "-w", w);
    const ran *r = RUN_CODE(0, "export", "--shopper", "guest 7", "-w", w);
    const json_value *v = json_of(r);
    assert_string_equal(word_of(v, "time_zone"), "Asia/Tokyo");
    assert_string_equal(word_of(v, "consent_given"), "sms");
    assert_string_equal(word_of(member_of(v, "attributes"), "note"), "likes \"tea\" 茶");
    assert_string_equal(word_of(member_of(v, "attributes"), "big"),
                        "12345678901234567890.5");
    const json_value *e = &member_of(v, "events")->values[0];
    assert_string_equal(word_of(e, "id"), "g/1");
    assert_string_equal(word_of(e, "time"), "2026-05-05T04:34:56.789012Z");
    assert_string_equal(word_of(e, "quantity"), "2.5");
    assert_string_equal(word_of(e, "paid"), "170.01");
    assert_string_equal(word_of(e, "discount"), "0.99");
    assert_string_equal(word_of(member_of(e, "attributes"), "colour"), "绿");
}

/* --- forget ----------------------------------------------------------------------- */

static bool holds(const char *bytes, size_t n, const char *word)
{
    return memmem(bytes, n, word, strlen(word)) != NULL;
}

/* How many files of the workspace's own folder hold the word. */
static unsigned files_that_hold(const char *workspace, const char *word)
{
    unsigned count = 0;
    DIR *d = opendir(workspace);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        size_t n = 0;
        const char *path = in_workspace(workspace, e->d_name);
        if (file_is_folder(path)) continue;
        char *bytes = read_file(path, &n);
        count += holds(bytes, n, word);
        mem_free(bytes);
    }
    closedir(d);
    return count;
}

static const char *const traces[] = {"zebra-7731", "zebra-order", "zebra-note", "斑马",
                                     "zebra-column"};
enum { TRACES = sizeof traces / sizeof traces[0] };

static const char *workspace_with_zebra(const char *name)
{
    const char *w = copy_of_corner(name);
    const char *shopper = put("zebra.jsonl", "{\"id\":\"zebra-7731\",\"language\":\"zh\","
                                             "\"note\":\"zebra-note 斑马\"}\n");
    const char *events =
        put("zebra.csv",
            "event_id,type,shopper_id,product_id,order_id,time,paid,extra\n"
            "z1,purchase,zebra-7731,p01,zebra-order,2026-05-01,9.90,zebra-column\n"
            "z2,purchase,zebra-7731,p09,zebra-order,2026-05-01,68.00,"
            "zebra-column\n"
            "z3,view,zebra-7731,p10,,2026-05-02,,\n");
    RUN_CODE(0, "import", shopper, "--table", "shoppers", "-w", w);
    RUN_CODE(0, "import", events, "-w", w);
    return w;
}

static void forget_leaves_no_trace_in_any_file_of_the_workspace(void **state)
{
    (void)state;
    const char *w = workspace_with_zebra("forgetting");
    char *before = everything_in(w);
    for (size_t i = 0; i < TRACES; i++)
        if (files_that_hold(w, traces[i]) == 0)
            fail_msg("'%s' cannot be found even before it is forgotten", traces[i]);
    RUN_CODE(2, "forget", "zebra-7731", "-w", w);
    RUN_CODE(0, "export", "--shopper", "zebra-7731", "-w", w);
    const ran *r = RUN_CODE(0, "forget", "zebra-7731", "--yes", "-w", w);
    assert_string_equal(r->out, "");
    assert_contains(r->err, "zebra-7731 is forgotten");
    for (size_t i = 0; i < TRACES; i++)
        if (files_that_hold(w, traces[i]) != 0)
            fail_msg("'%s' is still there after forgetting", traces[i]);
    RUN_CODE(4, "export", "--shopper", "zebra-7731", "-w", w);
    RUN_CODE(4, "profile", "zebra-7731", "-w", w);
    RUN_CODE(4, "forget", "zebra-7731", "--yes", "-w", w);
    char *now = everything_in(w);
    size_t head = strcspn(before, "\n"); /* the counts differ, the others' data do not */
    assert_string_equal(strchr(now, '\n'), before + head);
    mem_free(before);
    mem_free(now);
}

static void old_files_do_not_bring_forgotten_events_back(void **state)
{
    (void)state;
    const char *w = workspace_with_zebra("not-again");
    RUN_CODE(0, "forget", "zebra-7731", "--yes", "-w", w);
    const json_value *v =
        json_of(RUN_CODE(0, "import", in_folder("zebra.csv"), "-w", w, "--json"));
    assert_int_equal(number_of(v, "added"), 0);
    RUN_CODE(4, "export", "--shopper", "zebra-7731", "-w", w);
    assert_int_equal(files_that_hold(w, "zebra-order"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init_makes_a_commented_configuration_and_an_empty_store),
        cmocka_unit_test(init_keeps_what_is_there),
        cmocka_unit_test(init_without_a_folder_makes_this_one),
        cmocka_unit_test(import_counts_what_it_read),
        cmocka_unit_test(importing_twice_changes_nothing),
        cmocka_unit_test(files_without_a_mapping_are_read_by_their_headers),
        cmocka_unit_test(
            rejected_rows_are_kept_with_place_and_reason_and_the_others_load),
        cmocka_unit_test(validate_reports_the_same_and_loads_nothing),
        cmocka_unit_test(search_finds_products_by_words_in_chinese_and_english),
        cmocka_unit_test(search_gives_as_many_as_were_asked_for),
        cmocka_unit_test(profile_shows_a_shopper_to_a_person_and_to_a_program),
        cmocka_unit_test(a_profile_as_of_a_moment_does_not_know_the_future),
        cmocka_unit_test(times_without_a_zone_are_the_shops),
        cmocka_unit_test(export_holds_every_event_of_a_shopper),
        cmocka_unit_test(export_gives_values_back_as_they_came),
        cmocka_unit_test(forget_leaves_no_trace_in_any_file_of_the_workspace),
        cmocka_unit_test(old_files_do_not_bring_forgotten_events_back),
    };
    return cmocka_run_group_tests(tests, program_begin, program_end);
}
