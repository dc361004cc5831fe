/* Fitted fatigue as JSON. */
#include "response/fatigue.h"
#include "response/fatigue_inner.h"

static void write_interval(json_writer *w, fatigue_interval i)
{
    json_key(w, "value");
    json_number(w, i.value);
    json_key(w, "low");
    json_number(w, i.low);
    json_key(w, "high");
    json_number(w, i.high);
}

static void write_counts(json_writer *w, const hazard *z)
{
    json_key(w, "messages");
    json_integer(w, (int64_t)z->rows);
    json_key(w, "seen");
    json_integer(w, (int64_t)z->seen);
    json_key(w, "used");
    json_integer(w, (int64_t)z->used);
}

static void write_slope(json_writer *w, const hazard *z)
{
    json_key(w, "slope");
    json_object_begin(w);
    write_interval(w, hazard_slope(z));
    json_key(w, "of_week");
    json_number(w, z->mean[FEATURE_WEEK]);
    json_key(w, "of_month");
    json_number(w, z->mean[FEATURE_MONTH]);
    json_object_end(w);
}

static void write_hazard(json_writer *w, const char *key, const hazard *z)
{
    static const uint32_t messages[] = {0, 3, 7};
    json_key(w, key);
    json_object_begin(w);
    json_key(w, "basis");
    json_text(w, z->seen > 0 ? "learnt" : "assumed");
    write_counts(w, z);
    write_slope(w, z);
    json_key(w, "hazards");
    json_array_begin(w);
    for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
        json_object_begin(w);
        json_key(w, "messages_7d");
        json_integer(w, messages[i]);
        write_interval(w, hazard_interval(z, messages[i], messages[i], CHANNEL_NONE));
        json_object_end(w);
    }
    json_array_end(w);
    json_object_end(w);
}

void fatigue_describe(const fatigue *f, json_writer *w)
{
    json_object_begin(w);
    write_hazard(w, "unsubscribe", &f->unsubscribe);
    write_hazard(w, "dismissal", &f->dismissal);
    json_key(w, "answers");
    json_object_begin(w);
    json_key(w, "falls_with_messages");
    json_boolean(w, hazard_slope(&f->answer).high < 0);
    write_counts(w, &f->answer);
    write_slope(w, &f->answer);
    json_object_end(w);
    json_object_end(w);
}
