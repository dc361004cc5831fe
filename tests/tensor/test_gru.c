/*
 * The gated recurrent unit against torch.nn.GRU's values (a tiny model, whole), against a twin
 * in double precision, and its gradients against central differences of that twin.
 */
#include "tensor/gru.h"

#include <math.h>
#include <string.h>

#include "check.h"

enum { SEQUENCES_MAX = 8 };

static void fill(float *x, size_t n, uint64_t salt, double size)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(size * (golden_unit(i, salt) - 0.5));
}

static float *floats(size_t n)
{
    float *x = mem_alloc_aligned(n + 1, sizeof *x);
    assert_non_null(x);
    return memset(x, 0x7F, (n + 1) * sizeof *x); /* 3.4e38: what is not set is seen */
}

static void assert_near(double got, double wanted, double tolerance, const char *what, size_t at)
{
    if (fabs(got - wanted) <= tolerance) return;
    fail_msg("%s[%zu]: %.9g, wanted %.9g", what, at, got, wanted);
}

/* ---- one pack ---- */

typedef struct problem {
    const tensor_kernels *k;
    gru_shape shape;
    uint32_t offset[SEQUENCES_MAX + 1];
    size_t R, G;
    float *gates_in, *wh, *bh, *h, *kept, *dh, *dgates_in, *dwh, *dbh;
    void *forward, *backward, *scratch;
} problem;

/* length: until 0. */
static problem problem_make(const tensor_kernels *k, tensor_precision precision, size_t G,
                            const uint32_t *length)
{
    problem p = {.k = k, .G = G};
    size_t n = 0;
    for (; length[n] > 0; n++)
        p.offset[n + 1] = p.offset[n] + length[n];
    p.R = p.offset[n];
    p.shape = (gru_shape){.n_sequences = n, .hidden = G, .precision = precision};
    p.gates_in = floats(p.R * 3 * G);
    p.wh = floats(3 * G * G);
    p.bh = floats(3 * G);
    p.h = floats(p.R * G);
    p.kept = floats(p.R * 4 * G);
    p.dh = floats(p.R * G);
    p.dgates_in = floats(p.R * 3 * G);
    p.dwh = floats(3 * G * G);
    p.dbh = floats(3 * G);
    p.forward = mem_alloc_aligned(k->packed_bytes(precision, G, 3 * G), 1);
    p.backward = mem_alloc_aligned(k->packed_bytes(precision, 3 * G, G), 1);
    p.scratch = mem_alloc_aligned(gru_scratch_bytes(k, G, p.R, n), 1);
    assert_true(p.forward && p.backward && p.scratch);
    fill(p.gates_in, p.R * 3 * G, 1, 3);
    fill(p.wh, 3 * G * G, 2, 2 / sqrt((double)G));
    fill(p.bh, 3 * G, 3, 1);
    fill(p.dh, p.R * G, 4, 2);
    memset(p.dwh, 0, 3 * G * G * sizeof *p.dwh);
    memset(p.dbh, 0, 3 * G * sizeof *p.dbh);
    return p;
}

static void problem_free(problem *p)
{
    float *all[] = {p->gates_in, p->wh,        p->bh,  p->h,  p->kept,
                    p->dh,       p->dgates_in, p->dwh, p->dbh};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        mem_free(all[i]);
    mem_free(p->forward);
    mem_free(p->backward);
    mem_free(p->scratch);
}

static void run_forward(problem *p)
{
    p->shape.offset = p->offset;
    mem_guard_enter();
    p->k->pack(p->shape.precision, p->G, 3 * p->G, p->wh, 1, p->G, p->forward);
    gru_forward(p->k, &p->shape, p->gates_in, p->forward, p->bh, p->h, p->kept, p->scratch);
    mem_guard_leave();
}

static void run_backward(problem *p)
{
    mem_guard_enter();
    p->k->pack(p->shape.precision, 3 * p->G, p->G, p->wh, p->G, 1, p->backward);
    gru_backward(p->k, &p->shape, p->h, p->kept, p->backward, p->dh, p->dgates_in, p->dwh,
                 p->dbh, p->scratch);
    mem_guard_leave();
}

/* ---- the twin ---- */

typedef struct twin {
    size_t n_sequences, G;
    const uint32_t *offset;
    double *gates_in, *wh, *bh, *h;
} twin;

static double twin_sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double twin_hidden(const twin *t, size_t gate, const double *before)
{
    double u = t->bh[gate];
    for (size_t g = 0; g < t->G && before; g++)
        u += t->wh[gate * t->G + g] * before[g];
    return u;
}

static void twin_forward(const twin *t)
{
    const size_t G = t->G;
    for (size_t s = 0; s < t->n_sequences; s++)
        for (size_t i = t->offset[s]; i < t->offset[s + 1]; i++) {
            const double *before = i > t->offset[s] ? t->h + (i - 1) * G : NULL;
            const double *a = t->gates_in + i * 3 * G;
            for (size_t g = 0; g < G; g++) {
                const double r = twin_sigmoid(a[g] + twin_hidden(t, g, before));
                const double z = twin_sigmoid(a[G + g] + twin_hidden(t, G + g, before));
                const double n = tanh(a[2 * G + g] + r * twin_hidden(t, 2 * G + g, before));
                t->h[i * G + g] = (1 - z) * n + z * (before ? before[g] : 0);
            }
        }
}

static double *as_doubles(size_t n, const float *x)
{
    double *d = mem_alloc(n + 1, sizeof *d);
    assert_non_null(d);
    for (size_t i = 0; i < n; i++)
        d[i] = (double)x[i];
    return d;
}

static twin twin_make(const problem *p)
{
    return (twin){p->shape.n_sequences,
                  p->G,
                  p->offset,
                  as_doubles(p->R * 3 * p->G, p->gates_in),
                  as_doubles(3 * p->G * p->G, p->wh),
                  as_doubles(3 * p->G, p->bh),
                  as_doubles(p->R * p->G, p->h)};
}

static void twin_free(twin *t)
{
    mem_free(t->gates_in);
    mem_free(t->wh);
    mem_free(t->bh);
    mem_free(t->h);
}

static double twin_loss(const twin *t, const problem *p)
{
    double loss = 0;
    twin_forward(t);
    for (size_t i = 0; i < p->R * p->G; i++)
        loss += t->h[i] * (double)p->dh[i];
    return loss;
}

static double difference(double *x, const twin *t, const problem *p)
{
    const double at = *x, step = 1e-5;
    *x = at + step;
    const double up = twin_loss(t, p);
    *x = at - step;
    const double down = twin_loss(t, p);
    *x = at;
    return (up - down) / (2 * step);
}

/* ---- against the twin ---- */

static void check_forward(const tensor_kernels *k, tensor_precision precision, size_t G,
                          const uint32_t *length, double tolerance)
{
    problem p = problem_make(k, precision, G, length);
    run_forward(&p);
    twin t = twin_make(&p);
    twin_forward(&t);
    for (size_t i = 0; i < p.R * G; i++)
        assert_near((double)p.h[i], t.h[i], tolerance, k->name, i);
    twin_free(&t);
    problem_free(&p);
}

static void test_forward_is_the_formula(void **state)
{
    (void)state;
    static const uint32_t lengths[][SEQUENCES_MAX] = {
        {1}, {7}, {3, 1, 9, 9, 2}, {1, 1, 1}, {40, 2, 17}};
    static const size_t widths[] = {1, 5, 8, 33, 64};
    const tensor_kernels *k;
    for (size_t n = 0; (k = kernels_at(n)) != NULL; n++)
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
            for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++) {
                check_forward(k, TENSOR_FP32, widths[w], lengths[l], 3e-6);
                if (k->bf16) check_forward(k, TENSOR_BF16, widths[w], lengths[l], 3e-2);
            }
}

static void check_differences(const tensor_kernels *k, size_t G, const uint32_t *length)
{
    problem p = problem_make(k, TENSOR_FP32, G, length);
    run_forward(&p);
    run_backward(&p);
    twin t = twin_make(&p);
    for (size_t i = 0; i < p.R * 3 * G; i++)
        assert_near((double)p.dgates_in[i], difference(&t.gates_in[i], &t, &p), 1e-5,
                    "dgates_in", i);
    for (size_t i = 0; i < 3 * G * G; i++)
        assert_near((double)p.dwh[i], difference(&t.wh[i], &t, &p), 2e-5, "dwh", i);
    for (size_t i = 0; i < 3 * G; i++)
        assert_near((double)p.dbh[i], difference(&t.bh[i], &t, &p), 2e-5, "dbh", i);
    twin_free(&t);
    problem_free(&p);
}

static void test_gradients_are_central_differences(void **state)
{
    (void)state;
    static const uint32_t lengths[][SEQUENCES_MAX] = {{1}, {6}, {2, 5, 1, 5}};
    static const size_t widths[] = {1, 5, 9};
    const tensor_kernels *k;
    for (size_t n = 0; (k = kernels_at(n)) != NULL; n++)
        for (size_t w = 0; w < sizeof widths / sizeof *widths; w++)
            for (size_t l = 0; l < sizeof lengths / sizeof *lengths; l++)
                check_differences(k, widths[w], lengths[l]);
}

/* ---- what else is promised ---- */

static void test_gradients_of_weights_are_added(void **state)
{
    (void)state;
    const uint32_t length[SEQUENCES_MAX] = {4, 2};
    const tensor_kernels *k = kernels_choose(NULL);
    problem a = problem_make(k, TENSOR_FP32, 6, length);
    problem b = problem_make(k, TENSOR_FP32, 6, length);
    for (size_t i = 0; i < 3 * 6; i++)
        b.dbh[i] = b.dwh[i] = 50;
    run_forward(&a);
    run_backward(&a);
    run_forward(&b);
    run_backward(&b);
    for (size_t i = 0; i < 3 * 6; i++) {
        assert_near((double)b.dbh[i], 50 + (double)a.dbh[i], 1e-4, "dbh", i);
        assert_near((double)b.dwh[i], 50 + (double)a.dwh[i], 1e-4, "dwh", i);
    }
    problem_free(&a);
    problem_free(&b);
}

static void test_the_same_call_gives_the_same_bits(void **state)
{
    (void)state;
    const uint32_t length[SEQUENCES_MAX] = {11, 3, 30, 1, 30};
    const tensor_kernels *k;
    for (size_t n = 0; (k = kernels_at(n)) != NULL; n++) {
        problem a = problem_make(k, TENSOR_FP32, 24, length);
        problem b = problem_make(k, TENSOR_FP32, 24, length);
        memset(b.scratch, 0xFF, gru_scratch_bytes(k, 24, b.R, 5));
        run_forward(&a);
        run_backward(&a);
        run_forward(&b);
        run_backward(&b);
        assert_memory_equal(a.h, b.h, a.R * 24 * sizeof *a.h);
        assert_memory_equal(a.dgates_in, b.dgates_in, a.R * 72 * sizeof *a.h);
        assert_memory_equal(a.dwh, b.dwh, (size_t)72 * 24 * sizeof *a.h);
        problem_free(&a);
        problem_free(&b);
    }
}

/* Sequences do not meet: one alone gives what it gives in a pack. */
static void test_a_sequence_does_not_see_its_neighbours(void **state)
{
    (void)state;
    const uint32_t pack[SEQUENCES_MAX] = {5, 9, 3}, alone[SEQUENCES_MAX] = {9};
    const tensor_kernels *k = kernels_choose(NULL);
    problem a = problem_make(k, TENSOR_FP32, 12, pack);
    problem b = problem_make(k, TENSOR_FP32, 12, alone);
    memcpy(b.gates_in, a.gates_in + (size_t)5 * 36, (size_t)9 * 36 * sizeof *a.h);
    run_forward(&a);
    run_forward(&b);
    for (size_t i = 0; i < (size_t)9 * 12; i++)
        assert_near((double)b.h[i], (double)a.h[(size_t)5 * 12 + i], 1e-6, "h", i);
    problem_free(&a);
    problem_free(&b);
}

/* ---- torch.nn.GRU ---- */

/* A tiny model with cross-entropy over products, computed by torch 2.15 in double precision:
 * embedding 6, hidden 8, 9 products, one sequence; parameters from the generator of check.h,
 * weight_ih, weight_hh, bias_ih, bias_hh = 0.6 (u - 0.5) with salts 201..204, embedding and
 * output matrix 0.8 (u - 0.5) with salts 205, 206. */
enum { GOLDEN_D = 6, GOLDEN_G = 8, GOLDEN_V = 9, GOLDEN_T = 6 };
static const unsigned golden_sequence[GOLDEN_T + 1] = {2, 5, 0, 8, 3, 3, 7};
#include "golden/gru_values.h"

typedef struct golden {
    problem p;
    float wi[3 * GOLDEN_G * GOLDEN_D], bi[3 * GOLDEN_G], in[GOLDEN_V * GOLDEN_D];
    float out[GOLDEN_V * GOLDEN_G];
    double dwi[3 * GOLDEN_G * GOLDEN_D], dbi[3 * GOLDEN_G], din[GOLDEN_V * GOLDEN_D];
    double dout[GOLDEN_V * GOLDEN_G], loss;
} golden;

static void golden_gates(golden *g)
{
    for (size_t t = 0; t < GOLDEN_T; t++)
        for (size_t j = 0; j < 3 * GOLDEN_G; j++) {
            double a = (double)g->bi[j];
            for (size_t d = 0; d < GOLDEN_D; d++)
                a += (double)g->wi[j * GOLDEN_D + d] *
                     (double)g->in[golden_sequence[t] * GOLDEN_D + d];
            g->p.gates_in[t * 3 * GOLDEN_G + j] = (float)a;
        }
}

/* Mean cross-entropy of row t; its gradients go to dh and dout. */
static void golden_loss(golden *g, size_t t)
{
    double logit[GOLDEN_V] = {0}, sum = 0;
    const float *h = g->p.h + t * GOLDEN_G;
    float *dh = g->p.dh + t * GOLDEN_G;
    memset(dh, 0, GOLDEN_G * sizeof *dh);
    for (size_t v = 0; v < GOLDEN_V; v++) {
        for (size_t d = 0; d < GOLDEN_G; d++)
            logit[v] += (double)(g->out[v * GOLDEN_G + d] * h[d]);
        sum += exp(logit[v]);
    }
    g->loss += (log(sum) - logit[golden_sequence[t + 1]]) / GOLDEN_T;
    for (size_t v = 0; v < GOLDEN_V; v++) {
        const double dlogit =
            (exp(logit[v]) / sum - (v == golden_sequence[t + 1])) / GOLDEN_T;
        for (size_t d = 0; d < GOLDEN_G; d++) {
            dh[d] += (float)(dlogit * (double)g->out[v * GOLDEN_G + d]);
            g->dout[v * GOLDEN_G + d] += dlogit * (double)h[d];
        }
    }
}

static void golden_inputs_back(golden *g)
{
    for (size_t t = 0; t < GOLDEN_T; t++)
        for (size_t j = 0; j < 3 * GOLDEN_G; j++) {
            const double da = (double)g->p.dgates_in[t * 3 * GOLDEN_G + j];
            const size_t thing = golden_sequence[t];
            g->dbi[j] += da;
            for (size_t d = 0; d < GOLDEN_D; d++) {
                g->dwi[j * GOLDEN_D + d] += da * (double)g->in[thing * GOLDEN_D + d];
                g->din[thing * GOLDEN_D + d] += da * (double)g->wi[j * GOLDEN_D + d];
            }
        }
}

static void golden_run(golden *g, const tensor_kernels *k)
{
    const uint32_t length[SEQUENCES_MAX] = {GOLDEN_T};
    *g = (golden){.p = problem_make(k, TENSOR_FP32, GOLDEN_G, length)};
    fill(g->wi, 3 * GOLDEN_G * GOLDEN_D, 201, 0.6);
    fill(g->p.wh, (size_t)3 * GOLDEN_G * GOLDEN_G, 202, 0.6);
    fill(g->bi, 3 * GOLDEN_G, 203, 0.6);
    fill(g->p.bh, 3 * GOLDEN_G, 204, 0.6);
    fill(g->in, GOLDEN_V * GOLDEN_D, 205, 0.8);
    fill(g->out, GOLDEN_V * GOLDEN_G, 206, 0.8);
    golden_gates(g);
    run_forward(&g->p);
    for (size_t t = 0; t < GOLDEN_T; t++)
        golden_loss(g, t);
    run_backward(&g->p);
    golden_inputs_back(g);
}

/* wanted: sum and sum of absolute values. */
static void check_sums(const double *wanted, size_t n, const double *d, const float *f)
{
    double sum = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        const double x = d ? d[i] : (double)f[i];
        sum += x;
        size += fabs(x);
    }
    assert_near(sum, wanted[0], 1e-5, "sum", 0);
    assert_near(size, wanted[1], 1e-5, "sum of sizes", 0);
}

static void test_torch_gru_is_reproduced(void **state)
{
    (void)state;
    const tensor_kernels *k;
    for (size_t n = 0; (k = kernels_at(n)) != NULL; n++) {
        golden g;
        golden_run(&g, k);
        assert_near(g.loss, golden_loss_value, 1e-5, "loss", 0);
        for (size_t i = 0; i < GOLDEN_T * GOLDEN_G; i++)
            assert_near((double)g.p.h[i], golden_hidden[i], 1e-5, "hidden", i);
        for (size_t i = 0; i < GOLDEN_V * GOLDEN_D; i++)
            assert_near(g.din[i], golden_embedding_gradient[i], 1e-5, "embedding", i);
        for (size_t i = 0; i < GOLDEN_V * GOLDEN_G; i++)
            assert_near(g.dout[i], golden_output_gradient[i], 1e-5, "output", i);
        check_sums(golden_weight_ih, 3 * GOLDEN_G * GOLDEN_D, g.dwi, NULL);
        check_sums(golden_weight_hh, (size_t)3 * GOLDEN_G * GOLDEN_G, NULL, g.p.dwh);
        check_sums(golden_bias_ih, 3 * GOLDEN_G, g.dbi, NULL);
        check_sums(golden_bias_hh, 3 * GOLDEN_G, NULL, g.p.dbh);
        problem_free(&g.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward_is_the_formula),
        cmocka_unit_test(test_gradients_are_central_differences),
        cmocka_unit_test(test_gradients_of_weights_are_added),
        cmocka_unit_test(test_the_same_call_gives_the_same_bits),
        cmocka_unit_test(test_a_sequence_does_not_see_its_neighbours),
        cmocka_unit_test(test_torch_gru_is_reproduced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
