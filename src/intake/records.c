/* Offsets of the texts in each record; see records.h. */
#include "intake/records.h"

#include <string.h>

#define AT(record, member) offsetof(record, member)

static const size_t product_texts[] = {
    AT(product_record, id),          AT(product_record, title),
    AT(product_record, description), AT(product_record, category),
    AT(product_record, brand),       AT(product_record, image),
    AT(product_record, attributes)};
static const size_t shopper_texts[] = {
    AT(shopper_record, id), AT(shopper_record, language), AT(shopper_record, zone),
    AT(shopper_record, attributes)};
static const size_t campaign_texts[] = {
    AT(campaign_record, id), AT(campaign_record, title), AT(campaign_record, kind),
    AT(campaign_record, attributes)};
static const size_t promotion_texts[] = {AT(promotion_record, id),
                                         AT(promotion_record, campaign),
                                         AT(promotion_record, title),
                                         AT(promotion_record, body),
                                         AT(promotion_record, stacking_group),
                                         AT(promotion_record, scope_categories),
                                         AT(promotion_record, scope_brands),
                                         AT(promotion_record, tags),
                                         AT(promotion_record, audience),
                                         AT(promotion_record, attributes)};
static const size_t scope_texts[] = {AT(scope_record, promotion),
                                     AT(scope_record, product)};
static const size_t event_texts[] = {
    AT(event_record, id),        AT(event_record, shopper),   AT(event_record, product),
    AT(event_record, promotion), AT(event_record, campaign),  AT(event_record, order),
    AT(event_record, decision),  AT(event_record, attributes)};

typedef struct text_list {
    const size_t *offsets;
    size_t n;
} text_list;

#define LIST(offsets)                                                                    \
    {                                                                                    \
        offsets, sizeof offsets / sizeof *offsets                                        \
    }

static const text_list lists[TABLE_COUNT] = {
    [TABLE_PRODUCTS] = LIST(product_texts),   [TABLE_SHOPPERS] = LIST(shopper_texts),
    [TABLE_CAMPAIGNS] = LIST(campaign_texts), [TABLE_PROMOTIONS] = LIST(promotion_texts),
    [TABLE_SCOPE] = LIST(scope_texts),        [TABLE_EVENTS] = LIST(event_texts),
};

size_t record_text_bytes(intake_table table, const any_record *r)
{
    const text_list *list = &lists[table];
    size_t n = 0;
    for (size_t i = 0; i < list->n; i++)
        n += ((const text *)(const void *)((const char *)r + list->offsets[i]))->n;
    return n;
}

char *record_move_texts(intake_table table, any_record *r, char *to)
{
    const text_list *list = &lists[table];
    for (size_t i = 0; i < list->n; i++) {
        text *t = (text *)(void *)((char *)r + list->offsets[i]);
        if (t->n > 0) memcpy(to, t->data, t->n);
        t->data = to;
        to += t->n;
    }
    return to;
}
