/*
 * Building the JSON results of the verbs.
 */
#include "base/limits.h"
#include "engine/workspace.h"

void verb_begin(verb_result *r)
{
    buffer_init(&r->text, 4 * (size_t)LIMIT_JSON_BYTES);
    json_begin(&r->w, &r->text);
}

pf_status verb_end(verb_result *r, char **json, pf_error *err)
{
    bool complete = json_finish(&r->w);
    *json = complete ? buffer_take(&r->text) : NULL;
    buffer_free(&r->text);
    if (*json != NULL) return PF_OK;
    return error_set(err, PF_LIMIT, "the result passes %u MiB or memory is short",
                     4 * LIMIT_JSON_BYTES >> 20);
}

void verb_text(verb_result *r, const char *key, const char *value)
{
    json_key(&r->w, key);
    json_text(&r->w, value);
}

void verb_number(verb_result *r, const char *key, double value)
{
    json_key(&r->w, key);
    json_number(&r->w, value);
}

void verb_integer(verb_result *r, const char *key, int64_t value)
{
    json_key(&r->w, key);
    json_integer(&r->w, value);
}

void verb_money(verb_result *r, const char *key, int64_t minor, const currency *c)
{
    char amount[MONEY_TEXT_BYTES];
    json_key(&r->w, key);
    if (minor == MONEY_ABSENT)
        json_null(&r->w);
    else
        json_text(&r->w, money_format(minor, c, amount));
}

void verb_time(verb_result *r, const char *key, int64_t time_us)
{
    char when[TIME_TEXT_BYTES];
    json_key(&r->w, key);
    if (time_us == TIME_ABSENT)
        json_null(&r->w);
    else
        json_text(&r->w, time_format(time_us, when));
}
