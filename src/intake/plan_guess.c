/*
 * Which table is a file? Its name may say so ("products.csv.gz"), else its header does: a
 * time beside what happened or to whom makes events, a promotion beside a product alone a
 * scope, and so on. Where neither is clear the answer is a question, not a guess.
 */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "intake/envelope.h"
#include "intake/plan.h"
#include "intake/reader.h"
#include "intake/words.h"

/* Words in names of files, whole or in the plural. */
static const struct {
    const char *word;
    intake_table table;
} names[] = {
    {"product", TABLE_PRODUCTS},     {"item", TABLE_PRODUCTS},
    {"catalog", TABLE_PRODUCTS},     {"catalogue", TABLE_PRODUCTS},
    {"article", TABLE_PRODUCTS},     {"shopper", TABLE_SHOPPERS},
    {"customer", TABLE_SHOPPERS},    {"user", TABLE_SHOPPERS},
    {"member", TABLE_SHOPPERS},      {"campaign", TABLE_CAMPAIGNS},
    {"promotion", TABLE_PROMOTIONS}, {"coupon", TABLE_PROMOTIONS},
    {"offer", TABLE_PROMOTIONS},     {"scope", TABLE_SCOPE},
    {"event", TABLE_EVENTS},         {"purchase", TABLE_EVENTS},
    {"order", TABLE_EVENTS},         {"transaction", TABLE_EVENTS},
    {"exposure", TABLE_EVENTS},      {"redemption", TABLE_EVENTS},
    {"interaction", TABLE_EVENTS},   {"rating", TABLE_EVENTS},
};

static bool is_word(const char *stem, size_t n, const char *word)
{
    const size_t k = strlen(word);
    return strncmp(stem, word, k) == 0 && (n == k || (n == k + 1 && stem[k] == 's'));
}

/* "data/products.csv.gz" -> TABLE_PRODUCTS; TABLE_COUNT when the name says nothing. */
static intake_table table_of_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *stem = slash != NULL ? slash + 1 : path;
    const char *end = strstr(stem, ".inter");
    if (end != NULL) return TABLE_EVENTS;
    if (strstr(stem, ".item") != NULL) return TABLE_PRODUCTS;
    if (strstr(stem, ".user") != NULL) return TABLE_SHOPPERS;
    char folded[64];
    const size_t n = word_fold((text){stem, strcspn(stem, ".")}, folded, sizeof folded);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is_word(folded, n, names[i].word)) return names[i].table;
    return TABLE_COUNT;
}

/* Bit f is set when some column looks like field f of the table. */
static uint64_t fields_found(const table_reader *r, intake_table t)
{
    uint64_t found = 0;
    for (size_t i = 0; i < table_reader_columns(r); i++) {
        size_t rank;
        const int f = table_field_guess(t, table_reader_column(r, i), &rank);
        if (f >= 0) found |= UINT64_C(1) << f;
    }
    return found;
}

static bool has(uint64_t found, int field)
{
    return (found >> field & 1) != 0;
}

static intake_table table_of_columns(const table_reader *r)
{
    const uint64_t e = fields_found(r, TABLE_EVENTS);
    if (has(e, EVENTS_TIME) &&
        (has(e, EVENTS_TYPE) || has(e, EVENTS_ORDER) || has(e, EVENTS_RATING) ||
         (has(e, EVENTS_SHOPPER) && has(e, EVENTS_PRODUCT))))
        return TABLE_EVENTS;
    const uint64_t s = fields_found(r, TABLE_SCOPE);
    if (has(s, SCOPE_PROMOTION) && has(s, SCOPE_PRODUCT) && table_reader_columns(r) == 2)
        return TABLE_SCOPE;
    /* The id's own name tells; the general "id" tells nothing. */
    if (has(e, EVENTS_PROMOTION)) return TABLE_PROMOTIONS;
    if (has(e, EVENTS_CAMPAIGN)) return TABLE_CAMPAIGNS;
    if (has(e, EVENTS_PRODUCT)) return TABLE_PRODUCTS;
    if (has(e, EVENTS_SHOPPER)) return TABLE_SHOPPERS;
    const uint64_t p = fields_found(r, TABLE_PRODUCTS);
    if (has(p, PRODUCTS_ID) && has(p, PRODUCTS_TITLE) &&
        (has(p, PRODUCTS_PRICE) || has(p, PRODUCTS_BRAND) || has(p, PRODUCTS_CATEGORY)))
        return TABLE_PRODUCTS;
    return TABLE_COUNT;
}

static pf_status unclear(const char *name, const table_reader *r, pf_error *err)
{
    char columns[256] = "";
    size_t n = 0;
    for (size_t i = 0; i < table_reader_columns(r) && n + 1 < sizeof columns; i++) {
        const text c = table_reader_column(r, i);
        const int more = snprintf(columns + n, sizeof columns - n, "%s%.*s",
                                  i > 0 ? ", " : "", (int)(c.n < 40 ? c.n : 40), c.data);
        n += more > 0 ? (size_t)more : 0;
    }
    return error_set_at(
        err, PF_DATA, name, 1, 0,
        "which table is this? Its first line says: %s. Name the table "
        "(--table events), or write a mapping file; a file without a header "
        "needs one",
        columns);
}

/* Opens the first unpacked bytes as a file of their own, so that a pipe stays unread. */
pf_status plan_guess_table(const char *path, byte_source *source, intake_table *out,
                           pf_error *err)
{
    text head;
    byte_source *peeked = NULL;
    table_reader *r = NULL;
    row first;
    bool more;
    *out = table_of_name(path);
    pf_status s = byte_source_peek(source, &head, err);
    if (s != PF_OK || *out != TABLE_COUNT) return s;
    const reader_options options = {.table = TABLE_EVENTS};
    s = byte_source_from_memory(&peeked, head.data, head.n, byte_source_name(source),
                                err);
    if (s == PF_OK) s = table_reader_open(&r, peeked, &options, err);
    if (s != PF_OK) return s;
    if (table_reader_is_open_ended(r)) s = table_reader_next(r, &first, &more, err);
    *out = table_reader_is_envelope(r) ? TABLE_EVENTS : table_of_columns(r);
    if (s == PF_OK && *out == TABLE_COUNT) s = unclear(byte_source_name(source), r, err);
    table_reader_close(r);
    return s;
}
