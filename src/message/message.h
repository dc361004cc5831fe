/*
 * What the shopper reads. A writer fills the facts of a promotion and of a shopper into a
 * frame. Every number, date, price and name comes from the data; nothing is cut in half:
 * what does not fit into the channel is left out as a whole part, and a condition (the
 * minimum purchase) is never left out. What a shopper would find creepy has no slot: no
 * counts, no times of day; and sensitive products are never named as something they like.
 *
 *     message_writer *w;
 *     message_settings settings = message_settings_default();
 *     settings.shop = "Green Grocer";
 *     message_writer_new(&w, catalogue, frames, &settings, err);
 *     message m;
 *     message_render(w, &request, &arena, &m, err);   // m.subject, m.body, m.facts
 *     message_writer_free(w);
 *
 * A writer is immutable and may be shared between threads, each with its own arena.
 */
#ifndef PROFFER_MESSAGE_MESSAGE_H
#define PROFFER_MESSAGE_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/calendar.h"
#include "base/status.h"
#include "message/frame.h"
#include "message/sensitive.h"
#include "shop/catalogue.h"

enum { MESSAGE_PRODUCTS = 3 };

typedef struct message_settings {
    const char *shop; /* the shop's name; "" = not named */
    sensitive_list sensitive;
} message_settings;

/* No shop name, the built-in sensitive list. */
message_settings message_settings_default(void);

typedef struct message_writer message_writer;

/* Borrows catalogue, frames and settings' texts, which must outlive it. Looks once
 * through every promotion's scope for its category. PF_NO_MEMORY. */
pf_status message_writer_new(message_writer **out, const shop_catalogue *catalogue,
                             const frame_set *frames, const message_settings *settings,
                             pf_error *err);
/* NULL is fine. */
void message_writer_free(message_writer *w);

typedef struct message_request {
    uint32_t promotion;
    channel channel;
    message_language language; /* language_of(shopper's, the shop's) */
    uint32_t variant;          /* which of the key's frames is wanted */
    int64_t send_at_us;
    const zone *zone; /* the shopper's, for dates; NULL = UTC */
    /* Products the shopper likes, best first. Those outside the promotion's scope,
     * without a title or sensitive are passed over; at most MESSAGE_PRODUCTS are named.
     */
    const uint32_t *favourites;
    uint32_t n_favourites;
} message_request;

/* A fact that stands in the message, for the check of facts and for the log. */
typedef struct message_fact {
    message_slot slot;
    const char *text;                                /* as it stands there */
    uint32_t products[MESSAGE_PRODUCTS], n_products; /* of SLOT_PRODUCTS */
} message_fact;

typedef struct message {
    const char *subject; /* "" but for an email */
    const char *body;
    const frame *frame;
    uint32_t variant; /* the one used */
    message_fact facts[SLOT_COUNT];
    uint32_t n_facts;
} message;

/* Renders the wanted variant, or, where that one cannot say this promotion (it needs an
 * unknown fact, has no place for the minimum purchase, or does not fit), the next that
 * can, in turn; out->variant tells. Texts live in the arena. PF_NOT_FOUND when the key
 * has no frames, PF_LIMIT when none can say it within the channel's length, PF_NO_MEMORY.
 */
pf_status message_render(const message_writer *w, const message_request *request,
                         arena *memory, message *out, pf_error *err);

/* Subject, an empty line, body; or the body alone. NULL when memory is short. */
const char *message_text(const message *m, arena *memory);

#endif
