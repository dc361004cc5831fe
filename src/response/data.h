/*
 * The past as response learns it: for every group of promotions that was shown to
 * somebody, the rows of whom it was shown to as of its start, and what they used of it.
 * Private to this room.
 */
#ifndef PROFFER_RESPONSE_DATA_H
#define PROFFER_RESPONSE_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "features/response_rows.h"
#include "response/kinds.h"
#include "response/response.h"

enum {
    /* Features want a month of history; what started earlier teaches nothing. */
    DATA_HISTORY_DAYS = 30,
    /* The newest groups are kept, and of each at most so many rows, shoppers taken
     * evenly: more would teach little and cost memory. */
    DATA_MAX_GROUPS = 512,
    DATA_MAX_PAIRS = 2000000
};

enum {
    DATA_MOST_ANY = RESPONSE_ANY_FEATURES + OUTLOOK_ANY_FEATURES,
    DATA_MOST_WHICH = RESPONSE_WHICH_FEATURES + OUTLOOK_WHICH_FEATURES
};

/* Features of a row: those of features/response_rows.h, behind them the outlook's where there is
 * one. */
typedef struct data_width {
    size_t any, which;
} data_width;
data_width data_width_of(bool foresees);
const char *data_any_name(size_t feature);
const char *data_which_name(size_t feature);

/* Rows of a question as learners read them. */
typedef struct data_rows {
    response_rows plain;
    const float *any;   /* [S x width.any] */
    const float *which; /* [S x P x width.which] */
    float *wide;        /* owned; NULL where the two are the plain rows' */
} data_rows;

typedef struct data_group {
    uint32_t group; /* in offer_groups */
    uint32_t campaign;
    int64_t starts_us, ends_us;
    const uint32_t *promotion; /* [P] */
    uint32_t *shopper;         /* [S] sorted */
    size_t n_shoppers, n_promotions, n_shown; /* S, P, and shown to before sampling */
    data_rows rows;
    uint8_t *answered; /* [S] */
    float *when; /* [S] of the first use, as a share of the group's length; -1: never */
    uint8_t *used;     /* [S x P] */
    size_t n_answered, n_used;
    bool teaches; /* started late enough */
} data_group;

struct response_data {
    response_world world;
    response_rows_maker *maker;
    kinds kinds;
    data_width width;
    data_group *group; /* [n] by start */
    size_t n;
};

/* PF_NO_MEMORY, PF_LIMIT; *out is then empty. */
pf_status data_rows_make(const response_data *d, const response_question *q, data_rows *out,
                         pf_error *err);
void data_rows_free(data_rows *rows);

/* Whether the group had ended by the moment and teaches. */
bool data_known(const data_group *g, int64_t until_us);
/* The share of answers that, in groups known at until_us, had come by `part` of their time, one
 * answer at the end added. */
double data_seen_by(const response_data *d, int64_t until_us, double part);

#endif
