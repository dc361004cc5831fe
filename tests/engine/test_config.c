/* Protects: what proffer.yaml may say, what it means, and how wrong files are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/memory.h"
#include "engine/config.h"
#include "shop/record.h"

static config *parse_good(const char *yaml)
{
    config *c = NULL;
    pf_error err = {.code = PF_OK};
    if (config_parse(&c, yaml, strlen(yaml), "test.yaml", &err) != PF_OK)
        fail_msg("%s:%llu: %s", err.file, (unsigned long long)err.line, err.message);
    return c;
}

static void refuse(const char *yaml, const char *words)
{
    config *c = NULL;
    pf_error err = {.code = PF_OK};
    assert_int_equal(config_parse(&c, yaml, strlen(yaml), "test.yaml", &err), PF_USAGE);
    assert_null(c);
    if (strstr(err.message, words) == NULL)
        fail_msg("'%s' does not say '%s'", err.message, words);
}

static void a_file_with_only_a_version_has_every_default(void **state)
{
    (void)state;
    config *c = parse_good("version: 1\n");
    assert_string_equal(c->shop_name, "My shop");
    assert_string_equal(c->currency.code, "USD");
    assert_string_equal(c->shop_time_zone, "UTC");
    assert_true(c->margin_rate == 0.25);
    assert_true(c->holdout == 0.1);
    assert_true(c->campaign_holdout == 0);
    assert_int_equal(c->budget_minor, MONEY_ABSENT);
    assert_int_equal(c->per_shopper, 1);
    assert_int_equal(c->store_wait_s, 30);
    assert_false(c->contact_unasked);
    assert_int_equal(c->n_channels, 1);
    assert_int_equal(c->channels[0].channel, CHANNEL_EMAIL);
    config_free(c);
}

static void amounts_are_minor_units_of_the_shops_currency(void **state)
{
    (void)state;
    config *c = parse_good("shop: {currency: JPY}\ndecide: {budget: 5000}\n");
    assert_int_equal(c->budget_minor, 5000);
    config_free(c);
    c = parse_good("shop: {currency: EUR}\ndecide: {budget: 5000.5, unknown_value: median}\n");
    assert_int_equal(c->budget_minor, 500050);
    assert_int_equal(c->unknown_value_minor, MONEY_ABSENT);
    config_free(c);
}

static void channels_carry_cost_and_weekly_cap(void **state)
{
    (void)state;
    config *c = parse_good("decide:\n  channels:\n    - {channel: sms, cost: 0.07, per_week: 1}\n"
                           "    - {channel: mail, cost: 0.45}\n");
    assert_int_equal(c->n_channels, 2);
    assert_int_equal(c->channels[0].channel, CHANNEL_SMS);
    assert_int_equal(c->channels[0].cost_minor, 7);
    assert_int_equal(c->channels[0].per_week, 1);
    assert_int_equal(c->channels[1].cost_minor, 45);
    assert_int_equal(c->channels[1].per_week, 0);
    config_free(c);
}

static void channels_and_tags_carry_their_own_limits(void **state)
{
    (void)state;
    config *c = parse_good("decide:\n  channels:\n"
                           "    - {channel: push, per_day: 1, per_month: 9, budget: 12.50, "
                           "messages: 400}\n    - {channel: email}\n"
                           "  tags: [{tag: sale, per_week: 1}, {tag: new in, per_day: 2, "
                           "per_month: 5}]\n");
    assert_int_equal(c->channels[0].per_day, 1);
    assert_int_equal(c->channels[0].per_week, 0);
    assert_int_equal(c->channels[0].per_month, 9);
    assert_int_equal(c->channels[0].budget_minor, 1250);
    assert_int_equal(c->channels[0].messages, 400);
    assert_int_equal(c->channels[1].budget_minor, MONEY_ABSENT);
    assert_int_equal(c->channels[1].messages, 0);
    assert_int_equal(c->n_tags, 2);
    assert_string_equal(c->tags[0].tag, "sale");
    assert_int_equal(c->tags[0].per_week, 1);
    assert_string_equal(c->tags[1].tag, "new in");
    assert_int_equal(c->tags[1].per_day, 2);
    assert_int_equal(c->tags[1].per_month, 5);
    config_free(c);
}

static void times_of_day_are_minutes(void **state)
{
    (void)state;
    config *c = parse_good("decide: {quiet_from: \"21:30\", quiet_to: \"08:05\"}\n");
    assert_int_equal(c->quiet_from_minute, 21 * 60 + 30);
    assert_int_equal(c->quiet_to_minute, 8 * 60 + 5);
    config_free(c);
    c = parse_good("decide: {quiet_from: \"00:00\", quiet_to: \"23:59\"}\n");
    assert_int_equal(c->quiet_from_minute, 0);
    assert_int_equal(c->quiet_to_minute, 23 * 60 + 59);
    config_free(c);
    c = parse_good("version: 1\n"); /* none: equal, which is no time at all */
    assert_int_equal(c->quiet_from_minute, c->quiet_to_minute);
    config_free(c);
}

static void what_is_not_known_for_sure_has_its_settings(void **state)
{
    (void)state;
    config *c = parse_good("version: 1\n");
    assert_string_equal(c->explore, "none");
    assert_string_equal(c->gain, "auto");
    assert_string_equal(c->fatigue, "auto");
    assert_int_equal(c->shopper_worth_minor, MONEY_ABSENT);
    assert_int_equal(c->draws, 64);
    assert_int_equal(c->explore_temperature_minor, 100);
    assert_false(c->hard_budgets);
    config_free(c);
    c = parse_good("decide: {explore: softmax, explore_temperature: 0.25, explore_floor: 0.02, "
                   "explore_salt: s-2, draws: 4096, hard_budgets: yes, largest_discount: 20, "
                   "gain: uplift, metric: redemptions, worth: 1.5, messages: 1000000, "
                   "send_within_h: 48}\n");
    assert_string_equal(c->explore, "softmax");
    assert_int_equal(c->explore_temperature_minor, 25);
    assert_true(c->explore_floor == 0.02);
    assert_string_equal(c->explore_salt, "s-2");
    assert_int_equal(c->draws, 4096);
    assert_true(c->hard_budgets);
    assert_int_equal(c->largest_discount_minor, 2000);
    assert_string_equal(c->gain, "uplift");
    assert_string_equal(c->metric, "redemptions");
    assert_int_equal(c->worth_minor, 150);
    assert_int_equal(c->messages, 1000000);
    assert_int_equal(c->send_within_h, 48);
    config_free(c);
}

static void settings_that_cannot_be_meant_are_refused(void **state)
{
    (void)state;
    refuse("decide: {draws: 48}\n", "decide.draws: 48 is no power of two such as 64");
    refuse("decide: {draws: 0}\n", "whole number between 1 and 4096");
    refuse("decide: {draws: 8192}\n", "whole number between 1 and 4096");
    refuse("decide: {quiet_from: \"21:00\"}\n", "need both, quiet_from and quiet_to");
    refuse("decide: {quiet_to: \"08:00\"}\n", "need both, quiet_from and quiet_to");
    static const char *const no_times[] = {"24:00", "12:60", "9:00", "21", "noon", "21:0a",
                                           "021:00"};
    for (size_t i = 0; i < sizeof no_times / sizeof no_times[0]; i++) {
        char yaml[96];
        (void)snprintf(yaml, sizeof yaml, "decide: {quiet_from: \"%s\", quiet_to: \"08:00\"}\n",
                       no_times[i]);
        refuse(yaml, "is no time of day like 21:00");
    }
    refuse("decide: {explore: thomson}\n", "none of: none thompson greedy softmax");
    refuse("decide: {explore_floor: 0.11}\n", "between 0 and 0.1");
    refuse("decide: {explore_epsilon: 1.1}\n", "between 0 and 1");
    refuse("decide: {gain: lift}\n", "none of: auto uplift response");
    refuse("decide: {metric: profit}\n", "none of: margin revenue redemptions");
    refuse("decide: {worth: -1}\n", "negative");
    refuse("decide: {shopper_worth: much}\n", "decide.shopper_worth");
    refuse("decide: {send_within_h: 169}\n", "between 0 and 168");
    refuse("decide: {hard_budgets: maybe}\n", "neither yes nor no");
    refuse("decide: {tags: [{tag: sale}]}\n", "'sale' has no cap");
    refuse("decide: {tags: [{per_week: 1}]}\n", "names no tag");
    refuse("decide: {tags: [{tag: sale, per_week: 1001}]}\n", "whole number from 0 to 1000");
    refuse("decide: {tags: [{tag: sale, per_year: 1}]}\n", "per_year");
    refuse("decide: {channels: [{channel: sms, messages: 1.5}]}\n", "messages");
    refuse("decide: {channels: [{channel: sms, budget: -1}]}\n", "negative");
}

static void lists_of_categories_keep_their_order(void **state)
{
    (void)state;
    config *c = parse_good("recommend: {exclude: [FUEL, COUPON]}\nmessage: {sensitive: [WINE]}\n");
    assert_int_equal(c->n_exclude_categories, 2);
    assert_string_equal(c->exclude_categories[1], "COUPON");
    assert_int_equal(c->n_sensitive_categories, 1);
    config_free(c);
}

static void wrong_values_name_their_key_and_what_would_be_right(void **state)
{
    (void)state;
    refuse("decide: {margin_rate: 1.5}\n", "decide.margin_rate: '1.5' is no number between");
    refuse("decide: {margin_rate: lots}\n", "decide.margin_rate");
    refuse("decide: {holdout: -0.1}\n", "decide.holdout");
    refuse("decide: {campaign_holdout: 1}\n", "decide.campaign_holdout");
    refuse("decide: {per_shopper: 0}\n", "whole number");
    refuse("decide: {per_shopper: 1.5}\n", "whole number");
    refuse("decide: {budget: -5}\n", "negative");
    refuse("decide: {budget: 1.234}\n", "decide.budget");
    refuse("decide: {contact_unasked: perhaps}\n", "neither yes nor no");
    refuse("decide:\n  channels:\n    - {channel: pigeon}\n", "pigeon");
    refuse("decide:\n  channels:\n    - {channel: sms, per_week: many}\n", "per_week");
    refuse("decide:\n  channels:\n    - {channel: sms, cost: 1}\n    - {channel: sms}\n",
           "sms is there twice");
    refuse("shop: {language: fr}\n", "none of: en zh");
    refuse("store: {wait_s: 3601}\n", "store.wait_s: '3601' is no whole number between 0");
    refuse("shop: {currency: QQQ}\n", "ISO 4217");
    refuse("shop: {time_zone: Mars/Olympus}\n", "shop.time_zone");
    refuse("recommend: {repeats: sometimes}\n", "none of: auto allow mask");
    refuse("evaluate: {test_from: 2017-13-01}\n", "evaluate.test_from");
    refuse("evaluate: {test_from: 2017-08-01T10:00:00Z}\n", "no date");
    refuse("version: 2\n", "version");
}

static void unknown_keys_and_broken_yaml_are_refused_with_their_place(void **state)
{
    (void)state;
    refuse("decide: {margin_rat: 0.2}\n", "margin_rat");
    refuse("colour: blue\n", "colour");
    refuse("shop: 'unfinished\n", "");
    refuse("- a\n- b\n", "");
    refuse("", "empty");
    pf_error err = {.code = PF_OK};
    config *c = NULL;
    const char yaml[] = "version: 1\nshop:\n  name: x\n  nmae: y\n";
    assert_int_equal(config_parse(&c, yaml, strlen(yaml), "f.yaml", &err), PF_USAGE);
    assert_int_equal(err.line, 4);
    assert_string_equal(err.file, "f.yaml");
}

static void the_environment_goes_over_the_file(void **state)
{
    (void)state;
    char folder[] = "/tmp/proffer-config-XXXXXX";
    char path[64];
    config *c = NULL;
    pf_error err = {.code = PF_OK};
    assert_non_null(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/proffer.yaml", folder);
    assert_int_equal(file_write_atomic(path, "decide: {holdout: 0.3}\n", 23, &err), PF_OK);
    setenv("PROFFER_DECIDE_HOLDOUT", "0.2", 1);
    assert_int_equal(config_load(&c, folder, &err), PF_OK);
    unsetenv("PROFFER_DECIDE_HOLDOUT");
    assert_true(c->holdout == 0.2);
    config_free(c);
    setenv("PROFFER_DECIDE_HOLDOUT", "all", 1);
    assert_int_equal(config_load(&c, folder, &err), PF_USAGE);
    unsetenv("PROFFER_DECIDE_HOLDOUT");
    assert_int_equal(config_load(&c, folder, &err), PF_OK);
    assert_true(c->holdout == 0.3);
    config_free(c);
    remove(path);
    remove(folder);
}

static void a_folder_without_the_file_says_how_to_make_one(void **state)
{
    (void)state;
    config *c = NULL;
    pf_error err = {.code = PF_OK};
    assert_int_equal(config_load(&c, "/tmp/no-such-workspace", &err), PF_NOT_FOUND);
    assert_non_null(strstr(err.message, "proffer init"));
}

static void the_written_default_file_reads_back_as_the_defaults(void **state)
{
    (void)state;
    char *yaml = NULL;
    pf_error err = {.code = PF_OK};
    assert_int_equal(config_default_text("Bob's \"Best\" \\ Shop", "EUR", &yaml, &err), PF_OK);
    config *c = parse_good(yaml);
    assert_string_equal(c->shop_name, "Bob's \"Best\" \\ Shop");
    assert_string_equal(c->currency.code, "EUR");
    assert_true(c->margin_rate == 0.25);
    assert_int_equal(c->channels[0].per_week, 2);
    config_free(c);
    mem_free(yaml);
}

static void every_key_stands_in_the_documentation_and_in_the_written_file(void **state)
{
    (void)state;
    char *docs = NULL, *yaml = NULL;
    size_t n = 0;
    config_key k;
    pf_error err = {.code = PF_OK};
    assert_int_equal(file_read_whole(&docs, &n, PROFFER_SOURCE_DIR "/docs/configuration.md",
                                     1 << 20, &err), PF_OK);
    assert_int_equal(config_default_text("x", "USD", &yaml, &err), PF_OK);
    uint32_t count = 0;
    for (; config_describe_key(count, &k); count++) {
        char quoted[80], written[80];
        (void)snprintf(quoted, sizeof quoted, "`%s`", k.path);
        (void)snprintf(written, sizeof written, "  %s: ", strchr(k.path, '.') + 1);
        if (strstr(docs, quoted) == NULL)
            fail_msg("docs/configuration.md does not name %s", k.path);
        if (strstr(yaml, written) == NULL)
            fail_msg("the default file does not hold %s", k.path);
    }
    assert_true(count > 20);
    mem_free(docs);
    mem_free(yaml);
}

static void every_failed_allocation_is_told_and_leaks_nothing(void **state)
{
    (void)state;
    const char yaml[] = "shop: {name: x, currency: EUR}\nrecommend: {exclude: [A, B]}\n"
                        "decide:\n  channels:\n    - {channel: sms, cost: 1}\n"
                        "  tags: [{tag: sale, per_week: 1}]\n";
    uint64_t n = 1;
    for (;; n++) {
        config *c = NULL;
        pf_error err = {.code = PF_OK};
        mem_fail_at(n);
        pf_status s = config_parse(&c, yaml, strlen(yaml), "t", &err);
        mem_fail_at(0);
        if (s == PF_OK) {
            config_free(c);
            break;
        }
        assert_null(c);
        assert_true(s == PF_NO_MEMORY || s == PF_USAGE);
        assert_true(n < 10000);
    }
    assert_true(n > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_with_only_a_version_has_every_default),
        cmocka_unit_test(amounts_are_minor_units_of_the_shops_currency),
        cmocka_unit_test(channels_carry_cost_and_weekly_cap),
        cmocka_unit_test(channels_and_tags_carry_their_own_limits),
        cmocka_unit_test(times_of_day_are_minutes),
        cmocka_unit_test(what_is_not_known_for_sure_has_its_settings),
        cmocka_unit_test(settings_that_cannot_be_meant_are_refused),
        cmocka_unit_test(lists_of_categories_keep_their_order),
        cmocka_unit_test(wrong_values_name_their_key_and_what_would_be_right),
        cmocka_unit_test(unknown_keys_and_broken_yaml_are_refused_with_their_place),
        cmocka_unit_test(the_environment_goes_over_the_file),
        cmocka_unit_test(a_folder_without_the_file_says_how_to_make_one),
        cmocka_unit_test(the_written_default_file_reads_back_as_the_defaults),
        cmocka_unit_test(every_key_stands_in_the_documentation_and_in_the_written_file),
        cmocka_unit_test(every_failed_allocation_is_told_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
