/*
 * What the shopper takes again and again: how often he took a product, each time worth
 * half as much after 90 days; where the data carry no times, after 20 events. It looks at
 * nobody else, so what he never took is worth nothing.
 */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "recommend/kinds.h"

enum { HALF_LIFE_DAYS = 90, HALF_LIFE_EVENTS = 20 };

typedef struct repeat_model {
    uint32_t n_products;
    double half_life_days, half_life_events;
} repeat_model;

static repeat_model *repeat_new(uint32_t n_products)
{
    repeat_model *m = mem_alloc(1, sizeof *m);
    if (m != NULL) *m = (repeat_model){n_products, HALF_LIFE_DAYS, HALF_LIFE_EVENTS};
    return m;
}

static pf_status fit(const recommend_input *input, void **state, pf_error *err)
{
    *state = repeat_new(input->train->n_products);
    return *state ? PF_OK : error_set(err, PF_NO_MEMORY, "out of memory for a model");
}

static double half_lives(const repeat_model *m, const recommend_query *q, size_t i)
{
    if (q->time_us == NULL) return (double)(q->n - 1 - i) / m->half_life_events;
    double age_us = (double)q->at_us - (double)q->time_us[i];
    return fmax(age_us, 0) / (double)US_PER_DAY / m->half_life_days;
}

static void score(const void *state, const recommend_query *query, float *scores,
                  recommend_scratch *scratch)
{
    const repeat_model *m = state;
    (void)scratch;
    memset(scores, 0, m->n_products * sizeof *scores);
    for (size_t i = 0; i < query->n; i++)
        scores[query->product[i]] += (float)exp2(-half_lives(m, query, i));
}

static pf_status save(const void *state, safetensors_writer *file, pf_error *err)
{
    const repeat_model *m = state;
    pf_status s = safetensors_add(file, "half_life_days", TENSOR_F64, &m->half_life_days,
                                  0, NULL, err);
    if (s == PF_OK)
        s = safetensors_add(file, "half_life_events", TENSOR_F64, &m->half_life_events, 0,
                            NULL, err);
    return s;
}

static pf_status load(const safetensors *file, uint32_t n_products, void **state,
                      pf_error *err)
{
    const tensor_view *days = NULL, *events = NULL;
    pf_status s = safetensors_find(file, "half_life_days", TENSOR_F64, 0, 1, &days, err);
    if (s == PF_OK)
        s = safetensors_find(file, "half_life_events", TENSOR_F64, 0, 1, &events, err);
    if (s != PF_OK) return s;
    double d = *(const double *)days->data, e = *(const double *)events->data;
    if (!(d > 1e-6 && d < 1e6 && e > 1e-6 && e < 1e6))
        return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                            "a half-life is out of range; train again");
    repeat_model *m = repeat_new(n_products);
    if (m == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    m->half_life_days = d;
    m->half_life_events = e;
    *state = m;
    return PF_OK;
}

const recommender_kind repeat_kind = {
    .name = "repeat",
    .summary = "what the shopper took before, lately and often",
    .source = "personal frequency with exponential decay",
    .fit = fit,
    .score = score,
    .save = save,
    .load = load,
    .free = mem_free,
};
