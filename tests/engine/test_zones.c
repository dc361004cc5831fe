/*
 * Protects the zones that shoppers are written to in: each opened once, the right one for each,
 * none where a shopper has none, and one warning where a name is none.
 */
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/zones.h"

enum { MOST = 8 };

static shopper list[MOST + 1];

/* A catalogue of shoppers with these zones; "-" is a number that nobody has any more. */
static shop_catalogue shoppers_in(const char *const *names, uint32_t n)
{
    memset(list, 0, sizeof list);
    for (uint32_t i = 1; i <= n; i++)
        list[i] = (shopper){.id = "x",
                            .zone = names[i - 1],
                            .exists = names[i - 1] == NULL || names[i - 1][0] != '-'};
    return (shop_catalogue){.shoppers = list, .n_shoppers = n};
}

/* 2026-07-01, noon. */
static int32_t summer_offset(const zone *z)
{
    return zone_offset_s(z, INT64_C(1782907200) * 1000000);
}

static void everybody_gets_the_own_zone_and_each_is_opened_once(void **state)
{
    (void)state;
    static const char *const names[] = {"Europe/Berlin", "America/New_York", "Europe/Berlin",
                                        "", NULL};
    const shop_catalogue c = shoppers_in(names, 5);
    zones z;
    assert_int_equal(zones_open(&z, &c, NULL), PF_OK);
    assert_int_equal(z.n, 2);
    assert_int_equal(summer_offset(z.of[1]), 2 * 3600);
    assert_int_equal(summer_offset(z.of[2]), -4 * 3600);
    assert_ptr_equal(z.of[1], z.of[3]);
    assert_null(z.of[4]);
    assert_null(z.of[5]);
    assert_null(z.of[0]);
    zones_close(&z);
    assert_null(z.of);
    zones_close(&z); /* empty is fine */
}

static void whoever_was_forgotten_needs_none(void **state)
{
    (void)state;
    static const char *const names[] = {"-Europe/Berlin", "Asia/Kolkata"};
    const shop_catalogue c = shoppers_in(names, 2);
    zones z;
    assert_int_equal(zones_open(&z, &c, NULL), PF_OK);
    assert_int_equal(z.n, 1);
    assert_null(z.of[1]);
    assert_int_equal(summer_offset(z.of[2]), 5 * 3600 + 1800);
    zones_close(&z);
}

static void a_shop_without_shoppers_has_no_zones(void **state)
{
    (void)state;
    const shop_catalogue c = shoppers_in(NULL, 0);
    zones z;
    assert_int_equal(zones_open(&z, &c, NULL), PF_OK);
    assert_int_equal(z.n, 0);
    zones_close(&z);
}

/* What is said on stderr meanwhile; one block, valid until the next call. */
static const char *said_while_opening(const shop_catalogue *c, zones *z)
{
    static char said[1024];
    char path[] = "/tmp/proffer-test-zones-XXXXXX";
    const int file = mkstemp(path), before = dup(STDERR_FILENO);
    assert_true(file >= 0 && before >= 0);
    log_set_level(LOG_WARNING);
    (void)fflush(stderr);
    assert_true(dup2(file, STDERR_FILENO) >= 0);
    const pf_status s = zones_open(z, c, NULL);
    (void)fflush(stderr);
    assert_true(dup2(before, STDERR_FILENO) >= 0);
    const ssize_t n = pread(file, said, sizeof said - 1, 0);
    said[n > 0 ? n : 0] = 0;
    (void)close(file);
    (void)close(before);
    (void)remove(path);
    assert_int_equal(s, PF_OK);
    return said;
}

static void a_name_that_is_no_zone_is_told_once_and_counts_as_none(void **state)
{
    (void)state;
    static const char *const names[] = {"Mars/Base", "Europe/Berlin", "Mars/Base", "../etc"};
    const shop_catalogue c = shoppers_in(names, 4);
    zones z;
    const char *said = said_while_opening(&c, &z);
    assert_non_null(strstr(said, "the time zone of 3 shoppers, such as "));
    assert_non_null(strstr(said, "the shop's is used"));
    assert_int_equal(strchr(said, '\n') - said + 1, strlen(said)); /* one line */
    assert_null(z.of[1]);
    assert_null(z.of[3]);
    assert_null(z.of[4]);
    assert_int_equal(summer_offset(z.of[2]), 2 * 3600);
    zones_close(&z);
    const shop_catalogue one = shoppers_in(names, 1);
    said = said_while_opening(&one, &z);
    assert_non_null(strstr(said, "of 1 shopper, such as 'Mars/Base'"));
    zones_close(&z);
    static const char *const good[] = {"Europe/Berlin"};
    const shop_catalogue two = shoppers_in(good, 1);
    assert_string_equal(said_while_opening(&two, &z), "");
    zones_close(&z);
}

static void every_failed_allocation_is_told_and_leaks_nothing(void **state)
{
    (void)state;
    static const char *const names[] = {"Europe/Berlin", "America/New_York", "Asia/Tokyo"};
    const shop_catalogue c = shoppers_in(names, 3);
    fault f = {0};
    while (fault_next(&f)) {
        zones z;
        pf_error err = {.code = PF_OK};
        const pf_status s = zones_open(&z, &c, &err);
        if (fault_reached(&f)) {
            assert_int_equal(s, PF_NO_MEMORY);
            assert_null(z.of);
            assert_null(z.open);
        }
        zones_close(&z);
    }
    assert_true(f.n > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_gets_the_own_zone_and_each_is_opened_once),
        cmocka_unit_test(whoever_was_forgotten_needs_none),
        cmocka_unit_test(a_shop_without_shoppers_has_no_zones),
        cmocka_unit_test(a_name_that_is_no_zone_is_told_once_and_counts_as_none),
        cmocka_unit_test(every_failed_allocation_is_told_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
