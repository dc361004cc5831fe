/*
 * The fitted lexical model; formulas in lexical.h. Two views of one table of term counts:
 *
 *     rows      for each document its terms, ascending, and TF-IDF weights
 *     postings  for each term its documents, ascending, and the (weighted) counts
 */
#include "language/lexical.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/intern.h"
#include "base/limits.h"
#include "base/memory.h"
#include "language/words.h"

/* A document's own count of a term. */
typedef struct term_count {
    uint32_t term;
    float count;
} term_count;

typedef struct posting {
    uint32_t document;
    float count;
} posting;

struct lexical {
    lexical_options options;
    intern *names;      /* number in the table = term + 1, before terms are left out */
    uint32_t *renumber; /* from names' number to term; UINT32_MAX: left out */
    uint32_t *name_of;  /* and back */
    size_t documents, terms;
    size_t *row_begins; /* documents + 1 */
    uint32_t *row_terms;
    float *row_weights;
    size_t *posting_begins; /* terms + 1 */
    posting *postings;
    float *lengths; /* of documents: their weighted words */
    float *norms;   /* of documents: TF-IDF length before it became 1 */
    double mean_length;
};

lexical_options lexical_defaults(void)
{
    return (lexical_options){.k1 = 1.2F, .b = 0.75F, .minimum_documents = 1};
}

/* ---- counting the terms of one document ---- */

typedef struct counting {
    intern *names;
    bool learn; /* new terms get a number; otherwise they are passed over */
    bool failed;
    float weight;
    term_count *counts;
    size_t n, capacity;
} counting;

static bool count_term(counting *c, const char *term, size_t n)
{
    const uint32_t number =
        c->learn ? intern_add(c->names, term, n) : intern_find(c->names, term, n);
    if (number == 0) return !(c->failed = c->learn);
    if (!mem_reserve((void **)&c->counts, &c->capacity, c->n + 1, sizeof *c->counts))
        return !(c->failed = true);
    c->counts[c->n++] = (term_count){number - 1, c->weight};
    return true;
}

static bool count_word(void *context, const char *word, size_t n)
{
    return count_term(context, word, n);
}

/* A part of a list as one term: '=' and its words, with a space between. */
typedef struct part {
    char term[4 * WORD_BYTES];
    size_t n;
} part;

static bool extend_part(void *context, const char *word, size_t n)
{
    part *p = context;
    if (p->n + 1 + n > sizeof p->term) return false;
    p->term[p->n] = p->n == 0 ? '=' : ' ';
    p->n++;
    memcpy(p->term + p->n, word, n);
    p->n += n;
    return true;
}

static bool count_parts(counting *c, const lexical_field *f)
{
    const char *p = f->text.data, *end = p + f->text.n;
    while (p < end) {
        const char *stop = memchr(p, f->separator, (size_t)(end - p));
        if (!stop) stop = end;
        part term = {.n = 0};
        words_of((text){p, (size_t)(stop - p)}, extend_part, &term);
        if (term.n > 0 && !count_term(c, term.term, term.n)) return false;
        p = stop + 1;
    }
    return true;
}

static int by_term(const void *a, const void *b)
{
    const uint32_t x = ((const term_count *)a)->term, y = ((const term_count *)b)->term;
    return (x > y) - (x < y);
}

/* Equal terms become one. */
static void merge_counts(counting *c)
{
    size_t kept = 0;
    if (c->n > 1) qsort(c->counts, c->n, sizeof *c->counts, by_term);
    for (size_t i = 0; i < c->n; i++) {
        if (kept > 0 && c->counts[kept - 1].term == c->counts[i].term)
            c->counts[kept - 1].count += c->counts[i].count;
        else
            c->counts[kept++] = c->counts[i];
    }
    c->n = kept;
}

/* Fills c->counts with the document's terms; false when memory or numbers ran out. */
static bool count_document(counting *c, const lexical_document *d)
{
    c->n = 0;
    for (size_t i = 0; i < d->n; i++) {
        c->weight = d->fields[i].weight;
        if (!words_of(d->fields[i].text, count_word, c)) return false;
        if (d->fields[i].separator && !count_parts(c, &d->fields[i])) return false;
    }
    merge_counts(c);
    return true;
}

/* ---- fitting ---- */

static pf_status no_memory(pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "no memory for the lexical model");
}

static pf_status check_input(size_t n, const lexical_document *documents,
                             const lexical_options *o, pf_error *err)
{
    if (!(o->k1 >= 0 && o->k1 <= 100) || !(o->b >= 0 && o->b <= 1))
        return error_set(err, PF_USAGE, "BM25 needs 0 <= k1 <= 100 and 0 <= b <= 1");
    if (n > LIMIT_VECTORS)
        return error_set(err, PF_LIMIT, "%zu documents, at most %u fit a lexical model",
                         n, LIMIT_VECTORS);
    for (size_t d = 0; d < n; d++)
        for (size_t i = 0; i < documents[d].n; i++)
            if (!(documents[d].fields[i].weight > 0 &&
                  documents[d].fields[i].weight <= 1000))
                return error_set(err, PF_USAGE, "a field's weight must lie in (0, 1000]");
    return PF_OK;
}

/* The counts of all documents in one list, row after row. */
typedef struct table {
    term_count *counts;
    size_t n, capacity;
} table;

static pf_status count_all(lexical *l, const lexical_document *documents, table *t,
                           pf_error *err)
{
    counting c = {.names = l->names, .learn = true};
    pf_status status = PF_OK;
    for (size_t d = 0; d < l->documents && status == PF_OK; d++) {
        if (!count_document(&c, &documents[d]))
            status = intern_count(l->names) >= LIMIT_LEXICAL_TERMS
                         ? error_set(err, PF_LIMIT, "more than %u different terms",
                                     LIMIT_LEXICAL_TERMS)
                         : no_memory(err);
        else if (t->n + c.n > LIMIT_LEXICAL_POSTINGS)
            status = error_set(err, PF_LIMIT, "more than %u terms in all documents",
                               LIMIT_LEXICAL_POSTINGS);
        else if (!mem_reserve((void **)&t->counts, &t->capacity, t->n + c.n + 1,
                              sizeof *t->counts))
            status = no_memory(err);
        if (status == PF_OK && c.n > 0)
            memcpy(t->counts + t->n, c.counts, c.n * sizeof *c.counts);
        t->n += c.n;
        l->row_begins[d + 1] = t->n;
    }
    mem_free(c.counts);
    return status;
}

/* Numbers the terms that enough documents have, in the order they were first met; drops
 * the others from the table. frequency: one count a name. */
static void renumber_terms(lexical *l, table *t, uint32_t *frequency)
{
    const size_t names = intern_count(l->names);
    for (size_t i = 0; i < t->n; i++)
        frequency[t->counts[i].term]++;
    for (size_t name = 0; name < names; name++) {
        const bool kept = frequency[name] >= l->options.minimum_documents;
        l->renumber[name] = kept ? (uint32_t)l->terms : UINT32_MAX;
        if (kept) l->name_of[l->terms++] = (uint32_t)name;
    }
    size_t kept = 0, i = 0;
    for (size_t d = 0; d < l->documents; d++) {
        for (; i < l->row_begins[d + 1]; i++) {
            t->counts[kept] = t->counts[i];
            t->counts[kept].term = l->renumber[t->counts[i].term];
            kept += t->counts[kept].term != UINT32_MAX;
        }
        l->row_begins[d + 1] = kept;
    }
    t->n = kept;
}

/* posting_begins and postings from the table's rows; next: one place a term. */
static void invert(lexical *l, const table *t)
{
    size_t *begins = l->posting_begins;
    for (size_t i = 0; i < t->n; i++)
        begins[t->counts[i].term + 1]++;
    for (size_t term = 0; term < l->terms; term++)
        begins[term + 1] += begins[term];
    for (size_t d = 0; d < l->documents; d++)
        for (size_t i = l->row_begins[d]; i < l->row_begins[d + 1]; i++)
            l->postings[begins[t->counts[i].term]++] =
                (posting){(uint32_t)d, t->counts[i].count};
    for (size_t term = l->terms; term > 0; term--)
        begins[term] = begins[term - 1];
    begins[0] = 0;
}

static size_t document_frequency(const lexical *l, uint32_t term)
{
    return l->posting_begins[term + 1] - l->posting_begins[term];
}

/* The two factors of TF-IDF. */
static double tf_factor(float count)
{
    return count > 1 ? 1 + log((double)count) : 1;
}

static double idf_factor(const lexical *l, uint32_t term)
{
    const double df = (double)document_frequency(l, term), N = (double)l->documents;
    return 1 + log((1 + N) / (1 + df));
}

static void weigh_rows(lexical *l, const table *t)
{
    double total = 0;
    for (size_t d = 0; d < l->documents; d++) {
        double length = 0, square = 0;
        for (size_t i = l->row_begins[d]; i < l->row_begins[d + 1]; i++) {
            const double w =
                tf_factor(t->counts[i].count) * idf_factor(l, t->counts[i].term);
            l->row_terms[i] = t->counts[i].term;
            l->row_weights[i] = (float)w;
            length += (double)t->counts[i].count;
            square += w * w;
        }
        l->lengths[d] = (float)length;
        l->norms[d] = (float)sqrt(square);
        total += length;
        for (size_t i = l->row_begins[d]; i < l->row_begins[d + 1]; i++)
            l->row_weights[i] /= l->norms[d];
    }
    l->mean_length = l->documents > 0 && total > 0 ? total / (double)l->documents : 1;
}

/* Arrays of at least one element, so that an empty model needs no cases of its own. */
static bool allocate_terms(lexical *l, const table *t)
{
    const size_t names = intern_count(l->names) + 1;
    l->renumber = mem_alloc(names, sizeof *l->renumber);
    l->name_of = mem_alloc(names, sizeof *l->name_of);
    l->posting_begins = mem_alloc_zero(names + 1, sizeof *l->posting_begins);
    l->postings = mem_alloc(t->n + 1, sizeof *l->postings);
    l->row_terms = mem_alloc(t->n + 1, sizeof *l->row_terms);
    l->row_weights = mem_alloc(t->n + 1, sizeof *l->row_weights);
    l->lengths = mem_alloc(l->documents + 1, sizeof *l->lengths);
    l->norms = mem_alloc(l->documents + 1, sizeof *l->norms);
    return l->renumber && l->name_of && l->posting_begins && l->postings &&
           l->row_terms && l->row_weights && l->lengths && l->norms;
}

static pf_status fit(lexical *l, const lexical_document *documents, pf_error *err)
{
    table t = {0};
    uint32_t *frequency = NULL;
    l->names = intern_new(LIMIT_LEXICAL_TERMS);
    l->row_begins = mem_alloc_zero(l->documents + 1, sizeof *l->row_begins);
    pf_status status = l->names && l->row_begins ? PF_OK : no_memory(err);
    if (status == PF_OK) status = count_all(l, documents, &t, err);
    if (status == PF_OK)
        frequency = mem_alloc_zero((size_t)intern_count(l->names) + 1, sizeof *frequency);
    if (status == PF_OK && (!frequency || !allocate_terms(l, &t)))
        status = no_memory(err);
    if (status == PF_OK) {
        renumber_terms(l, &t, frequency);
        invert(l, &t);
        weigh_rows(l, &t);
    }
    mem_free(frequency);
    mem_free(t.counts);
    return status;
}

pf_status lexical_fit(lexical **out, size_t n, const lexical_document *documents,
                      const lexical_options *options, pf_error *err)
{
    const lexical_options chosen = options ? *options : lexical_defaults();
    *out = NULL;
    pf_status status = check_input(n, documents, &chosen, err);
    if (status != PF_OK) return status;
    lexical *l = mem_alloc_zero(1, sizeof *l);
    if (!l) return no_memory(err);
    l->options = chosen;
    l->documents = n;
    status = fit(l, documents, err);
    if (status == PF_OK)
        *out = l;
    else
        lexical_free(l);
    return status;
}

void lexical_free(lexical *l)
{
    if (!l) return;
    intern_free(l->names);
    mem_free(l->renumber);
    mem_free(l->name_of);
    mem_free(l->row_begins);
    mem_free(l->row_terms);
    mem_free(l->row_weights);
    mem_free(l->posting_begins);
    mem_free(l->postings);
    mem_free(l->lengths);
    mem_free(l->norms);
    mem_free(l);
}

/* ---- reading ---- */

size_t lexical_documents(const lexical *l)
{
    return l->documents;
}

size_t lexical_terms(const lexical *l)
{
    return l->terms;
}

const char *lexical_term(const lexical *l, uint32_t term)
{
    return intern_text(l->names, l->name_of[term] + 1);
}

sparse_vector lexical_vector(const lexical *l, size_t document)
{
    const size_t begin = l->row_begins[document];
    return (sparse_vector){l->row_terms + begin, l->row_weights + begin,
                           l->row_begins[document + 1] - begin};
}

double sparse_dot(sparse_vector a, sparse_vector b)
{
    double sum = 0;
    for (size_t i = 0, j = 0; i < a.n && j < b.n;) {
        if (a.terms[i] == b.terms[j])
            sum += (double)a.weights[i++] * (double)b.weights[j++];
        else if (a.terms[i] < b.terms[j])
            i++;
        else
            j++;
    }
    return sum;
}

/* The document's terms under the model's own numbers; those it does not know are gone. */
static bool known_counts(const lexical *l, counting *c, const lexical_document *d)
{
    c->names = l->names;
    if (!count_document(c, d)) return false;
    size_t kept = 0;
    for (size_t i = 0; i < c->n; i++) {
        const uint32_t term = l->renumber[c->counts[i].term];
        if (term != UINT32_MAX)
            c->counts[kept++] = (term_count){term, c->counts[i].count};
    }
    c->n = kept;
    return true;
}

pf_status lexical_weigh(const lexical *l, const lexical_document *document,
                        uint32_t **terms, float **weights, size_t *n, pf_error *err)
{
    counting c = {0};
    double square = 0;
    *terms = NULL;
    *weights = NULL;
    *n = 0;
    bool right = known_counts(l, &c, document);
    if (right && c.n > 0) {
        *terms = mem_alloc(c.n, sizeof **terms);
        *weights = mem_alloc(c.n, sizeof **weights);
        right = *terms && *weights;
    }
    for (size_t i = 0; right && i < c.n; i++) {
        (*terms)[i] = c.counts[i].term;
        (*weights)[i] =
            (float)(tf_factor(c.counts[i].count) * idf_factor(l, c.counts[i].term));
        square += (double)(*weights)[i] * (double)(*weights)[i];
    }
    for (size_t i = 0; right && i < c.n; i++)
        (*weights)[i] = (float)((double)(*weights)[i] / sqrt(square));
    if (right) {
        *n = c.n;
    } else {
        mem_free(*terms);
        mem_free(*weights);
        *terms = NULL;
        *weights = NULL;
    }
    mem_free(c.counts);
    return right ? PF_OK : no_memory(err);
}

/* ---- scoring ---- */

void lexical_dot_all(const lexical *l, sparse_vector query, float *scores)
{
    memset(scores, 0, l->documents * sizeof *scores);
    for (size_t i = 0; i < query.n; i++) {
        const uint32_t term = query.terms[i];
        const double weight = (double)query.weights[i] * idf_factor(l, term);
        for (size_t p = l->posting_begins[term]; p < l->posting_begins[term + 1]; p++) {
            const posting at = l->postings[p];
            scores[at.document] +=
                (float)(weight * tf_factor(at.count) / (double)l->norms[at.document]);
        }
    }
}

static double bm25_idf(const lexical *l, double df)
{
    return log(1 + ((double)l->documents - df + 0.5) / (df + 0.5));
}

typedef struct idf_sum {
    const lexical *l;
    double sum;
} idf_sum;

static bool add_idf(void *context, const char *word, size_t n)
{
    idf_sum *b = context;
    const uint32_t name = intern_find(b->l->names, word, n);
    const uint32_t term = name ? b->l->renumber[name - 1] : UINT32_MAX;
    const size_t df = term == UINT32_MAX ? 0 : document_frequency(b->l, term);
    b->sum += bm25_idf(b->l, (double)df);
    return true;
}

double lexical_full_match(const lexical *l, text query)
{
    idf_sum b = {.l = l};
    words_of(query, add_idf, &b);
    return b.sum;
}

static void add_bm25(const lexical *l, term_count asked, float *scores)
{
    const double df = (double)document_frequency(l, asked.term);
    const double idf = bm25_idf(l, df) * (double)asked.count;
    const double k1 = (double)l->options.k1, b = (double)l->options.b;
    for (size_t p = l->posting_begins[asked.term]; p < l->posting_begins[asked.term + 1];
         p++) {
        const posting at = l->postings[p];
        const double tf = (double)at.count;
        const double length = (double)l->lengths[at.document] / l->mean_length;
        scores[at.document] +=
            (float)(idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * length)));
    }
}

pf_status lexical_scores(const lexical *l, text query, float *scores, pf_error *err)
{
    const lexical_field field = {.text = query, .weight = 1};
    counting c = {0};
    memset(scores, 0, l->documents * sizeof *scores);
    const bool right = known_counts(l, &c, &(lexical_document){&field, 1});
    for (size_t i = 0; right && i < c.n; i++)
        add_bm25(l, c.counts[i], scores);
    mem_free(c.counts);
    return right ? PF_OK : no_memory(err);
}

/* The best k of the scores above zero. */
static size_t take_best(const lexical *l, const float *scores, size_t except, size_t k,
                        hit *hits)
{
    top best = top_begin(hits, k);
    for (size_t d = 0; d < l->documents; d++)
        if (scores[d] > 0 && d != except) top_offer(&best, (uint32_t)d, scores[d]);
    return top_finish(&best);
}

pf_status lexical_search(const lexical *l, text query, size_t k, hit *hits, size_t *found,
                         pf_error *err)
{
    *found = 0;
    float *scores = mem_alloc(l->documents + 1, sizeof *scores);
    if (!scores) return no_memory(err);
    const pf_status status = lexical_scores(l, query, scores, err);
    if (status == PF_OK) *found = take_best(l, scores, SIZE_MAX, k, hits);
    mem_free(scores);
    return status;
}

pf_status lexical_neighbours(const lexical *l, size_t document, size_t k, hit *hits,
                             size_t *found, pf_error *err)
{
    *found = 0;
    float *scores = mem_alloc(l->documents + 1, sizeof *scores);
    if (!scores) return no_memory(err);
    lexical_dot_all(l, lexical_vector(l, document), scores);
    *found = take_best(l, scores, document, k, hits);
    mem_free(scores);
    return PF_OK;
}
