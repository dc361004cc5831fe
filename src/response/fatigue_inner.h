/* What fatigue.c counts, fatigue_learn.c fits and fatigue_describe.c tells. Private to the room. */
#ifndef PROFFER_RESPONSE_FATIGUE_INNER_H
#define PROFFER_RESPONSE_FATIGUE_INNER_H

#include "response/fatigue.h"
#include "response/posterior.h"

enum {
    FEATURE_ONE,
    FEATURE_WEEK,
    FEATURE_MONTH,
    FEATURE_USUAL, /* of answers: how often the shopper is written to */
    FEATURE_CHANNEL,
    FEATURES = FEATURE_CHANNEL + CHANNEL_COUNT
};

/* Messages in the week and the month before; more count as so many. */
enum { MOST_WEEK = 63, MOST_MONTH = 255, ANSWER_MOST_WEEK = 31, ANSWER_MOST_MONTH = 63 };
/* Steps of the mean log of messages before a shopper's messages. */
enum { USUAL_STEPS = 40 };
#define USUAL_STEP 0.125

enum {
    HARM_CELLS = CHANNEL_COUNT * (MOST_WEEK + 1) * (MOST_MONTH + 1),
    ANSWER_CELLS = CHANNEL_COUNT * USUAL_STEPS * (ANSWER_MOST_WEEK + 1) * (ANSWER_MOST_MONTH + 1)
};

typedef struct harm_cells {
    uint64_t trials[HARM_CELLS], unsubscribed[HARM_CELLS], dismissed[HARM_CELLS];
} harm_cells;

typedef struct answer_cells {
    uint64_t trials[ANSWER_CELLS], answers[ANSWER_CELLS];
} answer_cells;

static inline size_t harm_cell(uint8_t by, uint32_t week, uint32_t month)
{
    return ((size_t)by * (MOST_WEEK + 1) + week) * (MOST_MONTH + 1) + month;
}

static inline size_t answer_cell(uint8_t by, size_t usual, uint32_t week, uint32_t month)
{
    return (((size_t)by * USUAL_STEPS + usual) * (ANSWER_MOST_WEEK + 1) + week) *
               (ANSWER_MOST_MONTH + 1) +
           month;
}

/* One logistic model. */
typedef struct hazard {
    uint64_t seen;       /* events of its kind before until_us */
    uint64_t rows, used; /* messages, and those that such an event followed */
    double mean[FEATURES]; /* the mode, with slopes held at 0 where they are */
    posterior spread;      /* of the fit before any was held */
} hazard;

struct fatigue {
    hazard unsubscribe, dismissal, answer;
    uint64_t sent, sent_answered;
};

pf_status fatigue_learn(fatigue *f, const harm_cells *harm, const answer_cells *answers,
                        pf_error *err);
fatigue_interval hazard_interval(const hazard *z, uint32_t week, uint32_t month, channel by);
fatigue_interval hazard_slope(const hazard *z);

#endif
