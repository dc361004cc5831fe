/*
 * A growing buffer of bytes, born with its maximum. Always zero-terminated behind its
 * length, so `b.data` can be read as text. A failed append leaves the content as it was
 * and is remembered in `failed`: later ones are refused too, so that a long series of
 * appends is checked once:
 *
 *     buffer b;
 *     buffer_init(&b, LIMIT_REPORT_BYTES);
 *     buffer_printf(&b, "<p>%s</p>", text);
 *     if (b.failed) return error_set(err, PF_LIMIT, ...);
 *     char *mine = buffer_take(&b);   // the only way ownership leaves
 */
#ifndef PROFFER_BASE_BUFFER_H
#define PROFFER_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct buffer {
    char *data; /* never NULL after init: an empty buffer points at "" */
    size_t length, capacity, maximum;
    bool failed;
} buffer;

void buffer_init(buffer *b, size_t maximum_bytes);
bool buffer_append(buffer *b, const void *bytes, size_t n);
bool buffer_append_text(buffer *b, const char *text);
bool buffer_append_char(buffer *b, char c);
bool buffer_printf(buffer *b, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Room for n more bytes and a terminator at the end, not yet part of the length; NULL on
 * failure. Whoever raises the length writes the terminator behind it. */
char *buffer_reserve(buffer *b, size_t n);
/* Empties, keeps the memory, clears `failed`. */
void buffer_clear(buffer *b);
/* Hands the content over (freed with mem_free) and leaves an empty buffer; NULL if
 * failed. */
char *buffer_take(buffer *b);
void buffer_free(buffer *b);

#endif
