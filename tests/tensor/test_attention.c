/*
 * Attention of every kernel table against a twin in double precision that goes by the formula,
 * and its gradients against central differences of that twin.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/random.h"
#include "check.h"
#include "tensor/attention.h"

enum { LENGTHS_MAX = 8 };

typedef struct attention_case {
    attention_kind kind;
    bool causal;
    uint32_t D, H;
    uint32_t length[LENGTHS_MAX]; /* until 0 */
    uint32_t bias_length;
    float dropout;
    uint32_t first_row;
} attention_case;

typedef struct problem {
    attention_case c;
    attention_shape shape;
    uint32_t offset[LENGTHS_MAX + 1];
    size_t R;
    float *bias, *qkv, *out, *log_sum, *dout, *dqkv, *dbias;
    void *scratch;
} problem;

static void fill(float *x, size_t n, uint64_t salt, double size)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(size * (golden_unit(i, salt) - 0.5));
}

static size_t longest_of(const attention_case *c)
{
    size_t most = 0;
    for (size_t i = 0; i < LENGTHS_MAX; i++)
        most = c->length[i] > most ? c->length[i] : most;
    return most;
}

static float *floats(size_t n)
{
    float *x = mem_alloc_aligned(n + 1, sizeof *x);
    assert_non_null(x);
    return memset(x, 0x7F, (n + 1) * sizeof *x); /* 3.4e38: what is not set is seen */
}

/* Buffers have exactly their size (and one float), so the sanitizers see a step beyond. */
static problem problem_make(const tensor_kernels *k, const attention_case *c)
{
    problem p = {.c = *c};
    size_t n = 0;
    for (; n < LENGTHS_MAX && c->length[n] > 0; n++)
        p.offset[n + 1] = p.offset[n] + c->length[n];
    p.R = p.offset[n];
    p.bias = floats((size_t)c->H * c->bias_length);
    p.qkv = floats(p.R * 3 * c->D);
    p.out = floats(p.R * c->D);
    p.log_sum = floats(p.R * c->H);
    p.dout = floats(p.R * c->D);
    p.dqkv = floats(p.R * 3 * c->D);
    p.dbias = floats((size_t)c->H * c->bias_length);
    p.scratch = mem_alloc_aligned(attention_scratch_bytes(k, c->D, c->H, longest_of(c)), 1);
    assert_non_null(p.scratch);
    fill(p.bias, (size_t)c->H * c->bias_length, 1, 2);
    fill(p.qkv, p.R * 3 * c->D, 2, 3);
    fill(p.dout, p.R * c->D, 3, 2);
    memset(p.dbias, 0, (size_t)c->H * c->bias_length * sizeof *p.dbias);
    p.shape = (attention_shape){.kind = c->kind,
                                .causal = c->causal,
                                .D = c->D,
                                .H = c->H,
                                .n_sequences = n,
                                .bias = c->bias_length ? p.bias : NULL,
                                .bias_length = c->bias_length,
                                .dropout = c->dropout,
                                .seed = 77,
                                .stream = 5,
                                .first_row = c->first_row};
    return p;
}

static void problem_free(problem *p)
{
    mem_free(p->bias);
    mem_free(p->qkv);
    mem_free(p->out);
    mem_free(p->log_sum);
    mem_free(p->dout);
    mem_free(p->dqkv);
    mem_free(p->dbias);
    mem_free(p->scratch);
}

static void run(const tensor_kernels *k, problem *p)
{
    p->shape.offset = p->offset;
    mem_guard_enter();
    attention_forward(k, &p->shape, p->qkv, p->out, p->log_sum, p->scratch);
    attention_backward(k, &p->shape, p->qkv, p->out, p->log_sum, p->dout, p->dqkv,
                       p->c.bias_length ? p->dbias : NULL, p->scratch);
    mem_guard_leave();
}

/* ---- the twin ---- */

/* What dropout multiplies the weight of (row, key) with; both numbered in the batch. */
static double twin_kept(const attention_case *c, size_t head, uint32_t row, uint32_t key)
{
    if (c->dropout <= 0 || c->kind == ATTENTION_POINTWISE) return 1;
    uint32_t word[4];
    random_block(77, 5, head, word);
    uint64_t z = ((uint64_t)word[0] << 32 | word[1]) +
                 UINT64_C(0x9E3779B97F4A7C15) * (uint64_t)(row + 1);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    z ^= z >> 31;
    uint32_t x = key * 0x9E3779B1U + (uint32_t)z;
    x = (x ^ (x >> 16)) * 0x85EBCA6BU;
    x = (x ^ (uint32_t)(z >> 32) ^ (x >> 13)) * 0xC2B2AE35U;
    x ^= x >> 16;
    return x >= (uint32_t)(4294967296.0 * (double)c->dropout) ? 1 / (1 - (double)c->dropout)
                                                               : 0;
}

/* Inputs of the twin; q, k, v of row i stand as in attention.h. */
typedef struct twin {
    const attention_case *c;
    const uint32_t *offset;
    const double *qkv, *bias;
} twin;

static double twin_score(const twin *t, size_t head, size_t i, size_t j)
{
    const size_t D = t->c->D, W = D / t->c->H;
    const double *q = t->qkv + i * 3 * D + head * W, *k = t->qkv + j * 3 * D + D + head * W;
    double s = 0;
    for (size_t d = 0; d < W; d++)
        s += q[d] * k[d];
    s /= sqrt((double)W);
    if (t->c->bias_length == 0) return s;
    const size_t distance = i > j ? i - j : j - i, most = t->c->bias_length - 1;
    return s + t->bias[head * t->c->bias_length + (distance < most ? distance : most)];
}

/* Weights of row i over keys from..to - 1 into w; returns the log-sum-exp. */
static double twin_weights(const twin *t, size_t head, size_t i, size_t from, size_t to,
                           double *w)
{
    double most = -INFINITY, sum = 0;
    for (size_t j = from; j < to; j++) {
        w[j - from] = twin_score(t, head, i, j);
        most = fmax(most, w[j - from]);
    }
    for (size_t j = from; j < to; j++) {
        double *x = &w[j - from];
        if (t->c->kind == ATTENTION_POINTWISE)
            *x = *x / (1 + exp(-*x)) / (double)(to - from);
        else
            sum += *x = exp(*x - most);
    }
    for (size_t j = from; j < to && t->c->kind == ATTENTION_SOFTMAX; j++)
        w[j - from] *= twin_kept(t->c, head, t->c->first_row + (uint32_t)i,
                                 t->c->first_row + (uint32_t)j) /
                       sum;
    return most + log(sum);
}

/* Rows of one sequence, one head: out[i][head], log_sum. */
static void twin_forward_one(const twin *t, size_t head, size_t s, double *out, double *log_sum)
{
    const size_t D = t->c->D, W = D / t->c->H, from = t->offset[s], end = t->offset[s + 1];
    double w[1024];
    for (size_t i = from; i < end; i++) {
        const size_t to = t->c->causal ? i + 1 : end;
        log_sum[i * t->c->H + head] = twin_weights(t, head, i, from, to, w);
        for (size_t d = head * W; d < head * W + W; d++) {
            out[i * D + d] = 0;
            for (size_t j = from; j < to; j++)
                out[i * D + d] += w[j - from] * t->qkv[j * 3 * D + 2 * D + d];
        }
    }
}

static void twin_forward(const twin *t, double *out, double *log_sum)
{
    for (size_t s = 0; s < LENGTHS_MAX && t->c->length[s] > 0; s++)
        for (size_t head = 0; head < t->c->H; head++)
            twin_forward_one(t, head, s, out, log_sum);
}

static double *as_doubles(size_t n, const float *x)
{
    double *d = mem_alloc(n + 1, sizeof *d);
    assert_non_null(d);
    for (size_t i = 0; i < n; i++)
        d[i] = (double)x[i];
    return d;
}

/* ---- forward ---- */

static void assert_near(double got, double wanted, double tolerance, const char *what,
                        const char *table, size_t at)
{
    if (fabs(got - wanted) <= tolerance) return;
    fail_msg("%s[%zu] with %s: %.9g, wanted %.9g", what, at, table, got, wanted);
}

static void check_forward(const tensor_kernels *k, const attention_case *c)
{
    problem p = problem_make(k, c);
    run(k, &p);
    double *qkv = as_doubles(p.R * 3 * c->D, p.qkv);
    double *bias = as_doubles((size_t)c->H * c->bias_length, p.bias);
    double *out = as_doubles(p.R * c->D, p.out), *log_sum = as_doubles(p.R * c->H, p.log_sum);
    const twin t = {&p.c, p.offset, qkv, bias};
    twin_forward(&t, out, log_sum);
    for (size_t i = 0; i < p.R * c->D; i++)
        assert_near((double)p.out[i], out[i], 4e-6, "out", k->name, i);
    for (size_t i = 0; i < p.R * c->H && c->kind == ATTENTION_SOFTMAX; i++)
        assert_near((double)p.log_sum[i], log_sum[i], 4e-6, "log_sum", k->name, i);
    mem_free(qkv);
    mem_free(bias);
    mem_free(out);
    mem_free(log_sum);
    problem_free(&p);
}

static const attention_case cases[] = {
    {ATTENTION_SOFTMAX, true, 64, 1, {50, 1, 7, 200}, 0, 0, 0},
    {ATTENTION_SOFTMAX, true, 64, 2, {1, 2, 3, 65, 96, 97}, 0, 0, 0},
    {ATTENTION_SOFTMAX, true, 128, 1, {49, 47, 48}, 0, 0.2F, 1234},
    {ATTENTION_SOFTMAX, true, 96, 2, {130}, 11, 0.5F, 7},
    {ATTENTION_SOFTMAX, false, 64, 2, {1, 17, 63, 100}, 0, 0.1F, 3},
    {ATTENTION_SOFTMAX, false, 30, 3, {5, 1, 33}, 9, 0, 0},
    {ATTENTION_SOFTMAX, true, 21, 7, {16, 1, 15}, 200, 0.3F, 99},
    {ATTENTION_SOFTMAX, true, 40, 1, {321}, 64, 0, 0},
    {ATTENTION_SOFTMAX, true, 512, 4, {9, 5}, 0, 0, 0},
    {ATTENTION_POINTWISE, true, 64, 1, {1, 6, 77, 33}, 50, 0, 0},
    {ATTENTION_POINTWISE, false, 24, 2, {1, 6, 97}, 0, 0.4F, 0},
    {ATTENTION_POINTWISE, true, 64, 2, {150}, 1, 0, 0},
};

static void test_forward_is_the_formula(void **state)
{
    (void)state;
    const tensor_kernels *k;
    for (size_t n = 0; (k = kernels_at(n)) != NULL; n++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
            check_forward(k, &cases[i]);
}

/* ---- backward against a backward twin ---- */

typedef struct twin_gradient {
    double *dqkv, *dbias;
} twin_gradient;

static double twin_slope(const twin *t, size_t head, size_t i, size_t j, size_t keys)
{
    const double x = twin_score(t, head, i, j), sigma = 1 / (1 + exp(-x));
    return sigma * (1 + x * (1 - sigma)) / (double)keys;
}

/* ds_ij of row i into ds; w are the row's weights. */
static void twin_score_gradient(const twin *t, size_t head, size_t i, size_t from, size_t to,
                                const double *w, const float *dout, double *ds)
{
    const size_t D = t->c->D, W = D / t->c->H;
    double delta = 0;
    for (size_t j = from; j < to; j++) {
        ds[j - from] = 0;
        for (size_t d = head * W; d < head * W + W; d++)
            ds[j - from] += (double)dout[i * D + d] * t->qkv[j * 3 * D + 2 * D + d];
        delta += w[j - from] * ds[j - from];
    }
    double plain[1024];
    const attention_case undropped = {t->c->kind, t->c->causal, t->c->D, t->c->H, {0},
                                      t->c->bias_length, 0, 0};
    const twin u = {&undropped, t->offset, t->qkv, t->bias};
    twin_weights(&u, head, i, from, to, plain);
    for (size_t j = from; j < to; j++) {
        const double kept = twin_kept(t->c, head, t->c->first_row + (uint32_t)i,
                                      t->c->first_row + (uint32_t)j);
        ds[j - from] = t->c->kind == ATTENTION_POINTWISE
                           ? ds[j - from] * twin_slope(t, head, i, j, to - from)
                           : plain[j - from] * (kept * ds[j - from] - delta);
    }
}

static void twin_backward_row(const twin *t, size_t head, size_t i, size_t from, size_t to,
                              const float *dout, const twin_gradient *g)
{
    const size_t D = t->c->D, W = D / t->c->H;
    double w[1024], ds[1024];
    twin_weights(t, head, i, from, to, w);
    twin_score_gradient(t, head, i, from, to, w, dout, ds);
    for (size_t j = from; j < to; j++) {
        const double s = ds[j - from] / sqrt((double)W);
        for (size_t d = head * W; d < head * W + W; d++) {
            g->dqkv[i * 3 * D + d] += s * t->qkv[j * 3 * D + D + d];
            g->dqkv[j * 3 * D + D + d] += s * t->qkv[i * 3 * D + d];
            g->dqkv[j * 3 * D + 2 * D + d] += w[j - from] * (double)dout[i * D + d];
        }
        const size_t distance = i > j ? i - j : j - i, most = t->c->bias_length;
        if (most > 0)
            g->dbias[head * most + (distance < most ? distance : most - 1)] += ds[j - from];
    }
}

static void twin_backward(const twin *t, const float *dout, const twin_gradient *g)
{
    for (size_t s = 0; s < LENGTHS_MAX && t->c->length[s] > 0; s++)
        for (size_t head = 0; head < t->c->H; head++)
            for (size_t i = t->offset[s]; i < t->offset[s + 1]; i++)
                twin_backward_row(t, head, i, t->offset[s],
                                  t->c->causal ? i + 1 : t->offset[s + 1], dout, g);
}

static void check_backward(const tensor_kernels *k, const attention_case *c)
{
    problem p = problem_make(k, c);
    const size_t inputs = p.R * 3 * c->D, biases = (size_t)c->H * c->bias_length;
    run(k, &p);
    double *qkv = as_doubles(inputs, p.qkv), *bias = as_doubles(biases, p.bias);
    const twin_gradient g = {mem_alloc_zero(inputs, sizeof(double)),
                             mem_alloc_zero(biases + 1, sizeof(double))};
    assert_non_null(g.dqkv);
    assert_non_null(g.dbias);
    twin_backward(&(twin){&p.c, p.offset, qkv, bias}, p.dout, &g);
    for (size_t i = 0; i < inputs; i++)
        assert_near((double)p.dqkv[i], g.dqkv[i], 3e-5, "dqkv", k->name, i);
    for (size_t i = 0; i < biases; i++)
        assert_near((double)p.dbias[i], g.dbias[i], 2e-4, "dbias", k->name, i);
    mem_free(qkv);
    mem_free(bias);
    mem_free(g.dqkv);
    mem_free(g.dbias);
    problem_free(&p);
}

static void test_backward_is_the_formula(void **state)
{
    (void)state;
    const tensor_kernels *k;
    for (size_t n = 0; (k = kernels_at(n)) != NULL; n++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
            check_backward(k, &cases[i]);
}

/* ---- backward against central differences ---- */

static double twin_loss(const twin *t, const problem *p, double *out, double *log_sum)
{
    double loss = 0;
    twin_forward(t, out, log_sum);
    for (size_t i = 0; i < p->R * p->c.D; i++)
        loss += out[i] * (double)p->dout[i];
    return loss;
}

/* The slope of the loss along *x. */
static double difference(double *x, const twin *t, const problem *p, double *out,
                         double *log_sum)
{
    const double at = *x, step = 1e-5;
    *x = at + step;
    const double up = twin_loss(t, p, out, log_sum);
    *x = at - step;
    const double down = twin_loss(t, p, out, log_sum);
    *x = at;
    return (up - down) / (2 * step);
}

static void check_differences(const tensor_kernels *k, const attention_case *c)
{
    problem p = problem_make(k, c);
    const size_t inputs = p.R * 3 * c->D, biases = (size_t)c->H * c->bias_length;
    run(k, &p);
    double *qkv = as_doubles(inputs, p.qkv), *bias = as_doubles(biases, p.bias);
    double *out = as_doubles(p.R * c->D, p.out), *log_sum = as_doubles(p.R * c->H, p.log_sum);
    const twin t = {&p.c, p.offset, qkv, bias};
    for (size_t i = 0; i < inputs; i++)
        assert_near((double)p.dqkv[i], difference(&qkv[i], &t, &p, out, log_sum), 1e-5, "dqkv",
                    k->name, i);
    for (size_t i = 0; i < biases; i++)
        assert_near((double)p.dbias[i], difference(&bias[i], &t, &p, out, log_sum), 2e-5,
                    "dbias", k->name, i);
    mem_free(qkv);
    mem_free(bias);
    mem_free(out);
    mem_free(log_sum);
    problem_free(&p);
}

static void test_gradients_are_central_differences(void **state)
{
    (void)state;
    static const attention_case small[] = {
        {ATTENTION_SOFTMAX, true, 6, 2, {3, 1, 5}, 4, 0.3F, 5},
        {ATTENTION_SOFTMAX, false, 5, 1, {1, 4, 2}, 0, 0.2F, 0},
        {ATTENTION_SOFTMAX, true, 16, 1, {1, 6}, 2, 0, 0},
        {ATTENTION_POINTWISE, true, 9, 3, {1, 5, 2}, 3, 0, 0},
        {ATTENTION_POINTWISE, false, 4, 2, {7, 1}, 9, 0, 0},
    };
    const tensor_kernels *k;
    for (size_t n = 0; (k = kernels_at(n)) != NULL; n++)
        for (size_t i = 0; i < sizeof small / sizeof *small; i++)
            check_differences(k, &small[i]);
}

/* ---- what else is promised ---- */

static void test_the_same_call_gives_the_same_bits(void **state)
{
    (void)state;
    const tensor_kernels *k;
    for (size_t n = 0; (k = kernels_at(n)) != NULL; n++)
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
            const attention_case *c = &cases[i];
            problem a = problem_make(k, c), b = problem_make(k, c);
            run(k, &a);
            /* Scratch of another call must not matter. */
            memset(b.scratch, 0xFF, attention_scratch_bytes(k, c->D, c->H, longest_of(c)));
            run(k, &b);
            assert_memory_equal(a.out, b.out, a.R * c->D * sizeof *a.out);
            assert_memory_equal(a.dqkv, b.dqkv, a.R * 3 * c->D * sizeof *a.dqkv);
            assert_memory_equal(a.dbias, b.dbias,
                                (size_t)c->H * c->bias_length * sizeof *a.dbias);
            problem_free(&a);
            problem_free(&b);
        }
}

static void test_what_was_in_dbias_is_added_to(void **state)
{
    (void)state;
    const tensor_kernels *k = kernels_choose(NULL);
    const attention_case c = {ATTENTION_SOFTMAX, true, 8, 1, {9}, 4, 0, 0};
    problem a = problem_make(k, &c), b = problem_make(k, &c);
    for (size_t i = 0; i < 4; i++)
        b.dbias[i] = 100;
    run(k, &a);
    run(k, &b);
    for (size_t i = 0; i < 4; i++)
        assert_near((double)b.dbias[i], 100 + (double)a.dbias[i], 1e-5, "dbias", k->name, i);
    problem_free(&a);
    problem_free(&b);
}

/* A mask follows the row's number in the batch, not where the batch was cut. */
static void test_a_cut_batch_has_the_same_masks(void **state)
{
    (void)state;
    const tensor_kernels *k = kernels_choose(NULL);
    const attention_case whole = {ATTENTION_SOFTMAX, true, 32, 2, {20, 31, 9}, 0, 0.5F, 0};
    const attention_case rest = {ATTENTION_SOFTMAX, true, 32, 2, {31, 9}, 0, 0.5F, 20};
    problem a = problem_make(k, &whole), b = problem_make(k, &rest);
    memcpy(b.qkv, a.qkv + (size_t)20 * 96, b.R * 96 * sizeof *b.qkv);
    run(k, &a);
    run(k, &b);
    for (size_t i = 0; i < b.R * 32; i++)
        assert_near((double)b.out[i], (double)a.out[(size_t)20 * 32 + i], 1e-6, "out", k->name,
                    i);
    problem_free(&a);
    problem_free(&b);
}

/* Share of weights dropped: with all values 1, out is kept weight over weight. */
static void test_dropout_drops_its_rate_and_keeps_the_mean(void **state)
{
    (void)state;
    const tensor_kernels *k = kernels_choose(NULL);
    const attention_case c = {ATTENTION_SOFTMAX, false, 1, 1, {600}, 0, 0.25F, 0};
    problem p = problem_make(k, &c);
    for (size_t i = 0; i < p.R; i++) {
        p.qkv[3 * i] = 0;
        p.qkv[3 * i + 2] = 1;
    }
    run(k, &p);
    double mean = 0, square = 0;
    for (size_t i = 0; i < p.R; i++) {
        mean += (double)p.out[i] / (double)p.R;
        square += pow((double)p.out[i] - 1, 2) / (double)p.R;
    }
    /* Each out is a mean of 600 draws with variance (1 / .75 - 1). */
    const double variance = (1 / 0.75 - 1) / 600;
    assert_near(mean, 1, 4 * sqrt(variance / 600), "mean", k->name, 0);
    assert_near(square, variance, 0.3 * variance, "variance", k->name, 0);
    problem_free(&p);
}

/* Neighbouring rows and keys are dropped independently. */
static void test_masks_of_neighbours_do_not_agree(void **state)
{
    (void)state;
    const attention_case c = {ATTENTION_SOFTMAX, true, 1, 1, {1}, 0, 0.5F, 0};
    double rows = 0, keys = 0, heads = 0, all = 0;
    for (uint32_t i = 0; i < 300; i++)
        for (uint32_t j = 0; j < 300; j++) {
            const double here = twin_kept(&c, 0, i, j) - 1;
            rows += here * (twin_kept(&c, 0, i + 1, j) - 1);
            keys += here * (twin_kept(&c, 0, i, j + 1) - 1);
            heads += here * (twin_kept(&c, 1, i, j) - 1);
            all += 1;
        }
    const double limit = 4.5 / sqrt(all);
    assert_near(rows / all, 0, limit, "rows", "twin", 0);
    assert_near(keys / all, 0, limit, "keys", "twin", 0);
    assert_near(heads / all, 0, limit, "heads", "twin", 0);
}

static void test_large_scores_neither_overflow_nor_vanish(void **state)
{
    (void)state;
    const tensor_kernels *k;
    const attention_case c = {ATTENTION_SOFTMAX, true, 16, 1, {40}, 0, 0, 0};
    for (size_t n = 0; (k = kernels_at(n)) != NULL; n++) {
        problem p = problem_make(k, &c);
        for (size_t i = 0; i < p.R * 48; i++)
            p.qkv[i] *= 200;
        run(k, &p);
        for (size_t i = 0; i < p.R * 16; i++)
            assert_true(isfinite(p.out[i]));
        for (size_t i = 0; i < p.R * 48; i++)
            assert_true(isfinite(p.dqkv[i]));
        problem_free(&p);
    }
}

/* Nothing hides that a model has gone wrong. */
static void test_nan_comes_through(void **state)
{
    (void)state;
    const tensor_kernels *k;
    const attention_case c = {ATTENTION_SOFTMAX, true, 16, 1, {5, 6, 7}, 0, 0, 0};
    for (size_t n = 0; (k = kernels_at(n)) != NULL; n++) {
        problem p = problem_make(k, &c);
        p.qkv[(size_t)7 * 48 + 16] = NAN; /* a key of the second sequence */
        run(k, &p);
        for (size_t i = 0; i < 11; i++)
            assert_int_equal(isnan(p.out[i * 16]) != 0, i >= 7);
        assert_true(isnan(p.dqkv[(size_t)7 * 48]));
        problem_free(&p);
    }
}

static void test_no_sequence_is_no_work(void **state)
{
    (void)state;
    const tensor_kernels *k = kernels_choose(NULL);
    const attention_case c = {ATTENTION_SOFTMAX, true, 16, 2, {0}, 3, 0.1F, 0};
    problem p = problem_make(k, &c);
    run(k, &p);
    for (size_t i = 0; i < 6; i++)
        assert_near((double)p.dbias[i], 0, 0, "dbias", k->name, i);
    problem_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward_is_the_formula),
        cmocka_unit_test(test_backward_is_the_formula),
        cmocka_unit_test(test_gradients_are_central_differences),
        cmocka_unit_test(test_the_same_call_gives_the_same_bits),
        cmocka_unit_test(test_what_was_in_dbias_is_added_to),
        cmocka_unit_test(test_a_cut_batch_has_the_same_masks),
        cmocka_unit_test(test_dropout_drops_its_rate_and_keeps_the_mean),
        cmocka_unit_test(test_masks_of_neighbours_do_not_agree),
        cmocka_unit_test(test_large_scores_neither_overflow_nor_vanish),
        cmocka_unit_test(test_nan_comes_through),
        cmocka_unit_test(test_no_sequence_is_no_work),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
