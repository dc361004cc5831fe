/* base/yaml.h: structs from YAML, places of mistakes, hostile and broken files. */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/yaml.h"

typedef struct row {
    char *name;
    int number;
} row;

typedef struct top {
    char *title;
    row *rows;
    unsigned rows_count;
} top;

static const cyaml_schema_field_t row_fields[] = {
    CYAML_FIELD_STRING_PTR("name", CYAML_FLAG_POINTER, row, name, 0, CYAML_UNLIMITED),
    CYAML_FIELD_INT("number", CYAML_FLAG_OPTIONAL, row, number),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t row_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_DEFAULT, row, row_fields),
};
static const cyaml_schema_field_t top_fields[] = {
    CYAML_FIELD_STRING_PTR("title", CYAML_FLAG_POINTER, top, title, 0, CYAML_UNLIMITED),
    CYAML_FIELD_SEQUENCE("rows", CYAML_FLAG_POINTER | CYAML_FLAG_OPTIONAL, top, rows,
                         &row_schema, 0, CYAML_UNLIMITED),
    CYAML_FIELD_END,
};
static const cyaml_schema_value_t top_schema = {
    CYAML_VALUE_MAPPING(CYAML_FLAG_POINTER, top, top_fields),
};

static const char good[] = "# a comment\ntitle: \"Caf\xC3\xA9\"\nrows:\n"
                           "  - {name: first, number: 3}\n  - name: second\n";

static pf_status load(const char *yaml, top **out, pf_error *err)
{
    return yaml_load(&top_schema, yaml, strlen(yaml), "shop.yaml", (void **)out, err);
}

static void a_good_file_becomes_a_struct(void **state)
{
    (void)state;
    top *t = NULL;
    assert_int_equal(load(good, &t, NULL), PF_OK);
    assert_string_equal(t->title, "Caf\xC3\xA9");
    assert_int_equal(t->rows_count, 2);
    assert_string_equal(t->rows[0].name, "first");
    assert_int_equal(t->rows[0].number, 3);
    assert_int_equal(t->rows[1].number, 0);
    yaml_release(&top_schema, t);
    yaml_release(&top_schema, NULL);
    assert_int_equal(load("# x\n\n---\ntitle: |\n  ---\n  --- a\n", &t, NULL), PF_OK);
    assert_string_equal(t->title, "---\n--- a\n");
    yaml_release(&top_schema, t);
}

static void mistakes_are_told_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *words;
        uint64_t line;
    } cases[] = {
        {"title: x\nwrong: 1\n", "wrong", 2},
        {"title: x\nrows:\n  - name: a\n    number: 1\n    odd: 2\n", "odd", 5},
        {"title: x\nrows:\n  - {name: a, odd: 2}\n", "odd", 3},
        {"title: x\nrows:\n  - {name: a, number: much}\n", "much", 3},
        {"rows: []\n", "title", 0},
        {"title: [1, 2]\n", "", 1},
        {"- a\n- b\n", "SEQUENCE_START", 0},
        {"title: \"open\n", "", 0},
        {"title: x\n\tname: y\n", "", 0},
        {"title: x: y\n", "", 0},
        {"title: x\n---\ntitle: y\n", "second document", 2},
        {"# one\n---\ntitle: x\n--- # two\ntitle: y\n", "second document", 4},
        {"title: x\n---", "second document", 2},
        {"", "empty", 0},
        {"# only a comment\n", "", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        top *t = NULL;
        pf_error err = {0};
        if (load(cases[i].yaml, &t, &err) != PF_USAGE)
            fail_msg("case %zu: %s", i, err.message);
        assert_null(t);
        assert_string_equal(err.file, "shop.yaml");
        assert_true(err.message[0] != '\0');
        assert_non_null(strstr(err.message, cases[i].words));
        if (cases[i].line) assert_int_equal(err.line, cases[i].line);
    }
}

/* Ten lists, each ten times the one before, would be ten thousand million values: a file
 * of a few hundred bytes must not fill the memory. */
static void aliases_are_refused_so_that_nothing_multiplies(void **state)
{
    (void)state;
    static const char bomb[] =
        "title: x\nrows:\n  - &a {name: a}\n  - *a\n  - *a\n  - *a\n";
    top *t = NULL;
    pf_error err = {0};
    assert_int_equal(load(bomb, &t, &err), PF_USAGE);
    assert_null(t);
    assert_non_null(strstr(err.message, "lias"));
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    fault f = {0};
    while (fault_next(&f)) {
        top *t = NULL;
        pf_status status = load(good, &t, NULL);
        bool failed = fault_reached(&f);
        assert_int_equal(status, failed ? PF_NO_MEMORY : PF_OK);
        assert_int_equal(t == NULL, failed);
        yaml_release(&top_schema, t);
    }
    assert_true(f.n > 5);
}

/* What is cut may still be YAML; it must never crash or leak. */
static void a_file_cut_anywhere_is_read_or_refused(void **state)
{
    (void)state;
    for (size_t n = 0; n < sizeof good - 1; n++) {
        char *exact = mem_copy_text(good, n);
        top *t = NULL;
        pf_error err = {0};
        pf_status status =
            yaml_load(&top_schema, exact, n, "cut.yaml", (void **)&t, &err);
        assert_true(status == PF_OK || status == PF_USAGE);
        assert_int_equal(t != NULL, status == PF_OK);
        yaml_release(&top_schema, t);
        mem_free(exact);
    }
}

static void files_are_read_up_to_the_limit(void **state)
{
    (void)state;
    char path[] = "/tmp/proffer-test-yaml-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    top *t = NULL;
    pf_error err = {0};
    assert_int_equal(file_write_atomic(path, good, sizeof good - 1, NULL), PF_OK);
    assert_int_equal(yaml_load_file(&top_schema, path, (void **)&t, &err), PF_OK);
    assert_string_equal(t->rows[1].name, "second");
    yaml_release(&top_schema, t);
    char *large = mem_alloc_zero(LIMIT_YAML_BYTES + 1, 1);
    memset(large, '#', LIMIT_YAML_BYTES + 1);
    t = NULL;
    assert_int_equal(file_write_atomic(path, large, LIMIT_YAML_BYTES + 1, NULL), PF_OK);
    assert_int_equal(yaml_load_file(&top_schema, path, (void **)&t, &err), PF_LIMIT);
    mem_free(large);
    unlink(path);
    assert_int_equal(yaml_load_file(&top_schema, path, (void **)&t, &err), PF_NOT_FOUND);
    assert_null(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_good_file_becomes_a_struct),
        cmocka_unit_test(mistakes_are_told_with_their_place),
        cmocka_unit_test(aliases_are_refused_so_that_nothing_multiplies),
        cmocka_unit_test(every_failed_allocation_is_reported),
        cmocka_unit_test(a_file_cut_anywhere_is_read_or_refused),
        cmocka_unit_test(files_are_read_up_to_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
