/* See offers_state.h. */
#include "bench/offers_state.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "sequence/train.h"

enum { FIRST_KNOWN_WAVE = 1, SIZES = 8, MOST_EVENTS = 128 };
/* Upper ends of the sizes of a purchase, dollars, about as many purchases in each. */
static const float sizes[SIZES - 1] = {1, 2, 5, 10, 15, 20, 30};
static const char *const network_settings =
    "width=16,blocks=1,heads=1,length=128,loss=full,dropout=.1,batch=64,epochs=8,patience=0,"
    "rate=.003,warmup_steps=50,cosine=true,threads=1";

static void stop_on(pf_status s, const pf_error *err)
{
    if (s == PF_OK) return;
    fprintf(stderr, "offers: %s\n", err->message);
    exit(1);
}

static uint32_t thing_of(const offers_event *e)
{
    uint32_t size = 0;
    if (e->kind != OFFERS_SPENT) return SIZES + e->offer - 1u;
    while (size < SIZES - 1 && e->amount > sizes[size])
        size++;
    return size;
}

/* Events before an hour, in the form a network reads. */
typedef struct stream {
    uint64_t n, *first;
    uint32_t *thing;
    uint8_t *kind;
    int64_t *time_us;
    bool *taken;
} stream;

static void stream_make(stream *s, const offers_data *d, int hour)
{
    s->first = offers_memory(d->n + 1, sizeof *s->first);
    s->thing = offers_memory(d->n_events, sizeof *s->thing);
    s->kind = offers_memory(d->n_events, sizeof *s->kind);
    s->time_us = offers_memory(d->n_events, sizeof *s->time_us);
    s->taken = offers_memory(d->n_events, sizeof *s->taken);
    s->n = 0;
    for (size_t m = 0; m < d->n; m++) {
        for (size_t i = d->first[m]; i < d->first[m + 1] && d->event[i].hour < hour; i++) {
            const offers_event *e = &d->event[i];
            s->thing[s->n] = thing_of(e);
            s->kind[s->n] = e->kind;
            s->time_us[s->n] = e->hour * US_PER_HOUR;
            s->taken[s->n++] = e->kind == OFFERS_SPENT;
        }
        s->first[m + 1] = s->n;
    }
}

static void stream_free(stream *s)
{
    mem_free(s->first);
    mem_free(s->thing);
    mem_free(s->kind);
    mem_free(s->time_us);
    mem_free(s->taken);
}

static sequence_model *fit(const offers_data *d)
{
    stream s;
    sequence_model *m = NULL;
    pf_error err = {0};
    stream_make(&s, d, offers_wave_start(FIRST_KNOWN_WAVE));
    const sequence_events events = {.n_shoppers = (uint32_t)d->n,
                                    .n_products = SIZES,
                                    .n_promotions = OFFERS,
                                    .n = s.n,
                                    .first = s.first,
                                    .thing = s.thing,
                                    .kind = s.kind,
                                    .time_us = s.time_us,
                                    .taken = s.taken};
    const training_task task = {.events = &events, .repeats = true};
    sequence_settings settings = sequence_settings_for(SEQUENCE_TRANSFORMER, &events, NULL);
    stop_on(sequence_settings_set(&settings, network_settings, &err), &err);
    stop_on(sequence_train(&task, &settings, &m, &err), &err);
    stream_free(&s);
    return m;
}

static void fill_wave(offers_world *w, const sequence_model *m, int wave, void *scratch)
{
    stream s;
    const size_t from = w->all_features - OFFERS_STATE_FEATURES;
    stream_make(&s, w->data, offers_wave_start(wave));
    for (size_t i = 0; i < w->n; i++) {
        uint64_t at = s.first[i], n = s.first[i + 1] - at;
        if (n > MOST_EVENTS) {
            at += n - MOST_EVENTS;
            n = MOST_EVENTS;
        }
        const sequence_window window = {(size_t)n, s.thing + at, s.kind + at, NULL,
                                        s.time_us + at};
        sequence_model_state(m, &window, scratch, w->x[wave] + i * w->all_features + from);
    }
    stream_free(&s);
}

void offers_state_fill(offers_world *w)
{
    sequence_model *m = fit(w->data);
    void *scratch = mem_alloc_aligned(sequence_model_scratch_bytes(m), 1);
    if (scratch == NULL) {
        fprintf(stderr, "offers: out of memory\n");
        exit(1);
    }
    for (int k = FIRST_KNOWN_WAVE; k < OFFERS_WAVES; k++)
        fill_wave(w, m, k, scratch);
    mem_free(scratch);
    sequence_model_free(m);
}
