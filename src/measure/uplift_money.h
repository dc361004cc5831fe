/*
 * What a campaign earns that goes to the best scored share of the shoppers, in money: the
 * profit curve of uplift, with intervals, and a verdict for people.
 *
 * Rows are of a test with and without a promotion: score [n] any order of preference, treated
 * [n] 0 or 1, y [n] what came of it, shopper [n] whose row it is. Among the best share s of
 * the rows, with e the probability of treatment,
 *
 *     effect(s) = sum(y t / e) / sum(t / e) - sum(y (1-t) / (1-e)) / sum((1-t) / (1-e))
 *     profit(s) = 1000 s (margin effect(s) - cost)           a 1,000 shoppers in the test
 *
 * (the difference of means weighted by the inverse of propensities, Hajek 1971; the curve is
 * Radcliffe's of 2007, sections 5 and 6, in money). Rows of equal score stand for one another:
 * a share that ends among them takes that part of each. Intervals are bootstraps over shoppers
 * (measure/bootstrap.h); those of the curve hold one point at a time.
 *
 * A share picked for its profit looks better than it is on the rows it was picked on. So one
 * half of the shoppers picks, the other half judges, and only the latter is in the verdict.
 *
 *     uplift_money_rows rows = {.score = s, .treated = t, .y = y, .shopper = id, .n = n,
 *                               .margin = 9.5, .cost = 0.05};
 *     uplift_money_options o = uplift_money_options_default();
 *     uplift_money m;
 *     status = uplift_money_measure(&rows, &o, &m, err);
 *     uplift_money_say(&m, o.level, words, sizeof words);
 *     // "send to the best 30 %: +412.00 per 1,000 shoppers, 95 % interval 120.50 to 690.00"
 */
#ifndef PROFFER_MEASURE_UPLIFT_MONEY_H
#define PROFFER_MEASURE_UPLIFT_MONEY_H

#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "base/status.h"
#include "measure/bootstrap.h"

/* Borrowed. */
typedef struct uplift_money_rows {
    const double *score;
    const uint8_t *treated;
    const double *y;
    const double *propensity; /* [n] of treatment, within (0, 1); NULL: the same for all */
    const uint32_t *shopper;
    size_t n;
    double margin; /* money that one unit of y brings; 1 when y is money */
    double cost;   /* money that one contact takes */
} uplift_money_rows;

typedef struct uplift_money_options {
    unsigned replicates;
    double level; /* of the intervals */
    uint64_t seed;
    pool *threads; /* NULL: the caller alone */
} uplift_money_options;
/* 1000 replicates, level .95, seed 1, no pool. */
uplift_money_options uplift_money_options_default(void);

/* Shares of 5 %, 10 %, .. 100 %. */
enum { UPLIFT_MONEY_SHARES = 20 };

typedef enum uplift_verdict {
    UPLIFT_PAYS,        /* the whole interval is above 0 */
    UPLIFT_UNCERTAIN,   /* a share was picked, its interval holds 0 */
    UPLIFT_LOSES,       /* a share was picked, and the other half says that it costs money */
    UPLIFT_NO_SHARE     /* no share earned anything even where it was picked */
} uplift_verdict;

typedef struct uplift_money {
    double share[UPLIFT_MONEY_SHARES];
    bootstrap_result profit[UPLIFT_MONEY_SHARES]; /* of all rows */
    uplift_verdict verdict;
    double best_share;       /* as one half picked it; 0: none */
    double promised;         /* its profit on that half, which is too rosy */
    bootstrap_result judged; /* its profit on the other half; zeros when none was picked */
} uplift_money;

/* PF_DATA: a score or outcome that is not a finite number, a propensity outside (0, 1), an arm
 * without rows, all outcomes equal, too few shoppers for halves; PF_USAGE: margin or cost not
 * finite or below 0, options; PF_NO_MEMORY, PF_LIMIT from 2^32 rows on. */
pf_status uplift_money_measure(const uplift_money_rows *rows, const uplift_money_options *o,
                               uplift_money *out, pf_error *err);

/* One sentence; amounts with two digits, as the margin's unit has them. Returns into. */
const char *uplift_money_say(const uplift_money *m, double level, char *into, size_t size);

#endif
