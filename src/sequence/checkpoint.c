/*
 * Checkpoints of training (sequence/checkpoint.h). What is read is checked as a whole before
 * anything is taken over.
 */
#include "sequence/checkpoint.h"

#include <math.h>
#include <string.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "tensor/safetensors.h"

enum { NOTE_BYTES = 4000, COUNTS = 4, MEASURES = 3 };

static const char *const settings_note = "checkpoint.settings", *const data_note =
    "checkpoint.data", *const question_note = "checkpoint.validation",
    *const kernels_note = "checkpoint.kernels";

/* ---- writing ---- */

static pf_status write_settings(const sequence_settings *s, safetensors_writer *file,
                                pf_error *err)
{
    buffer json;
    json_writer w;
    pf_status status = PF_OK;
    buffer_init(&json, NOTE_BYTES);
    json_begin(&w, &json);
    sequence_settings_write(&w, s);
    if (!json_finish(&w))
        status = error_set(err, PF_NO_MEMORY, "out of memory for the checkpoint's settings");
    else
        status = safetensors_note(file, settings_note, json.data, err);
    buffer_free(&json);
    return status;
}

static pf_status write_notes(const training_checkpoint *c, safetensors_writer *w, pf_error *err)
{
    pf_status status = write_settings(c->settings, w, err);
    if (status == PF_OK) status = safetensors_note(w, data_note, c->data, err);
    if (status == PF_OK) status = safetensors_note(w, question_note, c->question, err);
    if (status == PF_OK) status = safetensors_note(w, kernels_note, c->kernels, err);
    return status;
}

static pf_status write_block(safetensors_writer *w, const char *name, const float *block,
                             const parameters *p, pf_error *err)
{
    const uint64_t n = parameters_floats(p);
    if (block == NULL) return PF_OK;
    return safetensors_add(w, name, TENSOR_F32, block, 1, &n, err);
}

static pf_status write_parts(const training_checkpoint *c, safetensors_writer *w,
                             const uint64_t *counts, const double *measures, pf_error *err)
{
    const uint64_t n_counts = COUNTS, n_measures = MEASURES;
    pf_status status = write_notes(c, w, err);
    if (status == PF_OK) status = parameters_save(c->p, w, true, err);
    if (status == PF_OK) status = write_block(w, "average", c->average, c->p, err);
    if (status == PF_OK) status = write_block(w, "best", c->best, c->p, err);
    if (status == PF_OK)
        status = safetensors_add(w, "counts", TENSOR_U64, counts, 1, &n_counts, err);
    if (status == PF_OK)
        status = safetensors_add(w, "measures", TENSOR_F64, measures, 1, &n_measures, err);
    return status;
}

pf_status training_checkpoint_write(const training_checkpoint *c, const char *path,
                                    pf_error *err)
{
    const training_counts *n = c->counts;
    const uint64_t counts[COUNTS] = {n->epochs, n->best_epoch, n->steps, n->rows};
    const double measures[MEASURES] = {n->validation, n->best, n->train_s};
    safetensors_writer *w = NULL;
    pf_status status = safetensors_begin(&w, path, err);
    if (status != PF_OK) return status;
    status = write_parts(c, w, counts, measures, err);
    if (status != PF_OK) {
        safetensors_abandon(w);
        return status;
    }
    return safetensors_commit(w, err);
}

/* ---- reading ---- */

static pf_status check_settings(const sequence_settings *now, const safetensors *file,
                                pf_error *err)
{
    sequence_settings then;
    const char *json = safetensors_note_of(file, settings_note);
    if (*json == '\0')
        return error_set(err, PF_DATA, "%s is no checkpoint of a training",
                         safetensors_path(file));
    pf_status status = sequence_settings_read(&then, json, err);
    if (status != PF_OK) {
        error_prefix(err, "%s", safetensors_path(file));
        return status;
    }
    if (!now->cosine) then.epochs = now->epochs;
    then.patience = now->patience;
    const char *name = sequence_settings_difference(&then, now);
    if (name == NULL) return PF_OK;
    return error_set(err, PF_DATA,
                     "%s was written by a training with another %s; train without resuming, or "
                     "with the settings as they were",
                     safetensors_path(file), name);
}

static pf_status check_notes(const training_checkpoint *c, const safetensors *file,
                             pf_error *err)
{
    pf_status status = check_settings(c->settings, file, err);
    if (status != PF_OK) return status;
    if (strcmp(safetensors_note_of(file, data_note), c->data) != 0)
        return error_set(err, PF_DATA,
                         "%s belongs to other events or side vectors; train without resuming",
                         safetensors_path(file));
    if (strcmp(safetensors_note_of(file, question_note), c->question) != 0)
        return error_set(err, PF_DATA,
                         "%s was validated on other events; train without resuming",
                         safetensors_path(file));
    if (strcmp(safetensors_note_of(file, kernels_note), c->kernels) != 0)
        return error_set(err, PF_DATA,
                         "%s was written with the kernels '%s', this processor uses '%s': the "
                         "bits would differ; set PROFFER_KERNELS or train without resuming",
                         safetensors_path(file), safetensors_note_of(file, kernels_note),
                         c->kernels);
    return PF_OK;
}

static pf_status find_block(const safetensors *file, const char *name, const float *wanted,
                            const parameters *p, const tensor_view **out, pf_error *err)
{
    size_t n = parameters_floats(p);
    if (wanted == NULL) return PF_OK;
    pf_status status = safetensors_find(file, name, TENSOR_F32, 1, n, out, err);
    if (status != PF_OK) return status;
    const float *x = (*out)->data;
    for (size_t i = 0; i < n; i++)
        if (!isfinite(x[i]))
            return error_set(err, PF_DATA, "%s: '%s' holds a number that is not finite",
                             safetensors_path(file), name);
    return PF_OK;
}

static pf_status find_counts(const safetensors *file, training_counts *out, pf_error *err)
{
    const tensor_view *counts = NULL, *measures = NULL;
    pf_status status = safetensors_find(file, "counts", TENSOR_U64, 1, COUNTS, &counts, err);
    if (status == PF_OK)
        status = safetensors_find(file, "measures", TENSOR_F64, 1, MEASURES, &measures, err);
    if (status != PF_OK) return status;
    const uint64_t *n = counts->data;
    const double *x = measures->data;
    if (n[0] == 0 || n[0] > UINT32_MAX || n[1] > n[0] || !(x[2] >= 0) || isinf(x[2]))
        return error_set(err, PF_DATA, "%s: its counts of epochs cannot be",
                         safetensors_path(file));
    *out = (training_counts){.epochs = (unsigned)n[0],
                             .best_epoch = (unsigned)n[1],
                             .steps = n[2],
                             .rows = n[3],
                             .validation = x[0],
                             .best = x[1],
                             .train_s = x[2]};
    return PF_OK;
}

static pf_status take(const training_checkpoint *c, const safetensors *file, pf_error *err)
{
    const tensor_view *average = NULL, *best = NULL;
    training_counts counts;
    size_t bytes = parameters_floats(c->p) * sizeof(float);
    pf_status status = check_notes(c, file, err);
    if (status == PF_OK) status = find_block(file, "average", c->average, c->p, &average, err);
    if (status == PF_OK) status = find_block(file, "best", c->best, c->p, &best, err);
    if (status == PF_OK) status = find_counts(file, &counts, err);
    if (status == PF_OK) status = parameters_load(c->p, file, true, err);
    if (status != PF_OK) return status;
    if (average != NULL) memcpy(c->average, average->data, bytes);
    if (best != NULL) memcpy(c->best, best->data, bytes);
    *c->counts = counts;
    return PF_OK;
}

pf_status training_checkpoint_read(const training_checkpoint *c, const char *path,
                                   pf_error *err)
{
    safetensors *file = NULL;
    pf_status status = safetensors_open(&file, path, err);
    if (status == PF_OK) status = take(c, file, err);
    safetensors_close(file);
    return status;
}
