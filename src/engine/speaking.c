/* Frames, writer and the shopper's favourites, brought together. */
#include "engine/speaking.h"

#include <string.h>

#include "base/memory.h"
#include "decide/what_if.h"

/* So many are offered to the writer, which names fewer: some may be sensitive. */
enum { FAVOURITES = 12 };

static pf_status load_frames(const proffer *p, frame_set **out, pf_error *err)
{
    char path[WORKSPACE_PATH_BYTES];
    pf_status s = frame_set_default(out, err);
    if (s == PF_OK && p->config->frames[0] != 0)
        s = workspace_path(p, p->config->frames, path, err);
    if (s == PF_OK && p->config->frames[0] != 0) s = frame_set_load(*out, path, err);
    return s;
}

/* The built-in sensitive words and the shop's own, over *words. */
static pf_status join_sensitive(const proffer *p, const char ***words,
                                sensitive_list *out, pf_error *err)
{
    const config *c = p->config;
    const sensitive_list built_in = sensitive_default();
    size_t n = 0;
    *words =
        mem_alloc((size_t)built_in.n + c->n_sensitive_categories + 1, sizeof **words);
    if (*words == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for sensitive words");
    for (uint32_t i = 0; i < built_in.n; i++)
        (*words)[n++] = built_in.words[i];
    for (uint32_t i = 0; i < c->n_sensitive_categories; i++)
        if (c->sensitive_categories[i][0] != 0)
            (*words)[n++] = c->sensitive_categories[i];
    *out = (sensitive_list){*words, (uint32_t)n};
    return PF_OK;
}

pf_status speaker_open(speaker *s, const proffer *p, pf_error *err)
{
    message_settings settings = message_settings_default();
    *s = (speaker){.p = p};
    settings.shop = p->config->shop_name;
    pf_status status = join_sensitive(p, &s->sensitive, &settings.sensitive, err);
    if (status == PF_OK) status = load_frames(p, &s->frames, err);
    if (status == PF_OK)
        status = message_writer_new(&s->writer, p->catalogue, s->frames, &settings, err);
    if (status != PF_OK) speaker_close(s);
    return status;
}

void speaker_close(speaker *s)
{
    message_writer_free(s->writer);
    frame_set_free(s->frames);
    mem_free(s->sensitive);
    *s = (speaker){.p = s->p};
}

message_language speaker_language(const speaker *s, uint32_t number)
{
    message_language shop = language_of(s->p->config->shop_language, LANGUAGE_EN);
    return language_of(s->p->catalogue->shoppers[number].language, shop);
}

/* Equal titles (one thing in two sizes) are named once. */
static uint32_t drop_equal_titles(const shop_catalogue *c, uint32_t *list, uint32_t n)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < n; i++) {
        bool seen = false;
        for (uint32_t k = 0; k < left && !seen; k++)
            seen = !strcmp(c->products[list[k]].title, c->products[list[i]].title);
        if (!seen) list[left++] = list[i];
    }
    return left;
}

pf_status speaker_words(const speaker *s, uint32_t number, const decide_outcome *o,
                        int64_t at_us, message_language language, arena *memory,
                        const char **words, pf_error *err)
{
    const shop_catalogue *c = s->p->catalogue;
    uint32_t favourites[FAVOURITES];
    uint32_t n = 0;
    message m;
    pf_status status = profile_scope_favourites(
        s->p->history, &c->promotions[o->promotion], number, at_us,
        profile_rules_default().half_life_days, favourites, FAVOURITES, &n, err);
    if (status != PF_OK) return status;
    message_request request = {
        .promotion = o->promotion,
        .channel = o->why.channel,
        .language = language,
        .variant = o->variant,
        .send_at_us = at_us,
        .zone = s->p->zone,
        .favourites = favourites,
        .n_favourites = drop_equal_titles(c, favourites, n),
    };
    status = message_render(s->writer, &request, memory, &m, err);
    if (status != PF_OK) return status;
    *words = message_text(&m, memory);
    return *words ? PF_OK : error_set(err, PF_NO_MEMORY, "out of memory for a message");
}

void speaker_reason(const proffer *p, const reason_facts *why, buffer *into)
{
    reason_words words = {LANGUAGE_EN, p->catalogue, p->zone};
    reason_explain(why, &words, into);
}

void speaker_counterfactual(const proffer *p, const reason_facts *why, buffer *into)
{
    reason_words words = {LANGUAGE_EN, p->catalogue, p->zone};
    reason_counterfactual(why, &words, into);
}
