/*
 * Proffer's public C API: a workspace and the verbs on it. The command line and the HTTP
 * server are doors to these same calls.
 *
 *     proffer *p;
 *     proffer_error err;
 *     if (proffer_open(&p, "my-shop", &err) != PROFFER_OK) { puts(err.message); return 1; }
 *     char *json = NULL;
 *     if (proffer_search(p, "oat milk", 10, &json, &err) == PROFFER_OK) puts(json);
 *     proffer_free(json);
 *     proffer_close(p);
 *
 * Results are UTF-8 JSON documents (docs/cli.md describes each), terminated, owned by the
 * caller and freed with proffer_free; a call that fails leaves NULL. err may be NULL, and
 * is written on failure only. Option structs start from their proffer_..._default() so that
 * later fields keep working; texts in them are borrowed for the call.
 *
 * A handle belongs to one thread at a time; several handles, also in several processes,
 * may have the same workspace open. Nothing here exits or writes to standard output.
 * Warnings and the progress of long work go to standard error; proffer_set_quiet stops
 * both.
 */
#ifndef PROFFER_H
#define PROFFER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(PROFFER_BUILD)
#define PROFFER_API __attribute__((visibility("default")))
#else
#define PROFFER_API
#endif

/* Values are stable. */
typedef enum proffer_status {
    PROFFER_OK = 0,
    PROFFER_USAGE = 1, /* wrong argument, option or configuration */
    PROFFER_DATA = 2,  /* wrong input data */
    PROFFER_NOT_FOUND = 3,
    PROFFER_IO = 4,
    PROFFER_NO_MEMORY = 5,
    PROFFER_LIMIT = 6,
    PROFFER_BUSY = 7,        /* somebody else is writing; try later */
    PROFFER_UNAVAILABLE = 8, /* an optional part is absent */
    PROFFER_CANCELLED = 9,
    PROFFER_INTERNAL = 10
} proffer_status;

typedef struct proffer_error {
    proffer_status code;
    uint64_t line, column; /* 1-based; 0 where they do not apply */
    char file[256];        /* empty where it does not apply */
    char message[512];     /* one sentence: what is wrong and what to do */
} proffer_error;

typedef struct proffer proffer;

/* "0.1.0". */
PROFFER_API const char *proffer_version(void);
/* Frees a result. NULL is fine. */
PROFFER_API void proffer_free(void *result);

/* quiet != 0: no progress and no warnings on standard error. For the whole process. */
PROFFER_API void proffer_set_quiet(int quiet);

/* --- the workspace ---------------------------------------------------------------- */

/* Makes a workspace: the folder, a commented proffer.yaml, an empty store. Files that are
 * there already are kept. shop and currency may be NULL ("My shop", "USD"). */
PROFFER_API proffer_status proffer_init(const char *folder, const char *shop,
                                        const char *currency, proffer_error *err);
PROFFER_API proffer_status proffer_open(proffer **out, const char *folder,
                                        proffer_error *err);
/* NULL is fine. */
PROFFER_API void proffer_close(proffer *p);
/* What is in it: whose shop it is, counts, first and last event, the data's fingerprint. */
PROFFER_API proffer_status proffer_describe(proffer *p, char **json, proffer_error *err);
/* The same, and what is missing or wrong: parts, models out of date, the store's
 * soundness. A finding is no failure of the call. */
PROFFER_API proffer_status proffer_doctor(proffer *p, char **json, proffer_error *err);

/* --- data in and out -------------------------------------------------------------- */

typedef struct proffer_import_options {
    const char *mapping;      /* a mapping file, or NULL: guess from the headers */
    const char *const *files; /* data files; with a mapping usually none */
    size_t n_files;
    const char *table; /* table of all files, or NULL: guess */
    int validate_only; /* report everything wrong, load nothing */
} proffer_import_options;

PROFFER_API proffer_import_options proffer_import_options_default(void);
/* One atomic step: all files are in, or the store is as it was. */
PROFFER_API proffer_status proffer_import(proffer *p, const proffer_import_options *o,
                                          char **json, proffer_error *err);
/* Everything known of a shopper: standing data, events, decisions. */
PROFFER_API proffer_status proffer_export_shopper(proffer *p, const char *shopper,
                                                  char **json, proffer_error *err);
/* Erases the shopper from the store. Models trained earlier keep their numbers; reports and
 * rejects written earlier are files that it does not look through. */
PROFFER_API proffer_status proffer_forget(proffer *p, const char *shopper,
                                          proffer_error *err);

/* --- language --------------------------------------------------------------------- */

/* Computes the vectors of all products and promotions that have none yet. */
PROFFER_API proffer_status proffer_embed(proffer *p, char **json, proffer_error *err);
/* Products by words and, where there is an encoder, by meaning; at most `limit`, 1 to 200. */
PROFFER_API proffer_status proffer_search(proffer *p, const char *query, int limit,
                                          char **json, proffer_error *err);

/* --- learning and judging --------------------------------------------------------- */

typedef struct proffer_train_options {
    uint64_t seed;
    int threads; /* 0 = one a processor */
    /* One recommender by name ("transformer"), kept as models/NAME.safetensors beside what the
     * workspace decides with; NULL: everything. What follows goes with it. */
    const char *model;
    const char *settings; /* of models trained in epochs: "width=64,epochs=20", or NULL */
    int resume;           /* go on after the last epoch of a training that was killed */
    int warm;             /* start from the values of the model that is there */
    int copies; /* of each trained network in a blend, other seeds, averaged; 0 or 1: one */
} proffer_train_options;

PROFFER_API proffer_train_options proffer_train_options_default(void);
/* Fits the recommenders, their blend, and the response models on everything in the store. */
PROFFER_API proffer_status proffer_train(proffer *p, const proffer_train_options *o,
                                         char **json, proffer_error *err);

typedef struct proffer_evaluate_options {
    /* Date: campaigns that start from here on are the test. NULL: proffer.yaml's, else the
     * last third of the campaigns. Products are tested on the last month. */
    const char *test_from;
    uint64_t seed;
    int threads;
    int bootstrap; /* replicates of the intervals; 0 = proffer.yaml's */
} proffer_evaluate_options;

PROFFER_API proffer_evaluate_options proffer_evaluate_options_default(void);
/* Protocols by time, without leakage, beside simple baselines. The result is kept for the
 * report. */
PROFFER_API proffer_status proffer_evaluate(proffer *p, const proffer_evaluate_options *o,
                                            char **json, proffer_error *err);

typedef struct proffer_policies_options {
    /* Comma-separated: logged, nothing, random, single:ID, best-single, value, gain, p_redeem,
     * lift, value@PRICE, softmax:T. NULL: a useful few. */
    const char *policies;
    const char *reward; /* net_margin (NULL), revenue, redemptions, clicks or buyers */
    int window_days;    /* what counts as brought by a decision; 0 = 28, at most 366 */
    /* Date: decisions from here on alone. NULL: all. */
    const char *since;
    int only_possible; /* policies choose only among what the log gave a chance */
    int past;          /* judge by past campaigns: nothing was randomised then (docs) */
    uint64_t seed;
    int threads;
    int bootstrap; /* replicates of the intervals; 0 = proffer.yaml's */
} proffer_policies_options;

PROFFER_API proffer_policies_options proffer_policies_options_default(void);
/* What other policies would have brought, from the log of decisions that drew lots
 * (decide.explore). The result is kept for the report. */
PROFFER_API proffer_status proffer_evaluate_policies(proffer *p,
                                                     const proffer_policies_options *o,
                                                     char **json, proffer_error *err);

typedef struct proffer_sequences_options {
    const char *sequences; /* user item item ... | .inter; plain, gzip or zstd */
    const char *items;     /* texts of the items, or NULL */
    const char *protocol;  /* "leave-one-out" or "time" */
    const char *models;    /* comma-separated, e.g. "popularity,transitions,text,blend" */
    const char *repeats;   /* "mask", "allow" or NULL: as the data ask */
    const char *settings;  /* of models trained in epochs, "width=64,epochs=20", or NULL */
    int k;
    int threads;
    uint64_t seed;
    int seeds;  /* models trained from random values are fitted with seed, seed + 1, ... */
    int copies; /* of each of them in the blend, other seeds, averaged; 1 to 8 */
} proffer_sequences_options;

PROFFER_API proffer_sequences_options proffer_sequences_options_default(void);
/* Whole-catalogue evaluation of recommenders on a file; needs no workspace. One JSON
 * object a model, in an array. */
PROFFER_API proffer_status proffer_evaluate_sequences(const proffer_sequences_options *o,
                                                      char **json, proffer_error *err);
/* The same on a workspace's purchases; sequences and items are not looked at. */
PROFFER_API proffer_status proffer_evaluate_models(proffer *p,
                                                   const proffer_sequences_options *o,
                                                   char **json, proffer_error *err);

/* --- deciding --------------------------------------------------------------------- */

typedef struct proffer_decide_options {
    const char *campaign; /* only this campaign's promotions; NULL: all live ones */
    const char *at;       /* the moment, ISO 8601; NULL: the campaign's start, else
                             just after the last event */
    const char *budget; /* total, in the shop's currency: "5000"; NULL: proffer.yaml's */
    int dry_run;        /* decide, tell, write nothing */
} proffer_decide_options;

PROFFER_API proffer_decide_options proffer_decide_options_default(void);
PROFFER_API proffer_status proffer_decide(proffer *p, const proffer_decide_options *o,
                                          char **json, proffer_error *err);
/* Decisions of a run (NULL: the latest), as a JSON array. */
PROFFER_API proffer_status proffer_decisions(proffer *p, const char *run, char **json,
                                             proffer_error *err);

/* --- what it changed --------------------------------------------------------------- */

typedef struct proffer_experiment_options {
    /* A campaign's own holdout, and its exposures and responses alone; NULL: the holdout of
     * everything, by the log of decisions where there is one. */
    const char *campaign;
    /* Date. Only decisions from here on; where nothing was decided, or for a campaign: since
     * when the holdout was kept, arms told by its hash. NULL: all decisions; the campaign's
     * start. */
    const char *since;
    const char *metric; /* what decides: "buyers" (also for NULL) or "revenue" */
    int window_days;    /* outcomes count for so long; shoppers when it is over */
    int before_days;    /* of each shopper's past that the figures are adjusted by; 0: none */
    const char *looks;  /* "once" (also for NULL), at an end fixed before, or "any-time" */
    double planned;     /* with "any-time": shoppers of both groups, said beforehand */
    double share;       /* held out by plan; 0: proffer.yaml's */
    /* Not NULL: nothing is measured; told is how many shoppers would show this change, a share
     * of shoppers ("0.005" or "0.5%") or an amount a shopper ("1.50"), with this probability. */
    const char *change;
    double power;
} proffer_experiment_options;

PROFFER_API proffer_experiment_options proffer_experiment_options_default(void);
/* What promotions changed, against the shoppers left without them. The result of measuring is
 * kept for the report. */
PROFFER_API proffer_status proffer_experiment(proffer *p,
                                              const proffer_experiment_options *o,
                                              char **json, proffer_error *err);

/* --- seeing why ------------------------------------------------------------------- */

/* at: ISO 8601 or NULL for after the last event. */
PROFFER_API proffer_status proffer_profile(proffer *p, const char *shopper,
                                           const char *at, char **json,
                                           proffer_error *err);
/* The products a shopper is likeliest to buy next, at most `limit` (1 to 1000), with the
 * parts of each score where the model can tell them. model: one that proffer_train kept under
 * its name; NULL: the shop's own. */
PROFFER_API proffer_status proffer_recommend(proffer *p, const char *shopper,
                                             const char *at, int limit, const char *model,
                                             char **json, proffer_error *err);
/* Why a shopper got what the latest run decided, and why not the rest, best first, from the
 * run's own log, with what would have changed each; promotion NULL: all candidates. Costs are
 * amounts, rounded up. */
PROFFER_API proffer_status proffer_explain(proffer *p, const char *shopper,
                                           const char *promotion, char **json,
                                           proffer_error *err);
/* What shoppers read: at most `sample` messages of the latest run, spread over it. language:
 * "en" or "zh", NULL for the shop's; the words are written anew in it. */
PROFFER_API proffer_status proffer_message(proffer *p, const char *language, int sample,
                                           char **json, proffer_error *err);
/* Writes the self-contained HTML report; path NULL: reports/report.html in the workspace. */
PROFFER_API proffer_status proffer_report(proffer *p, const char *path, char **json,
                                          proffer_error *err);

#ifdef __cplusplus
}
#endif

#endif
