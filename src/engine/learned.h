/*
 * What a workspace has learned, as the verbs use it: the response world, its feature rows,
 * a model as of a moment, and the products that are never ranked.
 */
#ifndef PROFFER_ENGINE_LEARNED_H
#define PROFFER_ENGINE_LEARNED_H

#include "engine/workspace.h"
#include "recommend/from_history.h"
#include "recommend/recommend.h"
#include "response/response.h"

typedef struct learned {
    proffer *p;
    bool *excluded;     /* [products + 1]; from [1] on by recommenders' numbers */
    uint32_t *category; /* [products] of learned_side; NULL until then */
    response_world world;
    response_data *data;   /* NULL until somebody needs it */
    response_model *model; /* NULL until learned_model */
} learned;

/* Needs a snapshot; vectors are used where there is an encoder. On failure *l is empty. */
pf_status learned_open(learned *l, proffer *p, pf_error *err);
/* Which products are never ranked, as configured: [products + 1] by number, freed with
 * mem_free. Needs a snapshot. */
pf_status learned_excluded(const proffer *p, bool **out, pf_error *err);
/* What the shop's own recommender was asked for: recommend.repeats and recommend.training,
 * "auto" or "auto width=32". A model of another one is stale. */
enum { LEARNED_SETTING_BYTES = 1024 };
void learned_setting(const config *c, char into[LEARNED_SETTING_BYTES]);
/* Whether the card beside a saved model says that it was trained on these very data, knows
 * nothing at or after the moment and was asked for by the same setting (response.learner,
 * learned_setting). */
bool learned_card_fits(const fingerprint *data, const char *setting, const char *path,
                       int64_t at_us);
/* A fingerprint of the ids of the catalogue's first n products, in their order: what tells
 * whether a model's numbers of products mean the same ones. */
void learned_catalogue(const shop_catalogue *c, uint32_t n,
                       char into[FINGERPRINT_TEXT_BYTES]);
/* The recommender `proffer train --model NAME` saved. grown: products may have been added to the
 * catalogue since. PF_NOT_FOUND; PF_DATA when it is another model's file, of another
 * catalogue by its card, or damaged. */
pf_status learned_named(const proffer *p, const char *name, bool grown, recommender **out,
                        pf_error *err);
/* Warns that a model's file, though its card fits, could not be read. */
void learned_tell_broken(const pf_error *why);
/* A model that knows only campaigns ended before at_us: the one `proffer train` saved if it
 * was trained on these data and on nothing later, else one fitted now. */
pf_status learned_model(learned *l, int64_t at_us, pf_error *err);
/* Makes l->data if it is not there yet. PF_DATA where there are no past campaigns. */
pf_status learned_data(learned *l, pf_error *err);
/* Fits one as of a moment, whatever was saved. PF_DATA where there are no past campaigns. */
pf_status learned_fit(learned *l, int64_t until_us, uint64_t seed, pf_error *err);
/* What recommenders may know of products beside who bought them; borrows from l and the
 * workspace. */
pf_status learned_side(learned *l, product_side *out, pf_error *err);
/* Whether products already bought may be recommended: as configured, or as the data ask. */
bool learned_repeats(const proffer *p, const interactions_owned *x);
void learned_close(learned *l);

/* Where the trained response model is kept, in the workspace. */
#define RESPONSE_MODEL_NAME "models/response.safetensors"
#define BLEND_MODEL_NAME "models/recommend.safetensors"

#endif
