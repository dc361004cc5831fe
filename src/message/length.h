/*
 * How long a message may be in each channel. An SMS is measured as the network does: 160
 * characters of the GSM 7-bit alphabet (3GPP TS 23.038, section 6.2.1; characters of its
 * extension count twice), or 70 UTF-16 units as soon as one character is not in it. All
 * others count characters (code points).
 */
#ifndef PROFFER_MESSAGE_LENGTH_H
#define PROFFER_MESSAGE_LENGTH_H

#include <stdbool.h>
#include <stddef.h>

#include "shop/vocabulary.h"

enum {
    LENGTH_SMS_GSM = 160,
    LENGTH_SMS_UCS2 = 70,
    LENGTH_PUSH = 120,
    LENGTH_EMAIL_SUBJECT = 78,
    LENGTH_EMAIL = 2000,
    LENGTH_SITE = 90,
    LENGTH_WECHAT = 200,
    LENGTH_MAIL = 600
};

/* true when checked UTF-8 of n bytes fits into the channel's body. */
bool length_fits(channel c, const char *words, size_t n);
/* true when it fits into a subject, which only e-mails have. */
bool length_fits_subject(const char *words, size_t n);

#endif
