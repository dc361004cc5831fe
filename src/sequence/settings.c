/*
 * Settings by name: one table of all of them, from which setting, checking, writing and
 * reading follow. What the data ask for stands in settings_for.c.
 */
#include "sequence/settings.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"

/* ---- the table ---- */

typedef enum setting_form { FORM_COUNT, FORM_REAL, FORM_SWITCH, FORM_WORD, FORM_SEED } form;

enum { WORDS_MAX = 3 };

typedef struct setting {
    const char *name;
    form form;
    size_t at;             /* offset in sequence_settings */
    double low, high;      /* what a number may be, both included */
    const char *words[WORDS_MAX]; /* of an enum, by its values from 0 */
    const char *refusal;          /* what is said of a value outside */
} setting;

#define AT(field) offsetof(sequence_settings, field)
#define ROW(field, form, low, high, ...) \
    {#field, form, AT(field), low, high, {__VA_ARGS__}, #field " is outside what it may be"}
#define COUNT(field, least, most) ROW(field, FORM_COUNT, least, most, NULL)
#define REAL(field, least, most) ROW(field, FORM_REAL, least, most, NULL)
#define SWITCH(field) ROW(field, FORM_SWITCH, 0, 1, NULL)
#define WORD(field, ...) ROW(field, FORM_WORD, 0, 0, __VA_ARGS__)

static const setting table[] = {
    WORD(architecture, "transformer", "gru", "bert"),
    WORD(block, "plain", "gated", "hstu"),
    COUNT(width, 2, 1024),
    COUNT(blocks, 1, 8),
    COUNT(heads, 1, 64),
    COUNT(length, 2, SEQUENCE_LENGTH_MAX),
    REAL(feedforward, .25, 16),
    SWITCH(rms_norm),
    SWITCH(positions),
    SWITCH(relative),
    SWITCH(gaps),
    SWITCH(side),
    SWITCH(ids),
    REAL(dropout, 0, .95),
    REAL(attention_dropout, 0, .95),
    REAL(side_dropout, 0, .95),
    REAL(mask_share, .01, .9),
    WORD(loss, "full", "sampled", "gbce"),
    COUNT(negatives, 1, 1 << 20),
    REAL(calibration, 0, 1),
    REAL(smoothing, 0, .9),
    SWITCH(omit_taken),
    REAL(rate, 1e-8, 1),
    REAL(beta1, 0, .999999),
    REAL(beta2, 0, .999999),
    REAL(epsilon, 1e-12, 1),
    REAL(decay, 0, 1),
    REAL(clip, 0, 1e9),
    COUNT(warmup_steps, 0, 1000000000),
    SWITCH(cosine),
    REAL(average, 0, .999999),
    COUNT(batch, 1, 65536),
    WORD(windows, "last", "random"),
    COUNT(epochs, 1, 1000000),
    COUNT(patience, 0, 1000000),
    WORD(precision, "fp32", "bf16"),
    COUNT(threads, 1, 256),
    ROW(seed, FORM_SEED, 0, 0, NULL),
};
enum { SETTINGS = sizeof table / sizeof table[0] };

_Static_assert(sizeof(sequence_architecture) == sizeof(int), "enums are read as int");

static const void *place(const sequence_settings *s, const setting *of)
{
    return (const char *)s + of->at;
}

/* ---- one value ---- */

static unsigned words_of(const setting *of)
{
    unsigned n = 0;
    while (n < WORDS_MAX && of->words[n] != NULL)
        n++;
    return n;
}

static bool parse_word(const setting *of, text value, int *out)
{
    for (unsigned i = 0; i < words_of(of); i++)
        if (text_is(value, of->words[i])) {
            *out = (int)i;
            return true;
        }
    return false;
}

static bool parse_switch(text value, bool *out)
{
    bool yes = text_is(value, "true") || text_is(value, "yes") || text_is(value, "1");
    bool no = text_is(value, "false") || text_is(value, "no") || text_is(value, "0");
    if (yes || no) *out = yes;
    return yes || no;
}

static bool parse_number(const setting *of, text value, double *out)
{
    double number = 0;
    if (!text_to_double(value, &number)) return false;
    if (!(number >= of->low && number <= of->high)) return false;
    if (of->form == FORM_COUNT && number != (double)(unsigned)number) return false;
    *out = number;
    return true;
}

/* Sets one value from its text; false, with s as it was, when it is none. */
static bool assign(sequence_settings *s, const setting *of, text value)
{
    char *at = (char *)s + of->at;
    double number = 0;
    int word = 0;
    switch (of->form) {
    case FORM_WORD:
        if (!parse_word(of, value, &word)) return false;
        memcpy(at, &word, sizeof word);
        return true;
    case FORM_SWITCH: return parse_switch(value, (bool *)at);
    case FORM_SEED: return text_to_u64(value, (uint64_t *)(void *)at);
    case FORM_COUNT:
        if (!parse_number(of, value, &number)) return false;
        *(unsigned *)(void *)at = (unsigned)number;
        return true;
    case FORM_REAL:
        if (!parse_number(of, value, &number)) return false;
        *(float *)(void *)at = (float)number;
        return true;
    }
    return false;
}

/* What a value may be, for messages. */
static void describe(const setting *of, char *into, size_t size)
{
    switch (of->form) {
    case FORM_WORD: {
        size_t used = 0;
        for (unsigned i = 0; i < words_of(of) && used < size; i++)
            used += (size_t)snprintf(into + used, size - used, "%s%s", i ? ", " : "one of ",
                                     of->words[i]);
        return;
    }
    case FORM_SWITCH: (void)snprintf(into, size, "true or false"); return;
    case FORM_SEED: (void)snprintf(into, size, "a whole number from 0"); return;
    case FORM_COUNT:
        (void)snprintf(into, size, "a whole number from %.0f to %.0f", of->low, of->high);
        return;
    case FORM_REAL:
        (void)snprintf(into, size, "a number from %g to %g", of->low, of->high);
        return;
    }
}

/* ---- setting by hand ---- */

static const setting *find(text name)
{
    for (size_t i = 0; i < SETTINGS; i++)
        if (text_is(name, table[i].name)) return &table[i];
    return NULL;
}

static pf_status unknown(text name, pf_error *err)
{
    char word[64];
    const char *names[SETTINGS], *near = NULL;
    for (size_t i = 0; i < SETTINGS; i++)
        names[i] = table[i].name;
    (void)snprintf(word, sizeof word, "%.*s", (int)(name.n < 60 ? name.n : 60), name.data);
    near = text_closest(word, names, SETTINGS);
    return error_set(err, PF_USAGE, "there is no setting '%s' of sequence models%s%s%s", word,
                     near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                     near != NULL ? "'?" : "");
}

static pf_status set_pair(sequence_settings *s, text pair, pf_error *err)
{
    const char *equals = memchr(pair.data, '=', pair.n);
    if (equals == NULL)
        return error_set(err, PF_USAGE, "'%.*s' is no name=value",
                         (int)(pair.n < 60 ? pair.n : 60), pair.data);
    text name = text_trim((text){pair.data, (size_t)(equals - pair.data)});
    text value = text_trim((text){equals + 1, pair.n - (size_t)(equals - pair.data) - 1});
    const setting *of = find(name);
    if (of == NULL) return unknown(name, err);
    if (!assign(s, of, value)) {
        char may[96];
        describe(of, may, sizeof may);
        return error_set(err, PF_USAGE, "%s=%.*s: it must be %s", of->name,
                         (int)(value.n < 60 ? value.n : 60), value.data, may);
    }
    return PF_OK;
}

pf_status sequence_settings_set(sequence_settings *s, const char *pairs, pf_error *err)
{
    sequence_settings changed = *s;
    for (text rest = text_of(pairs); rest.n > 0;) {
        const char *comma = memchr(rest.data, ',', rest.n);
        size_t n = comma != NULL ? (size_t)(comma - rest.data) : rest.n;
        text pair = text_trim((text){rest.data, n});
        pf_status status = pair.n > 0 ? set_pair(&changed, pair, err) : PF_OK;
        if (status != PF_OK) return status;
        n += comma != NULL;
        rest = (text){rest.data + n, rest.n - n};
    }
    *s = changed;
    return PF_OK;
}

/* ---- checking ---- */

static double number_of(const sequence_settings *s, const setting *of)
{
    const void *at = place(s, of);
    if (of->form == FORM_COUNT) return *(const unsigned *)at;
    return (double)*(const float *)at;
}

/* Whether every value is one that its text could have given. */
static const char *out_of_range(const sequence_settings *s)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        const setting *of = &table[i];
        int word = 0;
        if (of->form == FORM_WORD) {
            memcpy(&word, place(s, of), sizeof word);
            if (word < 0 || (unsigned)word >= words_of(of)) return of->refusal;
        }
        if (of->form != FORM_COUNT && of->form != FORM_REAL) continue;
        /* Bounds as floats, so that a bound itself passes. */
        double value = number_of(s, of);
        if (!(value >= (double)(float)of->low && value <= (double)(float)of->high))
            return of->refusal;
    }
    return NULL;
}

const char *sequence_settings_check(const sequence_settings *s)
{
    bool attends = s->architecture != SEQUENCE_GRU;
    const char *refusal = out_of_range(s);
    if (refusal != NULL) return refusal;
    if (attends && s->width % s->heads != 0) return "heads do not divide the width";
    if (attends && !s->positions && !s->relative && s->architecture == SEQUENCE_BERT)
        return "BERT4Rec needs positions or relative: it knows no order without them";
    if (!s->ids && !s->side) return "a model needs ids or side vectors of products";
    if (s->architecture == SEQUENCE_BERT && s->block == SEQUENCE_BLOCK_HSTU)
        return "hstu blocks are causal, BERT4Rec looks both ways";
    if (s->loss != SEQUENCE_LOSS_FULL && s->smoothing > 0)
        return "smoothing needs loss=full";
    return NULL;
}

/* ---- JSON ---- */

/* The shortest decimal that reads back as the same float. */
static void write_real(json_writer *w, float value)
{
    char shortest[32];
    for (int digits = 1; digits <= 9; digits++) {
        int n = snprintf(shortest, sizeof shortest, "%.*g", digits, (double)value);
        double back = 0;
        if (text_to_double((text){shortest, (size_t)n}, &back) && (float)back == value)
            break;
    }
    json_raw(w, shortest, strlen(shortest));
}

static void write_value(json_writer *w, const sequence_settings *s, const setting *of)
{
    const void *at = place(s, of);
    int word = 0;
    char digits[24];
    switch (of->form) {
    case FORM_WORD:
        memcpy(&word, at, sizeof word);
        json_text(w, of->words[word]);
        return;
    case FORM_SWITCH: json_boolean(w, *(const bool *)at); return;
    case FORM_COUNT: json_integer(w, *(const unsigned *)at); return;
    case FORM_REAL: write_real(w, *(const float *)at); return;
    case FORM_SEED:
        (void)snprintf(digits, sizeof digits, "%llu",
                       (unsigned long long)*(const uint64_t *)at);
        json_raw(w, digits, strlen(digits));
        return;
    }
}

void sequence_settings_write(json_writer *w, const sequence_settings *s)
{
    json_object_begin(w);
    for (size_t i = 0; i < SETTINGS; i++) {
        json_key(w, table[i].name);
        write_value(w, s, &table[i]);
    }
    json_object_end(w);
}

static pf_status take_value(sequence_settings *s, const setting *of, const json_value *v,
                            pf_error *err)
{
    text value = {NULL, 0};
    if (v == NULL)
        return error_set(err, PF_DATA, "the model's setting '%s' is missing", of->name);
    json_kind kind = of->form == FORM_WORD     ? JSON_TEXT
                     : of->form == FORM_SWITCH ? JSON_BOOLEAN
                                               : JSON_NUMBER;
    if (kind == JSON_BOOLEAN)
        value = text_of(v->boolean ? "true" : "false");
    else
        value = v->text;
    if (v->kind != kind || !assign(s, of, value))
        return error_set(err, PF_DATA, "the model's setting '%s' has an impossible value",
                         of->name);
    return PF_OK;
}

static pf_status take_values(sequence_settings *s, const json_value *root, pf_error *err)
{
    sequence_settings read = {0};
    if (root->kind != JSON_OBJECT)
        return error_set(err, PF_DATA, "the model's settings are no JSON object");
    for (size_t i = 0; i < root->n; i++)
        if (find(root->keys[i]) == NULL)
            return error_set(err, PF_DATA, "the model has a setting '%.40s' that is unknown; "
                             "was it made by a newer version?", root->keys[i].data);
    for (size_t i = 0; i < SETTINGS; i++) {
        const json_value *v = json_member(root, table[i].name);
        pf_status status = take_value(&read, &table[i], v, err);
        if (status != PF_OK) return status;
    }
    const char *reason = sequence_settings_check(&read);
    if (reason != NULL)
        return error_set(err, PF_DATA, "the model's settings cannot be: %s", reason);
    *s = read;
    return PF_OK;
}

pf_status sequence_settings_read(sequence_settings *s, const char *json, pf_error *err)
{
    arena memory;
    const json_value *root = NULL;
    arena_init(&memory, LIMIT_JSON_BYTES);
    pf_status status = json_parse(&memory, json, strlen(json), &root, err);
    if (status == PF_OK) status = take_values(s, root, err);
    arena_free(&memory);
    return status;
}

/* ---- comparing ---- */

const char *sequence_settings_difference(const sequence_settings *a, const sequence_settings *b)
{
    static const size_t size[] = {[FORM_COUNT] = sizeof(unsigned), [FORM_REAL] = sizeof(float),
                                  [FORM_SWITCH] = sizeof(bool), [FORM_WORD] = sizeof(int),
                                  [FORM_SEED] = sizeof(uint64_t)};
    for (size_t i = 0; i < SETTINGS; i++)
        if (memcmp(place(a, &table[i]), place(b, &table[i]), size[table[i].form]))
            return table[i].name;
    return NULL;
}
