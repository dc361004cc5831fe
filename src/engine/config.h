/*
 * The workspace's configuration: proffer.yaml, then PROFFER_... environment variables over
 * it, checked as a whole. docs/configuration.md lists every key; `proffer init` writes a
 * commented file. Texts are owned by the config.
 */
#ifndef PROFFER_ENGINE_CONFIG_H
#define PROFFER_ENGINE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/money.h"
#include "base/status.h"
#include "shop/vocabulary.h"

typedef struct config_shop {
    char *name, *currency, *time_zone, *language;
} config_shop;

typedef struct config_language {
    char *encoder; /* "auto", "local", "remote", "none" */
    char *models;  /* folder with the encoder's files; NULL: search the usual places */
    char *url, *model, *api_key_variable; /* of the remote endpoint */
} config_language;

typedef struct config_recommend {
    char *repeats;             /* "auto", "allow", "mask" */
    char **exclude_categories; /* category paths whose products are never ranked */
    uint32_t exclude_categories_count;
    bool exclude_uncategorised;
} config_recommend;

typedef struct config_response {
    char *learner;   /* "auto", "logistic", "xgboost", "average" */
} config_response;

typedef struct config_evaluate {
    char *test_from; /* date; NULL: the last third of the campaigns */
} config_evaluate;

/* A channel the shop really uses, and what one contact through it costs. */
typedef struct config_channel {
    char *channel;
    char *cost;      /* money text */
    uint32_t per_week; /* most messages a shopper; 0 = no cap */
} config_channel;

typedef struct config_decide {
    double margin_rate;        /* share of a sale that is margin, 0..1 */
    char *budget;              /* total expected cost of a run; NULL: none */
    char *promotion_budget;    /* of each promotion without one of its own; NULL: none */
    char *discount_when_unknown; /* worth of a promotion whose value is unknown: "median" or money */
    uint32_t per_shopper;      /* most promotions a shopper in one run */
    double holdout;            /* share of shoppers left without, 0..0.9 */
    char *holdout_salt;
    bool consent_when_unknown; /* whether a shopper who was never asked may be contacted */
    config_channel *channels;
    uint32_t channels_count;
} config_decide;

typedef struct config_message {
    char *frames;              /* YAML of the shop's own frames; NULL: the built-in ones */
    char **sensitive_categories; /* never named as somebody's favourites */
    uint32_t sensitive_categories_count;
} config_message;

typedef struct config {
    uint32_t version;
    config_shop shop;
    config_language *language;
    config_recommend *recommend;
    config_response *response;
    config_evaluate *evaluate;
    config_decide *decide;
    config_message *message;
} config;

/* Reads folder/proffer.yaml, applies the environment, fills what is not given, checks.
 * PF_NOT_FOUND when there is no such file ("run `proffer init` first"), PF_USAGE with the
 * key's path otherwise. */
pf_status config_load(config **out, const char *folder, pf_error *err);
void config_free(config *c);

/* The commented file that `proffer init` writes; terminated, freed with mem_free. */
pf_status config_default_text(const char *shop, const char *currency, char **out,
                              pf_error *err);

#endif
