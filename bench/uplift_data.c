/* Reading the table. See uplift_data.h. */
#include "bench/uplift_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "bench/result.h"
#include "intake/csv.h"

enum { COLUMNS = 12, BANDS = 7 };

static const char *const names[COLUMNS] = {"recency",  "history_segment", "history", "mens",
                                           "womens",   "zip_code",        "newbie",  "channel",
                                           "segment",  "visit",           "conversion", "spend"};
static const char *const bands[] = {"$0 - $100",   "$100 - $200", "$200 - $350", "$350 - $500",
                                    "$500 - $750", "$750 - $1,000", "$1,000 +"};
static const char *const zips[] = {"Rural", "Surburban", "Urban"};
static const char *const channels[] = {"Multichannel", "Phone", "Web"};
static const char *const arms[] = {"No E-Mail", "Mens E-Mail", "Womens E-Mail"};

typedef struct table {
    byte_source *source;
    csv_reader *rows;
    row now;
} table;

static void give_up(const table *t, const char *what)
{
    fprintf(stderr, "uplift: line %llu: %s\n", (unsigned long long)t->now.line, what);
    exit(1);
}

static void check(const pf_error *err, pf_status s)
{
    char words[1024];
    if (s == PF_OK) return;
    fprintf(stderr, "uplift: %s\n", error_describe(err, words, sizeof words));
    exit(1);
}

static float number(const table *t, int column)
{
    double value = 0;
    if (!text_to_double(t->now.cells[column], &value)) give_up(t, "a cell is not a number");
    return (float)value;
}

/* Which of n words a cell is. */
static int word(const table *t, int column, const char *const *words, int n)
{
    for (int k = 0; k < n; k++)
        if (text_is(t->now.cells[column], words[k])) return k;
    give_up(t, "a word is not known");
    return 0;
}

static void add(hillstrom *h, const table *t)
{
    float *x = h->x + h->n * HILLSTROM_FEATURES;
    x[0] = number(t, 0);
    x[1] = number(t, 2);
    x[2] = number(t, 3);
    x[3] = number(t, 4);
    x[4] = number(t, 6);
    for (int k = 5; k < HILLSTROM_FEATURES; k++)
        x[k] = 0;
    x[5 + word(t, 5, zips, 3)] = 1;
    x[8 + word(t, 7, channels, 3)] = 1;
    x[11] = (float)word(t, 1, bands, BANDS);
    h->arm[h->n] = (uint8_t)word(t, 8, arms, 3);
    h->visit[h->n] = number(t, 9) > 0;
    h->spend[h->n++] = number(t, 11);
}

static void open_table(table *t)
{
    char path[4200];
    pf_error err = {0};
    const csv_options options = csv_options_default();
    (void)snprintf(path, sizeof path, "%s/hillstrom.csv.gz", bench_data("hillstrom"));
    check(&err, byte_source_open(&t->source, path, NULL, &err));
    check(&err, csv_open(&t->rows, t->source, &options, &err));
    for (size_t c = 0; c < COLUMNS; c++)
        if (csv_columns(t->rows) != COLUMNS || !text_is(csv_column(t->rows, c), names[c]))
            give_up(t, "the columns are not those expected");
}

hillstrom hillstrom_read(void)
{
    table t = {.source = NULL};
    bool more = true;
    pf_error err = {0};
    hillstrom h = {.x = mem_alloc(HILLSTROM_MOST_ROWS, HILLSTROM_FEATURES * sizeof(float)),
                   .arm = mem_alloc(HILLSTROM_MOST_ROWS, 1),
                   .visit = mem_alloc(HILLSTROM_MOST_ROWS, 1),
                   .spend = mem_alloc(HILLSTROM_MOST_ROWS, sizeof(float))};
    open_table(&t);
    if (!h.x || !h.arm || !h.visit || !h.spend) give_up(&t, "out of memory");
    for (;;) {
        check(&err, csv_next(t.rows, &t.now, &more, &err));
        if (!more) break;
        if (t.now.reason != REASON_NONE) give_up(&t, t.now.message);
        if (h.n == HILLSTROM_MOST_ROWS) give_up(&t, "there are too many rows");
        add(&h, &t);
    }
    csv_close(t.rows);
    byte_source_close(t.source);
    return h;
}

void hillstrom_free(hillstrom *h)
{
    mem_free(h->x);
    mem_free(h->arm);
    mem_free(h->visit);
    mem_free(h->spend);
}
