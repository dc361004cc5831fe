/*
 * What one more unit of a cap would bring and buy, from a solved allocation: the next best
 * use of money.
 *
 * What it brings is the cap's shadow price, at most: where nothing else binds with it, just
 * that. What it buys is read off the shoppers at the margin, those who would do something
 * else if prices were a little different. A move of one of them (takes an option, swaps, gives
 * one up) that draws v [M] more costs the gap g >= 0 at the prices p of the solution, and is
 * made as soon as they fall by d with v.d > g. Where gaps are spread evenly near 0, with
 * density w, lower prices make so much of each move, and so much more is drawn:
 *
 *     made = w v.d          more drawn = J d,    J = sum of w v v'
 *
 * (moves back are the same moves, made less). One more unit of cap m, with all other caps
 * that bind as full as they are, asks for the d with J d = 1 at m and 0 elsewhere; moves made
 * at this d, counted by arm, are what the unit buys. This is the sensitivity of a linear
 * program's solution to its right-hand side, for as many shoppers that single ones do not
 * count. The density is that of the nearest 4 % of the shoppers, 50 at least: below some
 * hundred shoppers take it for a hint.
 *
 * Caps may bind only together (a total that is the sum of its parts): no d raises one alone.
 * Then `alone` says so, and `beside` names the cap that must be raised with it.
 *
 * It is not a forecast of what much more would bring: for that, solve again.
 */
#ifndef PROFFER_DECIDE_ALLOCATE_MARGIN_H
#define PROFFER_DECIDE_ALLOCATE_MARGIN_H

#include <stdbool.h>

#include "decide/allocate.h"

#define MARGIN_NONE UINT32_MAX

typedef struct margin_cap {
    double worth;    /* value of one more unit, at most: the shadow price */
    bool alone;      /* the unit is of use with the other caps as they are; false where the
                        cap does not bind */
    uint32_t beside; /* not alone: the cap that binds with it most; MARGIN_NONE: no other */
    size_t near;     /* moves at the margin that draw on it: what `takers` rests on */
    uint32_t arm;    /* that gains most takers by one more unit; MARGIN_NONE: none */
    double *takers;  /* [A] more of each arm for one more unit, below 0: fewer; all 0 where
                        the unit is of no use alone */
} margin_cap;

typedef struct allocate_margin {
    uint32_t n_caps, n_arms;
    margin_cap *caps; /* [M] */
    double *takers;   /* [M * A], owns those of the caps */
} allocate_margin;

/* r as allocate_solve gave it for p. PF_LIMIT when more than LIMIT_MARGIN_CAPS bind;
 * PF_NO_MEMORY; *out is empty after a failure. Free with allocate_margin_free. */
pf_status allocate_margin_of(const allocate_problem *p, const allocate_result *r,
                             allocate_margin *out, pf_error *err);
void allocate_margin_free(allocate_margin *out);

/* A line for each cap that binds, for people: what one more unit brings, for which arm.
 * names [M], arms [A]: NULL for numbers. */
void allocate_margin_print(const allocate_margin *margin, const char *const *names,
                           const char *const *arms, buffer *into);

#endif
