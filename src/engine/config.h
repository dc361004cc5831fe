/*
 * The workspace's configuration: proffer.yaml, with PROFFER_... environment variables over
 * it, checked as a whole. Every key stands in one table (config.c) with its kind, default
 * and range, so a new setting is one line there and one member here; docs/configuration.md
 * lists them. The environment's name of shop.time_zone is PROFFER_SHOP_TIME_ZONE.
 *
 * A config owns its texts and is not changed after loading.
 */
#ifndef PROFFER_ENGINE_CONFIG_H
#define PROFFER_ENGINE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/money.h"
#include "base/status.h"
#include "shop/vocabulary.h"

/* A channel the shop really uses. */
typedef struct config_channel {
    channel channel;
    int64_t cost_minor; /* of one contact */
    int64_t budget_minor; /* of one run; MONEY_ABSENT = none */
    uint64_t messages;    /* most in one run; 0 = no cap */
    uint32_t per_day, per_week, per_month; /* most a shopper; 0 = no cap */
} config_channel;

/* Messages about a tag, most a shopper; 0 = no cap. */
typedef struct config_tag {
    const char *tag;
    uint32_t per_day, per_week, per_month;
} config_tag;

typedef struct config {
    /* shop */
    const char *shop_name, *shop_language, *shop_time_zone;
    currency currency;
    /* store */
    int64_t store_wait_s; /* for another writer */
    /* language */
    const char *encoder;       /* auto | local | remote | none */
    const char *models_folder; /* "" = look in the usual places */
    const char *endpoint_url, *endpoint_model, *endpoint_key_variable;
    /* recommend */
    const char *repeats;  /* auto | allow | mask */
    const char *training; /* of networks, "width=32,epochs=8"; "" = as the data ask */
    const char *const *exclude_categories;
    uint32_t n_exclude_categories;
    bool exclude_uncategorised;
    /* response */
    const char *learner; /* auto | logistic | xgboost | average */
    /* evaluate */
    const char *test_from; /* date, "" = the last third of the campaigns */
    int64_t bootstrap_replicates;
    /* decide */
    double margin_rate;
    int64_t budget_minor;           /* MONEY_ABSENT = none */
    int64_t promotion_budget_minor; /* of each without its own; MONEY_ABSENT = none */
    int64_t unknown_value_minor;    /* MONEY_ABSENT = the median of the known ones */
    int64_t per_shopper;            /* most promotions a shopper in one run */
    double holdout;
    const char *holdout_salt;
    double campaign_holdout; /* of each campaign alone */
    const char *gain;        /* auto | uplift | response: what a sale because of it counts */
    const char *metric;      /* margin | revenue | redemptions | clicks | conversions */
    int64_t worth_minor;     /* of one, for what is counted; MONEY_ABSENT = not said */
    bool hard_budgets;
    int64_t largest_discount_minor; /* MONEY_ABSENT = not bounded */
    int64_t messages;               /* most in one run; 0 = no cap */
    int64_t per_day, per_week, per_month; /* most messages a shopper; 0 = no cap */
    const char *quiet_from, *quiet_to;    /* "21:00"; "" = none */
    int quiet_from_minute, quiet_to_minute;
    int64_t send_within_h; /* hours in which the best moment is looked for; 0 = at once */
    const char *fatigue;   /* auto | none */
    int64_t shopper_worth_minor; /* of one who may be reached; MONEY_ABSENT = from the data */
    const char *explore;         /* none | thompson | greedy | softmax */
    double explore_floor, explore_epsilon;
    int64_t explore_temperature_minor;
    const char *explore_salt;
    int64_t draws; /* of the posterior, a power of two */
    const config_tag *tags;
    uint32_t n_tags;
    bool contact_unasked; /* consent never asked counts as given */
    const config_channel *channels;
    uint32_t n_channels;
    /* message */
    const char *frames; /* file of the shop's own frames, "" = built in */
    const char *const *sensitive_categories;
    uint32_t n_sensitive_categories;

    arena memory;
} config;

/* Reads folder/proffer.yaml. PF_NOT_FOUND when there is none ("run `proffer init`"),
 * PF_USAGE with file, line or key otherwise. Free with config_free. */
pf_status config_load(config **out, const char *folder, pf_error *err);
/* The same from text already read (tests, fuzzing); the environment is not looked at. */
pf_status config_parse(config **out, const char *yaml, size_t n, const char *name,
                       pf_error *err);
/* NULL is fine. */
void config_free(config *c);

/* The commented file that `proffer init` writes for a shop and its currency code,
 * terminated, freed with mem_free. */
pf_status config_default_text(const char *shop, const char *code, char **out,
                              pf_error *err);

/* One row of the table of keys, for docs and `proffer doctor`. */
typedef struct config_key {
    const char *path, *kind, *fallback, *meaning;
} config_key;
/* The i-th key, or false behind the last. */
bool config_describe_key(uint32_t i, config_key *out);

#endif
