/* Comparisons on sequence files, from the files to the results. */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/file.h"
#include "base/random.h"
#include "evaluate/item_side.h"
#include "evaluate/comparison.h"

enum { USERS = 40, ITEMS = 20 };

static char sequences[256], items[256];

static void write_text(const char *path, const buffer *b)
{
    assert_false(b->failed);
    assert_int_equal(file_write_atomic(path, b->data, b->length, NULL), PF_OK);
}

static int write_files(void **state)
{
    (void)state;
    random_stream r = random_begin(5, 5);
    buffer b;
    (void)snprintf(sequences, sizeof sequences, "%s/seq-%ld.txt", PROFFER_BINARY_DIR,
                   (long)getpid());
    (void)snprintf(items, sizeof items, "%s/items-%ld.tsv", PROFFER_BINARY_DIR,
                   (long)getpid());
    buffer_init(&b, 1 << 20);
    for (int u = 1; u <= USERS; u++) {
        uint32_t at = random_below(&r, ITEMS), n = 3 + random_below(&r, 6);
        buffer_printf(&b, "%d", u);
        for (uint32_t i = 0; i < n; i++)
            buffer_printf(&b, " i%u", 1 + (at + i * (1 + i % 2)) % ITEMS);
        buffer_append_char(&b, '\n');
    }
    write_text(sequences, &b);
    buffer_clear(&b);
    buffer_append_text(&b, "item_id\tcode\tprice\tpath\ttitle\n");
    for (int i = 1; i <= ITEMS; i++)
        buffer_printf(&b, "i%d\tB00%d\t%d.5\tShop|Shelf %d\tred box %c\n", i, i, i, i % 3,
                      'a' + i % 5);
    write_text(items, &b);
    buffer_free(&b);
    return 0;
}

static int remove_files(void **state)
{
    (void)state;
    (void)remove(sequences);
    (void)remove(items);
    return 0;
}

typedef struct seen {
    char models[256], absent[256];
    loo_result last;
    bool refuse;
} seen;

static void append(char *list, size_t size, const char *name)
{
    size_t n = strlen(list);
    (void)snprintf(list + n, size - n, "%s ", name);
}

static pf_status on_result(void *context, const loo_result *result,
                           const recommender *model, pf_error *err)
{
    seen *s = context;
    append(s->models, sizeof s->models, result->model);
    assert_string_equal(recommender_kind_of(model)->name, result->model);
    assert_int_equal(result->users, USERS);
    s->last = *result;
    return s->refuse ? error_set(err, PF_CANCELLED, "enough") : PF_OK;
}

static void on_absent(void *context, const char *model, const pf_error *why)
{
    seen *s = context;
    assert_true(why->message[0] != '\0');
    append(s->absent, sizeof s->absent, model);
}

static pf_status evaluate(const char *models, bool with_items, bool told, seen *s,
                          pf_error *err)
{
    sequence_set *set = NULL;
    item_texts *texts = NULL;
    comparison_options o = comparison_options_default();
    const comparison_report report = {
        .context = s, .result = on_result, .absent = told ? on_absent : NULL};
    o.models = models ? models : o.models;
    pf_status status = sequence_set_read(&set, sequences, err);
    if (status == PF_OK && with_items)
        status = item_texts_read(&texts, items, set->items, err);
    if (status == PF_OK) status = compare_on_file(set, texts, &o, &report, err);
    item_texts_free(texts);
    sequence_set_free(set);
    return status;
}

static void groups_are_spelt_out_and_the_blend_comes_last(void **state)
{
    (void)state;
    seen s = {0};
    assert_int_equal(evaluate("blend,counts, text ,transitions", true, true, &s, NULL),
                     PF_OK);
    assert_string_equal(s.models, "popularity transitions words kin blend ");
    assert_string_equal(s.absent, "meaning ");
    assert_true(s.last.mean.ndcg > 0.3); /* the sequences are nearly regular */
}

/* Whether a list of names, a space behind each, holds one: "blend" is not in "month-blend ". */
static bool lists(const char *names, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = names; *p != '\0'; p += strcspn(p, " ") + 1)
        if (strcspn(p, " ") == n && memcmp(p, name, n) == 0) return true;
    return false;
}

static void all_is_every_kind_and_what_is_absent_is_told(void **state)
{
    (void)state;
    seen s = {0};
    assert_int_equal(evaluate("all", true, true, &s, NULL), PF_OK);
    for (size_t i = 0; recommender_kind_at(i) != NULL; i++) {
        const char *name = recommender_kind_at(i)->name;
        assert_true(lists(s.models, name) != lists(s.absent, name));
    }
    assert_non_null(strstr(s.absent, "user-cf item-cf meaning"));
    assert_non_null(strstr(s.models, "user-knn item-knn transitions kin words"));
}

static void the_defaults_need_no_texts(void **state)
{
    (void)state;
    seen s = {0};
    assert_int_equal(evaluate(NULL, false, false, &s, NULL), PF_OK);
    assert_string_equal(s.models, "popularity item-knn transitions blend ");
}

static void an_absent_model_is_an_error_when_nobody_listens(void **state)
{
    (void)state;
    seen s = {0};
    pf_error err = {0};
    assert_int_equal(evaluate("words", false, false, &s, &err), PF_UNAVAILABLE);
    assert_non_null(strstr(err.message, "words"));
}

static void a_slip_of_the_hand_is_told_before_any_work(void **state)
{
    (void)state;
    seen s = {0};
    pf_error err = {0};
    assert_int_equal(evaluate("popularity,transition", false, true, &s, &err), PF_USAGE);
    assert_non_null(strstr(err.message, "'transitions'"));
    assert_string_equal(s.models, "");
    assert_int_equal(evaluate("", false, true, &s, &err), PF_USAGE);
    assert_int_equal(evaluate("popularity,", false, true, &s, &err), PF_USAGE);
    assert_int_equal(evaluate("qqqqqqqqqqqqqq", false, true, &s, &err), PF_USAGE);
    assert_null(strstr(err.message, "did you mean"));
}

static void the_listener_may_end_it(void **state)
{
    (void)state;
    seen s = {.refuse = true};
    assert_int_equal(evaluate("popularity,repeat", false, true, &s, NULL), PF_CANCELLED);
    assert_string_equal(s.models, "popularity ");
}

/* ---- items ---- */

static void identifiers_and_numbers_are_no_texts_and_paths_give_categories(void **state)
{
    (void)state;
    sequence_set *set = NULL;
    item_texts *texts = NULL;
    item_side *side = NULL;
    assert_int_equal(sequence_set_read(&set, sequences, NULL), PF_OK);
    assert_int_equal(item_texts_read(&texts, items, set->items, NULL), PF_OK);
    assert_int_equal(item_side_new(&side, texts, NULL, NULL, NULL, NULL, NULL), PF_OK);
    assert_int_equal(lexical_documents(side->words), ITEMS);
    for (uint32_t t = 0; t < lexical_terms(side->words); t++)
        assert_true(strncmp(lexical_term(side->words, t), "b00", 3) != 0);
    assert_int_equal(side->side.n_categories, 3 + 1);
    for (uint32_t i = 0; i < ITEMS; i++)
        assert_true(side->side.category[i] >= 1 && side->side.category[i] <= 3);
    assert_null(side->side.vectors);
    item_side_free(side);
    item_side_free(NULL);
    item_texts_free(texts);
    sequence_set_free(set);
}

static void a_table_without_texts_is_told(void **state)
{
    (void)state;
    sequence_set *set = NULL;
    item_texts *texts = NULL;
    item_side *side = NULL;
    char path[300];
    buffer b;
    pf_error err = {0};
    buffer_init(&b, 4096);
    (void)snprintf(path, sizeof path, "%s.bare", items);
    buffer_append_text(&b, "item_id\tcode\tprice\n");
    for (int i = 1; i <= ITEMS; i++)
        buffer_printf(&b, "i%d\tB00%d\t%d\n", i, i, i);
    write_text(path, &b);
    buffer_free(&b);
    assert_int_equal(sequence_set_read(&set, sequences, NULL), PF_OK);
    assert_int_equal(item_texts_read(&texts, path, set->items, NULL), PF_OK);
    assert_int_equal(item_side_new(&side, texts, NULL, NULL, NULL, NULL, &err), PF_DATA);
    assert_non_null(strstr(err.message, "texts"));
    (void)remove(path);
    item_texts_free(texts);
    sequence_set_free(set);
}

static void failing_memory_is_told(void **state)
{
    (void)state;
    sequence_set *set = NULL;
    item_texts *texts = NULL;
    assert_int_equal(sequence_set_read(&set, sequences, NULL), PF_OK);
    assert_int_equal(item_texts_read(&texts, items, set->items, NULL), PF_OK);
    fault f = {0};
    while (fault_next(&f)) {
        seen s = {0};
        comparison_options o = comparison_options_default();
        const comparison_report report = {
            .context = &s, .result = on_result, .absent = on_absent};
        o.models = "transitions,words,blend";
        pf_status status = compare_on_file(set, texts, &o, &report, NULL);
        if (fault_reached(&f)) assert_int_equal(status, PF_NO_MEMORY);
    }
    assert_true(f.n > 60);
    item_texts_free(texts);
    sequence_set_free(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(groups_are_spelt_out_and_the_blend_comes_last),
        cmocka_unit_test(all_is_every_kind_and_what_is_absent_is_told),
        cmocka_unit_test(the_defaults_need_no_texts),
        cmocka_unit_test(an_absent_model_is_an_error_when_nobody_listens),
        cmocka_unit_test(a_slip_of_the_hand_is_told_before_any_work),
        cmocka_unit_test(the_listener_may_end_it),
        cmocka_unit_test(identifiers_and_numbers_are_no_texts_and_paths_give_categories),
        cmocka_unit_test(a_table_without_texts_is_told),
        cmocka_unit_test(failing_memory_is_told),
    };
    return cmocka_run_group_tests(tests, write_files, remove_files);
}
