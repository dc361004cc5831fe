/*
 * The JSON writer of base/json.h: a stack of states, one byte a depth, says what may come
 * next. A call out of order writes nothing more and is remembered.
 */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What stands open at a depth. */
enum {
    STATE_TOP = 1,
    STATE_TOP_DONE,
    STATE_ARRAY,
    STATE_ARRAY_MORE, /* has an element already */
    STATE_OBJECT,
    STATE_OBJECT_MORE,
    STATE_VALUE /* of an object: behind its key */
};

void json_begin(json_writer *w, buffer *out)
{
    *w = (json_writer){.out = out};
    w->state[0] = STATE_TOP;
}

/* Makes ready for a value: the comma before it, the state behind it. */
static bool value_begins(json_writer *w)
{
    unsigned char *state = &w->state[w->depth];
    if (w->wrong) return false;
    switch (*state) {
    case STATE_TOP: *state = STATE_TOP_DONE; return true;
    case STATE_ARRAY: *state = STATE_ARRAY_MORE; return true;
    case STATE_ARRAY_MORE: buffer_append_char(w->out, ','); return true;
    case STATE_VALUE: *state = STATE_OBJECT_MORE; return true;
    default: w->wrong = true; return false;
    }
}

static void open_container(json_writer *w, char bracket, unsigned char state)
{
    if (!value_begins(w)) return;
    if (w->depth == JSON_MAX_DEPTH) {
        w->wrong = true;
        return;
    }
    w->state[++w->depth] = state;
    buffer_append_char(w->out, bracket);
}

static void close_container(json_writer *w, char bracket, unsigned char state)
{
    if (w->wrong || w->depth == 0 ||
        (w->state[w->depth] != state && w->state[w->depth] != state + 1)) {
        w->wrong = true;
        return;
    }
    w->depth--;
    buffer_append_char(w->out, bracket);
}

void json_object_begin(json_writer *w)
{
    open_container(w, '{', STATE_OBJECT);
}

void json_object_end(json_writer *w)
{
    close_container(w, '}', STATE_OBJECT);
}

void json_array_begin(json_writer *w)
{
    open_container(w, '[', STATE_ARRAY);
}

void json_array_end(json_writer *w)
{
    close_container(w, ']', STATE_ARRAY);
}

/* The escape of a byte that may not stand in a string as it is; NULL for the others. */
static const char *escape_of(unsigned char c, char room[8])
{
    switch (c) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: break;
    }
    if (c >= 0x20 && c != 0x7F) return NULL;
    snprintf(room, 8, "\\u%04x", c);
    return room;
}

static void append_string(json_writer *w, const char *bytes, size_t n)
{
    char room[8];
    size_t from = 0;
    buffer_append_char(w->out, '"');
    for (size_t i = 0; i < n; i++) {
        const char *escape = escape_of((unsigned char)bytes[i], room);
        if (!escape) continue;
        buffer_append(w->out, bytes + from, i - from);
        buffer_append_text(w->out, escape);
        from = i + 1;
    }
    buffer_append(w->out, bytes + from, n - from);
    buffer_append_char(w->out, '"');
}

void json_key(json_writer *w, const char *key)
{
    json_key_n(w, key, strlen(key));
}

void json_key_n(json_writer *w, const char *bytes, size_t n)
{
    unsigned char *state = &w->state[w->depth];
    if (w->wrong || (*state != STATE_OBJECT && *state != STATE_OBJECT_MORE)) {
        w->wrong = true;
        return;
    }
    if (*state == STATE_OBJECT_MORE) buffer_append_char(w->out, ',');
    *state = STATE_VALUE;
    append_string(w, bytes, n);
    buffer_append_char(w->out, ':');
}

void json_text(json_writer *w, const char *terminated)
{
    json_text_n(w, terminated, strlen(terminated));
}

void json_text_n(json_writer *w, const char *bytes, size_t n)
{
    if (value_begins(w)) append_string(w, bytes, n);
}

void json_integer(json_writer *w, int64_t value)
{
    if (value_begins(w)) buffer_printf(w->out, "%lld", (long long)value);
}

/* printf writes the locale's decimal sign; JSON knows only the point. */
static size_t print_digits(char into[40], int digits, double value)
{
    int n = snprintf(into, 40, "%.*g", digits, value);
    for (int i = 0; i < n; i++) {
        char c = into[i];
        if (c != '-' && c != '+' && c != 'e' && (c < '0' || c > '9')) into[i] = '.';
    }
    return (size_t)n;
}

void json_number(json_writer *w, double value)
{
    if (!isfinite(value)) {
        json_null(w);
        return;
    }
    if (!value_begins(w)) return;
    char digits[40];
    size_t n = 0;
    for (int precision = 15; precision <= 17; precision++) {
        double back;
        n = print_digits(digits, precision, value);
        if (text_to_double((text){digits, n}, &back) && back == value) break;
    }
    buffer_append(w->out, digits, n);
}

void json_boolean(json_writer *w, bool value)
{
    if (value_begins(w)) buffer_append_text(w->out, value ? "true" : "false");
}

void json_null(json_writer *w)
{
    if (value_begins(w)) buffer_append_text(w->out, "null");
}

void json_raw(json_writer *w, const char *json, size_t n)
{
    if (value_begins(w)) buffer_append(w->out, json, n);
}

static void write_members(json_writer *w, const json_value *v)
{
    json_object_begin(w);
    for (size_t i = 0; i < v->n; i++) {
        json_key_n(w, v->keys[i].data, v->keys[i].n);
        json_write_value(w, &v->values[i]);
    }
    json_object_end(w);
}

/* The reader bounds the depth of what it hands out, and so this recursion. */
void json_write_value(json_writer *w, const json_value *v)
{
    switch (v->kind) {
    case JSON_NULL: json_null(w); break;
    case JSON_BOOLEAN: json_boolean(w, v->boolean); break;
    case JSON_NUMBER: json_raw(w, v->text.data, v->text.n); break;
    case JSON_TEXT: json_text_n(w, v->text.data, v->text.n); break;
    case JSON_ARRAY:
        json_array_begin(w);
        for (size_t i = 0; i < v->n; i++)
            json_write_value(w, &v->values[i]);
        json_array_end(w);
        break;
    case JSON_OBJECT: write_members(w, v); break;
    }
}

bool json_finish(json_writer *w)
{
    return !w->wrong && w->depth == 0 && w->state[0] == STATE_TOP_DONE && !w->out->failed;
}
