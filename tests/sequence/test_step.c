/*
 * sequence/step: gradients against differences of the loss for every kind of network, the same
 * bits whatever threads and groups, no allocation, nothing changed by what is not finite, and
 * that it learns.
 */
#include "net_fixture.h"

/* ---- gradients ---- */

enum { VARIANTS = 14 };
typedef struct variant {
    const char *name;
    sequence_settings settings;
    sequence_sizes sizes;
} variant;

static void set_variant(variant *v, const char *name)
{
    *v = (variant){name, small_settings(), small_sizes};
}

static void make_variants(variant v[VARIANTS])
{
    static const char *const names[VARIANTS] = {
        "plain",    "side",          "side alone",    "kinds, bands, gaps", "dropouts",
        "relative", "gated",         "hstu",          "smoothing, one worker", "bert",
        "sampled",  "sampled, side", "gbce, no ids",  "gru"};
    for (size_t i = 0; i < VARIANTS; i++)
        set_variant(&v[i], names[i]);
    v[1].settings.side = true;
    v[2].settings.side = true;
    v[2].settings.ids = false;
    v[3].settings.gaps = v[3].sizes.kinds = v[3].sizes.bands = v[3].sizes.gaps = true;
    v[4].settings.side = true;
    v[4].settings.dropout = v[4].settings.attention_dropout = 0.3f;
    v[4].settings.side_dropout = 0.4f;
    v[5].settings.relative = true;
    v[5].settings.positions = false;
    v[6].settings.block = SEQUENCE_BLOCK_GATED;
    v[6].settings.rms_norm = true;
    v[7].settings.block = SEQUENCE_BLOCK_HSTU;
    v[7].settings.relative = true;
    v[8].settings.smoothing = 0.2f;
    v[8].settings.threads = 1;
    v[9].settings.architecture = SEQUENCE_BERT;
    v[10].settings.loss = SEQUENCE_LOSS_SAMPLED;
    v[11].settings.loss = SEQUENCE_LOSS_SAMPLED;
    v[11].settings.side = true;
    v[11].settings.side_dropout = 0.2f;
    v[11].settings.negatives = 200; /* many of them the same */
    v[12].settings.loss = SEQUENCE_LOSS_GBCE;
    v[12].settings.side = true;
    v[12].settings.ids = false;
    v[13].settings.architecture = SEQUENCE_GRU;
    v[13].settings.positions = false;
}

/* The mean loss of the batch; gradients are forgotten. */
static double loss_at(small_net *f)
{
    step_result r;
    assert_true(sequence_step_gradients(f->step, &f->batch.pack, 4, NULL, &r));
    sequence_step_discard(f->step, NULL);
    return r.loss / (double)r.rows;
}

/* The loss's slope along `direction` [n] from array a's values. */
static double slope(small_net *f, size_t a, const double *direction, double step)
{
    parameters *p = sequence_net_parameters(f->net);
    size_t n = parameters_shape(p, a)->rows * parameters_shape(p, a)->columns;
    float *x = parameters_at(p, a), *kept = mem_alloc(n, sizeof *kept);
    double loss[2];
    memcpy(kept, x, n * sizeof *x);
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < n; i++)
            x[i] = (float)((double)kept[i] + (side ? -step : step) * direction[i]);
        loss[side] = loss_at(f);
    }
    memcpy(x, kept, n * sizeof *x);
    mem_free(kept);
    return (loss[0] - loss[1]) / (2.0 * step);
}

/* Along the gradient, and along a direction of random signs. */
static void check_array(small_net *f, const char *variant_name, size_t a, const float *g)
{
    const parameter_shape *s = parameters_shape(sequence_net_parameters(f->net), a);
    size_t n = s->rows * s->columns;
    double *direction = mem_alloc(n, sizeof *direction), squares = 0;
    for (size_t i = 0; i < n; i++)
        squares += (double)g[i] * (double)g[i];
    for (int way = 0; way < 3; way++) {
        double want = 0;
        for (size_t i = 0; i < n; i++) {
            double sign = golden_unit(i, 900 + (uint64_t)way) < 0.5 ? -1 : 1;
            direction[i] = way == 0 && squares > 1e-10 ? (double)g[i] / sqrt(squares)
                                                       : sign / sqrt((double)n);
            want += direction[i] * (double)g[i];
        }
        double got = slope(f, a, direction, 4e-3);
        if (fabs(got - want) > 4e-3 * fabs(want) + 6e-5)
            fail_msg("%s, %s, way %d: slope %.8f, gradient says %.8f", variant_name, s->name,
                     way, got, want);
    }
    mem_free(direction);
}

static void check_variant(const variant *v)
{
    small_net f;
    step_result r;
    small_net_new(&f, &v->settings, &v->sizes, NULL);
    parameters *p = sequence_net_parameters(f.net);
    float *g[PARAMETERS_MAX];
    assert_true(sequence_step_gradients(f.step, &f.batch.pack, 4, NULL, &r));
    for (size_t a = 0; a < parameters_count(p); a++) {
        g[a] = mem_alloc(parameters_shape(p, a)->rows * parameters_shape(p, a)->columns,
                         sizeof(float));
        sequence_step_gradient(f.step, a, g[a]);
    }
    sequence_step_discard(f.step, NULL);
    for (size_t a = 0; a < parameters_count(p); a++) {
        check_array(&f, v->name, a, g[a]);
        mem_free(g[a]);
    }
    small_net_free(&f);
}

static void gradients_are_the_slopes_of_the_loss(void **state)
{
    (void)state;
    static variant v[VARIANTS];
    make_variants(v);
    for (size_t i = 0; i < VARIANTS; i++)
        check_variant(&v[i]);
}

/* ---- bits ---- */

/* Values after four steps. */
static void run_steps(const variant *v, const tensor_kernels *k, pool *threads, float *out,
                      size_t *floats)
{
    small_net f;
    small_net_new(&f, &v->settings, &v->sizes, k);
    for (uint64_t number = 0; number < 4; number++) {
        step_result r;
        small_batch_fill(&f.batch, v->settings.architecture == SEQUENCE_BERT, number);
        sequence_step_take(f.step, &f.batch.pack, 0.01f, number, threads, &r);
        assert_true(r.rows > 0 && isfinite(r.gradient_norm) != 0);
    }
    *floats = parameters_floats(sequence_net_parameters(f.net));
    memcpy(out, parameters_values(sequence_net_parameters(f.net)), *floats * sizeof *out);
    small_net_free(&f);
}

static void the_bits_are_those_of_one_thread(void **state)
{
    (void)state;
    static variant v[VARIANTS];
    static float one[65536], three[65536];
    make_variants(v);
    pool *threads = pool_new(3);
    for (size_t i = 0; i < VARIANTS; i++) {
        size_t n, m;
        run_steps(&v[i], NULL, NULL, one, &n);
        run_steps(&v[i], NULL, threads, three, &m);
        assert_true(n <= 65536 && n == m);
        assert_memory_equal(one, three, n * sizeof *one);
    }
    pool_free(threads);
}

/* Shares of a batch change the order of sums, not the gradient. */
static void workers_agree_but_for_rounding(void **state)
{
    (void)state;
    static variant v[VARIANTS];
    static float one[65536], four[65536];
    make_variants(v);
    for (size_t i = 0; i < VARIANTS; i++) {
        small_net f;
        step_result r[2];
        size_t n = 0;
        for (unsigned way = 0; way < 2; way++) {
            v[i].settings.threads = way ? 4 : 1;
            small_net_new(&f, &v[i].settings, &v[i].sizes, NULL);
            assert_true(sequence_step_gradients(f.step, &f.batch.pack, 7, NULL, &r[way]));
            const parameter_shape *s = parameters_shape(sequence_net_parameters(f.net), 0);
            n = s->rows * s->columns;
            sequence_step_gradient(f.step, 0, way ? four : one);
            small_net_free(&f);
        }
        assert_true(fabs(r[0].loss - r[1].loss) < 1e-4);
        for (size_t j = 0; j < n; j++)
            assert_true(fabsf(one[j] - four[j]) < 1e-6f);
    }
}

/* Dropout goes by a row's number in the batch, not in the group that runs it. */
static void groups_agree_but_for_rounding(void **state)
{
    (void)state;
    static variant v[VARIANTS];
    static float one[65536], many[65536];
    make_variants(v);
    for (size_t i = 0; i < VARIANTS; i++) {
        small_net f;
        step_result r[2];
        v[i].settings.dropout = v[i].settings.attention_dropout = 0.4f;
        small_net_new(&f, &v[i].settings, &v[i].sizes, NULL);
        for (unsigned way = 0; way < 2; way++) {
            if (way == 1) f.step->group_rows = SMALL_LENGTH;
            assert_true(sequence_step_gradients(f.step, &f.batch.pack, 7, NULL, &r[way]));
            sequence_step_gradient(f.step, 0, way ? many : one);
            sequence_step_discard(f.step, NULL);
        }
        const parameter_shape *s = parameters_shape(sequence_net_parameters(f.net), 0);
        assert_true(fabs(r[0].loss - r[1].loss) < 1e-4);
        for (size_t j = 0; j < s->rows * s->columns; j++)
            assert_true(fabsf(one[j] - many[j]) < 1e-6f);
        small_net_free(&f);
    }
}

static void dropout_is_another_in_each_step(void **state)
{
    (void)state;
    sequence_settings s = small_settings();
    step_result r[3];
    small_net f;
    s.dropout = 0.3f;
    small_net_new(&f, &s, &small_sizes, NULL);
    static const uint64_t number[3] = {1, 2, 1};
    for (size_t i = 0; i < 3; i++) {
        assert_true(
            sequence_step_gradients(f.step, &f.batch.pack, number[i], NULL, &r[i]));
        sequence_step_discard(f.step, NULL);
    }
    assert_true(r[0].loss != r[1].loss);
    assert_true(r[0].loss == r[2].loss);
    small_net_free(&f);
}

static void more_workers_than_sequences_is_fine(void **state)
{
    (void)state;
    sequence_settings s = small_settings();
    small_net f, one;
    step_result r, want;
    small_net_new(&one, &s, &small_sizes, NULL);
    s.threads = 7;
    small_net_new(&f, &s, &small_sizes, NULL);
    f.batch.pack.n_sequences = one.batch.pack.n_sequences = 4;
    f.batch.pack.R = one.batch.pack.R = f.batch.offset[4];
    sequence_step_take(f.step, &f.batch.pack, 0.01f, 0, NULL, &r);
    sequence_step_take(one.step, &one.batch.pack, 0.01f, 0, NULL, &want);
    assert_int_equal(r.rows, want.rows);
    assert_true(fabs(r.loss - want.loss) < 1e-4);
    assert_true(fabs(r.gradient_norm - want.gradient_norm) < 1e-5);
    small_net_free(&f);
    small_net_free(&one);
}

static void sampling_moves_the_rows_in_use_alone(void **state)
{
    (void)state;
    sequence_settings s = small_settings();
    const sequence_sizes sizes = {.V = 5000};
    small_net f;
    step_result r;
    s.loss = SEQUENCE_LOSS_SAMPLED;
    s.decay = 0.1f;
    small_net_new(&f, &s, &sizes, NULL);
    const parameters *p = sequence_net_parameters(f.net);
    const size_t D = s.width, id = small_array(p, "id");
    float *before = mem_alloc(5000 * D, sizeof *before);
    memcpy(before, parameters_at(p, id), 5000 * D * sizeof *before);
    sequence_step_take(f.step, &f.batch.pack, 0.01f, 0, NULL, &r);
    size_t at = 0;
    assert_true(f.step->table.n > SMALL_V && f.step->table.n < 100);
    for (size_t v = 0; v < 5000; v++) {
        bool used = at < f.step->table.n && f.step->table.row[at] == v;
        at += used;
        bool same = memcmp(before + v * D, parameters_at(p, id) + v * D, D * sizeof(float)) == 0;
        assert_true(same == !used);
    }
    mem_free(before);
    small_net_free(&f);
}

/* ---- what must not happen ---- */

static void a_loss_that_is_not_finite_changes_nothing(void **state)
{
    (void)state;
    static variant v[VARIANTS];
    make_variants(v);
    for (size_t i = 0; i < VARIANTS; i++) {
        small_net f;
        step_result r;
        small_net_new(&f, &v[i].settings, &v[i].sizes, NULL);
        parameters *p = sequence_net_parameters(f.net);
        size_t bytes = parameters_floats(p) * sizeof(float);
        float *last = parameters_at(p, parameters_count(p) - 1), kept = *last;
        float *before = mem_alloc(bytes, 1);
        *last = NAN;
        memcpy(before, parameters_values(p), bytes);
        sequence_step_take(f.step, &f.batch.pack, 0.01f, 0, NULL, &r);
        assert_true(isfinite(r.gradient_norm) == 0);
        assert_memory_equal(before, parameters_values(p), bytes);
        assert_int_equal(parameters_steps(p), 0);
        /* And what it left behind does not disturb the next step. */
        *last = kept;
        small_net other;
        step_result want;
        small_net_new(&other, &v[i].settings, &v[i].sizes, NULL);
        sequence_step_take(f.step, &f.batch.pack, 0.01f, 1, NULL, &r);
        sequence_step_take(other.step, &f.batch.pack, 0.01f, 1, NULL, &want);
        assert_true(r.loss == want.loss && r.gradient_norm == want.gradient_norm);
        assert_memory_equal(parameters_values(p),
                            parameters_values(sequence_net_parameters(other.net)), bytes);
        mem_free(before);
        small_net_free(&f);
        small_net_free(&other);
    }
}

static void a_batch_without_targets_is_no_step(void **state)
{
    (void)state;
    sequence_settings s = small_settings();
    small_net f;
    small_net_new(&f, &s, &small_sizes, NULL);
    for (size_t i = 0; i < f.batch.pack.R; i++)
        f.batch.target[i] = SEQUENCE_NOTHING;
    step_result r;
    sequence_step_take(f.step, &f.batch.pack, 0.01f, 0, NULL, &r);
    assert_int_equal(r.rows, 0);
    assert_int_equal(parameters_steps(sequence_net_parameters(f.net)), 0);
    small_net_free(&f);
}

static void a_step_allocates_nothing(void **state)
{
    (void)state;
    static variant v[VARIANTS];
    make_variants(v);
    for (size_t i = 0; i < VARIANTS; i++) {
        small_net f;
        step_result r;
        small_net_new(&f, &v[i].settings, &v[i].sizes, NULL);
        mem_fail_at(0);
        sequence_step_take(f.step, &f.batch.pack, 0.01f, 0, NULL, &r);
        assert_int_equal(mem_allocations_since(), 0);
        small_net_free(&f);
    }
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    static variant v[VARIANTS];
    make_variants(v);
    for (size_t i = 0; i < VARIANTS; i++) {
        fault f = {0};
        while (fault_next(&f)) {
            sequence_net *n = NULL;
            sequence_step *s = NULL;
            pf_status status =
                sequence_net_new(&n, &v[i].settings, &v[i].sizes, small_side(), NULL, NULL);
            if (status == PF_OK)
                status = sequence_step_new(&s, n, SMALL_SEQUENCES, SMALL_LENGTH, NULL, NULL);
            assert_int_equal(status, fault_reached(&f) ? PF_NO_MEMORY : PF_OK);
            sequence_step_free(s);
            sequence_net_free(n);
        }
        assert_true(f.n > 8);
    }
}

static void the_bytes_announced_are_those_taken(void **state)
{
    (void)state;
    static variant v[VARIANTS];
    make_variants(v);
    for (size_t i = 0; i < VARIANTS; i++) {
        small_net f;
        size_t said = 0;
        pf_error err = {0};
        assert_int_equal(sequence_step_bytes(&v[i].settings, &v[i].sizes, SMALL_SEQUENCES,
                                             SMALL_LENGTH, &said, &err),
                         PF_OK);
        small_net_new(&f, &v[i].settings, &v[i].sizes, NULL);
        size_t taken = 3 * sizeof(float) * parameters_floats(sequence_net_parameters(f.net)) +
                       f.net->memory.bytes + f.step->memory.bytes;
        for (size_t w = 0; w < f.step->n_workers; w++)
            taken += f.step->worker[w].memory.bytes;
        assert_int_equal(said, taken);
        small_net_free(&f);
    }
    size_t out;
    sequence_sizes huge = {.V = UINT32_MAX / 2};
    sequence_settings s = small_settings();
    s.width = 1024;
    assert_int_equal(sequence_step_bytes(&s, &huge, SIZE_MAX / 4, SIZE_MAX / 4, &out, NULL),
                     PF_LIMIT);
}

/* ---- learning ---- */

/* a b c a b c ...: after some steps the next product is nearly certain. */
static void learn_pattern(sequence_settings s, tensor_precision precision)
{
    enum { PATTERN = 5, V = 20, SEQUENCES = 8, LENGTH = 8 };
    uint32_t offset[SEQUENCES + 1], thing[SEQUENCES * LENGTH], target[SEQUENCES * LENGTH];
    uint16_t position[SEQUENCES * LENGTH];
    const sequence_sizes sizes = {.V = V};
    sequence_net *n;
    sequence_step *step;
    s.precision = precision;
    s.width = 16;
    s.length = LENGTH;
    s.dropout = 0.1f;
    for (uint32_t q = 0; q < SEQUENCES; q++) {
        offset[q] = q * LENGTH;
        for (uint32_t i = 0; i < LENGTH; i++) {
            uint32_t row = q * LENGTH + i, at = q % 4 * PATTERN;
            thing[row] = at + (q + i) % PATTERN;
            target[row] = at + (q + i + 1) % PATTERN;
            position[row] = (uint16_t)i;
            if (s.architecture != SEQUENCE_BERT) continue;
            bool masked = i % 3 == q % 3;
            target[row] = masked ? thing[row] : SEQUENCE_NOTHING;
            if (masked) thing[row] = SEQUENCE_MASK;
        }
    }
    offset[SEQUENCES] = SEQUENCES * LENGTH;
    const sequence_pack pack = {.n_sequences = SEQUENCES,
                                .R = SEQUENCES * LENGTH,
                                .offset = offset,
                                .thing = thing,
                                .position = position,
                                .target = target};
    assert_int_equal(sequence_net_new(&n, &s, &sizes, NULL, NULL, NULL), PF_OK);
    assert_int_equal(sequence_step_new(&step, n, SEQUENCES, LENGTH, NULL, NULL), PF_OK);
    step_result first, last;
    sequence_step_take(step, &pack, 0.01f, 0, NULL, &first);
    for (uint64_t number = 1; number < 250; number++)
        sequence_step_take(step, &pack, 0.01f, number, NULL, &last);
    /* gBCE's positives weigh little and its negatives include what comes next elsewhere. */
    const double share = s.loss == SEQUENCE_LOSS_GBCE ? 0.3 : 0.15;
    if (last.loss > share * first.loss)
        fail_msg("architecture %d, block %d, loss %d: from %f to %f", (int)s.architecture,
                 (int)s.block, (int)s.loss, first.loss, last.loss);
    sequence_step_free(step);
    sequence_net_free(n);
}

static void every_network_learns_a_pattern(void **state)
{
    (void)state;
    sequence_settings s = small_settings();
    const bool bf16 = kernels_choose(NULL)->bf16;
    learn_pattern(s, TENSOR_FP32);
    if (bf16) learn_pattern(s, TENSOR_BF16);
    s.block = SEQUENCE_BLOCK_GATED;
    learn_pattern(s, TENSOR_FP32);
    if (bf16) learn_pattern(s, TENSOR_BF16);
    s.block = SEQUENCE_BLOCK_HSTU;
    learn_pattern(s, TENSOR_FP32);
    s = small_settings();
    s.architecture = SEQUENCE_GRU;
    learn_pattern(s, TENSOR_FP32);
    s.architecture = SEQUENCE_BERT;
    learn_pattern(s, TENSOR_FP32);
    s = small_settings();
    s.loss = SEQUENCE_LOSS_SAMPLED;
    learn_pattern(s, TENSOR_FP32);
    if (bf16) learn_pattern(s, TENSOR_BF16);
    s.loss = SEQUENCE_LOSS_GBCE;
    learn_pattern(s, TENSOR_FP32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_are_the_slopes_of_the_loss),
        cmocka_unit_test(the_bits_are_those_of_one_thread),
        cmocka_unit_test(workers_agree_but_for_rounding),
        cmocka_unit_test(groups_agree_but_for_rounding),
        cmocka_unit_test(dropout_is_another_in_each_step),
        cmocka_unit_test(more_workers_than_sequences_is_fine),
        cmocka_unit_test(sampling_moves_the_rows_in_use_alone),
        cmocka_unit_test(a_loss_that_is_not_finite_changes_nothing),
        cmocka_unit_test(a_batch_without_targets_is_no_step),
        cmocka_unit_test(a_step_allocates_nothing),
        cmocka_unit_test(every_failed_allocation_is_told),
        cmocka_unit_test(the_bytes_announced_are_those_taken),
        cmocka_unit_test(every_network_learns_a_pattern),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
