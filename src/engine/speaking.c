/* Frames, writer and the shopper's favourites, brought together. */
#include "engine/speaking.h"

#include "base/memory.h"

static pf_status load_frames(const proffer *p, frame_set **out, pf_error *err)
{
    char path[WORKSPACE_PATH_BYTES];
    pf_status s = frame_set_default(out, err);
    if (s == PF_OK && p->config->frames[0] != 0)
        s = workspace_path(p, p->config->frames, path, err);
    if (s == PF_OK && p->config->frames[0] != 0)
        s = frame_set_load(*out, path, err);
    return s;
}

/* The built-in sensitive words and the shop's own, over *words. */
static pf_status join_sensitive(const proffer *p, const char ***words, sensitive_list *out,
                                pf_error *err)
{
    const config *c = p->config;
    const sensitive_list built_in = sensitive_default();
    size_t n = 0;
    *words = mem_alloc((size_t)built_in.n + c->n_sensitive_categories + 1, sizeof **words);
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
    if (status == PF_OK)
        status = load_frames(p, &s->frames, err);
    if (status == PF_OK)
        status = message_writer_new(&s->writer, p->catalogue, s->frames, &settings, err);
    if (status == PF_OK)
        status = profile_scratch_new(p->catalogue, &s->scratch, err);
    if (status != PF_OK)
        speaker_close(s);
    return status;
}

void speaker_close(speaker *s)
{
    profile_scratch_free(s->scratch);
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

pf_status speaker_words(const speaker *s, uint32_t number, const decide_outcome *o,
                        int64_t at_us, message_language language, arena *memory,
                        const char **words, pf_error *err)
{
    profile known;
    profile_rules rules = profile_rules_default();
    uint32_t favourites[PROFILE_INTERESTS];
    uint32_t n = 0;
    message m;
    rules.zone = s->p->zone;
    pf_status status = profile_compute(s->p->catalogue, s->p->history, number, at_us, &rules,
                                       s->scratch, &known, err);
    if (status != PF_OK)
        return status;
    for (; n < PROFILE_INTERESTS && known.products[n].number != 0; n++)
        favourites[n] = known.products[n].number;
    message_request request = {
        .promotion = o->promotion,
        .channel = o->why.channel,
        .language = language,
        .variant = o->variant,
        .send_at_us = at_us,
        .zone = s->p->zone,
        .favourites = favourites,
        .n_favourites = n,
    };
    status = message_render(s->writer, &request, memory, &m, err);
    if (status != PF_OK)
        return status;
    *words = message_text(&m, memory);
    return *words ? PF_OK : error_set(err, PF_NO_MEMORY, "out of memory for a message");
}

void speaker_reason(const proffer *p, const reason_facts *why, buffer *into)
{
    reason_words words = {LANGUAGE_EN, p->catalogue, p->zone};
    reason_explain(why, &words, into);
}
