/* Only the rows are kept in files; postings are their transpose. */
#include "recommend/text_rows.h"

#include "language/lexical.h"

static pf_status copy_rows(const lexical *words, uint32_t n, sparse *out, pf_error *err)
{
    sparse_counter k;
    sparse_count_begin(&k, n, (uint32_t)lexical_terms(words));
    for (uint32_t d = 0; d < n; d++)
        for (size_t i = lexical_vector(words, d).n; i-- > 0;)
            sparse_count(&k, d);
    sparse_fill_begin(&k);
    for (uint32_t d = 0; d < n; d++) {
        sparse_vector row = lexical_vector(words, d);
        for (size_t i = 0; i < row.n; i++)
            sparse_add(&k, d, row.terms[i], row.weights[i]);
    }
    return sparse_finish(&k, out, err);
}

static pf_status transpose(text_rows *t, pf_error *err)
{
    pf_status s = sparse_transpose(&t->rows, &t->postings, err);
    if (s != PF_OK) text_rows_free(t);
    return s;
}

pf_status text_rows_new(text_rows *out, const recommend_input *input, pf_error *err)
{
    const lexical *words = input->side ? input->side->words : NULL;
    uint32_t n = input->train->n_products;
    if (words == NULL)
        return error_set(err, PF_UNAVAILABLE, "the products have no words to compare");
    if (lexical_documents(words) != n)
        return error_set(err, PF_INTERNAL, "words of %zu products, but there are %u",
                         lexical_documents(words), n);
    *out = (text_rows){0};
    pf_status s = copy_rows(words, n, &out->rows, err);
    return s == PF_OK ? transpose(out, err) : s;
}

void text_rows_free(text_rows *t)
{
    sparse_free(&t->rows);
    sparse_free(&t->postings);
}

pf_status text_rows_save(const text_rows *t, safetensors_writer *file, pf_error *err)
{
    return sparse_save(&t->rows, "words", file, err);
}

/* The number of terms is one more than the largest, so a file cannot ask for more memory
 * than its own entries justify by much. */
pf_status text_rows_load(text_rows *out, uint32_t n_products, const safetensors *file,
                         pf_error *err)
{
    const tensor_view *column = NULL;
    uint32_t terms = 0;
    *out = (text_rows){0};
    pf_status s = safetensors_find(file, "words.column", TENSOR_U32, 1, 0, &column, err);
    if (s != PF_OK) return s;
    for (uint64_t i = 0; i < column->count; i++) {
        uint32_t term = ((const uint32_t *)column->data)[i];
        if (term >= column->count)
            return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                                "a term is out of range; train again");
        if (term >= terms) terms = term + 1;
    }
    s = sparse_load(&out->rows, "words", n_products, terms, file, err);
    return s == PF_OK ? transpose(out, err) : s;
}
