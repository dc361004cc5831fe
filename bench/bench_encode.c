/*
 * Sentence encoder: speed and memory of a text, and retrieval across languages.
 *
 * Rooms: base language
 *
 *     bench/run encode
 *
 * Speed: the 40 titles and 30 queries of tests/golden/sentence_vectors.json, one call a
 * text on one thread, the best of 20 rounds in processor time; beside it the machine's
 * peak (a product of the size of the widest convolution) measured in the same run.
 * Retrieval: the 30 queries among the 40 titles, raw and with means taken off; and of
 * dishes-zh-en each English name among the 493 Chinese ones.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "bench/result.h"
#include "language/encoder.h"
#include "language/kernels.h"
#include "language/vectors.h"
#include "tests/language/golden_texts.h"

enum { ROUNDS = 20, PEAK_ROWS = 64, PEAK_K = 1280, PEAK_N = 256, DISHES_MAX = 2000 };

static void stop(const char *what, const pf_error *err)
{
    char words[1024];
    fprintf(stderr, "%s: %s\n", what, error_describe(err, words, sizeof words));
    exit(err->code == PF_UNAVAILABLE ? 77 : 1);
}

static void print(const char *metric, double value, const char *unit, const char *detail)
{
    bench_print(&(bench_result){.bench = "encode",
                                .model = "usem3",
                                .metric = metric,
                                .value = value,
                                .unit = unit,
                                .detail = detail});
}

/* ---- speed and memory ---- */

/* The best of some rounds of one product, multiply-adds counted as two. */
static double peak_gflops(const kernel_table *k)
{
    float *memory = mem_alloc_aligned(
        PEAK_ROWS * PEAK_K + PEAK_K * PEAK_N + PEAK_ROWS * PEAK_N, sizeof *memory);
    if (!memory) return 0;
    const float *inputs[PEAK_ROWS];
    float *outputs[PEAK_ROWS], *weights = memory + PEAK_ROWS * PEAK_K;
    for (size_t i = 0; i < PEAK_ROWS * PEAK_K + PEAK_K * PEAK_N + PEAK_ROWS * PEAK_N; i++)
        memory[i] = 1e-3F;
    for (size_t m = 0; m < PEAK_ROWS; m++) {
        inputs[m] = memory + m * PEAK_K;
        outputs[m] = weights + PEAK_K * PEAK_N + m * PEAK_N;
    }
    const packed_matrix w = {weights, PEAK_K, PEAK_N};
    double best = 1e9;
    for (int round = 0; round < ROUNDS; round++) {
        const double start = bench_cpu_s();
        for (int i = 0; i < 10; i++)
            k->multiply_add(PEAK_ROWS, inputs, &w, outputs);
        const double s = (bench_cpu_s() - start) / 10;
        best = s < best ? s : best;
    }
    mem_free(memory);
    return 2e-9 * PEAK_ROWS * PEAK_K * PEAK_N / best;
}

static double resident_megabytes(void)
{
    char line[128];
    double kilobytes = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file && fgets(line, sizeof line, file))
        if (strncmp(line, "VmRSS:", 6) == 0) kilobytes = strtod(line + 6, NULL);
    if (file) fclose(file);
    return kilobytes / 1024;
}

static void measure_speed(encoder *e, const golden_texts *g)
{
    const size_t n = GOLDEN_TITLES + GOLDEN_QUERIES;
    float *row = mem_alloc_aligned(encoder_dimension(e), sizeof *row);
    pf_error err = {0};
    double best = 1e9;
    char detail[256];
    for (int round = 0; round < ROUNDS && row; round++) {
        const double start = bench_cpu_s();
        for (size_t i = 0; i < n; i++)
            if (encoder_encode(e, 1, &g->texts[i], row, NULL, &err) != PF_OK)
                stop("encode", &err);
        const double s = (bench_cpu_s() - start) / (double)n;
        best = s < best ? s : best;
    }
    mem_free(row);
    snprintf(detail, sizeof detail,
             "{\"data\":\"golden titles and queries\",\"threads\":1,\"kernels\":\"%s\","
             "\"peak_gflops\":%.1f,\"limit\":1.5}",
             kernels_best()->name, peak_gflops(kernels_best()));
    print("cpu_ms_per_text", 1e3 * best, "ms", detail);
}

/* ---- retrieval ---- */

/* Two of the dishes are listed twice with the same names in both languages: nothing can
 * tell such a pair apart, so who comes first is a toss. top1 is the expected share (half
 * a hit for a tie of two at the top), top1_mean_rank counts a tie as no hit; mrr uses the
 * mean rank. */
typedef struct retrieval {
    double top1, top1_mean_rank, mrr;
    size_t right;
} retrieval;

/* Row i of queries must find row wanted[i] (NULL: row i) of passages. */
static retrieval retrieve(const vector_set *queries, const vector_set *passages,
                          const size_t *wanted)
{
    retrieval r = {0};
    float *scores = mem_alloc(passages->n, sizeof *scores);
    for (size_t i = 0; i < queries->n && scores; i++) {
        const size_t own = wanted ? wanted[i] : i;
        size_t better = 0, tied = 0; /* tied counts the row itself */
        vectors_dot_all(passages, vectors_row(queries, i), scores);
        for (size_t j = 0; j < passages->n; j++) {
            better += scores[j] > scores[own];
            tied += scores[j] >= scores[own] && scores[j] <= scores[own];
        }
        r.right += better == 0 && tied == 1;
        r.top1 += better == 0 ? 1 / (double)tied / (double)queries->n : 0;
        r.mrr += 1 / ((double)better + ((double)tied + 1) / 2) / (double)queries->n;
    }
    r.top1_mean_rank = (double)r.right / (double)queries->n;
    mem_free(scores);
    return r;
}

static void make_set(vector_set *set, encoder *e, size_t n, const text *texts)
{
    pf_error err = {0};
    if (vectors_encode(set, e, NULL, n, texts, NULL, NULL, &err) != PF_OK)
        stop("encode", &err);
}

static void centre(vector_set *set, const float *mean)
{
    pf_error err = {0};
    if (vectors_centre(set, mean, &err) != PF_OK) stop("centre", &err);
}

static void measure_queries(encoder *e, const golden_texts *g)
{
    vector_set titles, queries, again;
    make_set(&titles, e, GOLDEN_TITLES, g->texts);
    make_set(&queries, e, GOLDEN_QUERIES, g->texts + GOLDEN_TITLES);
    make_set(&again, e, GOLDEN_QUERIES, g->texts + GOLDEN_TITLES);
    print("queries_right_raw", (double)retrieve(&queries, &titles, g->wanted).right, NULL,
          "{\"data\":\"golden queries\",\"of\":30,\"limit\":25}");
    centre(&titles, NULL);
    centre(&again, titles.mean);
    print("queries_right_titles_mean", (double)retrieve(&again, &titles, g->wanted).right,
          NULL,
          "{\"data\":\"golden queries\",\"of\":30,\"means\":\"the titles' from both\"}");
    centre(&queries, NULL);
    print("queries_right_centred", (double)retrieve(&queries, &titles, g->wanted).right,
          NULL,
          "{\"data\":\"golden queries\",\"of\":30,\"means\":\"each side's "
          "own\",\"limit\":28}");
    vectors_free(&titles);
    vectors_free(&queries);
    vectors_free(&again);
}

/* Field i of a line without quotes. */
static text field(text line, size_t i)
{
    const char *p = line.data, *end = line.data + line.n;
    for (; i > 0 && p < end; i--) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        p = comma ? comma + 1 : end;
    }
    const char *comma = memchr(p, ',', (size_t)(end - p));
    return text_trim((text){p, (size_t)((comma ? comma : end) - p)});
}

static size_t read_dishes(char *csv, size_t bytes, text *chinese, text *english)
{
    size_t n = 0;
    bool header = true;
    if (memchr(csv, '"', bytes)) return 0;
    for (char *p = csv, *end = csv + bytes; p < end && n < DISHES_MAX;) {
        char *stop_at = memchr(p, '\n', (size_t)(end - p));
        stop_at = stop_at ? stop_at : end;
        const text line = {p, (size_t)(stop_at - p)};
        if (!header && line.n > 0) {
            chinese[n] = field(line, 1);
            english[n++] = field(line, 2);
        }
        header = false;
        p = stop_at + 1;
    }
    return n;
}

static void measure_dishes(encoder *e, const char *folder)
{
    static text chinese[DISHES_MAX], english[DISHES_MAX];
    char path[4096], *csv;
    size_t bytes;
    pf_error err = {0};
    vector_set passages, names;
    snprintf(path, sizeof path, "%s/dishes.csv", folder);
    if (file_read_whole(&csv, &bytes, path, 1 << 20, &err) != PF_OK) stop("dishes", &err);
    const size_t n = read_dishes(csv, bytes, chinese, english);
    make_set(&passages, e, n, chinese);
    make_set(&names, e, n, english);
    const retrieval raw = retrieve(&names, &passages, NULL);
    centre(&passages, NULL);
    centre(&names, NULL);
    const retrieval centred = retrieve(&names, &passages, NULL);
    const char *protocol =
        "{\"data\":\"dishes-zh-en\",\"protocol\":\"English name -> Chinese "
        "name, rank of its own row\",\"rows\":%zu,\"means_off\":%s}";
    char plain[256], off[256];
    snprintf(plain, sizeof plain, protocol, n, "false");
    snprintf(off, sizeof off, protocol, n, "true");
    print("top1_raw", raw.top1, NULL, plain);
    print("mrr_raw", raw.mrr, NULL, plain);
    print("top1", centred.top1, NULL, off);
    print("top1_mean_rank", centred.top1_mean_rank, NULL, off);
    print("mrr", centred.mrr, NULL, off);
    vectors_free(&passages);
    vectors_free(&names);
    mem_free(csv);
}

int main(void)
{
    static golden_texts g;
    encoder *e;
    pf_error err = {0};
    if (!golden_read(&g)) {
        fprintf(stderr, "cannot read tests/golden/sentence_vectors.*\n");
        return 1;
    }
    if (encoder_open_folder(&e, golden_model_folder(), &err) != PF_OK)
        stop("skipped", &err);
    measure_speed(e, &g);
    print("resident_mb", resident_megabytes(), "MB",
          "{\"after\":\"1400 short texts\",\"limit\":64}");
    measure_queries(e, &g);
    measure_dishes(e, bench_data("dishes-zh-en"));
    print("resident_mb", resident_megabytes(), "MB",
          "{\"after\":\"everything\",\"limit\":64}");
    print("peak_mb", bench_peak_bytes() / 1048576, "MB", "{\"limit\":64}");
    encoder_close(e);
    golden_free(&g);
    return 0;
}
