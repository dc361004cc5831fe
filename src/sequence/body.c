/*
 * What all bodies have in common: the list of arrays, sizes, dropout's streams, and which body
 * serves which settings.
 */
#include "sequence/body.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

/* A seed's streams of dropout stand apart from all others by their high bits. */
#define STREAMS_OF_DROPOUT (UINT64_C(0xD5) << 56)

size_t body_shapes_add(body_shapes *s, parameter_shape shape, bool matrix, const char *format,
                       ...)
{
    assert(s->n < PARAMETERS_MAX);
    size_t i = s->n++;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(s->name[i], BODY_NAME_BYTES, format, arguments);
    va_end(arguments);
    assert(length > 0 && length < BODY_NAME_BYTES);
    (void)length;
    s->shape[i] = shape;
    s->shape[i].name = s->name[i];
    s->matrix[i] = matrix;
    return i;
}

size_t body_inner_width(const sequence_settings *s)
{
    return (size_t)lroundf(s->feedforward * (float)s->width);
}

uint64_t body_stream(uint64_t step, unsigned place)
{
    assert(place < BODY_PLACES_ALL);
    return STREAMS_OF_DROPOUT + step * BODY_PLACES_ALL + place;
}

const sequence_body *sequence_body_of(const sequence_settings *s)
{
    return s->architecture == SEQUENCE_GRU ? &sequence_body_gru : &sequence_body_transformer;
}
