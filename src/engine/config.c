/*
 * Reading proffer.yaml. libcyaml fills a raw struct in which every leaf is text; one table
 * then gives each leaf its kind, default and range. The same table serves the environment
 * and the documentation, so the three cannot disagree.
 */
#include "engine/config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/yaml.h"
#include "decide/policy.h"
#include "shop/record.h"

typedef struct raw_channel {
    char *channel, *cost, *budget, *messages, *per_day, *per_week, *per_month;
} raw_channel;

typedef struct raw_tag {
    char *tag, *per_day, *per_week, *per_month;
} raw_tag;

typedef struct raw_shop {
    char *name, *currency, *time_zone, *language;
} raw_shop;
typedef struct raw_store {
    char *wait_s;
} raw_store;
typedef struct raw_language {
    char *encoder, *models, *url, *model, *key_variable;
} raw_language;
typedef struct raw_recommend {
    char *repeats, *training, *exclude_uncategorised;
    char **exclude;
    uint32_t exclude_count;
} raw_recommend;
typedef struct raw_response {
    char *learner;
} raw_response;
typedef struct raw_evaluate {
    char *test_from, *bootstrap;
} raw_evaluate;
typedef struct raw_decide {
    char *margin_rate, *budget, *promotion_budget, *unknown_value, *per_shopper, *holdout;
    char *holdout_salt, *campaign_holdout, *contact_unasked;
    char *gain, *metric, *worth, *hard_budgets, *largest_discount, *messages;
    char *per_day, *per_week, *per_month, *quiet_from, *quiet_to, *send_within_h;
    char *fatigue, *shopper_worth, *draws;
    char *explore, *explore_floor, *explore_epsilon, *explore_temperature, *explore_salt;
    raw_channel *channels;
    uint32_t channels_count;
    raw_tag *tags;
    uint32_t tags_count;
} raw_decide;
typedef struct raw_message {
    char *frames;
    char **sensitive;
    uint32_t sensitive_count;
} raw_message;

typedef struct raw_config {
    char *version;
    raw_shop shop;
    raw_store store;
    raw_language language;
    raw_recommend recommend;
    raw_response response;
    raw_evaluate evaluate;
    raw_decide decide;
    raw_message message;
} raw_config;

/* --- the schema ------------------------------------------------------------------- */

#define TEXT(key, structure, member)                                                     \
    CYAML_FIELD_STRING_PTR(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, structure,     \
                           member, 0, CYAML_UNLIMITED)

static const cyaml_schema_value_t text_value = {
    CYAML_VALUE_STRING(CYAML_FLAG_POINTER, char *, 0, CYAML_UNLIMITED)};

#define TEXTS(key, structure, member)                                                    \
    CYAML_FIELD_SEQUENCE(key, CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, structure,       \
                         member, &text_value, 0, 1000)

#define PART(key, structure, member, fields)                                             \
    CYAML_FIELD_MAPPING(key, CYAML_FLAG_OPTIONAL, structure, member, fields)

static const cyaml_schema_field_t channel_fields[] = {
    TEXT("channel", raw_channel, channel),
    TEXT("cost", raw_channel, cost),
    TEXT("budget", raw_channel, budget),
    TEXT("messages", raw_channel, messages),
    TEXT("per_day", raw_channel, per_day),
    TEXT("per_week", raw_channel, per_week),
    TEXT("per_month", raw_channel, per_month),
    CYAML_FIELD_END};
static const cyaml_schema_value_t channel_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, raw_channel, channel_fields)};

static const cyaml_schema_field_t tag_fields[] = {
    TEXT("tag", raw_tag, tag), TEXT("per_day", raw_tag, per_day),
    TEXT("per_week", raw_tag, per_week), TEXT("per_month", raw_tag, per_month),
    CYAML_FIELD_END};
static const cyaml_schema_value_t tag_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, raw_tag, tag_fields)};

static const cyaml_schema_field_t shop_fields[] = {
    TEXT("name", raw_shop, name), TEXT("currency", raw_shop, currency),
    TEXT("time_zone", raw_shop, time_zone), TEXT("language", raw_shop, language),
    CYAML_FIELD_END};
static const cyaml_schema_field_t store_fields[] = {TEXT("wait_s", raw_store, wait_s),
                                                    CYAML_FIELD_END};
static const cyaml_schema_field_t language_fields[] = {
    TEXT("encoder", raw_language, encoder),
    TEXT("models", raw_language, models),
    TEXT("url", raw_language, url),
    TEXT("model", raw_language, model),
    TEXT("key_variable", raw_language, key_variable),
    CYAML_FIELD_END};
static const cyaml_schema_field_t recommend_fields[] = {
    TEXT("repeats", raw_recommend, repeats),
    TEXT("training", raw_recommend, training),
    TEXT("exclude_uncategorised", raw_recommend, exclude_uncategorised),
    TEXTS("exclude", raw_recommend, exclude), CYAML_FIELD_END};
static const cyaml_schema_field_t response_fields[] = {
    TEXT("learner", raw_response, learner), CYAML_FIELD_END};
static const cyaml_schema_field_t evaluate_fields[] = {
    TEXT("test_from", raw_evaluate, test_from),
    TEXT("bootstrap", raw_evaluate, bootstrap), CYAML_FIELD_END};
static const cyaml_schema_field_t decide_fields[] = {
    TEXT("margin_rate", raw_decide, margin_rate),
    TEXT("budget", raw_decide, budget),
    TEXT("promotion_budget", raw_decide, promotion_budget),
    TEXT("unknown_value", raw_decide, unknown_value),
    TEXT("per_shopper", raw_decide, per_shopper),
    TEXT("holdout", raw_decide, holdout),
    TEXT("holdout_salt", raw_decide, holdout_salt),
    TEXT("campaign_holdout", raw_decide, campaign_holdout),
    TEXT("contact_unasked", raw_decide, contact_unasked),
    TEXT("gain", raw_decide, gain),
    TEXT("metric", raw_decide, metric),
    TEXT("worth", raw_decide, worth),
    TEXT("hard_budgets", raw_decide, hard_budgets),
    TEXT("largest_discount", raw_decide, largest_discount),
    TEXT("messages", raw_decide, messages),
    TEXT("per_day", raw_decide, per_day),
    TEXT("per_week", raw_decide, per_week),
    TEXT("per_month", raw_decide, per_month),
    TEXT("quiet_from", raw_decide, quiet_from),
    TEXT("quiet_to", raw_decide, quiet_to),
    TEXT("send_within_h", raw_decide, send_within_h),
    TEXT("fatigue", raw_decide, fatigue),
    TEXT("shopper_worth", raw_decide, shopper_worth),
    TEXT("explore", raw_decide, explore),
    TEXT("explore_floor", raw_decide, explore_floor),
    TEXT("explore_epsilon", raw_decide, explore_epsilon),
    TEXT("explore_temperature", raw_decide, explore_temperature),
    TEXT("explore_salt", raw_decide, explore_salt),
    TEXT("draws", raw_decide, draws),
    CYAML_FIELD_SEQUENCE("channels", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, raw_decide,
                         channels, &channel_value, 0, CHANNEL_COUNT),
    CYAML_FIELD_SEQUENCE("tags", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, raw_decide, tags,
                         &tag_value, 0, POLICY_TAGS_MAX),
    CYAML_FIELD_END};
static const cyaml_schema_field_t message_fields[] = {
    TEXT("frames", raw_message, frames), TEXTS("sensitive", raw_message, sensitive),
    CYAML_FIELD_END};

static const cyaml_schema_field_t top_fields[] = {
    TEXT("version", raw_config, version),
    PART("shop", raw_config, shop, shop_fields),
    PART("store", raw_config, store, store_fields),
    PART("language", raw_config, language, language_fields),
    PART("recommend", raw_config, recommend, recommend_fields),
    PART("response", raw_config, response, response_fields),
    PART("evaluate", raw_config, evaluate, evaluate_fields),
    PART("decide", raw_config, decide, decide_fields),
    PART("message", raw_config, message, message_fields),
    CYAML_FIELD_END};
static const cyaml_schema_value_t top_value = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, raw_config, top_fields)};

/* --- the table of keys ------------------------------------------------------------ */

typedef enum kind {
    KIND_TEXT,
    KIND_WORD,   /* one of the words in `range` */
    KIND_NUMBER, /* double between low and high */
    KIND_COUNT,  /* integer between low and high */
    KIND_YES_NO,
    KIND_MONEY, /* "none", "median" and "auto" are MONEY_ABSENT */
    KIND_DATE,
    KIND_ZONE,
    KIND_CLOCK /* a time of day, or empty */
} kind;

typedef struct key {
    const char *path;
    kind kind;
    size_t raw, typed; /* offsets */
    const char *fallback;
    double low, high;
    const char *words; /* of KIND_WORD, separated by spaces */
    const char *meaning;
} key;

#define RAW(part, member) offsetof(raw_config, part.member)
#define TYPED(member) offsetof(config, member)

static const key keys[] = {
    {"shop.name", KIND_TEXT, RAW(shop, name), TYPED(shop_name), "My shop", 0, 0, NULL,
     "The shop's name as shoppers know it."},
    {"shop.language", KIND_WORD, RAW(shop, language), TYPED(shop_language), "en", 0, 0,
     "en zh", "Language of messages to shoppers whose own is not known."},
    {"shop.time_zone", KIND_ZONE, RAW(shop, time_zone), TYPED(shop_time_zone), "UTC", 0,
     0, NULL, "IANA time zone of the shop."},
    {"store.wait_s", KIND_COUNT, RAW(store, wait_s), TYPED(store_wait_s), "30", 0, 3600,
     NULL, "Seconds a command waits for another one that is writing."},
    {"language.encoder", KIND_WORD, RAW(language, encoder), TYPED(encoder), "auto", 0, 0,
     "auto local remote none", "Where the vectors of texts come from."},
    {"language.models", KIND_TEXT, RAW(language, models), TYPED(models_folder), "", 0, 0,
     NULL, "Folder with the encoder's files; empty looks in the usual places."},
    {"language.url", KIND_TEXT, RAW(language, url), TYPED(endpoint_url), "", 0, 0, NULL,
     "Base URL of an OpenAI-compatible service, for encoder: remote."},
    {"language.model", KIND_TEXT, RAW(language, model), TYPED(endpoint_model), "", 0, 0,
     NULL, "Name of the embedding model there."},
    {"language.key_variable", KIND_TEXT, RAW(language, key_variable),
     TYPED(endpoint_key_variable), "PROFFER_API_KEY", 0, 0, NULL,
     "Environment variable that holds the service's key."},
    {"recommend.repeats", KIND_WORD, RAW(recommend, repeats), TYPED(repeats), "auto", 0,
     0, "auto allow mask",
     "Whether products a shopper already bought may be recommended."},
    {"recommend.training", KIND_TEXT, RAW(recommend, training), TYPED(training), "", 0, 0,
     NULL, "How networks are trained, as `train --set` says it; empty goes by the data."},
    {"recommend.exclude_uncategorised", KIND_YES_NO,
     RAW(recommend, exclude_uncategorised), TYPED(exclude_uncategorised), "no", 0, 0,
     NULL, "Leave products without a category out of rankings."},
    {"response.learner", KIND_WORD, RAW(response, learner), TYPED(learner), "auto", 0, 0,
     "auto logistic xgboost average",
     "The response model; auto chooses on earlier campaigns."},
    {"evaluate.test_from", KIND_DATE, RAW(evaluate, test_from), TYPED(test_from), "", 0,
     0, NULL,
     "First day of the test period; empty takes the last third of the campaigns that have "
     "begun."},
    {"evaluate.bootstrap", KIND_COUNT, RAW(evaluate, bootstrap),
     TYPED(bootstrap_replicates), "500", 50, 100000, NULL,
     "Bootstrap replicates behind each interval."},
    {"decide.margin_rate", KIND_NUMBER, RAW(decide, margin_rate), TYPED(margin_rate),
     "0.25", 0, 1, NULL, "Share of a sale that is margin."},
    {"decide.budget", KIND_MONEY, RAW(decide, budget), TYPED(budget_minor), "none", 0, 0,
     NULL, "Total budget of one run; none = no limit."},
    {"decide.promotion_budget", KIND_MONEY, RAW(decide, promotion_budget),
     TYPED(promotion_budget_minor), "none", 0, 0, NULL,
     "Budget of each promotion that brings none of its own."},
    {"decide.unknown_value", KIND_MONEY, RAW(decide, unknown_value),
     TYPED(unknown_value_minor), "median", 0, 0, NULL,
     "Worth of a promotion whose value is not known; median = of the known ones."},
    {"decide.per_shopper", KIND_COUNT, RAW(decide, per_shopper), TYPED(per_shopper), "1",
     1, 100, NULL, "Most promotions for one shopper in one run."},
    {"decide.holdout", KIND_NUMBER, RAW(decide, holdout), TYPED(holdout), "0.1", 0, 0.9,
     NULL, "Share of shoppers left without promotions, to measure against."},
    {"decide.holdout_salt", KIND_TEXT, RAW(decide, holdout_salt), TYPED(holdout_salt),
     "holdout-1", 0, 0, NULL, "Change it to draw a new holdout."},
    {"decide.campaign_holdout", KIND_NUMBER, RAW(decide, campaign_holdout),
     TYPED(campaign_holdout), "0", 0, 0.9, NULL,
     "Share left out of each campaign alone, other shoppers for each."},
    {"decide.contact_unasked", KIND_YES_NO, RAW(decide, contact_unasked),
     TYPED(contact_unasked), "no", 0, 0, NULL,
     "Whether a shopper whose consent was never asked may be contacted."},
    {"decide.gain", KIND_WORD, RAW(decide, gain), TYPED(gain), "auto", 0, 0,
     "auto uplift response",
     "What counts as gain: what a promotion adds (uplift), or every sale of its redeemers "
     "(response); auto takes uplift where the log has been randomised."},
    {"decide.metric", KIND_WORD, RAW(decide, metric), TYPED(metric), "margin", 0, 0,
     "margin revenue redemptions clicks conversions", "What the gain is counted in."},
    {"decide.worth", KIND_MONEY, RAW(decide, worth), TYPED(worth_minor), "none", 0, 0, NULL,
     "What one is worth, for metric: redemptions, clicks or conversions."},
    {"decide.hard_budgets", KIND_YES_NO, RAW(decide, hard_budgets), TYPED(hard_budgets),
     "no", 0, 0, NULL,
     "Budgets bound the most that can come of it (contact and largest discount), not what "
     "is expected."},
    {"decide.largest_discount", KIND_MONEY, RAW(decide, largest_discount),
     TYPED(largest_discount_minor), "none", 0, 0, NULL,
     "Most the shop gives for one redemption of a percentage, for hard budgets."},
    {"decide.messages", KIND_COUNT, RAW(decide, messages), TYPED(messages), "0", 0, 1e12,
     NULL, "Most messages in one run; 0 = no cap."},
    {"decide.per_day", KIND_COUNT, RAW(decide, per_day), TYPED(per_day), "0", 0, 1000, NULL,
     "Most messages a shopper in a day, by all channels; 0 = no cap."},
    {"decide.per_week", KIND_COUNT, RAW(decide, per_week), TYPED(per_week), "0", 0, 1000,
     NULL, "The same in seven days."},
    {"decide.per_month", KIND_COUNT, RAW(decide, per_month), TYPED(per_month), "0", 0, 1000,
     NULL, "The same in thirty days."},
    {"decide.quiet_from", KIND_CLOCK, RAW(decide, quiet_from), TYPED(quiet_from), "", 0, 0,
     NULL, "From when nothing is sent, in the shopper's own time, such as 21:00."},
    {"decide.quiet_to", KIND_CLOCK, RAW(decide, quiet_to), TYPED(quiet_to), "", 0, 0, NULL,
     "Until when nothing is sent, such as 08:00."},
    {"decide.send_within_h", KIND_COUNT, RAW(decide, send_within_h), TYPED(send_within_h),
     "0", 0, 168, NULL,
     "Hours in which each shopper's best moment is looked for; 0 = at once."},
    {"decide.fatigue", KIND_WORD, RAW(decide, fatigue), TYPED(fatigue), "auto", 0, 0,
     "auto none", "Whether the harm of one message more lowers its value."},
    {"decide.shopper_worth", KIND_MONEY, RAW(decide, shopper_worth),
     TYPED(shopper_worth_minor), "auto", 0, 0, NULL,
     "What it is worth that a shopper can be reached; auto = from what promotions brought."},
    {"decide.explore", KIND_WORD, RAW(decide, explore), TYPED(explore), "none", 0, 0,
     "none thompson greedy softmax",
     "How lots are drawn where nobody is sure yet; what is logged can then judge other "
     "policies."},
    {"decide.explore_floor", KIND_NUMBER, RAW(decide, explore_floor), TYPED(explore_floor),
     "0", 0, 0.1, NULL, "Least chance of every option, and of none."},
    {"decide.explore_epsilon", KIND_NUMBER, RAW(decide, explore_epsilon),
     TYPED(explore_epsilon), "0.1", 0, 1, NULL, "Share of lots spread over all, for greedy."},
    {"decide.explore_temperature", KIND_MONEY, RAW(decide, explore_temperature),
     TYPED(explore_temperature_minor), "1", 0, 0, NULL,
     "Difference in value that makes an option e times as likely, for softmax."},
    {"decide.explore_salt", KIND_TEXT, RAW(decide, explore_salt), TYPED(explore_salt),
     "explore-1", 0, 0, NULL, "Change it to draw other lots."},
    {"decide.draws", KIND_COUNT, RAW(decide, draws), TYPED(draws), "64", 1, 4096, NULL,
     "Draws of what is not known for sure, a power of two."},
    {"message.frames", KIND_TEXT, RAW(message, frames), TYPED(frames), "", 0, 0, NULL,
     "YAML file of the shop's own frames; empty uses the built-in ones."},
};
enum { N_KEYS = sizeof keys / sizeof keys[0] };

static const char *const kind_names[] = {"text",   "word",  "number", "count",
                                         "yes/no", "money", "date",   "time zone",
                                         "time of day"};

bool config_describe_key(uint32_t i, config_key *out)
{
    if (i >= N_KEYS) return false;
    const key *k = &keys[i];
    *out = (config_key){k->path, k->words ? k->words : kind_names[k->kind], k->fallback,
                        k->meaning};
    return true;
}

/* --- from text to typed values ---------------------------------------------------- */

static bool word_is_among(const char *word, const char *words)
{
    size_t n = strlen(word);
    for (const char *at = words; n > 0 && (at = strstr(at, word)) != NULL; at += n) {
        bool starts = at == words || at[-1] == ' ';
        if (starts && (at[n] == 0 || at[n] == ' ')) return true;
    }
    return false;
}

static bool parse_yes_no(const char *value, bool *out)
{
    bool yes = !strcmp(value, "yes") || !strcmp(value, "true") || !strcmp(value, "1");
    bool no = !strcmp(value, "no") || !strcmp(value, "false") || !strcmp(value, "0");
    *out = yes;
    return yes || no;
}

static pf_status set_number(const key *k, void *typed, const char *value, pf_error *err)
{
    double number = 0;
    if (!text_to_double(text_of(value), &number) || number < k->low || number > k->high ||
        (k->kind == KIND_COUNT && number != (double)(int64_t)number))
        return error_set(err, PF_USAGE, "%s: '%s' is no %s between %g and %g", k->path,
                         value, k->kind == KIND_COUNT ? "whole number" : "number", k->low,
                         k->high);
    if (k->kind == KIND_COUNT)
        *(int64_t *)typed = (int64_t)number;
    else
        *(double *)typed = number;
    return PF_OK;
}

static pf_status set_money(const char *path, const currency *c, const char *value,
                           int64_t *out, pf_error *err)
{
    const char *why = "";
    if (!strcmp(value, "none") || !strcmp(value, "median") || !strcmp(value, "auto")) {
        *out = MONEY_ABSENT;
        return PF_OK;
    }
    if (!money_parse(value, strlen(value), c, '.', out, &why))
        return error_set(err, PF_USAGE, "%s: '%s' is no amount in %s: %s", path, value,
                         c->code, why);
    if (*out < 0) return error_set(err, PF_USAGE, "%s: '%s' is negative", path, value);
    return PF_OK;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "21:00" -> minutes of the day. */
static bool parse_clock(const char *value, uint32_t *minute)
{
    if (strlen(value) != 5 || value[2] != ':' || !is_digit(value[0]) || !is_digit(value[1]) ||
        !is_digit(value[3]) || !is_digit(value[4]))
        return false;
    unsigned hours = (unsigned)(value[0] - '0') * 10 + (unsigned)(value[1] - '0');
    unsigned minutes = (unsigned)(value[3] - '0') * 10 + (unsigned)(value[4] - '0');
    *minute = hours * 60 + minutes;
    return hours < 24 && minutes < 60;
}

static pf_status set_text(const key *k, config *c, const char **typed, const char *value,
                          pf_error *err)
{
    zone *z = NULL;
    int64_t when;
    bool date_only = false;
    const char *why = "";
    if (k->kind == KIND_WORD && !word_is_among(value, k->words))
        return error_set(err, PF_USAGE, "%s: '%s' is none of: %s", k->path, value,
                         k->words);
    if (k->kind == KIND_ZONE) {
        pf_status s = zone_open(&z, value, err);
        if (s != PF_OK) {
            error_prefix(err, "%s", k->path);
            return s == PF_NO_MEMORY ? s : PF_USAGE;
        }
        zone_free(z);
    }
    uint32_t minute = 0;
    if (k->kind == KIND_CLOCK && value[0] && !parse_clock(value, &minute))
        return error_set(err, PF_USAGE, "%s: '%s' is no time of day like 21:00", k->path,
                         value);
    time_rules iso = {.form = TIME_ISO};
    if (k->kind == KIND_DATE && value[0] &&
        !(time_parse(value, strlen(value), &iso, &when, &date_only, &why) && date_only))
        return error_set(err, PF_USAGE, "%s: '%s' is no date like 2026-03-31", k->path,
                         value);
    *typed = arena_copy_text(&c->memory, value, strlen(value));
    return *typed ? PF_OK : error_set(err, PF_NO_MEMORY, "out of memory");
}

static pf_status set_key(const key *k, config *c, const char *value, pf_error *err)
{
    void *typed = (char *)c + k->typed;
    switch (k->kind) {
    case KIND_NUMBER:
    case KIND_COUNT: return set_number(k, typed, value, err);
    case KIND_MONEY: return set_money(k->path, &c->currency, value, typed, err);
    case KIND_YES_NO:
        if (!parse_yes_no(value, typed))
            return error_set(err, PF_USAGE, "%s: '%s' is neither yes nor no", k->path,
                             value);
        return PF_OK;
    case KIND_TEXT:
    case KIND_WORD:
    case KIND_DATE:
    case KIND_ZONE:
    case KIND_CLOCK: return set_text(k, c, typed, value, err);
    }
    return error_set(err, PF_INTERNAL, "%s has no kind", k->path);
}

/* "shop.time_zone" -> the value of PROFFER_SHOP_TIME_ZONE, or NULL. */
static const char *from_environment(const char *path)
{
    char name[80] = "PROFFER_";
    size_t n = strlen(name);
    for (; *path && n + 1 < sizeof name; path++)
        name[n++] = *path == '.' ? '_' : (char)toupper((unsigned char)*path);
    name[n] = 0;
    return getenv(name);
}

/* From the environment, the file or the table, in this order. */
static pf_status fill_key(config *c, const raw_config *raw, const key *k,
                          bool environment, pf_error *err)
{
    const char *outer = environment ? from_environment(k->path) : NULL;
    const char *inner = *(char *const *)((const char *)raw + k->raw);
    pf_status s = set_key(k, c, outer ? outer : inner ? inner : k->fallback, err);
    if (s == PF_USAGE && outer != NULL) error_prefix(err, "from the environment");
    return s;
}

static pf_status set_currency(config *c, const raw_config *raw, bool environment,
                              pf_error *err)
{
    const char *code = environment ? from_environment("shop.currency") : NULL;
    if (code == NULL) code = raw->shop.currency ? raw->shop.currency : "USD";
    if (!currency_find(code, strlen(code), &c->currency))
        return error_set(err, PF_USAGE, "shop.currency: '%s' is no ISO 4217 code", code);
    return PF_OK;
}

/* --- lists ------------------------------------------------------------------------ */

static pf_status copy_list(config *c, char *const *from, uint32_t n,
                           const char *const **out, pf_error *err)
{
    const char **list = arena_alloc(&c->memory, n, sizeof *list);
    if (list == NULL) return error_set(err, PF_NO_MEMORY, "out of memory");
    for (uint32_t i = 0; i < n; i++) {
        list[i] = arena_copy_text(&c->memory, from[i], strlen(from[i]));
        if (list[i] == NULL) return error_set(err, PF_NO_MEMORY, "out of memory");
    }
    *out = list;
    return PF_OK;
}

/* A whole number from 0 to `most` in a list's entry; absent: 0. */
static pf_status set_count(const char *path, const char *value, int64_t most, int64_t *out,
                           pf_error *err)
{
    *out = 0;
    if (value != NULL &&
        (!text_to_i64(text_of(value), out) || *out < 0 || *out > most))
        return error_set(err, PF_USAGE, "%s '%s' is no whole number from 0 to %lld", path,
                         value, (long long)most);
    return PF_OK;
}

static pf_status set_windows(const char *list, const char *const values[3], uint32_t out[3],
                             pf_error *err)
{
    static const char *const names[] = {"per_day", "per_week", "per_month"};
    char path[64];
    pf_status s = PF_OK;
    for (int i = 0; s == PF_OK && i < 3; i++) {
        int64_t number = 0;
        (void)snprintf(path, sizeof path, "%s: %s", list, names[i]);
        s = set_count(path, values[i], 1000, &number, err);
        out[i] = (uint32_t)number;
    }
    return s;
}

static pf_status set_channel(const config *c, const raw_channel *raw, config_channel *out,
                             pf_error *err)
{
    const char *name = raw->channel ? raw->channel : "";
    const char *const windows[] = {raw->per_day, raw->per_week, raw->per_month};
    uint32_t most[3];
    int64_t messages = 0;
    out->channel = channel_parse(text_of(name));
    if (out->channel == CHANNEL_NONE)
        return error_set(
            err, PF_USAGE,
            "decide.channels: '%s' is none of push, email, sms, site, wechat, "
            "mail",
            name);
    pf_status s = set_windows("decide.channels", windows, most, err);
    if (s == PF_OK)
        s = set_count("decide.channels: messages", raw->messages, INT64_C(1000000000000),
                      &messages, err);
    if (s == PF_OK)
        s = set_money("decide.channels: budget", &c->currency,
                      raw->budget ? raw->budget : "none", &out->budget_minor, err);
    if (s != PF_OK) return s;
    out->per_day = most[0];
    out->per_week = most[1];
    out->per_month = most[2];
    out->messages = (uint64_t)messages;
    return set_money("decide.channels: cost", &c->currency, raw->cost ? raw->cost : "0",
                     &out->cost_minor, err);
}

static pf_status set_tag(config *c, const raw_tag *raw, config_tag *out, pf_error *err)
{
    const char *const windows[] = {raw->per_day, raw->per_week, raw->per_month};
    uint32_t most[3];
    if (raw->tag == NULL || raw->tag[0] == '\0')
        return error_set(err, PF_USAGE, "decide.tags: an entry names no tag");
    pf_status s = set_windows("decide.tags", windows, most, err);
    if (s != PF_OK) return s;
    if (most[0] == 0 && most[1] == 0 && most[2] == 0)
        return error_set(err, PF_USAGE,
                         "decide.tags: '%s' has no cap; give per_day, per_week or per_month",
                         raw->tag);
    out->tag = arena_copy_text(&c->memory, raw->tag, strlen(raw->tag));
    out->per_day = most[0];
    out->per_week = most[1];
    out->per_month = most[2];
    return out->tag ? PF_OK : error_set(err, PF_NO_MEMORY, "out of memory");
}

static pf_status set_tags(config *c, const raw_decide *raw, pf_error *err)
{
    config_tag *list = arena_alloc_zero(&c->memory, raw->tags_count, sizeof *list);
    if (list == NULL) return error_set(err, PF_NO_MEMORY, "out of memory");
    for (uint32_t i = 0; i < raw->tags_count; i++) {
        pf_status s = set_tag(c, &raw->tags[i], &list[i], err);
        if (s != PF_OK) return s;
    }
    c->tags = list;
    c->n_tags = raw->tags_count;
    return PF_OK;
}

/* What single keys cannot check. */
static pf_status check_decide(config *c, pf_error *err)
{
    bool from = c->quiet_from[0] != '\0', to = c->quiet_to[0] != '\0';
    if (from != to)
        return error_set(err, PF_USAGE,
                         "decide: quiet hours need both, quiet_from and quiet_to");
    if (from && strcmp(c->quiet_from, c->quiet_to) == 0)
        return error_set(err, PF_USAGE,
                         "decide: quiet_from and quiet_to are both %s, which is no time at all; "
                         "leave both out for none",
                         c->quiet_from);
    if (from) {
        uint32_t minute = 0;
        (void)parse_clock(c->quiet_from, &minute);
        c->quiet_from_minute = (int)minute;
        (void)parse_clock(c->quiet_to, &minute);
        c->quiet_to_minute = (int)minute;
    }
    if ((c->draws & (c->draws - 1)) != 0)
        return error_set(err, PF_USAGE, "decide.draws: %lld is no power of two such as 64",
                         (long long)c->draws);
    return PF_OK;
}

/* Without a list there is one channel, e-mail, at no cost. */
static pf_status set_channels(config *c, const raw_decide *raw, pf_error *err)
{
    char email[] = "email";
    const raw_channel only_email = {.channel = email};
    const raw_channel *from = raw->channels_count ? raw->channels : &only_email;
    uint32_t n = raw->channels_count ? raw->channels_count : 1;
    config_channel *list = arena_alloc_zero(&c->memory, n, sizeof *list);
    if (list == NULL) return error_set(err, PF_NO_MEMORY, "out of memory");
    for (uint32_t i = 0; i < n; i++) {
        pf_status s = set_channel(c, &from[i], &list[i], err);
        if (s != PF_OK) return s;
        for (uint32_t k = 0; k < i; k++)
            if (list[k].channel == list[i].channel)
                return error_set(err, PF_USAGE, "decide.channels: %s is there twice",
                                 channel_name(list[i].channel));
    }
    c->channels = list;
    c->n_channels = n;
    return PF_OK;
}

static pf_status check_version(const raw_config *raw, pf_error *err)
{
    if (raw->version != NULL && strcmp(raw->version, "1") != 0)
        return error_set(err, PF_USAGE,
                         "version: '%s' is not known; this program reads 1",
                         raw->version);
    return PF_OK;
}

static pf_status fill(config *c, const raw_config *raw, bool environment, pf_error *err)
{
    pf_status s = check_version(raw, err);
    if (s == PF_OK) s = set_currency(c, raw, environment, err);
    for (size_t i = 0; s == PF_OK && i < N_KEYS; i++)
        s = fill_key(c, raw, &keys[i], environment, err);
    if (s == PF_OK)
        s = copy_list(c, raw->recommend.exclude, raw->recommend.exclude_count,
                      &c->exclude_categories, err);
    if (s == PF_OK)
        s = copy_list(c, raw->message.sensitive, raw->message.sensitive_count,
                      &c->sensitive_categories, err);
    if (s == PF_OK) s = set_channels(c, &raw->decide, err);
    if (s == PF_OK) s = set_tags(c, &raw->decide, err);
    if (s == PF_OK) s = check_decide(c, err);
    c->n_exclude_categories = raw->recommend.exclude_count;
    c->n_sensitive_categories = raw->message.sensitive_count;
    return s;
}

static pf_status parse(config **out, const char *yaml, size_t n, const char *name,
                       bool environment, pf_error *err)
{
    raw_config *raw = NULL;
    config *c = NULL;
    pf_status s = yaml_load(&top_value, yaml, n, name, (void **)&raw, err);
    if (s != PF_OK) return s;
    c = mem_alloc_zero(1, sizeof *c);
    if (c == NULL) {
        s = error_set(err, PF_NO_MEMORY, "out of memory");
        goto done;
    }
    arena_init(&c->memory, LIMIT_YAML_BYTES * 4);
    s = fill(c, raw, environment, err);
    if (s == PF_USAGE) error_prefix(err, "%s", name);
done:
    yaml_release(&top_value, raw);
    if (s != PF_OK)
        config_free(c);
    else
        *out = c;
    return s;
}

pf_status config_parse(config **out, const char *yaml, size_t n, const char *name,
                       pf_error *err)
{
    return parse(out, yaml, n, name, false, err);
}

pf_status config_load(config **out, const char *folder, pf_error *err)
{
    char path[4096];
    char *yaml = NULL;
    size_t n = 0;
    pf_status s = file_join_path(path, sizeof path, folder, "proffer.yaml", err);
    if (s != PF_OK) return s;
    if (!file_exists(path))
        return error_set_at(err, PF_NOT_FOUND, path, 0, 0,
                            "there is no workspace here; make one with `proffer init %s`",
                            folder);
    s = file_read_whole(&yaml, &n, path, LIMIT_YAML_BYTES, err);
    if (s == PF_OK) s = parse(out, yaml, n, path, true, err);
    mem_free(yaml);
    return s;
}

void config_free(config *c)
{
    if (c == NULL) return;
    arena_free(&c->memory);
    mem_free(c);
}
