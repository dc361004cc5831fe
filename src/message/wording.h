/*
 * Facts as a language writes them: what a promotion gives, dates, lists of names.
 *
 *                       en                            zh
 *     10 % off          "10 % off"                    "9折"    (what remains to be paid,
 *     15 % off          "15 % off"                    "8.5折"   in tenths)
 *     2.00 off          "$2.00 off"                   "立减$2.00"
 *     two for one       "buy one, get one free"       "买一送一"
 *     9 April           "9 April"                     "4月9日"
 *     a list            "Cheese, Butter and more"     "Cheese、Butter等"
 *
 * Texts are terminated and live in the caller's arena; NULL from a function that says so
 * means "not known", and *failed is set when memory was short.
 */
#ifndef PROFFER_MESSAGE_WORDING_H
#define PROFFER_MESSAGE_WORDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/calendar.h"
#include "base/money.h"
#include "message/language.h"
#include "shop/catalogue.h"

typedef struct wording {
    message_language language;
    const currency *currency;
    arena *memory;
    bool failed; /* an allocation failed; what was returned then is not to be used */
} wording;

/* What the promotion gives; NULL when its value is not known, when the value is no sane
 * one (not above 0, or more than 100 %), and for informational ones. */
const char *wording_discount(wording *w, const promotion *p);
/* A percentage off, hundredths of a percent in 1..10000. */
const char *wording_percent(wording *w, int32_t hundredths);
/* An amount with its symbol; NULL for MONEY_ABSENT and amounts not above 0. */
const char *wording_money(wording *w, int64_t minor);
/* The last day on which a promotion that ends at ends_us (exclusive) can be used, with
 * the year where it is not that of now_us; NULL when it is open or over. */
const char *wording_last_day(wording *w, int64_t ends_us, int64_t now_us, const zone *z);
/* "today is the last day"; NULL unless it is. */
const char *wording_urgency(wording *w, int64_t ends_us, int64_t now_us, const zone *z);
/* n >= 1 names; more: the list is not complete. */
const char *wording_list(wording *w, const char *const *names, uint32_t n, bool more);

#endif
