/* Warm starts: what is known stays, what is new starts fresh, what does not fit is refused. */
#include "small_world.h"

#include <string.h>

#include "check.h"
#include "sequence/warm.h"

static small_world w;

static sequence_net *net_of(const char *pairs, uint32_t V, uint32_t P, const float *side)
{
    sequence_net *net = NULL;
    sequence_settings s = small_world_settings(&w, pairs);
    const sequence_sizes sizes = {
        .V = V, .P = P, .kinds = true, .bands = true, .gaps = true, .K = side ? WORLD_K : 0};
    s.side = side != NULL;
    s.gaps = true;
    assert_int_equal(sequence_net_new(&net, &s, &sizes, side, NULL, NULL), PF_OK);
    return net;
}

static const float *array(sequence_net *net, const char *name, size_t *n)
{
    const parameters *p = sequence_net_parameters(net);
    for (size_t i = 0; i < parameters_count(p); i++)
        if (!strcmp(parameters_shape(p, i)->name, name)) {
            *n = parameters_shape(p, i)->rows * parameters_shape(p, i)->columns;
            return parameters_at(p, i);
        }
    *n = 0;
    return NULL;
}

static sequence_model *yesterday(const char *pairs)
{
    small_world_make(&w, 41, true);
    training_task task = small_world_task(&w);
    return small_world_train(&task, pairs);
}

static const float *known(const sequence_model *m, const char *name)
{
    const parameters *p = sequence_model_parameters(m);
    for (size_t i = 0; i < parameters_count(p); i++)
        if (!strcmp(parameters_shape(p, i)->name, name)) return parameters_at(p, i);
    fail_msg("no array %s", name);
    return NULL;
}

static void test_things_keep_their_vectors_and_new_ones_start_fresh(void **state)
{
    (void)state;
    enum { V = WORLD_V + 5, P = WORLD_P + 2, D = 16 };
    static float side[(V + P) * WORLD_K];
    sequence_model *m = yesterday("epochs=1,architecture=bert,seed=7");
    sequence_net *net = net_of("architecture=bert", V, P, side);
    sequence_net *fresh = net_of("architecture=bert", V, P, side);
    size_t n = 0;
    assert_int_equal(sequence_warm_start(net, m, NULL), PF_OK);
    const float *id = array(net, "id", &n), *other = array(fresh, "id", &n);
    const float *was = known(m, "id");
    assert_int_equal(n, (V + P) * D);
    assert_memory_equal(id, was, WORLD_V * D * sizeof *id);
    assert_memory_equal(id + WORLD_V * D, other + WORLD_V * D, 5 * D * sizeof *id);
    assert_memory_equal(id + V * D, was + WORLD_V * D, WORLD_P * D * sizeof *id);
    assert_memory_equal(id + (V + WORLD_P) * D, other + (V + WORLD_P) * D, 2 * D * sizeof *id);
    const float *bias = array(net, "bias", &n);
    assert_int_equal(n, V);
    assert_memory_equal(bias, known(m, "bias"), WORLD_V * sizeof *bias);
    for (const char *const *name = (const char *const[]){"position", "kind", "gap", "mask",
                                                         "side", NULL};
         *name != NULL; name++) {
        const float *now = array(net, *name, &n);
        assert_memory_equal(now, known(m, *name), n * sizeof *now);
    }
    sequence_net_free(net);
    sequence_net_free(fresh);
    sequence_model_free(m);
}

static void test_what_does_not_fit_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    static const struct {
        const char *pairs;
        uint32_t V, P;
        bool side;
        const char *words;
    } cases[] = {
        {"", WORLD_V - 1, WORLD_P, true, "another catalogue"},
        {"", WORLD_V, WORLD_P - 1, true, "another catalogue"},
        {"architecture=gru,positions=false", WORLD_V, WORLD_P, true, "another architecture"},
        {"width=32", WORLD_V, WORLD_P, true, "another shape"},
        {"length=12", WORLD_V, WORLD_P, true, "'position' is of another shape"},
        {"blocks=2", WORLD_V, WORLD_P, true, "missing"},
    };
    sequence_model *m = yesterday("epochs=1");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pf_error err = {0};
        sequence_net *net = net_of(cases[i].pairs, cases[i].V, cases[i].P, w.vectors);
        const parameters *p = sequence_net_parameters(net);
        size_t bytes = parameters_floats(p) * sizeof(float);
        float *before = mem_alloc(1, bytes);
        memcpy(before, parameters_values(p), bytes);
        assert_int_equal(sequence_warm_start(net, m, &err), PF_DATA);
        if (strstr(err.message, cases[i].words) == NULL)
            fail_msg("'%s' lacks '%s'", err.message, cases[i].words);
        assert_memory_equal(before, parameters_values(p), bytes);
        mem_free(before);
        sequence_net_free(net);
    }
    sequence_model_free(m);
}

static void test_training_goes_on_from_yesterdays_model(void **state)
{
    (void)state;
    sequence_model *m = yesterday("epochs=20");
    training_task task = small_world_task(&w);
    sequence_model *cold = small_world_train(&task, "epochs=1");
    task.warm = m;
    sequence_model *warm = small_world_train(&task, "epochs=1");
    assert_true(sequence_model_training(warm)->best_validation >
                sequence_model_training(cold)->best_validation + .2);
    sequence_model_free(cold);
    sequence_model_free(warm);
    sequence_model_free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_things_keep_their_vectors_and_new_ones_start_fresh),
        cmocka_unit_test(test_what_does_not_fit_is_refused_and_changes_nothing),
        cmocka_unit_test(test_training_goes_on_from_yesterdays_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
