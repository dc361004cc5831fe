/* JSON values as cells; see json_cell.h. */
#include "intake/json_cell.h"

#include <string.h>

#include "base/limits.h"

text json_word(const json_value *v)
{
    if (v == NULL || (v->kind != JSON_TEXT && v->kind != JSON_NUMBER))
        return (text){"", 0};
    return v->text;
}

/* Words and numbers alone, of which none holds the joining sign. */
static bool is_word_list(const json_value *v)
{
    if (v->kind != JSON_ARRAY) return false;
    for (size_t i = 0; i < v->n; i++) {
        const json_value *e = &v->values[i];
        if ((e->kind != JSON_TEXT && e->kind != JSON_NUMBER) ||
            memchr(e->text.data, '|', e->text.n) != NULL)
            return false;
    }
    return true;
}

static bool join_words(arena *a, const json_value *v, text *out)
{
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++)
        n += v->values[i].text.n + 1;
    char *joined = arena_alloc(a, n + 1, 1);
    if (joined == NULL) return false;
    char *to = joined;
    for (size_t i = 0; i < v->n; i++) {
        const text word = v->values[i].text;
        if (i > 0) *to++ = '|';
        memcpy(to, word.data, word.n);
        to += word.n;
    }
    *out = (text){joined, (size_t)(to - joined)};
    return true;
}

static bool copy_json(arena *a, const json_value *v, text *out)
{
    buffer b;
    buffer_init(&b, LIMIT_LINE_BYTES);
    json_writer w;
    json_begin(&w, &b);
    json_write_value(&w, v);
    char *copy = json_finish(&w) ? arena_copy_text(a, b.data, b.length) : NULL;
    if (copy != NULL) *out = (text){copy, b.length};
    buffer_free(&b);
    return copy != NULL;
}

bool json_cell(arena *a, const json_value *v, text *out, uint8_t *kind)
{
    *out = (text){"", 0};
    *kind = CELL_TEXT;
    if (v == NULL || v->kind == JSON_NULL) return true;
    switch (v->kind) {
    case JSON_BOOLEAN:
        *out = text_of(v->boolean ? "true" : "false");
        *kind = CELL_BOOLEAN;
        return true;
    case JSON_NUMBER: *kind = CELL_NUMBER; /* fall through */
    case JSON_TEXT: *out = v->text; return true;
    default: break;
    }
    *kind = is_word_list(v) ? CELL_LIST : CELL_JSON;
    return *kind == CELL_LIST ? join_words(a, v, out) : copy_json(a, v, out);
}
