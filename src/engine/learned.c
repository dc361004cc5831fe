/*
 * Feature rows are made anew from the snapshot; a model is read from its file only when
 * the file's card says that it knows these data and nothing after the moment asked about.
 * Otherwise it is fitted, which takes seconds and is always right.
 */
#include "engine/learned.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"
#include "recommend/interactions.h"

enum { ERROR_WORDS = 1024 };

/* --- products that are no goods --------------------------------------------------- */

static bool is_under(const char *path, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(path, prefix, n) == 0 &&
           (path[n] == 0 || strncmp(path + n, " > ", 3) == 0);
}

static bool is_excluded(const config *c, const char *path)
{
    if (path[0] == 0) return c->exclude_uncategorised;
    for (uint32_t i = 0; i < c->n_exclude_categories; i++)
        if (is_under(path, c->exclude_categories[i])) return true;
    return false;
}

pf_status learned_excluded(const proffer *p, bool **out, pf_error *err)
{
    const shop_catalogue *c = p->catalogue;
    *out = mem_alloc_zero((size_t)c->n_products + 1, sizeof **out);
    if (*out == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %u products",
                         c->n_products);
    for (uint32_t i = 1; i <= c->n_products; i++)
        (*out)[i] = is_excluded(p->config, c->categories[c->products[i].category].path);
    return PF_OK;
}

/* --- opening ---------------------------------------------------------------------- */

pf_status learned_open(learned *l, proffer *p, pf_error *err)
{
    *l = (learned){.p = p};
    pf_status s = workspace_vectors_if_any(p, err);
    if (s == PF_OK) s = learned_excluded(p, &l->excluded, err);
    if (s == PF_OK) {
        l->world = (response_world){
            .catalogue = p->catalogue,
            .history = p->history,
            .zone = p->zone,
            .pool = workspace_pool(p),
        };
    }
    if (s != PF_OK) learned_close(l);
    return s;
}

void learned_close(learned *l)
{
    response_free(l->model);
    response_data_free(l->data);
    mem_free(l->excluded);
    mem_free(l->category);
    *l = (learned){.p = l->p};
}

/* --- the model -------------------------------------------------------------------- */

/* A card's text and its tree, which borrows the text; all zero when it cannot be read. */
typedef struct model_card {
    char *text;
    arena memory;
    const json_value *tree;
} model_card;

static void card_read(model_card *k, const char *path)
{
    char name[WORKSPACE_PATH_BYTES + 8];
    size_t n = 0;
    *k = (model_card){0};
    arena_init(&k->memory, LIMIT_JSON_BYTES);
    int length = snprintf(name, sizeof name, "%s.json", path);
    if (length < 0 || (size_t)length >= sizeof name) return;
    if (file_read_whole(&k->text, &n, name, LIMIT_JSON_BYTES, NULL) != PF_OK) return;
    if (json_parse(&k->memory, k->text, n, &k->tree, NULL) != PF_OK) k->tree = NULL;
}

static void card_free(model_card *k)
{
    mem_free(k->text);
    arena_free(&k->memory);
}

/* A member's text, empty where there is none. */
static text card_text(const model_card *k, const char *name)
{
    const json_value *v = k->tree != NULL ? json_member(k->tree, name) : NULL;
    return v != NULL && v->kind == JSON_TEXT ? v->text : (text){"", 0};
}

void learned_setting(const config *c, char into[LEARNED_SETTING_BYTES])
{
    (void)snprintf(into, LEARNED_SETTING_BYTES, "%s%s%s", c->repeats,
                   c->training[0] != 0 ? " " : "", c->training);
}

/* A card that cannot be read fits nothing. */
bool learned_card_fits(const fingerprint *data, const char *setting, const char *path,
                       int64_t at_us)
{
    char expected[FINGERPRINT_TEXT_BYTES];
    int64_t until = INT64_MAX;
    model_card k;
    fingerprint_format(data, expected);
    card_read(&k, path);
    bool fits = k.tree != NULL && json_member(k.tree, "setting") != NULL &&
                text_is(card_text(&k, "data"), expected) &&
                text_to_i64(card_text(&k, "until_us"), &until) && until <= at_us &&
                text_is(card_text(&k, "setting"), setting);
    card_free(&k);
    return fits;
}

/* --- a recommender by name -------------------------------------------------------- */

void learned_catalogue(const shop_catalogue *c, uint32_t n,
                       char into[FINGERPRINT_TEXT_BYTES])
{
    fingerprint_state s;
    fingerprint_begin(&s);
    for (uint32_t i = 1; i <= n && i <= c->n_products; i++)
        fingerprint_add_text(&s, c->products[i].id);
    fingerprint print = fingerprint_end(&s);
    fingerprint_format(&print, into);
}

/* Whether the card names the catalogue's own first n products. */
static bool knows_catalogue(const proffer *p, const char *path, uint32_t n)
{
    char ids[FINGERPRINT_TEXT_BYTES];
    model_card k;
    learned_catalogue(p->catalogue, n, ids);
    card_read(&k, path);
    bool knows = n <= p->catalogue->n_products && text_is(card_text(&k, "catalogue"), ids);
    card_free(&k);
    return knows;
}

static pf_status check_named(const proffer *p, const char *name, const char *path,
                             const recommender *m, pf_error *err)
{
    const char *kind = recommender_kind_of(m)->name;
    if (strcmp(kind, name) != 0)
        return error_set_at(err, PF_DATA, path, 0, 0, "the file holds a model called '%s'", kind);
    if (!knows_catalogue(p, path, recommender_n_products(m)))
        return error_set_at(err, PF_DATA, path, 0, 0,
                            "the model was trained on another catalogue, or its card is gone; "
                            "`proffer train --model %s` trains it on this one",
                            name);
    return PF_OK;
}

pf_status learned_named(const proffer *p, const char *name, bool grown, recommender **out,
                        pf_error *err)
{
    char path[WORKSPACE_PATH_BYTES], file[WORKSPACE_PATH_BYTES];
    (void)snprintf(file, sizeof file, "models/%s.safetensors", name);
    pf_status s = workspace_path(p, file, path, err);
    if (s != PF_OK) return s;
    if (!file_exists(path))
        return error_set(err, PF_NOT_FOUND,
                         "there is no trained %s; `proffer train --model %s` makes one", name,
                         name);
    const uint32_t n = grown ? RECOMMEND_ANY_CATALOGUE : p->catalogue->n_products;
    s = recommender_load(path, n, out, err);
    if (s == PF_OK) s = check_named(p, name, path, *out, err);
    if (s != PF_OK && *out != NULL) {
        recommender_free(*out);
        *out = NULL;
    }
    return s;
}

void learned_tell_broken(const pf_error *why)
{
    char words[ERROR_WORDS];
    log_line(LOG_WARNING,
             "a trained model cannot be used, so one is fitted now; "
             "`proffer train` writes it anew (%s)",
             error_describe(why, words, sizeof words));
}

static response_learner learner_of(const config *c)
{
    static const char *const names[] = {"auto", "logistic", "xgboost", "average"};
    for (int i = 0; i < 4; i++)
        if (!strcmp(c->learner, names[i])) return (response_learner)i;
    return RESPONSE_AUTO;
}

pf_status learned_data(learned *l, pf_error *err)
{
    return l->data ? PF_OK : response_data_new(&l->world, &l->data, err);
}

pf_status learned_fit(learned *l, int64_t until_us, uint64_t seed, pf_error *err)
{
    response_options o = response_options_default();
    o.learner = learner_of(l->p->config);
    o.seed = seed;
    response_free(l->model);
    l->model = NULL;
    pf_status s = learned_data(l, err);
    return s == PF_OK ? response_fit(l->data, until_us, &o, &l->model, err) : s;
}

pf_status learned_model(learned *l, int64_t at_us, pf_error *err)
{
    char path[WORKSPACE_PATH_BYTES];
    pf_status s = workspace_path(l->p, RESPONSE_MODEL_NAME, path, err);
    if (s == PF_OK) s = learned_data(l, err);
    if (s != PF_OK) return s;
    response_free(l->model);
    l->model = NULL;
    if (learned_card_fits(&l->p->data, l->p->config->learner, path, at_us)) {
        pf_error why = {.code = PF_OK};
        if (response_load(path, &l->model, &why) == PF_OK) return PF_OK;
        learned_tell_broken(&why);
    }
    log_line(LOG_DETAIL, "fitting a response model as of the moment decided about");
    return learned_fit(l, at_us, 1, err);
}

/* --- what recommenders know of products ------------------------------------------- */

pf_status learned_side(learned *l, product_side *out, pf_error *err)
{
    const proffer *p = l->p;
    const shop_catalogue *c = p->catalogue;
    pf_status s = workspace_words(l->p, err);
    if (s != PF_OK) return s;
    if (l->category == NULL)
        l->category = mem_alloc((size_t)c->n_products + 1, sizeof *l->category);
    if (l->category == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %u products",
                         c->n_products);
    for (uint32_t i = 0; i < c->n_products; i++)
        l->category[i] = c->products[i + 1].category;
    *out = (product_side){
        .category = l->category,
        .n_categories = c->n_categories + 1,
        .excluded = l->excluded + 1,
        .vectors = p->products.n > 0 ? p->products.rows : NULL,
        .dimension = p->products.dimension,
        .words = p->words,
    };
    return PF_OK;
}

bool learned_repeats(const proffer *p, const interactions_owned *x)
{
    if (!strcmp(p->config->repeats, "auto"))
        return interactions_repeat_share(&x->view) > INTERACTIONS_REPEATS_FROM;
    return !strcmp(p->config->repeats, "allow");
}
