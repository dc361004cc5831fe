/*
 * A shop's numbers as tensors: columns of products in one, both sparse matrices, and the
 * categories. Nothing read back is believed: what indexes is in range, what is computed
 * with is finite.
 */
#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "recommend/habit_shop.h"

pf_status habit_shop_save(const habit_shop *s, safetensors_writer *file, pf_error *err)
{
    uint64_t V = s->n_products, C = s->n_categories, P = s->n_popular;
    const uint64_t table[2] = {HABIT_COLUMNS, V};
    pf_status status =
        safetensors_add(file, "products", TENSOR_F32, s->columns, 2, table, err);
    if (status == PF_OK)
        status = safetensors_add(file, "category", TENSOR_U32, s->category, 1, &V, err);
    if (status == PF_OK)
        status = safetensors_add(file, "category_repeat", TENSOR_F32, s->category_repeat,
                                 1, &C, err);
    if (status == PF_OK)
        status = safetensors_add(file, "buyers", TENSOR_U32, &s->buyers, 0, NULL, err);
    if (status == PF_OK)
        status = safetensors_add(file, "users", TENSOR_U32, &s->n_users, 0, NULL, err);
    if (status == PF_OK)
        status = safetensors_add(file, "popular", TENSOR_U32, s->popular, 1, &P, err);
    if (status == PF_OK) status = sparse_save(&s->taste, "taste", file, err);
    return status == PF_OK ? sparse_save(&s->lately, "lately", file, err) : status;
}

/* ---- back ---- */

static pf_status damaged(const safetensors *file, const char *what, pf_error *err)
{
    return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                        "the %s of the model are damaged; train again", what);
}

static bool within(const float *x, uint64_t n, float low, float high)
{
    for (uint64_t i = 0; i < n; i++)
        if (!(x[i] >= low && x[i] <= high)) return false;
    return true;
}

static bool below(const uint32_t *x, uint64_t n, uint32_t end)
{
    for (uint64_t i = 0; i < n; i++)
        if (x[i] >= end) return false;
    return true;
}

static pf_status read_products(habit_shop *s, const safetensors *file, pf_error *err)
{
    const tensor_view *t = NULL;
    uint64_t V = s->n_products;
    pf_status status =
        safetensors_find(file, "products", TENSOR_F32, 2, HABIT_COLUMNS * V, &t, err);
    if (status != PF_OK) return status;
    if (!habit_shop_columns(s)) return error_set(err, PF_NO_MEMORY, "out of memory");
    memcpy(s->columns, t->data, HABIT_COLUMNS * V * sizeof *s->columns);
    if (!within(s->columns, 4 * V, 0, (float)UINT32_MAX) ||
        !within(s->interval, V, 0, 50) || !within(s->repeat, V, 0, 1))
        return damaged(file, "products", err);
    return PF_OK;
}

static pf_status read_categories(habit_shop *s, const safetensors *file, pf_error *err)
{
    const tensor_view *category = NULL, *rate = NULL;
    uint64_t V = s->n_products;
    pf_status status =
        safetensors_find(file, "category", TENSOR_U32, 1, V, &category, err);
    if (status == PF_OK)
        status = safetensors_find(file, "category_repeat", TENSOR_F32, 1, 0, &rate, err);
    if (status != PF_OK) return status;
    if (rate->count == 0 || rate->count > LIMIT_PRODUCTS ||
        !within(rate->data, rate->count, 0, 1) ||
        !below(category->data, V, (uint32_t)rate->count))
        return damaged(file, "categories", err);
    s->n_categories = (uint32_t)rate->count;
    s->category = mem_alloc(V, sizeof *s->category);
    s->category_repeat = mem_alloc(rate->count, sizeof *s->category_repeat);
    if (s->category == NULL || s->category_repeat == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory");
    memcpy(s->category, category->data, V * sizeof *s->category);
    memcpy(s->category_repeat, rate->data, rate->count * sizeof *s->category_repeat);
    return PF_OK;
}

static pf_status read_popular(habit_shop *s, const safetensors *file, pf_error *err)
{
    const tensor_view *popular = NULL, *buyers = NULL, *users = NULL;
    pf_status status = safetensors_find(file, "popular", TENSOR_U32, 1, 0, &popular, err);
    if (status == PF_OK)
        status = safetensors_find(file, "buyers", TENSOR_U32, 0, 1, &buyers, err);
    if (status == PF_OK)
        status = safetensors_find(file, "users", TENSOR_U32, 0, 1, &users, err);
    if (status != PF_OK) return status;
    s->buyers = *(const uint32_t *)buyers->data;
    s->n_users = *(const uint32_t *)users->data;
    if (s->n_users > LIMIT_SHOPPERS || s->buyers > s->n_users ||
        popular->count > HABIT_POPULAR ||
        !below(popular->data, popular->count, s->n_products))
        return damaged(file, "shoppers", err);
    s->n_popular = (uint32_t)popular->count;
    memcpy(s->popular, popular->data, popular->count * sizeof *s->popular);
    return PF_OK;
}

static pf_status read_shoppers(habit_shop *s, const safetensors *file, pf_error *err)
{
    pf_status status =
        sparse_load(&s->taste, "taste", s->n_users, s->n_products, file, err);
    if (status == PF_OK)
        status = sparse_load(&s->lately, "lately", s->n_users, s->n_products, file, err);
    if (status != PF_OK) return status;
    if (!within(s->taste.value, s->taste.n, 0, 2) ||
        !within(s->lately.value, s->lately.n, 0, 1))
        return damaged(file, "tastes", err);
    return sparse_transpose(&s->taste, &s->takers, err);
}

pf_status habit_shop_load(habit_shop *s, uint32_t n_products, const safetensors *file,
                          pf_error *err)
{
    *s = (habit_shop){.n_products = n_products};
    pf_status status = read_products(s, file, err);
    if (status == PF_OK) status = read_categories(s, file, err);
    if (status == PF_OK) status = read_popular(s, file, err);
    if (status == PF_OK) status = read_shoppers(s, file, err);
    if (status != PF_OK) habit_shop_free(s);
    return status;
}
