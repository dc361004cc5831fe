/*
 * Whatever the promotion and the shopper: every number in a message is one of the data's,
 * every message fits its channel and is whole, a condition is stated, and what is private
 * is not named.
 */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "message/length.h"
#include "message/message.h"
#include "message/small_shop.h"

enum { WORLDS = 4000, PRODUCTS = 30 };

/* 2017-01-01 00:00 UTC. */
static const int64_t new_year = INT64_C(1483228800) * US_PER_SECOND;

static const char *const titles[] = {"CHEESE",
                                     "FRZN MEAT/MEAT DINNERS",
                                     "BREAD:ITALIAN/FRENCH",
                                     "ICE - CRUSHED/CUBED, 22 LB",
                                     "7UP SOFT DRINK, 12 CT",
                                     "鲜牛奶 250 毫升",
                                     "Crème brûlée",
                                     "V8",
                                     "BEERS/ALES 6 PK",
                                     "SALLY HANSEN 3X4",
                                     "😀 EMOJI 99",
                                     "a",
                                     "BABY FOOD 24 CT",
                                     "",
                                     "MULTI {BRACE} [1|2] \\ 5",
                                     "AN UNUSUALLY LONG TITLE THAT GOES ON AND ON, LIKE "
                                     "SOME CATALOGUES DO, FOR MORE THAN 100 "
                                     "CHARACTERS, 16 OZ"};

/* The numbers that may stand in a message, as digit strings between blanks. */
typedef struct numbers {
    char words[16384];
    size_t n;
} numbers;

static void allow(numbers *known, const char *words)
{
    size_t m = strlen(words);
    assert_true(known->n + m + 2 < sizeof known->words);
    memcpy(known->words + known->n, words, m);
    known->n += m;
    known->words[known->n++] = ' ';
    known->words[known->n] = '\0';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Whether the digits of n bytes stand as a whole run of digits somewhere in what is known. */
static bool is_known(const numbers *known, const char *digits, size_t n)
{
    for (const char *p = known->words; (p = strchr(p, digits[0])) != NULL; p++) {
        bool begins = p == known->words || !is_digit(p[-1]);
        if (begins && strncmp(p, digits, n) == 0 && !is_digit(p[n])) return true;
    }
    return false;
}

static void check_numbers(const numbers *known, const char *words)
{
    for (const char *p = words; *p != '\0';) {
        size_t n = strspn(p, "0123456789");
        if (n > 0 && !is_known(known, p, n))
            fail_msg("'%.*s' is no fact in: %s", (int)n, p, words);
        p += n > 0 ? n : 1;
    }
}

typedef struct world {
    small_shop shop;
    random_stream r;
    numbers known;
    promotion *p;
    message_request request;
    uint32_t favourites[PRODUCTS];
} world;

static void make_shop(world *w)
{
    small_shop_init(&w->shop, PRODUCTS + 1, random_below(&w->r, 2) ? "USD" : "JPY");
    static const char *const tops[] = {"GROCERY", "SPIRITS", "DRUG GM 3"};
    uint32_t categories[6];
    for (int i = 0; i < 3; i++)
        categories[i] = small_shop_category(&w->shop, tops[i], 0);
    categories[3] = small_shop_category(&w->shop, "GROCERY > AISLE 4", categories[0]);
    categories[4] = small_shop_category(&w->shop, "SPIRITS > WINE", categories[1]);
    categories[5] =
        small_shop_category(&w->shop, "DRUG GM 3 > ANALGESICS", categories[2]);
    for (int i = 0; i < PRODUCTS; i++)
        (void)small_shop_product(&w->shop, titles[random_below(&w->r, 16)],
                                 categories[random_below(&w->r, 6)]);
}

static void make_promotion(world *w)
{
    uint32_t scope[PRODUCTS], n = 0;
    for (uint32_t i = 1; i <= PRODUCTS; i++)
        if (random_below(&w->r, 3) == 0) scope[n++] = i;
    promotion *p = w->p = small_shop_promotion(
        &w->shop, (promotion_kind)random_below(&w->r, PROMOTION_KIND_COUNT));
    if (random_below(&w->r, 5) > 0) small_shop_scope(&w->shop, p, scope, n);
    p->title = titles[random_below(&w->r, 16)];
    if (random_below(&w->r, 3) > 0)
        p->percent_hundredths = (int32_t)random_below(&w->r, 10500) - 200;
    if (random_below(&w->r, 3) > 0) p->value_minor = random_below(&w->r, 100000);
    if (random_below(&w->r, 3) == 0)
        p->minimum_purchase_minor = random_below(&w->r, 20000);
    if (random_below(&w->r, 4) > 0)
        p->ends_us = new_year + (int64_t)random_below(&w->r, 500) * US_PER_DAY;
}

static void make_request(world *w)
{
    uint32_t n = random_below(&w->r, 8);
    for (uint32_t i = 0; i < n; i++)
        w->favourites[i] = random_below(&w->r, PRODUCTS + 2);
    w->request = (message_request){
        .promotion = 1,
        .channel = (channel)(1 + random_below(&w->r, CHANNEL_COUNT - 1)),
        .language = (message_language)random_below(&w->r, LANGUAGE_COUNT),
        .variant = random_below(&w->r, 4),
        .send_at_us = new_year + (int64_t)random_below(&w->r, 400 * 24) * US_PER_HOUR,
        .favourites = w->favourites,
        .n_favourites = n};
}

/* Everything that may be said, worked out apart from the code under test. */
static void list_numbers(world *w, const char *shop_name)
{
    numbers *k = &w->known;
    char line[64];
    allow(k, shop_name);
    allow(k, w->p->title);
    for (uint32_t i = 1; i <= PRODUCTS; i++)
        if (promotion_covers(w->p, i)) allow(k, w->shop.products[i].title);
    for (uint32_t i = 1; i <= w->shop.c.n_categories; i++)
        allow(k, w->shop.categories[i].path);
    int exponent = w->shop.c.currency.exponent, scale = exponent == 2 ? 100 : 1;
    const int64_t amounts[] = {w->p->value_minor, w->p->minimum_purchase_minor};
    for (int i = 0; i < 2; i++) {
        if (amounts[i] == MONEY_ABSENT) continue;
        (void)snprintf(line, sizeof line, "%d %0*d", (int)(amounts[i] / scale), exponent,
                       (int)(amounts[i] % scale));
        allow(k, line);
    }
    int off = w->p->percent_hundredths, pay = 10000 - off;
    (void)snprintf(line, sizeof line, "%d %02d %d", off / 100, off % 100, off % 100 / 10);
    allow(k, line);
    (void)snprintf(line, sizeof line, "%d %03d %02d %d", pay / 1000, pay % 1000,
                   pay % 1000 / 10, pay % 1000 / 100);
    allow(k, line);
    if (w->p->ends_us == TIME_ABSENT) return;
    calendar_time last = calendar_from_us(w->p->ends_us - 1, NULL);
    (void)snprintf(line, sizeof line, "%d %d %d", last.year, last.month, last.day);
    allow(k, line);
}

static void check_message(world *w, const message *m)
{
    const char *text_of_all[] = {m->subject, m->body};
    for (int i = 0; i < 2; i++) {
        assert_true(utf8_check(text_of_all[i], strlen(text_of_all[i]), NULL));
        check_numbers(&w->known, text_of_all[i]);
    }
    assert_true(m->body[0] != '\0');
    assert_true(length_fits(w->request.channel, m->body, strlen(m->body)));
    assert_true(length_fits_subject(m->subject, strlen(m->subject)));
    assert_int_equal(m->subject[0] != '\0', w->request.channel == CHANNEL_EMAIL);
    for (uint32_t i = 0; i < m->n_facts; i++) {
        const message_fact *f = &m->facts[i];
        for (uint32_t k = 0; k < f->n_products; k++) {
            assert_true(promotion_covers(w->p, f->products[k]));
            uint32_t within = w->shop.products[f->products[k]].category;
            const char *path = w->shop.categories[within].path;
            assert_true(strstr(path, "SPIRITS") == NULL && strstr(path, "ANALG") == NULL);
            assert_null(strstr(w->shop.products[f->products[k]].title, "BEERS"));
            assert_null(strstr(w->shop.products[f->products[k]].title, "BABY"));
        }
    }
    bool conditional = w->p->minimum_purchase_minor > 0;
    bool stated = false;
    for (uint32_t i = 0; i < m->n_facts; i++)
        stated = stated || m->facts[i].slot == SLOT_MINIMUM;
    assert_int_equal(conditional, stated);
}

static void every_number_in_every_message_is_a_fact(void **state)
{
    (void)state;
    frame_set *frames = NULL;
    arena memory;
    size_t rendered = 0;
    arena_init(&memory, 1u << 22);
    assert_int_equal(frame_set_default(&frames, NULL), PF_OK);
    message_settings settings = message_settings_default();
    for (uint64_t i = 0; i < WORLDS; i++) {
        static world w;
        memset(&w, 0, sizeof w);
        w.r = random_begin(17, i);
        make_shop(&w);
        make_promotion(&w);
        make_request(&w);
        settings.shop = i % 3 == 0 ? "" : i % 3 == 1 ? "Green Grocer 24" : "绿色超市";
        list_numbers(&w, settings.shop);
        message_writer *writer = NULL;
        message m;
        pf_error err = {0};
        assert_int_equal(message_writer_new(&writer, &w.shop.c, frames, &settings, NULL),
                         PF_OK);
        pf_status s = message_render(writer, &w.request, &memory, &m, &err);
        if (s == PF_OK)
            check_message(&w, &m);
        else if (s != PF_LIMIT)
            fail_msg("%s", err.message);
        rendered += s == PF_OK;
        message_writer_free(writer);
        small_shop_free(&w.shop);
        arena_reset(&memory);
    }
    assert_true(rendered > WORLDS * 95 / 100);
    frame_set_free(frames);
    arena_free(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_number_in_every_message_is_a_fact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
