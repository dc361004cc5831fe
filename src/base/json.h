/*
 * JSON: a writer on a buffer that cannot produce broken output, and a reader that hands
 * out a small tree (numbers kept as text, so no id or amount is rounded).
 *
 *     json_writer w;
 *     json_begin(&w, &buffer);
 *     json_object_begin(&w);
 *     json_key(&w, "ndcg@10"); json_number(&w, 0.4925);
 *     json_object_end(&w);
 *     if (!json_finish(&w)) ...
 *
 * Text must be checked UTF-8. NaN and infinity are written as null. The reader is yajl
 * underneath: bounded depth and size, comments refused.
 */
#ifndef PROFFER_BASE_JSON_H
#define PROFFER_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/status.h"
#include "base/text.h"

enum { JSON_MAX_DEPTH = 64 };

typedef struct json_writer {
    buffer *out;
    unsigned depth;
    bool wrong; /* a call out of order: a programmer's error, caught by json_finish */
    unsigned char state[JSON_MAX_DEPTH + 1];
} json_writer;

void json_begin(json_writer *w, buffer *out);
void json_object_begin(json_writer *w);
void json_object_end(json_writer *w);
void json_array_begin(json_writer *w);
void json_array_end(json_writer *w);
void json_key(json_writer *w, const char *key);
void json_key_n(json_writer *w, const char *bytes, size_t n);
void json_text(json_writer *w, const char *terminated);
void json_text_n(json_writer *w, const char *bytes, size_t n);
void json_integer(json_writer *w, int64_t value);
/* Shortest text that reads back as the same double. */
void json_number(json_writer *w, double value);
void json_boolean(json_writer *w, bool value);
void json_null(json_writer *w);
/* JSON text made elsewhere, already valid. */
void json_raw(json_writer *w, const char *json, size_t n);
/* true when the text is complete and the buffer did not fail. */
bool json_finish(json_writer *w);

typedef enum json_kind {
    JSON_NULL,
    JSON_BOOLEAN,
    JSON_NUMBER, /* .text is the number as written */
    JSON_TEXT,   /* .text is unescaped UTF-8 */
    JSON_ARRAY,
    JSON_OBJECT
} json_kind;

typedef struct json_value json_value;
struct json_value {
    json_kind kind;
    bool boolean;
    text text;
    size_t n;           /* members or elements */
    text *keys;         /* of an object, in the order written */
    json_value *values; /* of an object or array */
};

/* Parses one value (bytes after it refused) into the arena, which owns everything. The
 * error's column is the byte offset + 1 of the last byte of what is wrong, or of the end
 * where something is missing. PF_DATA, PF_LIMIT (depth, size), PF_NO_MEMORY. */
pf_status json_parse(arena *a, const char *bytes, size_t n, const json_value **out,
                     pf_error *err);
/* Writes a value that was read, as it was: numbers digit by digit, keys in their order. */
void json_write_value(json_writer *w, const json_value *v);
/* The member of an object, or NULL (also when v is NULL or no object). The last of a
 * repeated key. */
const json_value *json_member(const json_value *v, const char *key);
/* A path of keys: json_path(v, "context", "page", NULL). */
const json_value *json_path(const json_value *v, ...) __attribute__((sentinel));

#endif
