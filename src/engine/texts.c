/*
 * The workspace's texts: words and vectors of its products and promotions. Vectors are
 * kept in the store's cache, so only new texts are ever encoded.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/workspace.h"

/* --- the encoder ------------------------------------------------------------------ */

static pf_status open_remote(proffer *p, pf_error *err)
{
    const config *c = p->config;
    encoder_remote_options o = encoder_remote_defaults();
    if (c->endpoint_url[0] == 0)
        return error_set(err, PF_USAGE,
                         "language.encoder is remote but language.url is empty");
    o.url = c->endpoint_url;
    o.model = c->endpoint_model;
    o.api_key = getenv(c->endpoint_key_variable);
    return encoder_open_remote(&p->encoder, &o, err);
}

/* Where the encoder's files are: as configured; else below PROFFER_MODELS; else in a
 * models folder here (the set-up makes one in the checkout) or of the checkout that the
 * program was built in; else beside an installed program; else the user's own place. */
static pf_status find_models(const char *configured, char folder[WORKSPACE_PATH_BYTES],
                             pf_error *err)
{
    static const char here[] = "models/usem3";
    if (configured != NULL && configured[0] != 0)
        return file_join_path(folder, WORKSPACE_PATH_BYTES, configured, "usem3", err);
    if (getenv("PROFFER_MODELS") == NULL && file_is_folder(here)) {
        memcpy(folder, here, sizeof here);
        return PF_OK;
    }
    if (getenv("PROFFER_MODELS") == NULL &&
        (file_near_program(folder, WORKSPACE_PATH_BYTES, "../../models/usem3") ||
         file_near_program(folder, WORKSPACE_PATH_BYTES,
                           "../share/proffer/models/usem3")))
        return PF_OK;
    return encoder_default_folder(folder, WORKSPACE_PATH_BYTES, err);
}

pf_status workspace_open_models(const char *configured, encoder **out, pf_error *err)
{
    char folder[WORKSPACE_PATH_BYTES];
    pf_status s = find_models(configured, folder, err);
    return s == PF_OK ? encoder_open_folder(out, folder, err) : s;
}

pf_status workspace_encoder(proffer *p, pf_error *err)
{
    if (p->encoder != NULL) return PF_OK;
    if (!strcmp(p->config->encoder, "none"))
        return error_set(err, PF_UNAVAILABLE, "language.encoder is none in proffer.yaml");
    if (!strcmp(p->config->encoder, "remote")) return open_remote(p, err);
    return workspace_open_models(p->config->models_folder, &p->encoder, err);
}

/* --- words ------------------------------------------------------------------------ */

static void product_fields(const shop_catalogue *c, uint32_t number, lexical_field out[5])
{
    const product *item = &c->products[number];
    out[0] = (lexical_field){.text = text_of(item->title), .weight = 1};
    out[1] = (lexical_field){.text = text_of(c->brands[item->brand]), .weight = 1};
    out[2] = (lexical_field){.text = text_of(c->categories[item->category].path),
                             .weight = 1,
                             .separator = '>'};
    out[3] = (lexical_field){.text = text_of(item->description), .weight = 0.5f};
    out[4] = (lexical_field){.text = text_of(item->attributes), .weight = 0.25f};
}

pf_status workspace_words(proffer *p, pf_error *err)
{
    const shop_catalogue *c = p->catalogue;
    size_t n = c->n_products;
    if (p->words != NULL) return PF_OK;
    lexical_field *fields = mem_alloc(n + 1, 5 * sizeof *fields);
    lexical_document *documents = mem_alloc(n + 1, sizeof *documents);
    pf_status s = PF_OK;
    if (fields == NULL || documents == NULL)
        s = error_set(err, PF_NO_MEMORY, "out of memory for the words of %zu products",
                      n);
    for (size_t i = 0; s == PF_OK && i < n; i++) {
        product_fields(c, (uint32_t)i + 1, &fields[5 * i]);
        documents[i] = (lexical_document){&fields[5 * i], 5};
    }
    if (s == PF_OK) s = lexical_fit(&p->words, n, documents, NULL, err);
    mem_free(fields);
    mem_free(documents);
    return s;
}

/* --- vectors ---------------------------------------------------------------------- */

static pf_status cache_get(void *context, const fingerprint *maker,
                           const fingerprint *name, size_t dimension, float *into,
                           pf_error *err)
{
    return store_get_vector(context, maker, name, into, dimension, err);
}

static pf_status cache_put(void *context, const fingerprint *maker, size_t n,
                           const fingerprint *names, size_t dimension, const float *rows,
                           pf_error *err)
{
    store *s = context;
    pf_status status = store_begin(s, err);
    if (status != PF_OK) return status;
    for (size_t i = 0; status == PF_OK && i < n; i++)
        status =
            store_put_vector(s, maker, &names[i], rows + i * dimension, dimension, err);
    if (status == PF_OK) return store_commit(s, err);
    store_rollback(s);
    return status;
}

/* What the encoder reads of a product: its title, and its category where the title does
 * not say it; of a promotion: its title and its words. A text that memory is too short for
 * has no data. */
static text product_text(const shop_catalogue *c, uint32_t number, arena *memory)
{
    const product *item = &c->products[number];
    const char *name = c->categories[item->category].name;
    if (item->title[0] != 0 && (name[0] == 0 || strstr(item->title, name) != NULL))
        return text_of(item->title);
    size_t n = strlen(item->title) + strlen(name) + 3;
    char *joined = arena_alloc(memory, n, 1);
    if (joined == NULL) return (text){NULL, 0};
    (void)snprintf(joined, n, "%s%s%s", item->title, item->title[0] ? ", " : "", name);
    return text_of(joined);
}

static text promotion_text(const shop_catalogue *c, uint32_t number, arena *memory)
{
    const promotion *offer = &c->promotions[number];
    size_t n = strlen(offer->title) + strlen(offer->body) + 3;
    char *joined = arena_alloc(memory, n, 1);
    if (offer->body[0] == 0) return text_of(offer->title);
    if (joined == NULL) return (text){NULL, 0};
    (void)snprintf(joined, n, "%s. %s", offer->title, offer->body);
    return text_of(joined);
}

typedef text text_maker(const shop_catalogue *c, uint32_t number, arena *memory);

/* Counts what is new by listening to the cache. */
typedef struct counting_cache {
    vector_cache inner;
    size_t put;
} counting_cache;

static pf_status counted_get(void *context, const fingerprint *maker,
                             const fingerprint *name, size_t dimension, float *into,
                             pf_error *err)
{
    counting_cache *k = context;
    return k->inner.get(k->inner.context, maker, name, dimension, into, err);
}

static pf_status counted_put(void *context, const fingerprint *maker, size_t n,
                             const fingerprint *names, size_t dimension,
                             const float *rows, pf_error *err)
{
    counting_cache *k = context;
    k->put += n;
    return k->inner.put(k->inner.context, maker, n, names, dimension, rows, err);
}

static pf_status encode_all(proffer *p, uint32_t n, text_maker *make, const char *what,
                            vector_set *out, pf_error *err)
{
    arena memory;
    counting_cache counting = {{p->store, cache_get, cache_put}, 0};
    vector_cache cache = {&counting, counted_get, counted_put};
    arena_init(&memory, LIMIT_IMPORT_BYTES);
    text *texts = mem_alloc((size_t)n + 1, sizeof *texts);
    progress *shown = progress_begin(what, n, "texts");
    pf_status s = PF_OK;
    if (texts == NULL) s = error_set(err, PF_NO_MEMORY, "out of memory for %u texts", n);
    for (uint32_t i = 0; s == PF_OK && i < n; i++) {
        texts[i] = make(p->catalogue, i + 1, &memory);
        if (texts[i].data == NULL)
            s = error_set(err, PF_NO_MEMORY, "out of memory for %u texts", n);
    }
    if (s == PF_OK)
        s = vectors_encode(out, p->encoder, &cache, n, texts, workspace_pool(p), shown,
                           err);
    progress_end(shown);
    p->texts_encoded += counting.put;
    mem_free(texts);
    arena_free(&memory);
    return s;
}

pf_status workspace_vectors(proffer *p, pf_error *err)
{
    const shop_catalogue *c = p->catalogue;
    if (p->products.rows != NULL || p->promotions.rows != NULL) return PF_OK;
    p->texts_encoded = 0;
    pf_status s = workspace_encoder(p, err);
    if (s == PF_OK)
        s = encode_all(p, c->n_products, product_text, "encoding products", &p->products,
                       err);
    if (s == PF_OK)
        s = encode_all(p, c->n_promotions, promotion_text, "encoding promotions",
                       &p->promotions, err);
    if (s == PF_OK && p->products.n > 0) s = vectors_centre(&p->products, NULL, err);
    if (s == PF_OK && p->promotions.n > 0 && p->products.n > 0)
        s = vectors_centre(&p->promotions, p->products.mean, err);
    if (s != PF_OK) {
        vectors_free(&p->products);
        vectors_free(&p->promotions);
    }
    return s;
}

pf_status workspace_vectors_if_any(proffer *p, pf_error *err)
{
    pf_error why = {.code = PF_OK};
    if (!strcmp(p->config->encoder, "none"))
        return PF_OK; /* as asked for: nothing to warn of */
    pf_status s = workspace_vectors(p, &why);
    if (s == PF_OK) return s;
    if (s != PF_UNAVAILABLE) return error_pass(err, &why);
    log_line(LOG_WARNING, "no text encoder (%s); going on with words alone", why.message);
    return PF_OK;
}

void workspace_drop_texts(proffer *p)
{
    lexical_free(p->words);
    p->words = NULL;
    vectors_free(&p->products);
    vectors_free(&p->promotions);
}
