/*
 * Feature rows are made anew from the snapshot; a model is read from its file only when
 * the file's card says that it knows these data and nothing after the moment asked about.
 * Otherwise it is fitted, which takes seconds and is always right.
 */
#include "engine/learned.h"

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

/* A card that cannot be read fits nothing. */
bool learned_card_fits(const fingerprint *data, const char *setting, const char *path,
                       int64_t at_us)
{
    char name[WORKSPACE_PATH_BYTES + 8], expected[FINGERPRINT_TEXT_BYTES];
    char *card = NULL;
    size_t n = 0;
    arena memory;
    const json_value *tree = NULL;
    int64_t until = INT64_MAX;
    bool fits = false;
    arena_init(&memory, LIMIT_JSON_BYTES);
    fingerprint_format(data, expected);
    if (file_join_path(name, sizeof name, "", path, NULL) == PF_OK &&
        strlen(name) + 6 < sizeof name) {
        memcpy(name + strlen(name), ".json", 6);
        if (file_read_whole(&card, &n, name, LIMIT_JSON_BYTES, NULL) == PF_OK &&
            json_parse(&memory, card, n, &tree, NULL) == PF_OK) {
            const json_value *known = json_member(tree, "data");
            const json_value *moment = json_member(tree, "until_us");
            const json_value *asked = json_member(tree, "setting");
            fits = known != NULL && text_is(known->text, expected) && moment != NULL &&
                   text_to_i64(moment->text, &until) && until <= at_us && asked != NULL &&
                   text_is(asked->text, setting);
        }
    }
    mem_free(card);
    arena_free(&memory);
    return fits;
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

bool learned_repeats(const proffer *p, const purchases *x)
{
    if (!strcmp(p->config->repeats, "auto"))
        return interactions_repeat_share(&x->data) > INTERACTIONS_REPEATS_FROM;
    return !strcmp(p->config->repeats, "allow");
}
