/*
 * The tags of a promotion as words: "coffee|sale". A tag is the shop's own word for what a
 * promotion is about, by which messages can be limited. Spaces around a tag are no part of
 * it, blank ones are none, the same one twice is one; case counts.
 *
 *     tag_list list;
 *     text which;
 *     if (tag_list_read(&list, words, &which) == TAGS_GOOD)
 *         for (uint32_t i = 0; i < list.n; i++) use(list.tags[i]);
 */
#ifndef PROFFER_SHOP_TAGS_H
#define PROFFER_SHOP_TAGS_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/text.h"

typedef struct tag_list {
    text tags
        [LIMIT_PROMOTION_TAGS]; /* views into what was read; in order of their bytes */
    uint32_t n;
} tag_list;

typedef enum tag_verdict {
    TAGS_GOOD,
    TAG_TOO_LONG, /* longer than LIMIT_TAG_BYTES */
    TAGS_TOO_MANY /* more than LIMIT_PROMOTION_TAGS different ones */
} tag_verdict;

/* The longest tidy text. */
enum { TAGS_BYTES = LIMIT_PROMOTION_TAGS * (LIMIT_TAG_BYTES + 1) };

/* The different tags of words joined by '|'. Where they are not good, *which is the first
 * tag that is too long or one too many, and the list holds those before it. */
tag_verdict tag_list_read(tag_list *out, text words, text *which);
/* The list joined by '|', the one form that is kept, in `into` of TAGS_BYTES. */
text tag_list_join(const tag_list *list, char *into);

#endif
