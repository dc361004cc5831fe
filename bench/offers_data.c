/* Reading the three tables. See offers_data.h. */
#include "bench/offers_data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/intern.h"
#include "base/memory.h"
#include "bench/result.h"
#include "intake/csv.h"

enum { MEMBERS_MAX = 1000000, EVENTS_MAX = 10000000 };

static const int starts[OFFERS_WAVES + 1] = {0, 168, 336, 408, 504, 576, 714};

int offers_wave_start(int wave)
{
    return starts[wave];
}

int offers_wave_hours(int wave)
{
    return starts[wave + 1] - starts[wave];
}

double offers_propensity(uint32_t arm)
{
    return arm == 0 ? .2522 : .0748;
}

static void give_up(const pf_error *err)
{
    char words[1024];
    fprintf(stderr, "offers: %s\n", error_describe(err, words, sizeof words));
    exit(1);
}

void *offers_memory(size_t count, size_t size)
{
    void *block = mem_alloc_zero(count ? count : 1, size);
    if (block == NULL) {
        fprintf(stderr, "offers: out of memory\n");
        exit(1);
    }
    return block;
}

/* --- rows of a table -------------------------------------------------------------- */

typedef struct table {
    byte_source *source;
    csv_reader *rows;
    row now;
} table;

static void table_open(table *t, const char *folder, const char *name)
{
    char path[4200];
    pf_error err = {0};
    const csv_options options = csv_options_default();
    (void)snprintf(path, sizeof path, "%s/%s.csv.gz", folder, name);
    if (byte_source_open(&t->source, path, NULL, &err) != PF_OK ||
        csv_open(&t->rows, t->source, &options, &err) != PF_OK)
        give_up(&err);
}

static bool table_next(table *t)
{
    bool more = false;
    pf_error err = {0};
    if (csv_next(t->rows, &t->now, &more, &err) != PF_OK) give_up(&err);
    if (more && t->now.reason != REASON_NONE) {
        (void)error_set_at(&err, PF_DATA, byte_source_name(t->source), t->now.line, 0, "%s",
                           t->now.message);
        give_up(&err);
    }
    return more;
}

static void table_close(table *t)
{
    csv_close(t->rows);
    byte_source_close(t->source);
}

static void refuse(const table *t, const char *what)
{
    pf_error err = {0};
    (void)error_set_at(&err, PF_DATA, byte_source_name(t->source), t->now.line, 0, "%s", what);
    give_up(&err);
}

/* The number in a cell; `unknown` where it is empty. */
static float number(const table *t, size_t column, float unknown)
{
    double value = 0;
    if (t->now.cells[column].n == 0) return unknown;
    if (!text_to_double(t->now.cells[column], &value)) refuse(t, "a cell is not a number");
    return (float)value;
}

static uint32_t known(const table *t, const intern *ids, size_t column)
{
    uint32_t id = intern_find(ids, t->now.cells[column].data, t->now.cells[column].n);
    if (id == 0) refuse(t, "an id is not in its table");
    return id;
}

static uint32_t add(const table *t, intern *ids, size_t column, uint32_t next)
{
    uint32_t id = intern_add(ids, t->now.cells[column].data, t->now.cells[column].n);
    if (id != next) refuse(t, "an id stands there twice, or there are too many");
    return id;
}

/* --- the tables ------------------------------------------------------------------- */

static void read_offers(offers_data *d, const char *folder, intern *ids)
{
    table t;
    uint32_t n = 0;
    table_open(&t, folder, "portfolio");
    while (table_next(&t)) {
        if (n == OFFERS) refuse(&t, "there are more than 10 offers");
        offers_offer *o = &d->offer[add(&t, ids, 0, ++n)];
        o->bogo = text_is(t.now.cells[1], "bogo");
        o->discount = text_is(t.now.cells[1], "discount");
        o->informational = text_is(t.now.cells[1], "informational");
        o->difficulty = number(&t, 2, 0);
        o->reward = number(&t, 3, 0);
        o->hours = 24 * number(&t, 4, 0);
        bool *const channel[] = {&o->web, &o->email, &o->mobile, &o->social};
        for (size_t c = 0; c < 4; c++)
            *channel[c] = number(&t, 5 + c, 0) > 0;
    }
    table_close(&t);
}

/* Days of a date written YYYYMMDD, months of 30 and years of 365: only differences count. */
static float days_of(float date)
{
    int all = (int)lrintf(date);
    return (float)(all / 10000 * 365 + all / 100 % 100 * 30 + all % 100);
}

static void read_members(offers_data *d, const char *folder, intern *ids)
{
    table t;
    size_t room = 0;
    table_open(&t, folder, "profile");
    while (table_next(&t)) {
        if (!mem_reserve((void **)&d->member, &room, d->n + 1, sizeof *d->member))
            refuse(&t, "out of memory");
        (void)add(&t, ids, 0, (uint32_t)d->n + 1);
        const text gender = t.now.cells[1];
        d->member[d->n++] = (offers_member){.gender = gender.n ? gender.data[0] : 0,
                                            .age = number(&t, 2, NAN),
                                            .income = number(&t, 3, NAN),
                                            .joined = days_of(number(&t, 4, 0))};
    }
    table_close(&t);
}

static offers_kind kind_of(const table *t)
{
    static const char *const names[] = {"transaction", "offer-received", "offer-viewed",
                                        "offer-completed"};
    for (int k = 0; k < OFFERS_KINDS; k++)
        if (text_is(t->now.cells[1], names[k])) return (offers_kind)k;
    refuse(t, "a kind of event is not known");
    return OFFERS_SPENT;
}

/* Events as the table has them, with the member of each. */
typedef struct raw_events {
    offers_event *event;
    uint32_t *member;
    size_t n, event_room, member_room;
} raw_events;

static void read_event(const table *t, const intern *members, const intern *offers,
                       raw_events *r)
{
    if (r->n == EVENTS_MAX ||
        !mem_reserve((void **)&r->event, &r->event_room, r->n + 1, sizeof *r->event) ||
        !mem_reserve((void **)&r->member, &r->member_room, r->n + 1, sizeof *r->member))
        refuse(t, "out of memory");
    const offers_kind kind = kind_of(t);
    const float hour = number(t, 2, -1);
    if (!(hour >= 0 && hour <= (float)starts[OFFERS_WAVES]))
        refuse(t, "an hour is outside 0 to 714");
    r->member[r->n] = known(t, members, 0) - 1;
    r->event[r->n++] = (offers_event){
        .hour = (int16_t)hour,
        .kind = (uint8_t)kind,
        .offer = kind == OFFERS_SPENT ? 0 : (uint8_t)known(t, offers, 3),
        .amount = number(t, kind == OFFERS_COMPLETED ? 5 : 4, 0)};
}

/* Each member's events together, in the table's order, which must be that of time. */
static void group_events(offers_data *d, const raw_events *r)
{
    d->first = offers_memory(d->n + 2, sizeof *d->first);
    d->event = offers_memory(r->n, sizeof *d->event);
    d->n_events = r->n;
    for (size_t i = 0; i < r->n; i++)
        d->first[r->member[i] + 2]++;
    for (size_t m = 0; m < d->n; m++)
        d->first[m + 2] += d->first[m + 1];
    for (size_t i = 0; i < r->n; i++) {
        size_t at = d->first[r->member[i] + 1]++;
        if (at > d->first[r->member[i]] && d->event[at - 1].hour > r->event[i].hour) {
            fprintf(stderr, "offers: the events of a member are not in order of time\n");
            exit(1);
        }
        d->event[at] = r->event[i];
    }
}

static void read_events(offers_data *d, const char *folder, const intern *members,
                        const intern *offers)
{
    table t;
    raw_events r = {.n = 0};
    table_open(&t, folder, "transcript");
    while (table_next(&t))
        read_event(&t, members, offers, &r);
    table_close(&t);
    group_events(d, &r);
    mem_free(r.event);
    mem_free(r.member);
}

static void find_arms(offers_data *d)
{
    d->arm = offers_memory(OFFERS_WAVES * d->n, sizeof *d->arm);
    for (size_t m = 0; m < d->n; m++)
        for (size_t i = d->first[m]; i < d->first[m + 1]; i++)
            for (int w = 0; w < OFFERS_WAVES; w++)
                if (d->event[i].kind == OFFERS_RECEIVED && d->event[i].hour == starts[w])
                    d->arm[(size_t)w * d->n + m] = d->event[i].offer;
}

offers_data *offers_data_load(void)
{
    const char *folder = bench_data("starbucks-offers");
    offers_data *d = offers_memory(1, sizeof *d);
    intern *members = intern_new(MEMBERS_MAX), *offers = intern_new(OFFERS);
    if (members == NULL || offers == NULL) {
        fprintf(stderr, "offers: out of memory\n");
        exit(1);
    }
    read_offers(d, folder, offers);
    read_members(d, folder, members);
    read_events(d, folder, members, offers);
    find_arms(d);
    intern_free(members);
    intern_free(offers);
    return d;
}

void offers_data_free(offers_data *d)
{
    if (d == NULL) return;
    mem_free(d->member);
    mem_free(d->first);
    mem_free(d->event);
    mem_free(d->arm);
    mem_free(d);
}

void offers_data_outcome(const offers_data *d, int wave, int hours, float *spend, float *cost,
                         float *purchases)
{
    const int from = starts[wave], to = from + hours;
    for (size_t m = 0; m < d->n; m++) {
        spend[m] = cost[m] = purchases[m] = 0;
        for (size_t i = d->first[m]; i < d->first[m + 1]; i++) {
            const offers_event *e = &d->event[i];
            if (e->hour < from || e->hour >= to) continue;
            purchases[m] += e->kind == OFFERS_SPENT;
            if (e->kind == OFFERS_SPENT) spend[m] += e->amount;
            if (e->kind == OFFERS_COMPLETED) cost[m] += e->amount;
        }
        spend[m] = fminf(spend[m], OFFERS_SPEND_CAP);
    }
}
