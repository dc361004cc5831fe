/*
 * A model as a safetensors file with its card beside it. The old card goes first, so that
 * a card never stands beside a model it does not describe.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/memory.h"
#include "response/model.h"

enum { PATH_BYTES = 4096, CONSTANTS = 13, WINNERS_NUMBERS = 7 };
_Static_assert(sizeof(winners) == WINNERS_NUMBERS * sizeof(double), "no gaps");
/* 2: factors and winners. */
static const char format[] = "2";

static const char *const learner_names[] = {"auto", "logistic", "xgboost", "average"};

/* Changes when the features do: a model made of others is refused. */
static void features_mark(data_width width, char into[FINGERPRINT_TEXT_BYTES])
{
    fingerprint_state state;
    fingerprint_begin(&state);
    for (size_t f = 0; f < width.any; f++)
        fingerprint_add_text(&state, data_any_name(f));
    for (size_t f = 0; f < width.which; f++)
        fingerprint_add_text(&state, data_which_name(f));
    fingerprint done = fingerprint_end(&state);
    fingerprint_format(&done, into);
}

/* --- writing ---------------------------------------------------------------------- */

static void pack_constants(const response_model *m, double c[CONSTANTS])
{
    const verdict *v = &m->v;
    const double values[CONSTANTS] = {
        v->chosen, v->move, (double)v->groups, (double)v->rows, (double)v->answers,
        (double)m->l.groups, (double)m->l.rows, (double)m->l.answers, m->l.uses_growth,
        m->l.has_logistic, m->l.has_trees, m->l.has_which, (double)m->until_us / 1e6};
    memcpy(c, values, sizeof values);
}

/* The numbers are borrowed by the writer until commit. */
static pf_status add_all(const response_model *m, const double *constants,
                         safetensors_writer *w, pf_error *err)
{
    char mark[FINGERPRINT_TEXT_BYTES];
    const uint64_t n = CONSTANTS, learners_n = RESPONSE_AVERAGE + 1;
    const uint64_t features = m->l.width.which, winners_n = WINNERS_NUMBERS;
    features_mark(m->l.width, mark);
    pf_status s = safetensors_note(w, "kind", "response", err);
    if (s == PF_OK)
        s = safetensors_note(w, "features", mark, err);
    if (s == PF_OK)
        s = safetensors_add(w, "constants", TENSOR_F64, constants, 1, &n, err);
    if (s == PF_OK)
        s = safetensors_add(w, "log_loss", TENSOR_F64, m->v.log_loss, 1, &learners_n, err);
    if (s == PF_OK)
        s = safetensors_note(w, "format", format, err);
    if (s == PF_OK)
        s = safetensors_add(w, "winners", TENSOR_F64, &m->c.w, 1, &winners_n, err);
    if (s == PF_OK)
        s = factors_add(&m->c.f, w, err);
    if (s == PF_OK && m->l.has_logistic)
        s = linear_save(&m->l.logistic, "logistic", w, err);
    if (s == PF_OK && m->l.has_trees)
        s = boosted_save(&m->l.trees, "boosted", w, err);
    if (s == PF_OK && m->l.has_which) {
        s = safetensors_add(w, "floor", TENSOR_F64, m->l.floor, 1, &features, err);
        if (s == PF_OK)
            s = linear_save(&m->l.which, "which", w, err);
    }
    return s;
}

static pf_status card_path(const char *path, char into[PATH_BYTES], pf_error *err)
{
    int n = snprintf(into, PATH_BYTES, "%s.json", path);
    if (n < 0 || n >= PATH_BYTES)
        return error_set(err, PF_LIMIT, "the path '%.80s...' is too long", path);
    return PF_OK;
}

pf_status response_save(const response_model *m, const char *path, const char *card_json,
                        pf_error *err)
{
    char card[PATH_BYTES];
    double constants[CONSTANTS];
    safetensors_writer *w = NULL;
    pack_constants(m, constants);
    pf_status s = card_path(path, card, err);
    if (s == PF_OK)
        s = safetensors_begin(&w, path, err);
    if (s != PF_OK)
        return s;
    s = add_all(m, constants, w, err);
    if (s != PF_OK) {
        safetensors_abandon(w);
        return s;
    }
    (void)unlink(card);
    s = safetensors_commit(w, err);
    if (s == PF_OK && card_json != NULL)
        s = file_write_atomic(card, card_json, strlen(card_json), err);
    return s;
}

/* --- reading ---------------------------------------------------------------------- */

static pf_status damaged(const safetensors *file, pf_error *err)
{
    return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                        "the response model is damaged; run 'proffer train' again");
}

static bool is_count(double x)
{
    return x >= 0 && x <= 1e15 && x == floor(x);
}

static bool is_flag(double x)
{
    return x == 0 || x == 1;
}

static bool unpack_constants(response_model *m, const double *c)
{
    verdict *v = &m->v;
    for (size_t i = 0; i < CONSTANTS; i++)
        if (!isfinite(c[i]))
            return false;
    if (!is_count(c[0]) || c[0] < RESPONSE_LOGISTIC || c[0] > RESPONSE_AVERAGE ||
        !(fabs(c[1]) <= 10) || !(c[8] >= 0 && c[8] < 1e6) || !is_flag(c[9]) ||
        !is_flag(c[10]) || !is_flag(c[11]) || !(fabs(c[12]) <= 9e12))
        return false;
    for (size_t i = 2; i < 8; i++)
        if (!is_count(c[i]))
            return false;
    v->chosen = (response_learner)c[0];
    v->move = c[1];
    v->groups = (size_t)c[2];
    v->rows = (size_t)c[3];
    v->answers = (size_t)c[4];
    m->l.groups = (size_t)c[5];
    m->l.rows = (size_t)c[6];
    m->l.answers = (size_t)c[7];
    m->l.uses_growth = c[8];
    m->l.has_logistic = c[9] > 0;
    m->l.has_trees = c[10] > 0;
    m->l.has_which = c[11] > 0;
    m->until_us = (int64_t)(c[12] * 1e6);
    return (v->chosen == RESPONSE_XGBOOST || m->l.has_logistic) &&
           (v->chosen == RESPONSE_LOGISTIC || m->l.has_trees);
}

static pf_status read_which(response_model *m, const safetensors *file, pf_error *err)
{
    const tensor_view *t = NULL;
    pf_status s = safetensors_find(file, "floor", TENSOR_F64, 1, m->l.width.which, &t, err);
    if (s != PF_OK)
        return s;
    memcpy(m->l.floor, t->data, m->l.width.which * sizeof m->l.floor[0]);
    for (size_t f = 0; f < m->l.width.which; f++)
        if (!(m->l.floor[f] >= 0 && m->l.floor[f] < 1e9))
            return damaged(file, err);
    return linear_load(&m->l.which, "which", m->l.width.which, file, err);
}

static pf_status read_learners(response_model *m, const safetensors *file, pf_error *err)
{
    pf_status s = PF_OK;
    if (m->l.has_logistic)
        s = linear_load(&m->l.logistic, "logistic", m->l.width.any, file, err);
    if (s == PF_OK && m->l.has_trees)
        s = boosted_load(&m->l.trees, "boosted", m->l.width.any, file, err);
    if (s == PF_OK && m->l.has_which)
        s = read_which(m, file, err);
    return s;
}

static pf_status read_correction(response_model *m, const safetensors *file, pf_error *err)
{
    const tensor_view *t = NULL;
    pf_status s = safetensors_find(file, "winners", TENSOR_F64, 1, WINNERS_NUMBERS, &t, err);
    if (s != PF_OK)
        return s;
    memcpy(&m->c.w, t->data, sizeof m->c.w);
    if (!(m->c.w.keep >= 0 && m->c.w.keep <= 1))
        return damaged(file, err);
    return factors_take(&m->c.f, file, err);
}

/* With or without an outlook, as the file was made. */
static bool read_width(response_model *m, const safetensors *file)
{
    char mark[FINGERPRINT_TEXT_BYTES];
    for (int foresees = 0; foresees < 2; foresees++) {
        m->l.width = data_width_of(foresees);
        features_mark(m->l.width, mark);
        if (!strcmp(safetensors_note_of(file, "features"), mark))
            return true;
    }
    return false;
}

static pf_status read_model(response_model *m, const safetensors *file, pf_error *err)
{
    const tensor_view *constants = NULL, *loss = NULL;
    if (strcmp(safetensors_note_of(file, "kind"), "response") != 0 ||
        strcmp(safetensors_note_of(file, "format"), format) != 0 || !read_width(m, file))
        return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                            "this is no response model of this version; run 'proffer "
                            "train' again");
    pf_status s = safetensors_find(file, "constants", TENSOR_F64, 1, CONSTANTS, &constants,
                                   err);
    if (s == PF_OK)
        s = safetensors_find(file, "log_loss", TENSOR_F64, 1, RESPONSE_AVERAGE + 1, &loss,
                             err);
    if (s != PF_OK)
        return s;
    memcpy(m->v.log_loss, loss->data, sizeof m->v.log_loss);
    if (!unpack_constants(m, constants->data))
        return damaged(file, err);
    s = read_correction(m, file, err);
    return s == PF_OK ? read_learners(m, file, err) : s;
}

pf_status response_load(const char *path, response_model **out, pf_error *err)
{
    safetensors *file = NULL;
    *out = NULL;
    pf_status s = safetensors_open(&file, path, err);
    if (s != PF_OK)
        return s;
    response_model *m = mem_alloc_zero(1, sizeof *m);
    s = m ? read_model(m, file, err)
          : error_set(err, PF_NO_MEMORY, "out of memory for a response model");
    safetensors_close(file);
    if (s != PF_OK) {
        response_free(m);
        return s;
    }
    *out = m;
    return PF_OK;
}

/* --- describing ------------------------------------------------------------------- */

static void write_number(json_writer *w, const char *key, double value)
{
    json_key(w, key);
    json_number(w, value);
}

static void write_count(json_writer *w, const char *key, size_t value)
{
    json_key(w, key);
    json_integer(w, (int64_t)value);
}

/* Each shopper's best pair, out of time, corrected by kinds: the sum of what was foretold over
 * the sum of what came, and once more as corrected; the factor's error is that of the spread over
 * campaigns. */
static void describe_winners(const winners *own, json_writer *w)
{
    const double after = own->mean + own->keep * (own->foretold - own->mean);
    json_object_begin(w);
    write_number(w, "campaigns", own->groups);
    write_number(w, "foretold", own->foretold);
    write_number(w, "answers", own->answers);
    write_number(w, "sum_p_over_sum_y", own->foretold / own->answers);
    write_number(w, "sum_p_over_sum_y_corrected", after / own->answers);
    write_number(w, "factor", own->factor);
    write_number(w, "factor_se", own->factor_se);
    write_number(w, "keep", own->keep);
    json_object_end(w);
}

void response_describe(const response_model *m, json_writer *w)
{
    const verdict *v = &m->v;
    json_object_begin(w);
    json_key(w, "learner");
    json_text(w, learner_names[v->chosen]);
    write_count(w, "campaigns", m->l.groups);
    write_count(w, "rows", m->l.rows);
    write_count(w, "answers", m->l.answers);
    write_number(w, "uses_growth", m->l.uses_growth);
    json_key(w, "outlook");
    json_boolean(w, m->l.width.any == DATA_MOST_ANY);
    json_key(w, "which");
    json_text(w, m->l.has_which ? "conditional logit" : "none");
    json_key(w, "earlier_campaigns");
    json_object_begin(w);
    write_count(w, "campaigns", v->groups);
    write_count(w, "rows", v->rows);
    write_count(w, "answers", v->answers);
    json_key(w, "log_loss");
    json_object_begin(w);
    for (int k = RESPONSE_LOGISTIC; k <= RESPONSE_AVERAGE; k++)
        write_number(w, learner_names[k], v->log_loss[k]);
    json_object_end(w);
    write_number(w, "move", v->move);
    json_key(w, "single_promotions");
    factors_describe(&m->c.f, w);
    json_key(w, "chosen");
    describe_winners(&m->c.w, w);
    json_object_end(w);
    json_object_end(w);
}
