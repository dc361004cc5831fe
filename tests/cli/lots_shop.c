/* Its purchases and mailings; see lots_shop.h. Numbers are drawn by place and salt alone. */
#include "lots_shop.h"

#include <string.h>

#include "check.h"

enum {
    WEEKS = 27,
    MAY = 22,
    ANSWER_DAYS = 14,
    MAILED_OF_FOUR = 3,
    COFFEE_CENTS = 900,
    TEA_CENTS = 1600,
    BREAD_CENTS = 600,
    JAM_CENTS = 400,
    COUPON_CENTS = 100, /* of coffee and bread */
    TEA_COUPON_CENTS = 320
};

/* What one draw is for. */
enum salt { TRIP = 1, DAY, HOUR, JAM, COFFEE, TEA, WHICH, MAILED, ANSWERS, LATER };

static const struct {
    const char *id, *starts, *ends_on;
    unsigned week;
} campaigns[] = {
    {"jan", "2026-01-12", "2026-01-25", 6},   {"feb", "2026-02-09", "2026-02-22", 10},
    {"mar", "2026-03-09", "2026-03-22", 14},  {"apr", "2026-04-06", "2026-04-19", 18},
    {"may", "2026-05-04", "2026-05-17", MAY}, {"june", "2026-06-08", "2026-06-21", 27},
};
enum { CAMPAIGNS = 6, PAST = 4 };

static double draw(unsigned shopper, unsigned week, enum salt salt)
{
    return golden_unit((uint64_t)shopper * 100 + week, (uint64_t)salt + 500);
}

bool lots_is_sure(unsigned shopper)
{
    return shopper / 10 % 2 == 0;
}

const char *lots_zone(unsigned shopper)
{
    static const char *const zones[] = {"Europe/Berlin", "America/New_York", ""};
    return zones[shopper % 3];
}

bool lots_can_be_reached(unsigned shopper)
{
    return shopper % 10 != 2;
}

/* --- weeks ------------------------------------------------------------------------ */

/* What is bought in a week whatever is sent. */
typedef struct basket {
    bool trip, coffee, tea, jam;
    unsigned day, hour; /* since 2025-12-01; UTC */
} basket;

static basket basket_of(unsigned shopper, unsigned week)
{
    basket b = {.trip = draw(shopper, week, TRIP) < 0.75,
                .day = week * 7 + (unsigned)(draw(shopper, week, DAY) * 7),
                .hour = 13 + (unsigned)(draw(shopper, week, HOUR) * 7)};
    b.jam = b.trip && draw(shopper, week, JAM) < 0.5;
    b.coffee = b.trip && lots_is_sure(shopper) && draw(shopper, week, COFFEE) < 0.6;
    b.tea = b.trip && draw(shopper, week, TEA) < 0.02;
    return b;
}

/* The week, from a campaign's first on, whose coffee or bread a coupon is handed in with; WEEKS
 * where there is none while the campaign runs. */
static unsigned week_of_coupon(unsigned shopper, unsigned from, char sent)
{
    for (unsigned week = from; week < from + ANSWER_DAYS / 7; week++) {
        const basket b = basket_of(shopper, week);
        if (sent == 'C' ? b.coffee : sent == 'B' && b.trip) return week;
    }
    return WEEKS;
}

static double chance_to_answer(unsigned shopper, char sent)
{
    switch (sent) {
    case 'C': return lots_is_sure(shopper) ? 0.7 : 0;
    case 'T': return lots_is_sure(shopper) ? 0.01 : 0.35;
    case 'B': return 0.1;
    default: return 0;
    }
}

static bool answers(unsigned shopper, unsigned week, char sent)
{
    return golden_unit((uint64_t)shopper * 100 + week, 600 + (uint64_t)sent) <
           chance_to_answer(shopper, sent);
}

/* --- writing ---------------------------------------------------------------------- */

static void write_date(FILE *f, unsigned day)
{
    static const unsigned days[] = {31, 31, 28, 31, 30, 31, 30};
    unsigned month = 0;
    while (day >= days[month])
        day -= days[month++];
    (void)fprintf(f, "%u-%02u-%02u", month == 0 ? 2025 : 2026, month == 0 ? 12 : month,
                  day + 1);
}

void lots_write_header(FILE *f)
{
    (void)fputs("event_id,type,shopper_id,product_id,promotion_id,campaign_id,channel,time,"
                "paid,coupon\n",
                f);
}

static void write_line(FILE *f, unsigned shopper, unsigned day, unsigned hour, char product,
                       unsigned cents, unsigned coupon)
{
    const unsigned which = (unsigned)(draw(shopper, day, WHICH) * 4);
    const unsigned paid = cents - coupon;
    (void)fprintf(f, "p%u-%u-%c,purchase,s%04u,%c%u,,,,", shopper, day, product, shopper,
                  product, which);
    write_date(f, day);
    (void)fprintf(f, "T%02u:00:00Z,%u.%02u,", hour, paid / 100, paid % 100);
    if (coupon > 0) (void)fprintf(f, "%u.%02u", coupon / 100, coupon % 100);
    (void)fputc('\n', f);
}

static void write_redemption(FILE *f, unsigned shopper, const char *campaign, char code,
                             unsigned day, unsigned hour)
{
    (void)fprintf(f, "r%u-%s-%c,redemption,s%04u,,%s-%c,%s,,", shopper, campaign, code,
                  shopper, campaign, code, campaign);
    write_date(f, day);
    (void)fprintf(f, "T%02u:00:00Z,,\n", hour);
}

/* A week's lines; a coupon of `code` is handed in with what it is for. */
static void write_week(FILE *f, unsigned shopper, unsigned week, char code,
                       const char *campaign)
{
    const basket b = basket_of(shopper, week);
    if (!b.trip) return;
    write_line(f, shopper, b.day, b.hour, 'b', BREAD_CENTS, code == 'B' ? COUPON_CENTS : 0);
    if (b.jam) write_line(f, shopper, b.day, b.hour, 'j', JAM_CENTS, 0);
    if (b.coffee)
        write_line(f, shopper, b.day, b.hour, 'c', COFFEE_CENTS, code == 'C' ? COUPON_CENTS : 0);
    if (b.tea) write_line(f, shopper, b.day, b.hour, 't', TEA_CENTS, 0);
    if (code != 0) write_redemption(f, shopper, campaign, code, b.day, b.hour);
}

/* Tea that is bought for the coupon, on a trip of its own. */
static void write_tea(FILE *f, unsigned shopper, unsigned week, const char *campaign)
{
    const unsigned day = week * 7 + 1 + (unsigned)(draw(shopper, week, LATER) * 12);
    write_line(f, shopper, day, 20, 't', TEA_CENTS, TEA_COUPON_CENTS);
    write_redemption(f, shopper, campaign, 'T', day, 20);
}

/* Which coupon, if any, is handed in in a week, of those sent (a text of codes) by the campaign
 * that began in `from`. */
static char coupon_of_week(unsigned shopper, unsigned from, const char *sent, unsigned week)
{
    for (; *sent; sent++)
        if (*sent != 'T' && answers(shopper, from, *sent) &&
            week_of_coupon(shopper, from, *sent) == week)
            return *sent;
    return 0;
}

/* The weeks from..to-1 after a campaign began. */
static void write_weeks(FILE *f, unsigned shopper, const char *campaign, const char *sent,
                        unsigned from, unsigned to)
{
    for (unsigned week = from; week < to; week++)
        write_week(f, shopper, week, coupon_of_week(shopper, from, sent, week), campaign);
    if (strchr(sent, 'T') != NULL && answers(shopper, from, 'T'))
        write_tea(f, shopper, from, campaign);
}

static void write_exposure(FILE *f, unsigned shopper, const char *campaign, char code,
                           const char *channel, const char *when)
{
    (void)fprintf(f, "x%u-%s-%c,exposure,s%04u,,%s-%c,%s,%s,%s,,\n", shopper, campaign, code,
                  shopper, campaign, code, campaign, channel, when);
}

void lots_write_may(FILE *f, unsigned shopper, char sent, const char *channel,
                    const char *when)
{
    const char codes[] = {sent, 0};
    if (sent != 0) write_exposure(f, shopper, campaigns[PAST].id, sent, channel, when);
    write_weeks(f, shopper, campaigns[PAST].id, codes, MAY, WEEKS);
}

static bool was_mailed(unsigned shopper, unsigned week)
{
    return draw(shopper, week, MAILED) * 4 < MAILED_OF_FOUR;
}

bool lots_got_april(unsigned shopper)
{
    return was_mailed(shopper, campaigns[PAST - 1].week);
}

static void write_past(FILE *f, unsigned shopper)
{
    write_weeks(f, shopper, "", "", 0, campaigns[0].week);
    for (unsigned c = 0; c < PAST; c++) {
        const unsigned from = campaigns[c].week, to = campaigns[c + 1].week;
        const bool mailed = was_mailed(shopper, from);
        const char *channel = shopper % 10 == 0 ? "push" : "email";
        char when[32];
        (void)snprintf(when, sizeof when, "%sT06:00:00Z", campaigns[c].starts);
        for (const char *code = "CTB"; mailed && *code; code++)
            write_exposure(f, shopper, campaigns[c].id, *code, channel, when);
        write_weeks(f, shopper, campaigns[c].id, mailed ? "CTB" : "", from, to);
    }
}

/* --- standing data ---------------------------------------------------------------- */

static FILE *create(const char *folder, const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    return f;
}

static void finish(FILE *f)
{
    assert_int_equal(ferror(f), 0);
    assert_int_equal(fclose(f), 0);
}

static void write_products(FILE *f)
{
    static const struct {
        char code;
        const char *title, *category;
        unsigned cents;
    } kinds[] = {{'c', "Coffee", "Drinks > Coffee", COFFEE_CENTS},
                 {'t', "Tea", "Drinks > Tea", TEA_CENTS},
                 {'b', "Bread", "Food > Bread", BREAD_CENTS},
                 {'j', "Jam", "Food > Jam", JAM_CENTS}};
    (void)fputs("id,title,category,price\n", f);
    for (size_t k = 0; k < 4; k++)
        for (unsigned i = 0; i < 4; i++)
            (void)fprintf(f, "%c%u,%s %u,%s,%u.%02u\n", kinds[k].code, i, kinds[k].title, i + 1,
                          kinds[k].category, kinds[k].cents / 100, kinds[k].cents % 100);
}

static void write_shoppers(FILE *f, unsigned shoppers)
{
    (void)fputs("id,language,zone,consent_given,consent_refused\n", f);
    for (unsigned i = 0; i < shoppers; i++) {
        const char *given = "email|push", *refused = "";
        if (i % 10 == 0) {
            given = "push";
            refused = "email";
        } else if (i % 10 == 1) {
            given = "email";
        } else if (!lots_can_be_reached(i)) {
            given = "";
        }
        (void)fprintf(f, "s%04u,en,%s,%s,%s\n", i, lots_zone(i), given, refused);
    }
}

static void write_promotions(FILE *f)
{
    (void)fputs("id,campaign,title,kind,percent,value,starts,ends_on,scope_categories,tags\n", f);
    for (unsigned c = 0; c < CAMPAIGNS; c++) {
        const char *id = campaigns[c].id, *from = campaigns[c].starts, *to = campaigns[c].ends_on;
        (void)fprintf(f, "%s-C,%s,1 off coffee,money_off,,1.00,%s,%s,Drinks > Coffee,drinks\n", id,
                      id, from, to);
        (void)fprintf(f, "%s-T,%s,20%% off tea,percent_off,20,,%s,%s,Drinks > Tea,drinks|tea\n", id,
                      id, from, to);
        (void)fprintf(f, "%s-B,%s,1 off bread,money_off,,1.00,%s,%s,Food > Bread,food\n", id, id,
                      from, to);
    }
}

void lots_write(const char *folder, unsigned shoppers)
{
    FILE *f = create(folder, "products.csv");
    write_products(f);
    finish(f);
    f = create(folder, "shoppers.csv");
    write_shoppers(f, shoppers);
    finish(f);
    f = create(folder, "campaigns.csv");
    (void)fputs("id,title,starts,ends_on\n", f);
    for (unsigned c = 0; c < CAMPAIGNS; c++)
        (void)fprintf(f, "%s,Offers of %s,%s,%s\n", campaigns[c].id, campaigns[c].id,
                      campaigns[c].starts, campaigns[c].ends_on);
    finish(f);
    f = create(folder, "promotions.csv");
    write_promotions(f);
    finish(f);
    f = create(folder, "past.csv");
    lots_write_header(f);
    for (unsigned i = 0; i < shoppers; i++)
        write_past(f, i);
    finish(f);
}

/* --- the truth -------------------------------------------------------------------- */

double lots_net(unsigned shopper, char sent)
{
    double full = 0, coupons = 0;
    const double chance = chance_to_answer(shopper, sent);
    for (unsigned week = MAY; week < MAY + 4; week++) {
        const basket b = basket_of(shopper, week);
        full += b.trip * BREAD_CENTS + b.jam * JAM_CENTS + b.coffee * COFFEE_CENTS +
                b.tea * TEA_CENTS;
    }
    if (sent == 'T') {
        full += chance * TEA_CENTS;
        coupons = chance * TEA_COUPON_CENTS;
    } else if (week_of_coupon(shopper, MAY, sent) < WEEKS) {
        coupons = chance * COUPON_CENTS;
    }
    return 0.4 * full - coupons - (sent ? LOTS_CONTACT : 0);
}
