/*
 * The growing buffer of base/buffer.h. `capacity` counts the terminator's byte, `length`
 * and `maximum` do not. After a failed append every later one is refused too, so what the
 * buffer holds is always a prefix of what was meant.
 */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

/* What an empty buffer points at; capacity 0 tells that it must not be written. */
static char nothing[1];

void buffer_init(buffer *b, size_t maximum_bytes)
{
    *b = (buffer){.data = nothing, .maximum = maximum_bytes};
}

static bool grow(buffer *b, size_t needed)
{
    size_t capacity = b->capacity < 64 ? 64 : b->capacity;
    while (capacity < needed) {
        if (!size_multiply(capacity, 2, &capacity)) capacity = needed;
    }
    if (capacity - 1 > b->maximum) capacity = b->maximum + 1;
    char *moved = mem_resize(b->capacity ? b->data : NULL, capacity, 1);
    if (!moved) return false;
    if (b->capacity == 0) moved[0] = '\0';
    b->data = moved;
    b->capacity = capacity;
    return true;
}

char *buffer_reserve(buffer *b, size_t n)
{
    size_t length, needed;
    if (b->failed || !size_add(b->length, n, &length) || length > b->maximum ||
        !size_add(length, 1, &needed) || (needed > b->capacity && !grow(b, needed))) {
        b->failed = true;
        return NULL;
    }
    return b->data + b->length;
}

bool buffer_append(buffer *b, const void *bytes, size_t n)
{
    char *end = buffer_reserve(b, n);
    if (!end) return false;
    if (n > 0) memcpy(end, bytes, n);
    end[n] = '\0';
    b->length += n;
    return true;
}

bool buffer_append_text(buffer *b, const char *text)
{
    return buffer_append(b, text, strlen(text));
}

bool buffer_append_char(buffer *b, char c)
{
    return buffer_append(b, &c, 1);
}

bool buffer_printf(buffer *b, const char *format, ...)
{
    if (b->failed) return false;
    size_t left = b->capacity ? b->capacity - b->length : 0;
    va_list args;
    va_start(args, format);
    int n = vsnprintf(left ? b->data + b->length : NULL, left, format, args);
    va_end(args);
    if (n >= 0 && (size_t)n < left) {
        b->length += (size_t)n;
        return true;
    }
    if (left) b->data[b->length] = '\0';
    if (n < 0 || !buffer_reserve(b, (size_t)n)) {
        b->failed = true;
        return false;
    }
    va_start(args, format);
    vsnprintf(b->data + b->length, (size_t)n + 1, format, args);
    va_end(args);
    b->length += (size_t)n;
    return true;
}

void buffer_clear(buffer *b)
{
    b->length = 0;
    b->failed = false;
    if (b->capacity) b->data[0] = '\0';
}

char *buffer_take(buffer *b)
{
    if (!buffer_reserve(b, 0)) return NULL;
    char *mine = b->data;
    buffer_init(b, b->maximum);
    return mine;
}

void buffer_free(buffer *b)
{
    if (b->capacity) mem_free(b->data);
    buffer_init(b, b->maximum);
}
