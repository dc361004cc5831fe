/*
 * Giving a decision its words: the shop's frames filled for one shopper, as of the moment
 * of the decision. Used when deciding and when telling later what was decided.
 */
#ifndef PROFFER_ENGINE_SPEAKING_H
#define PROFFER_ENGINE_SPEAKING_H

#include "decide/decide.h"
#include "engine/workspace.h"
#include "features/profile.h"
#include "message/message.h"

typedef struct speaker {
    const proffer *p;
    frame_set *frames;      /* built in, and the shop's own over them */
    const char **sensitive; /* the words never named as favourites */
    message_writer *writer;
} speaker;

/* Needs a snapshot. On failure *s is empty. */
pf_status speaker_open(speaker *s, const proffer *p, pf_error *err);
void speaker_close(speaker *s);

/* The language a shopper reads: its own, else the shop's. */
message_language speaker_language(const speaker *s, uint32_t shopper);
/* The words of a chosen outcome as of at_us; into the arena. */
pf_status speaker_words(const speaker *s, uint32_t shopper, const decide_outcome *o,
                        int64_t at_us, message_language language, arena *memory,
                        const char **words, pf_error *err);
/* Appends what would have had to be otherwise, in English. */
void speaker_counterfactual(const proffer *p, const reason_facts *why, buffer *into);
/* Appends why, in English. */
void speaker_reason(const proffer *p, const reason_facts *why, buffer *into);

#endif
