/*
 * The workspace's own decisions, all runs together, as the rooms that learn from them and judge
 * by them want them: what was done at which moment, what else could have been, and the chances.
 *
 *     decision_log log;
 *     status = decision_log_read(&log, p, until_us, DECISIONS_ALL, err);
 *     // log.row[0 .. log.n - 1]; none is no failure
 *     decision_log_free(&log);
 *
 * Where a shopper was decided about twice at one moment (a run was repeated), the later run
 * counts. Numbers are those of the workspace's snapshot.
 */
#ifndef PROFFER_ENGINE_DECISION_LOG_H
#define PROFFER_ENGINE_DECISION_LOG_H

#include "base/arena.h"
#include "base/intern.h"
#include "decide/journal.h"
#include "engine/workspace.h"

enum { DECISION_LOG_MOST = 1000000, DECISION_LOG_MOST_CANDIDATES = 4000000 };

typedef struct logged_row {
    uint32_t shopper, promotion; /* promotion 0: nothing */
    channel channel;
    int64_t time_us;
    double propensity; /* of what was done, given that the shopper was not held out */
    bool holdout;
    bool explored; /* its run drew lots, so chances that are not told are 0 */
    const char *run, *policy; /* policy: its fingerprint, or "", the same for a whole run */
    const journal_candidate *candidate; /* without the texts of their facts */
    size_t n_candidates;
} logged_row;

typedef struct decision_log {
    logged_row *row; /* by shopper and time */
    size_t n, capacity;
    size_t lots; /* rows in which something else had a chance as well */
    size_t sent, seen; /* rows with a promotion; those of them that an exposure confirms */
    arena memory;
    intern *runs;        /* names of the runs */
    const char **policy; /* [runs + 1] */
    size_t policies;     /* room there */
} decision_log;

typedef enum decision_kinds {
    DECISIONS_ALL,
    DECISIONS_BY_LOT /* those in which something else had a chance as well */
} decision_kinds;

/* Decisions before until_us. Needs a snapshot. PF_LIMIT beyond DECISION_LOG_MOST and
 * DECISION_LOG_MOST_CANDIDATES; PF_DATA where the log holds what no log holds. On failure *l is
 * empty. */
pf_status decision_log_read(decision_log *l, const proffer *p, int64_t until_us,
                            decision_kinds kinds, pf_error *err);
/* Whether most of what was decided is known to have been sent, by exposures of the promotion within
 * DECISION_LOG_SENT_DAYS; where few messages were decided, it is believed. What was only planned
 * teaches nothing. */
enum { DECISION_LOG_SENT_DAYS = 14, DECISION_LOG_FEW_SENT = 20 };
bool decision_log_was_sent(const decision_log *l);
/* Empty is fine. */
void decision_log_free(decision_log *l);

#endif
