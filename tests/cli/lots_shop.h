/*
 * A shop in which it is known what promotions do, for the tests of lots, lifts and policies.
 *
 * 2000 shoppers, 27 weeks from Monday 2025-12-01 on. Half of them, the sure-things, buy coffee in
 * most weeks; sent the coffee coupon (C), they hand it in with coffee that they would have bought
 * anyway. The others, the persuadables, never buy coffee and hardly ever tea, but a third of those
 * who are sent the tea coupon (T) buy tea for it. The bread coupon (B) changes nothing. There are
 * four past campaigns with these three promotions, each sent to three shoppers in four, and two
 * to come: may (2026-05-04) and june (2026-06-08).
 *
 * What a shopper does is a function of the shopper and the week, so that what would have happened
 * with another promotion, or with none, can be added up.
 */
#ifndef PROFFER_TESTS_LOTS_SHOP_H
#define PROFFER_TESTS_LOTS_SHOP_H

#include <stdbool.h>
#include <stdio.h>

enum { LOTS_SHOPPERS = 2000, LOTS_CONTACT = 2 /* cents */ };

/* By number, 0 .. LOTS_SHOPPERS - 1; ids are "s0000", ... */
bool lots_is_sure(unsigned shopper);
/* The shopper's own zone, or "" where it is the shop's (UTC). */
const char *lots_zone(unsigned shopper);
/* Whether the shopper can be written to at all. */
bool lots_can_be_reached(unsigned shopper);

/* Whether April's campaign (2026-04-06, one message about all three) went to the shopper. */
bool lots_got_april(unsigned shopper);

/* products.csv, shoppers.csv, campaigns.csv, promotions.csv and past.csv (until 2026-05-03) of the
 * first so many shoppers into the folder; ends the test when that fails. */
void lots_write(const char *folder, unsigned shoppers);

/* The header of events, then what a shopper does from 2026-05-04 to 2026-06-07 when sent the
 * promotion `sent` ('C', 'T', 'B' or 0: none) of may; with the message, at `when`, if any. */
void lots_write_header(FILE *f);
void lots_write_may(FILE *f, unsigned shopper, char sent, const char *channel,
                    const char *when);

/* What the four weeks from 2026-05-04 on would have brought of this shopper, in cents: 40 % of
 * what was bought at full price, less coupons and the cost of the message, expected over whether
 * a promotion is answered. */
double lots_net(unsigned shopper, char sent);

#endif
