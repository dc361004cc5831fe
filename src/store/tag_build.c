/* Numbering tags; see tag_build.h. */
#include "store/tag_build.h"

#include <stdlib.h>

#include "shop/tags.h"

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool keep_numbers(catalogue_build *b, intern *tags, const tag_list *list,
                         promotion *p)
{
    if (list->n == 0) return true;
    uint32_t *numbers = arena_alloc_zero(&b->catalogue->memory, list->n, sizeof *numbers);
    if (numbers == NULL) return false;
    for (uint32_t i = 0; i < list->n; i++) {
        numbers[i] = intern_add(tags, list->tags[i].data, list->tags[i].n);
        if (numbers[i] == 0) return false;
    }
    qsort(numbers, list->n, sizeof *numbers, compare_numbers);
    p->tag = numbers;
    p->n_tag = list->n;
    return true;
}

static bool keep_names(catalogue_build *b, const intern *tags)
{
    shop_catalogue *c = b->catalogue;
    uint32_t n = intern_count(tags);
    const char **names = arena_alloc_zero(&c->memory, (size_t)n + 1, sizeof *names);
    if (names == NULL) return false;
    names[0] = "";
    for (uint32_t i = 1; i <= n; i++) {
        names[i] =
            arena_copy_text(&c->memory, intern_text(tags, i), intern_length(tags, i));
        if (names[i] == NULL) return false;
    }
    c->n_tags = n;
    c->tags = names;
    return true;
}

pf_status tag_build(catalogue_build *b, pf_error *err)
{
    tag_list list;
    text which;
    intern *tags = intern_new(UINT32_MAX - 1);
    bool ok = tags != NULL;
    for (uint32_t i = 1; ok && i <= b->catalogue->n_promotions; i++) {
        text words = text_of(b->tag_texts[i]);
        if (tag_list_read(&list, words, &which) != TAGS_GOOD) {
            intern_free(tags);
            return error_set(
                err, PF_DATA,
                "the store is damaged: promotion '%s' has tags that cannot be",
                b->promotions[i].id);
        }
        ok = keep_numbers(b, tags, &list, &b->promotions[i]);
    }
    ok = ok && keep_names(b, tags);
    intern_free(tags);
    return ok ? PF_OK : error_set(err, PF_NO_MEMORY, "no memory to load the catalogue");
}
