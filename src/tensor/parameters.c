/*
 * Named arrays in one block (parameters.h draws it). Starting values come from Philox blocks
 * of four words, four values each, counted by the element: where an array stands among others
 * does not matter, its number does.
 */
#include "tensor/parameters.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"

enum { FLOATS_ALIGN = 16 }; /* 64 bytes */

/* Streams of starting values begin here, one an array; no other use of the seed comes near. */
static const uint64_t start_stream = UINT64_C(0x5354415254) << 16;

struct parameters {
    size_t n;
    parameter_shape shape[PARAMETERS_MAX];
    char name[PARAMETERS_MAX][SAFETENSORS_NAME_BYTES];
    parameters_layout layout;
    float *values, *first, *second;
    uint64_t steps;
};

/* Floats of one array, padded. */
static bool padded_floats(const parameter_shape *s, size_t *out)
{
    size_t n, bytes;
    if (!size_multiply(s->rows, s->columns, &n) || n == 0 ||
        !size_add(n, FLOATS_ALIGN - 1, &n) || !size_multiply(n, sizeof(float), &bytes))
        return false;
    *out = n / FLOATS_ALIGN * FLOATS_ALIGN;
    return true;
}

/* Places all arrays that are (or are not) sparse from *at on. */
static const parameter_shape *place(const parameter_shape *shapes, size_t n, bool sparse,
                                    size_t *offset, size_t *at)
{
    for (size_t i = 0; i < n; i++) {
        size_t floats;
        if (shapes[i].sparse != sparse) continue;
        offset[i] = *at;
        if (!padded_floats(&shapes[i], &floats) || !size_add(*at, floats, at))
            return &shapes[i];
    }
    return NULL;
}

pf_status parameters_lay_out(const parameter_shape *shapes, size_t n, parameters_layout *out,
                             pf_error *err)
{
    if (n > PARAMETERS_MAX)
        return error_set(err, PF_LIMIT, "a network of %zu arrays; at most %d are served", n,
                         PARAMETERS_MAX);
    size_t at = 0, bytes;
    const parameter_shape *bad = place(shapes, n, false, out->offset, &at);
    out->dense = at;
    if (!bad) bad = place(shapes, n, true, out->offset, &at);
    out->floats = at;
    if (bad)
        return error_set(err, PF_LIMIT, "array '%s' of %zu x %zu numbers cannot be kept",
                         bad->name, bad->rows, bad->columns);
    if (!size_multiply(at, 3 * sizeof(float), &bytes))
        return error_set(err, PF_LIMIT, "a network of %zu numbers is too large", at);
    return PF_OK;
}

pf_status parameters_new(parameters **out, const parameter_shape *shapes, size_t n,
                         pf_error *err)
{
    parameters *p = mem_alloc_zero(1, sizeof *p);
    *out = NULL;
    if (!p) return error_set(err, PF_NO_MEMORY, "no memory for a network");
    pf_status status = parameters_lay_out(shapes, n, &p->layout, err);
    if (status != PF_OK) goto done;
    p->n = n;
    for (size_t i = 0; i < n; i++) {
        snprintf(p->name[i], sizeof p->name[i], "%s", shapes[i].name);
        p->shape[i] = shapes[i];
        p->shape[i].name = p->name[i];
    }
    if (n > 0) {
        p->values = mem_alloc_aligned(p->layout.floats, sizeof(float));
        if (!p->values) {
            status = error_set(err, PF_NO_MEMORY, "no memory for %zu parameters",
                               p->layout.floats);
            goto done;
        }
        memset(p->values, 0, p->layout.floats * sizeof(float));
    }
    *out = p;
    p = NULL;
done:
    parameters_free(p);
    return status;
}

void parameters_free(parameters *p)
{
    if (!p) return;
    mem_free(p->values);
    mem_free(p->first);
    mem_free(p->second);
    mem_free(p);
}

/* ---- starting values ---- */

/* In (0, 1), from 32 bits. */
static double open_unit(uint32_t word)
{
    return ((double)word + 0.5) * 0x1p-32;
}

/* Two normal values of two words (Box and Muller 1958). */
static void normal_pair(const uint32_t word[2], double out[2])
{
    double radius = sqrt(-2.0 * log(open_unit(word[0])));
    double angle = 2.0 * M_PI * open_unit(word[1]);
    out[0] = radius * cos(angle);
    out[1] = radius * sin(angle);
}

static void start_randomly(const parameter_shape *s, uint64_t seed, uint64_t stream,
                           float *value)
{
    size_t n = s->rows * s->columns;
    double limit = sqrt(6.0 / (double)(s->rows + s->columns));
    for (size_t i = 0; i < n; i += 4) {
        uint32_t word[4];
        double x[4];
        random_block(seed, stream, i / 4, word);
        if (s->start == PARAMETER_NORMAL) {
            normal_pair(word, x);
            normal_pair(word + 2, x + 2);
        }
        for (size_t j = 0; j < 4 && i + j < n; j++)
            value[i + j] = (float)(s->start == PARAMETER_NORMAL
                                       ? (double)s->spread * x[j]
                                       : limit * (2.0 * open_unit(word[j]) - 1.0));
    }
}

void parameters_start(parameters *p, uint64_t seed)
{
    for (size_t i = 0; i < p->n; i++) {
        const parameter_shape *s = &p->shape[i];
        float *value = parameters_at(p, i);
        size_t n = s->rows * s->columns;
        if (s->start == PARAMETER_NORMAL || s->start == PARAMETER_GLOROT_UNIFORM)
            start_randomly(s, seed, start_stream + i, value);
        else
            for (size_t j = 0; j < n; j++)
                value[j] = s->start == PARAMETER_ONE ? 1.0f : 0.0f;
    }
}

/* ---- reading ---- */

size_t parameters_count(const parameters *p)
{
    return p->n;
}

const parameter_shape *parameters_shape(const parameters *p, size_t i)
{
    assert(i < p->n);
    return &p->shape[i];
}

size_t parameters_floats(const parameters *p)
{
    return p->layout.floats;
}

size_t parameters_dense_floats(const parameters *p)
{
    return p->layout.dense;
}

const size_t *parameters_offsets(const parameters *p)
{
    return p->layout.offset;
}

float *parameters_at(const parameters *p, size_t i)
{
    assert(i < p->n);
    return p->values + p->layout.offset[i];
}

float *parameters_values(const parameters *p)
{
    return p->values;
}

static float *zero_block(const parameters *p)
{
    float *block = mem_alloc_aligned(p->layout.floats, sizeof *block);
    if (block) memset(block, 0, p->layout.floats * sizeof *block);
    return block;
}

pf_status parameters_add_moments(parameters *p, pf_error *err)
{
    if (p->first || p->n == 0) return PF_OK;
    float *first = zero_block(p), *second = zero_block(p);
    if (!first || !second) {
        mem_free(first);
        mem_free(second);
        return error_set(err, PF_NO_MEMORY, "no memory for the moments of %zu parameters",
                         p->layout.floats);
    }
    p->first = first;
    p->second = second;
    return PF_OK;
}

void parameters_drop_moments(parameters *p)
{
    mem_free(p->first);
    mem_free(p->second);
    p->first = p->second = NULL;
}

float *parameters_first(const parameters *p)
{
    return p->first;
}

float *parameters_second(const parameters *p)
{
    return p->second;
}

uint64_t parameters_steps(const parameters *p)
{
    return p->steps;
}

void parameters_set_steps(parameters *p, uint64_t steps)
{
    p->steps = steps;
}

static bool all_finite(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i])) return false;
    return true;
}

bool parameters_finite(const parameters *p, const char **name)
{
    for (size_t i = 0; i < p->n; i++) {
        const parameter_shape *s = &p->shape[i];
        if (all_finite(parameters_at(p, i), s->rows * s->columns)) continue;
        if (name) *name = s->name;
        return false;
    }
    return true;
}

/* ---- files ---- */

static const char *const first_name = "adam.first", *const second_name = "adam.second",
                         *const steps_name = "adam.steps";

pf_status parameters_save(const parameters *p, safetensors_writer *w, bool moments,
                          pf_error *err)
{
    pf_status status = PF_OK;
    for (size_t i = 0; status == PF_OK && i < p->n; i++) {
        const uint64_t shape[] = {p->shape[i].rows, p->shape[i].columns};
        status = safetensors_add(w, p->name[i], TENSOR_F32, parameters_at(p, i), 2, shape, err);
    }
    if (status != PF_OK || !moments) return status;
    assert(p->first);
    const uint64_t floats[] = {p->layout.floats};
    status = safetensors_add(w, first_name, TENSOR_F32, p->first, 1, floats, err);
    if (status == PF_OK)
        status = safetensors_add(w, second_name, TENSOR_F32, p->second, 1, floats, err);
    if (status == PF_OK)
        status = safetensors_add(w, steps_name, TENSOR_U64, &p->steps, 0, NULL, err);
    return status;
}

static bool none_negative(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (x[i] < 0.0f) return false;
    return true;
}

/* A tensor of finite floats. */
static pf_status find_floats(const safetensors *file, const char *name, unsigned rank,
                             size_t count, const tensor_view **out, pf_error *err)
{
    pf_status status = safetensors_find(file, name, TENSOR_F32, rank, count, out, err);
    if (status != PF_OK) return status;
    if (!all_finite((*out)->data, count))
        return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                            "tensor '%s' holds a number that is not finite", name);
    return PF_OK;
}

static pf_status find_array(const parameters *p, size_t i, const safetensors *file,
                            const tensor_view **out, pf_error *err)
{
    const parameter_shape *s = &p->shape[i];
    pf_status status = find_floats(file, s->name, 2, s->rows * s->columns, out, err);
    if (status != PF_OK) return status;
    if ((*out)->shape[0] != s->rows)
        return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                            "tensor '%s' has %llu rows, not %zu", s->name,
                            (unsigned long long)(*out)->shape[0], s->rows);
    return PF_OK;
}

/* What a file holds of a network, looked up and checked before anything is taken. */
typedef struct found {
    const tensor_view *array[PARAMETERS_MAX], *first, *second, *steps;
} found;

static pf_status find_all(const parameters *p, const safetensors *file, bool moments,
                          found *f, pf_error *err)
{
    pf_status status = PF_OK;
    size_t floats = p->layout.floats;
    for (size_t i = 0; status == PF_OK && i < p->n; i++)
        status = find_array(p, i, file, &f->array[i], err);
    if (status != PF_OK || !moments) return status;
    assert(p->first);
    status = find_floats(file, first_name, 1, floats, &f->first, err);
    if (status == PF_OK) status = find_floats(file, second_name, 1, floats, &f->second, err);
    if (status == PF_OK)
        status = safetensors_find(file, steps_name, TENSOR_U64, 0, 1, &f->steps, err);
    if (status == PF_OK && !none_negative(f->second->data, floats))
        status = error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                              "tensor '%s' holds a negative mean of squares", second_name);
    return status;
}

pf_status parameters_load(parameters *p, const safetensors *file, bool moments, pf_error *err)
{
    found f;
    pf_status status = find_all(p, file, moments, &f, err);
    if (status != PF_OK) return status;
    for (size_t i = 0; i < p->n; i++)
        memcpy(parameters_at(p, i), f.array[i]->data,
               p->shape[i].rows * p->shape[i].columns * sizeof(float));
    if (!moments) return PF_OK;
    memcpy(p->first, f.first->data, p->layout.floats * sizeof(float));
    memcpy(p->second, f.second->data, p->layout.floats * sizeof(float));
    memcpy(&p->steps, f.steps->data, sizeof p->steps);
    return PF_OK;
}
