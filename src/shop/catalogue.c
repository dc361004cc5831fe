/*
 * Questions to the catalogue: does a promotion cover a product, is it live, what does an
 * attributes object say. Filling a catalogue is the store's business.
 */
#include "shop/catalogue.h"

#include <string.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"

/* A tree of the largest attributes object: "[1,1,1,..." costs about 40 bytes a byte. */
#define ATTRIBUTES_TREE_BYTES (64u * (size_t)LIMIT_ATTRIBUTES_BYTES)

void catalogue_free(shop_catalogue *c)
{
    if (c == NULL) return;
    intern_free(c->product_ids);
    intern_free(c->promotion_ids);
    intern_free(c->campaign_ids);
    intern_free(c->shopper_ids);
    arena_free(&c->memory);
    mem_free(c);
}

/* Of n sorted numbers. */
static bool is_among(const uint32_t *numbers, uint32_t n, uint32_t number)
{
    uint32_t low = 0, high = n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (numbers[middle] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < n && numbers[low] == number;
}

bool promotion_covers(const promotion *p, uint32_t number)
{
    if (number == 0) return false;
    return p->n_scope == 0 || is_among(p->scope, p->n_scope, number);
}

bool promotion_has_tag(const promotion *p, uint32_t number)
{
    return number != 0 && is_among(p->tag, p->n_tag, number);
}

uint32_t catalogue_find_tag(const shop_catalogue *c, const char *name)
{
    for (uint32_t i = 1; i <= c->n_tags; i++)
        if (strcmp(c->tags[i], name) == 0) return i;
    return 0;
}

bool promotion_is_live(const promotion *p, int64_t at_us)
{
    if (p->starts_us != TIME_ABSENT && at_us < p->starts_us) return false;
    if (p->ends_us != TIME_ABSENT && at_us >= p->ends_us) return false;
    return true;
}

/* The scalar as text; objects, arrays and null have none. */
static text scalar_text(const json_value *v)
{
    if (v == NULL) return (text){"", 0};
    switch (v->kind) {
    case JSON_NUMBER:
    case JSON_TEXT: return v->text;
    case JSON_BOOLEAN: return text_of(v->boolean ? "true" : "false");
    case JSON_NULL:
    case JSON_ARRAY:
    case JSON_OBJECT: break;
    }
    return (text){"", 0};
}

/* n, or less where byte n would cut a character: a continuation byte is 10xxxxxx. */
static size_t whole_characters(const char *bytes, size_t n)
{
    while (n > 0 && ((unsigned char)bytes[n] & 0xC0u) == 0x80u)
        n--;
    return n;
}

const char *attribute_text(const char *attributes, const char *name, char *into,
                           size_t size)
{
    if (size == 0) return "";
    into[0] = '\0';
    if (attributes == NULL || attributes[0] == '\0') return into;

    arena memory;
    const json_value *tree = NULL;
    arena_init(&memory, ATTRIBUTES_TREE_BYTES);
    if (json_parse(&memory, attributes, strlen(attributes), &tree, NULL) == PF_OK) {
        text value = scalar_text(json_member(tree, name));
        size_t n = value.n;
        if (n > size - 1) n = whole_characters(value.data, size - 1);
        if (n > 0) memcpy(into, value.data, n);
        into[n] = '\0';
    }
    arena_free(&memory);
    return into;
}
