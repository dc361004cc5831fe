/*
 * JSON from outside: a tree that was read can be written by our writer and is then read
 * as the same tree; a refusal has a place within the text.
 * Rooms: base
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void write_value(json_writer *w, const json_value *v);

static void write_members(json_writer *w, const json_value *v)
{
    for (size_t i = 0; i < v->n; i++) {
        if (v->kind == JSON_OBJECT) json_key(w, v->keys[i].data);
        write_value(w, &v->values[i]);
    }
}

static void write_value(json_writer *w, const json_value *v)
{
    switch (v->kind) {
    case JSON_NULL: json_null(w); break;
    case JSON_BOOLEAN: json_boolean(w, v->boolean); break;
    case JSON_NUMBER: json_raw(w, v->text.data, v->text.n); break;
    case JSON_TEXT: json_text_n(w, v->text.data, v->text.n); break;
    case JSON_ARRAY:
        json_array_begin(w);
        write_members(w, v);
        json_array_end(w);
        break;
    case JSON_OBJECT:
        json_object_begin(w);
        write_members(w, v);
        json_object_end(w);
        break;
    }
}

static bool same(const json_value *a, const json_value *b)
{
    if (a->kind != b->kind || a->boolean != b->boolean || a->n != b->n ||
        !text_equal(a->text, b->text))
        return false;
    for (size_t i = 0; i < a->n; i++) {
        if (a->kind == JSON_OBJECT && !text_equal(a->keys[i], b->keys[i])) return false;
        if (!same(&a->values[i], &b->values[i])) return false;
    }
    return true;
}

static void check_written(arena *a, const json_value *v)
{
    buffer b;
    json_writer w;
    const json_value *again = NULL;
    buffer_init(&b, 16 << 20);
    json_begin(&w, &b);
    write_value(&w, v);
    if (!json_finish(&w) || json_parse(a, b.data, b.length, &again, NULL) != PF_OK ||
        !same(v, again))
        abort();
    buffer_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    arena a;
    arena_init(&a, 64 << 20);
    const json_value *v = NULL;
    pf_error err = {0};
    if (json_parse(&a, (const char *)data, size, &v, &err) == PF_OK)
        check_written(&a, v);
    else if (v || err.column > size + 1 || !err.message[0])
        abort();
    arena_free(&a);
    return 0;
}
