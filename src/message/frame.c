/* A set of frames, kept sorted by key; see frame.h. */
#include "message/frame.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "message/frame_set.h"

pf_status frame_set_new(frame_set **out, pf_error *err)
{
    frame_set *set = mem_alloc_zero(1, sizeof *set);
    if (set == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for frames");
    arena_init(&set->memory, 256u << 20);
    fingerprint_begin(&set->content);
    *out = set;
    return PF_OK;
}

void frame_set_free(frame_set *set)
{
    if (set == NULL) return;
    arena_free(&set->memory);
    mem_free(set->frames);
    mem_free(set);
}

/* --- order ------------------------------------------------------------------------ */

static int compare_keys(const frame_key *a, const frame_key *b)
{
    int difference = strcmp(a->promotion, b->promotion);
    if (difference == 0) difference = (int)a->kind - (int)b->kind;
    if (difference == 0) difference = (int)a->channel - (int)b->channel;
    if (difference == 0) difference = (int)a->language - (int)b->language;
    return difference;
}

/* The first frame whose key is not below (or, with `behind`, above) the one asked for. */
static size_t bound(const frame_set *set, const frame_key *key, bool behind)
{
    size_t low = 0, high = set->n;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int difference = compare_keys(&set->frames[middle].key, key);
        if (difference < 0 || (behind && difference == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The frames of a key: those bound to the promotion, else those bound to none. */
static size_t range(const frame_set *set, const frame_key *key, size_t *first)
{
    frame_key asked = *key;
    if (asked.promotion == NULL) asked.promotion = "";
    for (;;) {
        *first = bound(set, &asked, false);
        size_t n = bound(set, &asked, true) - *first;
        if (n > 0 || asked.promotion[0] == '\0') return n;
        asked.promotion = "";
    }
}

uint32_t frame_set_count(const frame_set *set, const frame_key *key)
{
    size_t first = 0;
    return (uint32_t)range(set, key, &first);
}

const frame *frame_set_get(const frame_set *set, const frame_key *key, uint32_t variant)
{
    size_t first = 0;
    return variant < range(set, key, &first) ? &set->frames[first + variant] : NULL;
}

fingerprint frame_set_fingerprint(const frame_set *set)
{
    fingerprint_state copy = set->content;
    return fingerprint_end(&copy);
}

/* --- adding ----------------------------------------------------------------------- */

static pf_status check_id(const frame_set *set, const char *id, pf_error *err)
{
    size_t n = id != NULL ? strlen(id) : 0;
    if (n == 0 || n > LIMIT_ID_BYTES || strspn(id, FRAME_ID_BYTES) != n)
        return error_set(err, PF_USAGE,
                         "a frame's id is 1 to %u letters, digits, '.', '_' or '-'",
                         LIMIT_ID_BYTES);
    for (size_t i = 0; i < set->n; i++)
        if (strcmp(set->frames[i].id, id) == 0)
            return error_set(err, PF_USAGE, "frame '%s': the id is used twice", id);
    return PF_OK;
}

static pf_status check_words(const frame_words *w, pf_error *err)
{
    bool email = w->key.channel == CHANNEL_EMAIL;
    bool subject = w->subject != NULL && w->subject[0] != '\0';
    if (w->key.channel <= CHANNEL_NONE || w->key.channel >= CHANNEL_COUNT)
        return error_set(err, PF_USAGE, "frame '%s': it needs a channel", w->id);
    if (email && !subject)
        return error_set(err, PF_USAGE, "frame '%s': an email needs a subject", w->id);
    if (!email && subject)
        return error_set(err, PF_USAGE, "frame '%s': only an email has a subject", w->id);
    if (w->body == NULL || w->body[0] == '\0')
        return error_set(err, PF_USAGE, "frame '%s': the body is missing", w->id);
    return PF_OK;
}

static pf_status read_patterns(frame_set *set, const frame_words *w, frame *out,
                               pf_error *err)
{
    pf_status s = pattern_parse(&out->body, &set->memory, w->body, strlen(w->body), err);
    if (s == PF_OK && w->subject != NULL && w->subject[0] != '\0')
        s = pattern_parse(&out->subject, &set->memory, w->subject, strlen(w->subject),
                          err);
    if (s == PF_USAGE) error_prefix(err, "frame '%s'", w->id);
    return s;
}

static void remember_content(frame_set *set, const frame_words *w)
{
    char version[16];
    (void)snprintf(version, sizeof version, "%u", w->version);
    fingerprint_add_text(&set->content, w->id);
    fingerprint_add_text(&set->content, version);
    fingerprint_add_text(&set->content, promotion_kind_name(w->key.kind));
    fingerprint_add_text(&set->content, channel_name(w->key.channel));
    fingerprint_add_text(&set->content, language_name(w->key.language));
    fingerprint_add_text(&set->content, w->key.promotion ? w->key.promotion : "");
    fingerprint_add_text(&set->content, w->subject != NULL ? w->subject : "");
    fingerprint_add_text(&set->content, w->body);
}

pf_status frame_set_add(frame_set *set, const frame_words *w, pf_error *err)
{
    frame f = {.key = w->key, .version = w->version};
    pf_status s = check_id(set, w->id, err);
    if (s == PF_OK) s = check_words(w, err);
    if (s == PF_OK) s = read_patterns(set, w, &f, err);
    if (s != PF_OK) return s;
    if (set->n >= LIMIT_FRAMES)
        return error_set(err, PF_LIMIT, "more than %u frames", LIMIT_FRAMES);
    const char *bound_to = w->key.promotion != NULL ? w->key.promotion : "";
    f.id = arena_copy_text(&set->memory, w->id, strlen(w->id));
    f.key.promotion = arena_copy_text(&set->memory, bound_to, strlen(bound_to));
    if (f.id == NULL || f.key.promotion == NULL ||
        !mem_reserve((void **)&set->frames, &set->capacity, set->n + 1, sizeof f))
        return error_set(err, PF_NO_MEMORY, "out of memory for frames");
    size_t at = bound(set, &f.key, true);
    memmove(set->frames + at + 1, set->frames + at, (set->n - at) * sizeof f);
    set->frames[at] = f;
    set->n++;
    remember_content(set, w);
    return PF_OK;
}

void frame_set_drop(frame_set *set, const frame_key *key)
{
    size_t first = bound(set, key, false), end = bound(set, key, true);
    if (first == end) return;
    memmove(set->frames + first, set->frames + end, (set->n - end) * sizeof *set->frames);
    set->n -= end - first;
}
