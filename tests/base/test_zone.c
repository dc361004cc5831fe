/*
 * base/calendar.h, zones: every zone of the system against the C library over three
 * centuries, local times against a search by brute force, and broken files.
 */
#include "check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/calendar.h"
#include "base/civil.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/zone.h"

enum { ZONES_MAX = 1000, NAME_BYTES = 128 };

static const char *const folder = "/usr/share/zoneinfo";
static const int64_t from_s = INT64_C(-2208988800), to_s = INT64_C(7258118400);

/* The zones of the system, one of each content. */
static struct {
    char name[NAME_BYTES];
    fingerprint content;
} zones[ZONES_MAX];
static size_t n_zones;

static void remember_zone(const char *name, const char *path)
{
    char *bytes;
    size_t n;
    if (file_read_whole(&bytes, &n, path, 1 << 20, NULL) != PF_OK) return;
    fingerprint f = fingerprint_of(bytes, n);
    bool wanted = n > 4 && memcmp(bytes, "TZif", 4) == 0 && n_zones < ZONES_MAX;
    for (size_t i = 0; wanted && i < n_zones; i++)
        wanted = memcmp(&zones[i].content, &f, sizeof f) != 0;
    mem_free(bytes);
    if (!wanted || strlen(name) >= NAME_BYTES) return;
    memcpy(zones[n_zones].name, name, strlen(name) + 1);
    zones[n_zones++].content = f;
}

static void find_zones(const char *under)
{
    char path[1024], name[512];
    snprintf(path, sizeof path, "%s/%s", folder, under);
    DIR *d = opendir(path);
    struct dirent *entry;
    while (d && (entry = readdir(d)) != NULL) {
        if (strchr(entry->d_name, '.') || strcmp(entry->d_name, "right") == 0 ||
            strcmp(entry->d_name, "posix") == 0)
            continue;
        snprintf(name, sizeof name, "%s%s%s", under, under[0] ? "/" : "", entry->d_name);
        snprintf(path, sizeof path, "%s/%s", folder, name);
        if (file_is_folder(path))
            find_zones(name);
        else
            remember_zone(name, path);
    }
    if (d) closedir(d);
}

static int find_all_zones(void **state)
{
    (void)state;
    find_zones("");
    return n_zones > 100 ? 0 : -1;
}

static zone *open_zone(const char *name)
{
    zone *z = NULL;
    pf_error err = {0};
    if (zone_open(&z, name, &err) != PF_OK) fail_msg("%s", err.message);
    return z;
}

static void check_against_libc(const zone *z, const char *name, int64_t utc_s)
{
    time_t t = (time_t)utc_s;
    struct tm local;
    assert_non_null(localtime_r(&t, &local));
    if (local.tm_gmtoff != zone_offset_at(z, utc_s))
        fail_msg("%s at %lld: %d, C library %ld", name, (long long)utc_s,
                 zone_offset_at(z, utc_s), local.tm_gmtoff);
}

/* Calls act at every transition: found on a grid, then by halving. */
static void at_transitions(const zone *z, const char *name,
                           void (*act)(const zone *, const char *, int64_t))
{
    enum { GRID_S = 12 * 3600 };
    int32_t offset = zone_offset_at(z, from_s);
    for (int64_t t = from_s; t < to_s; t += GRID_S) {
        if (zone_offset_at(z, t + GRID_S) == offset) continue;
        int64_t low = t, high = t + GRID_S;
        while (high - low > 1) {
            int64_t middle = low + (high - low) / 2;
            if (zone_offset_at(z, middle) == offset)
                low = middle;
            else
                high = middle;
        }
        act(z, name, high);
        offset = zone_offset_at(z, t + GRID_S);
    }
}

static void libc_around(const zone *z, const char *name, int64_t at)
{
    for (int64_t d = -2; d <= 2; d++)
        check_against_libc(z, name, at + d);
    check_against_libc(z, name, at - 3 * SECONDS_PER_DAY);
    check_against_libc(z, name, at + 3 * SECONDS_PER_DAY);
}

static void every_zone_agrees_with_the_c_library(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_zones; i++) {
        zone *z = open_zone(zones[i].name);
        assert_string_equal(zone_name(z), zones[i].name);
        setenv("TZ", zones[i].name, 1);
        tzset();
        at_transitions(z, zones[i].name, libc_around);
        /* A grid of its own sees a change that we would miss. */
        for (int64_t t = from_s; t < to_s; t += 9 * SECONDS_PER_DAY + 7919)
            check_against_libc(z, zones[i].name, t);
        zone_free(z);
    }
    unsetenv("TZ");
    tzset();
}

/* The instants of a local time, by trying every offset the zone has within two days. */
static size_t by_brute_force(const zone *z, int64_t local_s, int64_t found[2])
{
    size_t n = 0;
    int32_t tried[64];
    size_t n_tried = 0;
    for (int64_t t = local_s - 2 * SECONDS_PER_DAY; t <= local_s + 2 * SECONDS_PER_DAY;
         t += 900) {
        int32_t offset = zone_offset_at(z, t);
        bool fresh = true;
        for (size_t i = 0; i < n_tried; i++)
            fresh = fresh && tried[i] != offset;
        if (!fresh || n_tried == 64) continue;
        tried[n_tried++] = offset;
        if (zone_offset_at(z, local_s - offset) == offset && n < 2)
            found[n++] = local_s - offset;
    }
    if (n == 2 && found[0] > found[1]) {
        int64_t swap = found[0];
        found[0] = found[1];
        found[1] = swap;
    }
    return n;
}

static void check_local(const zone *z, const char *name, int64_t local_s)
{
    int64_t found[2] = {0, 0};
    size_t n = by_brute_force(z, local_s, found);
    int64_t early = zone_local_to_utc(z, local_s, ZONE_REPEAT_EARLIER, ZONE_GAP_FORWARD);
    int64_t late = zone_local_to_utc(z, local_s, ZONE_REPEAT_LATER, ZONE_GAP_FORWARD);
    int64_t edge = zone_local_to_utc(z, local_s, ZONE_REPEAT_EARLIER, ZONE_GAP_EDGE);
    if (n > 0) {
        if (early != found[0] || late != found[n - 1] || edge != early)
            fail_msg("%s, local %lld", name, (long long)local_s);
        return;
    }
    /* A gap: moved on by its length; the edge is the instant at which it was jumped. */
    int32_t before = zone_offset_at(z, edge - 1), after = zone_offset_at(z, edge);
    assert_int_equal(early, late);
    assert_int_equal(early, local_s - before);
    assert_true(after > before);
    assert_true(edge - 1 + before < local_s && local_s < edge + after);
}

static void local_around(const zone *z, const char *name, int64_t at)
{
    static const int64_t steps[] = {-90000, -7200, -3600, -1800, -1,   0,
                                    1,      1800,  3600,  7200,  90000};
    int32_t before = zone_offset_at(z, at - 1), after = zone_offset_at(z, at);
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        check_local(z, name, at + before + steps[i]);
        check_local(z, name, at + after + steps[i]);
    }
}

static void midnight_around(const zone *z, const char *name, int64_t at)
{
    for (int64_t hours = -36; hours <= 36; hours += 4) {
        int64_t us = (at + hours * 3600) * US_PER_SECOND;
        int64_t day = calendar_day(us, z), start = calendar_midnight_us(us, z);
        if (start > us || calendar_day(start, z) != day ||
            calendar_day(start - 1, z) >= day)
            fail_msg("%s: the day %lld does not begin where it should", name,
                     (long long)day);
    }
}

static void local_and_midnight_around(const zone *z, const char *name, int64_t at)
{
    local_around(z, name, at);
    midnight_around(z, name, at);
}

/* One zone in seven: the search by brute force is slow. */
static void local_times_agree_with_brute_force(void **state)
{
    (void)state;
    for (size_t i = 0; i < n_zones; i += 7) {
        zone *z = open_zone(zones[i].name);
        at_transitions(z, zones[i].name, local_and_midnight_around);
        zone_free(z);
    }
}

static void utc_needs_no_file_and_null_is_utc(void **state)
{
    (void)state;
    setenv("TZDIR", "/dev/null/zones", 1);
    zone *z = open_zone("UTC");
    assert_int_equal(zone_offset_s(z, INT64_MAX), 0);
    assert_int_equal(zone_offset_s(NULL, 5), 0);
    assert_string_equal(zone_name(z), "UTC");
    assert_string_equal(zone_name(NULL), "UTC");
    pf_error err = {0};
    zone *none = z;
    assert_int_equal(zone_open(&none, "Europe/Paris", &err), PF_UNAVAILABLE);
    assert_non_null(strstr(err.message, "tzdata"));
    assert_null(none);
    unsetenv("TZDIR");
    zone_free(z);
    zone_free(NULL);
}

static void names_that_are_none_are_not_opened(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",          "Mars/Olympus",   "../../etc/passwd", "/etc/localtime", "Europe",
        "tzdata.zi", "Europe/Paris\n", "Europe/Par is",    "europe paris"};
    char longest[300];
    memset(longest, 'a', sizeof longest - 1);
    longest[sizeof longest - 1] = '\0';
    for (size_t i = 0; i <= sizeof wrong / sizeof wrong[0]; i++) {
        const char *name = i < sizeof wrong / sizeof wrong[0] ? wrong[i] : longest;
        zone *z = NULL;
        pf_error err = {0};
        assert_int_equal(zone_open(&z, name, &err), PF_NOT_FOUND);
        assert_null(z);
        assert_true(strlen(err.message) > 10);
    }
}

/* ---- files made by hand ---- */

typedef struct made_file {
    unsigned char bytes[512];
    size_t n;
} made_file;

static void put(made_file *f, uint64_t value, size_t bytes)
{
    for (size_t i = bytes; i > 0; i--)
        f->bytes[f->n++] = (unsigned char)(i > 8 ? 0 : value >> (8 * (i - 1)) & 0xFF);
}

static void put_header(made_file *f, char version, uint32_t times, uint32_t types,
                       uint32_t leap)
{
    memcpy(f->bytes + f->n, "TZif", 4);
    f->n += 4;
    put(f, (unsigned char)version, 1);
    put(f, 0, 15);
    put(f, 0, 4);
    put(f, 0, 4);
    put(f, leap, 4);
    put(f, times, 4);
    put(f, types, 4);
    put(f, 4, 4);
}

/* Two transitions between offsets 0 and 3600, at 1000 and 2000. */
static void put_block(made_file *f, char version, size_t time_bytes)
{
    put_header(f, version, 2, 2, 0);
    put(f, 1000, time_bytes);
    put(f, 2000, time_bytes);
    put(f, 1, 1);
    put(f, 0, 1);
    put(f, 0, 4);
    put(f, 0, 2);
    put(f, 3600, 4);
    put(f, 0x0100, 2);
    put(f, 0x41414100, 4);
}

static made_file version_2(const char *footer)
{
    made_file f = {.n = 0};
    put_header(&f, '2', 0, 0, 0);
    put(&f, 0x41414100, 4);
    put_block(&f, '2', 8);
    memcpy(f.bytes + f.n, footer, strlen(footer));
    f.n += strlen(footer);
    return f;
}

static pf_status read_made(const made_file *f, zone **z)
{
    char *exact = mem_copy_text((const char *)f->bytes, f->n);
    pf_status status = zone_from_bytes(z, exact, f->n, NULL);
    mem_free(exact);
    return status;
}

static void both_versions_are_read(void **state)
{
    (void)state;
    made_file one = {.n = 0};
    put_block(&one, '\0', 4);
    made_file two = version_2("\n\n");
    const made_file *files[] = {&one, &two};
    for (int i = 0; i < 2; i++) {
        zone *z;
        assert_int_equal(read_made(files[i], &z), PF_OK);
        assert_int_equal(zone_offset_at(z, 999), 0);
        assert_int_equal(zone_offset_at(z, 1000), 3600);
        assert_int_equal(zone_offset_at(z, 1999), 3600);
        assert_int_equal(zone_offset_at(z, 2000), 0);
        assert_int_equal(zone_offset_at(z, INT64_MAX / 2), 0);
        assert_int_equal(zone_offset_at(z, INT64_MIN / 2), 0);
        zone_free(z);
    }
}

static void the_footer_rules_behind_the_last_transition(void **state)
{
    (void)state;
    zone *z;
    made_file f = version_2("\nEST5EDT,M3.2.0,M11.1.0\n");
    assert_int_equal(read_made(&f, &z), PF_OK);
    int64_t july_2150 = civil_to_days(2150, 7, 1) * SECONDS_PER_DAY;
    int64_t january_2150 = civil_to_days(2150, 1, 1) * SECONDS_PER_DAY;
    assert_int_equal(zone_offset_at(z, july_2150), -14400);
    assert_int_equal(zone_offset_at(z, january_2150), -18000);
    assert_int_equal(zone_offset_at(z, 1500), 3600);
    zone_free(z);
    /* Summer time for ever: RFC 8536's example of a rule that never ends. */
    f = version_2("\nEST5EDT,0/0,J365/25\n");
    assert_int_equal(read_made(&f, &z), PF_OK);
    for (int64_t day = 400; day < 80000; day += 13)
        assert_int_equal(zone_offset_at(z, day * SECONDS_PER_DAY), -14400);
    zone_free(z);
}

/* Found by fuzzing: a half of the year that ends after the next year's has begun never ends;
 * its changes used to stand in the table out of order. */
static void a_summer_that_outlasts_its_year_never_ends(void **state)
{
    (void)state;
    static const struct {
        const char *footer;
        int32_t offset_s;
    } cases[] = {
        {"\nEST5EDT,0/0,J365/52\n", -14400},
        {"\nEST5EDT,J1/0,J365/167\n", -14400},
        {"\nEST5EDT,0/-100,J365/0\n", -14400},
        /* The other way round, winter has no end. */
        {"\nEST5EDT,J365/52,0/0\n", -18000},
        {"\nEST5EDT,J365/167,0/-167\n", -18000},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        made_file f = version_2(cases[i].footer);
        zone *z;
        assert_int_equal(read_made(&f, &z), PF_OK);
        for (int64_t hour = 400 * 24; hour < 80000 * 24; hour += 37) {
            int64_t utc = hour * 3600;
            assert_int_equal(zone_offset_at(z, utc), cases[i].offset_s);
            int64_t local = utc + cases[i].offset_s;
            assert_int_equal(
                zone_local_to_utc(z, local, ZONE_REPEAT_EARLIER, ZONE_GAP_EDGE), utc);
            assert_int_equal(
                zone_local_to_utc(z, local, ZONE_REPEAT_LATER, ZONE_GAP_EDGE), utc);
        }
        zone_free(z);
    }
}

/* Found by fuzzing: the year of a very late transition did not fit its type, and the years
 * from there to 2200 were counted one by one. */
static void a_rule_behind_a_late_transition_is_read_at_once(void **state)
{
    (void)state;
    for (unsigned bits = 32; bits < 59; bits++) {
        made_file f = version_2("\nEST5EDT,M3.2.0,M11.1.0\n");
        uint64_t late = UINT64_C(1) << bits;
        zone *z;
        for (size_t i = 0; i < 8; i++)
            f.bytes[48 + 44 + 8 + i] = (unsigned char)(late >> (8 * (7 - i)) & 0xFF);
        assert_int_equal(read_made(&f, &z), PF_OK);
        assert_int_equal(zone_offset_at(z, (int64_t)late - 1), 3600);
        assert_int_equal(zone_offset_at(z, INT64_MAX / 2), bits < 33 ? -18000 : 0);
        zone_free(z);
    }
}

/* Found by fuzzing: clocks jump over midnight and are set back over it later the same day.
 * The day begins at the jump, not at the midnight that occurs afterwards. */
static void a_day_begins_at_the_jump_although_midnight_comes_later(void **state)
{
    (void)state;
    made_file f = version_2("\n\n");
    zone *z;
    /* Offset -18 h until 1000 s, then +1 h, from 50000 s on -18 h again. */
    enum { DATA = 48 + 44, BEFORE = -18 * 3600 };
    for (size_t i = 0; i < 4; i++)
        f.bytes[DATA + 18 + i] =
            (unsigned char)((uint32_t)BEFORE >> (8 * (3 - i)) & 0xFF);
    f.bytes[DATA + 14] = 50000 >> 8;
    f.bytes[DATA + 15] = 50000 & 0xFF;
    assert_int_equal(read_made(&f, &z), PF_OK);
    assert_int_equal(calendar_midnight_us(20000 * US_PER_SECOND, z),
                     1000 * US_PER_SECOND);
    assert_int_equal(calendar_midnight_us(70000 * US_PER_SECOND, z),
                     1000 * US_PER_SECOND);
    zone_free(z);
}

static void a_file_without_transitions_follows_its_footer(void **state)
{
    (void)state;
    made_file f = {.n = 0};
    put_header(&f, '2', 0, 0, 0);
    put(&f, 0x41414100, 4);
    put_header(&f, '2', 0, 1, 0);
    put(&f, (uint32_t)-18000, 4);
    put(&f, 0, 2);
    put(&f, 0x41414100, 4);
    memcpy(f.bytes + f.n, "\nEST5EDT,M3.2.0,M11.1.0\n", 24);
    f.n += 24;
    zone *z;
    assert_int_equal(read_made(&f, &z), PF_OK);
    assert_int_equal(zone_offset_at(z, civil_to_days(1950, 7, 1) * SECONDS_PER_DAY),
                     -14400);
    assert_int_equal(zone_offset_at(z, civil_to_days(1950, 1, 1) * SECONDS_PER_DAY),
                     -18000);
    zone_free(z);
}

static void a_file_cut_anywhere_is_refused(void **state)
{
    (void)state;
    made_file whole = version_2("\nEST5EDT,M3.2.0,M11.1.0\n");
    for (size_t n = 0; n < whole.n; n++) {
        made_file cut = whole;
        zone *z = NULL;
        cut.n = n;
        assert_int_equal(read_made(&cut, &z), PF_DATA);
        assert_null(z);
    }
}

/* Offsets into version_2: where one byte makes the file wrong. */
static void broken_contents_are_refused(void **state)
{
    (void)state;
    enum { SECOND = 48, DATA = SECOND + 44 };
    static const struct {
        size_t at;
        unsigned char value;
        const char *what;
    } cases[] = {
        {0, 'X', "no magic"},
        {SECOND, 'X', "no second magic"},
        {SECOND + 31, 1, "leap seconds"},
        {SECOND + 35, 99, "more transitions than bytes"},
        {SECOND + 39, 0, "no types"},
        {DATA + 7, 255, "transitions out of order"},
        {DATA + 16, 2, "a type that is not there"},
        {DATA + 8, 0x08, "a transition after the end of time"},
        {DATA + 18, 0x7F, "an offset of years"},
        {DATA + 24, 0x80, "another such offset"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        made_file f = version_2("\n\n");
        zone *z = NULL;
        f.bytes[cases[i].at] = cases[i].value;
        if (i == 5) /* 255 is smaller than 2000: raise the first above it */
            f.bytes[DATA + 6] = 0xFF;
        if (read_made(&f, &z) != PF_DATA) fail_msg("accepted: %s", cases[i].what);
        assert_null(z);
    }
    static const char *const footers[] = {"\n", "", "x\n", "\nEST\n", "\nEST5EDT\n"};
    for (size_t i = 0; i < sizeof footers / sizeof footers[0]; i++) {
        made_file f = version_2(footers[i]);
        zone *z = NULL;
        assert_int_equal(read_made(&f, &z), PF_DATA);
    }
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    fault f = {0};
    while (fault_next(&f)) {
        zone *z = NULL;
        pf_error err = {0};
        pf_status status = zone_open(&z, "America/New_York", &err);
        bool failed = fault_reached(&f);
        assert_int_equal(status, failed ? PF_NO_MEMORY : PF_OK);
        assert_int_equal(z == NULL, failed);
        zone_free(z);
    }
    assert_true(f.n > 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_zone_agrees_with_the_c_library),
        cmocka_unit_test(local_times_agree_with_brute_force),
        cmocka_unit_test(utc_needs_no_file_and_null_is_utc),
        cmocka_unit_test(names_that_are_none_are_not_opened),
        cmocka_unit_test(both_versions_are_read),
        cmocka_unit_test(the_footer_rules_behind_the_last_transition),
        cmocka_unit_test(a_summer_that_outlasts_its_year_never_ends),
        cmocka_unit_test(a_rule_behind_a_late_transition_is_read_at_once),
        cmocka_unit_test(a_day_begins_at_the_jump_although_midnight_comes_later),
        cmocka_unit_test(a_file_without_transitions_follows_its_footer),
        cmocka_unit_test(a_file_cut_anywhere_is_refused),
        cmocka_unit_test(broken_contents_are_refused),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, find_all_zones, NULL);
}
