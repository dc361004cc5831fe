/* The Transformer's body: every block against a plain forward pass in double precision. */
#include "body_fixture.h"
#include "golden_transformer.h"

/* ---- the twin ---- */

/* Bounds of what the twin is asked for; every buffer is [R x width], row-major. */
enum { WIDEST = 16, INNER_MOST = 4 * WIDEST, ROWS_MOST = 16 };

static void twin_norm(const naive_body *n, const char *part, unsigned block, const char *which,
                      const double *x, double *y)
{
    const sequence_settings *s = &n->f->settings;
    size_t D = s->width;
    char name[2][BODY_NAME_BYTES];
    (void)snprintf(name[0], sizeof name[0], "%s_gain", which);
    (void)snprintf(name[1], sizeof name[1], "%s_shift", which);
    const double *gain = naive_array(n, part, block, name[0]);
    const double *shift = s->rms_norm ? NULL : naive_array(n, part, block, name[1]);
    for (size_t r = 0; r < n->f->pack.R; r++, x += D, y += D) {
        double mean = 0, square = 0;
        for (size_t i = 0; shift && i < D; i++) mean += x[i] / (double)D;
        for (size_t i = 0; i < D; i++) square += (x[i] - mean) * (x[i] - mean) / (double)D;
        for (size_t i = 0; i < D; i++)
            y[i] = (x[i] - mean) / sqrt(square + 1e-5) * gain[i] + (shift ? shift[i] : 0);
    }
}

static void twin_linear(const naive_body *n, unsigned block, const char *w, const char *b,
                        size_t out, size_t in, const double *x, double *y)
{
    naive_linear(n->f->pack.R, out, in, naive_array(n, "block", block, w),
                 naive_array(n, "block", block, b), x, y);
}

static double silu(double x)
{
    return x / (1 + exp(-x));
}

static double gelu(double x)
{
    return x * 0.5 * erfc(-x / sqrt(2.0));
}

/* What row i of the sequence of rows first .. end - 1 reads by one head. */
static void attend_row(const body_fixture *f, const double *bias, const double *qkv,
                       size_t first, size_t end, size_t i, unsigned head, double *out)
{
    const sequence_settings *s = &f->settings;
    size_t D = s->width, E = D / s->heads, from = head * E;
    bool hstu = s->block == SEQUENCE_BLOCK_HSTU, both = s->architecture == SEQUENCE_BERT;
    size_t last = both ? end : i + 1;
    double weight[ROWS_MOST], total = 0;
    for (size_t j = first; j < last; j++) {
        const double *q = qkv + i * 3 * D + from, *k = qkv + j * 3 * D + D + from;
        double score = 0;
        for (size_t e = 0; e < E; e++) score += q[e] * k[e];
        score /= sqrt((double)E);
        if (bias) score += bias[head * s->length + (i > j ? i - j : j - i)];
        weight[j] = hstu ? silu(score) : exp(score);
        total += hstu ? 1 : weight[j];
    }
    for (size_t e = 0; e < E; e++) {
        out[from + e] = 0;
        for (size_t j = first; j < last; j++)
            out[from + e] += weight[j] / total * qkv[j * 3 * D + 2 * D + from + e];
    }
}

static void attend(const naive_body *n, unsigned block, const double *qkv, double *out)
{
    const body_fixture *f = n->f;
    const uint32_t *offset = f->pack.offset;
    const double *bias =
        f->settings.relative ? naive_array(n, "block", block, "relative") : NULL;
    for (size_t s = 0; s < f->pack.n_sequences; s++)
        for (size_t i = offset[s]; i < offset[s + 1]; i++)
            for (unsigned head = 0; head < f->settings.heads; head++)
                attend_row(f, bias, qkv, offset[s], offset[s + 1], i, head,
                           out + i * f->settings.width);
}

/* x += f, through the gate of gated blocks. */
static void join(const naive_body *n, unsigned block, const char *w, const char *b,
                 const double *f, double *x)
{
    size_t D = n->f->settings.width;
    double gate[ROWS_MOST * WIDEST];
    bool gated = n->f->settings.block == SEQUENCE_BLOCK_GATED;
    if (gated) twin_linear(n, block, w, b, D, D, x, gate);
    for (size_t i = 0; i < n->f->pack.R * D; i++)
        x[i] += gated ? f[i] / (1 + exp(-gate[i])) : f[i];
}

static void twin_attention(const naive_body *n, unsigned block, double *x)
{
    size_t R = n->f->pack.R, D = n->f->settings.width;
    double qkv[ROWS_MOST * 3 * WIDEST], y[ROWS_MOST * WIDEST], z[ROWS_MOST * WIDEST];
    twin_norm(n, "block", block, "norm1", x, y);
    twin_linear(n, block, "wqkv", "bqkv", 3 * D, D, y, qkv);
    attend(n, block, qkv, z);
    twin_linear(n, block, "wo", "bo", D, D, z, y);
    naive_dropout(n->f, 4 * block + 1, 0, R, D, y);
    join(n, block, "wg1", "bg1", y, x);
}

static void twin_feedforward(const naive_body *n, unsigned block, double *x)
{
    const body_fixture *f = n->f;
    size_t R = f->pack.R, D = f->settings.width, F = body_inner_width(&f->settings);
    bool gated = f->settings.block == SEQUENCE_BLOCK_GATED;
    double y[ROWS_MOST * WIDEST], w[ROWS_MOST * INNER_MOST], v[ROWS_MOST * INNER_MOST];
    twin_norm(n, "block", block, "norm2", x, y);
    twin_linear(n, block, "w1", "c1", F, D, y, w);
    if (gated) twin_linear(n, block, "w3", "c3", F, D, y, v);
    for (size_t i = 0; i < R * F; i++) w[i] = gated ? w[i] * silu(v[i]) : gelu(w[i]);
    naive_dropout(f, 4 * block + 2, 0, R, F, w);
    twin_linear(n, block, "w2", "c2", D, F, w, y);
    naive_dropout(f, 4 * block + 3, 0, R, D, y);
    join(n, block, "wg2", "bg2", y, x);
}

static void twin_hstu(const naive_body *n, unsigned block, double *x)
{
    size_t R = n->f->pack.R, D = n->f->settings.width;
    double qkv[ROWS_MOST * 3 * WIDEST], u[ROWS_MOST * WIDEST];
    double y[ROWS_MOST * WIDEST], z[ROWS_MOST * WIDEST];
    twin_norm(n, "block", block, "norm1", x, y);
    twin_linear(n, block, "wqkv", "bqkv", 3 * D, D, y, qkv);
    twin_linear(n, block, "wu", "bu", D, D, y, u);
    for (size_t i = 0; i < 3 * R * D; i++) qkv[i] = silu(qkv[i]);
    attend(n, block, qkv, y);
    twin_norm(n, "block", block, "norm2", y, z);
    for (size_t i = 0; i < R * D; i++) z[i] *= silu(u[i]);
    naive_dropout(n->f, 4 * block + 2, 0, R, D, z);
    twin_linear(n, block, "wo", "bo", D, D, z, y);
    for (size_t i = 0; i < R * D; i++) x[i] += y[i];
}

static void twin(const naive_body *n, double *h)
{
    const body_fixture *f = n->f;
    double x[ROWS_MOST * WIDEST];
    assert_true(f->pack.R <= ROWS_MOST && f->settings.width <= WIDEST);
    memcpy(x, n->x, f->pack.R * f->settings.width * sizeof *x);
    for (unsigned b = 0; b < f->settings.blocks; b++) {
        if (f->settings.block == SEQUENCE_BLOCK_HSTU) {
            twin_hstu(n, b, x);
            continue;
        }
        twin_attention(n, b, x);
        twin_feedforward(n, b, x);
    }
    twin_norm(n, "final", 0, "norm", x, h);
}

/* ---- against the twin ---- */

static const uint32_t several[] = {5, 1, 7, 0}, one_row[] = {1, 0};

/* Everything that a block can be, each with several sequences in the pack. */
static void check_blocks(sequence_block block, sequence_architecture architecture)
{
    for (int variant = 0; variant < 4; variant++) {
        sequence_settings s = fixture_settings();
        s.block = block;
        s.architecture = architecture;
        s.rms_norm = variant & 1;
        s.relative = variant & 2;
        if (variant == 3) s.heads = 1;
        if (variant == 2) s.width = 8, s.heads = 2, s.feedforward = 3;
        body_fixture *f = fixture_new(&s, kernels_choose(NULL), TENSOR_FP32, several);
        fixture_check(f, twin);
        fixture_free(f);
    }
}

static void plain_blocks_agree_with_the_twin(void **state)
{
    (void)state;
    check_blocks(SEQUENCE_BLOCK_PLAIN, SEQUENCE_TRANSFORMER);
}

static void gated_blocks_agree_with_the_twin(void **state)
{
    (void)state;
    check_blocks(SEQUENCE_BLOCK_GATED, SEQUENCE_TRANSFORMER);
}

static void hstu_blocks_agree_with_the_twin(void **state)
{
    (void)state;
    check_blocks(SEQUENCE_BLOCK_HSTU, SEQUENCE_TRANSFORMER);
}

static void attention_both_ways_agrees_with_the_twin(void **state)
{
    (void)state;
    check_blocks(SEQUENCE_BLOCK_PLAIN, SEQUENCE_BERT);
    check_blocks(SEQUENCE_BLOCK_GATED, SEQUENCE_BERT);
}

static void dropout_agrees_with_the_masks_of_its_header(void **state)
{
    (void)state;
    const sequence_block blocks[] = {SEQUENCE_BLOCK_PLAIN, SEQUENCE_BLOCK_GATED,
                                     SEQUENCE_BLOCK_HSTU};
    for (size_t b = 0; b < 3; b++) {
        for (unsigned width = 8; width <= 12; width += 4) { /* rows fill their counters or not */
            sequence_settings s = fixture_settings();
            s.block = blocks[b];
            s.width = width;
            s.heads = width / 4;
            s.dropout = 0.3f;
            body_fixture *f = fixture_new(&s, kernels_choose(NULL), TENSOR_FP32, several);
            f->call.training = true;
            f->call.step = 5;
            f->pack.first_row = 1001;
            fixture_check(f, twin);
            fixture_free(f);
        }
    }
}

static void every_kernel_table_serves(void **state)
{
    (void)state;
    for (size_t i = 0; kernels_at(i); i++) {
        for (int block = SEQUENCE_BLOCK_PLAIN; block <= SEQUENCE_BLOCK_HSTU; block++) {
            sequence_settings s = fixture_settings();
            s.block = (sequence_block)block;
            s.relative = true;
            body_fixture *f = fixture_new(&s, kernels_at(i), TENSOR_FP32, several);
            fixture_check(f, twin);
            fixture_free(f);
        }
    }
}

static void a_pack_of_one_row_is_enough(void **state)
{
    (void)state;
    sequence_settings s = fixture_settings();
    body_fixture *f = fixture_new(&s, kernels_choose(NULL), TENSOR_FP32, one_row);
    naive_body n = naive_new(f);
    double h[WIDEST];
    const float *states = fixture_forward(f);
    twin(&n, h);
    for (size_t i = 0; i < s.width; i++)
        assert_true(fabs(h[i] - (double)states[i]) < 1e-5);
    const float *dx = fixture_backward(f);
    for (size_t i = 0; i < s.width; i++) assert_true(isfinite(dx[i]));
    naive_free(&n);
    fixture_free(f);
}

/* ---- dropout ---- */

static body_fixture *dropping(sequence_block block, float rate, const uint32_t *lengths)
{
    sequence_settings s = fixture_settings();
    s.block = block;
    s.dropout = rate;
    s.attention_dropout = block == SEQUENCE_BLOCK_HSTU ? 0.0f : rate;
    body_fixture *f = fixture_new(&s, kernels_choose(NULL), TENSOR_FP32, lengths);
    f->call.training = true;
    f->call.step = 3;
    return f;
}

static void gradients_use_the_masks_of_the_forward_pass(void **state)
{
    (void)state;
    const sequence_block blocks[] = {SEQUENCE_BLOCK_PLAIN, SEQUENCE_BLOCK_GATED,
                                     SEQUENCE_BLOCK_HSTU};
    for (size_t b = 0; b < 3; b++) {
        body_fixture *f = dropping(blocks[b], 0.3f, several);
        fixture_check_direction(f, 1e-3f, 1e-2);
        fixture_free(f);
    }
}

static void same_key_same_bits_and_another_step_others(void **state)
{
    (void)state;
    body_fixture *f = dropping(SEQUENCE_BLOCK_PLAIN, 0.3f, several);
    size_t bytes = f->pack.R * f->settings.width * sizeof(float);
    float *first = mem_alloc(bytes, 1), *gradient = mem_alloc(f->floats, sizeof(float));
    memcpy(first, fixture_forward(f), bytes);
    fixture_backward(f);
    memcpy(gradient, f->gradient, f->floats * sizeof(float));
    assert_memory_equal(first, fixture_forward(f), bytes);
    fixture_backward(f);
    assert_memory_equal(gradient, f->gradient, f->floats * sizeof(float));
    f->call.step++;
    assert_memory_not_equal(first, fixture_forward(f), bytes);
    f->call.step--;
    f->call.seed++;
    assert_memory_not_equal(first, fixture_forward(f), bytes);
    mem_free(first);
    mem_free(gradient);
    fixture_free(f);
}

static void rate_zero_is_evaluation(void **state)
{
    (void)state;
    body_fixture *f = dropping(SEQUENCE_BLOCK_GATED, 0.0f, several);
    size_t bytes = f->pack.R * f->settings.width * sizeof(float);
    float *training = mem_alloc(bytes, 1);
    memcpy(training, fixture_forward(f), bytes);
    f->call.training = false;
    assert_memory_equal(training, fixture_forward(f), bytes);
    f->settings.dropout = f->settings.attention_dropout = 0.5f;
    assert_memory_equal(training, fixture_forward(f), bytes); /* evaluation drops nothing */
    mem_free(training);
    fixture_free(f);
}

/* The last sequence of `several` alone, numbered as in the whole. */
static void masks_do_not_depend_on_how_a_batch_is_cut(void **state)
{
    (void)state;
    const uint32_t last[] = {7, 0};
    const sequence_block blocks[] = {SEQUENCE_BLOCK_PLAIN, SEQUENCE_BLOCK_GATED,
                                     SEQUENCE_BLOCK_HSTU};
    for (size_t b = 0; b < 3; b++) {
        body_fixture *whole = dropping(blocks[b], 0.3f, several);
        body_fixture *cut = dropping(blocks[b], 0.3f, last);
        size_t D = whole->settings.width, skip = 6 * D;
        cut->pack.first_row = whole->pack.first_row + 6;
        memcpy(cut->x0, whole->x0 + skip, 7 * D * sizeof(float));
        const float *all = fixture_forward(whole), *one = fixture_forward(cut);
        for (size_t i = 0; i < 7 * D; i++)
            assert_true(fabsf(all[skip + i] - one[i]) < 1e-5f);
        fixture_free(whole);
        fixture_free(cut);
    }
}

static void all_places_drop_apart(void **state)
{
    (void)state;
    for (unsigned p = 0; p + 1 < BODY_PLACES_ALL; p++)
        assert_true(body_stream(7, p) != body_stream(7, p + 1));
    assert_true(body_stream(7, BODY_PLACES_ALL - 1) < body_stream(8, 0));
    assert_int_equal(BODY_BLOCKS_MAX * 4, BODY_PLACES);
}

/* ---- many rows, no backward, precision ---- */

/* More rows than are taken at a time; sequences as independent as if each were alone. */
static void rows_do_not_depend_on_their_neighbours(void **state)
{
    (void)state;
    const uint32_t many[] = {90, 3, 120, 77, 1, 64, 0}, alone[] = {77, 0};
    sequence_settings s = fixture_settings();
    s.width = 16, s.heads = 2, s.length = 128, s.relative = true;
    body_fixture *whole = fixture_new(&s, kernels_choose(NULL), TENSOR_FP32, many);
    body_fixture *cut = fixture_new(&s, kernels_choose(NULL), TENSOR_FP32, alone);
    size_t skip = 213 * 16, n = 77 * 16;
    memcpy(cut->x0, whole->x0 + skip, n * sizeof(float));
    memcpy(cut->dh, whole->dh + skip, n * sizeof(float));
    const float *a = fixture_forward(whole) + skip, *b = fixture_forward(cut);
    for (size_t i = 0; i < n; i++) assert_true(fabsf(a[i] - b[i]) < 1e-5f);
    a = fixture_backward(whole) + skip, b = fixture_backward(cut);
    for (size_t i = 0; i < n; i++) assert_true(fabsf(a[i] - b[i]) < 1e-4f);
    fixture_check_direction(whole, 1e-3f, 1e-2);
    fixture_free(whole);
    fixture_free(cut);
}

/* Without a backward pass the same states come from a smaller workspace. */
static void forward_alone_gives_the_same_in_less_memory(void **state)
{
    (void)state;
    for (int block = SEQUENCE_BLOCK_PLAIN; block <= SEQUENCE_BLOCK_HSTU; block++) {
        sequence_settings s = fixture_settings();
        s.block = (sequence_block)block;
        s.relative = true;
        body_fixture *f = fixture_new(&s, kernels_choose(NULL), TENSOR_FP32, several);
        size_t bytes = f->pack.R * s.width * sizeof(float), planned = f->memory.bytes;
        float *states = mem_alloc(bytes, 1);
        memcpy(states, fixture_forward(f), bytes);
        workspace_free(&f->memory);
        f->memory = workspace_counting();
        f->call.gradient = NULL;
        assert_null(f->body->forward(&f->call, NULL));
        assert_int_equal(workspace_make(&f->memory, NULL), PF_OK);
        assert_true(f->memory.bytes < planned);
        assert_memory_equal(states, fixture_forward(f), bytes);
        mem_free(states);
        fixture_free(f);
    }
}

static void a_smaller_pack_fits_the_plan_of_a_larger(void **state)
{
    (void)state;
    body_fixture *f = dropping(SEQUENCE_BLOCK_GATED, 0.3f, several);
    for (size_t n = 3; n >= 1; n--) {
        f->pack.n_sequences = n;
        f->pack.R = f->sequence[n];
        assert_true(isfinite(fixture_forward(f)[0]));
        assert_true(isfinite(fixture_backward(f)[0]));
    }
    fixture_free(f);
}

static void bf16_stays_close_to_fp32(void **state)
{
    (void)state;
    const tensor_kernels *k = kernels_choose(NULL);
    if (!k->bf16) skip();
    for (int block = SEQUENCE_BLOCK_PLAIN; block <= SEQUENCE_BLOCK_HSTU; block++) {
        sequence_settings s = fixture_settings();
        s.block = (sequence_block)block;
        s.width = 32, s.heads = 2;
        body_fixture *exact = fixture_new(&s, k, TENSOR_FP32, several);
        body_fixture *coarse = fixture_new(&s, k, TENSOR_BF16, several);
        size_t n = exact->pack.R * 32;
        double off = 0;
        const float *a = fixture_forward(exact), *b = fixture_forward(coarse);
        for (size_t i = 0; i < n; i++) off = fmax(off, fabs((double)(a[i] - b[i])));
        assert_true(off < 0.1 && off > 0);
        double product = 0, aa = 0, bb = 0;
        fixture_backward(exact), fixture_backward(coarse);
        for (size_t i = 0; i < exact->floats; i++) {
            double x = (double)exact->gradient[i], y = (double)coarse->gradient[i];
            product += x * y, aa += x * x, bb += y * y;
        }
        assert_true(product > 0.999 * sqrt(aa * bb));
        fixture_free(exact);
        fixture_free(coarse);
    }
}

/* ---- arrays ---- */

static void arrays_start_as_their_layers_ask(void **state)
{
    (void)state;
    sequence_settings s = fixture_settings();
    body_fixture *f = fixture_new(&s, kernels_choose(NULL), TENSOR_FP32, one_row);
    const body_shapes *a = f->shapes;
    size_t biases = 0, gains = 0, weights = 0;
    for (size_t i = 1; i < a->n; i++) {
        const parameter_shape *shape = &a->shape[i];
        assert_ptr_equal(shape->name, a->name[i]);
        assert_true(shape->decays == a->matrix[i]); /* biases and gains are not shrunk */
        if (a->matrix[i]) {
            float spread = 1.0f / sqrtf(3.0f * (float)shape->columns);
            assert_true(shape->start == PARAMETER_NORMAL && shape->spread == spread);
            weights++;
        }
        biases += shape->start == PARAMETER_ZERO;
        gains += shape->start == PARAMETER_ONE;
    }
    assert_int_equal(weights, 2 * 4); /* qkv, o, f1, f2: each with a bias */
    assert_int_equal(gains, 2 * 2 + 1);
    assert_int_equal(biases, 2 * 4 + 2 * 2 + 1);
    fixture_free(f);
}

static void the_largest_network_has_room_for_its_arrays(void **state)
{
    (void)state;
    body_shapes *shapes = mem_alloc_zero(1, sizeof *shapes);
    sequence_settings s = fixture_settings();
    s.block = SEQUENCE_BLOCK_GATED;
    s.relative = true;
    s.blocks = BODY_BLOCKS_MAX;
    sequence_body_transformer.shapes(&s, shapes);
    assert_true(shapes->n + 16 <= PARAMETERS_MAX);
    mem_free(shapes);
}

/* ---- golden ---- */

/* Row-major values of parameter i as golden_transformer.h lays them down. */
static void golden_fill(size_t i, double scale, double shift, size_t n, float *to)
{
    for (size_t k = 0; k < n; k++)
        to[k] = (float)(shift + scale * (golden_unit(k, 100 + i) - 0.5));
}

static size_t array_named(const body_fixture *f, const char *name)
{
    for (size_t a = 0; a < f->shapes->n; a++)
        if (strcmp(f->shapes->name[a], name) == 0) return a;
    fail_msg("no array %s", name);
    return 0;
}

/* Where a golden parameter lies: its array, and where in it (q, k, v are one array here). */
static size_t golden_place(const body_fixture *f, size_t i)
{
    const char *const names[GOLDEN_OF_BLOCK] = {
        "norm1_gain", "norm1_shift", "wqkv", "wqkv", "wqkv", "wo",
        "norm2_gain", "norm2_shift", "w1",   "c1",   "w2",   "c2"};
    char name[BODY_NAME_BYTES];
    size_t part = i % GOLDEN_OF_BLOCK;
    (void)snprintf(name, sizeof name, "block%zu.%s", i / GOLDEN_OF_BLOCK, names[part]);
    size_t at = f->offset[array_named(f, name)];
    return part >= 2 && part <= 4 ? at + (part - 2) * 8 * 8 : at;
}

static size_t golden_floats(size_t i)
{
    const size_t sizes[GOLDEN_OF_BLOCK] = {8, 8, 64, 64, 64, 64, 8, 8, 256, 32, 256, 8};
    return sizes[i % GOLDEN_OF_BLOCK];
}

static void golden_values(body_fixture *f)
{
    memset(f->values, 0, f->floats * sizeof(float)); /* biases of q, k, v, o: not in the model */
    for (size_t i = 0; i < 2 * GOLDEN_OF_BLOCK; i++) {
        size_t part = i % GOLDEN_OF_BLOCK;
        bool gain = part == 0 || part == 6, shift = part == 1 || part == 7;
        golden_fill(3 + i, gain || shift ? 0.2 : 0.4, gain ? 1 : 0, golden_floats(i),
                    f->values + golden_place(f, i));
    }
    golden_fill(27, 0.2, 1, 8, f->values + f->offset[array_named(f, "final0.norm_gain")]);
    golden_fill(28, 0.2, 0, 8, f->values + f->offset[array_named(f, "final0.norm_shift")]);
    fixture_pack(f);
}

static const uint32_t golden_read[10] = {3, 7, 1, 11, 5, 2, 4, 4, 10, 6};
static const uint32_t golden_next[10] = {7, 1, 11, 5, 2, 9, 4, 10, 6, 8};

static uint32_t golden_position(size_t row)
{
    return (uint32_t)(row < 6 ? row : row - 6);
}

/* Cross-entropy on h E^T in double; sets dh and adds to the gradient of E. */
static double golden_loss(const float *h, const float *e, float *dh, double (*grad_e)[8])
{
    double loss = 0;
    for (size_t r = 0; r < 10; r++) {
        double logit[12], total = 0, dstate[8] = {0};
        for (size_t v = 1; v <= 11; v++) {
            logit[v] = 0;
            for (size_t d = 0; d < 8; d++)
                logit[v] += (double)h[r * 8 + d] * (double)e[v * 8 + d];
            assert_true(fabs(logit[v] - golden_logits[r][v - 1]) < 1e-5);
            total += exp(logit[v]);
        }
        loss += (log(total) - logit[golden_next[r]]) / 10;
        for (size_t v = 1; v <= 11; v++) {
            double slope = (exp(logit[v]) / total - (v == golden_next[r])) / 10;
            for (size_t d = 0; d < 8; d++) {
                dstate[d] += slope * (double)e[v * 8 + d];
                grad_e[v][d] += slope * (double)h[r * 8 + d];
            }
        }
        for (size_t d = 0; d < 8; d++) dh[r * 8 + d] = (float)dstate[d];
    }
    return loss;
}

static void golden_check_blocks(const body_fixture *f)
{
    for (size_t i = 0; i < 2 * GOLDEN_OF_BLOCK; i++) {
        const float *g = f->gradient + golden_place(f, i);
        double sum = 0, size = 0;
        for (size_t k = 0; k < golden_floats(i); k++) {
            sum += (double)g[k];
            size += fabs((double)g[k]);
        }
        assert_true(fabs(sum - golden_grad_sums[i][0]) < 1e-5);
        assert_true(fabs(size - golden_grad_sums[i][1]) < 1e-5);
    }
    const float *gf = f->gradient + f->offset[array_named(f, "final0.norm_gain")];
    const float *bf = f->gradient + f->offset[array_named(f, "final0.norm_shift")];
    for (size_t d = 0; d < 8; d++) {
        assert_true(fabs((double)gf[d] - golden_grad_gf[d]) < 1e-5);
        assert_true(fabs((double)bf[d] - golden_grad_bf[d]) < 1e-5);
    }
}

static void golden_check_embeddings(const float *dx, double (*grad_e)[8])
{
    double grad_p[6][8] = {{0}};
    for (size_t r = 0; r < 10; r++) {
        for (size_t d = 0; d < 8; d++) {
            grad_e[golden_read[r]][d] += (double)dx[r * 8 + d];
            grad_p[golden_position(r)][d] += (double)dx[r * 8 + d];
        }
    }
    for (size_t d = 0; d < 8; d++) {
        for (size_t v = 0; v < 12; v++)
            assert_true(fabs(grad_e[v][d] - golden_grad_e[v][d]) < 1e-5);
        for (size_t p = 0; p < 6; p++)
            assert_true(fabs(grad_p[p][d] - golden_grad_p[p][d]) < 1e-5);
    }
}

static void reproduces_another_librarys_model(void **state)
{
    (void)state;
    const uint32_t lengths[] = {6, 4, 0};
    sequence_settings s = fixture_settings();
    s.width = 8, s.heads = 2, s.length = 6, s.feedforward = 4;
    for (size_t i = 0; kernels_at(i); i++) {
        body_fixture *f = fixture_new(&s, kernels_at(i), TENSOR_FP32, lengths);
        float e[12 * 8], p[6 * 8];
        double grad_e[12][8] = {{0}};
        golden_fill(1, 0.4, 0, 96, e);
        golden_fill(2, 0.4, 0, 48, p);
        golden_values(f);
        for (size_t r = 0; r < 10; r++)
            for (size_t d = 0; d < 8; d++)
                f->x0[r * 8 + d] = e[golden_read[r] * 8 + d] + p[golden_position(r) * 8 + d];
        const float *h = fixture_forward(f);
        assert_true(fabs(golden_loss(h, e, f->dh, grad_e) - GOLDEN_LOSS) < 1e-5);
        const float *dx = fixture_backward(f);
        golden_check_blocks(f);
        golden_check_embeddings(dx, grad_e);
        fixture_free(f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reproduces_another_librarys_model),
        cmocka_unit_test(plain_blocks_agree_with_the_twin),
        cmocka_unit_test(gated_blocks_agree_with_the_twin),
        cmocka_unit_test(hstu_blocks_agree_with_the_twin),
        cmocka_unit_test(attention_both_ways_agrees_with_the_twin),
        cmocka_unit_test(dropout_agrees_with_the_masks_of_its_header),
        cmocka_unit_test(every_kernel_table_serves),
        cmocka_unit_test(a_pack_of_one_row_is_enough),
        cmocka_unit_test(gradients_use_the_masks_of_the_forward_pass),
        cmocka_unit_test(same_key_same_bits_and_another_step_others),
        cmocka_unit_test(rate_zero_is_evaluation),
        cmocka_unit_test(masks_do_not_depend_on_how_a_batch_is_cut),
        cmocka_unit_test(all_places_drop_apart),
        cmocka_unit_test(rows_do_not_depend_on_their_neighbours),
        cmocka_unit_test(forward_alone_gives_the_same_in_less_memory),
        cmocka_unit_test(a_smaller_pack_fits_the_plan_of_a_larger),
        cmocka_unit_test(bf16_stays_close_to_fp32),
        cmocka_unit_test(arrays_start_as_their_layers_ask),
        cmocka_unit_test(the_largest_network_has_room_for_its_arrays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
