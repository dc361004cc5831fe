/*
 * Time zones from TZif files (RFC 8536). The transitions of the file and, behind them,
 * those that its footer's rule makes up to the year 2200 become one sorted table; an
 * index of equal stretches of time makes a lookup a step or two instead of a search. What
 * changes only the name of the time (not the offset) is left out. Instants after 2200
 * keep the last offset: base/calendar.h accepts none.
 */
#include "base/zone.h"

#include <stdlib.h>
#include <string.h>

#include "base/civil.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/memory.h"
#include "base/zone_rule.h"

enum {
    ZONE_FILE_BYTES = 1 << 20,     /* the longest real file has 4 KiB */
    ZONE_TRANSITIONS = 8192,       /* the longest real table has 240 */
    ZONE_LARGEST_OFFSET_S = 93600, /* 26 h: RFC 8536 section 3.2 */
    ZONE_FIRST_YEAR = 1899,
    ZONE_LAST_YEAR = 2200,
    ZONE_NAME_BYTES = 128,
    STRETCH_BITS = 22, /* 2^22 s, about 48 days */
    STRETCHES = 2280
};

/* Transitions are not earlier than -2^59 (RFC 8536 section 3.2); nor later, so that sums
 * with offsets and the year of one stay within their types. */
#define LARGEST_TIME_S (INT64_C(1) << 59)

/* 1899-12-01T00:00:00Z, where the index begins. */
static const int64_t index_from_s = INT64_C(-2211667200);

typedef struct transition {
    int64_t at_s;     /* UTC */
    int32_t offset_s; /* from then on */
} transition;

struct zone {
    char name[ZONE_NAME_BYTES];
    int32_t first_offset_s; /* before the first transition */
    transition *table;
    size_t n, capacity;
    uint16_t index[STRETCHES]; /* transitions at or before the stretch's start */
};

/* ---- lookups ---- */

/* How many transitions lie at or before an instant. */
static size_t passed(const zone *z, int64_t utc_s)
{
    size_t i = 0;
    if (utc_s >= index_from_s) {
        int64_t stretch = (utc_s - index_from_s) >> STRETCH_BITS;
        i = z->index[stretch < STRETCHES ? stretch : STRETCHES - 1];
    }
    while (i < z->n && z->table[i].at_s <= utc_s)
        i++;
    return i;
}

static int32_t offset_of(const zone *z, size_t n_passed)
{
    return n_passed ? z->table[n_passed - 1].offset_s : z->first_offset_s;
}

int32_t zone_offset_at(const zone *z, int64_t utc_s)
{
    return z ? offset_of(z, passed(z, utc_s)) : 0;
}

int64_t zone_next_change_s(const zone *z, int64_t utc_s)
{
    size_t i = z ? passed(z, utc_s) : 0;
    return z && i < z->n ? z->table[i].at_s : INT64_MAX;
}

int32_t zone_offset_s(const zone *z, int64_t time_us)
{
    return zone_offset_at(z, floor_divide(time_us, US_PER_SECOND));
}

/* Walks the stretches of constant offset near the local time: one that holds it gives an
 * instant; two may (clocks set back); none does inside a gap, which is then the
 * transition that jumps over it. */
int64_t zone_local_to_utc(const zone *z, int64_t local_s, zone_repeat repeat,
                          zone_gap gap)
{
    if (!z) return local_s;
    int64_t found = 0, skipped = local_s;
    bool any = false;
    for (size_t i = passed(z, local_s - ZONE_LARGEST_OFFSET_S); i <= z->n; i++) {
        int32_t offset = offset_of(z, i);
        int64_t utc = local_s - offset;
        bool begun = i == 0 || utc >= z->table[i - 1].at_s;
        bool ended = i < z->n && utc >= z->table[i].at_s;
        if (begun && !ended) {
            found = utc;
            any = true;
            if (repeat == ZONE_REPEAT_EARLIER) return found;
        }
        if (i == z->n || z->table[i].at_s > local_s + ZONE_LARGEST_OFFSET_S) break;
        if (!ended || local_s >= z->table[i].at_s + z->table[i].offset_s) continue;
        /* A jump over it comes before any later stretch that holds it. */
        if (gap == ZONE_GAP_EDGE && !any) return z->table[i].at_s;
        skipped = utc;
    }
    return any ? found : skipped;
}

const char *zone_name(const zone *z)
{
    return z ? z->name : "UTC";
}

/* ---- the table ---- */

/* Adds a transition behind the others, so that the table is in order whatever is added: one
 * that is not later than the last takes its place (a summer that ends after the next began
 * goes on), one that changes nothing is left out. */
static bool add_transition(zone *z, int64_t at_s, int32_t offset_s)
{
    while (z->n > 0 && z->table[z->n - 1].at_s >= at_s)
        z->n--;
    if (offset_of(z, z->n) == offset_s) return true;
    if (!mem_reserve((void **)&z->table, &z->capacity, z->n + 1, sizeof *z->table))
        return false;
    z->table[z->n++] = (transition){.at_s = at_s, .offset_s = offset_s};
    return true;
}

/* Continues the table by the footer's rule from behind `after_s`. */
static bool add_rule(zone *z, const zone_rule *rule, int64_t after_s)
{
    if (after_s >= civil_to_days(ZONE_LAST_YEAR + 1, 1, 1) * SECONDS_PER_DAY) return true;
    int year = ZONE_FIRST_YEAR;
    if (after_s > civil_to_days(year, 1, 1) * SECONDS_PER_DAY)
        /* A change that belongs to the year before may lie in this one. */
        year = civil_from_days(floor_divide(after_s, SECONDS_PER_DAY)).year - 1;
    if (!rule->has_summer)
        return after_s != INT64_MIN || z->n > 0 ||
               add_transition(z, INT64_MIN, rule->standard_s);
    for (; year <= ZONE_LAST_YEAR; year++) {
        int64_t start, end;
        zone_rule_changes(rule, year, &start, &end);
        bool start_first = start < end;
        transition pair[2] = {
            {start_first ? start : end, start_first ? rule->summer_s : rule->standard_s},
            {start_first ? end : start, start_first ? rule->standard_s : rule->summer_s}};
        for (int i = 0; i < 2; i++) {
            if (pair[i].at_s > after_s &&
                !add_transition(z, pair[i].at_s, pair[i].offset_s))
                return false;
        }
    }
    return true;
}

static void make_index(zone *z)
{
    size_t i = 0;
    for (size_t stretch = 0; stretch < STRETCHES; stretch++) {
        int64_t from = index_from_s + ((int64_t)stretch << STRETCH_BITS);
        while (i < z->n && z->table[i].at_s <= from)
            i++;
        z->index[stretch] = (uint16_t)i;
    }
}

/* ---- the file ---- */

/* RFC 8536 section 3.1: 44 bytes, then the data block whose parts the counts size. */
typedef struct tzif_block {
    unsigned char version;
    uint32_t isut, isstd, leap, times, types, chars;
    const unsigned char *data;
    uint64_t data_bytes;
} tzif_block;

enum { TZIF_HEADER_BYTES = 44 };

static uint32_t load_32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t load_time(const unsigned char *p, size_t time_bytes)
{
    if (time_bytes == 4) return (int32_t)load_32(p);
    return (int64_t)((uint64_t)load_32(p) << 32 | load_32(p + 4));
}

/* Reads the header at p and finds the extent of its data; false when they do not fit. */
static bool read_block(tzif_block *b, const unsigned char *p, size_t n, size_t time_bytes)
{
    if (n < TZIF_HEADER_BYTES || memcmp(p, "TZif", 4) != 0) return false;
    *b = (tzif_block){.version = p[4], .data = p + TZIF_HEADER_BYTES};
    b->isut = load_32(p + 20);
    b->isstd = load_32(p + 24);
    b->leap = load_32(p + 28);
    b->times = load_32(p + 32);
    b->types = load_32(p + 36);
    b->chars = load_32(p + 40);
    b->data_bytes = (uint64_t)b->times * (time_bytes + 1) + (uint64_t)b->types * 6 +
                    b->chars + (uint64_t)b->leap * (time_bytes + 4) + b->isstd + b->isut;
    return b->data_bytes <= n - TZIF_HEADER_BYTES;
}

static bool type_offset(const unsigned char *types, uint32_t type, int32_t *offset_s)
{
    int32_t offset = (int32_t)load_32(types + (size_t)type * 6);
    *offset_s = offset;
    return offset > -ZONE_LARGEST_OFFSET_S && offset < ZONE_LARGEST_OFFSET_S;
}

static pf_status read_transitions(zone *z, const tzif_block *b, size_t time_bytes,
                                  int64_t *last_s, pf_error *err)
{
    const unsigned char *times = b->data, *which = times + b->times * time_bytes;
    const unsigned char *types = which + b->times;
    if (!type_offset(types, 0, &z->first_offset_s))
        return error_set(err, PF_DATA, "an offset from UTC is not within 26 hours");
    for (size_t i = 0; i < b->times; i++) {
        int64_t at = load_time(times + i * time_bytes, time_bytes);
        int32_t offset = 0;
        if (at < -LARGEST_TIME_S || at > LARGEST_TIME_S)
            return error_set(err, PF_DATA, "a transition lies outside of all time");
        if (i > 0 && at <= *last_s)
            return error_set(err, PF_DATA, "the transitions are not in order");
        if (which[i] >= b->types || !type_offset(types, which[i], &offset))
            return error_set(err, PF_DATA, "a transition to a wrong kind of time");
        if (!add_transition(z, at, offset))
            return error_set(err, PF_NO_MEMORY, "no memory for a time zone");
        *last_s = at;
    }
    return PF_OK;
}

/* The footer: a rule between two line ends, or nothing between them. */
static pf_status read_footer(zone *z, const unsigned char *p, size_t n, int64_t last_s,
                             pf_error *err)
{
    const unsigned char *close = n > 1 ? memchr(p + 1, '\n', n - 1) : NULL;
    if (!close || p[0] != '\n')
        return error_set(err, PF_DATA, "the rule at the file's end is cut short");
    size_t length = (size_t)(close - p) - 1;
    if (length == 0) return PF_OK;
    zone_rule rule;
    if (!zone_rule_parse(&rule, (const char *)p + 1, length))
        return error_set(err, PF_DATA, "the rule at the file's end cannot be read");
    if (!add_rule(z, &rule, last_s))
        return error_set(err, PF_NO_MEMORY, "no memory for a time zone");
    return PF_OK;
}

static pf_status read_file(zone *z, const unsigned char *p, size_t n, pf_error *err)
{
    tzif_block b;
    size_t time_bytes = 4;
    if (n < 4 || memcmp(p, "TZif", 4) != 0)
        return error_set(err, PF_DATA, "not a time zone file (it must begin with TZif)");
    if (!read_block(&b, p, n, time_bytes))
        return error_set(err, PF_DATA, "the file is cut short");
    if (b.version >= '2') {
        size_t skip = TZIF_HEADER_BYTES + (size_t)b.data_bytes;
        p += skip;
        n -= skip;
        time_bytes = 8;
        if (!read_block(&b, p, n, time_bytes))
            return error_set(err, PF_DATA, "the file is cut short");
    }
    if (b.leap > 0)
        return error_set(err, PF_DATA,
                         "it counts leap seconds; use the zone without right/ in front");
    if (b.types == 0 || b.types > 256 || b.times > ZONE_TRANSITIONS)
        return error_set(err, PF_DATA,
                         "it has no kinds of time, or too many transitions");
    int64_t last_s = INT64_MIN;
    pf_status status = read_transitions(z, &b, time_bytes, &last_s, err);
    if (status != PF_OK || time_bytes == 4) return status;
    size_t skip = TZIF_HEADER_BYTES + (size_t)b.data_bytes;
    return read_footer(z, p + skip, n - skip, last_s, err);
}

pf_status zone_from_bytes(zone **out, const void *bytes, size_t n, pf_error *err)
{
    *out = NULL;
    zone *z = mem_alloc_zero(1, sizeof *z);
    if (!z) return error_set(err, PF_NO_MEMORY, "no memory for a time zone");
    pf_status status = read_file(z, bytes, n, err);
    if (status != PF_OK) {
        zone_free(z);
        return status;
    }
    make_index(z);
    *out = z;
    return PF_OK;
}

static bool name_is_safe(const char *name)
{
    size_t n = strlen(name);
    if (n == 0 || n >= ZONE_NAME_BYTES || name[0] == '/') return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                        "0123456789_+-/") == n;
}

/* UTC needs no file. */
static pf_status open_utc(zone **out, pf_error *err)
{
    *out = mem_alloc_zero(1, sizeof **out);
    if (!*out) return error_set(err, PF_NO_MEMORY, "no memory for a time zone");
    memcpy((*out)->name, "UTC", sizeof "UTC");
    return PF_OK;
}

pf_status zone_open(zone **out, const char *name, pf_error *err)
{
    *out = NULL;
    if (!name_is_safe(name))
        return error_set(err, PF_NOT_FOUND, "'%.64s' is no name of a time zone", name);
    if (strcmp(name, "UTC") == 0) return open_utc(out, err);
    const char *folder = getenv("TZDIR");
    if (!folder || !folder[0]) folder = "/usr/share/zoneinfo";
    if (!file_is_folder(folder))
        return error_set(err, PF_UNAVAILABLE,
                         "there are no time zones in %s: install the package tzdata",
                         folder);
    char path[4096];
    pf_status status = file_join_path(path, sizeof path, folder, name, err);
    if (status != PF_OK) return status;
    if (!file_exists(path) || file_is_folder(path))
        return error_set(
            err, PF_NOT_FOUND,
            "there is no time zone '%s' in %s (names look like Europe/Paris)", name,
            folder);
    char *bytes = NULL;
    size_t n = 0;
    status = file_read_whole(&bytes, &n, path, ZONE_FILE_BYTES, err);
    if (status == PF_OK) status = zone_from_bytes(out, bytes, n, err);
    mem_free(bytes);
    if (status != PF_OK)
        error_prefix(err, "time zone '%s'", name);
    else
        memcpy((*out)->name, name, strlen(name) + 1);
    return status;
}

void zone_free(zone *z)
{
    if (!z) return;
    mem_free(z->table);
    mem_free(z);
}
