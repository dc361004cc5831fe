/* Figures of single promotions on the coupon shop's replayed replays, against plain sums. */
#include "check.h"

#include <math.h>
#include <string.h>

#include "evaluate/response_pairs.h"
#include "fixtures/coupon_shop.h"

static coupon_shop shop;
static response_data *data;
static response_replay *replays;

static int make(void **state)
{
    (void)state;
    const response_options o = {.learner = RESPONSE_LOGISTIC, .seed = 1};
    coupon_shop_make(&shop);
    for (uint32_t k = 1; k <= COUPON_CAMPAIGNS; k++)
        shop.campaigns[k].kind = k % 2 ? "odd" : "even";
    const response_world world = {.catalogue = &shop.c, .history = shop.h};
    assert_int_equal(response_data_new(&world, &data, NULL), PF_OK);
    assert_int_equal(response_replay_new(&replays, data, INT64_MIN, &o, NULL), PF_OK);
    return 0;
}

static int unmake(void **state)
{
    (void)state;
    response_replay_free(replays);
    response_data_free(data);
    coupon_shop_free(&shop);
    return 0;
}

static response_pairs measure(void)
{
    response_pairs found;
    pf_error err = {0};
    if (response_pairs_measure(&found, replays, 100, 1, NULL, &err) != PF_OK)
        fail_msg("%s", err.message);
    return found;
}

static bool near(double x, double y)
{
    return fabs(x - y) <= 1e-9 * fmax(1, fabs(y));
}

static void all_pairs_are_counted_once(void **state)
{
    (void)state;
    response_pairs found = measure();
    double p = 0, plain = 0, uses = 0;
    size_t rows = 0;
    for (size_t i = 0; i < response_replay_count(replays); i++) {
        const replayed *c = response_replay_at(replays, i);
        size_t n = c->n_shoppers * c->n_promotions;
        for (size_t k = 0; k < n; k++) {
            p += (double)c->p[k] * c->seen;
            plain += (double)c->plain[k] * c->seen;
            uses += c->used[k];
        }
        rows += n;
    }
    assert_int_equal(found.all.own.rows, rows);
    assert_true(near(found.all.own.uses, uses) && near(found.all.own.sum_ratio, p / uses));
    assert_true(near(found.all.plain.sum_ratio, plain / uses));
    assert_true(found.all.own.low < p / uses && found.all.own.high > p / uses);
}

static void kinds_are_parts_of_all(void **state)
{
    (void)state;
    response_pairs found = measure();
    double uses = 0, said = 0;
    size_t rows = 0;
    assert_int_equal(found.n_kinds, 2);
    assert_string_equal(found.kind[0].name, "money_off in even"); /* the second campaign's */
    assert_string_equal(found.kind[1].name, "money_off in odd");
    for (size_t k = 0; k < 2; k++) {
        const pair_figures *f = &found.kind[k].result.own;
        rows += f->rows;
        uses += f->uses;
        said += f->sum_ratio * f->uses;
        assert_true(f->ece >= 0 && f->ece < 0.1 && f->log_loss > 0);
    }
    assert_int_equal(rows, found.all.own.rows);
    assert_true(near(uses, found.all.own.uses));
    assert_true(near(said / uses, found.all.own.sum_ratio));
}

static void the_chosen_are_each_shoppers_best(void **state)
{
    (void)state;
    response_pairs found = measure();
    double said[2] = {0, 0}, uses[2] = {0, 0};
    size_t rows = 0;
    for (size_t i = 0; i < response_replay_count(replays); i++) {
        const replayed *c = response_replay_at(replays, i);
        const size_t P = c->n_promotions;
        for (size_t s = 0; s < c->n_shoppers; s++, rows++)
            for (int spend = 0; spend < 2; spend++) {
                double most = -1;
                size_t best = 0;
                for (size_t k = s * P; k < (s + 1) * P; k++) {
                    double v = (double)c->p[k] * (spend ? (double)c->spend[k] : 1);
                    if (v > most) {
                        most = v;
                        best = k;
                    }
                }
                said[spend] += (double)c->p[best] * c->seen;
                uses[spend] += c->used[best];
            }
    }
    assert_int_equal(found.best.own.rows, rows);
    assert_true(near(found.best.own.sum_ratio, said[0] / uses[0]));
    assert_true(near(found.best_spend.own.sum_ratio, said[1] / uses[1]));
}

static void figures_are_written_by_name(void **state)
{
    (void)state;
    response_pairs found = measure();
    buffer b;
    json_writer w;
    buffer_init(&b, 1 << 16);
    json_begin(&w, &b);
    json_object_begin(&w);
    response_pairs_write(&found, &w);
    json_object_end(&w);
    assert_true(json_finish(&w));
    char *words = mem_copy_text(b.data, b.length);
    assert_non_null(strstr(words, "\"chosen\":{\"rows\":"));
    assert_non_null(strstr(words, "\"kind\":\"money_off in odd\""));
    assert_non_null(strstr(words, "\"before_correction\":{\"all\":"));
    mem_free(words);
    buffer_free(&b);
}

static void every_failed_allocation_is_told(void **state)
{
    (void)state;
    fault f = {0};
    while (fault_next(&f)) {
        response_pairs found;
        pf_status s = response_pairs_measure(&found, replays, 2, 1, NULL, NULL);
        if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
    }
    assert_true(f.n > 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_pairs_are_counted_once),
        cmocka_unit_test(kinds_are_parts_of_all),
        cmocka_unit_test(the_chosen_are_each_shoppers_best),
        cmocka_unit_test(figures_are_written_by_name),
        cmocka_unit_test(every_failed_allocation_is_told),
    };
    return cmocka_run_group_tests(tests, make, unmake);
}
