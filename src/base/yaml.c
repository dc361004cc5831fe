/*
 * libcyaml tells what is wrong through its log: one line with the complaint, then a
 * backtrace whose first line carries the place. This file listens and keeps those two.
 */
#include "base/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "base/memory.h"

/* What the log said so far of one load. */
typedef struct complaint {
    char words[256]; /* "Unexpected key: z" */
    char field[96];  /* the innermost field of the backtrace, or "" */
    unsigned long line, column;
} complaint;

static void take_place(complaint *c, const char *said)
{
    const char *at = strstr(said, "(line: ");
    if (at == NULL || c->line != 0 ||
        sscanf(at, "(line: %lu, column: %lu)", &c->line, &c->column) != 2)
        return;
    const char *open = strchr(said, '\'');
    const char *close = open ? strchr(open + 1, '\'') : NULL;
    if (close != NULL)
        (void)snprintf(c->field, sizeof c->field, "%.*s", (int)(close - open - 1),
                       open + 1);
}

static void listen(cyaml_log_t level, void *context, const char *format,
                   va_list arguments) __attribute__((format(printf, 3, 0)));
static void listen(cyaml_log_t level, void *context, const char *format,
                   va_list arguments)
{
    complaint *c = context;
    if (level < CYAML_LOG_ERROR) return;
    char said[512];
    (void)vsnprintf(said, sizeof said, format, arguments);
    said[strcspn(said, "\n")] = 0;
    const char *words = strncmp(said, "Load: ", 6) == 0 ? said + 6 : said;
    if (c->words[0] == 0 && strncmp(words, "Backtrace", 9) != 0)
        (void)snprintf(c->words, sizeof c->words, "%.255s", words);
    take_place(c, words);
}

/* libcyaml's allocations go through ours, so that faults can be injected. */
static void *allocate(void *context, void *block, size_t size)
{
    (void)context;
    if (size == 0) {
        mem_free(block);
        return NULL;
    }
    return mem_resize(block, 1, size);
}

static cyaml_config_t settings(complaint *c)
{
    return (cyaml_config_t){
        .log_fn = listen,
        .log_ctx = c,
        .log_level = CYAML_LOG_ERROR,
        .mem_fn = allocate,
        /* Lists of aliases of lists grow without measure from a short file. */
        .flags = CYAML_CFG_NO_ALIAS,
    };
}

/* For a key that no schema knows libcyaml tells the place of the value before it: looks
 * from there on for the line that begins with the key. */
static void find_unexpected_key(complaint *c, const char *bytes, size_t n)
{
    static const char front[] = "Unexpected key: ";
    if (strncmp(c->words, front, sizeof front - 1) != 0) return;
    const char *key = c->words + sizeof front - 1, *end = bytes + n;
    size_t length = strlen(key);
    unsigned long line = 1;
    for (const char *p = bytes; p < end; line++) {
        const char *feed = memchr(p, '\n', (size_t)(end - p));
        const char *stop = feed ? feed : end, *word = p;
        while (word < stop && (*word == ' ' || *word == '-'))
            word++;
        if (line >= c->line && (size_t)(stop - word) > length && word[length] == ':' &&
            memcmp(word, key, length) == 0) {
            c->line = line;
            c->column = (unsigned long)(word - p) + 1;
            return;
        }
        p = stop + 1;
    }
}

/* A marker of documents: three dashes at the beginning of a line, alone or before white
 * space. What stands in such a place inside a value is indented. */
static bool is_marker(const char *line, const char *end)
{
    return end - line >= 3 && memcmp(line, "---", 3) == 0 &&
           (end - line == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r' ||
            line[3] == '\n');
}

/* libcyaml reads the first document and says nothing of others. Returns the line on which
 * a second one begins, 0 where there is none. */
static uint64_t find_second_document(const char *bytes, size_t n)
{
    bool begun = false;
    uint64_t number = 1;
    for (const char *p = bytes, *end = bytes + n; p < end; number++) {
        const char *feed = memchr(p, '\n', (size_t)(end - p));
        if (is_marker(p, end)) {
            if (begun) return number;
            begun = true;
        }
        begun = begun || !(*p == '#' || *p == '%' || *p == '\n' || *p == '\r');
        p = feed ? feed + 1 : end;
    }
    return 0;
}

pf_status yaml_load(const cyaml_schema_value_t *schema, const char *bytes, size_t n,
                    const char *name, void **out, pf_error *err)
{
    complaint c = {.words = ""};
    cyaml_config_t config = settings(&c);
    void *value = NULL;
    uint64_t second = find_second_document(bytes, n);
    if (second != 0)
        return error_set_at(err, PF_USAGE, name, second, 1,
                            "a second document begins here (---); keep one to a file");
    cyaml_err_t code =
        cyaml_load_data((const uint8_t *)bytes, n, &config, schema, &value, NULL);
    if (code == CYAML_ERR_OOM)
        return error_set(err, PF_NO_MEMORY, "out of memory while reading %s", name);
    if (code == CYAML_ERR_ALIAS)
        return error_set_at(err, PF_USAGE, name, c.line, c.column,
                            "aliases (*name) are not read; write the value out");
    find_unexpected_key(&c, bytes, n);
    if (code != CYAML_OK)
        return error_set_at(err, PF_USAGE, name, c.line, c.column, "%s%s%s%s",
                            c.words[0] ? c.words : cyaml_strerror(code),
                            c.field[0] ? " (at '" : "", c.field, c.field[0] ? "')" : "");
    if (value == NULL)
        return error_set_at(err, PF_USAGE, name, 0, 0, "the file is empty");
    *out = value;
    return PF_OK;
}

pf_status yaml_load_file(const cyaml_schema_value_t *schema, const char *path, void **out,
                         pf_error *err)
{
    char *bytes = NULL;
    size_t n = 0;
    pf_status s = file_read_whole(&bytes, &n, path, LIMIT_YAML_BYTES, err);
    if (s != PF_OK) return s;
    s = yaml_load(schema, bytes, n, path, out, err);
    mem_free(bytes);
    return s;
}

void yaml_release(const cyaml_schema_value_t *schema, void *value)
{
    complaint c = {.words = ""};
    cyaml_config_t config = settings(&c);
    if (value != NULL) (void)cyaml_free(&config, schema, value, 0);
}
