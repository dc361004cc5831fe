/*
 * Writing a model file: header first, then each tensor's bytes in the order of the header.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "tensor/safetensors.h"
#include "tensor/safetensors_names.h"

enum { NOTE_BYTES = 4096 };

typedef struct pending {
    char name[SAFETENSORS_NAME_BYTES];
    tensor_type type;
    unsigned rank;
    uint64_t shape[SAFETENSORS_MAX_RANK];
    const void *data;
    size_t bytes;
} pending;

typedef struct note {
    char key[SAFETENSORS_NAME_BYTES], value[NOTE_BYTES];
} note;

struct safetensors_writer {
    char *path;
    pending tensors[SAFETENSORS_MAX_TENSORS];
    size_t n;
    note notes[SAFETENSORS_MAX_NOTES];
    size_t n_notes;
    char scope[SAFETENSORS_NAME_BYTES]; /* with its point, or "" */
};

static const struct {
    const char *name;
    size_t size;
} types[] = {{"F32", 4}, {"F64", 8}, {"U8", 1}, {"U32", 4}, {"I64", 8}, {"U64", 8}};

size_t tensor_type_size(tensor_type type)
{
    return types[type].size;
}

const char *tensor_type_name(tensor_type type)
{
    return types[type].name;
}

int tensor_type_parse(text name)
{
    for (int i = 0; i < (int)(sizeof types / sizeof types[0]); i++)
        if (text_is(name, types[i].name)) return i;
    return -1;
}

void safetensors_join_name(char into[SAFETENSORS_NAME_BYTES], const char *prefix,
                           const char *part)
{
    (void)snprintf(into, SAFETENSORS_NAME_BYTES, "%s.%s", prefix, part);
}

pf_status safetensors_begin(safetensors_writer **out, const char *path, pf_error *err)
{
    safetensors_writer *w = mem_alloc_zero(1, sizeof *w);
    if (w != NULL) w->path = mem_copy_text(path, strlen(path));
    if (w == NULL || w->path == NULL) {
        mem_free(w);
        return error_set(err, PF_NO_MEMORY, "out of memory while saving %s", path);
    }
    *out = w;
    return PF_OK;
}

void safetensors_abandon(safetensors_writer *w)
{
    if (w == NULL) return;
    mem_free(w->path);
    mem_free(w);
}

pf_status safetensors_scope(safetensors_writer *w, const char *scope, pf_error *err)
{
    if (strlen(scope) + 1 >= sizeof w->scope)
        return error_set(err, PF_LIMIT, "the scope '%s' does not fit into a model file",
                         scope);
    (void)snprintf(w->scope, sizeof w->scope, "%s%s", scope, *scope ? "." : "");
    return PF_OK;
}

/* false when the name, with the scope in front, does not fit. */
static bool scoped_name(const safetensors_writer *w, const char *name,
                        char into[SAFETENSORS_NAME_BYTES])
{
    return snprintf(into, SAFETENSORS_NAME_BYTES, "%s%s", w->scope, name) <
           SAFETENSORS_NAME_BYTES;
}

pf_status safetensors_note(safetensors_writer *w, const char *key, const char *value,
                           pf_error *err)
{
    note *next = &w->notes[w->n_notes];
    if (w->n_notes == SAFETENSORS_MAX_NOTES || !scoped_name(w, key, next->key) ||
        strlen(value) >= NOTE_BYTES)
        return error_set(err, PF_LIMIT, "the note '%s' does not fit into a model file",
                         key);
    w->n_notes++;
    memcpy(next->value, value, strlen(value) + 1);
    return PF_OK;
}

pf_status safetensors_add(safetensors_writer *w, const char *name, tensor_type type,
                          const void *data, unsigned rank, const uint64_t *shape,
                          pf_error *err)
{
    size_t bytes = tensor_type_size(type);
    pending *next = &w->tensors[w->n];
    if (w->n == SAFETENSORS_MAX_TENSORS || rank > SAFETENSORS_MAX_RANK ||
        !scoped_name(w, name, next->name))
        return error_set(err, PF_LIMIT, "the tensor '%s' does not fit into a model file",
                         name);
    next->type = type;
    next->rank = rank;
    next->data = data;
    for (unsigned d = 0; d < rank; d++) {
        next->shape[d] = shape[d];
        if (!size_multiply(bytes, shape[d], &bytes))
            return error_set(err, PF_LIMIT, "the tensor '%s' is too large", name);
    }
    next->bytes = bytes;
    w->n++;
    return PF_OK;
}

/* Wide numbers first; equal ones stay in the order they were added. */
static void order_by_width(safetensors_writer *w)
{
    for (size_t i = 1; i < w->n; i++) {
        pending moved = w->tensors[i];
        size_t k = i;
        for (; k > 0 &&
               tensor_type_size(w->tensors[k - 1].type) < tensor_type_size(moved.type);
             k--)
            w->tensors[k] = w->tensors[k - 1];
        w->tensors[k] = moved;
    }
}

void checksum_note(fingerprint_state *s, const char *key, const char *value)
{
    fingerprint_add_text(s, key);
    fingerprint_add_text(s, value);
}

void checksum_tensor(fingerprint_state *s, const tensor_view *t)
{
    const size_t bytes = (size_t)t->count * tensor_type_size(t->type);
    fingerprint_add_text(s, t->name);
    fingerprint_add_text(s, tensor_type_name(t->type));
    fingerprint_add(s, t->shape, t->rank * sizeof *t->shape);
    if (bytes > 0) fingerprint_add(s, t->data, bytes);
}

static void format_checksum(const safetensors_writer *w, char into[FINGERPRINT_TEXT_BYTES])
{
    fingerprint_state s;
    fingerprint_begin(&s);
    for (size_t i = 0; i < w->n_notes; i++)
        checksum_note(&s, w->notes[i].key, w->notes[i].value);
    for (size_t i = 0; i < w->n; i++) {
        const pending *p = &w->tensors[i];
        tensor_view t = {.name = p->name,
                         .type = p->type,
                         .rank = p->rank,
                         .count = p->bytes / tensor_type_size(p->type),
                         .data = p->data};
        memcpy(t.shape, p->shape, sizeof t.shape);
        checksum_tensor(&s, &t);
    }
    fingerprint sum = fingerprint_end(&s);
    fingerprint_format(&sum, into);
}

static void write_entry(json_writer *j, const pending *t, size_t offset)
{
    json_key(j, t->name);
    json_object_begin(j);
    json_key(j, "dtype");
    json_text(j, tensor_type_name(t->type));
    json_key(j, "shape");
    json_array_begin(j);
    for (unsigned d = 0; d < t->rank; d++)
        json_integer(j, (int64_t)t->shape[d]);
    json_array_end(j);
    json_key(j, "data_offsets");
    json_array_begin(j);
    json_integer(j, (int64_t)offset);
    json_integer(j, (int64_t)(offset + t->bytes));
    json_array_end(j);
    json_object_end(j);
}

static bool write_header(const safetensors_writer *w, buffer *header)
{
    json_writer j;
    size_t offset = 0;
    char checksum[FINGERPRINT_TEXT_BYTES];
    json_begin(&j, header);
    json_object_begin(&j);
    json_key(&j, "__metadata__");
    json_object_begin(&j);
    for (size_t i = 0; i < w->n_notes; i++) {
        json_key(&j, w->notes[i].key);
        json_text(&j, w->notes[i].value);
    }
    format_checksum(w, checksum);
    json_key(&j, SAFETENSORS_CHECKSUM);
    json_text(&j, checksum);
    json_object_end(&j);
    for (size_t i = 0; i < w->n; i++) {
        write_entry(&j, &w->tensors[i], offset);
        offset += w->tensors[i].bytes;
    }
    json_object_end(&j);
    bool ok = json_finish(&j);
    while (ok && header->length % 8 != 0)
        ok = buffer_append_char(header, ' ');
    return ok;
}

static pf_status write_all(const safetensors_writer *w, const buffer *header,
                           pf_error *err)
{
    file_writer *file = NULL;
    unsigned char length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)header->length >> (8 * i));
    pf_status s = file_writer_open(&file, w->path, err);
    if (s != PF_OK) return s;
    s = file_writer_write(file, length, sizeof length, err);
    if (s == PF_OK) s = file_writer_write(file, header->data, header->length, err);
    for (size_t i = 0; s == PF_OK && i < w->n; i++)
        if (w->tensors[i].bytes > 0)
            s = file_writer_write(file, w->tensors[i].data, w->tensors[i].bytes, err);
    if (s == PF_OK) return file_writer_commit(file, err);
    file_writer_abandon(file);
    return s;
}

/* A header that is far from its maximum stopped growing for want of memory. */
static pf_status no_header(const safetensors_writer *w, const buffer *header, pf_error *err)
{
    if (header->length < SAFETENSORS_MAX_HEADER_BYTES / 2)
        return error_set(err, PF_NO_MEMORY, "out of memory while saving %s", w->path);
    return error_set(err, PF_LIMIT, "the header of %s does not fit", w->path);
}

pf_status safetensors_commit(safetensors_writer *w, pf_error *err)
{
    buffer header;
    buffer_init(&header, SAFETENSORS_MAX_HEADER_BYTES);
    order_by_width(w);
    pf_status s = write_header(w, &header) ? write_all(w, &header, err)
                                           : no_header(w, &header, err);
    buffer_free(&header);
    safetensors_abandon(w);
    return s;
}
