/*
 * XGBoost tells failures by a code and a thread-local text; both become a pf_error here,
 * and no handle outlives a failure.
 */
#include "response/boosted.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <xgboost/c_api.h>

#include "base/memory.h"

enum { FEW_ROWS = 1000 };
/* Between 1 (counts) and 2 (sizes alone). */
#define TWEEDIE_POWER 1.3

boosted_options boosted_options_default(void)
{
    return (boosted_options){.rounds = 150, .depth = 3, .eta = 0.05, .minimum_weight = 5,
                             .lambda = 5, .subsample = 0.8, .column_sample = 0.5, .seed = 1};
}

void boosted_free(boosted_model *m)
{
    if (m->booster != NULL)
        (void)XGBoosterFree(m->booster);
    mem_free(m->bytes);
    *m = (boosted_model){.booster = NULL};
}

/* The first line of what XGBoost says, which is the sentence; a stack trace follows it. */
static pf_status failed(pf_error *err, const char *what)
{
    const char *said = XGBGetLastError();
    return error_set(err, PF_INTERNAL, "XGBoost cannot %s: %.*s", what,
                     (int)strcspn(said, "\n"), said);
}

/* --- matrices --------------------------------------------------------------------- */

static pf_status make_matrix(const feature_rows *rows, DMatrixHandle *out, pf_error *err)
{
    if (rows->n == 0)
        return error_set(err, PF_DATA, "there are no rows");
    if (XGDMatrixCreateFromMat(rows->x, rows->n, rows->features, NAN, out) != 0)
        return failed(err, "take the rows");
    return PF_OK;
}

static pf_status set_labels(DMatrixHandle matrix, const uint8_t *y, size_t n, pf_error *err)
{
    float *label = mem_alloc(n, sizeof *label);
    size_t positives = 0;
    if (label == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu rows", n);
    for (size_t i = 0; i < n; i++) {
        label[i] = y[i] ? 1.0f : 0.0f;
        positives += y[i] != 0;
    }
    int code = XGDMatrixSetFloatInfo(matrix, "label", label, n);
    mem_free(label);
    if (positives == 0 || positives == n)
        return error_set(err, PF_DATA, "nothing to learn: %s of %zu rows responded",
                         positives ? "all" : "none", n);
    return code == 0 ? PF_OK : failed(err, "take the outcomes");
}

static pf_status set_groups(DMatrixHandle matrix, const size_t *start, size_t groups,
                            pf_error *err)
{
    unsigned *size = mem_alloc(groups + 1, sizeof *size);
    if (size == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu groups", groups);
    for (size_t g = 0; g < groups; g++)
        size[g] = (unsigned)(start[g + 1] - start[g]);
    int code = XGDMatrixSetUIntInfo(matrix, "group", size, groups);
    mem_free(size);
    return code == 0 ? PF_OK : failed(err, "take the groups");
}

/* --- training --------------------------------------------------------------------- */

static int set_number(BoosterHandle b, const char *name, double value)
{
    char words[32];
    (void)snprintf(words, sizeof words, "%.9g", value);
    return XGBoosterSetParam(b, name, words);
}

/* "(1,1,...,1)": as many as there are features. */
static int set_rising(BoosterHandle b, size_t features)
{
    char words[2 * LINEAR_MAX_FEATURES + 3] = "(";
    size_t n = 1;
    for (size_t f = 0; f < features && n + 3 < sizeof words; f++) {
        words[n++] = '1';
        words[n++] = f + 1 == features ? ')' : ',';
    }
    words[n] = 0;
    return XGBoosterSetParam(b, "monotone_constraints", words);
}

/* XGBoost's threads wait for each other in a busy loop a few times a tree. On few rows they
 * do little else: 72 rows on two busy cores took 1.0 s with two threads, 0.03 s with one.
 * The trees are the same. */
static int threads_for(const boosted_options *o, size_t rows)
{
    return rows < FEW_ROWS ? 1 : o->threads;
}

/* What is to be learnt: XGBoost's name of it, and where its trees start from. */
typedef struct objective {
    const char *name;
    double start; /* of every row, in outcomes; NaN: XGBoost's own */
} objective;

static const objective rows_alone = {"binary:logistic", NAN};
static const objective rows_in_groups = {"rank:pairwise", NAN};

static pf_status set_options(BoosterHandle b, const boosted_options *o, objective aim,
                             const feature_rows *rows, pf_error *err)
{
    int threads = threads_for(o, rows->n);
    int code = XGBoosterSetParam(b, "objective", aim.name);
    if (isfinite(aim.start))
        code |= set_number(b, "base_score", aim.start);
    if (!strcmp(aim.name, "reg:tweedie"))
        code |= set_number(b, "tweedie_variance_power", TWEEDIE_POWER);
    code |= XGBoosterSetParam(b, "tree_method", "hist");
    code |= XGBoosterSetParam(b, "verbosity", "0");
    code |= set_number(b, "max_depth", o->depth);
    code |= set_number(b, "eta", o->eta);
    code |= set_number(b, "min_child_weight", o->minimum_weight);
    code |= set_number(b, "lambda", o->lambda);
    code |= set_number(b, "subsample", o->subsample);
    code |= set_number(b, "colsample_bytree", o->column_sample);
    code |= set_number(b, "max_bin", 64);
    code |= set_number(b, "seed", o->seed);
    if (threads > 0)
        code |= set_number(b, "nthread", threads);
    if (o->rising)
        code |= set_rising(b, rows->features);
    return code == 0 ? PF_OK : failed(err, "set its parameters");
}

static pf_status keep_bytes(boosted_model *m, pf_error *err)
{
    const char *bytes = NULL;
    bst_ulong n = 0;
    if (XGBoosterSaveModelToBuffer(m->booster, "{\"format\": \"json\"}", &n, &bytes) != 0)
        return failed(err, "save its trees");
    m->bytes = mem_copy_text(bytes, (size_t)n);
    m->n_bytes = (size_t)n;
    return m->bytes ? PF_OK : error_set(err, PF_NO_MEMORY, "out of memory for the trees");
}

static pf_status train(boosted_model *m, DMatrixHandle matrix, objective aim,
                       const feature_rows *rows, const boosted_options *o, pf_error *err)
{
    if (XGBoosterCreate(&matrix, 1, &m->booster) != 0)
        return failed(err, "start");
    pf_status s = set_options(m->booster, o, aim, rows, err);
    for (int i = 0; s == PF_OK && i < o->rounds; i++)
        if (XGBoosterUpdateOneIter(m->booster, i, matrix) != 0)
            s = failed(err, "grow a tree");
    return s == PF_OK ? keep_bytes(m, err) : s;
}

pf_status boosted_fit(boosted_model *m, const feature_rows *rows, const uint8_t *y,
                      const size_t *group_start, size_t groups, const boosted_options *o,
                      pf_error *err)
{
    DMatrixHandle matrix = NULL;
    *m = (boosted_model){.features = rows->features};
    if (rows->features > LINEAR_MAX_FEATURES)
        return error_set(err, PF_LIMIT, "%zu features are more than %d", rows->features,
                         LINEAR_MAX_FEATURES);
    pf_status s = make_matrix(rows, &matrix, err);
    if (s != PF_OK)
        return s;
    s = set_labels(matrix, y, rows->n, err);
    if (s == PF_OK && group_start != NULL)
        s = set_groups(matrix, group_start, groups, err);
    if (s == PF_OK)
        s = train(m, matrix, group_start ? rows_in_groups : rows_alone, rows, o, err);
    (void)XGDMatrixFree(matrix);
    if (s != PF_OK)
        boosted_free(m);
    return s;
}

/* --- amounts ---------------------------------------------------------------------- */

static const struct amount_kind {
    const char *objective;
    const char *least; /* in words; NULL: any number */
} amount_kinds[] = {[BOOSTED_SQUARED] = {"reg:squarederror", NULL},
                    [BOOSTED_POISSON] = {"count:poisson", "not below 0"},
                    [BOOSTED_TWEEDIE] = {"reg:tweedie", "not below 0"},
                    [BOOSTED_GAMMA] = {"reg:gamma", "above 0"}};

static bool is_amount(float y, boosted_amount kind)
{
    if (!isfinite(y)) return false;
    return kind == BOOSTED_SQUARED || y > 0 || (y == 0 && kind != BOOSTED_GAMMA);
}

/* *mean: where the trees start from. */
static pf_status check_amounts(const float *y, const float *weight, size_t n,
                               boosted_amount kind, double *mean, pf_error *err)
{
    const char *least = amount_kinds[kind].least;
    double sum = 0, weights = 0;
    bool varied = false;
    for (size_t i = 0; i < n; i++) {
        const double w = weight ? (double)weight[i] : 1;
        if (!is_amount(y[i], kind))
            return error_set(err, PF_DATA, "the amount of row %zu is %g: it must be a number%s%s",
                             i, (double)y[i], least ? " " : "", least ? least : "");
        if (!isfinite(w) || w <= 0)
            return error_set(err, PF_DATA, "the weight of row %zu is %g: it must be above 0", i,
                             w);
        varied |= y[i] != y[0];
        sum += w * (double)y[i];
        weights += w;
    }
    if (n > 0 && !varied)
        return error_set(err, PF_DATA, "nothing to learn: all %zu amounts are %g", n,
                         (double)y[0]);
    *mean = n > 0 ? sum / weights : 0;
    return PF_OK;
}

static pf_status set_amounts(DMatrixHandle matrix, const float *y, const float *weight, size_t n,
                             pf_error *err)
{
    int code = XGDMatrixSetFloatInfo(matrix, "label", y, n);
    if (weight != NULL)
        code |= XGDMatrixSetFloatInfo(matrix, "weight", weight, n);
    return code == 0 ? PF_OK : failed(err, "take the amounts");
}

pf_status boosted_fit_amounts(boosted_model *m, const feature_rows *rows, const float *y,
                              const float *weight, boosted_amount kind,
                              const boosted_options *o, pf_error *err)
{
    DMatrixHandle matrix = NULL;
    objective aim = {amount_kinds[kind].objective, NAN};
    *m = (boosted_model){.features = rows->features};
    if (rows->features > LINEAR_MAX_FEATURES)
        return error_set(err, PF_LIMIT, "%zu features are more than %d", rows->features,
                         LINEAR_MAX_FEATURES);
    pf_status s = check_amounts(y, weight, rows->n, kind, &aim.start, err);
    if (s == PF_OK)
        s = make_matrix(rows, &matrix, err);
    if (s != PF_OK)
        return s;
    s = set_amounts(matrix, y, weight, rows->n, err);
    if (s == PF_OK)
        s = train(m, matrix, aim, rows, o, err);
    (void)XGDMatrixFree(matrix);
    if (s != PF_OK)
        boosted_free(m);
    return s;
}

/* --- use -------------------------------------------------------------------------- */

enum { PREDICT_OUTCOME = 0, PREDICT_MARGIN = 1, PREDICT_CONTRIBUTIONS = 4 };

/* each: how many numbers a row gives. */
static pf_status predict(const boosted_model *m, const feature_rows *rows, int what,
                         size_t each, float *into, pf_error *err)
{
    DMatrixHandle matrix = NULL;
    const float *result = NULL;
    bst_ulong n = 0;
    if (rows->features != m->features)
        return error_set(err, PF_INTERNAL, "the trees know %zu features, not %zu", m->features,
                         rows->features);
    pf_status s = make_matrix(rows, &matrix, err);
    if (s != PF_OK)
        return s;
    if (XGBoosterPredict(m->booster, matrix, what, 0, 0, &n, &result) != 0)
        s = failed(err, "score");
    else if (n != rows->n * each)
        s = error_set(err, PF_INTERNAL, "XGBoost gave %llu numbers for %zu rows",
                      (unsigned long long)n, rows->n);
    else
        memcpy(into, result, (size_t)n * sizeof *into);
    (void)XGDMatrixFree(matrix);
    return s;
}

pf_status boosted_score(const boosted_model *m, const feature_rows *rows, float *margin,
                        pf_error *err)
{
    return predict(m, rows, PREDICT_MARGIN, 1, margin, err);
}

pf_status boosted_expect(const boosted_model *m, const feature_rows *rows, float *expected,
                         pf_error *err)
{
    return predict(m, rows, PREDICT_OUTCOME, 1, expected, err);
}

pf_status boosted_contributions(const boosted_model *m, const float *row, float *parts,
                                pf_error *err)
{
    feature_rows rows = {1, m->features, row};
    return predict(m, &rows, PREDICT_CONTRIBUTIONS, m->features + 1, parts, err);
}

pf_status boosted_save(const boosted_model *m, const char *prefix, safetensors_writer *file,
                       pf_error *err)
{
    char name[SAFETENSORS_NAME_BYTES];
    uint64_t n = m->n_bytes;
    safetensors_join_name(name, prefix, "trees");
    return safetensors_add(file, name, TENSOR_U8, m->bytes, 1, &n, err);
}

pf_status boosted_load(boosted_model *m, const char *prefix, size_t features,
                       const safetensors *file, pf_error *err)
{
    char name[SAFETENSORS_NAME_BYTES];
    const tensor_view *t = NULL;
    bst_ulong known = 0;
    *m = (boosted_model){.features = features};
    safetensors_join_name(name, prefix, "trees");
    pf_status s = safetensors_find(file, name, TENSOR_U8, 1, 0, &t, err);
    if (s != PF_OK)
        return s;
    m->bytes = mem_copy_text(t->data, (size_t)t->count);
    m->n_bytes = (size_t)t->count;
    if (m->bytes == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for the trees");
    if (XGBoosterCreate(NULL, 0, &m->booster) != 0 ||
        XGBoosterLoadModelFromBuffer(m->booster, m->bytes, m->n_bytes) != 0 ||
        XGBoosterGetNumFeature(m->booster, &known) != 0 || known != features) {
        boosted_free(m);
        return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                            "the trees '%s' are damaged or for other features; train again",
                            name);
    }
    return PF_OK;
}
