/*
 * profile: what is known of a shopper at a moment, and, where there is an encoder, what
 * the texts of what was bought have in common: the products nearest to their centre.
 */
#include <string.h>

#include "base/memory.h"
#include "engine/workspace.h"
#include "features/profile.h"

enum { TASTE = 5, TASTE_DEPTH = 200 };

/* The titles nearest to the centre, each once. */
static void write_nearest(const proffer *p, const hit *hits, size_t n, json_writer *w)
{
    const product *items = p->catalogue->products + 1;
    size_t written = 0;
    for (size_t i = 0; i < n && written < TASTE; i++) {
        bool seen = items[hits[i].item].title[0] == 0;
        for (size_t k = 0; k < i && !seen; k++)
            seen = !strcmp(items[hits[k].item].title, items[hits[i].item].title);
        if (seen) continue;
        json_text(w, items[hits[i].item].title);
        written++;
    }
}

/* Member "taste": nothing is bought, or there is no encoder: an empty list. */
static pf_status write_taste(proffer *p, uint32_t number, int64_t at_us, json_writer *w,
                             pf_error *err)
{
    hit hits[TASTE_DEPTH];
    size_t n = 0;
    pf_status s = workspace_encoder(p, NULL) == PF_OK ? workspace_vectors(p, err) : PF_OK;
    if (s != PF_OK) return s;
    size_t dimension = p->products.dimension;
    float *centre = dimension ? mem_alloc(dimension, sizeof *centre) : NULL;
    if (dimension > 0 && centre == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for a profile");
    if (dimension > 0 && profile_centroid(p->history, number, at_us,
                                          profile_rules_default().half_life_days,
                                          p->products.rows, dimension, centre))
        n = vectors_nearest(&p->products, centre, TASTE_DEPTH, hits);
    json_key(w, "taste");
    json_array_begin(w);
    write_nearest(p, hits, n, w);
    json_array_end(w);
    mem_free(centre);
    return PF_OK;
}

static pf_status write_profile(proffer *p, const profile *found, char **json,
                               pf_error *err)
{
    verb_result r;
    verb_begin(&r);
    json_object_begin(&r.w);
    profile_write_members(found, p->catalogue, p->history, &r.w);
    pf_status s = write_taste(p, found->shopper, found->at_us, &r.w, err);
    json_object_end(&r.w);
    if (s == PF_OK) return verb_end(&r, json, err);
    buffer_free(&r.text);
    return s;
}

proffer_status proffer_profile(proffer *p, const char *id, const char *at, char **json,
                               proffer_error *err)
{
    profile found;
    profile_scratch *scratch = NULL;
    profile_rules rules = profile_rules_default();
    uint32_t number = 0;
    int64_t at_us = 0;
    *json = NULL;
    pf_status s = workspace_snapshot(p, inner(err));
    if (s == PF_OK) s = workspace_shopper(p, id, &number, inner(err));
    if (s == PF_OK)
        s = workspace_time(p, at, p->history->last_time_us + 1, &at_us, inner(err));
    if (s == PF_OK) s = profile_scratch_new(p->catalogue, &scratch, inner(err));
    rules.zone = p->zone;
    if (s == PF_OK)
        s = profile_compute(p->catalogue, p->history, number, at_us, &rules, scratch,
                            &found, inner(err));
    if (s == PF_OK) s = write_profile(p, &found, json, inner(err));
    profile_scratch_free(scratch);
    return (proffer_status)s;
}
