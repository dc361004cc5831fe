/*
 * Text: pieces of bytes that somebody else owns, and UTF-8 checked before it is believed.
 */
#ifndef PROFFER_BASE_TEXT_H
#define PROFFER_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* n bytes at data, not terminated, owned by somebody else. */
typedef struct text {
    const char *data;
    size_t n;
} text;

text text_of(const char *terminated);
bool text_equal(text a, text b);
bool text_is(text a, const char *terminated);
/* Without leading and trailing ASCII white space. */
text text_trim(text a);

/* true when bytes are well-formed UTF-8 (Unicode 15, table 3-7) without NUL; *at, if not
 * NULL, gets the offset of the first wrong byte otherwise. */
bool utf8_check(const char *bytes, size_t n, size_t *at);
/* Decodes one code point of checked UTF-8 at *p < end and moves *p behind it. */
uint32_t utf8_next(const char **p, const char *end);
/* Writes a code point; returns 1..4 bytes. */
size_t utf8_put(uint32_t code_point, char into[4]);
/* How many code points. */
size_t utf8_count(const char *bytes, size_t n);
/* The largest prefix of at most `points` code points, in bytes. */
size_t utf8_prefix(const char *bytes, size_t n, size_t points);

/* The whole text as a decimal integer or number; false when it is not one, or
 * overflows. */
bool text_to_i64(text a, int64_t *out);
bool text_to_u64(text a, uint64_t *out);
/* Finite decimal number in the C locale, exponent allowed; no hex, inf or nan. */
bool text_to_double(text a, double *out);

/* Edits between two words (Damerau-Levenshtein, optimal string alignment), for "did you
 * mean". At most 64 bytes each are compared. */
unsigned text_distance(const char *a, const char *b);
/* The closest of n choices if near enough to be a slip of the hand, else NULL. */
const char *text_closest(const char *word, const char *const choices[], size_t n);

#endif
