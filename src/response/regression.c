/* Regressions (response/regression.h): a part is a line, trees or a constant; an amount has two. */
#include "response/regression.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

enum { ITERATIONS = 50, NOTE_BYTES = 5 };

static void part_free(regression_part *p)
{
    linear_free(&p->line);
    boosted_free(&p->trees);
    *p = (regression_part){.constant = 0};
}

void regression_free(regression *r)
{
    part_free(&r->mean);
    part_free(&r->size);
    *r = (regression){.features = 0};
}

/* ---- fitting ---- */

static pf_status check(const feature_rows *rows, const double *y, regression_kind kind,
                       pf_error *err)
{
    if (rows->n == 0) return error_set(err, PF_DATA, "nothing to learn: there are no rows");
    for (size_t i = 0; i < rows->n; i++)
        if (!isfinite(y[i]) || (kind != REGRESSION_NUMBER && y[i] < 0))
            return error_set(err, PF_DATA, "the outcome of row %zu is %g: it must be a number%s",
                             i, y[i], kind == REGRESSION_NUMBER ? "" : " not below 0");
    return PF_OK;
}

static bool all_equal(const double *y, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (y[i] != y[0]) return false;
    return true;
}

static pf_status fit_chance(regression_part *p, const feature_rows *rows, const double *y,
                            const regression_settings *o, pf_error *err)
{
    const linear_options lines = {.ridge = o->ridge, .iterations = ITERATIONS};
    pf_status s;
    size_t answers = 0;
    uint8_t *yes = mem_alloc(rows->n, sizeof *yes);
    if (yes == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", rows->n);
    for (size_t i = 0; i < rows->n; i++)
        answers += yes[i] = y[i] > 0;
    if (answers == 0 || answers == rows->n) {
        p->constant = answers > 0;
        s = PF_OK;
    } else if (o->base == REGRESSION_TREES) {
        s = boosted_fit(&p->trees, rows, yes, NULL, 0, &o->trees, err);
        p->has_trees = s == PF_OK;
    } else {
        s = linear_fit_logistic(&p->line, rows, yes, NULL, &lines, err);
        p->has_line = s == PF_OK;
    }
    mem_free(yes);
    return s;
}

static pf_status fit_trees(regression_part *p, const feature_rows *rows, const double *y,
                           boosted_amount kind, const boosted_options *o, pf_error *err)
{
    float *label = mem_alloc(rows->n, sizeof *label);
    if (label == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", rows->n);
    for (size_t i = 0; i < rows->n; i++)
        label[i] = (float)y[i];
    pf_status s = boosted_fit_amounts(&p->trees, rows, label, NULL, kind, o, err);
    p->has_trees = s == PF_OK;
    mem_free(label);
    return s;
}

/* log: effects multiply, y above 0. */
static pf_status fit_mean(regression_part *p, const feature_rows *rows, const double *y, bool log,
                          const regression_settings *o, pf_error *err)
{
    const linear_options lines = {.ridge = o->ridge, .iterations = ITERATIONS};
    if (all_equal(y, rows->n)) {
        p->constant = y[0];
        return PF_OK;
    }
    if (o->base == REGRESSION_TREES)
        return fit_trees(p, rows, y, log ? BOOSTED_GAMMA : BOOSTED_SQUARED, &o->trees, err);
    pf_status s = linear_fit_mean(&p->line, rows, y, NULL, log ? LINEAR_MEAN_LOG : LINEAR_MEAN_SUM,
                                  &lines, err);
    p->has_line = s == PF_OK;
    return s;
}

/* The second part: rows that brought something, alone. */
static pf_status fit_size(regression *r, const feature_rows *rows, const double *y,
                          const regression_settings *o, pf_error *err)
{
    const size_t F = rows->features;
    pf_status s = PF_OK;
    size_t n = 0, at = 0;
    for (size_t i = 0; i < rows->n; i++)
        n += y[i] > 0;
    if (n == 0) return PF_OK;
    float *x = mem_alloc(n, F * sizeof *x);
    double *amount = mem_alloc(n, sizeof *amount);
    if (x == NULL || amount == NULL) {
        s = error_set(err, PF_NO_MEMORY, "no memory for %zu rows", n);
        goto done;
    }
    for (size_t i = 0; i < rows->n; i++) {
        if (!(y[i] > 0)) continue;
        memcpy(x + at * F, rows->x + i * F, F * sizeof *x);
        amount[at++] = y[i];
        r->largest = fmax(r->largest, y[i]);
    }
    s = fit_mean(&r->size, &(feature_rows){n, F, x}, amount, true, o, err);
done:
    mem_free(x);
    mem_free(amount);
    return s;
}

pf_status regression_fit(regression *r, const feature_rows *rows, const double *y,
                         regression_kind kind, const regression_settings *settings,
                         pf_error *err)
{
    *r = (regression){.kind = kind, .features = rows->features};
    pf_status s = check(rows, y, kind, err);
    if (s == PF_OK && kind == REGRESSION_NUMBER)
        s = fit_mean(&r->mean, rows, y, false, settings, err);
    else if (s == PF_OK)
        s = fit_chance(&r->mean, rows, y, settings, err);
    if (s == PF_OK && kind == REGRESSION_AMOUNT) s = fit_size(r, rows, y, settings, err);
    if (s != PF_OK) regression_free(r);
    return s;
}

/* ---- use ---- */

typedef enum link { LINK_NONE, LINK_LOGISTIC, LINK_LOG } link;

static double line_says(const linear_model *m, const float *x, link how)
{
    const double score = linear_score(m, x);
    if (how == LINK_LOGISTIC) return 1 / (1 + exp(-score));
    return how == LINK_LOG ? exp(score) : score;
}

static pf_status part_expect(const regression_part *p, const feature_rows *rows, link how,
                             double *expected, pf_error *err)
{
    pf_status s = PF_OK;
    if (!p->has_trees) {
        for (size_t i = 0; i < rows->n; i++)
            expected[i] = p->has_line ? line_says(&p->line, rows->x + i * rows->features, how)
                                      : p->constant;
        return PF_OK;
    }
    float *said = mem_alloc(rows->n, sizeof *said);
    if (said == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", rows->n);
    s = boosted_expect(&p->trees, rows, said, err);
    for (size_t i = 0; s == PF_OK && i < rows->n; i++)
        expected[i] = (double)said[i];
    mem_free(said);
    return s;
}

pf_status regression_expect(const regression *r, const feature_rows *rows, double *expected,
                            pf_error *err)
{
    if (rows->n == 0) return PF_OK;
    const link first = r->kind == REGRESSION_NUMBER ? LINK_NONE : LINK_LOGISTIC;
    pf_status s = part_expect(&r->mean, rows, first, expected, err);
    if (s != PF_OK || r->kind != REGRESSION_AMOUNT) return s;
    double *size = mem_alloc(rows->n, sizeof *size);
    if (size == NULL) return error_set(err, PF_NO_MEMORY, "no memory for %zu rows", rows->n);
    s = part_expect(&r->size, rows, LINK_LOG, size, err);
    for (size_t i = 0; s == PF_OK && i < rows->n; i++)
        expected[i] *= fmin(size[i], r->largest);
    mem_free(size);
    return s;
}

/* ---- files ---- */

static pf_status part_save(const regression_part *p, const char *prefix, safetensors_writer *file,
                           pf_error *err)
{
    char name[SAFETENSORS_NAME_BYTES];
    const uint64_t one = 1;
    safetensors_join_name(name, prefix, "constant");
    pf_status s = safetensors_add(file, name, TENSOR_F64, &p->constant, 1, &one, err);
    if (s == PF_OK && p->has_line) s = linear_save(&p->line, prefix, file, err);
    if (s == PF_OK && p->has_trees) s = boosted_save(&p->trees, prefix, file, err);
    return s;
}

/* What it is made of is a note of five digits: the kind, and line and trees of both parts. */
pf_status regression_save(const regression *r, const char *prefix, safetensors_writer *file,
                          pf_error *err)
{
    char name[SAFETENSORS_NAME_BYTES], value[NOTE_BYTES + 1];
    const uint64_t one = 1;
    const uint8_t what[] = {(uint8_t)r->kind, r->mean.has_line, r->mean.has_trees,
                            r->size.has_line, r->size.has_trees};
    size_t n = 0;
    for (; n < sizeof what; n++)
        value[n] = (char)('0' + what[n]);
    value[n] = 0;
    pf_status s = safetensors_note(file, prefix, value, err);
    safetensors_join_name(name, prefix, "largest");
    if (s == PF_OK) s = safetensors_add(file, name, TENSOR_F64, &r->largest, 1, &one, err);
    safetensors_join_name(name, prefix, "mean");
    if (s == PF_OK) s = part_save(&r->mean, name, file, err);
    safetensors_join_name(name, prefix, "size");
    if (s == PF_OK && r->kind == REGRESSION_AMOUNT) s = part_save(&r->size, name, file, err);
    return s;
}

static pf_status damaged(const safetensors *file, const char *name, pf_error *err)
{
    return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                        "the regression '%s' is damaged; train again", name);
}

static pf_status read_number(const safetensors *file, const char *prefix, const char *part,
                             double *into, pf_error *err)
{
    char name[SAFETENSORS_NAME_BYTES];
    const tensor_view *t = NULL;
    safetensors_join_name(name, prefix, part);
    pf_status s = safetensors_find(file, name, TENSOR_F64, 1, 1, &t, err);
    if (s != PF_OK) return s;
    memcpy(into, t->data, sizeof *into);
    return isfinite(*into) ? PF_OK : damaged(file, name, err);
}

static pf_status part_load(regression_part *p, const char *prefix, size_t features, bool line,
                           bool trees, const safetensors *file, pf_error *err)
{
    pf_status s = read_number(file, prefix, "constant", &p->constant, err);
    if (s == PF_OK && line) {
        s = linear_load(&p->line, prefix, features, file, err);
        p->has_line = s == PF_OK;
    }
    if (s == PF_OK && trees) {
        s = boosted_load(&p->trees, prefix, features, file, err);
        p->has_trees = s == PF_OK;
    }
    return s;
}

/* Kind and four flags; a part is a line or trees, not both. */
static bool understood(const char *note)
{
    if (strlen(note) != NOTE_BYTES) return false;
    if (note[0] < '0' || note[0] >= '0' + REGRESSION_KINDS) return false;
    for (int i = 1; i < NOTE_BYTES; i++)
        if (note[i] != '0' && note[i] != '1') return false;
    return !(note[1] == '1' && note[2] == '1') && !(note[3] == '1' && note[4] == '1');
}

pf_status regression_load(regression *r, const char *prefix, size_t features,
                          const safetensors *file, pf_error *err)
{
    char name[SAFETENSORS_NAME_BYTES];
    const char *note = safetensors_note_of(file, prefix);
    *r = (regression){.features = features};
    if (!understood(note)) return damaged(file, prefix, err);
    r->kind = (regression_kind)(note[0] - '0');
    pf_status s = read_number(file, prefix, "largest", &r->largest, err);
    if (s == PF_OK && r->largest < 0) s = damaged(file, prefix, err);
    safetensors_join_name(name, prefix, "mean");
    if (s == PF_OK)
        s = part_load(&r->mean, name, features, note[1] == '1', note[2] == '1', file, err);
    safetensors_join_name(name, prefix, "size");
    if (s == PF_OK && r->kind == REGRESSION_AMOUNT)
        s = part_load(&r->size, name, features, note[3] == '1', note[4] == '1', file, err);
    if (s != PF_OK) regression_free(r);
    return s;
}
