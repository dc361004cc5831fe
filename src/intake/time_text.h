/*
 * Times in the orders people write dates in: what base/calendar.h reads, and day/month/year
 * or month/day/year ("31/12/2010 08:26", "12-31-2010"), which no program can tell apart and
 * a mapping file therefore has to name.
 */
#ifndef PROFFER_INTAKE_TIME_TEXT_H
#define PROFFER_INTAKE_TIME_TEXT_H

#include "base/calendar.h"
#include "base/text.h"
#include "intake/mapping.h"

/* form: not UNSET; rules->form is not looked at. false with a reason (static text). */
bool time_text_parse(text value, map_time_form form, const time_rules *rules,
                     int64_t *time_us, bool *date_only, const char **why);

/* The local midnight that ends the day of an instant, exclusive: `ends_on` 2017-04-09 ->
 * 2017-04-10 00:00 in the zone. */
int64_t time_end_of_day(int64_t time_us, const zone *z);

#endif
