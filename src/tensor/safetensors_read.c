/*
 * Reading a model file that may be truncated, altered or hostile. Every number is checked
 * before it is used; a view handed out always lies inside the file.
 */
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "tensor/safetensors.h"
#include "tensor/safetensors_names.h"

struct safetensors {
    file_map map; /* empty when the bytes are borrowed */
    const unsigned char *bytes;
    size_t size;
    char *path;
    arena memory;
    struct {
        const char *key, *value;
    } notes[SAFETENSORS_MAX_NOTES];
    size_t n_notes;
    tensor_view tensors[SAFETENSORS_MAX_TENSORS];
    size_t n;
};

static pf_status broken(const safetensors *f, pf_error *err, const char *what)
{
    return error_set_at(err, PF_DATA, f->path, 0, 0,
                        "no model file, or a damaged one: %s; train again", what);
}

static bool to_u64(const json_value *v, uint64_t *out)
{
    return v != NULL && v->kind == JSON_NUMBER && text_to_u64(v->text, out);
}

/* dtype and shape of one entry; false when they are wrong or the size overflows. */
static bool read_shape(const json_value *entry, tensor_view *t, size_t *bytes)
{
    const json_value *dtype = json_member(entry, "dtype");
    const json_value *shape = json_member(entry, "shape");
    if (dtype == NULL || dtype->kind != JSON_TEXT || shape == NULL ||
        shape->kind != JSON_ARRAY || shape->n > SAFETENSORS_MAX_RANK)
        return false;
    int type = tensor_type_parse(dtype->text);
    if (type < 0) return false;
    t->type = (tensor_type)type;
    t->rank = (unsigned)shape->n;
    size_t count = 1;
    for (size_t d = 0; d < shape->n; d++)
        if (!to_u64(&shape->values[d], &t->shape[d]) ||
            !size_multiply(count, t->shape[d], &count))
            return false;
    t->count = count;
    return size_multiply(count, tensor_type_size(t->type), bytes);
}

/* One tensor; *end is where the one before ended and moves on, so there is no gap. */
static pf_status read_entry(safetensors *f, const json_value *entry, const char *name,
                            const unsigned char *data, size_t data_size, size_t *end,
                            pf_error *err)
{
    const json_value *offsets = json_member(entry, "data_offsets");
    uint64_t from = 0, to = 0;
    size_t bytes = 0;
    tensor_view t = {.name = name};
    if (f->n == SAFETENSORS_MAX_TENSORS) return broken(f, err, "too many tensors");
    if (!read_shape(entry, &t, &bytes))
        return broken(f, err, "a tensor has a wrong type or shape");
    if (offsets == NULL || offsets->kind != JSON_ARRAY || offsets->n != 2 ||
        !to_u64(&offsets->values[0], &from) || !to_u64(&offsets->values[1], &to))
        return broken(f, err, "a tensor has no place");
    if (from != *end || to < from || to - from != bytes || to > data_size)
        return broken(f, err, "a tensor's place does not fit its shape or the file");
    if (((size_t)(data - f->bytes) + from) % tensor_type_size(t.type) != 0)
        return broken(f, err, "a tensor is not aligned");
    t.data = data + from;
    *end = to;
    f->tensors[f->n++] = t;
    return PF_OK;
}

static pf_status read_notes(safetensors *f, const json_value *v, pf_error *err)
{
    if (v->kind != JSON_OBJECT || v->n > SAFETENSORS_MAX_NOTES)
        return broken(f, err, "its notes are no object, or too many");
    for (size_t i = 0; i < v->n; i++) {
        text word = v->values[i].text;
        if (v->values[i].kind != JSON_TEXT) return broken(f, err, "a note is no text");
        const char *key = arena_copy_text(&f->memory, v->keys[i].data, v->keys[i].n);
        const char *value = arena_copy_text(&f->memory, word.data, word.n);
        if (key == NULL || value == NULL)
            return error_set(err, PF_NO_MEMORY, "out of memory while reading %s",
                             f->path);
        f->notes[f->n_notes].key = key;
        f->notes[f->n_notes++].value = value;
    }
    return PF_OK;
}

/* The next entry in the file's order is the one that starts where the last ended; writers
 * list them in that order, and so it is asked of every file. */
static pf_status read_entries(safetensors *f, const json_value *top,
                              const unsigned char *data, size_t data_size, pf_error *err)
{
    size_t end = 0;
    for (size_t i = 0; i < top->n; i++) {
        if (text_is(top->keys[i], "__metadata__")) {
            pf_status s = read_notes(f, &top->values[i], err);
            if (s != PF_OK) return s;
            continue;
        }
        const char *name = arena_copy_text(&f->memory, top->keys[i].data, top->keys[i].n);
        if (name == NULL)
            return error_set(err, PF_NO_MEMORY, "out of memory while reading %s",
                             f->path);
        pf_status s = read_entry(f, &top->values[i], name, data, data_size, &end, err);
        if (s != PF_OK) return s;
    }
    return end == data_size ? PF_OK : broken(f, err, "bytes behind the last tensor");
}

static pf_status read_all(safetensors *f, pf_error *err)
{
    const json_value *top = NULL;
    uint64_t n = 0;
    if (f->size < 8) return broken(f, err, "shorter than its first field");
    for (int i = 0; i < 8; i++)
        n |= (uint64_t)f->bytes[i] << (8 * i);
    if (n > SAFETENSORS_MAX_HEADER_BYTES || n > f->size - 8)
        return broken(f, err, "the header is longer than the file or the limit");
    pf_error inside = {.code = PF_OK};
    pf_status s =
        json_parse(&f->memory, (const char *)f->bytes + 8, (size_t)n, &top, &inside);
    if (s == PF_NO_MEMORY)
        return error_set(err, s, "out of memory while reading %s", f->path);
    if (s != PF_OK || top->kind != JSON_OBJECT)
        return broken(f, err, "the header is no JSON object");
    const unsigned char *data = f->bytes + 8 + n;
    return read_entries(f, top, data, f->size - 8 - (size_t)n, err);
}

pf_status safetensors_from_bytes(safetensors **out, const void *bytes, size_t n,
                                 const char *name, pf_error *err)
{
    safetensors *f = mem_alloc_zero(1, sizeof *f);
    if (f == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory while reading %s", name);
    arena_init(&f->memory, 64 * (size_t)SAFETENSORS_MAX_HEADER_BYTES);
    f->bytes = bytes;
    f->size = n;
    f->path = mem_copy_text(name, strlen(name));
    pf_status s =
        f->path ? read_all(f, err) : error_set(err, PF_NO_MEMORY, "out of memory");
    if (s != PF_OK)
        safetensors_close(f);
    else
        *out = f;
    return s;
}

static pf_status check_sum(const safetensors *f, pf_error *err)
{
    fingerprint_state s;
    char found[FINGERPRINT_TEXT_BYTES];
    fingerprint_begin(&s);
    for (size_t i = 0; i < f->n_notes; i++)
        if (strcmp(f->notes[i].key, SAFETENSORS_CHECKSUM) != 0)
            checksum_note(&s, f->notes[i].key, f->notes[i].value);
    for (size_t i = 0; i < f->n; i++)
        checksum_tensor(&s, &f->tensors[i]);
    fingerprint sum = fingerprint_end(&s);
    fingerprint_format(&sum, found);
    if (strcmp(found, safetensors_note_of(f, SAFETENSORS_CHECKSUM)) == 0) return PF_OK;
    return broken(f, err, "its checksum is not that of its contents");
}

pf_status safetensors_open(safetensors **out, const char *path, pf_error *err)
{
    file_map map;
    pf_status s = file_map_open(&map, path, err);
    if (s != PF_OK) return s;
    s = safetensors_from_bytes(out, map.data, map.size, path, err);
    if (s != PF_OK) {
        file_map_close(&map);
        return s;
    }
    (*out)->map = map;
    s = check_sum(*out, err);
    if (s == PF_OK) return PF_OK;
    safetensors_close(*out);
    *out = NULL;
    return s;
}

/* The name behind "scope.", or NULL when it stands in no such scope. */
static const char *name_within(const char *name, const char *scope)
{
    size_t n = strlen(scope);
    return strncmp(name, scope, n) == 0 && name[n] == '.' ? name + n + 1 : NULL;
}

pf_status safetensors_within(const safetensors *file, const char *scope,
                             safetensors **out, pf_error *err)
{
    safetensors *f = mem_alloc_zero(1, sizeof *f);
    char *path = mem_copy_text(file->path, strlen(file->path));
    if (f == NULL || path == NULL) {
        mem_free(f);
        mem_free(path);
        return error_set(err, PF_NO_MEMORY, "out of memory while reading %s", file->path);
    }
    arena_init(&f->memory, 0);
    f->path = path;
    for (size_t i = 0; i < file->n; i++) {
        const char *name = name_within(file->tensors[i].name, scope);
        if (name == NULL) continue;
        f->tensors[f->n] = file->tensors[i];
        f->tensors[f->n++].name = name;
    }
    for (size_t i = 0; i < file->n_notes; i++) {
        const char *key = name_within(file->notes[i].key, scope);
        if (key == NULL) continue;
        f->notes[f->n_notes].key = key;
        f->notes[f->n_notes++].value = file->notes[i].value;
    }
    *out = f;
    return PF_OK;
}

void safetensors_close(safetensors *f)
{
    if (f == NULL) return;
    file_map_close(&f->map);
    arena_free(&f->memory);
    mem_free(f->path);
    mem_free(f);
}

size_t safetensors_count(const safetensors *f)
{
    return f->n;
}

const tensor_view *safetensors_at(const safetensors *f, size_t i)
{
    return i < f->n ? &f->tensors[i] : NULL;
}

pf_status safetensors_find(const safetensors *f, const char *name, tensor_type type,
                           unsigned rank, uint64_t count, const tensor_view **out,
                           pf_error *err)
{
    for (size_t i = 0; i < f->n; i++) {
        const tensor_view *t = &f->tensors[i];
        if (strcmp(t->name, name) != 0) continue;
        if (t->type != type || t->rank != rank || (count != 0 && t->count != count))
            return error_set_at(
                err, PF_DATA, f->path, 0, 0,
                "the tensor '%s' has another type or shape than expected; "
                "train again",
                name);
        *out = t;
        return PF_OK;
    }
    return error_set_at(err, PF_DATA, f->path, 0, 0,
                        "there is no tensor '%s'; this is another model's file", name);
}

const char *safetensors_note_of(const safetensors *f, const char *key)
{
    for (size_t i = 0; i < f->n_notes; i++)
        if (!strcmp(f->notes[i].key, key)) return f->notes[i].value;
    return "";
}

const char *safetensors_path(const safetensors *f)
{
    return f->path;
}
