/*
 * Embedded rows (embed.h). One list says which vectors a row is the sum of; forward adds them
 * to it and backward adds the row's gradient to theirs.
 */
#include "sequence/embed.h"

#include <assert.h>
#include <string.h>

#include "sequence/body_layers.h"

enum { PLACE_EMBEDDING = BODY_PLACES, PARTS_MAX = 4 };

/* A table of vectors that rows choose from; numbers NULL: vector 0 for all. */
typedef struct embed_part {
    size_t offset;           /* of its array */
    const uint8_t *number;   /* [R] */
    const uint16_t *number16; /* [R], of positions */
} embed_part;

static size_t parts_of(const body_call *c, const net_arrays *at, embed_part out[PARTS_MAX])
{
    const sequence_pack *p = c->pack;
    size_t n = 0;
    if (at->position != NET_ABSENT)
        out[n++] = (embed_part){c->offset[at->position], NULL, p->position};
    if (at->kind != NET_ABSENT) out[n++] = (embed_part){c->offset[at->kind], p->kind, NULL};
    if (at->band != NET_ABSENT) out[n++] = (embed_part){c->offset[at->band], p->band, NULL};
    if (at->gap != NET_ABSENT) out[n++] = (embed_part){c->offset[at->gap], p->gap, NULL};
    return n;
}

static size_t number_of(const embed_part *part, size_t row)
{
    if (part->number16) return part->number16[row];
    return part->number ? part->number[row] : 0;
}

/* The vector of what a row names: of m's, of the mask's, or none. */
static size_t thing_vector(const body_call *c, const net_arrays *at, size_t row, bool *masked)
{
    uint32_t thing = c->pack->thing[row];
    *masked = thing == SEQUENCE_MASK;
    if (thing == SEQUENCE_NOTHING) return NET_ABSENT;
    if (!*masked) return (size_t)thing * c->settings->width;
    assert(at->mask != NET_ABSENT);
    return c->offset[at->mask];
}

void embed_forward(const body_call *c, const net_arrays *at, const float *m, float *x)
{
    const size_t D = c->settings->width, R = c->pack->R;
    embed_part part[PARTS_MAX];
    const size_t parts = parts_of(c, at, part);
    for (size_t i = 0; i < R; i++) {
        bool masked;
        size_t from = thing_vector(c, at, i, &masked);
        if (from == NET_ABSENT)
            memset(x + i * D, 0, D * sizeof *x);
        else
            memcpy(x + i * D, (masked ? c->values : m) + from, D * sizeof *x);
        for (size_t j = 0; j < parts; j++)
            c->k->add_scaled(D, 1.0f, c->values + part[j].offset + number_of(&part[j], i) * D,
                             x + i * D);
    }
    dropout_rows(c, PLACE_EMBEDDING, c->settings->dropout, 0, R, D, x, x, false);
}

void embed_backward(const body_call *c, const net_arrays *at, float *dx, float *dm)
{
    const size_t D = c->settings->width, R = c->pack->R;
    embed_part part[PARTS_MAX];
    const size_t parts = parts_of(c, at, part);
    dropout_rows(c, PLACE_EMBEDDING, c->settings->dropout, 0, R, D, dx, dx, false);
    for (size_t i = 0; i < R; i++) {
        bool masked;
        size_t to = thing_vector(c, at, i, &masked);
        if (to != NET_ABSENT)
            c->k->add_scaled(D, 1.0f, dx + i * D, (masked ? c->gradient : dm) + to);
        for (size_t j = 0; j < parts; j++)
            c->k->add_scaled(D, 1.0f, dx + i * D,
                             c->gradient + part[j].offset + number_of(&part[j], i) * D);
    }
}
