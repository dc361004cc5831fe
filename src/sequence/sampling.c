/*
 * Negatives and the numbers of a batch's things (sampling.h). A bitmap over all things gives
 * the order; reading it costs a word for 64 things.
 */
#include "sequence/sampling.h"

#include <math.h>

#include "base/memory.h"
#include "base/random.h"

/* Streams of a seed for negatives, one a step; dropout's begin with another byte. */
#define STREAMS_OF_NEGATIVES (UINT64_C(0xA5) << 56)

static const double smoothing_exponent = 0.75;

/* ---- the distribution ---- */

void sampler_plan(sampler *s, uint32_t V, workspace *w)
{
    s->V = V;
    s->keep = workspace_take(w, V, sizeof *s->keep);
    s->other = workspace_take(w, V, sizeof *s->other);
    s->log_expected = workspace_take(w, V, sizeof *s->log_expected);
}

static double weight_of(const double *popularity, size_t v)
{
    return popularity ? pow(popularity[v] + 1.0, smoothing_exponent) : 1.0;
}

/* Vose's construction: columns with too little take from columns with too much. share [V] is V
 * times the probabilities and is used up; queue [V] holds the poor from the front and the rich
 * from the back. */
static void fill_alias(sampler *s, double *share, uint32_t *queue)
{
    const uint32_t V = s->V;
    size_t poor = 0, rich = V;
    for (uint32_t v = 0; v < V; v++) {
        s->keep[v] = 1.0f;
        s->other[v] = v;
        if (share[v] < 1.0)
            queue[poor++] = v;
        else
            queue[--rich] = v;
    }
    while (poor > 0 && rich < V) {
        uint32_t small = queue[--poor], large = queue[rich];
        s->keep[small] = (float)share[small];
        s->other[small] = large;
        share[large] -= 1.0 - share[small];
        if (share[large] >= 1.0) continue;
        rich++;
        queue[poor++] = large;
    }
}

pf_status sampler_fill(sampler *s, const double *popularity, size_t draws, pf_error *err)
{
    pf_status status = PF_OK;
    double total = 0.0;
    double *share = mem_alloc(s->V, sizeof *share);
    uint32_t *queue = mem_alloc(s->V, sizeof *queue);
    if (!share || !queue) {
        status = error_set(err, PF_NO_MEMORY, "no memory to draw from %u products", s->V);
        goto done;
    }
    for (uint32_t v = 0; v < s->V; v++)
        total += share[v] = weight_of(popularity, v);
    for (uint32_t v = 0; v < s->V; v++) {
        s->log_expected[v] = (float)log((double)draws * share[v] / total);
        share[v] *= (double)s->V / total;
    }
    fill_alias(s, share, queue);
done:
    mem_free(share);
    mem_free(queue);
    return status;
}

static uint32_t draw(const sampler *s, random_stream *r)
{
    uint32_t column = random_below(r, s->V);
    /* 24 bits, so that the float is below 1. */
    float u = (float)(random_u32(r) >> 8) * 0x1p-24f;
    return u < s->keep[column] ? column : s->other[column];
}

/* ---- the rows of a batch ---- */

size_t batch_rows_most(size_t things, size_t R, size_t S)
{
    return things < 2 * R + S ? things : 2 * R + S;
}

void batch_rows_plan(batch_rows *b, size_t things, size_t R, size_t S, workspace *w)
{
    b->things = things;
    b->S = S;
    b->mark = workspace_take(w, things / 64 + 1, sizeof *b->mark);
    b->number = workspace_take(w, things, sizeof *b->number);
    b->row = workspace_take(w, batch_rows_most(things, R, S), sizeof *b->row);
    b->thing = workspace_take(w, R, sizeof *b->thing);
    b->target = workspace_take(w, R, sizeof *b->target);
    b->negative = workspace_take(w, S, sizeof *b->negative);
    b->negative_log = workspace_take(w, S, sizeof *b->negative_log);
}

static void set_mark(batch_rows *b, uint32_t thing)
{
    if (thing < SEQUENCE_MASK) b->mark[thing / 64] |= UINT64_C(1) << thing % 64;
}

/* Draws; counts how often each product was drawn in its `number`. */
static void draw_all(batch_rows *b, const sampler *s, uint64_t seed, uint64_t step)
{
    random_stream r = random_begin(seed, STREAMS_OF_NEGATIVES + step);
    for (size_t i = 0; i < b->S; i++) {
        uint32_t product = draw(s, &r);
        set_mark(b, product);
        b->number[product]++;
    }
}

/* The next row of the table is this thing; its draws become that many negatives. */
static size_t number_thing(batch_rows *b, const sampler *s, uint32_t thing, size_t negatives)
{
    uint32_t times = b->number[thing], number = (uint32_t)b->n++;
    b->row[number] = thing;
    b->number[thing] = number;
    for (uint32_t i = 0; i < times; i++, negatives++) {
        b->negative[negatives] = number;
        b->negative_log[negatives] = s->log_expected[thing];
    }
    return negatives;
}

static uint32_t number_of(const batch_rows *b, uint32_t thing)
{
    return thing < SEQUENCE_MASK ? b->number[thing] : thing;
}

void batch_rows_fill(batch_rows *b, const sampler *s, const sequence_pack *pack, uint64_t seed,
                     uint64_t step)
{
    size_t negatives = 0;
    draw_all(b, s, seed, step);
    for (size_t i = 0; i < pack->R; i++) {
        set_mark(b, pack->thing[i]);
        set_mark(b, pack->target[i]);
    }
    b->n = 0;
    for (size_t i = 0; i <= b->things / 64; i++) {
        for (uint64_t word = b->mark[i]; word; word &= word - 1) {
            uint32_t thing = (uint32_t)(i * 64) + (uint32_t)__builtin_ctzll(word);
            negatives = number_thing(b, s, thing, negatives);
        }
        b->mark[i] = 0;
    }
    for (size_t i = 0; i < pack->R; i++) {
        b->thing[i] = number_of(b, pack->thing[i]);
        b->target[i] = number_of(b, pack->target[i]);
    }
    for (size_t i = 0; i < b->n; i++)
        b->number[b->row[i]] = 0;
}
