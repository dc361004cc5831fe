/*
 * Collaborative filtering on ratings (cf.h) as recommenders: products in the order of the
 * rating that the textbook predicts. What the shopper rated is taken from the query, or,
 * where that has no ratings, from the training data if he is in them. A shopper who rated
 * nothing at all gets the products' mean ratings.
 *
 * user-cf: Pearson's correlation over what two shoppers both rated, worked out anew for
 * whoever asks, so that a later rating counts. item-cf: cosine over who rated both
 * products. All neighbours enter, of either sign.
 */
#include <math.h>

#include "recommend/cf_model.h"
#include "recommend/kinds.h"
#include "recommend/scratch.h"

static cf_options options_of(cf_side side)
{
    return cf_options_default(side, side == CF_USERS ? CF_PEARSON : CF_COSINE);
}

static pf_status fit(const recommend_input *input, cf_side side, void **state,
                     pf_error *err)
{
    cf_options o = options_of(side);
    cf_model *m = NULL;
    if (input->train->rating == NULL)
        return error_set(err, PF_UNAVAILABLE, "the data carry no ratings");
    pf_status s = cf_fit(input->train, &o, &m, err);
    if (s == PF_OK) *state = m;
    return s;
}

static pf_status fit_users(const recommend_input *input, void **state, pf_error *err)
{
    return fit(input, CF_USERS, state, err);
}

static pf_status fit_items(const recommend_input *input, void **state, pf_error *err)
{
    return fit(input, CF_ITEMS, state, err);
}

/* ---- what the asker rated ---- */

/* rated[product] = rating, NaN where there is none; the last rating of a product counts.
 * Returns how many there are. */
static uint32_t ratings_of(const recommend_query *q, const sparse *by_user,
                           uint32_t n_products, float *rated)
{
    uint32_t n = 0;
    for (uint32_t v = 0; v < n_products; v++)
        rated[v] = NAN;
    for (size_t i = 0; q->rating && i < q->n; i++) {
        if (isnan(q->rating[i])) continue;
        n += isnan(rated[q->product[i]]) != 0;
        rated[q->product[i]] = q->rating[i];
    }
    if (q->rating != NULL || q->user >= by_user->rows) return n;
    for (uint64_t i = by_user->start[q->user]; i < by_user->start[q->user + 1]; i++, n++)
        rated[by_user->column[i]] = by_user->value[i];
    return n;
}

static double mean_of(const float *rated, uint32_t n_products, uint32_t n)
{
    double sum = 0;
    for (uint32_t v = 0; v < n_products; v++)
        sum += isnan(rated[v]) ? 0 : (double)rated[v];
    return sum / n;
}

static double mean_of_column(const cf_model *m, uint32_t v)
{
    double sum = 0;
    uint64_t from = m->columns.start[v], to = m->columns.start[v + 1];
    for (uint64_t i = from; i < to; i++)
        sum += (double)m->columns.value[i];
    return to > from ? sum / (double)(to - from) : m->global_mean;
}

/* ---- by shoppers ---- */

static double similarity_to(const cf_model *m, const float *rated, uint32_t u)
{
    cf_common c = {0};
    for (uint64_t i = m->rows.start[u]; i < m->rows.start[u + 1]; i++) {
        double own = (double)rated[m->rows.column[i]];
        if (!isnan(own)) cf_common_add(&c, own, (double)m->rows.value[i]);
    }
    return cf_similarity_from(m->options.similarity, &c);
}

static void score_users(const void *state, const recommend_query *query, float *scores,
                        recommend_scratch *scratch)
{
    const cf_model *m = state;
    uint32_t V = m->columns.rows, U = m->rows.rows;
    recommend_scratch rest = *scratch;
    float *rated = recommend_scratch_take(&rest, V);
    float *similarity = recommend_scratch_take(&rest, U);
    uint32_t n = ratings_of(query, &m->rows, V, rated);
    double mean = n ? mean_of(rated, V, n) : 0;
    for (uint32_t u = 0; u < U && n > 0; u++)
        similarity[u] = u == query->user ? 0 : (float)similarity_to(m, rated, u);
    for (uint32_t v = 0; v < V; v++) {
        double above = 0, below = 0;
        uint64_t from = m->columns.start[v], to = m->columns.start[v + 1];
        for (uint64_t i = from; i < to && n > 0; i++) {
            uint32_t u = m->columns.column[i];
            above += (double)similarity[u] * ((double)m->columns.value[i] - m->mean[u]);
            below += fabs((double)similarity[u]);
        }
        double rating = n && to > from
                            ? cf_clip(m, mean + (below > 0 ? above / below : 0))
                        : n ? m->global_mean
                            : mean_of_column(m, v);
        scores[v] = (float)rating;
    }
}

/* ---- by products ---- */

static void score_items(const void *state, const recommend_query *query, float *scores,
                        recommend_scratch *scratch)
{
    const cf_model *m = state;
    uint32_t V = m->rows.rows;
    float *rated = scratch->floats;
    uint32_t n = ratings_of(query, &m->columns, V, rated);
    for (uint32_t v = 0; v < V; v++) {
        double above = 0, below = 0;
        bool known = m->rows.start[v + 1] > m->rows.start[v];
        for (uint32_t j = 0; j < V && known && n > 0; j++) {
            if (isnan(rated[j]) || j == v) continue;
            double sim = cf_similarity_of(m, v, j);
            above += sim * ((double)rated[j] - m->mean[j]);
            below += fabs(sim);
        }
        scores[v] = known
                        ? (float)cf_clip(m, m->mean[v] + (below > 0 ? above / below : 0))
                        : (float)m->global_mean;
    }
}

static size_t scratch_floats(const void *state)
{
    const cf_model *m = state;
    return recommend_scratch_room(m->columns.rows) + recommend_scratch_room(m->rows.rows);
}

/* ---- files: the ratings alone; the rest follows from them ---- */

static pf_status save(const void *state, safetensors_writer *file, pf_error *err)
{
    const cf_model *m = state;
    const uint64_t one = 1;
    pf_status s =
        safetensors_add(file, "n_columns", TENSOR_U32, &m->rows.columns, 1, &one, err);
    return s == PF_OK ? sparse_save(&m->rows, "ratings", file, err) : s;
}

/* Rows of the file: as many as its starts say, less one. */
static pf_status read_size(const safetensors *file, uint32_t *rows, uint32_t *columns,
                           pf_error *err)
{
    const tensor_view *start = NULL, *across = NULL;
    pf_status s = safetensors_find(file, "ratings.start", TENSOR_U64, 1, 0, &start, err);
    if (s == PF_OK)
        s = safetensors_find(file, "n_columns", TENSOR_U32, 1, 1, &across, err);
    if (s != PF_OK) return s;
    *columns = *(const uint32_t *)across->data;
    if (start->count < 2 || start->count > CF_MAX_ROWS + 1 || *columns == 0 ||
        *columns > CF_MAX_COLUMNS)
        return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                            "the number of shoppers or products is out of range; train "
                            "again");
    *rows = (uint32_t)(start->count - 1);
    return PF_OK;
}

static pf_status load(const safetensors *file, cf_side side, uint32_t n_products,
                      void **state, pf_error *err)
{
    cf_options o = options_of(side);
    cf_model *m = NULL;
    sparse ratings = {0};
    uint32_t rows = 0, columns = 0;
    pf_status s = read_size(file, &rows, &columns, err);
    if (s != PF_OK) return s;
    if ((side == CF_ITEMS ? rows : columns) != n_products)
        return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                            "the ratings are of another number of products; train again");
    s = sparse_load(&ratings, "ratings", rows, columns, file, err);
    if (s == PF_OK) s = cf_from_rows(&ratings, &o, &m, err);
    if (s == PF_OK) *state = m;
    return s;
}

static pf_status load_users(const safetensors *file, uint32_t n_products, void **state,
                            pf_error *err)
{
    return load(file, CF_USERS, n_products, state, err);
}

static pf_status load_items(const safetensors *file, uint32_t n_products, void **state,
                            pf_error *err)
{
    return load(file, CF_ITEMS, n_products, state, err);
}

static void free_model(void *state)
{
    cf_free(state);
}

const recommender_kind user_cf_kind = {
    .name = "user-cf",
    .summary = "the rating predicted from shoppers who rate alike",
    .source = "Resnick et al. 1994, equation 1",
    .fit = fit_users,
    .score = score_users,
    .save = save,
    .load = load_users,
    .free = free_model,
    .scratch_floats = scratch_floats,
};

const recommender_kind item_cf_kind = {
    .name = "item-cf",
    .summary = "the rating predicted from products rated alike",
    .source = "Sarwar et al. 2001, section 3.2, around the products' means",
    .fit = fit_items,
    .score = score_items,
    .save = save,
    .load = load_items,
    .free = free_model,
    .scratch_floats = scratch_floats,
};
