/*
 * Ratings as a sparse matrix whose rows are the side that has neighbours (shoppers, or
 * products), its transpose to find who rated a column, and all similarities of rows.
 */
#include "recommend/cf.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "recommend/sparse.h"

struct cf_model {
    cf_options options;
    sparse rows;        /* row x column -> rating */
    sparse columns;     /* its transpose */
    double *mean;       /* [rows] */
    double global_mean;
    float *similarity;  /* [rows x rows] */
};

cf_options cf_options_default(cf_side side, cf_similarity similarity)
{
    return (cf_options){.side = side, .similarity = similarity, .low = -INFINITY,
                        .high = INFINITY};
}

void cf_free(cf_model *m)
{
    if (m == NULL)
        return;
    sparse_free(&m->rows);
    sparse_free(&m->columns);
    mem_free(m->mean);
    mem_free(m->similarity);
    mem_free(m);
}

/* --- the matrix ------------------------------------------------------------------------------- */

/* Walks every shopper's ratings from the latest back; seen[product] holds the last shopper
 * (plus one) who was met there, so an overruled rating is passed over. */
static void visit_ratings(const interactions *x, bool by_user, uint32_t *seen,
                          sparse_counter *k, bool add)
{
    memset(seen, 0, x->n_products * sizeof *seen);
    for (uint32_t u = 0; u < x->n_users; u++)
        for (uint64_t i = x->first[u + 1]; i-- > x->first[u];) {
            uint32_t v = x->product[i];
            if (isnan(x->rating[i]) || seen[v] == u + 1)
                continue;
            seen[v] = u + 1;
            if (add)
                sparse_add(k, by_user ? u : v, by_user ? v : u, x->rating[i]);
            else
                sparse_count(k, by_user ? u : v);
        }
}

static pf_status build_matrices(cf_model *m, const interactions *x, pf_error *err)
{
    bool by_user = m->options.side == CF_USERS;
    sparse_counter k;
    uint32_t *seen = mem_alloc(x->n_products, sizeof *seen);
    if (seen == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %u products", x->n_products);
    sparse_count_begin(&k, by_user ? x->n_users : x->n_products,
                       by_user ? x->n_products : x->n_users);
    visit_ratings(x, by_user, seen, &k, false);
    sparse_fill_begin(&k);
    visit_ratings(x, by_user, seen, &k, true);
    mem_free(seen);
    pf_status s = sparse_finish(&k, &m->rows, err);
    if (s == PF_OK && m->rows.n == 0)
        s = error_set(err, PF_DATA, "there is no rating to learn from");
    return s == PF_OK ? sparse_transpose(&m->rows, &m->columns, err) : s;
}

/* --- means and similarities --------------------------------------------------------------------- */

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

/* Sums over what both rows rated. */
typedef struct common {
    double n, a, b, aa, bb, ab;
} common;

static common common_sums(const sparse *m, uint32_t p, uint32_t q)
{
    common c = {0};
    uint64_t i = m->start[p], j = m->start[q];
    while (i < m->start[p + 1] && j < m->start[q + 1]) {
        if (m->column[i] != m->column[j]) {
            m->column[i] < m->column[j] ? i++ : j++;
            continue;
        }
        double a = (double)m->value[i++], b = (double)m->value[j++];
        c.n += 1;
        c.a += a;
        c.b += b;
        c.aa += a * a;
        c.bb += b * b;
        c.ab += a * b;
    }
    return c;
}

static double cosine(common c)
{
    double norm = sqrt(c.aa * c.bb);
    return norm > 0 ? c.ab / norm : 0;
}

static double pearson(common c)
{
    double norm = sqrt((c.n * c.aa - c.a * c.a) * (c.n * c.bb - c.b * c.b));
    return norm > 0 ? (c.n * c.ab - c.a * c.b) / norm : 0;
}

static void fill_similarities(cf_model *m)
{
    size_t n = m->rows.rows;
    for (uint32_t p = 0; p < n; p++)
        for (uint32_t q = p; q < n; q++) {
            common c = common_sums(&m->rows, p, q);
            double sim = m->options.similarity == CF_COSINE ? cosine(c) : pearson(c);
            m->similarity[p * n + q] = m->similarity[q * n + p] = (float)sim;
        }
}

static pf_status check(const interactions *x, const cf_options *o, pf_error *err)
{
    uint32_t rows = o->side == CF_USERS ? x->n_users : x->n_products;
    if (x->rating == NULL)
        return error_set(err, PF_DATA, "there are no ratings to learn from");
    if (rows > CF_MAX_ROWS)
        return error_set(err, PF_LIMIT,
                         "the textbook formula keeps all pairs of %u %s; at most %d fit: use "
                         "%s instead", rows, o->side == CF_USERS ? "shoppers" : "products",
                         CF_MAX_ROWS, o->side == CF_USERS ? "user-knn" : "item-knn");
    return PF_OK;
}

pf_status cf_fit(const interactions *train, const cf_options *options, cf_model **out,
                 pf_error *err)
{
    pf_status s = check(train, options, err);
    if (s != PF_OK)
        return s;
    cf_model *m = mem_alloc_zero(1, sizeof *m);
    if (m == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for ratings");
    m->options = *options;
    s = build_matrices(m, train, err);
    if (s == PF_OK) {
        size_t n = m->rows.rows;
        m->mean = mem_alloc(n, sizeof *m->mean);
        m->similarity = mem_alloc(n * n, sizeof *m->similarity);
        if (m->mean == NULL || m->similarity == NULL)
            s = error_set(err, PF_NO_MEMORY, "out of memory for %zu similarities", n * n);
    }
    if (s != PF_OK) {
        cf_free(m);
        return s;
    }
    fill_means(m);
    fill_similarities(m);
    *out = m;
    return PF_OK;
}

/* --- prediction ---------------------------------------------------------------------------------- */

double cf_similarity_of(const cf_model *m, uint32_t a, uint32_t b)
{
    return (double)m->similarity[(size_t)a * m->rows.rows + b];
}

/* The neighbours' similarity below which one does not enter, so that just the most similar
 * `neighbours` do: found by counting how many are larger. Ties enter together up to the
 * wanted number, in the order of rows. */
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

static double clip(const cf_model *m, double rating)
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
        if (other == row || (m->options.positive_only && sim <= 0))
            continue;
        if (!all && rank_of(m, row, column, i) >= m->options.neighbours)
            continue;
        above += sim * ((double)m->columns.value[i] - m->mean[other]);
        below += fabs(sim);
    }
    return clip(m, m->mean[row] + (below > 0 ? above / below : 0));
}
