/* Fitted habits as JSON: counts, strengths, rates by channel, everybody's clock. */
#include "response/habits.h"
#include "response/habits_inner.h"

static const char *const level_names[LEVELS] = {"everybody", "segment", "shopper"};
static const char *const segment_names[HABITS_SEGMENTS] = {
    [HABITS_UNKNOWN] = "unknown", [HABITS_NEW] = "new",         [HABITS_FREQUENT] = "frequent",
    [HABITS_RECENT] = "recent",   [HABITS_LAPSING] = "lapsing", [HABITS_LAPSED] = "lapsed"};

static void member(json_writer *w, const char *key, double value)
{
    json_key(w, key);
    json_number(w, value);
}

static void count_member(json_writer *w, const char *key, double value)
{
    json_key(w, key);
    json_integer(w, (int64_t)value);
}

static void strengths(json_writer *w, const char *key, const double strength[LEVELS])
{
    json_key(w, key);
    json_object_begin(w);
    for (int l = 0; l < LEVELS; l++)
        member(w, level_names[l], strength[l]);
    json_object_end(w);
}

/* Everybody's shares over even ones. */
static void clock_of(const habits *h, json_writer *w, const char *key, const dial *d)
{
    json_key(w, key);
    json_array_begin(w);
    for (size_t k = 0; k < d->cells; k++)
        json_number(w, d->of[h->n_segments * d->cells + k].mean * (double)d->cells);
    json_array_end(w);
}

static void write_segments(const habits *h, json_writer *w)
{
    json_key(w, "segments");
    json_array_begin(w);
    for (uint32_t g = 0; g < h->n_segments; g++) {
        uint64_t n = 0;
        size_t peak = 0;
        for (uint32_t s = 1; s <= h->n_shoppers; s++)
            n += h->segment[s] == g;
        for (size_t k = 1; k < HOURS; k++)
            if (h->hours.of[g * HOURS + k].mean > h->hours.of[g * HOURS + peak].mean) peak = k;
        json_object_begin(w);
        json_key(w, "segment");
        if (h->by_recency)
            json_text(w, segment_names[g]);
        else
            json_integer(w, g);
        json_key(w, "shoppers");
        json_integer(w, (int64_t)n);
        json_key(w, "peak_hour");
        json_integer(w, (int64_t)peak);
        json_object_end(w);
    }
    json_array_end(w);
}

static void write_channels(const habits *h, json_writer *w)
{
    json_key(w, "channels");
    json_array_begin(w);
    for (int c = 0; c < CHANNEL_COUNT; c++) {
        const size_t i = (size_t)h->n_segments * CHANNEL_COUNT + (size_t)c;
        if (h->trials[i] <= 0) continue;
        json_object_begin(w);
        json_key(w, "channel");
        json_text(w, channel_name((channel)c));
        count_member(w, "messages", h->trials[i]);
        count_member(w, "answers", h->answers[i]);
        member(w, "rate", h->rate[i]);
        json_object_end(w);
    }
    json_array_end(w);
}

static void write_counts(const habits *h, json_writer *w)
{
    uint64_t hours = 0, dated = 0;
    const uint64_t messages = h->sent_first[h->n_shoppers + 1];
    const uint64_t units = h->unit_first[h->n_shoppers + 1];
    for (uint64_t i = 0; i < units; i++)
        hours += h->unit[i] < HOURS;
    for (uint64_t i = 0; i < messages; i++)
        dated += h->message[i].hour >= HOURS;
    json_key(w, "shoppers");
    json_integer(w, h->n_shoppers);
    json_key(w, "active_hours");
    json_integer(w, (int64_t)hours);
    json_key(w, "active_days");
    json_integer(w, (int64_t)(units - hours));
    json_key(w, "messages");
    json_integer(w, (int64_t)messages);
    json_key(w, "messages_without_hour");
    json_integer(w, (int64_t)dated);
}

void habits_describe(const habits *h, json_writer *w)
{
    json_object_begin(w);
    write_counts(h, w);
    json_key(w, "presence_slope");
    json_object_begin(w);
    member(w, "mean", h->slope);
    member(w, "sd", h->slope_sd);
    json_object_end(w);
    json_key(w, "strengths");
    json_object_begin(w);
    strengths(w, "hours", h->hours.strength);
    strengths(w, "weekdays", h->weekdays.strength);
    strengths(w, "rates", h->rate_strength);
    strengths(w, "hour_answers", h->hour_tilt.strength);
    strengths(w, "weekday_answers", h->weekday_tilt.strength);
    json_object_end(w);
    write_channels(h, w);
    write_segments(h, w);
    clock_of(h, w, "hours", &h->hours);
    clock_of(h, w, "weekdays", &h->weekdays);
    json_object_end(w);
}
