/* Cells sorted twice: by group and kind for the kinds, by promotion for their own factors. */
#include "response/factors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"
#include "response/kinds.h"

void factors_free(factors *f)
{
    if (f == NULL) return;
    mem_free(f->kind);
    mem_free(f->kind_name);
    mem_free(f->arm_key);
    mem_free(f->arm);
    *f = (factors){.shape = {GAMMA_DEFAULT_SHAPE, 1, GAMMA_DEFAULT_SHAPE}};
}

/* --- kinds ------------------------------------------------------------------------ */

static int by_kind_and_group(const void *a, const void *b)
{
    const factors_cell *x = a, *y = b;
    if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
    return (x->group > y->group) - (x->group < y->group);
}

static int by_promotion(const void *a, const void *b)
{
    const factors_cell *x = a, *y = b;
    if (x->promotion != y->promotion) return x->promotion < y->promotion ? -1 : 1;
    return by_kind_and_group(a, b);
}

/* Counts of each kind in each group into count, at first[kind] and on; sums into the kinds. */
static size_t count_groups(factors *f, const factors_cell *cell, size_t n, gamma_count *count)
{
    size_t units = 0;
    for (size_t i = 0; i < n; i++) {
        factors_kind *own = &f->kind[cell[i].kind];
        if (i == 0 || by_kind_and_group(&cell[i - 1], &cell[i]) != 0) {
            count[units++] = (gamma_count){0, 0};
            own->groups++;
        }
        count[units - 1].expected += cell[i].expected;
        count[units - 1].answers += (double)cell[i].answers;
        own->expected += cell[i].expected;
        own->answers += (double)cell[i].answers;
    }
    return units;
}

static bool has_enough(const factors *f)
{
    double answers = 0;
    for (size_t k = 0; k < f->n_kinds; k++)
        answers += f->kind[k].answers;
    return answers >= FACTORS_ENOUGH;
}

static void fit_kinds(factors *f, const factors_cell *cell, size_t n, gamma_count *count)
{
    size_t units = count_groups(f, cell, n, count), from = 0;
    f->shape.group = gamma_likeliest_shape(count, units);
    f->enough = has_enough(f);
    if (f->enough)
        f->shape.overall = gamma_belief_mean(gamma_common(count, units, f->shape.group, 1));
    for (size_t k = 0; k < f->n_kinds; k++) {
        size_t own = (size_t)f->kind[k].groups;
        f->kind[k].belief = gamma_common(count + from, own, f->shape.group, f->shape.overall);
        from += own;
    }
}

/* --- promotions ------------------------------------------------------------------- */

/* Into count and key, which have room for n. */
static size_t count_arms(const factors *f, const factors_cell *cell, size_t n,
                         gamma_count *count, uint64_t *key)
{
    size_t arms = 0;
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || cell[i].promotion != cell[i - 1].promotion) {
            key[arms] = cell[i].promotion;
            count[arms++] = (gamma_count){0, 0};
        }
        count[arms - 1].expected += cell[i].expected * factors_kind_mean(f, cell[i].kind);
        count[arms - 1].answers += (double)cell[i].answers;
    }
    return arms;
}

static pf_status check_cells(const factors_cell *cell, size_t n, size_t n_kinds, pf_error *err)
{
    if (n > LIMIT_FACTOR_CELLS || n_kinds > LIMIT_FACTOR_KINDS)
        return error_set(err, PF_LIMIT, "%zu promotions of %zu kinds: at most %u of %u", n,
                         n_kinds, LIMIT_FACTOR_CELLS, LIMIT_FACTOR_KINDS);
    for (size_t i = 0; i < n; i++) {
        if (cell[i].kind >= n_kinds)
            return error_set(err, PF_DATA, "cell %zu is of kind %u, there are %zu", i,
                             cell[i].kind, n_kinds);
        if (!isfinite(cell[i].expected) || cell[i].expected < 0)
            return error_set(err, PF_DATA, "cell %zu expects %g answers; a sum of chances is "
                             "finite and not below 0", i, cell[i].expected);
    }
    return PF_OK;
}

static bool make_room(factors *f, size_t n, const char *const *kind_name, size_t n_kinds)
{
    f->kind = mem_alloc_zero(n_kinds + 1, sizeof *f->kind);
    f->kind_name = mem_alloc_zero(n_kinds + 1, sizeof *f->kind_name);
    f->arm_key = mem_alloc(n + 1, sizeof *f->arm_key);
    f->arm = mem_alloc(n + 1, sizeof *f->arm);
    if (!f->kind || !f->kind_name || !f->arm_key || !f->arm) return false;
    f->n_kinds = n_kinds;
    for (size_t k = 0; k < n_kinds; k++)
        kinds_shorten(kind_name[k], f->kind_name[k], FACTORS_NAME_BYTES);
    return true;
}

pf_status factors_fit(factors *f, const factors_cell *cell, size_t n,
                      const char *const *kind_name, size_t n_kinds, pf_error *err)
{
    *f = (factors){.shape = {GAMMA_DEFAULT_SHAPE, 1, GAMMA_DEFAULT_SHAPE}};
    pf_status s = check_cells(cell, n, n_kinds, err);
    if (s != PF_OK) return s;
    factors_cell *sorted = mem_alloc(n + 1, sizeof *sorted);
    gamma_count *count = mem_alloc(n + 1, sizeof *count);
    if (sorted == NULL || count == NULL || !make_room(f, n, kind_name, n_kinds)) {
        s = error_set(err, PF_NO_MEMORY, "out of memory for %zu promotions", n);
        factors_free(f);
    } else if (n > 0) {
        memcpy(sorted, cell, n * sizeof *sorted);
        qsort(sorted, n, sizeof *sorted, by_kind_and_group);
        fit_kinds(f, sorted, n, count);
        qsort(sorted, n, sizeof *sorted, by_promotion);
        f->n_arms = count_arms(f, sorted, n, f->arm, f->arm_key);
        f->shape.nu = gamma_likeliest_shape(f->arm, f->n_arms);
    } else {
        fit_kinds(f, sorted, 0, count);
    }
    mem_free(sorted);
    mem_free(count);
    return s;
}

/* --- promotions that are running -------------------------------------------------- */

/* Arms a [n] and b [m], each by key, into one list; the same keys' counts are added. */
static size_t merge(const uint64_t *a_key, const gamma_count *a, size_t n, const uint64_t *b_key,
                    const gamma_count *b, size_t m, uint64_t *key, gamma_count *out)
{
    size_t i = 0, j = 0, k = 0;
    for (; i < n || j < m; k++) {
        bool of_a = i < n && (j == m || a_key[i] <= b_key[j]);
        bool of_b = j < m && (i == n || b_key[j] <= a_key[i]);
        key[k] = of_a ? a_key[i] : b_key[j];
        out[k] = (gamma_count){0, 0};
        if (of_a) {
            out[k].expected += a[i].expected;
            out[k].answers += a[i++].answers;
        }
        if (of_b) {
            out[k].expected += b[j].expected;
            out[k].answers += b[j++].answers;
        }
    }
    return k;
}

pf_status factors_watch(factors *f, const factors_cell *cell, size_t n, pf_error *err)
{
    pf_status s = check_cells(cell, n, f->n_kinds, err);
    if (s == PF_OK && f->n_arms + n > LIMIT_FACTOR_CELLS)
        s = error_set(err, PF_LIMIT, "%zu promotions: at most %u", f->n_arms + n,
                      LIMIT_FACTOR_CELLS);
    if (s != PF_OK || n == 0) return s;
    const size_t most = f->n_arms + n;
    factors_cell *sorted = mem_alloc(n, sizeof *sorted);
    gamma_count *count = mem_alloc(n, sizeof *count), *arm = mem_alloc(most + 1, sizeof *arm);
    uint64_t *key = mem_alloc(n, sizeof *key), *arm_key = mem_alloc(most + 1, sizeof *arm_key);
    if (sorted && count && arm && key && arm_key) {
        memcpy(sorted, cell, n * sizeof *sorted);
        qsort(sorted, n, sizeof *sorted, by_promotion);
        size_t arms = count_arms(f, sorted, n, count, key);
        f->n_arms = merge(f->arm_key, f->arm, f->n_arms, key, count, arms, arm_key, arm);
        mem_free(f->arm);
        mem_free(f->arm_key);
        f->arm = arm;
        f->arm_key = arm_key;
    } else {
        s = error_set(err, PF_NO_MEMORY, "out of memory for %zu promotions", most);
        mem_free(arm);
        mem_free(arm_key);
    }
    mem_free(sorted);
    mem_free(count);
    mem_free(key);
    return s;
}

/* --- what they say ---------------------------------------------------------------- */

size_t factors_kind_of(const factors *f, const char *name)
{
    char own[FACTORS_NAME_BYTES];
    size_t k = 0;
    kinds_shorten(name, own, sizeof own);
    while (k < f->n_kinds && strcmp(f->kind_name[k], own) != 0)
        k++;
    return k;
}

double factors_kind_mean(const factors *f, size_t kind)
{
    if (!f->enough) return 1;
    return kind < f->n_kinds ? gamma_belief_mean(f->kind[kind].belief) : f->shape.overall;
}

gamma_belief factors_own(const factors *f, uint64_t key)
{
    const double nu = f->shape.nu;
    size_t low = 0, high = f->n_arms;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (f->arm_key[middle] < key)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == f->n_arms || f->arm_key[low] != key) return (gamma_belief){nu, nu};
    return (gamma_belief){nu + f->arm[low].answers, nu + f->arm[low].expected};
}

double factors_mean(const factors *f, size_t kind, uint64_t key)
{
    return factors_kind_mean(f, kind) * gamma_belief_mean(factors_own(f, key));
}

double factors_draw(gamma_belief own, random_stream *r)
{
    return random_gamma(r, own.shape) / own.rate;
}

pf_status factors_draws(const factors *f, size_t D, uint64_t seed, uint64_t publication,
                        draws *d, pf_error *err)
{
    const double nu = f->shape.nu;
    pf_status s = draws_new(d, D, f->n_arms + 1, seed, publication, err);
    for (size_t i = 0; s == PF_OK && i < D; i++)
        for (size_t w = 0; w < d->width; w++) {
            random_stream r = draws_stream(d, i, w);
            const gamma_belief own =
                w < f->n_arms ? (gamma_belief){nu + f->arm[w].answers, nu + f->arm[w].expected}
                              : (gamma_belief){nu, nu};
            d->value[i * d->width + w] = factors_draw(own, &r);
        }
    return s;
}

static void number(json_writer *w, const char *key, double value)
{
    json_key(w, key);
    json_number(w, value);
}

void factors_describe(const factors *f, json_writer *w)
{
    json_object_begin(w);
    json_key(w, "kinds_corrected");
    json_boolean(w, f->enough);
    number(w, "campaign_shape", f->shape.group);
    number(w, "overall", f->shape.overall);
    number(w, "promotion_shape", f->shape.nu);
    number(w, "promotions", (double)f->n_arms);
    json_key(w, "kinds");
    json_array_begin(w);
    for (size_t k = 0; k < f->n_kinds; k++) {
        const factors_kind *own = &f->kind[k];
        if (own->groups < 1) continue;
        json_object_begin(w);
        json_key(w, "kind");
        json_text(w, f->kind_name[k]);
        number(w, "campaigns", own->groups);
        number(w, "expected", own->expected);
        number(w, "answers", own->answers);
        number(w, "factor", factors_kind_mean(f, k));
        number(w, "factor_se", f->enough ? gamma_belief_sd(own->belief) : (double)NAN);
        json_object_end(w);
    }
    json_array_end(w);
    json_object_end(w);
}
