/* Published draws and their file: one matrix and two numbers. */
#include "response/draws.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

static const char kind[] = "posterior draws";

static pf_status check_shape(size_t n, size_t width, pf_error *err)
{
    if (n == 0 || n > DRAWS_MAX || (n & (n - 1)) != 0)
        return error_set(err, PF_USAGE,
                         "a posterior is published as a power of two of draws, 1 to %d, not %zu",
                         DRAWS_MAX, n);
    if (width == 0)
        return error_set(err, PF_USAGE, "a draw of no number says nothing");
    if (width > DRAWS_MAX_NUMBERS / n)
        return error_set(err, PF_LIMIT, "%zu draws of %zu numbers are more than %d numbers", n,
                         width, DRAWS_MAX_NUMBERS);
    return PF_OK;
}

pf_status draws_new(draws *d, size_t n, size_t width, uint64_t seed, uint64_t publication,
                    pf_error *err)
{
    *d = (draws){0};
    pf_status s = check_shape(n, width, err);
    if (s != PF_OK) return s;
    double *value = mem_alloc_zero(n * width, sizeof *value);
    if (value == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu draws of %zu numbers", n,
                         width);
    *d = (draws){n, width, seed, publication, value};
    return PF_OK;
}

void draws_free(draws *d)
{
    if (d == NULL) return;
    mem_free(d->value);
    *d = (draws){0};
}

/* The seed of one publication is a word of Philox, so that seed 1's second publication is not
 * seed 2's first. */
random_stream draws_stream(const draws *d, size_t i, size_t w)
{
    uint32_t words[4];
    random_block(d->seed, d->publication, 0, words);
    return random_begin((uint64_t)words[0] << 32 | words[1], (uint64_t)i << 32 | (uint64_t)w);
}

/* --- file ------------------------------------------------------------------------------- */

static pf_status add_all(const draws *d, const uint64_t which[2], safetensors_writer *w,
                         pf_error *err)
{
    const uint64_t shape[2] = {d->draws, d->width}, two = 2;
    pf_status s = safetensors_note(w, "kind", kind, err);
    if (s == PF_OK) s = safetensors_add(w, "draws", TENSOR_F64, d->value, 2, shape, err);
    if (s == PF_OK) s = safetensors_add(w, "seed_publication", TENSOR_U64, which, 1, &two, err);
    return s;
}

pf_status draws_save(const draws *d, const char *path, pf_error *err)
{
    const uint64_t which[2] = {d->seed, d->publication};
    safetensors_writer *w = NULL;
    pf_status s = safetensors_begin(&w, path, err);
    if (s != PF_OK) return s;
    s = add_all(d, which, w, err);
    if (s == PF_OK) return safetensors_commit(w, err);
    safetensors_abandon(w);
    return s;
}

static pf_status refuse(const safetensors *file, const char *why, pf_error *err)
{
    return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                        "%s; publish the model's draws again", why);
}

static pf_status check_file(const safetensors *file, const tensor_view *t, size_t width,
                            pf_error *err)
{
    const double *value = t->data;
    if (check_shape(t->shape[0], t->shape[1], NULL) != PF_OK)
        return refuse(file, "the number of draws or of their numbers makes no sense", err);
    if (width != 0 && t->shape[1] != width)
        return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                            "a draw has %zu numbers here and %zu in the model; publish the "
                            "model's draws again",
                            (size_t)t->shape[1], width);
    for (size_t i = 0; i < t->count; i++)
        if (!isfinite(value[i])) return refuse(file, "a number of a draw is not finite", err);
    return PF_OK;
}

pf_status draws_take(draws *d, const safetensors *file, size_t width, pf_error *err)
{
    const tensor_view *t = NULL, *which = NULL;
    *d = (draws){0};
    if (strcmp(safetensors_note_of(file, "kind"), kind) != 0)
        return refuse(file, "this file holds no posterior draws", err);
    pf_status s = safetensors_find(file, "draws", TENSOR_F64, 2, 0, &t, err);
    if (s == PF_OK)
        s = safetensors_find(file, "seed_publication", TENSOR_U64, 1, 2, &which, err);
    if (s == PF_OK) s = check_file(file, t, width, err);
    if (s != PF_OK) return s;
    const uint64_t *of = which->data;
    s = draws_new(d, t->shape[0], t->shape[1], of[0], of[1], err);
    if (s == PF_OK) memcpy(d->value, t->data, t->count * sizeof *d->value);
    return s;
}

pf_status draws_load(draws *d, const char *path, size_t width, pf_error *err)
{
    safetensors *file = NULL;
    *d = (draws){0};
    pf_status s = safetensors_open(&file, path, err);
    if (s != PF_OK) return s;
    s = draws_take(d, file, width, err);
    safetensors_close(file);
    return s;
}
