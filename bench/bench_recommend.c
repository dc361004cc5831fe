/*
 * Recommenders compared by leave-one-out on public sequence files.
 *
 * Rooms: base intake language sequence recommend evaluate
 *
 *     bench/run recommend movielens-1m
 *     bench/run recommend beauty --models counts,text
 *     bench/run recommend beauty --ablate
 *
 * Without --models: the table that is published, which is the set's own list of models, three
 * seeds, products in bf16, and in the blend the set's number of copies. It takes half an hour
 * to an hour. --seeds N fits what is trained with N seeds and prints means, with their standard
 * error over seeds; --copies N lets the blend average N of each kind that is trained; --set goes
 * to models that are trained; --ablate prints the blend of counts, texts and Transformer whole,
 * and without one of them each (without texts the Transformer has none either), with the figures
 * on cold products.
 *
 * Sets: movielens-1m, beauty, sports. Protocol: evaluate/leave_one_out.h. The encoder is
 * looked for where the program looks, or in the folder models/ of the checkout. Figures
 * that must be met stand in `gates`; the benchmark ends with 1 when one is not.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/text.h"
#include "bench/result.h"
#include "evaluate/comparison.h"

typedef struct data_set {
    const char *name, *folder, *sequences, *items;
    const char *models; /* of the published table */
    unsigned copies;    /* there, in the blend */
} data_set;

enum { TABLE_SEEDS = 3 };

static const data_set sets[] = {
    {"movielens-1m", "movielens-1m", "ml-1m.seq.txt.gz", "items.tsv.gz",
     "counts,ease,transformer,blend", 1},
    {"beauty", "amazon-reviews-2014-5core", "beauty.seq.txt.gz", "beauty.items.tsv.gz",
     "counts,text,gru4rec,transformer,blend", 3},
    {"sports", "amazon-reviews-2014-5core", "sports.seq.txt.gz", "sports.items.tsv.gz",
     "counts,text,transformer,blend", 3},
};
enum { SETS = sizeof sets / sizeof sets[0] };

/* What must be reached: at least `low`, at most `high` (0: no bound). with: a model that must be
 * among those asked for, or NULL. */
static const struct {
    const char *set, *model, *with;
    double reference, low, high;
} gates[] = {{"movielens-1m", "transitions", NULL, .1514, .1509, .1519},
             {"beauty", "transitions", NULL, .0490, .0485, .0495},
             {"beauty", "blend", NULL, .0590, .0590, 0},
             {"movielens-1m", "transformer", NULL, .186, .186, 0},
             {"movielens-1m", "blend", "transformer", .195, .195, 0},
             {"beauty", "transformer", NULL, .057, .057, 0},
             {"beauty", "blend", "transformer", .070, .070, 0},
             {"sports", "transformer", NULL, .033, .033, 0},
             {"sports", "blend", "transformer", .040, .040, 0}};
enum { GATES = sizeof gates / sizeof gates[0] };

typedef struct run {
    const data_set *set;
    const char *models, *settings;
    const char *variant; /* of an ablation, or NULL */
    unsigned threads, seeds, copies;
    bool ablate, missed;
} run;

static void stop(const char *what, const pf_error *err)
{
    char words[1024];
    fprintf(stderr, "%s: %s\n", what, error_describe(err, words, sizeof words));
    exit(1);
}

/* ---- results ---- */

static bool concerns(const run *r, size_t g, const char *model)
{
    return r->variant == NULL && !strcmp(gates[g].set, r->set->name) &&
           !strcmp(gates[g].model, model) &&
           (gates[g].with == NULL || strstr(r->models, gates[g].with) != NULL);
}

static double reference_of(const run *r, const char *model)
{
    double reference = NAN; /* the last that concerns it is the most demanding */
    for (size_t g = 0; g < GATES; g++)
        if (concerns(r, g, model)) reference = gates[g].reference;
    return reference;
}

static void check_gates(run *r, const loo_result *result)
{
    double value = result->mean.ndcg;
    for (size_t g = 0; g < GATES; g++) {
        if (!concerns(r, g, result->model)) continue;
        bool met =
            value >= gates[g].low && (gates[g].high <= 0 || value <= gates[g].high);
        fprintf(stderr, "%s on %s: ndcg@10 %.4f", result->model, r->set->name, value);
        if (result->seeds > 1)
            fprintf(stderr, " (%u seeds, standard error %.4f)", result->seeds,
                    result->seed_error[1]);
        fprintf(stderr, ", reference %.4f: %s\n", gates[g].reference, met ? "met" : "MISSED");
        r->missed |= !met;
    }
}

static void print(const run *r, const loo_result *result, const char *metric,
                  double value, const char *unit, const char *whole)
{
    char detail[4096];
    (void)snprintf(detail, sizeof detail,
                   "{\"data\":\"%s\",\"protocol\":\"leave-one-out, all products ranked\","
                   "\"threads\":%u,\"seed\":1,\"seeds\":%u,\"copies\":%u,"
                   "\"variant\":\"%s\",\"result\":%s}",
                   r->set->name, r->threads, r->seeds, r->copies,
                   r->variant ? r->variant : "whole", whole);
    bench_print(&(bench_result){.bench = "recommend",
                                .model = result->model,
                                .metric = metric,
                                .value = value,
                                .unit = unit,
                                .detail = detail});
}

static pf_status on_result(void *context, const loo_result *result,
                           const recommender *model, pf_error *err)
{
    run *r = context;
    buffer whole;
    json_writer w;
    buffer_init(&whole, 1 << 16);
    json_begin(&w, &whole);
    loo_write_json(&w, result, model);
    if (!json_finish(&w)) {
        buffer_free(&whole);
        return error_set(err, PF_NO_MEMORY, "no memory for a result");
    }
    double reference = reference_of(r, result->model);
    print(r, result, "ndcg@10", result->mean.ndcg, "", whole.data);
    print(r, result, "ndcg@10_se", result->standard_error.ndcg, "", "null");
    if (result->seeds > 1)
        print(r, result, "ndcg@10_seeds_se", result->seed_error[1], "", "null");
    if (!isnan(result->validation))
        print(r, result, "validation_ndcg@10", result->validation, "", "null");
    if (!isnan(result->validation) && result->seeds > 1)
        print(r, result, "validation_ndcg@10_seeds_se", result->seed_error[3], "", "null");
    print(r, result, "cold_products_ndcg@10", result->cold_products.ndcg, "", "null");
    print(r, result, "hr@10", result->mean.hit, "", "null");
    print(r, result, "mrr@10", result->mean.mrr, "", "null");
    print(r, result, "coverage@10", result->coverage, "", "null");
    print(r, result, "train_s", result->train_s, "s", "null");
    if (!isnan(reference)) print(r, result, "ndcg@10_reference", reference, "", "null");
    check_gates(r, result);
    buffer_free(&whole);
    return PF_OK;
}

static void on_absent(void *context, const char *model, const pf_error *why)
{
    (void)context;
    fprintf(stderr, "%s is left out: %s\n", model, why->message);
}

/* ---- the program ---- */

static bool take_number(const char *word, unsigned most, unsigned *out)
{
    uint64_t n = 0;
    if (!text_to_u64(text_of(word), &n) || n < 1 || n > most) return false;
    *out = (unsigned)n;
    return true;
}

static _Noreturn void usage(void)
{
    fprintf(stderr, "usage: bench/run recommend movielens-1m|beauty|sports [--models LIST] "
                    "[--set LIST] [--seeds N] [--copies N] [--threads N] [--ablate]\n");
    exit(2);
}

static run read_arguments(int argc, char **argv)
{
    run r = {.threads = 2};
    for (int i = 1; i < argc; i++) {
        bool valued = i + 1 < argc;
        if (!strcmp(argv[i], "--models") && valued) {
            r.models = argv[++i];
        } else if (!strcmp(argv[i], "--set") && valued) {
            r.settings = argv[++i];
        } else if (!strcmp(argv[i], "--threads") && valued) {
            if (!take_number(argv[++i], 64, &r.threads)) usage();
        } else if (!strcmp(argv[i], "--seeds") && valued) {
            if (!take_number(argv[++i], COMPARISON_MAX_SEEDS, &r.seeds)) usage();
        } else if (!strcmp(argv[i], "--copies") && valued) {
            if (!take_number(argv[++i], RECOMMEND_MAX_COPIES, &r.copies)) usage();
        } else if (!strcmp(argv[i], "--ablate")) {
            r.ablate = true;
        } else {
            for (size_t s = 0; s < SETS; s++)
                if (!strcmp(argv[i], sets[s].name)) r.set = &sets[s];
        }
    }
    if (r.set == NULL) usage();
    const bool table = r.models == NULL && !r.ablate;
    if (r.models == NULL) r.models = r.set->models;
    if (r.seeds == 0) r.seeds = table ? TABLE_SEEDS : 1;
    if (r.copies == 0) r.copies = table ? r.set->copies : 1;
    if (r.settings == NULL && (table || r.ablate)) r.settings = "precision=bf16";
    return r;
}

/* The encoder of the environment, or of the checkout; NULL, said aloud, without. */
static encoder *open_encoder(void)
{
    static const char *const checkout = PROFFER_SOURCE_DIR "/models/usem3";
    char folder[4096];
    encoder *e = NULL;
    pf_error err = {0};
    if (getenv("PROFFER_MODELS") == NULL && file_is_folder(checkout)) {
        if (encoder_open_folder(&e, checkout, &err) == PF_OK) return e;
    } else if (encoder_default_folder(folder, sizeof folder, &err) == PF_OK &&
               encoder_open_folder(&e, folder, &err) == PF_OK) {
        return e;
    }
    fprintf(stderr, "no sentence encoder: %s\n", err.message);
    return NULL;
}

static void show_epoch(void *context, const training_progress *p)
{
    (void)context;
    if (p->epoch_end)
        fprintf(stderr, "epoch %u: loss %.4f, validation ndcg@10 %.4f, %.1f s\n", p->epoch,
                p->loss, p->validation, p->epoch_s);
}

static void compare(run *r, const sequence_set *set, const item_texts *texts,
                    const comparison_options *options)
{
    const comparison_report report = {
        .context = r, .result = on_result, .absent = on_absent};
    pf_error err = {0};
    if (compare_on_file(set, texts, options, &report, &err) != PF_OK) stop("recommend", &err);
}

/* The blend whole and without each part; texts go out of the Transformer with the others. */
static void ablate(run *r, const sequence_set *set, const item_texts *texts,
                   comparison_options *options)
{
    static const struct {
        const char *variant, *models;
        bool texts;
    } parts[] = {{"whole", "counts,text,transformer,blend", true},
                 {"without text", "counts,transformer,blend", false},
                 {"without counts", "text,transformer,blend", true},
                 {"without transformer", "counts,text,blend", true}};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        r->variant = parts[i].variant;
        options->models = parts[i].models;
        compare(r, set, parts[i].texts ? texts : NULL, options);
    }
}

int main(int argc, char **argv)
{
    run r = read_arguments(argc, argv);
    char sequences[4096], items[4096];
    const char *folder = bench_data(r.set->folder);
    (void)snprintf(sequences, sizeof sequences, "%s/%s", folder, r.set->sequences);
    (void)snprintf(items, sizeof items, "%s/%s", folder, r.set->items);
    pf_error err = {0};
    sequence_set *set = NULL;
    item_texts *texts = NULL;
    if (sequence_set_read(&set, sequences, &err) != PF_OK) stop("sequences", &err);
    if (item_texts_read(&texts, items, set->items, &err) != PF_OK) stop("items", &err);
    const recommend_training training = {.settings = r.settings,
                                         .hooks = {.progress = show_epoch}};
    comparison_options o = comparison_options_default();
    o.models = r.models;
    o.seeds = r.seeds;
    o.copies = r.copies;
    o.training = &training;
    o.threads = pool_new(r.threads);
    bool meaning = r.ablate || strstr(r.models, "text") || strstr(r.models, "meaning") ||
                   strstr(r.models, "transformer") || strstr(r.models, "all") ||
                   !strcmp(r.models, "blend");
    o.encoder = meaning ? open_encoder() : NULL;
    if (r.ablate)
        ablate(&r, set, texts, &o);
    else
        compare(&r, set, texts, &o);
    encoder_close(o.encoder);
    pool_free(o.threads);
    item_texts_free(texts);
    sequence_set_free(set);
    return r.missed ? 1 : 0;
}
