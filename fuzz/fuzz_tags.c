/*
 * Tags from outside: a list that is good is within its limits, sorted, without repeats,
 * and its tidy form reads the same again; a list that is not names a tag of what was read.
 * Rooms: base shop
 */
#include <stdint.h>
#include <stdlib.h>

#include "shop/tags.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_good(const tag_list *list)
{
    char kept[TAGS_BYTES], again[TAGS_BYTES];
    tag_list twice;
    text which;
    if (list->n > LIMIT_PROMOTION_TAGS) abort();
    for (uint32_t i = 0; i < list->n; i++)
        if (list->tags[i].n == 0 || list->tags[i].n > LIMIT_TAG_BYTES ||
            (i > 0 && text_equal(list->tags[i - 1], list->tags[i])))
            abort();
    const text joined = tag_list_join(list, kept);
    if (tag_list_read(&twice, joined, &which) != TAGS_GOOD || twice.n != list->n) abort();
    if (!text_equal(tag_list_join(&twice, again), joined)) abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tag_list list;
    text which;
    const text words = {(const char *)data, size};
    if (tag_list_read(&list, words, &which) == TAGS_GOOD) {
        check_good(&list);
        return 0;
    }
    if (which.n == 0 || which.data < words.data ||
        which.data + which.n > words.data + words.n)
        abort();
    return 0;
}
