/*
 * Frames: what a message says around its facts, by kind of promotion, channel and
 * language. Several frames with the same key are variants of each other, in the order
 * they were added; decide/ chooses among them. A frame may be bound to one promotion (an
 * approved text made for it); a promotion that has frames of its own uses only those.
 *
 *     frame_set *set;
 *     frame_set_default(&set, err);               // English and Chinese, all kinds
 *     frame_set_load(set, "frames.yaml", err);    // the shop's own, replacing by key
 *     uint32_t n = frame_set_count(set, &key);
 *     const frame *f = frame_set_get(set, &key, variant);    // variant < n
 *     frame_set_free(set);
 *
 * The file:
 *
 *     frames:
 *       - id: friendly-push          # letters, digits, . _ - ; unique
 *         version: 2                 # 1 where it is not given
 *         kind: percent_off
 *         channel: push
 *         language: en
 *         promotion: COFFEE-10       # optional
 *         subject: "..."             # of an email, and only there
 *         body: "[{discount} on |A lower price on ][{products}|selected products]"
 *
 * A key that the file names loses its built-in frames. pattern.h says how texts are
 * written.
 *
 * A set is changed by frame_set_load and frame_set_add only; readers on any thread.
 */
#ifndef PROFFER_MESSAGE_FRAME_H
#define PROFFER_MESSAGE_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/status.h"
#include "message/language.h"
#include "message/pattern.h"
#include "shop/vocabulary.h"

/* Which frames: promotion "" or NULL asks for those of the kind alone. */
typedef struct frame_key {
    promotion_kind kind;
    channel channel;
    message_language language;
    const char *promotion;
} frame_key;

typedef struct frame {
    frame_key key; /* promotion "" where it is bound to none */
    const char *id;
    uint32_t version;
    pattern subject; /* n_parts 0 where there is none */
    pattern body;
} frame;

/* What a frame is made of. */
typedef struct frame_words {
    frame_key key;
    const char *id;
    uint32_t version;
    const char *subject; /* NULL or "": none */
    const char *body;
} frame_words;

typedef struct frame_set frame_set;

/* An empty set; PF_NO_MEMORY. */
pf_status frame_set_new(frame_set **out, pf_error *err);
/* The built-in frames. */
pf_status frame_set_default(frame_set **out, pf_error *err);
/* NULL is fine. */
void frame_set_free(frame_set *set);

/* Adds one, whose texts are copied. PF_USAGE for an id that is there already, for wrong
 * words (see pattern.h), for a subject that is missing in an email or given elsewhere;
 * PF_LIMIT; PF_NO_MEMORY. The set is as before after a failure, but for memory used. */
pf_status frame_set_add(frame_set *set, const frame_words *words, pf_error *err);

/* Reads a file of frames. Keys it names lose what they had before. After a failure the
 * set must be freed: it may hold a part of the file. */
pf_status frame_set_load(frame_set *set, const char *path, pf_error *err);
/* The same from text; name is for messages. */
pf_status frame_set_parse(frame_set *set, const char *yaml, size_t n, const char *name,
                          pf_error *err);

/* How many variants a key has: those of its promotion, else those of its kind. */
uint32_t frame_set_count(const frame_set *set, const frame_key *key);
/* The variant-th of them, or NULL. */
const frame *frame_set_get(const frame_set *set, const frame_key *key, uint32_t variant);

/* Changes with any id, version, word, and with what a frame is for: goes into the log of
 * decisions. */
fingerprint frame_set_fingerprint(const frame_set *set);

#endif
