/*
 * sequence/net: the whole of it against PyTorch's tiny Transformer; states and scores against
 * the product table worked out in double precision; what is refused.
 */
#include "net_fixture.h"

#include "golden_transformer.h"
#include "sequence/sampling.h"

/* ---- PyTorch's ---- */

enum { G_D = 8, G_V = 11, G_T = 6, G_ROWS = 10, G_BLOCKS = 2, G_VALUES = 12 };

typedef struct golden_net {
    sequence_net *net;
    sequence_step *step;
    parameters *p;
} golden_net;

/* Parameter i of the golden file, element by element. */
static void golden_fill(float *out, size_t n, uint64_t i, size_t skip, double scale, double shift)
{
    for (size_t k = 0; k < n; k++)
        out[k] = (float)(shift + scale * (golden_unit(k + skip, 100 + i) - 0.5));
}

static void golden_named(golden_net *g, unsigned block, const char *name, uint64_t i,
                         size_t at, size_t n, double scale, double shift)
{
    char full[64];
    snprintf(full, sizeof full, "block%u.%s", block, name);
    golden_fill(parameters_at(g->p, small_array(g->p, full)) + at, n, i, 0, scale, shift);
}

static void golden_block(golden_net *g, unsigned block, uint64_t i)
{
    const size_t DD = G_D * G_D;
    golden_named(g, block, "norm1_gain", i, 0, G_D, 0.2, 1);
    golden_named(g, block, "norm1_shift", i + 1, 0, G_D, 0.2, 0);
    for (size_t part = 0; part < 3; part++)
        golden_named(g, block, "wqkv", i + 2 + part, part * DD, DD, 0.4, 0);
    golden_named(g, block, "wo", i + 5, 0, DD, 0.4, 0);
    golden_named(g, block, "norm2_gain", i + 6, 0, G_D, 0.2, 1);
    golden_named(g, block, "norm2_shift", i + 7, 0, G_D, 0.2, 0);
    golden_named(g, block, "w1", i + 8, 0, 4 * DD, 0.4, 0);
    golden_named(g, block, "c1", i + 9, 0, 4 * G_D, 0.4, 0);
    golden_named(g, block, "w2", i + 10, 0, 4 * DD, 0.4, 0);
    golden_named(g, block, "c2", i + 11, 0, G_D, 0.4, 0);
}

static golden_net golden_make(const tensor_kernels *k, unsigned threads)
{
    sequence_settings s = small_settings();
    const sequence_sizes sizes = {.V = G_V};
    golden_net g;
    s.width = G_D;
    s.feedforward = 4;
    s.length = G_T;
    s.threads = threads;
    assert_int_equal(sequence_net_new(&g.net, &s, &sizes, NULL, k, NULL), PF_OK);
    assert_int_equal(sequence_step_new(&g.step, g.net, 2, G_T, NULL, NULL), PF_OK);
    g.p = sequence_net_parameters(g.net);
    golden_fill(parameters_at(g.p, small_array(g.p, "id")), G_V * G_D, 1, G_D, 0.4, 0);
    golden_fill(parameters_at(g.p, small_array(g.p, "position")), G_T * G_D, 2, 0, 0.4, 0);
    for (unsigned b = 0; b < G_BLOCKS; b++)
        golden_block(&g, b, 3 + b * GOLDEN_OF_BLOCK);
    const uint64_t last = 3 + G_BLOCKS * GOLDEN_OF_BLOCK;
    golden_fill(parameters_at(g.p, small_array(g.p, "final0.norm_gain")), G_D, last, 0, 0.2, 1);
    golden_fill(parameters_at(g.p, small_array(g.p, "final0.norm_shift")), G_D, last + 1, 0,
                0.2, 0);
    return g;
}

/* Things here count from 0, PyTorch's from 1. */
static const uint32_t g_offset[] = {0, 6, 10};
static const uint32_t g_thing[] = {2, 6, 0, 10, 4, 1, 3, 3, 9, 5};
static const uint32_t g_target[] = {6, 0, 10, 4, 1, 8, 3, 9, 5, 7};
static const uint16_t g_position[] = {0, 1, 2, 3, 4, 5, 0, 1, 2, 3};
static const sequence_pack g_pack = {.n_sequences = 2,
                                     .R = G_ROWS,
                                     .offset = g_offset,
                                     .thing = g_thing,
                                     .position = g_position,
                                     .target = g_target};

static void assert_close(const char *what, size_t n, const float *got, const double *want)
{
    for (size_t i = 0; i < n; i++)
        if (!(fabs((double)got[i] - want[i]) <= 1e-5))
            fail_msg("%s[%zu] is %.8f, not %.8f", what, i, (double)got[i], want[i]);
}

static void assert_sums(golden_net *g, const char *name, size_t at, size_t n,
                        const double want[2])
{
    float all[4 * G_D * G_D];
    double sum = 0, absolute = 0;
    sequence_step_gradient(g->step, small_array(g->p, name), all);
    for (size_t i = 0; i < n; i++) {
        sum += (double)all[at + i];
        absolute += fabs((double)all[at + i]);
    }
    if (fabs(sum - want[0]) > 1e-5 || fabs(absolute - want[1]) > 1e-5)
        fail_msg("%s: sums %.8f %.8f, not %.8f %.8f", name, sum, absolute, want[0], want[1]);
}

/* Of a block: golden parameter number, our array, where in it, how many. */
static void assert_block_gradients(golden_net *g, unsigned block)
{
    static const struct {
        const char *name;
        size_t at, n;
    } of[GOLDEN_OF_BLOCK] = {
        {"norm1_gain", 0, 8}, {"norm1_shift", 0, 8}, {"wqkv", 0, 64},
        {"wqkv", 64, 64},     {"wqkv", 128, 64},     {"wo", 0, 64},
        {"norm2_gain", 0, 8}, {"norm2_shift", 0, 8}, {"w1", 0, 256},
        {"c1", 0, 32},        {"w2", 0, 256},        {"c2", 0, 8},
    };
    for (size_t i = 0; i < GOLDEN_OF_BLOCK; i++) {
        char name[64];
        snprintf(name, sizeof name, "block%u.%s", block, of[i].name);
        assert_sums(g, name, of[i].at, of[i].n, golden_grad_sums[block * GOLDEN_OF_BLOCK + i]);
    }
}

static void check_golden_training(golden_net *g)
{
    float got[G_V * G_D];
    step_result r;
    assert_true(sequence_step_gradients(g->step, &g_pack, 0, NULL, &r));
    assert_int_equal(r.rows, G_ROWS);
    assert_true(fabs(r.loss / G_ROWS - GOLDEN_LOSS) < 1e-5);
    sequence_step_gradient(g->step, small_array(g->p, "id"), got);
    assert_close("gradient of id", G_V * G_D, got, &golden_grad_e[1][0]);
    sequence_step_gradient(g->step, small_array(g->p, "position"), got);
    assert_close("gradient of position", G_T * G_D, got, &golden_grad_p[0][0]);
    for (unsigned b = 0; b < G_BLOCKS; b++)
        assert_block_gradients(g, b);
    sequence_step_gradient(g->step, small_array(g->p, "final0.norm_gain"), got);
    assert_close("gradient of gf", G_D, got, golden_grad_gf);
    sequence_step_gradient(g->step, small_array(g->p, "final0.norm_shift"), got);
    assert_close("gradient of bf", G_D, got, golden_grad_bf);
}

/* States exist of last rows: every row is the last one of a window that ends there. */
static void check_golden_logits(golden_net *g)
{
    void *scratch = mem_alloc_aligned(KERNEL_SCRATCH_BYTES, 1);
    workspace memory;
    assert_int_equal(sequence_net_workspace(g->net, G_ROWS, &memory, NULL), PF_OK);
    sequence_net_refresh(g->net, NULL);
    for (uint32_t row = 0; row < G_ROWS; row++) {
        float state[G_D], scores[G_V];
        uint32_t first = row < 6 ? 0 : 6, offset[2] = {0, row + 1 - first};
        const sequence_pack one = {.n_sequences = 1,
                                   .R = offset[1],
                                   .offset = offset,
                                   .thing = g_thing + first,
                                   .position = g_position + first};
        mem_guard_enter();
        sequence_net_states(g->net, &one, &memory, state);
        sequence_net_scores(g->net, 1, state, scores, scratch);
        mem_guard_leave();
        assert_close("logits", G_V, scores, golden_logits[row]);
    }
    workspace_free(&memory);
    mem_free(scratch);
}

static void the_tiny_transformer_is_that_of_pytorch(void **state)
{
    (void)state;
    for (size_t i = 0; kernels_at(i); i++)
        for (unsigned threads = 1; threads <= 2; threads++) {
            golden_net g = golden_make(kernels_at(i), threads);
            check_golden_training(&g);
            check_golden_logits(&g);
            sequence_step_free(g.step);
            sequence_net_free(g.net);
        }
}

/* ---- the product table ---- */

/* id_i + W s_i in double precision. */
static void naive_vector(sequence_net *n, size_t thing, double *out)
{
    const parameters *p = sequence_net_parameters(n);
    const size_t D = n->settings.width;
    for (size_t d = 0; d < D; d++) {
        out[d] = 0;
        if (n->at.id != NET_ABSENT)
            out[d] += (double)parameters_at(p, n->at.id)[thing * D + d];
        for (size_t k = 0; n->at.side != NET_ABSENT && k < SMALL_K; k++)
            out[d] += (double)parameters_at(p, n->at.side)[d * SMALL_K + k] *
                      (double)small_side()[thing * SMALL_K + k];
    }
}

static void check_table(bool ids, bool side, pool *threads)
{
    sequence_settings s = small_settings();
    s.ids = ids;
    s.side = side;
    s.side_dropout = 0.5f; /* training's affair: it must not be seen here */
    s.threads = 3;
    small_net f;
    small_net_new(&f, &s, &small_sizes, NULL);
    sequence_net_refresh(f.net, threads);
    float states[2 * 12], scores[2 * SMALL_V];
    void *scratch = mem_alloc_aligned(KERNEL_SCRATCH_BYTES, 1);
    for (size_t i = 0; i < 24; i++)
        states[i] = (float)golden_unit(i, 8) - 0.5f;
    sequence_net_scores(f.net, 2, states, scores, scratch);
    for (size_t v = 0; v < SMALL_V + SMALL_P; v++) {
        double m[12];
        naive_vector(f.net, v, m);
        for (size_t d = 0; d < 12; d++)
            assert_true(fabs(m[d] - (double)f.net->m[v * 12 + d]) < 1e-6);
        for (size_t r = 0; v < SMALL_V && r < 2; r++) {
            double want = 0;
            for (size_t d = 0; d < 12; d++)
                want += m[d] * (double)states[r * 12 + d];
            assert_true(fabs(want - (double)scores[r * SMALL_V + v]) < 1e-5);
        }
    }
    mem_free(scratch);
    small_net_free(&f);
}

static void the_table_is_ids_and_projected_side_vectors(void **state)
{
    (void)state;
    pool *threads = pool_new(2);
    check_table(true, false, NULL);
    check_table(true, true, threads);
    check_table(false, true, NULL);
    pool_free(threads);
}

static void a_product_nobody_took_is_scored_by_its_side_vector(void **state)
{
    (void)state;
    sequence_settings s = small_settings();
    s.side = true;
    s.ids = false;
    small_net f;
    small_net_new(&f, &s, &small_sizes, NULL);
    sequence_net_refresh(f.net, NULL);
    float state_of_one[12], scores[SMALL_V];
    void *scratch = mem_alloc_aligned(KERNEL_SCRATCH_BYTES, 1);
    memcpy(state_of_one, f.net->m + 9 * 12, sizeof state_of_one);
    sequence_net_scores(f.net, 1, state_of_one, scores, scratch);
    assert_true(scores[9] > 0);
    mem_free(scratch);
    small_net_free(&f);
}

/* ---- states ---- */

static void a_state_does_not_depend_on_its_neighbours_in_the_pack(void **state)
{
    (void)state;
    sequence_settings s = small_settings();
    sequence_sizes sizes = small_sizes;
    sizes.kinds = sizes.bands = sizes.gaps = s.gaps = s.side = true;
    small_net f;
    workspace memory;
    small_net_new(&f, &s, &sizes, NULL);
    sequence_net_refresh(f.net, NULL);
    assert_int_equal(sequence_net_workspace(f.net, SMALL_ROWS, &memory, NULL), PF_OK);
    static float all[SMALL_SEQUENCES * 12];
    const sequence_pack *p = &f.batch.pack;
    sequence_net_states(f.net, p, &memory, all);
    for (size_t i = 0; i < 12; i++)
        assert_true(all[i] == 0.0f); /* the first sequence has no rows */
    for (size_t q = 1; q < SMALL_SEQUENCES; q++) {
        uint32_t row = p->offset[q], offset[2] = {0, p->offset[q + 1] - row};
        float one[12];
        const sequence_pack alone = {.n_sequences = 1,
                                     .R = offset[1],
                                     .offset = offset,
                                     .thing = p->thing + row,
                                     .position = p->position + row,
                                     .kind = p->kind + row,
                                     .band = p->band + row,
                                     .gap = p->gap + row};
        sequence_net_states(f.net, &alone, &memory, one);
        for (size_t i = 0; i < 12; i++)
            assert_true(fabsf(one[i] - all[q * 12 + i]) < 1e-5f);
    }
    workspace_free(&memory);
    small_net_free(&f);
}

static void what_an_event_is_reaches_the_state(void **state)
{
    (void)state;
    sequence_settings s = small_settings();
    sequence_sizes sizes = small_sizes;
    sizes.kinds = sizes.bands = sizes.gaps = s.gaps = true;
    small_net f;
    workspace memory;
    small_net_new(&f, &s, &sizes, NULL);
    sequence_net_refresh(f.net, NULL);
    assert_int_equal(sequence_net_workspace(f.net, 2, &memory, NULL), PF_OK);
    uint32_t offset[2] = {0, 2}, thing[2] = {3, 4};
    uint16_t position[2] = {0, 1};
    uint8_t kind[2] = {1, 1}, band[2] = {2, 2}, gap[2] = {0, 3};
    const sequence_pack p = {.n_sequences = 1,
                             .R = 2,
                             .offset = offset,
                             .thing = thing,
                             .position = position,
                             .kind = kind,
                             .band = band,
                             .gap = gap};
    float before[12], after[12];
    sequence_net_states(f.net, &p, &memory, before);
    for (int what = 0; what < 5; what++) {
        uint32_t kept = thing[0];
        if (what == 0) thing[0] = SEQUENCE_NOTHING;
        if (what == 1) kind[0]++;
        if (what == 2) band[0]++;
        if (what == 3) gap[1]++;
        if (what == 4) position[0] = 2;
        sequence_net_states(f.net, &p, &memory, after);
        assert_memory_not_equal(before, after, sizeof before);
        thing[0] = kept;
        kind[0] = 1;
        band[0] = 2;
        gap[1] = 3;
        position[0] = 0;
    }
    sequence_net_states(f.net, &p, &memory, after);
    assert_memory_equal(before, after, sizeof before);
    workspace_free(&memory);
    small_net_free(&f);
}

/* ---- refusals ---- */

static pf_status try_net(const sequence_settings *s, const sequence_sizes *sizes,
                         const float *side, const tensor_kernels *k, const char *word)
{
    pf_error err = {0};
    sequence_net *n;
    pf_status status = sequence_net_new(&n, s, sizes, side, k, &err);
    assert_null(n);
    assert_non_null(strstr(err.message, word));
    return status;
}

static void settings_that_cannot_be_are_refused(void **state)
{
    (void)state;
    sequence_settings s = small_settings();
    sequence_sizes none = {.V = 0}, bare = {.V = 5};
    assert_int_equal(try_net(&s, &none, NULL, NULL, "no products"), PF_USAGE);
    s.heads = 5;
    assert_int_equal(try_net(&s, &bare, NULL, NULL, "heads"), PF_USAGE);
    s = small_settings();
    s.side = true;
    assert_int_equal(try_net(&s, &small_sizes, NULL, NULL, "missing"), PF_USAGE);
    s.ids = false;
    assert_int_equal(try_net(&s, &bare, NULL, NULL, "ids=false"), PF_USAGE);
    s = small_settings();
    s.precision = TENSOR_BF16;
    assert_int_equal(try_net(&s, &bare, NULL, kernels_choose("portable"), "bf16"),
                     PF_UNAVAILABLE);
    size_t bytes;
    s.precision = TENSOR_FP32;
    s.heads = 5;
    assert_int_equal(sequence_step_bytes(&s, &bare, 4, 4, &bytes, NULL), PF_USAGE);
    sequence_net_free(NULL);
    sequence_step_free(NULL);
}

/* ---- sampling ---- */

static void negatives_come_as_often_as_they_should(void **state)
{
    (void)state;
    enum { V = 50, DRAWS = 400, TURNS = 500 };
    sampler s;
    batch_rows b;
    double popularity[V], total = 0, counted[V] = {0};
    for (size_t v = 0; v < V; v++) {
        popularity[v] = (double)(v * v);
        total += pow(popularity[v] + 1, 0.75);
    }
    workspace w = workspace_counting();
    for (int turn = 0; turn < 2; turn++) {
        sampler_plan(&s, V, &w);
        batch_rows_plan(&b, V + 3, 2, DRAWS, &w);
        if (turn == 0) assert_int_equal(workspace_make(&w, NULL), PF_OK);
    }
    assert_int_equal(sampler_fill(&s, popularity, DRAWS, NULL), PF_OK);
    const uint32_t offset[2] = {0, 2}, thing[2] = {V + 2, SEQUENCE_MASK};
    const uint32_t target[2] = {7, SEQUENCE_NOTHING};
    const sequence_pack pack = {
        .n_sequences = 1, .R = 2, .offset = offset, .thing = thing, .target = target};
    for (uint64_t turn = 0; turn < TURNS; turn++) {
        batch_rows_fill(&b, &s, &pack, 3, turn);
        for (size_t i = 0; i < DRAWS; i++) {
            assert_true(i == 0 || b.negative[i] >= b.negative[i - 1]);
            uint32_t v = b.row[b.negative[i]];
            counted[v]++;
            double q = pow(popularity[v] + 1, 0.75) / total;
            assert_true(fabs((double)b.negative_log[i] - log(DRAWS * q)) < 1e-5);
        }
        for (size_t i = 1; i < b.n; i++)
            assert_true(b.row[i] > b.row[i - 1]);
        assert_int_equal(b.row[b.thing[0]], V + 2);
        assert_int_equal(b.row[b.target[0]], 7);
        assert_true(b.thing[1] == SEQUENCE_MASK && b.target[1] == SEQUENCE_NOTHING);
    }
    for (size_t v = 0; v < V; v++) {
        double want = DRAWS * TURNS * pow(popularity[v] + 1, 0.75) / total;
        assert_true(fabs(counted[v] - want) < 5 * sqrt(want) + 1);
    }
    workspace_free(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_tiny_transformer_is_that_of_pytorch),
        cmocka_unit_test(the_table_is_ids_and_projected_side_vectors),
        cmocka_unit_test(a_product_nobody_took_is_scored_by_its_side_vector),
        cmocka_unit_test(a_state_does_not_depend_on_its_neighbours_in_the_pack),
        cmocka_unit_test(what_an_event_is_reaches_the_state),
        cmocka_unit_test(settings_that_cannot_be_are_refused),
        cmocka_unit_test(negatives_come_as_often_as_they_should),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
