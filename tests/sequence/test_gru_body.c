/* GRU4Rec's body against a plain forward pass in double precision. */
#include "body_fixture.h"

enum { WIDEST = 64 };

static double sigma(double x)
{
    return 1 / (1 + exp(-x));
}

static void layer_linear(const naive_body *n, unsigned layer, const char *w, const char *b,
                         size_t out, size_t in, const double *x, double *y)
{
    naive_linear(1, out, in, naive_array(n, "layer", layer, w), naive_array(n, "layer", layer, b),
                 x, y);
}

/* One step of one layer: h becomes the next. */
static void twin_step(const naive_body *n, unsigned layer, size_t in, const double *x,
                      double *h)
{
    size_t G = body_inner_width(&n->f->settings);
    double a[3 * WIDEST], b[3 * WIDEST];
    layer_linear(n, layer, "wi", "bi", 3 * G, in, x, a);
    layer_linear(n, layer, "wh", "bh", 3 * G, G, h, b);
    for (size_t i = 0; i < G; i++) {
        double reset = sigma(a[i] + b[i]), keep = sigma(a[G + i] + b[G + i]);
        double fresh = tanh(a[2 * G + i] + reset * b[2 * G + i]);
        h[i] = (1 - keep) * fresh + keep * h[i];
    }
}

static void twin(const naive_body *n, double *out)
{
    const body_fixture *f = n->f;
    size_t D = f->settings.width, G = body_inner_width(&f->settings);
    for (size_t s = 0; s < f->pack.n_sequences; s++) {
        double h[BODY_BLOCKS_MAX][WIDEST] = {{0}};
        for (size_t r = f->pack.offset[s]; r < f->pack.offset[s + 1]; r++) {
            double read[WIDEST];
            memcpy(read, n->x + r * D, D * sizeof *read);
            for (unsigned l = 0; l < f->settings.blocks; l++) {
                twin_step(n, l, l == 0 ? D : G, read, h[l]);
                memcpy(read, h[l], G * sizeof *read);
                naive_dropout(f, l, r, 1, G, read);
            }
            naive_linear(1, D, G, naive_array(n, "final", 0, "wo"),
                         naive_array(n, "final", 0, "bo"), read, out + r * D);
        }
    }
}

static const uint32_t several[] = {5, 1, 7, 7, 0};

static sequence_settings settings(unsigned blocks, float feedforward)
{
    sequence_settings s = fixture_settings();
    s.architecture = SEQUENCE_GRU;
    s.blocks = blocks;
    s.feedforward = feedforward;
    return s;
}

static void layers_agree_with_the_twin(void **state)
{
    (void)state;
    for (unsigned blocks = 1; blocks <= 3; blocks++) {
        const float widths[] = {0.5f, 1, 1.7f};
        sequence_settings s = settings(blocks, widths[blocks - 1]);
        body_fixture *f = fixture_new(&s, kernels_choose(NULL), TENSOR_FP32, several);
        fixture_check(f, twin);
        fixture_free(f);
    }
}

static void every_kernel_table_serves(void **state)
{
    (void)state;
    for (size_t i = 0; kernels_at(i); i++) {
        sequence_settings s = settings(2, 1.5f);
        body_fixture *f = fixture_new(&s, kernels_at(i), TENSOR_FP32, several);
        fixture_check(f, twin);
        fixture_free(f);
    }
}

static void dropout_agrees_with_the_masks_of_its_header(void **state)
{
    (void)state;
    sequence_settings s = settings(2, 1.5f);
    s.dropout = 0.4f;
    body_fixture *f = fixture_new(&s, kernels_choose(NULL), TENSOR_FP32, several);
    f->call.training = true;
    f->call.step = 2;
    f->pack.first_row = 77;
    fixture_check(f, twin);
    fixture_free(f);
}

static void rate_zero_is_evaluation(void **state)
{
    (void)state;
    sequence_settings s = settings(2, 1);
    body_fixture *f = fixture_new(&s, kernels_choose(NULL), TENSOR_FP32, several);
    size_t bytes = f->pack.R * s.width * sizeof(float);
    float *evaluation = mem_alloc(bytes, 1);
    memcpy(evaluation, fixture_forward(f), bytes);
    f->call.training = true;
    assert_memory_equal(evaluation, fixture_forward(f), bytes);
    f->settings.dropout = 0.5f;
    assert_memory_not_equal(evaluation, fixture_forward(f), bytes);
    mem_free(evaluation);
    fixture_free(f);
}

static void sequences_start_from_nothing(void **state)
{
    (void)state;
    const uint32_t last[] = {7, 0};
    sequence_settings s = settings(2, 1);
    s.dropout = 0.2f;
    body_fixture *whole = fixture_new(&s, kernels_choose(NULL), TENSOR_FP32, several);
    body_fixture *cut = fixture_new(&s, kernels_choose(NULL), TENSOR_FP32, last);
    whole->call.training = cut->call.training = true;
    cut->pack.first_row = 13;
    size_t skip = 13 * s.width, n = 7 * s.width;
    memcpy(cut->x0, whole->x0 + skip, n * sizeof(float));
    const float *a = fixture_forward(whole) + skip, *b = fixture_forward(cut);
    for (size_t i = 0; i < n; i++) assert_true(fabsf(a[i] - b[i]) < 1e-5f);
    fixture_free(whole);
    fixture_free(cut);
}

static void forward_alone_fits_its_own_plan(void **state)
{
    (void)state;
    sequence_settings s = settings(2, 1.5f);
    body_fixture *f = fixture_new(&s, kernels_choose(NULL), TENSOR_FP32, several);
    size_t bytes = f->pack.R * s.width * sizeof(float), planned = f->memory.bytes;
    float *states = mem_alloc(bytes, 1);
    memcpy(states, fixture_forward(f), bytes);
    workspace_free(&f->memory);
    f->memory = workspace_counting();
    f->call.gradient = NULL;
    assert_null(f->body->forward(&f->call, NULL));
    assert_int_equal(workspace_make(&f->memory, NULL), PF_OK);
    assert_true(f->memory.bytes <= planned);
    assert_memory_equal(states, fixture_forward(f), bytes);
    mem_free(states);
    fixture_free(f);
}

static void the_architecture_chooses_the_body(void **state)
{
    (void)state;
    sequence_settings s = settings(1, 1);
    assert_ptr_equal(sequence_body_of(&s), &sequence_body_gru);
    s.architecture = SEQUENCE_BERT;
    assert_ptr_equal(sequence_body_of(&s), &sequence_body_transformer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(layers_agree_with_the_twin),
        cmocka_unit_test(every_kernel_table_serves),
        cmocka_unit_test(dropout_agrees_with_the_masks_of_its_header),
        cmocka_unit_test(rate_zero_is_evaluation),
        cmocka_unit_test(sequences_start_from_nothing),
        cmocka_unit_test(forward_alone_fits_its_own_plan),
        cmocka_unit_test(the_architecture_chooses_the_body),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
