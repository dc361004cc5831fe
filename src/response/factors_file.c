/* Factors in a model's file: shapes, kinds with their names, promotions by their keys. */
#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"
#include "response/factors.h"

enum { SHAPE_NUMBERS = 3, KIND_NUMBERS = 5, ARM_NUMBERS = 2 };
_Static_assert(sizeof(factors_shape) == SHAPE_NUMBERS * sizeof(double), "no gaps");
_Static_assert(sizeof(factors_kind) == KIND_NUMBERS * sizeof(double), "no gaps");
_Static_assert(sizeof(gamma_count) == ARM_NUMBERS * sizeof(double), "no gaps");
/* Beyond these nothing was fitted. */
static const double most_count = 1e15, most_factor = 1e6;

pf_status factors_add(const factors *f, safetensors_writer *w, pf_error *err)
{
    const uint64_t shape = SHAPE_NUMBERS, arms = f->n_arms;
    const uint64_t kinds[2] = {f->n_kinds, KIND_NUMBERS};
    const uint64_t names[2] = {f->n_kinds, FACTORS_NAME_BYTES};
    const uint64_t counts[2] = {f->n_arms, ARM_NUMBERS};
    pf_status s = safetensors_add(w, "factor_shape", TENSOR_F64, &f->shape, 1, &shape, err);
    if (s == PF_OK && f->n_kinds > 0)
        s = safetensors_add(w, "factor_kinds", TENSOR_F64, f->kind, 2, kinds, err);
    if (s == PF_OK && f->n_kinds > 0)
        s = safetensors_add(w, "factor_kind_names", TENSOR_U8, f->kind_name, 2, names, err);
    if (s == PF_OK && f->n_arms > 0)
        s = safetensors_add(w, "factor_keys", TENSOR_U64, f->arm_key, 1, &arms, err);
    if (s == PF_OK && f->n_arms > 0)
        s = safetensors_add(w, "factor_arms", TENSOR_F64, f->arm, 2, counts, err);
    return s;
}

static bool has(const safetensors *file, const char *name)
{
    for (size_t i = 0; i < safetensors_count(file); i++)
        if (!strcmp(safetensors_at(file, i)->name, name)) return true;
    return false;
}

static bool is_shape(double x)
{
    return x >= GAMMA_LEAST_SHAPE && x <= 1.01 * GAMMA_MOST_SHAPE;
}

static bool is_count(double x)
{
    return x >= 0 && x <= most_count;
}

static pf_status damaged(const safetensors *file, pf_error *err)
{
    return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                        "the factors of promotions are damaged; run 'proffer train' again");
}

/* Copies a tensor of n things of `size` bytes; NULL when memory is short. */
static void *copy_of(const tensor_view *t, size_t n, size_t size)
{
    void *own = mem_alloc(n + 1, size);
    if (own != NULL) memcpy(own, t->data, n * size);
    return own;
}

static bool kinds_make_sense(factors *f)
{
    double answers = 0;
    for (size_t k = 0; k < f->n_kinds; k++) {
        const factors_kind *own = &f->kind[k];
        answers += own->answers;
        f->kind_name[k][FACTORS_NAME_BYTES - 1] = 0;
        if (!utf8_check(f->kind_name[k], strlen(f->kind_name[k]), NULL)) return false;
        if (!is_count(own->expected) || !is_count(own->answers) || !is_count(own->groups) ||
            !(own->belief.shape >= 0 && own->belief.rate > 0) ||
            !(gamma_belief_mean(own->belief) <= most_factor))
            return false;
    }
    f->enough = answers >= FACTORS_ENOUGH;
    return true;
}

static pf_status take_kinds(factors *f, const safetensors *file, pf_error *err)
{
    const tensor_view *kinds = NULL, *names = NULL;
    if (!has(file, "factor_kinds")) return PF_OK;
    pf_status s = safetensors_find(file, "factor_kinds", TENSOR_F64, 2, 0, &kinds, err);
    if (s != PF_OK) return s;
    if (kinds->shape[1] != KIND_NUMBERS || kinds->shape[0] > LIMIT_FACTOR_KINDS)
        return damaged(file, err);
    size_t n = (size_t)kinds->shape[0];
    s = safetensors_find(file, "factor_kind_names", TENSOR_U8, 2, n * FACTORS_NAME_BYTES, &names,
                         err);
    if (s != PF_OK) return s;
    f->kind = copy_of(kinds, n, sizeof *f->kind);
    f->kind_name = copy_of(names, n, sizeof *f->kind_name);
    if (f->kind == NULL || f->kind_name == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu kinds of promotions", n);
    f->n_kinds = n;
    return kinds_make_sense(f) ? PF_OK : damaged(file, err);
}

static bool arms_make_sense(const factors *f)
{
    for (size_t i = 0; i < f->n_arms; i++)
        if (!is_count(f->arm[i].expected) || !is_count(f->arm[i].answers) ||
            (i > 0 && f->arm_key[i] <= f->arm_key[i - 1]))
            return false;
    return true;
}

static pf_status take_arms(factors *f, const safetensors *file, pf_error *err)
{
    const tensor_view *keys = NULL, *counts = NULL;
    if (!has(file, "factor_keys")) return PF_OK;
    pf_status s = safetensors_find(file, "factor_keys", TENSOR_U64, 1, 0, &keys, err);
    if (s != PF_OK) return s;
    if (keys->count > LIMIT_FACTOR_CELLS) return damaged(file, err);
    size_t n = (size_t)keys->count;
    s = safetensors_find(file, "factor_arms", TENSOR_F64, 2, n * ARM_NUMBERS, &counts, err);
    if (s != PF_OK) return s;
    f->arm_key = copy_of(keys, n, sizeof *f->arm_key);
    f->arm = copy_of(counts, n, sizeof *f->arm);
    if (f->arm_key == NULL || f->arm == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu promotions", n);
    f->n_arms = n;
    return arms_make_sense(f) ? PF_OK : damaged(file, err);
}

pf_status factors_take(factors *f, const safetensors *file, pf_error *err)
{
    const tensor_view *shape = NULL;
    *f = (factors){.n_kinds = 0};
    pf_status s = safetensors_find(file, "factor_shape", TENSOR_F64, 1, SHAPE_NUMBERS, &shape,
                                   err);
    if (s == PF_OK) {
        memcpy(&f->shape, shape->data, sizeof f->shape);
        if (!is_shape(f->shape.group) || !is_shape(f->shape.nu) ||
            !(f->shape.overall > 0 && f->shape.overall <= most_factor))
            s = damaged(file, err);
    }
    if (s == PF_OK) s = take_kinds(f, file, err);
    if (s == PF_OK) s = take_arms(f, file, err);
    if (s != PF_OK) factors_free(f);
    return s;
}
