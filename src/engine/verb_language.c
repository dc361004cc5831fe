/*
 * embed and search.
 */
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "engine/workspace.h"
#include "language/search.h"

proffer_status proffer_embed(proffer *p, char **json, proffer_error *err)
{
    verb_result r;
    *json = NULL;
    double start_s = clock_wall_s();
    pf_status s = workspace_snapshot(p, inner(err));
    if (s == PF_OK) s = workspace_vectors(p, inner(err));
    if (s != PF_OK) return (proffer_status)s;
    size_t texts = p->products.n + p->promotions.n;
    verb_begin(&r);
    json_object_begin(&r.w);
    verb_integer(&r, "texts", (int64_t)texts);
    verb_integer(&r, "encoded", (int64_t)p->texts_encoded);
    verb_integer(&r, "cached", (int64_t)(texts - p->texts_encoded));
    verb_integer(&r, "dimension", (int64_t)encoder_dimension(p->encoder));
    verb_text(&r, "encoder", encoder_describe(p->encoder));
    verb_number(&r, "seconds", clock_wall_s() - start_s);
    json_object_end(&r.w);
    return (proffer_status)verb_end(&r, json, inner(err));
}

/* A shop may list one thing many times (sizes, bar codes, suppliers) under one title.
 * People look for things, so equal titles of one category are one answer that says how
 * many products bear it. */
enum { SEARCH_SPREAD = 40 };

static bool is_same_thing(const shop_catalogue *c, uint32_t a, uint32_t b)
{
    const product *x = &c->products[a + 1], *y = &c->products[b + 1];
    return x->category == y->category && x->title[0] != 0 && !strcmp(x->title, y->title);
}

static void write_hit(verb_result *r, const proffer *p, const search_hit *found,
                      size_t alike)
{
    const shop_catalogue *c = p->catalogue;
    const product *item = &c->products[found->document + 1];
    json_object_begin(&r->w);
    verb_text(r, "id", item->id);
    verb_text(r, "title", item->title);
    verb_text(r, "category", c->categories[item->category].path);
    verb_text(r, "brand", c->brands[item->brand]);
    verb_money(r, "price", item->price_minor, &c->currency);
    verb_integer(r, "alike", (int64_t)alike);
    verb_number(r, "score", (double)found->score);
    verb_number(r, "word_share", (double)found->word_share);
    verb_number(r, "cosine", (double)found->cosine);
    json_object_end(&r->w);
}

/* The first `limit` things among n hits, each with how many of the hits are the same. */
static void write_things(verb_result *r, const proffer *p, const search_hit *hits,
                         size_t n, size_t limit)
{
    size_t written = 0;
    json_array_begin(&r->w);
    for (size_t i = 0; i < n && written < limit; i++) {
        size_t alike = 1;
        bool first = true;
        for (size_t k = 0; k < i && first; k++)
            first = !is_same_thing(p->catalogue, hits[k].document, hits[i].document);
        if (!first) continue;
        for (size_t k = i + 1; k < n; k++)
            alike += is_same_thing(p->catalogue, hits[k].document, hits[i].document);
        write_hit(r, p, &hits[i], alike);
        written++;
    }
    json_array_end(&r->w);
}

static pf_status prepare_search(proffer *p, pf_error *err)
{
    pf_status s = workspace_snapshot(p, err);
    if (s == PF_OK && p->catalogue->n_products == 0)
        s = error_set(err, PF_NOT_FOUND, "there are no products yet; import some first");
    if (s == PF_OK) s = workspace_words(p, err);
    return s == PF_OK ? workspace_vectors_if_any(p, err) : s;
}

proffer_status proffer_search(proffer *p, const char *query, int limit, char **json,
                              proffer_error *err)
{
    size_t found = 0, depth = 0;
    verb_result r;
    *json = NULL;
    if (limit < 1 || limit > 200 || query[0] == 0)
        return (proffer_status)error_set(inner(err), PF_USAGE,
                                         "search needs some words and a limit up to 200");
    depth = (size_t)limit * SEARCH_SPREAD;
    search_hit *hits = mem_alloc(depth, sizeof *hits);
    pf_status s = hits ? prepare_search(p, inner(err))
                       : error_set(inner(err), PF_NO_MEMORY, "out of memory");
    bool meaning = s == PF_OK && p->products.n > 0;
    search_index index = {.words = p->words,
                          .vectors = meaning ? &p->products : NULL,
                          .encoder = meaning ? p->encoder : NULL};
    if (s == PF_OK)
        s = search_texts(&index, text_of(query), depth, hits, &found, inner(err));
    if (s == PF_OK) {
        verb_begin(&r);
        json_object_begin(&r.w);
        verb_text(&r, "query", query);
        json_key(&r.w, "products");
        write_things(&r, p, hits, found, (size_t)limit);
        json_object_end(&r.w);
        s = verb_end(&r, json, inner(err));
    }
    mem_free(hits);
    return (proffer_status)s;
}
