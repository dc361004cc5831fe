/*
 * A shop as of a moment, in the numbers that the recommender `habit` needs of it: how many
 * shoppers took each product lately, how soon and how often its buyers come back for it,
 * and what every shopper's taste is. Made of purchases strictly before the moment, so
 * whatever comes later cannot change a bit of it.
 *
 * Letters: U shoppers, V products, C categories. Immutable once made.
 */
#ifndef PROFFER_RECOMMEND_HABIT_SHOP_H
#define PROFFER_RECOMMEND_HABIT_SHOP_H

#include "recommend/habit_past.h"
#include "recommend/recommend.h"
#include "recommend/sparse.h"

/* Coming back means within so many days; so long is also the window learnt from. */
enum { HABIT_WINDOW_DAYS = 31, HABIT_POPULAR = 60, HABIT_COLUMNS = 6 };

typedef struct habit_shop {
    uint32_t n_products, n_users, n_categories;
    uint32_t buyers;    /* shoppers with a purchase */
    uint32_t *category; /* [V] 0 = none */
    float *columns;     /* [HABIT_COLUMNS x V], which the next six point into */
    /* [V] different shoppers within 7, 28, 91 days, and ever */
    float *buyers_7, *buyers_28, *buyers_91, *buyers_ever;
    float *interval;        /* [V] mean ln(days) between trips of one shopper */
    float *repeat;          /* [V] share of buyers who took it again within the window */
    float *category_repeat; /* [C] */
    /* [U x V] ln(1 + trips, half-life 180 days) * max(0, ln(buyers / (buyers_ever + 1))),
     * rows of length 1; every product a shopper ever took has an entry */
    sparse taste;
    sparse takers;                   /* [V x U] its transpose */
    sparse lately;                   /* [U x V] min(1, trips with half-life 60 days) */
    uint32_t popular[HABIT_POPULAR]; /* most buyers within 28 days, first ones first */
    uint32_t n_popular;
} habit_shop;

/* Reads train and side of the input, events before until_us alone. PF_NO_MEMORY,
 * PF_INTERNAL for a category out of range; the shop is then empty. */
pf_status habit_shop_new(habit_shop *s, const recommend_input *input, int64_t until_us,
                         pf_error *err);
/* Also of a zeroed one. */
void habit_shop_free(habit_shop *s);

/* Allocates the columns, all zero; false without memory. */
bool habit_shop_columns(habit_shop *s);

pf_status habit_shop_save(const habit_shop *s, safetensors_writer *file, pf_error *err);
/* Checks every number. PF_DATA. */
pf_status habit_shop_load(habit_shop *s, uint32_t n_products, const safetensors *file,
                          pf_error *err);

#endif
