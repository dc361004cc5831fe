/*
 * The languages messages are written in.
 */
#ifndef PROFFER_MESSAGE_LANGUAGE_H
#define PROFFER_MESSAGE_LANGUAGE_H

typedef enum message_language {
    LANGUAGE_EN,
    LANGUAGE_ZH,
    LANGUAGE_COUNT
} message_language;

/* "en", "zh". */
const char *language_name(message_language language);
/* A BCP 47 tag ("zh-CN", "en_GB", any case) -> its language; fallback where the tag is
 * empty, NULL or of a language there are no words in. */
message_language language_of(const char *tag, message_language fallback);

#endif
