/*
 * The interface: what is the same for every kind of model. Checks what kinds may rely on,
 * keeps the file's frame, and gives scratch memory.
 */
#include "recommend/recommend.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/progress.h"
#include "recommend/inner.h"
#include "recommend/kinds.h"
#include "recommend/scratch.h"

struct recommender {
    const recommender_kind *kind;
    void *state;
    uint64_t n_products;
    float *popularity; /* [V] ln(1 + count): the answer to a past without events */
};

const recommender_kind *recommender_kind_at(size_t i)
{
    return recommender_kinds[i < recommender_kinds_count ? i : recommender_kinds_count];
}

enum { NAMES_MAX = 64, NAMES_BYTES = 400 };

pf_status recommender_unknown(const char *name, const char *const more[], size_t n, pf_error *err)
{
    const char *names[NAMES_MAX];
    char all[NAMES_BYTES] = "";
    size_t length = 0, k = 0;
    for (; k < NAMES_MAX && recommender_kind_at(k) != NULL; k++)
        names[k] = recommender_kind_at(k)->name;
    for (size_t i = 0; i < n && k < NAMES_MAX; i++)
        names[k++] = more[i];
    const char *near = text_closest(name, names, k);
    if (near != NULL)
        return error_set(err, PF_USAGE, "no model is called '%s'; did you mean '%s'?", name, near);
    for (size_t i = 0; i < k && length + strlen(names[i]) + 3 < sizeof all; i++)
        length += (size_t)snprintf(all + length, sizeof all - length, "%s%s", i ? ", " : "",
                                   names[i]);
    return error_set(err, PF_USAGE, "no model is called '%.60s'; there are %s", name, all);
}

const recommender_kind *recommender_find(const char *name)
{
    for (size_t i = 0; i < recommender_kinds_count; i++)
        if (!strcmp(recommender_kinds[i]->name, name)) return recommender_kinds[i];
    return NULL;
}

static pf_status check_input(const recommend_input *input, pf_error *err)
{
    const interactions *x = input->train;
    if (x->n == 0 || x->n_products == 0)
        return error_set(err, PF_DATA,
                         "there is nothing to learn from: no shopper took any product");
    for (uint64_t i = 0; i < x->n; i++)
        if (x->product[i] >= x->n_products)
            return error_set(err, PF_INTERNAL, "interaction %llu names product %u of %u",
                             (unsigned long long)i, x->product[i], x->n_products);
    return PF_OK;
}

/* A recommender without a state yet, its popularity all zero. */
static recommender *frame_new(const recommender_kind *kind, uint32_t n_products)
{
    recommender *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL) return NULL;
    m->kind = kind;
    m->n_products = n_products;
    m->popularity = mem_alloc_zero(n_products, sizeof *m->popularity);
    if (m->popularity != NULL) return m;
    mem_free(m);
    return NULL;
}

static void count_popularity(recommender *m, const interactions *x)
{
    for (uint64_t i = 0; i < x->n; i++)
        m->popularity[x->product[i]] += 1;
    for (uint32_t v = 0; v < x->n_products; v++)
        m->popularity[v] = log1pf(m->popularity[v]);
}

pf_status recommender_fit(const recommender_kind *kind, const recommend_input *input,
                          recommender **out, pf_error *err)
{
    recommender *m = NULL;
    pf_status s = check_input(input, err);
    if (s == PF_OK) {
        m = frame_new(kind, input->train->n_products);
        s = m ? kind->fit(input, &m->state, err)
              : error_set(err, PF_NO_MEMORY, "out of memory");
    }
    /* Those that are trained in epochs may keep what they have; a half fit is none. */
    if (s == PF_OK && !kind->trained && progress_cancelled())
        s = error_set(err, PF_CANCELLED, "stopped before it was fitted");
    if (s != PF_OK) {
        recommender_free(m);
        error_prefix(err, "%s", kind->name);
        return s;
    }
    count_popularity(m, input->train);
    *out = m;
    return PF_OK;
}

void recommender_score(const recommender *m, const recommend_query *query, float *scores,
                       recommend_scratch *scratch)
{
    if (query->n == 0)
        memcpy(scores, m->popularity, m->n_products * sizeof *scores);
    else
        m->kind->score(m->state, query, scores, scratch);
}

const recommender_kind *recommender_kind_of(const recommender *m)
{
    return m->kind;
}

uint32_t recommender_n_products(const recommender *m)
{
    return (uint32_t)m->n_products;
}

const void *recommender_state(const recommender *m)
{
    return m->state;
}

size_t recommender_scratch_floats(const recommender *m)
{
    return m->kind->scratch_floats ? m->kind->scratch_floats(m->state) : 0;
}

void recommender_free(recommender *m)
{
    if (m == NULL) return;
    m->kind->free(m->state);
    mem_free(m->popularity);
    mem_free(m);
}

/* ---- files ---- */

static pf_status write_card(const char *path, const char *card, pf_error *err)
{
    char name[4096];
    if (card == NULL) return PF_OK;
    if ((size_t)snprintf(name, sizeof name, "%s.json", path) >= sizeof name)
        return error_set(err, PF_LIMIT, "the path %s is too long", path);
    return file_write_atomic(name, card, strlen(card), err);
}

pf_status recommender_put(const recommender *m, safetensors_writer *file, pf_error *err)
{
    pf_status s = safetensors_note(file, "kind", m->kind->name, err);
    if (s == PF_OK)
        s = safetensors_add(file, "n_products", TENSOR_U64, &m->n_products, 0, NULL, err);
    if (s == PF_OK)
        s = safetensors_add(file, "popularity", TENSOR_F32, m->popularity, 1,
                            &m->n_products, err);
    return s == PF_OK ? m->kind->save(m->state, file, err) : s;
}

pf_status recommender_save(const recommender *m, const char *path, const char *card_json,
                           pf_error *err)
{
    safetensors_writer *file = NULL;
    pf_status s = safetensors_begin(&file, path, err);
    if (s != PF_OK) return s;
    s = recommender_put(m, file, err);
    if (s != PF_OK) {
        safetensors_abandon(file);
        return s;
    }
    s = safetensors_commit(file, err);
    return s == PF_OK ? write_card(path, card_json, err) : s;
}

static pf_status read_kind(const safetensors *file, uint32_t *n_products,
                           const recommender_kind **kind, pf_error *err)
{
    const tensor_view *n = NULL;
    const char *name = safetensors_note_of(file, "kind");
    *kind = recommender_find(name);
    if (*kind == NULL)
        return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                            "no recommender is called '%s'", name);
    pf_status s = safetensors_find(file, "n_products", TENSOR_U64, 0, 1, &n, err);
    if (s != PF_OK) return s;
    uint64_t found = *(const uint64_t *)n->data;
    if (*n_products == RECOMMEND_ANY_CATALOGUE && found < UINT32_MAX)
        *n_products = (uint32_t)found;
    if (found != *n_products || found == 0)
        return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                            "the model knows %llu products, the catalogue has %u: it was "
                            "trained on another one; train again",
                            (unsigned long long)found, *n_products);
    return PF_OK;
}

static pf_status read_popularity(recommender *m, const safetensors *file, pf_error *err)
{
    const tensor_view *t = NULL;
    pf_status s =
        safetensors_find(file, "popularity", TENSOR_F32, 1, m->n_products, &t, err);
    if (s != PF_OK) return s;
    memcpy(m->popularity, t->data, m->n_products * sizeof *m->popularity);
    for (uint64_t v = 0; v < m->n_products; v++)
        if (!isfinite(m->popularity[v]))
            return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                                "the popularity of a product is no number; train again");
    return PF_OK;
}

pf_status recommender_take(const safetensors *file, uint32_t n_products,
                           recommender **out, pf_error *err)
{
    const recommender_kind *kind = NULL;
    pf_status s = read_kind(file, &n_products, &kind, err);
    if (s != PF_OK) return s;
    recommender *m = frame_new(kind, n_products);
    if (m == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    s = read_popularity(m, file, err);
    if (s == PF_OK) s = kind->load(file, n_products, &m->state, err);
    if (s != PF_OK)
        recommender_free(m);
    else
        *out = m;
    return s;
}

pf_status recommender_load(const char *path, uint32_t n_products, recommender **out,
                           pf_error *err)
{
    safetensors *file = NULL;
    pf_status s = safetensors_open(&file, path, err);
    if (s != PF_OK) return s;
    s = recommender_take(file, n_products, out, err);
    safetensors_close(file);
    return s;
}

/* ---- scratch ---- */

pf_status recommend_scratch_new(const recommender *m, recommend_scratch **out,
                                pf_error *err)
{
    size_t n = recommender_scratch_floats(m);
    recommend_scratch *s = mem_alloc(1, sizeof *s);
    if (s != NULL)
        *s = (recommend_scratch){.n = n, .floats = n ? mem_alloc_aligned(n, 4) : NULL};
    if (s == NULL || (n > 0 && s->floats == NULL)) {
        recommend_scratch_free(s);
        return error_set(err, PF_NO_MEMORY, "out of memory for scoring");
    }
    *out = s;
    return PF_OK;
}

void recommend_scratch_free(recommend_scratch *s)
{
    if (s == NULL) return;
    mem_free(s->floats);
    mem_free(s);
}
