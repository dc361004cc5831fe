#include "recommend/small_data.h"

#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "language/vectors.h"
#include "recommend/fitted.h"

static const char *const vocabulary[] = {"red", "blue", "soap", "shoe",  "tea",
                                         "cup", "lamp", "rug",  "chair", "bag"};

static void make_events(small_data *d, random_stream *r, uint32_t most)
{
    uint64_t *first = mem_alloc_zero(SMALL_USERS + 1, sizeof *first);
    size_t room = (size_t)SMALL_USERS * most;
    uint32_t *product = mem_alloc(room, sizeof *product);
    int64_t *time_us = mem_alloc(room, sizeof *time_us);
    float *rating = mem_alloc(room, sizeof *rating);
    uint64_t n = 0;
    assert_true(first && product && time_us && rating);
    for (uint32_t u = 0; u < SMALL_USERS; u++) {
        uint32_t events = u < 2 ? u : 1 + random_below(r, most);
        int64_t t = (int64_t)random_below(r, 50) * US_PER_DAY;
        for (uint32_t i = 0; i < events; i++) {
            /* Low numbers are popular; what follows is often the next number. */
            uint32_t v = random_below(r, 1 + random_below(r, SMALL_PRODUCTS - 1));
            if (i > 0 && random_unit(r) < 0.4)
                v = (product[n - 1] + 1) % (SMALL_PRODUCTS - 1);
            product[n] = v;
            time_us[n] = t += (int64_t)random_below(r, 5) * US_PER_DAY;
            rating[n++] = (float)(1 + random_below(r, 5));
        }
        first[u + 1] = n;
    }
    d->x = (interactions){.n_users = SMALL_USERS,
                          .n_products = SMALL_PRODUCTS,
                          .n = n,
                          .first = first,
                          .product = product,
                          .time_us = time_us,
                          .rating = rating};
}

static void make_words(small_data *d, random_stream *r)
{
    char title[SMALL_PRODUCTS][64];
    lexical_field field[SMALL_PRODUCTS];
    lexical_document document[SMALL_PRODUCTS];
    for (uint32_t v = 0; v < SMALL_PRODUCTS; v++) {
        title[v][0] = '\0';
        for (uint32_t i = 0; v != 3 && i < 1 + v % 4; i++) { /* product 3 has no words */
            size_t at = strlen(title[v]);
            (void)snprintf(title[v] + at, sizeof title[v] - at, "%s ",
                           vocabulary[random_below(r, 10)]);
        }
        field[v] = (lexical_field){.text = text_of(title[v]), .weight = 1};
        document[v] = (lexical_document){&field[v], 1};
    }
    assert_int_equal(lexical_fit(&d->words, SMALL_PRODUCTS, document, NULL, NULL), PF_OK);
}

static void make_side(small_data *d, random_stream *r)
{
    uint32_t *category = mem_alloc(SMALL_PRODUCTS, sizeof *category);
    float *vectors = mem_alloc((size_t)SMALL_PRODUCTS * SMALL_DIMENSION, sizeof *vectors);
    assert_true(category && vectors);
    for (uint32_t v = 0; v < SMALL_PRODUCTS; v++)
        category[v] = random_below(r, SMALL_CATEGORIES);
    for (size_t i = 0; i < (size_t)SMALL_PRODUCTS * SMALL_DIMENSION; i++)
        vectors[i] = (float)random_normal(r);
    for (uint32_t v = 0; v < SMALL_PRODUCTS; v++)
        vector_normalise(vectors + (size_t)v * SMALL_DIMENSION, SMALL_DIMENSION);
    make_words(d, r);
    d->side = (product_side){.category = category,
                             .n_categories = SMALL_CATEGORIES,
                             .vectors = vectors,
                             .dimension = SMALL_DIMENSION,
                             .words = d->words};
}

static int64_t last_time(const interactions *x)
{
    int64_t last = 0;
    for (uint64_t i = 0; i < x->n; i++)
        last = x->time_us[i] > last ? x->time_us[i] : last;
    return last;
}

small_data *small_data_new(uint64_t seed, uint32_t most)
{
    small_data *d = mem_alloc_zero(1, sizeof *d);
    random_stream r = random_begin(seed, 1);
    assert_non_null(d);
    make_events(d, &r, most);
    make_side(d, &r);
    static const recommend_training tiny = {
        .settings = "width=8,heads=1,blocks=1,length=8,epochs=1,threads=1"};
    d->input = (recommend_input){.training = &tiny,
                                 .train = &d->x,
                                 .side = &d->side,
                                 .until_us = last_time(&d->x) + US_PER_DAY,
                                 .repeats = true,
                                 .seed = 1};
    return d;
}

void small_data_free(small_data *d)
{
    mem_free((void *)(uintptr_t)d->x.first);
    mem_free((void *)(uintptr_t)d->x.product);
    mem_free((void *)(uintptr_t)d->x.time_us);
    mem_free((void *)(uintptr_t)d->x.rating);
    mem_free((void *)(uintptr_t)d->side.category);
    mem_free((void *)(uintptr_t)d->side.vectors);
    lexical_free(d->words);
    mem_free(d);
}

recommend_query small_query(const small_data *d, uint32_t user)
{
    uint64_t from = d->x.first[user];
    return (recommend_query){.product = d->x.product + from,
                             .time_us = d->x.time_us + from,
                             .rating = d->x.rating + from,
                             .n = (size_t)(d->x.first[user + 1] - from),
                             .at_us = d->input.until_us,
                             .user = user};
}

recommender *small_fit(const small_data *d, const char *kind)
{
    return fit_kind(kind, &d->input);
}
