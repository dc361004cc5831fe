/*
 * Whole-catalogue cross-entropy against its naive twin in double precision, for every table of
 * kernels and both precisions; the twin's own gradients against finite differences.
 */
#include "tensor/loss_case.h"

typedef struct problem {
    size_t R, V, D;
    float scale, smoothing, spread; /* of states; of products 1 / sqrt(D) */
    bool bias;
    float *h, *m, *b;
    uint32_t *target;
    const loss_omissions *omit; /* or NULL */
} problem;

/* Everything a call sets or adds to, and for the twin the sizes of the terms. */
typedef struct answer {
    double loss;
    double *dh, *dm, *db, *dh_size, *dm_size, *db_size;
} answer;

static problem problem_of(size_t R, size_t V, size_t D)
{
    return (problem){.R = R, .V = V, .D = D, .scale = 0.25F, .spread = 2};
}

static void draw(problem *q, uint64_t seed)
{
    random_stream r = random_begin(seed, q->R * 1000003 + q->V * 1009 + q->D);
    q->h = random_floats(&r, q->R * q->D, (double)q->spread);
    q->m = random_floats(&r, q->V * q->D, 1 / sqrt((double)q->D));
    q->b = random_floats(&r, q->V, 1);
    q->target = block_of(q->R, sizeof *q->target);
    for (size_t i = 0; i < q->R; i++)
        q->target[i] = i % 3 == 0   ? 0
                       : i % 3 == 1 ? (uint32_t)q->V - 1
                                    : random_below(&r, (uint32_t)q->V);
}

static void problem_free(problem *q)
{
    mem_free(q->h);
    mem_free(q->m);
    mem_free(q->b);
    mem_free(q->target);
}

/* ---- the twin ---- */

static void answer_new(answer *a, const problem *q)
{
    const size_t RD = q->R * q->D, VD = q->V * q->D;
    double *block = mem_alloc_zero(2 * (RD + VD + q->V) + 1, sizeof *block);
    assert_non_null(block);
    *a = (answer){.dh = block,
                  .dh_size = block + RD,
                  .dm = block + 2 * RD,
                  .dm_size = block + 2 * RD + VD,
                  .db = block + 2 * (RD + VD),
                  .db_size = block + 2 * (RD + VD) + q->V};
}

static bool is_left_out(const problem *q, size_t r, size_t v)
{
    const loss_omissions *o = q->omit;
    if (o == NULL || v == q->target[r]) return false;
    for (uint64_t i = o->from[o->set[r]]; i < o->end[o->set[r]]; i++)
        if (o->products[i] == v) return true;
    return false;
}

static double twin_row(const problem *q, tensor_precision p, size_t r, double *z)
{
    double most = -INFINITY, sum = 0, expected = 0;
    for (size_t v = 0; v < q->V; v++) {
        z[v] = seen_dot(p, q->D, q->h + r * q->D, q->m + v * q->D) +
               (q->bias ? (double)q->b[v] : 0);
        if (is_left_out(q, r, v)) z[v] = -INFINITY;
        if (z[v] > most) most = z[v];
    }
    for (size_t v = 0; v < q->V; v++) {
        const double s = (double)q->smoothing;
        const double share = s / (double)q->V + (v == q->target[r] ? 1 - s : 0);
        if (share > 0) expected += share * z[v];
        sum += exp(z[v] - most);
    }
    for (size_t v = 0; v < q->V; v++)
        z[v] = exp(z[v] - most) / sum;
    return most + log(sum) - expected;
}

static void twin(const problem *q, tensor_precision p, answer *a)
{
    double *z = block_of(q->V, sizeof *z);
    a->loss = 0;
    for (size_t r = 0; r < q->R; r++) {
        a->loss += twin_row(q, p, r, z);
        for (size_t v = 0; v < q->V; v++) {
            const double s = (double)q->smoothing, c = (double)q->scale;
            const double want = s / (double)q->V + (v == q->target[r] ? 1 - s : 0);
            a->db[v] += c * (z[v] - want);
            a->db_size[v] += c * (z[v] + want);
            for (size_t d = 0; d < q->D; d++) {
                const double h = (double)q->h[r * q->D + d],
                             m = (double)q->m[v * q->D + d];
                a->dh[r * q->D + d] += c * (z[v] - want) * m;
                a->dh_size[r * q->D + d] += c * (z[v] + want) * fabs(m);
                a->dm[v * q->D + d] += c * (z[v] - want) * h;
                a->dm_size[v * q->D + d] += c * (z[v] + want) * fabs(h);
            }
        }
    }
    mem_free(z);
}

/* ---- the kernel ---- */

typedef struct result {
    double loss;
    float *dh, *dm, *db;
    size_t RD, VD, V;
} result;

/* dm and db begin with a known filling, dh with NaN. */
static result run(const problem *q, table_turn t)
{
    result out = {.RD = q->R * q->D, .VD = q->V * q->D, .V = q->V};
    const size_t bytes = cross_entropy_scratch_bytes(t.k, t.p, q->V, q->D);
    void *scratch = scratch_of(bytes), *forward = packed_of(t, q->D, q->V, q->m, 1, q->D),
         *backward = packed_of(t, q->V, q->D, q->m, q->D, 1);
    out.dh = block_of(out.RD, sizeof(float));
    out.dm = block_of(out.VD, sizeof(float));
    out.db = block_of(out.V, sizeof(float));
    memset(out.dh, 0xFF, out.RD * sizeof(float));
    for (size_t i = 0; i < out.VD; i++)
        out.dm[i] = 0.5F;
    for (size_t i = 0; i < out.V; i++)
        out.db[i] = -0.5F;
    const catalogue_operand c = {.precision = t.p,
                                 .V = q->V,
                                 .D = q->D,
                                 .m = q->m,
                                 .forward = forward,
                                 .backward = backward,
                                 .bias = q->bias ? q->b : NULL};
    mem_guard_enter();
    out.loss = cross_entropy(t.k, &c, q->R, q->h, q->target, q->omit, q->scale, q->smoothing,
                             out.dh, out.dm, q->bias ? out.db : NULL, scratch);
    mem_guard_leave();
    for (size_t i = 0; i < out.VD; i++)
        out.dm[i] -= 0.5F;
    for (size_t i = 0; i < out.V; i++)
        out.db[i] += 0.5F;
    mem_free(scratch);
    mem_free(forward);
    mem_free(backward);
    return out;
}

static void result_free(result *r)
{
    mem_free(r->dh);
    mem_free(r->dm);
    mem_free(r->db);
}

/* The filling of 0.5 costs digits of small gradients. */
static void widen(double *size, size_t n)
{
    for (size_t i = 0; i < n; i++)
        size[i] += 0.01;
}

/* And rounded logits change every weight by a share. */
static void widen_by(answer *a, const problem *q, double share)
{
    for (size_t i = 0; i < q->R * q->D; i++)
        a->dh_size[i] *= 1 + share / 2e-5;
    for (size_t i = 0; i < q->V * q->D; i++)
        a->dm_size[i] *= 1 + share / 2e-5;
}

static void compare(const problem *q, table_turn t)
{
    answer want;
    answer_new(&want, q);
    twin(q, t.p, &want);
    widen(want.dm_size, q->V * q->D);
    widen(want.db_size, q->V);
    result got = run(q, t);
    /* The logits' own rounding grows with their terms. */
    const double logit = (double)q->spread * sqrt((double)q->D);
    const double room = 1e-6 * (double)q->R * (10 + logit + log((double)q->V));
    widen_by(&want, q, 1e-6 * logit);
    if (!(fabs(got.loss - want.loss) <= room))
        fail_msg("%s, R %zu V %zu D %zu: loss %.9g, should be %.9g", t.k->name, q->R,
                 q->V, q->D, got.loss, want.loss);
    same_gradient("dh", t, got.RD, got.dh, want.dh, want.dh_size);
    same_gradient("dm", t, got.VD, got.dm, want.dm, want.dm_size);
    if (q->bias) same_gradient("db", t, got.V, got.db, want.db, want.db_size);
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

static void every_shape_agrees_with_the_twin(void **state)
{
    (void)state;
    static const size_t R[] = {1, 2, 5, 23, 24, 25, 49},
                        V[] = {1, 2, 3, 31, 47, 48, 49, 191}, D[] = {1, 2, 7, 16, 33, 64};
    for (size_t r = 0; r < sizeof R / sizeof *R; r++)
        for (size_t v = 0; v < sizeof V / sizeof *V; v++)
            for (size_t d = 0; d < sizeof D / sizeof *D; d++)
                compare_everywhere(problem_of(R[r], V[v], D[d]), 1);
}

static void many_chunks_and_tiles_agree_with_the_twin(void **state)
{
    (void)state;
    static const size_t shapes[][3] = {{49, 192, 64},  {50, 193, 64},  {301, 385, 24},
                                       {601, 97, 16},  {73, 1999, 64}, {31, 1001, 128},
                                       {3, 5003, 65},  {241, 577, 17}, {500, 1, 8},
                                       {97, 2400, 20}, {7, 12101, 9},  {481, 191, 8}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        compare_everywhere(problem_of(shapes[i][0], shapes[i][1], shapes[i][2]), 2);
}

static void bias_and_smoothing_agree_with_the_twin(void **state)
{
    (void)state;
    static const size_t shapes[][3] = {
        {1, 1, 1}, {5, 49, 16}, {75, 400, 33}, {260, 213, 64}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (unsigned with = 1; with < 4; with++) {
            problem q = problem_of(shapes[i][0], shapes[i][1], shapes[i][2]);
            q.bias = with & 1;
            q.smoothing = with & 2 ? 0.125F : 0;
            compare_everywhere(q, 3 + with);
        }
}

enum { OMISSION_SETS = 5 };

/* Sets: nobody's, all products, a third of them, one product twice, the first and the last. */
typedef struct omission_case {
    uint64_t from[OMISSION_SETS], end[OMISSION_SETS];
    uint32_t *set, *products;
    loss_omissions omit;
} omission_case;

static void omission_case_new(omission_case *o, const problem *q)
{
    uint32_t V = (uint32_t)q->V, n = 0;
    o->products = block_of(2 * q->V + 4, sizeof *o->products);
    o->set = block_of(q->R, sizeof *o->set);
    o->from[0] = o->end[0] = 0;
    o->from[1] = n;
    for (uint32_t v = 0; v < V; v++)
        o->products[n++] = v;
    o->end[1] = o->from[2] = n;
    for (uint32_t v = 1; v < V; v += 3)
        o->products[n++] = v;
    o->end[2] = o->from[3] = n;
    o->products[n++] = V / 2;
    o->products[n++] = V / 2;
    o->end[3] = o->from[4] = n;
    o->products[n++] = 0;
    o->products[n++] = V - 1;
    o->end[4] = n;
    for (size_t r = 0; r < q->R; r++)
        o->set[r] = (uint32_t)(r % OMISSION_SETS);
    o->omit = (loss_omissions){o->set, o->from, o->end, o->products};
}

static void what_is_left_out_agrees_with_the_twin(void **state)
{
    (void)state;
    static const size_t shapes[][3] = {{7, 2, 3},     {25, 48, 16},  {24, 192, 8},
                                       {75, 400, 33}, {260, 577, 64}, {501, 1999, 16}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        omission_case o;
        table_turn t;
        problem q = problem_of(shapes[i][0], shapes[i][1], shapes[i][2]);
        draw(&q, 11);
        omission_case_new(&o, &q);
        q.omit = &o.omit;
        for (size_t at = 0; table_turn_at(at, &t); at++)
            compare(&q, t);
        mem_free(o.products);
        mem_free(o.set);
        problem_free(&q);
    }
}

/* A row that leaves out all but its target has nothing to learn. */
static void only_the_target_left_is_no_loss_and_no_gradient(void **state)
{
    (void)state;
    table_turn t;
    for (size_t i = 0; table_turn_at(i, &t); i++) {
        omission_case o;
        problem q = problem_of(30, 500, 8);
        draw(&q, 12);
        omission_case_new(&o, &q);
        for (size_t r = 0; r < q.R; r++)
            o.set[r] = 1;
        q.omit = &o.omit;
        result got = run(&q, t);
        assert_true(fabs(got.loss) <= 1e-4 * (double)q.R);
        for (size_t j = 0; j < got.RD; j++)
            assert_true(fabsf(got.dh[j]) <= 0.05F);
        result_free(&got);
        mem_free(o.products);
        mem_free(o.set);
        problem_free(&q);
    }
}

/* Logits of +-50 and more move the references within a row, chunk by chunk. */
static void wide_logits_agree_with_the_twin(void **state)
{
    (void)state;
    static const float spreads[] = {20, 60, 200};
    for (size_t i = 0; i < sizeof spreads / sizeof *spreads; i++) {
        problem q = problem_of(53, 1500, 16);
        q.spread = spreads[i];
        q.scale = 0.01F;
        compare_everywhere(q, 7);
    }
}

/* The softmax does not feel what all logits have in common, not even 1,000. */
static void a_common_shift_of_logits_changes_nothing(void **state)
{
    (void)state;
    table_turn t;
    for (size_t i = 0; table_turn_at(i, &t); i++)
        for (int shift = -1000; shift <= 1000; shift += 1000) {
            problem q = problem_of(30, 500, 8);
            q.bias = true;
            draw(&q, 8);
            for (size_t v = 0; v < q.V; v++)
                q.b[v] = (float)shift;
            answer want;
            answer_new(&want, &q);
            twin(&q, t.p, &want);
            result got = run(&q, t);
            assert_true(fabs(got.loss - want.loss) <= 2e-3 * (double)q.R);
            for (size_t j = 0; j < got.RD; j++)
                assert_true(fabs((double)got.dh[j] - want.dh[j]) <=
                            (tolerance_of(t.p) + 2e-4) * want.dh_size[j]);
            result_free(&got);
            mem_free(want.dh);
            problem_free(&q);
        }
}

static void huge_logits_stay_finite(void **state)
{
    (void)state;
    static const float sizes[] = {50, 1e2F, 3e5F}; /* logits to +-1e4, 4e4, 3.6e11 */
    table_turn t;
    for (size_t i = 0; table_turn_at(i, &t); i++)
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
            problem q = problem_of(40, 700, 4);
            draw(&q, 9);
            for (size_t j = 0; j < q.R * q.D; j++)
                q.h[j] = q.h[j] < 0 ? -sizes[s] : sizes[s];
            for (size_t j = 0; j < q.V * q.D; j++)
                q.m[j] = q.m[j] < 0 ? -sizes[s] : sizes[s];
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
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    table_turn t;
    for (size_t i = 0; table_turn_at(i, &t); i++)
        for (size_t kind = 0; kind < 3; kind++)
            for (size_t where = 0; where < 3; where++) {
                problem q = problem_of(26, 400, 8);
                q.bias = true;
                draw(&q, 10);
                if (where == 0) q.h[25 * q.D + 3] = bad[kind];
                if (where == 1) q.m[399 * q.D] = bad[kind];
                if (where == 2) q.b[201] = bad[kind];
                result got = run(&q, t);
                /* A product that no row can take is not an error of the numbers. */
                if (where != 2 || kind != 2) assert_true(!isfinite(got.loss));
                result_free(&got);
                problem_free(&q);
            }
}

static void repeated_calls_give_the_same_bits(void **state)
{
    (void)state;
    table_turn t;
    for (size_t i = 0; table_turn_at(i, &t); i++) {
        problem q = problem_of(300, 450, 24);
        q.bias = true;
        q.smoothing = 0.1F;
        draw(&q, 11);
        result a = run(&q, t), b = run(&q, t);
        assert_memory_equal(&a.loss, &b.loss, sizeof a.loss);
        assert_memory_equal(a.dh, b.dh, a.RD * sizeof(float));
        assert_memory_equal(a.dm, b.dm, a.VD * sizeof(float));
        assert_memory_equal(a.db, b.db, a.V * sizeof(float));
        result_free(&a);
        result_free(&b);
        problem_free(&q);
    }
}

static void without_gradients_the_loss_is_the_same(void **state)
{
    (void)state;
    table_turn t;
    for (size_t i = 0; table_turn_at(i, &t); i++) {
        problem q = problem_of(130, 450, 24);
        draw(&q, 12);
        result full = run(&q, t);
        void *scratch = scratch_of(cross_entropy_scratch_bytes(t.k, t.p, q.V, q.D)),
             *forward = packed_of(t, q.D, q.V, q.m, 1, q.D);
        const catalogue_operand c = {
            .precision = t.p, .V = q.V, .D = q.D, .m = q.m, .forward = forward};
        const double loss = cross_entropy(t.k, &c, q.R, q.h, q.target, NULL, q.scale, 0, NULL,
                                          NULL, NULL, scratch);
        assert_memory_equal(&loss, &full.loss, sizeof loss);
        assert_true(cross_entropy(t.k, &c, 0, q.h, q.target, NULL, q.scale, 0, NULL, NULL, NULL,
                                  scratch) == 0);
        mem_free(scratch);
        mem_free(forward);
        result_free(&full);
        problem_free(&q);
    }
}

/* Central difference of the twin's loss when one of its inputs moves. */
static double slope_of(const problem *q, float *x)
{
    const float at = *x, up = at + 0.0078125F, down = at - 0.0078125F;
    double *z = block_of(q->V, sizeof *z), rise = 0;
    *x = up;
    for (size_t r = 0; r < q->R; r++)
        rise += twin_row(q, TENSOR_FP32, r, z);
    *x = down;
    for (size_t r = 0; r < q->R; r++)
        rise -= twin_row(q, TENSOR_FP32, r, z);
    *x = at;
    mem_free(z);
    return rise / ((double)up - (double)down);
}

static void the_twin_has_the_slope_of_its_loss(void **state)
{
    (void)state;
    problem q = problem_of(6, 20, 5);
    q.bias = true;
    q.smoothing = 0.2F;
    q.scale = 1;
    draw(&q, 13);
    answer a;
    answer_new(&a, &q);
    twin(&q, TENSOR_FP32, &a);
    for (size_t i = 0; i < q.R * q.D; i++)
        assert_true(fabs(slope_of(&q, q.h + i) - a.dh[i]) < 2e-5);
    for (size_t i = 0; i < q.V * q.D; i++)
        assert_true(fabs(slope_of(&q, q.m + i) - a.dm[i]) < 2e-3);
    for (size_t i = 0; i < q.V; i++)
        assert_true(fabs(slope_of(&q, q.b + i) - a.db[i]) < 2e-5);
    mem_free(a.dh);
    problem_free(&q);
}

static void squared_errors_and_their_slopes(void **state)
{
    (void)state;
    const float y[4] = {1, 2, -3, 0}, t[4] = {0, 2, 1, 0.5F};
    float dy[4];
    assert_true(squared_error(4, y, t, 0.25F, dy) == 1 + 16 + 0.25);
    assert_true(dy[0] == 0.5F && dy[1] == 0 && dy[2] == -2 && dy[3] == -0.25F);
    assert_true(squared_error(0, y, t, 1, dy) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_twin_has_the_slope_of_its_loss),
        cmocka_unit_test(every_shape_agrees_with_the_twin),
        cmocka_unit_test(many_chunks_and_tiles_agree_with_the_twin),
        cmocka_unit_test(bias_and_smoothing_agree_with_the_twin),
        cmocka_unit_test(what_is_left_out_agrees_with_the_twin),
        cmocka_unit_test(only_the_target_left_is_no_loss_and_no_gradient),
        cmocka_unit_test(wide_logits_agree_with_the_twin),
        cmocka_unit_test(a_common_shift_of_logits_changes_nothing),
        cmocka_unit_test(huge_logits_stay_finite),
        cmocka_unit_test(nan_or_infinity_in_gives_no_finite_loss),
        cmocka_unit_test(repeated_calls_give_the_same_bits),
        cmocka_unit_test(without_gradients_the_loss_is_the_same),
        cmocka_unit_test(squared_errors_and_their_slopes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
