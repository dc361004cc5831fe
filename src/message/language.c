/* Which language a tag asks for. */
#include "message/language.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static const char *const names[LANGUAGE_COUNT] = {"en", "zh"};

const char *language_name(message_language language)
{
    return names[language];
}

message_language language_of(const char *tag, message_language fallback)
{
    size_t n = tag != NULL ? strcspn(tag, "-_") : 0;
    for (int i = 0; n > 0 && i < LANGUAGE_COUNT; i++)
        if (strlen(names[i]) == n && strncasecmp(tag, names[i], n) == 0)
            return (message_language)i;
    return fallback;
}
