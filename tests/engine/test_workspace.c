/* Protects the public C API: handles that open, fail and close cleanly; snapshots that see
 * what others imported; one currency a workspace; plain words for every verb on an empty
 * workspace; failures that leave nothing to free. */
#include "check.h"

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/progress.h"
#include "fixtures/corner_shop.h"
#include "proffer/proffer.h"

static char folder[256];
static char paths[8][512];
static arena trees;
static proffer *p;
static proffer_error err;
static char *json;

/* --- the room of a test ------------------------------------------------------------------- */

static int begin(void **state)
{
    (void)state;
    const char *temporary = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/proffer-test-api-XXXXXX",
                   temporary != NULL ? temporary : "/tmp");
    progress_set_quiet(true);
    log_set_level(LOG_ERROR);
    setenv("PROFFER_MODELS", "/nonexistent/models", 1);
    err = (proffer_error){.code = PROFFER_OK};
    json = NULL;
    arena_init(&trees, (size_t)1 << 28);
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *facts, int kind,
                      struct FTW *place)
{
    (void)facts;
    (void)kind;
    (void)place;
    return remove(path);
}

static int end(void **state)
{
    (void)state;
    proffer_close(p);
    p = NULL;
    proffer_free(json);
    json = NULL;
    arena_free(&trees);
    return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Eight valid at a time. */
static const char *in(const char *name)
{
    static unsigned next;
    char *path = paths[next++ % 8];
    (void)snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    return path;
}

static void put(const char *name, const char *words)
{
    assert_int_equal(file_write_atomic(in(name), words, strlen(words), NULL), PF_OK);
}

static void succeed(proffer_status s)
{
    if (s != PROFFER_OK)
        fail_msg("%s%s%s", err.file, err.file[0] ? ": " : "", err.message);
}

static char poison[1];

/* The status, and a message with these words. */
static void refused(proffer_status s, proffer_status expected, const char *words)
{
    if (s != expected)
        fail_msg("%s and not %s: %s", status_name((pf_status)s),
                 status_name((pf_status)expected), err.message);
    assert_int_equal(err.code, expected);
    if (strstr(err.message, words) == NULL && strstr(err.file, words) == NULL)
        fail_msg("'%s: %s' does not say '%s'", err.file, err.message, words);
    err = (proffer_error){.code = PROFFER_OK};
}

static void no_result(proffer_status s, proffer_status expected, const char *words)
{
    if (json == poison) {
        json = NULL;
        fail_msg("a verb that failed left *json as it was");
    }
    assert_null(json);
    refused(s, expected, words);
}

/* The same of a verb, which must set its result to NULL whatever it was. */
#define REFUSED(call, expected, words) (json = poison, no_result(call, expected, words))

static const json_value *read_back(void)
{
    const json_value *v = NULL;
    pf_error why = {.code = PF_OK};
    if (json_parse(&trees, json, strlen(json), &v, &why) != PF_OK)
        fail_msg("%s in %.200s", why.message, json);
    proffer_free(json);
    json = NULL;
    return v;
}

static double number_in(const json_value *v, const char *key)
{
    double number = 0;
    assert_non_null(json_member(v, key));
    assert_true(text_to_double(json_member(v, key)->text, &number));
    return number;
}

static void open_empty(void)
{
    succeed(proffer_init(in("ws"), NULL, NULL, &err));
    succeed(proffer_open(&p, in("ws"), &err));
}

static void import_file(proffer *into, const char *name, const char *table)
{
    proffer_import_options o = proffer_import_options_default();
    const char *files[] = {in(name)};
    o.files = files;
    o.n_files = 1;
    o.table = table;
    succeed(proffer_import(into, &o, &json, &err));
    (void)read_back();
}

static void open_corner(void)
{
    proffer_import_options o = proffer_import_options_default();
    assert_int_equal(mkdir(in("ws"), 0700), 0);
    (void)corner_shop_write(in("ws"));
    succeed(proffer_init(in("ws"), NULL, NULL, &err));
    succeed(proffer_open(&p, in("ws"), &err));
    o.mapping = in("ws/mapping.yaml");
    succeed(proffer_import(p, &o, &json, &err));
    assert_true(number_in(read_back(), "rejected") == 0);
}

/* --- opening and closing ------------------------------------------------------------------ */

static void what_is_not_there_cannot_be_opened(void **state)
{
    (void)state;
    p = (proffer *)&err;
    proffer_status s = proffer_open(&p, in("nowhere"), &err);
    assert_null(p);
    refused(s, PROFFER_NOT_FOUND, "proffer init");
    refused(proffer_open(&p, "", &err), PROFFER_USAGE, "empty");
    char endless[5000];
    memset(endless, 'x', sizeof endless - 1);
    endless[sizeof endless - 1] = 0;
    refused(proffer_open(&p, endless, &err), PROFFER_USAGE, "too long");
    put("file", "words");
    refused(proffer_open(&p, in("file"), &err), PROFFER_USAGE, "is a file");
    put("ws.yaml", "version: 1\n");
    assert_null(p);
    json = NULL;
    proffer_close(NULL);
    proffer_free(NULL);
}

static void a_wrong_configuration_is_told_with_its_place(void **state)
{
    (void)state;
    assert_int_equal(mkdir(in("ws"), 0700), 0);
    put("ws/proffer.yaml", "version: 1\nshop:\n  nmae: x\n");
    assert_int_equal(proffer_open(&p, in("ws"), &err), PROFFER_USAGE);
    assert_int_equal(err.line, 3);
    assert_non_null(strstr(err.file, "proffer.yaml"));
    assert_null(p);
}

static void init_fills_in_what_was_not_said_and_keeps_what_is_there(void **state)
{
    (void)state;
    open_empty();
    succeed(proffer_describe(p, &json, &err));
    const json_value *v = read_back();
    assert_true(text_is(json_member(v, "shop")->text, "My shop"));
    assert_true(text_is(json_member(v, "currency")->text, "USD"));
    proffer_close(p);
    succeed(proffer_init(in("ws"), "Other", "EUR", &err));
    succeed(proffer_open(&p, in("ws"), &err));
    succeed(proffer_describe(p, &json, &err));
    assert_true(text_is(json_member(read_back(), "shop")->text, "My shop"));
    refused(proffer_init(in("other"), "X", "XXXX", &err), PROFFER_USAGE, "ISO 4217");
    assert_string_equal(proffer_version(), "0.1.0");
}

static void an_error_may_be_left_out(void **state)
{
    (void)state;
    assert_int_equal(proffer_open(&p, in("nowhere"), NULL), PROFFER_NOT_FOUND);
    open_empty();
    proffer_train_options t = proffer_train_options_default();
    proffer_evaluate_options e = proffer_evaluate_options_default();
    proffer_decide_options d = proffer_decide_options_default();
    assert_int_equal(proffer_train(p, &t, &json, NULL), PROFFER_NOT_FOUND);
    assert_int_equal(proffer_evaluate(p, &e, &json, NULL), PROFFER_NOT_FOUND);
    assert_int_equal(proffer_decide(p, &d, &json, NULL), PROFFER_NOT_FOUND);
    assert_int_equal(proffer_search(p, "x", 1, &json, NULL), PROFFER_NOT_FOUND);
    assert_int_equal(proffer_embed(p, &json, NULL), PROFFER_UNAVAILABLE);
    assert_int_equal(proffer_report(p, NULL, &json, NULL), PROFFER_NOT_FOUND);
    assert_null(json);
}

/* --- an empty workspace -------------------------------------------------------------------- */

static void every_verb_on_an_empty_workspace_says_plainly_what_is_missing(void **state)
{
    (void)state;
    open_empty();
    proffer_train_options t = proffer_train_options_default();
    proffer_evaluate_options e = proffer_evaluate_options_default();
    proffer_decide_options d = proffer_decide_options_default();
    REFUSED(proffer_search(p, "milk", 10, &json, &err), PROFFER_NOT_FOUND,
            "no products yet");
    REFUSED(proffer_embed(p, &json, &err), PROFFER_UNAVAILABLE, "sentence encoder");
    REFUSED(proffer_train(p, &t, &json, &err), PROFFER_NOT_FOUND, "no events yet");
    REFUSED(proffer_evaluate(p, &e, &json, &err), PROFFER_NOT_FOUND, "no events yet");
    REFUSED(proffer_decide(p, &d, &json, &err), PROFFER_NOT_FOUND, "no promotions yet");
    proffer_experiment_options x = proffer_experiment_options_default();
    REFUSED(proffer_experiment(p, &x, &json, &err), PROFFER_NOT_FOUND, "no events yet");
    REFUSED(proffer_decisions(p, NULL, &json, &err), PROFFER_NOT_FOUND, "proffer decide");
    REFUSED(proffer_decisions(p, "x", &json, &err), PROFFER_NOT_FOUND, "'x'");
    REFUSED(proffer_profile(p, "s", NULL, &json, &err), PROFFER_NOT_FOUND,
            "no shoppers yet");
    REFUSED(proffer_recommend(p, "s", NULL, 5, NULL, &json, &err), PROFFER_NOT_FOUND,
            "no shoppers yet");
    REFUSED(proffer_explain(p, "s", NULL, &json, &err), PROFFER_NOT_FOUND,
            "no shoppers yet");
    REFUSED(proffer_message(p, NULL, 5, &json, &err), PROFFER_NOT_FOUND,
            "proffer decide");
    REFUSED(proffer_report(p, NULL, &json, &err), PROFFER_NOT_FOUND, "proffer evaluate");
    REFUSED(proffer_export_shopper(p, "s", &json, &err), PROFFER_NOT_FOUND,
            "no shoppers yet");
    refused(proffer_forget(p, "s", &err), PROFFER_NOT_FOUND, "'s'");
    json = NULL;
    succeed(proffer_doctor(p, &json, &err));
    const json_value *v = read_back();
    assert_true(number_in(json_member(v, "counts"), "events") == 0);
    assert_int_equal(json_member(v, "first_event")->kind, JSON_NULL);
}

/* A shop that has products and nothing else, or shoppers and nothing else. */
static void every_verb_on_half_a_shop_ends_in_order(void **state)
{
    (void)state;
    open_empty();
    proffer_decide_options d = proffer_decide_options_default();
    proffer_train_options t = proffer_train_options_default();
    put("products.csv", "id,title\np1,Milk\n");
    put("shoppers.csv", "id\ns1\n");
    put("promotions.csv", "id,title,kind,percent\nm1,Milk week,percent_off,10\n");
    put("events.csv", "type,shopper_id,product_id,time\npurchase,s1,p1,2026-01-01\n");
    import_file(p, "products.csv", "products");
    REFUSED(proffer_train(p, &t, &json, &err), PROFFER_NOT_FOUND, "no events yet");
    json = NULL;
    succeed(proffer_search(p, "milk", 5, &json, &err));
    assert_int_equal(json_member(read_back(), "products")->n, 1);
    import_file(p, "shoppers.csv", "shoppers");
    succeed(proffer_profile(p, "s1", NULL, &json, &err));
    assert_true(number_in(read_back(), "events") == 0);
    import_file(p, "promotions.csv", "promotions");
    proffer_status s = proffer_decide(p, &d, &json, &err);
    assert_true(s == PROFFER_DATA || s == PROFFER_NOT_FOUND);
    assert_true(strlen(err.message) > 20);
    import_file(p, "events.csv", "events");
    REFUSED(proffer_train(p, &t, &json, &err), PROFFER_DATA,
            "no shopper took two products");
    succeed(proffer_recommend(p, "s1", NULL, 5, NULL, &json, &err));
    (void)read_back();
}

/* --- snapshots ------------------------------------------------------------------------------ */

static void a_handle_sees_what_another_one_imported_and_forgot(void **state)
{
    (void)state;
    open_corner();
    proffer *other = NULL;
    succeed(proffer_profile(p, "s05", NULL, &json, &err));
    double before = number_in(read_back(), "events");
    put("more.csv", "event_id,type,shopper_id,product_id,time\n"
                    "n1,view,s05,p01,2026-05-31\nn2,purchase,newcomer,p01,2026-05-31\n");
    succeed(proffer_open(&other, in("ws"), &err));
    import_file(other, "more.csv", NULL);
    succeed(proffer_profile(p, "s05", NULL, &json, &err));
    assert_true(number_in(read_back(), "events") == before + 1);
    succeed(proffer_profile(p, "newcomer", NULL, &json, &err));
    (void)read_back();
    succeed(proffer_forget(other, "newcomer", &err));
    proffer_close(other);
    REFUSED(proffer_profile(p, "newcomer", NULL, &json, &err), PROFFER_NOT_FOUND,
            "newcomer");
    json = NULL;
}

static void new_products_are_found_by_an_old_handle(void **state)
{
    (void)state;
    open_corner();
    succeed(proffer_search(p, "rhubarb", 5, &json, &err));
    assert_int_equal(json_member(read_back(), "products")->n, 0);
    put("rhubarb.csv", "id,title\np99,Rhubarb compote\n");
    import_file(p, "rhubarb.csv", "products");
    succeed(proffer_search(p, "rhubarb", 5, &json, &err));
    assert_int_equal(json_member(read_back(), "products")->n, 1);
}

static void a_store_keeps_its_currency(void **state)
{
    (void)state;
    open_corner();
    proffer_close(p);
    p = NULL;
    put("ws/proffer.yaml", "shop: {currency: USD}\n");
    refused(proffer_open(&p, in("ws"), &err), PROFFER_USAGE, "amounts are in CNY");
    put("ws/proffer.yaml", "shop: {currency: CNY}\n");
    succeed(proffer_open(&p, in("ws"), &err));
    put("dollars.csv", "id,title,price,currency\np98,Dollar tea,1.00,USD\n");
    proffer_import_options o = proffer_import_options_default();
    const char *files[] = {in("dollars.csv")};
    o.files = files;
    o.n_files = 1;
    o.table = "products";
    json = NULL;
    succeed(proffer_import(p, &o, &json, &err));
    assert_true(number_in(read_back(), "rejected") == 1);
}

/* --- words that are no times, ids, limits ---------------------------------------------------- */

static void wrong_words_are_usage_errors_that_quote_them(void **state)
{
    (void)state;
    static const char *const times[] = {"yesterday", "2026-02-30", "", "12:00",
                                        "2026-13-01"};
    open_corner();
    proffer_decide_options d = proffer_decide_options_default();
    proffer_evaluate_options e = proffer_evaluate_options_default();
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        REFUSED(proffer_profile(p, "s01", times[i], &json, &err), PROFFER_USAGE,
                times[i]);
        REFUSED(proffer_recommend(p, "s01", times[i], 5, NULL, &json, &err), PROFFER_USAGE,
                times[i]);
        d.at = times[i];
        REFUSED(proffer_decide(p, &d, &json, &err), PROFFER_USAGE, times[i]);
    }
    e.test_from = "gestern";
    REFUSED(proffer_evaluate(p, &e, &json, &err), PROFFER_USAGE, "gestern");
    d = (proffer_decide_options){.budget = "12 yuan"};
    REFUSED(proffer_decide(p, &d, &json, &err), PROFFER_USAGE, "12 yuan");
    REFUSED(proffer_search(p, "", 5, &json, &err), PROFFER_USAGE, "words");
    REFUSED(proffer_search(p, "milk", 0, &json, &err), PROFFER_USAGE, "limit");
    REFUSED(proffer_search(p, "milk", 201, &json, &err), PROFFER_USAGE, "limit");
    REFUSED(proffer_recommend(p, "s01", NULL, 0, NULL, &json, &err), PROFFER_USAGE, "");
    REFUSED(proffer_message(p, NULL, 0, &json, &err), PROFFER_USAGE, "");
    REFUSED(proffer_message(p, "fr", 5, &json, &err), PROFFER_USAGE, "fr");
    proffer_sequences_options q = proffer_sequences_options_default();
    REFUSED(proffer_evaluate_sequences(&q, &json, &err), PROFFER_USAGE,
            "file of sequences");
    q.sequences = in("none.txt");
    REFUSED(proffer_evaluate_sequences(&q, &json, &err), PROFFER_NOT_FOUND, "none.txt");
    proffer_import_options o = proffer_import_options_default();
    REFUSED(proffer_import(p, &o, &json, &err), PROFFER_USAGE, "");
    json = NULL;
}

/* Each option of an experiment alone is wrong; NULL words are the default. */
static void an_experiment_that_cannot_be_asked_is_refused(void **state)
{
    (void)state;
    open_corner();
    const proffer_experiment_options good = proffer_experiment_options_default();
    proffer_experiment_options o = good;
    o.window_days = -7;
    REFUSED(proffer_experiment(p, &o, &json, &err), PROFFER_USAGE, "window of outcomes is -7");
    o = good;
    o.before_days = -1;
    REFUSED(proffer_experiment(p, &o, &json, &err), PROFFER_USAGE, "time before is -1");
    o = good;
    o.share = 1.5;
    REFUSED(proffer_experiment(p, &o, &json, &err), PROFFER_USAGE, "share of 1.5");
    o.share = -0.1;
    REFUSED(proffer_experiment(p, &o, &json, &err), PROFFER_USAGE, "share of -0.1");
    o = good;
    o.metric = "clicks";
    REFUSED(proffer_experiment(p, &o, &json, &err), PROFFER_USAGE, "'clicks'");
    o = good;
    o.looks = "any-time";
    o.planned = NAN;
    REFUSED(proffer_experiment(p, &o, &json, &err), PROFFER_USAGE, "planned beforehand");
    o = good;
    o.change = "0.05";
    o.power = 1;
    REFUSED(proffer_experiment(p, &o, &json, &err), PROFFER_USAGE, "power");
    o = good;
    o.metric = o.looks = NULL;
    REFUSED(proffer_experiment(p, &o, &json, &err), PROFFER_NOT_FOUND, "--since");
    json = NULL;
}

/* --- memory ------------------------------------------------------------------------------- */

/* Every allocation at first, then ever fewer of them: verbs make thousands. */
static bool next_fault(fault *f)
{
    if (!fault_next(f)) return false;
    f->n += f->n / 3;
    mem_fail_at(f->n);
    return true;
}

static void a_failed_allocation_opens_nothing(void **state)
{
    (void)state;
    open_corner();
    proffer_close(p);
    fault f = {0};
    for (p = NULL; next_fault(&f); p = NULL) {
        proffer_status s = proffer_open(&p, in("ws"), &err);
        bool failed = fault_reached(&f);
        assert_int_equal(p != NULL, s == PROFFER_OK);
        assert_true(failed || s == PROFFER_OK);
        proffer_close(p);
    }
    p = NULL;
    assert_true(f.n > 4);
}

typedef proffer_status verb(void);
static proffer_status do_search(void)
{
    return proffer_search(p, "牛奶 tea", 10, &json, &err);
}
static proffer_status do_profile(void)
{
    return proffer_profile(p, "s05", NULL, &json, &err);
}
static proffer_status do_export(void)
{
    return proffer_export_shopper(p, "s05", &json, &err);
}
static proffer_status do_recommend(void)
{
    return proffer_recommend(p, "s05", NULL, 5, NULL, &json, &err);
}
static proffer_status do_decide(void)
{
    proffer_decide_options d = proffer_decide_options_default();
    d.campaign = "june";
    d.dry_run = 1;
    return proffer_decide(p, &d, &json, &err);
}

static proffer_status do_experiment(void)
{
    proffer_experiment_options o = proffer_experiment_options_default();
    o.since = "2026-04-06";
    o.share = 0.3;
    return proffer_experiment(p, &o, &json, &err);
}

/* A verb that lacks memory says so, or did not need it; the handle goes on working. */
static void survive_faults(verb *run)
{
    fault f = {0};
    while (next_fault(&f)) {
        json = NULL;
        proffer_status s = run();
        bool failed = fault_reached(&f);
        if (s != PROFFER_OK && s != PROFFER_NO_MEMORY && s != PROFFER_LIMIT)
            fail_msg("allocation %llu: %s: %s", (unsigned long long)f.n,
                     status_name((pf_status)s), err.message);
        assert_true(failed || s == PROFFER_OK);
        assert_int_equal(json != NULL, s == PROFFER_OK);
        proffer_free(json);
        json = NULL;
    }
    assert_true(f.n > 10);
    succeed(run());
    proffer_free(json);
    json = NULL;
}

static void verbs_survive_failed_allocations(void **state)
{
    (void)state;
    proffer_train_options t = proffer_train_options_default();
    open_corner();
    succeed(proffer_train(p, &t, &json, &err));
    proffer_free(json);
    survive_faults(do_search);
    survive_faults(do_profile);
    survive_faults(do_export);
    survive_faults(do_recommend);
    survive_faults(do_decide);
    survive_faults(do_experiment);
}

#define ROOM(test) cmocka_unit_test_setup_teardown(test, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROOM(what_is_not_there_cannot_be_opened),
        ROOM(a_wrong_configuration_is_told_with_its_place),
        ROOM(init_fills_in_what_was_not_said_and_keeps_what_is_there),
        ROOM(an_error_may_be_left_out),
        ROOM(every_verb_on_an_empty_workspace_says_plainly_what_is_missing),
        ROOM(every_verb_on_half_a_shop_ends_in_order),
        ROOM(a_handle_sees_what_another_one_imported_and_forgot),
        ROOM(new_products_are_found_by_an_old_handle),
        ROOM(a_store_keeps_its_currency),
        ROOM(wrong_words_are_usage_errors_that_quote_them),
        ROOM(a_failed_allocation_opens_nothing),
        ROOM(an_experiment_that_cannot_be_asked_is_refused),
        ROOM(verbs_survive_failed_allocations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
