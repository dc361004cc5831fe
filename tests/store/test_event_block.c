/* store/event_block.h: what is encoded decodes, and bytes that are wrong are refused. */
#include "store/fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/random.h"
#include "shop/record.h"
#include "store/block_units.h"
#include "store/event_block.h"

typedef struct blocks {
    event_columns *in, *out;
    buffer bytes;
    pf_error err;
} blocks;

static int set_up(void **state)
{
    static blocks b;
    b.in = columns_new();
    b.out = columns_new();
    buffer_init(&b.bytes, 1u << 26);
    *state = &b;
    return b.in != NULL && b.out != NULL ? 0 : -1;
}

static int tear_down(void **state)
{
    blocks *b = *state;
    columns_free(b->in);
    columns_free(b->out);
    columns_free(NULL);
    buffer_free(&b->bytes);
    return 0;
}

static event_row plain_row(int64_t time_us)
{
    return (event_row){.time_us = time_us,
                       .paid_minor = MONEY_ABSENT,
                       .discount_minor = MONEY_ABSENT,
                       .coupon_minor = MONEY_ABSENT,
                       .quantity = 1,
                       .rating = NAN,
                       .propensity = NAN,
                       .type = EVENT_PURCHASE};
}

static void push(blocks *b, const event_row *row)
{
    assert_int_equal(columns_push(b->in, row, &b->err), PF_OK);
}

static bool same_double(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static bool same_float(float a, float b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

static void assert_same_row(const event_row *a, const event_row *b)
{
    assert_true(a->time_us == b->time_us);
    assert_true(a->paid_minor == b->paid_minor);
    assert_true(a->discount_minor == b->discount_minor);
    assert_true(a->coupon_minor == b->coupon_minor);
    assert_true(same_double(a->quantity + 0.0, b->quantity));
    assert_int_equal(a->product, b->product);
    assert_int_equal(a->promotion, b->promotion);
    assert_int_equal(a->campaign, b->campaign);
    assert_true(same_float(a->rating, b->rating));
    assert_true(same_float(a->propensity, b->propensity));
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->channel, b->channel);
    assert_int_equal(a->date_only, b->date_only);
    for (int k = 0; k < EVENT_TEXTS; k++)
        assert_true(text_equal(a->texts[k], b->texts[k]));
}

/* Encodes all rows of b->in and checks that they come back. */
static void there_and_back(blocks *b)
{
    event_row want, got;
    uint32_t n = b->in->n;
    buffer_clear(&b->bytes);
    assert_int_equal(block_encode(b->in, 0, n, 17, &b->bytes, &b->err), PF_OK);
    assert_int_equal(block_decode(b->bytes.data, b->bytes.length, 17, b->out, &b->err),
                     PF_OK);
    assert_int_equal(b->out->n, n);
    for (uint32_t i = 0; i < n; i++) {
        columns_row(b->in, i, &want);
        columns_row(b->out, i, &got);
        assert_same_row(&want, &got);
    }
}

static void one_plain_row_costs_little(void **state)
{
    blocks *b = *state;
    columns_clear(b->in);
    event_row row = plain_row(1500000000000000);
    push(b, &row);
    there_and_back(b);
    assert_true(b->bytes.length < 90);
}

static void extremes_of_every_column_come_back(void **state)
{
    blocks *b = *state;
    static const int64_t amounts[] = {MONEY_ABSENT, INT64_MIN + 1, INT64_MAX, 0, -1, 1};
    static const double quantities[] = {
        0, -0.0, 1e300, -1e300, 0.1, 5e-324, 4503599627370497.5, NAN};
    columns_clear(b->in);
    for (int i = 0; i < 48; i++) {
        event_row row = plain_row(INT64_MIN + 1 + (int64_t)i * 100000000000000000);
        row.paid_minor = amounts[i % 6];
        row.discount_minor = amounts[i / 6 % 6];
        row.coupon_minor = amounts[(i + i / 6) % 6];
        row.quantity = quantities[i % 8];
        row.product = i % 2 ? UINT32_MAX : 0;
        row.promotion = i % 3 ? UINT32_MAX : 1;
        row.campaign = UINT32_MAX;
        row.rating = i % 2 ? -INFINITY : NAN;
        row.propensity = i % 2 ? 0.0f : -0.0f;
        row.type = (uint8_t)(i % EVENT_TYPE_COUNT);
        row.channel = (uint8_t)(i % CHANNEL_COUNT);
        row.date_only = (uint8_t)(i % 2);
        push(b, &row);
    }
    there_and_back(b);
}

/* Values that need exactly 1, 2, ... 8 bytes, one less and one more, with and without an
 * absent one among them. */
static void every_width_holds_its_range(void **state)
{
    blocks *b = *state;
    for (int bits = 0; bits < 63; bits++)
        for (int with_absent = 0; with_absent < 2; with_absent++)
            for (int64_t d = -2; d <= 2; d++) {
                columns_clear(b->in);
                for (int i = 0; i < 3; i++) {
                    event_row row = plain_row(10 + i);
                    row.paid_minor = i == 0        ? -7
                                     : i == 1      ? -7 + ((int64_t)1 << bits) + d
                                     : with_absent ? MONEY_ABSENT
                                                   : 0;
                    push(b, &row);
                }
                there_and_back(b);
            }
}

static void times_of_any_unit_come_back(void **state)
{
    blocks *b = *state;
    for (int unit = 0; unit < BLOCK_UNITS; unit++)
        for (int odd = 0; odd < 2; odd++) {
            columns_clear(b->in);
            int64_t t = -123456789;
            for (int i = 0; i < BLOCK_ROWS; i++) {
                event_row row = plain_row(t);
                push(b, &row);
                t += (int64_t)block_units[unit] * (i % 5);
                if (odd && i == 300) t++;
            }
            there_and_back(b);
            if (!odd) assert_true(b->bytes.length < 90 + BLOCK_ROWS);
        }
}

static void texts_share_their_beginnings(void **state)
{
    blocks *b = *state;
    char id[300];
    columns_clear(b->in);
    memset(id, 'x', sizeof id);
    for (int i = 0; i < BLOCK_ROWS; i++) {
        event_row row = plain_row(i);
        size_t n = (size_t)(i % (int)LIMIT_ID_BYTES) + 1;
        if (n > 200) id[199] = (char)('a' + i % 26);
        row.texts[EVENT_TEXT_ID] = (text){id, n};
        row.texts[EVENT_TEXT_ORDER] = i % 7 ? t("order-12345678") : t("");
        push(b, &row);
    }
    there_and_back(b);
    assert_true(b->bytes.length < 60 * BLOCK_ROWS);
}

static void the_largest_texts_come_back(void **state)
{
    blocks *b = *state;
    static char wide[LIMIT_ATTRIBUTES_BYTES];
    memset(wide, 'w', sizeof wide);
    columns_clear(b->in);
    for (int i = 0; i < 3; i++) {
        event_row row = plain_row(i);
        wide[250 + i] = 'v';
        row.texts[EVENT_TEXT_ATTRIBUTES] = (text){wide, sizeof wide - (size_t)(i == 1)};
        row.texts[EVENT_TEXT_DECISION] = (text){wide, LIMIT_ID_BYTES};
        push(b, &row);
    }
    there_and_back(b);
}

static void make_random_rows(blocks *b, random_stream *r, uint32_t n)
{
    char ids[4][40];
    int64_t t_us = (int64_t)random_u64(r) / 4, step = 1 + random_below(r, 100000);
    uint32_t mask = random_u32(r) & random_u32(r);
    columns_clear(b->in);
    for (uint32_t i = 0; i < n; i++) {
        t_us += (int64_t)random_below(r, 3) * step;
        event_row row = plain_row(t_us);
        row.paid_minor =
            random_below(r, 4) ? (int64_t)(random_u32(r) & mask) : MONEY_ABSENT;
        row.discount_minor = mask & 1 ? (int64_t)random_u64(r) : MONEY_ABSENT;
        row.coupon_minor = mask & 2 ? -(int64_t)random_below(r, 1000) : 12;
        row.quantity = mask & 4 ? random_unit(r) : random_below(r, 9);
        row.product = random_u32(r) & mask;
        row.promotion = mask & 8 ? random_u32(r) : 0;
        row.campaign = mask & 16 ? random_below(r, 300) : 5;
        row.rating = mask & 32 ? (float)random_below(r, 6) : NAN;
        row.propensity = mask & 64 ? (float)random_unit(r) : NAN;
        row.type = (uint8_t)(1 + random_below(r, EVENT_TYPE_COUNT - 1));
        row.channel = (uint8_t)random_below(r, CHANNEL_COUNT);
        row.date_only = (uint8_t)random_below(r, 2);
        for (int k = 0; k < EVENT_TEXTS; k++) {
            size_t length = mask >> (7 + k) & 1 ? random_below(r, 40) : 0;
            for (size_t c = 0; c < length; c++)
                ids[k][c] = (char)('a' + random_below(r, 2));
            row.texts[k] = (text){ids[k], length};
        }
        push(b, &row);
    }
}

static void any_rows_come_back(void **state)
{
    blocks *b = *state;
    random_stream r = random_begin(1, 2);
    for (int round = 0; round < 300; round++) {
        make_random_rows(b, &r, 1 + random_below(&r, round % 10 ? 20 : BLOCK_ROWS));
        there_and_back(b);
    }
}

static void a_part_of_the_rows_is_a_block_of_its_own(void **state)
{
    blocks *b = *state;
    random_stream r = random_begin(2, 2);
    event_row want, got;
    make_random_rows(b, &r, BLOCK_ROWS);
    for (uint32_t from = 0; from < BLOCK_ROWS; from += 37) {
        uint32_t n = 1 + random_below(&r, BLOCK_ROWS - from);
        buffer_clear(&b->bytes);
        buffer_append_text(&b->bytes, "before");
        assert_int_equal(block_encode(b->in, from, n, 17, &b->bytes, &b->err), PF_OK);
        assert_int_equal(
            block_decode(b->bytes.data + 6, b->bytes.length - 6, 17, b->out, &b->err),
            PF_OK);
        assert_int_equal(b->out->n, n);
        for (uint32_t i = 0; i < n; i++) {
            columns_row(b->in, from + i, &want);
            columns_row(b->out, i, &got);
            assert_same_row(&want, &got);
        }
    }
}

static void the_first_rows_of_a_column_can_be_read_alone(void **state)
{
    blocks *b = *state;
    random_stream r = random_begin(3, 2);
    block_view v;
    int64_t times[BLOCK_ROWS];
    uint32_t products[BLOCK_ROWS];
    make_random_rows(b, &r, 100);
    there_and_back(b);
    assert_int_equal(block_open(&v, b->bytes.data, b->bytes.length, 17, &b->err), PF_OK);
    for (uint32_t k = 0; k <= 100; k += 7) {
        times[k] = products[k] = 12345;
        assert_true(block_times(&v, k, times));
        assert_true(block_numbers(&v, BLOCK_PRODUCT, k, products));
        assert_memory_equal(times, b->in->time_us, k * sizeof *times);
        assert_memory_equal(products, b->in->product, k * sizeof *products);
        assert_int_equal(times[k], 12345);
        assert_int_equal(products[k], 12345);
    }
}

/* --- damage --------------------------------------------------------------------------- */

static void any_flipped_bit_is_noticed(void **state)
{
    blocks *b = *state;
    random_stream r = random_begin(4, 2);
    make_random_rows(b, &r, 12);
    there_and_back(b);
    for (size_t i = 0; i < b->bytes.length * 8; i++) {
        b->bytes.data[i / 8] = (char)(b->bytes.data[i / 8] ^ 1 << i % 8);
        assert_int_equal(
            block_decode(b->bytes.data, b->bytes.length, 17, b->out, &b->err), PF_DATA);
        assert_non_null(strstr(b->err.message, "shopper number 17"));
        assert_int_equal(b->out->n, 0);
        b->bytes.data[i / 8] = (char)(b->bytes.data[i / 8] ^ 1 << i % 8);
    }
}

static void a_block_that_is_cut_short_is_noticed(void **state)
{
    blocks *b = *state;
    random_stream r = random_begin(5, 2);
    make_random_rows(b, &r, 12);
    there_and_back(b);
    for (size_t n = 0; n < b->bytes.length; n++)
        assert_int_equal(block_decode(b->bytes.data, n, 17, b->out, &b->err), PF_DATA);
}

static void a_block_of_another_shopper_is_noticed(void **state)
{
    blocks *b = *state;
    event_row row = plain_row(5);
    columns_clear(b->in);
    push(b, &row);
    there_and_back(b);
    assert_int_equal(block_decode(b->bytes.data, b->bytes.length, 18, b->out, &b->err),
                     PF_DATA);
    assert_non_null(strstr(b->err.message, "another shopper"));
}

static void a_later_version_is_not_guessed_at(void **state)
{
    blocks *b = *state;
    event_row row = plain_row(5);
    columns_clear(b->in);
    push(b, &row);
    there_and_back(b);
    b->bytes.data[0] = 2;
    block_seal((unsigned char *)b->bytes.data, b->bytes.length);
    assert_int_equal(block_decode(b->bytes.data, b->bytes.length, 17, b->out, &b->err),
                     PF_DATA);
    assert_non_null(strstr(b->err.message, "version"));
}

/* Whatever stands under a right checksum, decoding says yes or no and touches nothing
 * outside: the sanitizers watch. */
static void sealed_nonsense_is_refused_or_read_safely(void **state)
{
    blocks *b = *state;
    random_stream r = random_begin(6, 2);
    size_t refused = 0;
    for (int round = 0; round < 4000; round++) {
        if (round % 50 == 0) make_random_rows(b, &r, 1 + random_below(&r, 9));
        buffer_clear(&b->bytes);
        assert_int_equal(block_encode(b->in, 0, b->in->n, 17, &b->bytes, &b->err), PF_OK);
        size_t n = b->bytes.length;
        unsigned char *exact = malloc(n); /* so that a read past the end is seen */
        memcpy(exact, b->bytes.data, n);
        for (int change = 0; change < 3; change++)
            exact[sizeof(block_head) +
                  random_below(&r, (uint32_t)(n - sizeof(block_head)))] =
                (unsigned char)random_u32(&r);
        block_seal(exact, n);
        refused += block_decode(exact, n, 17, b->out, &b->err) != PF_OK;
        free(exact);
    }
    assert_in_range(refused, 100, 3990);
}

static void any_allocation_of_decoding_may_fail(void **state)
{
    blocks *b = *state;
    random_stream r = random_begin(7, 2);
    fault f = {0};
    make_random_rows(b, &r, 100);
    there_and_back(b);
    while (fault_next(&f)) {
        event_columns *fresh = columns_new();
        pf_status status = PF_NO_MEMORY;
        if (fresh != NULL)
            status = block_decode(b->bytes.data, b->bytes.length, 17, fresh, &b->err);
        if (fault_reached(&f))
            assert_int_equal(status, PF_NO_MEMORY);
        else
            assert_int_equal(status, PF_OK);
        columns_free(fresh);
    }
    assert_true(f.n > 4);
}

static void any_allocation_of_encoding_may_fail(void **state)
{
    blocks *b = *state;
    random_stream r = random_begin(8, 2);
    fault f = {0};
    make_random_rows(b, &r, 100);
    while (fault_next(&f)) {
        buffer fresh;
        buffer_init(&fresh, 1u << 26);
        pf_status status = block_encode(b->in, 0, 100, 17, &fresh, &b->err);
        if (fault_reached(&f)) {
            assert_int_equal(status, PF_NO_MEMORY);
            assert_int_equal(fresh.length, 0);
        } else {
            assert_int_equal(status, PF_OK);
        }
        buffer_free(&fresh);
    }
    assert_true(f.n > 4);
}

/* --- columns -------------------------------------------------------------------------- */

static void dropping_the_front_leaves_the_rest(void **state)
{
    blocks *b = *state;
    random_stream r = random_begin(9, 2);
    event_row want, got;
    for (int round = 0; round < 30; round++) {
        make_random_rows(b, &r, 60);
        buffer_clear(&b->bytes);
        assert_int_equal(block_encode(b->in, 0, 60, 17, &b->bytes, &b->err), PF_OK);
        assert_int_equal(
            block_decode(b->bytes.data, b->bytes.length, 17, b->out, &b->err), PF_OK);
        uint32_t n = random_below(&r, 61);
        size_t all = columns_text_bytes(b->out, 60),
               front = columns_text_bytes(b->out, n);
        columns_drop_front(b->out, n);
        assert_int_equal(b->out->n, 60 - n);
        assert_int_equal(columns_text_bytes(b->out, 60 - n), all - front);
        for (uint32_t i = 0; i < 60 - n; i++) {
            columns_row(b->in, n + i, &want);
            columns_row(b->out, i, &got);
            assert_same_row(&want, &got);
        }
    }
}

static void a_push_that_fails_leaves_the_rows(void **state)
{
    blocks *b = *state;
    event_row row = plain_row(5), got;
    static char wide[50000];
    fault f = {0};
    memset(wide, 'w', sizeof wide);
    for (int k = 0; k < EVENT_TEXTS; k++)
        row.texts[k] = (text){wide, k == 3 ? sizeof wide : 200};
    while (fault_next(&f)) {
        event_columns *c = columns_new();
        pf_status status = PF_NO_MEMORY;
        uint32_t pushed = 0;
        for (; c != NULL && pushed < 5; pushed++) {
            status = columns_push(c, &row, &b->err);
            if (status != PF_OK) break;
        }
        if (fault_reached(&f)) assert_int_equal(status, PF_NO_MEMORY);
        for (uint32_t i = 0; c != NULL && i < pushed; i++) {
            assert_int_equal(c->n, pushed);
            columns_row(c, i, &got);
            assert_same_row(&row, &got);
        }
        if (c != NULL && pushed < 5) {
            assert_int_equal(columns_push(c, &row, &b->err), PF_OK);
            columns_row(c, pushed, &got);
            assert_same_row(&row, &got);
        }
        columns_free(c);
    }
    assert_true(f.n > 8);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(one_plain_row_costs_little),
        TEST(extremes_of_every_column_come_back),
        TEST(every_width_holds_its_range),
        TEST(times_of_any_unit_come_back),
        TEST(texts_share_their_beginnings),
        TEST(the_largest_texts_come_back),
        TEST(any_rows_come_back),
        TEST(a_part_of_the_rows_is_a_block_of_its_own),
        TEST(the_first_rows_of_a_column_can_be_read_alone),
        TEST(any_flipped_bit_is_noticed),
        TEST(a_block_that_is_cut_short_is_noticed),
        TEST(a_block_of_another_shopper_is_noticed),
        TEST(a_later_version_is_not_guessed_at),
        TEST(sealed_nonsense_is_refused_or_read_safely),
        TEST(any_allocation_of_decoding_may_fail),
        TEST(any_allocation_of_encoding_may_fail),
        TEST(dropping_the_front_leaves_the_rest),
        TEST(a_push_that_fails_leaves_the_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
