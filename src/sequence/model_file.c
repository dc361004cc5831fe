/*
 * Model files: parameters and side vectors as tensors, the rest as notes of JSON.
 *
 *     sequence.settings  {"architecture":"transformer", ...}        (settings.h)
 *     sequence.sizes     {"products":12101, "promotions":0, ...}
 *     sequence.training  {"epochs":43, "best_epoch":33, ...}
 *     side.vectors       [(V + P) x K] where there are side vectors
 *
 * Reading believes nothing: sizes are held against what the file holds before anything is
 * allocated by them.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "sequence/model_inner.h"

/* A note's room; the settings are the longest. */
enum { NOTE_BYTES = 4000, EPOCHS_MAX = 1000000000 };

/* ---- writing ---- */

static void write_sizes(json_writer *w, const sequence_sizes *z)
{
    json_object_begin(w);
    json_key(w, "products");
    json_integer(w, z->V);
    json_key(w, "promotions");
    json_integer(w, z->P);
    json_key(w, "kinds");
    json_boolean(w, z->kinds);
    json_key(w, "bands");
    json_boolean(w, z->bands);
    json_key(w, "gaps");
    json_boolean(w, z->gaps);
    json_key(w, "side");
    json_integer(w, (int64_t)z->K);
    json_object_end(w);
}

/* Seconds stand on the card, not in the file: the same training gives the same bytes. */
static void write_training(json_writer *w, const sequence_training *t, bool seconds)
{
    json_object_begin(w);
    json_key(w, "epochs");
    json_integer(w, t->epochs);
    json_key(w, "best_epoch");
    json_integer(w, t->best_epoch);
    json_key(w, "best_validation");
    json_number(w, t->best_validation);
    if (seconds) {
        json_key(w, "train_s");
        json_number(w, t->train_s);
    }
    json_key(w, "steps");
    json_integer(w, (int64_t)t->steps);
    json_key(w, "rows");
    json_integer(w, (int64_t)t->rows);
    json_key(w, "interrupted");
    json_boolean(w, t->interrupted);
    json_key(w, "data_hash");
    json_text(w, t->data_hash);
    json_key(w, "kernels");
    json_text(w, t->kernels);
    json_object_end(w);
}

void sequence_model_describe(const sequence_model *m, json_writer *w)
{
    json_object_begin(w);
    json_key(w, "settings");
    sequence_settings_write(w, &m->settings);
    json_key(w, "sizes");
    write_sizes(w, &m->sizes);
    json_key(w, "training");
    write_training(w, &m->training, true);
    json_object_end(w);
}

typedef void write_part(json_writer *w, const void *part);

static void part_settings(json_writer *w, const void *part)
{
    sequence_settings_write(w, part);
}

static void part_sizes(json_writer *w, const void *part)
{
    write_sizes(w, part);
}

static void part_training(json_writer *w, const void *part)
{
    write_training(w, part, false);
}

static pf_status note(safetensors_writer *file, const char *key, write_part *write,
                      const void *part, pf_error *err)
{
    buffer json;
    json_writer w;
    buffer_init(&json, NOTE_BYTES);
    json_begin(&w, &json);
    write(&w, part);
    pf_status status = PF_OK;
    if (!json_finish(&w) || !buffer_append_char(&json, '\0'))
        status = error_set(err, PF_NO_MEMORY, "out of memory for the model's notes");
    else
        status = safetensors_note(file, key, json.data, err);
    buffer_free(&json);
    return status;
}

pf_status sequence_model_save(const sequence_model *m, safetensors_writer *w, pf_error *err)
{
    pf_status status;
    if ((status = note(w, "sequence.settings", part_settings, &m->settings, err)) != PF_OK ||
        (status = note(w, "sequence.sizes", part_sizes, &m->sizes, err)) != PF_OK ||
        (status = note(w, "sequence.training", part_training, &m->training, err)) != PF_OK)
        return status;
    if (m->side != NULL) {
        status = safetensors_add(w, "side.vectors", TENSOR_F32, m->side, 2, m->side_shape, err);
        if (status != PF_OK) return status;
    }
    return parameters_save(sequence_model_parameters(m), w, false, err);
}

/* ---- reading notes ---- */

typedef struct note_reader {
    const json_value *root;
    const char *name; /* of the first member that was wrong, or NULL */
} note_reader;

static void complain(note_reader *r, const char *name)
{
    if (r->name == NULL) r->name = name;
}

/* A member of a kind, or NULL. */
static const json_value *member(note_reader *r, const char *name, json_kind kind)
{
    const json_value *v = json_member(r->root, name);
    if (v != NULL && v->kind == kind) return v;
    complain(r, name);
    return NULL;
}

static uint64_t take_count(note_reader *r, const char *name, uint64_t most)
{
    const json_value *v = member(r, name, JSON_NUMBER);
    uint64_t n = 0;
    if (v == NULL || (text_to_u64(v->text, &n) && n <= most)) return n;
    complain(r, name);
    return 0;
}

static bool take_switch(note_reader *r, const char *name)
{
    const json_value *v = member(r, name, JSON_BOOLEAN);
    return v != NULL && v->boolean;
}

/* null is NaN: nothing was measured. */
static double take_real(note_reader *r, const char *name)
{
    const json_value *v = json_member(r->root, name);
    double x = NAN;
    if (v != NULL && v->kind == JSON_NULL) return NAN;
    v = member(r, name, JSON_NUMBER);
    if (v != NULL && !text_to_double(v->text, &x)) complain(r, name);
    return x;
}

static void take_text(note_reader *r, const char *name, char *into, size_t size)
{
    const json_value *v = member(r, name, JSON_TEXT);
    if (v == NULL) return;
    if (v->text.n >= size) {
        complain(r, name);
        return;
    }
    memcpy(into, v->text.data, v->text.n);
    into[v->text.n] = '\0';
}

static void take_sizes(note_reader *r, void *part)
{
    sequence_sizes *z = part;
    z->V = (uint32_t)take_count(r, "products", LIMIT_PRODUCTS);
    z->P = (uint32_t)take_count(r, "promotions", LIMIT_PROMOTIONS);
    z->kinds = take_switch(r, "kinds");
    z->bands = take_switch(r, "bands");
    z->gaps = take_switch(r, "gaps");
    z->K = (size_t)take_count(r, "side", LIMIT_VECTOR_DIMENSION);
}

static void take_training(note_reader *r, void *part)
{
    sequence_training *t = part;
    t->epochs = (unsigned)take_count(r, "epochs", EPOCHS_MAX);
    t->best_epoch = (unsigned)take_count(r, "best_epoch", EPOCHS_MAX);
    t->best_validation = take_real(r, "best_validation");
    t->steps = take_count(r, "steps", INT64_MAX);
    t->rows = take_count(r, "rows", INT64_MAX);
    t->interrupted = take_switch(r, "interrupted");
    take_text(r, "data_hash", t->data_hash, sizeof t->data_hash);
    take_text(r, "kernels", t->kernels, sizeof t->kernels);
}

static pf_status read_note(const safetensors *file, const char *key,
                           void (*take)(note_reader *, void *), void *part, pf_error *err)
{
    const char *json = safetensors_note_of(file, key);
    note_reader r = {0};
    arena memory;
    arena_init(&memory, LIMIT_JSON_BYTES);
    pf_status status = json_parse(&memory, json, strlen(json), &r.root, err);
    if (status == PF_OK) {
        take(&r, part);
        if (r.name != NULL)
            status = error_set(err, PF_DATA, "%s: '%s' in the note %s is missing or impossible",
                               safetensors_path(file), r.name, key);
    } else {
        error_prefix(err, "%s: the note %s", safetensors_path(file), key);
    }
    arena_free(&memory);
    return status;
}

/* ---- reading the rest ---- */

typedef struct model_notes {
    sequence_settings settings;
    sequence_sizes sizes;
    sequence_training training;
} model_notes;

/* NULL, or why settings and sizes do not go together. */
static const char *disagreement(const model_notes *n)
{
    const sequence_sizes *z = &n->sizes;
    if (z->V == 0) return "it knows no product";
    if (n->settings.side != (z->K > 0)) return "settings and sizes disagree about side vectors";
    if (z->gaps && !n->settings.gaps) return "settings and sizes disagree about gaps";
    return NULL;
}

/* Whether the file is large enough for what its notes say, so that a few bytes cannot ask for
 * gigabytes: the table of things and one square of every block must be there. */
static bool holds_enough(const safetensors *file, const model_notes *n)
{
    uint64_t floats = 0, things = (uint64_t)n->sizes.V + n->sizes.P;
    uint64_t D = n->settings.width;
    for (size_t i = 0; i < safetensors_count(file); i++)
        if (safetensors_at(file, i)->type == TENSOR_F32)
            floats += safetensors_at(file, i)->count;
    return floats >= things * (n->settings.ids ? D : n->sizes.K) &&
           floats >= n->settings.blocks * D * D && floats >= n->sizes.K * D;
}

static pf_status read_notes(const safetensors *file, model_notes *n, pf_error *err)
{
    const char *json = safetensors_note_of(file, "sequence.settings");
    if (*json == '\0')
        return error_set(err, PF_DATA, "%s holds no sequence model", safetensors_path(file));
    pf_status status = sequence_settings_read(&n->settings, json, err);
    if (status != PF_OK) {
        error_prefix(err, "%s", safetensors_path(file));
        return status;
    }
    status = read_note(file, "sequence.sizes", take_sizes, &n->sizes, err);
    if (status == PF_OK)
        status = read_note(file, "sequence.training", take_training, &n->training, err);
    if (status != PF_OK) return status;
    const char *why = disagreement(n);
    if (why == NULL && !holds_enough(file, n)) why = "it is smaller than its notes say";
    if (why != NULL)
        return error_set(err, PF_DATA, "%s: %s", safetensors_path(file), why);
    return PF_OK;
}

static pf_status copy_side(const safetensors *file, const sequence_sizes *z, float **out,
                           pf_error *err)
{
    const tensor_view *view = NULL;
    uint64_t things = (uint64_t)z->V + z->P, n = things * z->K;
    *out = NULL;
    if (n == 0) return PF_OK;
    pf_status status = safetensors_find(file, "side.vectors", TENSOR_F32, 2, n, &view, err);
    if (status != PF_OK) return status;
    const float *from = view->data;
    for (uint64_t i = 0; i < n; i++)
        if (!isfinite(from[i]))
            return error_set(err, PF_DATA, "%s: side vectors hold a number that is not finite",
                             safetensors_path(file));
    if (view->shape[0] != things)
        return error_set(err, PF_DATA, "%s: side vectors are %" PRIu64 " rows, not %" PRIu64,
                         safetensors_path(file), view->shape[0], things);
    float *copy = mem_alloc_aligned((size_t)n, sizeof *copy);
    if (copy == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for side vectors");
    memcpy(copy, from, (size_t)n * sizeof *copy);
    *out = copy;
    return PF_OK;
}

/* Settings that cannot be are the file's fault here, not the caller's. */
static pf_status as_data(pf_status status, pf_error *err)
{
    if (status != PF_USAGE) return status;
    if (err != NULL) err->code = PF_DATA;
    return PF_DATA;
}

pf_status sequence_model_load(sequence_model **out, const safetensors *file, pf_error *err)
{
    model_notes notes = {0};
    sequence_net *net = NULL;
    float *side = NULL;
    *out = NULL;
    pf_status status = read_notes(file, &notes, err);
    if (status == PF_OK) status = copy_side(file, &notes.sizes, &side, err);
    if (status != PF_OK) return status;
    sequence_settings serving = notes.settings;
    serving.precision = TENSOR_FP32;
    serving.threads = 1;
    status = sequence_net_new(&net, &serving, &notes.sizes, side, NULL, err);
    if (status == PF_OK)
        status = parameters_load(sequence_net_parameters(net), file, false, err);
    if (status != PF_OK) {
        sequence_net_free(net);
        mem_free(side);
        return as_data(status, err);
    }
    return sequence_model_wrap(out, net, side, &notes.settings, &notes.training, err);
}
