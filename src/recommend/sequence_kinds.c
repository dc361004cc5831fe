/*
 * Models that read a shopper's events in order, as recommenders: the Transformer, GRU4Rec and
 * BERT4Rec of sequence/, one kind each. The latest events become one pack of rows; the state of
 * its last row, times the product table, is the score.
 */
#include <string.h>

#include "base/memory.h"
#include "recommend/inner.h"
#include "recommend/kinds.h"
#include "recommend/scratch.h"
#include "recommend/side_vectors.h"
#include "sequence/model.h"
#include "sequence/train.h"

static void sequence_free(void *state)
{
    sequence_model_free(state);
}

/* ---- fitting ---- */

/* All that is known of what shoppers did, or what they took alone. */
static sequence_events events_of(const interactions *x)
{
    if (x->story != NULL) return *x->story;
    return (sequence_events){.n_shoppers = x->n_users,
                             .n_products = x->n_products,
                             .n = x->n,
                             .first = x->first,
                             .thing = x->product,
                             .time_us = x->time_us};
}

static pf_status choose(sequence_architecture a, const recommend_input *input,
                        const sequence_events *events, const sequence_side *side,
                        sequence_settings *out, pf_error *err)
{
    const recommend_training *t = input->training;
    *out = sequence_settings_for(a, events, side);
    out->seed = input->seed;
    out->threads = input->pool ? pool_threads(input->pool) : 1;
    pf_status s = t && t->settings ? sequence_settings_set(out, t->settings, err) : PF_OK;
    if (s == PF_OK && out->seed != input->seed)
        s = error_set(err, PF_USAGE,
                      "seed=%llu among the settings would be every training's: --seed, --seeds "
                      "and --copies choose seeds",
                      (unsigned long long)out->seed);
    return s;
}

static pf_status train(sequence_architecture a, const recommend_input *input,
                       const sequence_events *events, const sequence_side *side,
                       sequence_model **out, pf_error *err)
{
    const recommend_training *t = input->training;
    sequence_settings settings;
    pf_status s = choose(a, input, events, side, &settings, err);
    if (s != PF_OK) return s;
    training_task task = {.events = events,
                          .side = side,
                          .next = input->next,
                          .repeats = input->repeats,
                          .threads = input->pool};
    if (t != NULL) {
        task.checkpoint = t->checkpoint;
        task.resume = t->resume;
        task.hooks = t->hooks;
        if (t->warm != NULL) task.warm = recommender_sequence(t->warm);
    }
    s = sequence_train(&task, &settings, out, err);
    if (s != PF_OK || !sequence_model_training(*out)->interrupted || (t && t->partial)) return s;
    sequence_model_free(*out);
    *out = NULL;
    return error_set(err, PF_CANCELLED, "training was stopped");
}

static pf_status fit(sequence_architecture a, const recommend_input *input, void **state,
                     pf_error *err)
{
    side_vectors vectors;
    sequence_model *m = NULL;
    const sequence_events events = events_of(input->train);
    pf_status s = side_vectors_new(&vectors, input->side, events.n_products,
                                   events.n_promotions, input->seed, err);
    if (s != PF_OK) return s;
    const sequence_side side = {vectors.rows, vectors.K};
    s = train(a, input, &events, vectors.rows ? &side : NULL, &m, err);
    side_vectors_free(&vectors);
    if (s == PF_OK) *state = m;
    return s;
}

static pf_status fit_transformer(const recommend_input *input, void **state, pf_error *err)
{
    return fit(SEQUENCE_TRANSFORMER, input, state, err);
}

static pf_status fit_gru(const recommend_input *input, void **state, pf_error *err)
{
    return fit(SEQUENCE_GRU, input, state, err);
}

static pf_status fit_bert(const recommend_input *input, void **state, pf_error *err)
{
    return fit(SEQUENCE_BERT, input, state, err);
}

const struct sequence_model *recommender_sequence(const recommender *m)
{
    const recommender_kind *kind = recommender_kind_of(m);
    bool is = kind == &transformer_kind || kind == &gru4rec_kind || kind == &bert4rec_kind;
    return is ? recommender_state(m) : NULL;
}

/* ---- scoring ---- */

static void score(const void *state, const recommend_query *query, float *scores,
                  recommend_scratch *scratch)
{
    const sequence_window taken = {
        .n = query->n, .thing = query->product, .time_us = query->time_us};
    const bool whole = sequence_model_sizes(state)->kinds && query->story.n > 0;
    const sequence_window window = whole ? query->story : taken;
    sequence_model_score_window(state, &window, scores, scratch->floats);
}

static size_t scratch_floats(const void *state)
{
    return (sequence_model_scratch_bytes(state) + sizeof(float) - 1) / sizeof(float);
}

/* ---- files ---- */

static pf_status save(const void *state, safetensors_writer *file, pf_error *err)
{
    return sequence_model_save(state, file, err);
}

static pf_status load(sequence_architecture a, const safetensors *file,
                      uint32_t n_products, void **state, pf_error *err)
{
    sequence_model *m = NULL;
    pf_status s = sequence_model_load(&m, file, err);
    if (s != PF_OK) return s;
    if (sequence_model_sizes(m)->V != n_products)
        s = error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                         "the network knows %u products, the catalogue has %u; train again",
                         sequence_model_sizes(m)->V, n_products);
    else if (sequence_model_settings(m)->architecture != a)
        s = error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                         "the network is of another architecture than the file says");
    if (s != PF_OK)
        sequence_model_free(m);
    else
        *state = m;
    return s;
}

static pf_status load_transformer(const safetensors *file, uint32_t n_products,
                                  void **state, pf_error *err)
{
    return load(SEQUENCE_TRANSFORMER, file, n_products, state, err);
}

static pf_status load_gru(const safetensors *file, uint32_t n_products, void **state,
                          pf_error *err)
{
    return load(SEQUENCE_GRU, file, n_products, state, err);
}

static pf_status load_bert(const safetensors *file, uint32_t n_products, void **state,
                           pf_error *err)
{
    return load(SEQUENCE_BERT, file, n_products, state, err);
}

const recommender_kind transformer_kind = {
    .name = "transformer",
    .summary = "a causal Transformer of the shopper's events",
    .source = "Kang and McAuley, ICDM 2018, section III; blocks of Zhai et al., ICML 2024, or "
              "Borisyuk et al. 2025 by setting",
    .trained = true,
    .fit = fit_transformer,
    .score = score,
    .save = save,
    .load = load_transformer,
    .scale = RECOMMEND_SHARES,
    .free = sequence_free,
    .scratch_floats = scratch_floats,
};

const recommender_kind gru4rec_kind = {
    .name = "gru4rec",
    .summary = "a recurrent network of the shopper's events",
    .source = "Hidasi, Karatzoglou, Baltrunas, Tikk, ICLR 2016, with cross-entropy over all "
              "products",
    .trained = true,
    .fit = fit_gru,
    .score = score,
    .save = save,
    .load = load_gru,
    .scale = RECOMMEND_SHARES,
    .free = sequence_free,
    .scratch_floats = scratch_floats,
};

const recommender_kind bert4rec_kind = {
    .name = "bert4rec",
    .summary = "a both-ways Transformer that guesses masked events",
    .source = "Sun et al., CIKM 2019, section 3",
    .trained = true,
    .fit = fit_bert,
    .score = score,
    .save = save,
    .load = load_bert,
    .scale = RECOMMEND_SHARES,
    .free = sequence_free,
    .scratch_floats = scratch_floats,
};
