/*
 * What every benchmark shares: where its data are and the form of its results. One JSON
 * object a line on stdout; talk goes to stderr. It measures nothing itself.
 *
 *     const char *folder = bench_data("beauty");      // exits 77 when it is not there
 *     bench_print(&(bench_result){.bench = "recommend", .model = "counts",
 *                                 .metric = "ndcg@10", .value = ndcg,
 *                                 .detail = "{\"data\":\"beauty\"}"});
 *
 * Metrics bear the field's lower-case names, units last: hr@10 ndcg@10 auc log_loss ece
 * events_per_s ratio_to_sqlite epoch_s p99_ms. A standard error is "ndcg@10_se".
 */
#ifndef PROFFER_BENCH_RESULT_H
#define PROFFER_BENCH_RESULT_H

typedef struct bench_result {
    const char *bench;  /* the benchmark's name: bench_NAME.c */
    const char *model;  /* what is measured: a model, a method, "shell"; NULL: none */
    const char *metric; /* field's name, unit last */
    double value;       /* not finite: printed as null */
    const char *unit;   /* NULL: a plain number */
    const char *detail; /* a JSON object: data, protocol, seeds, reference; NULL: {} */
} bench_result;

/* One line on stdout, flushed. Texts must not need escaping; detail is printed as
 * it is. */
void bench_print(const bench_result *result);

/* The folder of one data set, $PROFFER_DATA/set, in memory that lives until the next
 * call. When it is not there: says so on stderr and ends the program with 77, "skipped".
 */
const char *bench_data(const char *set);

/* Wall and processor seconds since an arbitrary start, for differences. The second counts
 * all threads of the process. */
double bench_wall_s(void);
double bench_cpu_s(void);

/* The largest resident size of the process so far, bytes. */
double bench_peak_bytes(void);

#endif
