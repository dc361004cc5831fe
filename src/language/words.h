/*
 * Texts cut into words for the lexical model.
 *
 *   - Letters are lower-cased, accents dropped, width variants folded: "Café" and
 * "ＣＡＦÉ" give "cafe". Runs of letters and runs of digits are words of their own, so
 * "500ml" and "500 ml" are the same two words; "5.5" stays whole. An apostrophe inside a
 * word is dropped.
 *   - English plurals lose their ending (the S stemmer: Harman 1991, "How effective is
 *     suffixing?", table 1).
 *   - Chinese characters, kana and Hangul are not separated by spaces: each is a word,
 * and so is each pair of neighbours ("保温杯" gives 保 温 杯 保温 温杯).
 *   - Everything else (punctuation, symbols, emoji, ill-formed bytes) separates.
 *
 * A word has at most WORD_BYTES bytes; what is longer is cut there.
 */
#ifndef PROFFER_LANGUAGE_WORDS_H
#define PROFFER_LANGUAGE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

enum { WORD_BYTES = 64 };

/* Receives one word; false stops. */
typedef bool word_sink(void *context, const char *word, size_t n);

/* Gives every word of t in order; false when the sink stopped. No memory is allocated. */
bool words_of(text t, word_sink *sink, void *context);

#endif
