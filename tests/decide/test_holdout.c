/* decide/holdout.h: sticky, growing by adding, and of each salt its own. */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "decide/holdout.h"
#include "measure/distribution.h"

enum { SHOPPERS = 20000, SALTS = 6 };

static void name_shopper(int i, char into[16])
{
    (void)snprintf(into, 16, "S-%d", i);
}

static void a_shopper_stays_for_as_long_as_the_salt_stays(void **state)
{
    (void)state;
    char id[16];
    unsigned held = 0;
    for (int i = 0; i < SHOPPERS; i++) {
        name_shopper(i, id);
        const bool in = holdout_has("spring", .1, id);
        assert_true(in == holdout_has("spring", .1, id));
        assert_true(in == (hash_share("spring", id) < .1));
        held += in;
    }
    /* 2,000 expected, standard deviation 42 */
    assert_in_range(held, 2000 - 4 * 42, 2000 + 4 * 42);
}

static void a_larger_share_only_adds(void **state)
{
    (void)state;
    char id[16];
    for (int i = 0; i < SHOPPERS; i++) {
        name_shopper(i, id);
        bool before = false;
        for (int percent = 0; percent <= 100; percent += 5) {
            const bool in = holdout_has("spring", percent / 100.0, id);
            assert_true(in || !before);
            if (percent == 0) assert_false(in);
            if (percent == 100) assert_true(in);
            before = in;
        }
    }
}

static void make_salt(int k, char into[HOLDOUT_SALT_BYTES])
{
    static const char *const campaigns[SALTS] = {"", "1", "2", "11", "mail", "Mail"};
    if (k == 0)
        (void)snprintf(into, HOLDOUT_SALT_BYTES, "spring");
    else
        holdout_campaign_salt("spring", campaigns[k], into);
}

/* Being held out by one salt says nothing of another: chi-square of the two-by-two table, for
 * the global holdout and five campaigns, p above .0005 in each of 15 pairs. */
static void holdouts_of_different_salts_are_independent(void **state)
{
    (void)state;
    char salt[SALTS][HOLDOUT_SALT_BYTES], id[16];
    double table[SALTS][SALTS][2][2] = {0};
    for (int k = 0; k < SALTS; k++)
        make_salt(k, salt[k]);
    for (int i = 0; i < SHOPPERS; i++) {
        bool in[SALTS];
        name_shopper(i, id);
        for (int k = 0; k < SALTS; k++)
            in[k] = holdout_has(salt[k], .2, id);
        for (int k = 0; k < SALTS; k++)
            for (int m = 0; m < k; m++)
                table[k][m][in[k]][in[m]]++;
    }
    for (int k = 0; k < SALTS; k++)
        for (int m = 0; m < k; m++) {
            double(*t)[2] = table[k][m];
            const double a = t[0][0], b = t[0][1], c = t[1][0], d = t[1][1];
            const double chi = SHOPPERS * (a * d - b * c) * (a * d - b * c) /
                               ((a + b) * (c + d) * (a + c) * (b + d));
            assert_true(chi_square_above(chi, 1) > .0005);
        }
}

static void campaigns_and_salts_do_not_run_into_each_other(void **state)
{
    (void)state;
    char a[HOLDOUT_SALT_BYTES], b[HOLDOUT_SALT_BYTES], same[HOLDOUT_SALT_BYTES];
    holdout_campaign_salt("ab", "c", a);
    holdout_campaign_salt("a", "bc", b);
    holdout_campaign_salt("ab", "c", same);
    assert_string_not_equal(a, b);
    assert_string_equal(a, same);
    assert_int_equal(strlen(a), HOLDOUT_SALT_BYTES - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shopper_stays_for_as_long_as_the_salt_stays),
        cmocka_unit_test(a_larger_share_only_adds),
        cmocka_unit_test(holdouts_of_different_salts_are_independent),
        cmocka_unit_test(campaigns_and_salts_do_not_run_into_each_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
