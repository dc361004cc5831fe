/*
 * Ratings as a sparse matrix whose rows are the side that has neighbours (shoppers, or
 * products), its transpose to find who rated a column, and all similarities of rows.
 */
#include "recommend/cf.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "recommend/cf_model.h"

cf_options cf_options_default(cf_side side, cf_similarity similarity)
{
    return (cf_options){
        .side = side, .similarity = similarity, .low = -INFINITY, .high = INFINITY};
}

void cf_free(cf_model *m)
{
    if (m == NULL) return;
    sparse_free(&m->rows);
    sparse_free(&m->columns);
    mem_free(m->mean);
    mem_free(m->similarity);
    mem_free(m);
}

/* ---- the matrix ---- */

/* Walks every shopper's ratings from the latest back; seen[product] holds the last shopper
 * (plus one) who was met there, so an overruled rating is passed over. */
static void visit_ratings(const interactions *x, bool by_user, uint32_t *seen,
                          sparse_counter *k, bool add)
{
    memset(seen, 0, x->n_products * sizeof *seen);
    for (uint32_t u = 0; u < x->n_users; u++)
        for (uint64_t i = x->first[u + 1]; i-- > x->first[u];) {
            uint32_t v = x->product[i];
            if (isnan(x->rating[i]) || seen[v] == u + 1) continue;
            seen[v] = u + 1;
            if (add)
                sparse_add(k, by_user ? u : v, by_user ? v : u, x->rating[i]);
            else
                sparse_count(k, by_user ? u : v);
        }
}

static pf_status build_rows(sparse *out, cf_side side, const interactions *x,
                            pf_error *err)
{
    bool by_user = side == CF_USERS;
    sparse_counter k;
    uint32_t *seen = mem_alloc(x->n_products, sizeof *seen);
    if (seen == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %u products",
                         x->n_products);
    sparse_count_begin(&k, by_user ? x->n_users : x->n_products,
                       by_user ? x->n_products : x->n_users);
    visit_ratings(x, by_user, seen, &k, false);
    sparse_fill_begin(&k);
    visit_ratings(x, by_user, seen, &k, true);
    mem_free(seen);
    return sparse_finish(&k, out, err);
}

/* ---- means and similarities ---- */

static void fill_means(cf_model *m)
{
    double all = 0;
    double low = INFINITY, high = -INFINITY;
    for (uint32_t r = 0; r < m->rows.rows; r++) {
        double sum = 0;
        uint64_t n = m->rows.start[r + 1] - m->rows.start[r];
        for (uint64_t i = m->rows.start[r]; i < m->rows.start[r + 1]; i++) {
            double rating = (double)m->rows.value[i];
            sum += rating;
            low = fmin(low, rating);
            high = fmax(high, rating);
        }
        m->mean[r] = n ? sum / (double)n : 0;
        all += sum;
    }
    m->global_mean = all / (double)m->rows.n;
    m->options.low = fmax(m->options.low, low);
    m->options.high = fmin(m->options.high, high);
}

void cf_common_add(cf_common *c, double a, double b)
{
    c->n += 1;
    c->a += a;
    c->b += b;
    c->aa += a * a;
    c->bb += b * b;
    c->ab += a * b;
}

static cf_common common_sums(const sparse *m, uint32_t p, uint32_t q)
{
    cf_common c = {0};
    uint64_t i = m->start[p], j = m->start[q];
    while (i < m->start[p + 1] && j < m->start[q + 1]) {
        if (m->column[i] < m->column[j])
            i++;
        else if (m->column[i] > m->column[j])
            j++;
        else
            cf_common_add(&c, (double)m->value[i++], (double)m->value[j++]);
    }
    return c;
}

static double cosine(const cf_common *c)
{
    double norm = sqrt(c->aa * c->bb);
    return norm > 0 ? c->ab / norm : 0;
}

static double pearson(const cf_common *c)
{
    double norm = sqrt((c->n * c->aa - c->a * c->a) * (c->n * c->bb - c->b * c->b));
    return norm > 0 ? (c->n * c->ab - c->a * c->b) / norm : 0;
}

double cf_similarity_from(cf_similarity kind, const cf_common *c)
{
    return kind == CF_COSINE ? cosine(c) : pearson(c);
}

static void fill_similarities(cf_model *m)
{
    size_t n = m->rows.rows;
    for (uint32_t p = 0; p < n; p++)
        for (uint32_t q = p; q < n; q++) {
            cf_common c = common_sums(&m->rows, p, q);
            double sim = cf_similarity_from(m->options.similarity, &c);
            m->similarity[p * n + q] = m->similarity[q * n + p] = sim;
        }
}

static pf_status fill(cf_model *m, pf_error *err)
{
    size_t n = m->rows.rows;
    if (n > CF_MAX_ROWS)
        return error_set(
            err, PF_LIMIT,
            "the textbook formula keeps all pairs of %zu %s; at most %d fit: "
            "use %s instead",
            n, m->options.side == CF_USERS ? "shoppers" : "products", CF_MAX_ROWS,
            m->options.side == CF_USERS ? "user-knn" : "item-knn");
    if (m->rows.n == 0)
        return error_set(err, PF_DATA, "there is no rating to learn from");
    pf_status s = sparse_transpose(&m->rows, &m->columns, err);
    if (s != PF_OK) return s;
    m->mean = mem_alloc(n, sizeof *m->mean);
    m->similarity = mem_alloc(n * n, sizeof *m->similarity);
    if (m->mean == NULL || m->similarity == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu similarities", n * n);
    fill_means(m);
    fill_similarities(m);
    return PF_OK;
}

pf_status cf_from_rows(sparse *rows, const cf_options *options, cf_model **out,
                       pf_error *err)
{
    cf_model *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL) {
        sparse_free(rows);
        return error_set(err, PF_NO_MEMORY, "out of memory for ratings");
    }
    m->options = *options;
    m->rows = *rows;
    *rows = (sparse){0};
    pf_status s = fill(m, err);
    if (s != PF_OK)
        cf_free(m);
    else
        *out = m;
    return s;
}

pf_status cf_fit(const interactions *train, const cf_options *options, cf_model **out,
                 pf_error *err)
{
    sparse rows = {0};
    if (train->rating == NULL)
        return error_set(err, PF_DATA, "there are no ratings to learn from");
    pf_status s = build_rows(&rows, options->side, train, err);
    return s == PF_OK ? cf_from_rows(&rows, options, out, err) : s;
}

/* ---- prediction ---- */

double cf_similarity_of(const cf_model *m, uint32_t a, uint32_t b)
{
    return m->similarity[(size_t)a * m->rows.rows + b];
}

/* How many of those who rated the column are nearer to the row than the i-th is: equal
 * ones in the order of their numbers. Just those of rank below `neighbours` enter. */
static uint32_t rank_of(const cf_model *m, uint32_t row, uint32_t column, uint64_t i)
{
    double sim = cf_similarity_of(m, row, m->columns.column[i]);
    uint32_t rank = 0;
    for (uint64_t j = m->columns.start[column]; j < m->columns.start[column + 1]; j++) {
        double other = cf_similarity_of(m, row, m->columns.column[j]);
        rank += other > sim || (other == sim && j < i);
    }
    return rank;
}

double cf_clip(const cf_model *m, double rating)
{
    return fmin(fmax(rating, m->options.low), m->options.high);
}

double cf_predict(const cf_model *m, uint32_t user, uint32_t item)
{
    uint32_t row = m->options.side == CF_USERS ? user : item;
    uint32_t column = m->options.side == CF_USERS ? item : user;
    double above = 0, below = 0;
    if (row >= m->rows.rows || column >= m->columns.rows ||
        m->rows.start[row] == m->rows.start[row + 1] ||
        m->columns.start[column] == m->columns.start[column + 1])
        return m->global_mean;
    uint64_t from = m->columns.start[column], to = m->columns.start[column + 1];
    bool all = m->options.neighbours == 0 || to - from <= m->options.neighbours;
    for (uint64_t i = from; i < to; i++) {
        uint32_t other = m->columns.column[i];
        double sim = cf_similarity_of(m, row, other);
        if (other == row || (m->options.positive_only && sim <= 0)) continue;
        if (!all && rank_of(m, row, column, i) >= m->options.neighbours) continue;
        above += sim * ((double)m->columns.value[i] - m->mean[other]);
        below += fabs(sim);
    }
    return cf_clip(m, m->mean[row] + (below > 0 ? above / below : 0));
}
