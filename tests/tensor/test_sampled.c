/*
 * Losses over shared negatives against their naive twins in double precision, for every table
 * of kernels and both precisions; the twins' gradients against finite differences.
 */
#include <stdlib.h>

#include "tensor/loss_case.h"

typedef struct problem {
    sampled_loss kind;
    size_t R, V, D, n;
    double calibration;
    float scale, spread;
    bool corrected; /* log_expected is given */
    float *h, *m, *log_expected;
    uint32_t *target, *product;
} problem;

static problem problem_of(sampled_loss kind, size_t R, size_t V, size_t D, size_t n)
{
    return (problem){.kind = kind,
                     .R = R,
                     .V = V,
                     .D = D,
                     .n = n,
                     .calibration = 0.75,
                     .scale = 0.25F,
                     .spread = 2,
                     .corrected = kind == SAMPLED_SOFTMAX};
}

static int by_number(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Negatives with repeats; many of them are somebody's target. */
static void draw(problem *q, uint64_t seed)
{
    random_stream r = random_begin(seed, q->R * 1000003 + q->n * 1009 + q->D);
    q->h = random_floats(&r, q->R * q->D, (double)q->spread);
    q->m = random_floats(&r, q->V * q->D, 1 / sqrt((double)q->D));
    q->log_expected = random_floats(&r, q->n, 1);
    q->target = block_of(q->R, sizeof *q->target);
    q->product = block_of(q->n, sizeof *q->product);
    for (size_t i = 0; i < q->n; i++)
        q->product[i] = random_below(&r, (uint32_t)q->V);
    qsort(q->product, q->n, sizeof *q->product, by_number);
    for (size_t i = 0; i < q->R; i++)
        q->target[i] = i % 2 == 0 && q->n > 0
                           ? q->product[random_below(&r, (uint32_t)q->n)]
                           : random_below(&r, (uint32_t)q->V);
}

static void problem_free(problem *q)
{
    mem_free(q->h);
    mem_free(q->m);
    mem_free(q->log_expected);
    mem_free(q->target);
    mem_free(q->product);
}

/* ---- the twin ---- */

typedef struct answer {
    double loss;
    double *dh, *dm, *dh_size, *dm_size;
} answer;

static void answer_new(answer *a, const problem *q)
{
    const size_t RD = q->R * q->D, VD = q->V * q->D;
    double *block = mem_alloc_zero(2 * (RD + VD) + 1, sizeof *block);
    assert_non_null(block);
    *a = (answer){.dh = block,
                  .dh_size = block + RD,
                  .dm = block + 2 * RD,
                  .dm_size = block + 2 * RD + VD};
}

/* Loss of row r; slope[j] by the negatives' logits, slope[n] by the target's. */
static double softmax_row(const problem *q, double *z)
{
    double most = -INFINITY, sum = 0;
    for (size_t j = 0; j <= q->n; j++)
        most = fmax(most, z[j]);
    for (size_t j = 0; j <= q->n; j++)
        sum += exp(z[j] - most);
    const double loss = most + log(sum) - z[q->n];
    for (size_t j = 0; j <= q->n; j++)
        z[j] = exp(z[j] - most) / sum - (j == q->n ? 1 : 0);
    return loss;
}

static double gbce_row(const problem *q, double *z)
{
    const double a = (double)q->n / (double)(q->V - 1), t = q->calibration;
    const double beta = a * (t * (1 - 1 / a) + 1 / a);
    double loss = beta * log1p(exp(-z[q->n]));
    z[q->n] = -beta / (1 + exp(z[q->n]));
    for (size_t j = 0; j < q->n; j++) {
        loss += z[j] > 0 ? z[j] + log1p(exp(-z[j])) : log1p(exp(z[j]));
        z[j] = 1 / (1 + exp(-z[j]));
    }
    return loss;
}

static double twin_row(const problem *q, tensor_precision p, size_t r, double *slope)
{
    const float *h = q->h + r * q->D;
    for (size_t j = 0; j < q->n; j++) {
        slope[j] = seen_dot(p, q->D, h, q->m + q->product[j] * q->D);
        if (q->corrected) slope[j] -= (double)q->log_expected[j];
        if (q->product[j] == q->target[r]) slope[j] = -INFINITY;
    }
    slope[q->n] = seen_dot(TENSOR_FP32, q->D, h, q->m + q->target[r] * q->D);
    return q->kind == SAMPLED_GBCE ? gbce_row(q, slope) : softmax_row(q, slope);
}

static void twin(const problem *q, tensor_precision p, answer *a)
{
    double *slope = block_of(q->n + 1, sizeof *slope);
    a->loss = 0;
    for (size_t r = 0; r < q->R; r++) {
        a->loss += twin_row(q, p, r, slope);
        for (size_t j = 0; j <= q->n; j++) {
            const size_t v = j < q->n ? q->product[j] : q->target[r];
            const double s = slope[j] * (double)q->scale;
            for (size_t d = 0; d < q->D; d++) {
                const double h = (double)q->h[r * q->D + d],
                             m = (double)q->m[v * q->D + d];
                /* The target's slope p - 1 is a difference of terms about 1. */
                const double size = fabs(s) + (j == q->n ? (double)q->scale : 0);
                a->dh[r * q->D + d] += s * m;
                a->dh_size[r * q->D + d] += size * fabs(m);
                a->dm[v * q->D + d] += s * h;
                a->dm_size[v * q->D + d] += size * fabs(h);
            }
        }
    }
    mem_free(slope);
}

/* ---- the kernel ---- */

typedef struct result {
    double loss;
    float *dh, *dm;
    size_t RD, VD;
} result;

static result run(const problem *q, table_turn t)
{
    result out = {.RD = q->R * q->D, .VD = q->V * q->D};
    float *rows = block_of(q->n * q->D, sizeof *rows);
    for (size_t j = 0; j < q->n; j++)
        memcpy(rows + j * q->D, q->m + q->product[j] * q->D, q->D * sizeof *rows);
    void *scratch = scratch_of(sampled_scratch_bytes(t.k, t.p, q->n, q->D)),
         *forward = packed_of(t, q->D, q->n, rows, 1, q->D),
         *backward = packed_of(t, q->n, q->D, rows, q->D, 1);
    out.dh = block_of(out.RD, sizeof(float));
    out.dm = block_of(out.VD, sizeof(float));
    memset(out.dh, 0xFF, out.RD * sizeof(float));
    for (size_t i = 0; i < out.VD; i++)
        out.dm[i] = 0.5F;
    const negative_set s = {.n = q->n,
                            .product = q->product,
                            .log_expected = q->corrected ? q->log_expected : NULL,
                            .forward = forward,
                            .backward = backward,
                            .calibration = q->calibration,
                            .n_catalogue = q->V};
    mem_guard_enter();
    out.loss = sampled_loss_step(t.k, q->kind, t.p, &s, q->D, q->m, q->R, q->h, q->target,
                                 q->scale, out.dh, out.dm, scratch);
    mem_guard_leave();
    for (size_t i = 0; i < out.VD; i++)
        out.dm[i] -= 0.5F;
    mem_free(rows);
    mem_free(scratch);
    mem_free(forward);
    mem_free(backward);
    return out;
}

static void result_free(result *r)
{
    mem_free(r->dh);
    mem_free(r->dm);
}

static void compare(const problem *q, table_turn t)
{
    answer want;
    answer_new(&want, q);
    twin(q, t.p, &want);
    result got = run(q, t);
    const double logit = (double)q->spread * sqrt((double)q->D);
    const double room = 2e-6 * (10 + logit) * (double)q->R *
                        (q->kind == SAMPLED_GBCE ? 1 + (double)q->n : 1);
    if (!(fabs(got.loss - want.loss) <= room))
        fail_msg("%s, R %zu n %zu D %zu: loss %.9g, should be %.9g", t.k->name, q->R,
                 q->n, q->D, got.loss, want.loss);
    for (size_t i = 0; i < q->V * q->D; i++)
        want.dm_size[i] += 0.01; /* the filling of 0.5 costs digits */
    same_gradient("dh", t, got.RD, got.dh, want.dh, want.dh_size);
    same_gradient("dm", t, got.VD, got.dm, want.dm, want.dm_size);
    result_free(&got);
    mem_free(want.dh);
}

static void compare_everywhere(problem q, uint64_t seed)
{
    table_turn t;
    draw(&q, seed);
    for (size_t i = 0; table_turn_at(i, &t); i++)
        compare(&q, t);
    problem_free(&q);
}

/* ---- tests ---- */

static void shapes_agree(sampled_loss kind)
{
    static const size_t shapes[][4] = {
        {1, 2, 1, 1},     {1, 5, 3, 7},        {5, 30, 16, 47},   {24, 30, 16, 48},
        {25, 50, 33, 49}, {73, 40, 64, 191},   {50, 400, 8, 192}, {301, 900, 24, 193},
        {500, 70, 8, 31}, {33, 3000, 64, 1000}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        compare_everywhere(
            problem_of(kind, shapes[i][0], shapes[i][1], shapes[i][2], shapes[i][3]), 1);
}

static void softmax_agrees_with_the_twin(void **state)
{
    (void)state;
    shapes_agree(SAMPLED_SOFTMAX);
}

static void gbce_agrees_with_the_twin(void **state)
{
    (void)state;
    shapes_agree(SAMPLED_GBCE);
}

static void without_correction_softmax_agrees_with_the_twin(void **state)
{
    (void)state;
    problem q = problem_of(SAMPLED_SOFTMAX, 30, 40, 16, 60);
    q.corrected = false;
    compare_everywhere(q, 2);
}

static void every_calibration_agrees_with_the_twin(void **state)
{
    (void)state;
    for (int i = 0; i <= 4; i++) {
        problem q = problem_of(SAMPLED_GBCE, 30, 400, 16, 60);
        q.calibration = i / 4.0;
        compare_everywhere(q, 3);
    }
}

static void wide_logits_agree_with_the_twin(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        problem q = problem_of(kind ? SAMPLED_GBCE : SAMPLED_SOFTMAX, 60, 400, 4, 300);
        q.spread = 40;
        q.scale = 0.01F;
        compare_everywhere(q, 4);
    }
}

/* One product that every row takes: nothing is left of the negatives, and nothing to learn. */
static void negatives_that_are_all_the_target_are_left_out(void **state)
{
    (void)state;
    table_turn t;
    for (size_t i = 0; table_turn_at(i, &t); i++) {
        problem q = problem_of(SAMPLED_SOFTMAX, 9, 1, 8, 300);
        draw(&q, 5);
        result got = run(&q, t);
        assert_true(fabs(got.loss) < 1e-12);
        for (size_t j = 0; j < got.RD; j++)
            assert_true(got.dh[j] == 0);
        for (size_t j = 0; j < got.VD; j++)
            assert_true(got.dm[j] == 0);
        result_free(&got);
        problem_free(&q);
    }
}

static void without_negatives_only_the_target_counts(void **state)
{
    (void)state;
    table_turn t;
    for (size_t i = 0; table_turn_at(i, &t); i++) {
        problem q = problem_of(SAMPLED_SOFTMAX, 9, 20, 8, 0);
        draw(&q, 6);
        result got = run(&q, t);
        assert_true(fabs(got.loss) < 1e-12 && got.dh[0] == 0);
        result_free(&got);
        problem_free(&q);
    }
}

static void huge_logits_stay_finite(void **state)
{
    (void)state;
    table_turn t;
    for (size_t i = 0; table_turn_at(i, &t); i++)
        for (int kind = 0; kind < 2; kind++) {
            problem q =
                problem_of(kind ? SAMPLED_GBCE : SAMPLED_SOFTMAX, 40, 700, 4, 256);
            q.spread = 1e4F;
            draw(&q, 7);
            result got = run(&q, t);
            assert_true(isfinite(got.loss) && got.loss >= 0);
            for (size_t j = 0; j < got.RD; j++)
                assert_true(isfinite(got.dh[j]));
            for (size_t j = 0; j < got.VD; j++)
                assert_true(isfinite(got.dm[j]));
            result_free(&got);
            problem_free(&q);
        }
}

static void nan_or_infinity_in_gives_no_finite_loss(void **state)
{
    (void)state;
    table_turn t;
    for (size_t i = 0; table_turn_at(i, &t); i++)
        for (int kind = 0; kind < 2; kind++)
            for (int where = 0; where < 3; where++) {
                problem q =
                    problem_of(kind ? SAMPLED_GBCE : SAMPLED_SOFTMAX, 26, 60, 8, 256);
                draw(&q, 8);
                if (where == 0) q.h[25 * q.D + 3] = NAN;
                if (where == 1) q.m[q.product[255] * q.D] = NAN;
                if (where == 2) q.m[q.target[3] * q.D + 7] = NAN;
                result got = run(&q, t);
                assert_true(!isfinite(got.loss));
                result_free(&got);
                problem_free(&q);
            }
}

static void repeated_calls_give_the_same_bits(void **state)
{
    (void)state;
    table_turn t;
    for (size_t i = 0; table_turn_at(i, &t); i++)
        for (int kind = 0; kind < 2; kind++) {
            problem q =
                problem_of(kind ? SAMPLED_GBCE : SAMPLED_SOFTMAX, 300, 450, 24, 500);
            draw(&q, 9);
            result a = run(&q, t), b = run(&q, t);
            assert_memory_equal(&a.loss, &b.loss, sizeof a.loss);
            assert_memory_equal(a.dh, b.dh, a.RD * sizeof(float));
            assert_memory_equal(a.dm, b.dm, a.VD * sizeof(float));
            result_free(&a);
            result_free(&b);
            problem_free(&q);
        }
}

static double twin_loss(const problem *q)
{
    double *slope = block_of(q->n + 1, sizeof *slope), loss = 0;
    for (size_t r = 0; r < q->R; r++)
        loss += twin_row(q, TENSOR_FP32, r, slope);
    mem_free(slope);
    return loss;
}

/* Central difference of the twin's loss when one of its inputs moves. */
static double slope_of(const problem *q, float *x)
{
    const float at = *x, up = at + 0.0078125F, down = at - 0.0078125F;
    *x = up;
    double rise = twin_loss(q);
    *x = down;
    rise -= twin_loss(q);
    *x = at;
    return rise / ((double)up - (double)down);
}

static void the_twins_have_the_slope_of_their_losses(void **state)
{
    (void)state;
    for (int kind = 0; kind < 2; kind++) {
        problem q = problem_of(kind ? SAMPLED_GBCE : SAMPLED_SOFTMAX, 6, 12, 5, 9);
        q.scale = 1;
        draw(&q, 10);
        answer a;
        answer_new(&a, &q);
        twin(&q, TENSOR_FP32, &a);
        for (size_t i = 0; i < q.R * q.D; i++)
            assert_true(fabs(slope_of(&q, q.h + i) - a.dh[i]) < 1e-4);
        for (size_t i = 0; i < q.V * q.D; i++)
            assert_true(fabs(slope_of(&q, q.m + i) - a.dm[i]) < 2e-3);
        mem_free(a.dh);
        problem_free(&q);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_twins_have_the_slope_of_their_losses),
        cmocka_unit_test(softmax_agrees_with_the_twin),
        cmocka_unit_test(gbce_agrees_with_the_twin),
        cmocka_unit_test(without_correction_softmax_agrees_with_the_twin),
        cmocka_unit_test(every_calibration_agrees_with_the_twin),
        cmocka_unit_test(wide_logits_agree_with_the_twin),
        cmocka_unit_test(negatives_that_are_all_the_target_are_left_out),
        cmocka_unit_test(without_negatives_only_the_target_counts),
        cmocka_unit_test(huge_logits_stay_finite),
        cmocka_unit_test(nan_or_infinity_in_gives_no_finite_loss),
        cmocka_unit_test(repeated_calls_give_the_same_bits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
