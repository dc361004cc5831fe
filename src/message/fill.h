/*
 * Filling a pattern with facts, and making it fit: first fewer products are named, then
 * parts give way from the last to the first, each to its next choice that can be said. A
 * part that states the minimum purchase does not give way. Once it fits, what gave way in
 * vain comes back where there is room, from the first part on.
 */
#ifndef PROFFER_MESSAGE_FILL_H
#define PROFFER_MESSAGE_FILL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"
#include "message/message.h"
#include "message/pattern.h"
#include "shop/vocabulary.h"

typedef struct fill_facts {
    /* Texts by slot; NULL = not known. SLOT_PRODUCTS is in `lists`. */
    const char *known[SLOT_COUNT];
    const char *names[MESSAGE_PRODUCTS];
    uint32_t products[MESSAGE_PRODUCTS]; /* numbers of the names */
    uint32_t n_names;
    const char *lists[MESSAGE_PRODUCTS + 1]; /* of the first 1..n_names names */
} fill_facts;

typedef struct fill_result {
    bool said;        /* false: a needed fact is unknown, or it cannot be made to fit */
    const char *text; /* in the arena */
    uint32_t slots;   /* bit (1 << slot) of every fact in it */
    uint32_t n_products; /* named in it */
} fill_result;

/* subject: the text is an e-mail's subject, which need not state the minimum purchase.
 * PF_NO_MEMORY is the only failure. */
pf_status fill_pattern(const pattern *p, const fill_facts *facts, channel c, bool subject,
                       arena *memory, fill_result *out, pf_error *err);

#endif
