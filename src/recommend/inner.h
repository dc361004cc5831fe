/* How one recommender holds another: what the blend needs of recommend.c. */
#ifndef PROFFER_RECOMMEND_INNER_H
#define PROFFER_RECOMMEND_INNER_H

#include "recommend/recommend.h"

/* Adds the model to a file that is being written, under the writer's scope. What it adds
 * is borrowed until the commit. */
pf_status recommender_put(const recommender *m, safetensors_writer *file, pf_error *err);
/* And back, from a file or a view of one scope of it. */
pf_status recommender_take(const safetensors *file, uint32_t n_products,
                           recommender **out, pf_error *err);

/* Floats of scratch that recommender_score needs. */
size_t recommender_scratch_floats(const recommender *m);
const void *recommender_state(const recommender *m);

#endif
