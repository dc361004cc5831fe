/*
 * How fast the store takes events, on one core: the writer alone, without any parsing.
 *
 * Rooms: base shop store
 *
 *     bench/run store [events] [shoppers] [memory MiB]
 *
 * Events have eight columns (id, time, shopper, product, type, quantity, paid, order),
 * 100 thousand shoppers, 10 thousand products, in order of time, as a shop's log has
 * them. Then the same events again, which must all be duplicates, and the reading of the
 * whole history. What making up the events costs is measured alone and taken off.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/result.h"
#include "store/store.h"

enum { PRODUCTS = 10000, NAME_BYTES = 24 };

typedef struct maker {
    uint64_t state, n;
    uint64_t shoppers;
    char id[NAME_BYTES], order[NAME_BYTES], shopper[NAME_BYTES], product[NAME_BYTES];
} maker;

static uint64_t draw(maker *m)
{
    m->state += UINT64_C(0x9E3779B97F4A7C15);
    uint64_t x = m->state;
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    return x ^ (x >> 31);
}

static void maker_begin(maker *m)
{
    m->state = 1;
    m->n = 0;
}

static text number_text(char into[NAME_BYTES], char letter, uint64_t n)
{
    char *at = into + NAME_BYTES;
    size_t length = 0;
    do {
        *--at = (char)('0' + n % 10);
        n /= 10;
        length++;
    } while (n > 0 || length < 8);
    *--at = letter;
    return (text){at, length + 1};
}

static event_record make_event(maker *m)
{
    uint64_t a = draw(m), i = m->n++;
    uint64_t who = (a >> 32) % m->shoppers, what = (a & 0xFFFFFFFF) % PRODUCTS;
    return (event_record){.id = number_text(m->id, 'e', i),
                          .type = EVENT_PURCHASE,
                          .shopper = number_text(m->shopper, 's', who),
                          .product = number_text(m->product, 'p', what),
                          .order = number_text(m->order, 'o', i / 3),
                          .time_us = INT64_C(1600000000000000) + (int64_t)i * 1000000,
                          .quantity = 1 + (double)(a >> 60),
                          .paid_minor = (int64_t)(a >> 20 & 8191),
                          .discount_minor = MONEY_ABSENT,
                          .coupon_minor = MONEY_ABSENT,
                          .rating = NAN,
                          .propensity = NAN,
                          .origin = i};
}

static void must(pf_status status, const pf_error *err)
{
    if (status == PF_OK) return;
    fprintf(stderr, "bench_store: %s\n", err->message);
    exit(1);
}

static double time_making(maker *m, uint64_t n)
{
    double start = bench_cpu_s();
    uint64_t sum = 0;
    maker_begin(m);
    for (uint64_t i = 0; i < n; i++) {
        event_record r = make_event(m);
        sum += r.id.n + r.shopper.n + r.product.n + (uint64_t)r.paid_minor;
    }
    if (sum == 1) puts("");
    return bench_cpu_s() - start;
}

static store_event_counts import(store *s, maker *m, uint64_t n, size_t memory_bytes)
{
    pf_error err;
    store_event_rules rules = store_event_rules_default();
    store_event_writer *w;
    store_event_counts counts;
    store_outcome outcome;
    rules.product = STORE_UNKNOWN_CREATE;
    if (memory_bytes > 0) rules.memory_bytes = memory_bytes;
    maker_begin(m);
    must(store_begin(s, &err), &err);
    must(store_events_begin(s, &rules, &w, &err), &err);
    for (uint64_t i = 0; i < n; i++) {
        event_record r = make_event(m);
        must(store_events_add(w, &r, &outcome, &err), &err);
    }
    fprintf(stderr, "  added at %.2f s of CPU\n", bench_cpu_s());
    must(store_events_finish(w, NULL, NULL, &counts, &err), &err);
    fprintf(stderr, "  finished at %.2f s of CPU\n", bench_cpu_s());
    must(store_commit(s, &err), &err);
    return counts;
}

static void report(const char *metric, double value, const char *detail)
{
    bench_print(&(bench_result){
        .bench = "store", .metric = metric, .value = value, .detail = detail});
}

static void measure_import(store *s, maker *m, uint64_t n, size_t memory, double making,
                           const char *what)
{
    char detail[160];
    double wall = bench_wall_s(), cpu = bench_cpu_s();
    store_event_counts counts = import(s, m, n, memory);
    wall = bench_wall_s() - wall;
    cpu = bench_cpu_s() - cpu;
    snprintf(detail, sizeof detail,
             "{\"what\":\"%s\",\"events\":%llu,\"added\":%llu,\"duplicates\":%llu,"
             "\"wall_s\":%.3f,\"making_s\":%.3f}",
             what, (unsigned long long)n, (unsigned long long)counts.added,
             (unsigned long long)counts.duplicates, wall, making);
    report("events_per_s", (double)n / (wall - making), detail);
    report("events_per_cpu_s", (double)n / (cpu - making), detail);
}

static void measure_reading(store *s, const char *what)
{
    char detail[64];
    shop_history *h;
    pf_error err;
    double start = bench_wall_s();
    must(store_load_history(s, INT64_MAX, &h, &err), &err);
    snprintf(detail, sizeof detail, "{\"what\":\"%s\",\"events\":%llu}", what,
             (unsigned long long)h->n);
    report("events_per_s", (double)h->n / (bench_wall_s() - start), detail);
    history_free(h);
}

int main(int argc, char **argv)
{
    uint64_t n = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000000;
    maker m = {.shoppers = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000};
    size_t memory = (argc > 3 ? strtoull(argv[3], NULL, 10) : 0) << 20;
    char path[] = "bench_store.db", log[] = "bench_store.db-wal";
    store *s;
    pf_error err;
    if (m.shoppers == 0) return 1;
    unlink(path);
    unlink(log);
    double making = time_making(&m, n);
    must(store_open(&s, path, STORE_CREATE, &err), &err);
    measure_import(s, &m, n, memory, making, "import");
    report("peak_bytes", bench_peak_bytes(), NULL);
    measure_import(s, &m, n, memory, making, "the same again");
    measure_reading(s, "load_history");
    store_close(s);
    unlink(path);
    return 0;
}
