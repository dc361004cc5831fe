/*
 * The funnel behind a message: does the shopper see it, click on it, buy what it promotes?
 * One calibrated chance a step, per shopper x promotion x channel at a moment.
 *
 *   view      an event "view" that names the promotion or its campaign follows the message.
 *             A click counts as a view too, for what was clicked was seen, so that
 *             P(click) <= P(view) wherever both are known. Views of products are none.
 *   click     an event "click" follows it
 *   convert   a purchase in the promotion's scope, asked for or not
 *
 * all within FUNNEL_WINDOW_DAYS from the message on. A view or click is given to the latest message
 * before it that holds the promotion it names, else one of the campaign it names, else (clicks
 * alone) any of the CONTACT_DAYS before; by the event's own channel where it says one.
 *
 * A step that the data never saw is not known (funnel_knows): nothing is said of it, which is
 * not a chance of 0.
 *
 * Rows are messages x promotions whose window was over before until_us, with the features of
 * response/effect_rows.h and features/response_rows.h as of the midnight before, and how the
 * shopper took earlier messages, in all and by the channel. A line or trees, straight or through
 * Platt's curve, whichever had the least log-loss on later messages of the past than it was fitted
 * on; the simplest within a standard error of the best. Where answers are few there is no choice:
 * the line, whose penalty is that of ten rows, or everybody's rate.
 *
 * Without a message nobody views or clicks it, so of these two the uplift is the chance. Of
 * purchases it is a share of the chance: what shoppers who were sent a campaign bought more often
 * than those beside who were not, measured as in response/effect_measure.h, drawn to 0 by what
 * is believed before (FUNNEL_SHARE_PRIOR). Where nothing can be compared it is not known.
 *
 *     funnel_options o = funnel_options_default();
 *     funnel *f;
 *     status = funnel_fit(&f, data, until_us, &o, err);
 *     if (funnel_knows(f, FUNNEL_CLICK))
 *         status = funnel_score(f, data, &ask, FUNNEL_CLICK, chance, err);    // [S x P]
 *     funnel_free(f);
 *
 * Nothing at or after until_us is read. Immutable; one with trees belongs to one thread at a
 * time. The same seed gives the same model on any number of threads.
 */
#ifndef PROFFER_RESPONSE_FUNNEL_H
#define PROFFER_RESPONSE_FUNNEL_H

#include "response/effect.h"

enum {
    FUNNEL_WINDOW_DAYS = 28,
    FUNNEL_MOST_ROWS = 40000,  /* learnt from; of more, evenly some */
    FUNNEL_MOST_MOMENTS = 256, /* days x campaigns; of more, evenly some */
    FUNNEL_LEAST_ROWS = 20     /* or nothing is learnt */
};
/* The share of purchases that is added is believed to be 0 give or take this. An assumption. */
#define FUNNEL_SHARE_PRIOR 0.25

typedef enum funnel_step { FUNNEL_VIEW, FUNNEL_CLICK, FUNNEL_CONVERT, FUNNEL_STEPS } funnel_step;
/* "view", "click", "convert"; static. */
const char *funnel_step_name(funnel_step step);

typedef struct funnel_options {
    const effect_logged *log; /* [n_log] for the uplift of purchases; borrowed for the call */
    size_t n_log;
    bool uplift;              /* whether that of purchases is learnt */
    size_t most_rows;         /* 100 .. FUNNEL_MOST_ROWS */
    uint64_t seed;
} funnel_options;
/* No log, uplift wanted, FUNNEL_MOST_ROWS, seed 1. */
funnel_options funnel_options_default(void);

typedef struct funnel funnel;

/* PF_DATA in words: fewer than FUNNEL_LEAST_ROWS messages whose window was over. PF_USAGE for
 * options, PF_NO_MEMORY. *out is then NULL. */
pf_status funnel_fit(funnel **out, const response_data *d, int64_t until_us,
                     const funnel_options *o, pf_error *err);
/* NULL is fine. */
void funnel_free(funnel *f);

bool funnel_knows(const funnel *f, funnel_step step);
/* Whether there is an uplift, and how it is known: EITHER where it is none, and of views and
 * clicks, which need no comparison. */
bool funnel_knows_uplift(const funnel *f, funnel_step step);
effect_basis funnel_uplift_basis(const funnel *f, funnel_step step);
/* The part of a chance that is uplift: 1 of views and clicks. */
double funnel_share_added(const funnel *f, funnel_step step);

typedef struct funnel_ask {
    response_ask response; /* one campaign's promotions x shoppers at a moment */
    channel channel;       /* NONE: the one by which most messages went */
} funnel_ask;
/* chance [S x P], within (0, 1). PF_NOT_FOUND for a step that is not known; PF_USAGE as
 * response_score. */
pf_status funnel_score(const funnel *f, const response_data *d, const funnel_ask *ask,
                       funnel_step step, float *chance, pf_error *err);

/* How chances stood up on the latest tenth of the messages, by a model fitted on what was over
 * before them. NaN where those say nothing. */
typedef struct funnel_figures {
    size_t rows, answers; /* of the latest tenth */
    double auc, log_loss, ece, sum_ratio; /* sum of p over sum of y */
} funnel_figures;
funnel_figures funnel_figures_of(const funnel *f, funnel_step step);

/* Rows, answers, figures, learner and uplift of each step: a JSON object. */
struct json_writer;
void funnel_describe(const funnel *f, struct json_writer *w);

#endif
