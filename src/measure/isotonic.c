/*
 * Isotonic regression (measure/calibration.h). Rows sorted by score become blocks of
 * equal score; a block whose mean is not above the one before it is pooled with it, which
 * may undo the order further back, so the blocks form a stack. Of each block only its
 * first and last score stay as knots.
 */
#include "measure/calibration.h"

#include <math.h>

#include "base/memory.h"
#include "measure/order.h"

typedef struct block {
    double first_x, last_x;
    double weight, sum; /* of w and of w * y */
} block;

static double mean_of(const block *b)
{
    return b->sum / b->weight;
}

/* Puts b on the stack of n blocks and pools while the order is violated; new height. */
static size_t push_block(block *stack, size_t n, block b)
{
    while (n > 0 && mean_of(&stack[n - 1]) >= mean_of(&b)) {
        n--;
        b.first_x = stack[n].first_x;
        b.weight += stack[n].weight;
        b.sum += stack[n].sum;
    }
    stack[n] = b;
    return n + 1;
}

/* Blocks of the pooled rows into stack [n]; rows without weight count for nothing. */
static size_t pool_rows(const double *score, const uint8_t *y, const double *w,
                        const uint32_t *rows, size_t n, block *stack)
{
    size_t height = 0, i = 0;
    while (i < n) {
        double x = score[rows[i]];
        block b = {.first_x = x, .last_x = x};
        for (; i < n && score[rows[i]] == x; i++) {
            double weight = w ? w[rows[i]] : 1.0;
            b.weight += weight;
            b.sum += y[rows[i]] ? weight : 0.0;
        }
        if (b.weight > 0.0) height = push_block(stack, height, b);
    }
    return height;
}

static pf_status make_knots(isotonic *out, const block *stack, size_t height,
                            pf_error *err)
{
    out->x = mem_alloc(2 * height, sizeof *out->x);
    out->y = mem_alloc(2 * height, sizeof *out->y);
    if (!out->x || !out->y)
        return error_set(err, PF_NO_MEMORY, "no memory for %zu steps", height);
    for (size_t i = 0; i < height; i++) {
        double mean = mean_of(&stack[i]);
        out->x[out->n] = stack[i].first_x;
        out->y[out->n++] = mean;
        if (stack[i].last_x > stack[i].first_x) {
            out->x[out->n] = stack[i].last_x;
            out->y[out->n++] = mean;
        }
    }
    return PF_OK;
}

static pf_status check_scores(const double *score, size_t n, pf_error *err)
{
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(score[i]))
            return error_set(err, PF_DATA, "the score of row %zu is not finite", i);
    }
    return PF_OK;
}

pf_status isotonic_fit(isotonic *out, const double *score, const uint8_t *y,
                       const double *w, size_t n, pf_error *err)
{
    *out = (isotonic){0};
    pf_status status = check_scores(score, n, err);
    if (status != PF_OK) return status;
    uint32_t *rows = mem_alloc(n ? n : 1, sizeof *rows);
    block *stack = mem_alloc(n ? n : 1, sizeof *stack);
    if (!rows || !stack)
        status = error_set(err, PF_NO_MEMORY, "no memory for %zu rows", n);
    else
        status = order_rows(score, n, ORDER_ASCENDING, rows, err);
    if (status == PF_OK) {
        size_t height = pool_rows(score, y, w, rows, n, stack);
        if (height == 0)
            status = error_set(err, PF_DATA, "there are no rows to calibrate with");
        else
            status = make_knots(out, stack, height, err);
    }
    if (status != PF_OK) isotonic_free(out);
    mem_free(stack);
    mem_free(rows);
    return status;
}

double isotonic_apply(const isotonic *map, double score)
{
    if (isnan(score)) return NAN;
    if (score <= map->x[0]) return map->y[0];
    if (score >= map->x[map->n - 1]) return map->y[map->n - 1];
    size_t low = 0, high = map->n - 1; /* x[low] <= score < x[high] */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (map->x[middle] <= score)
            low = middle;
        else
            high = middle;
    }
    double share = (score - map->x[low]) / (map->x[high] - map->x[low]);
    return map->y[low] + share * (map->y[high] - map->y[low]);
}

void isotonic_free(isotonic *map)
{
    mem_free(map->x);
    mem_free(map->y);
    *map = (isotonic){0};
}
