/* Words joined by '|' as a list of tags; see tags.h. */
#include "shop/tags.h"

#include <stdbool.h>
#include <string.h>

static int compare_texts(text a, text b)
{
    const size_t shorter = a.n < b.n ? a.n : b.n;
    const int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;
    return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

/* Where the tag stands in the list, or where it belongs. */
static uint32_t place_of(const tag_list *list, text tag, bool *there)
{
    uint32_t i = 0;
    while (i < list->n && compare_texts(list->tags[i], tag) < 0)
        i++;
    *there = i < list->n && compare_texts(list->tags[i], tag) == 0;
    return i;
}

static tag_verdict add(tag_list *list, text tag)
{
    bool there;
    const uint32_t at = place_of(list, tag, &there);
    if (there) return TAGS_GOOD;
    if (tag.n > LIMIT_TAG_BYTES) return TAG_TOO_LONG;
    if (list->n == LIMIT_PROMOTION_TAGS) return TAGS_TOO_MANY;
    memmove(list->tags + at + 1, list->tags + at, (list->n - at) * sizeof *list->tags);
    list->tags[at] = tag;
    list->n++;
    return TAGS_GOOD;
}

tag_verdict tag_list_read(tag_list *out, text words, text *which)
{
    tag_verdict verdict = TAGS_GOOD;
    out->n = 0;
    *which = (text){"", 0};
    while (words.n > 0 && verdict == TAGS_GOOD) {
        const char *bar = memchr(words.data, '|', words.n);
        const size_t n = bar != NULL ? (size_t)(bar - words.data) : words.n;
        const text tag = text_trim((text){words.data, n});
        if (tag.n > 0) verdict = add(out, tag);
        *which = tag;
        words.data += n + (bar != NULL);
        words.n -= n + (bar != NULL);
    }
    return verdict;
}

text tag_list_join(const tag_list *list, char *into)
{
    char *to = into;
    for (uint32_t i = 0; i < list->n; i++) {
        if (i > 0) *to++ = '|';
        memcpy(to, list->tags[i].data, list->tags[i].n);
        to += list->tags[i].n;
    }
    return (text){into, (size_t)(to - into)};
}
