/*
 * Allocation problems for tests: made, checked against every promise, and solved by trying
 * everything where they are tiny.
 */
#ifndef PROFFER_TESTS_DECIDE_PROBLEM_H
#define PROFFER_TESTS_DECIDE_PROBLEM_H

#include "base/random.h"
#include "decide/allocate.h"

/* Owns its arrays. */
typedef struct problem {
    allocate_problem p;
    size_t capacity;
    size_t *first;
    double *value, *cost, *redemptions;
    uint32_t *arm, *group;
    uint8_t *picks, *lane, *lane_picks;
    uint32_t *arm_first, *arm_caps;
    allocate_cap *caps;
} problem;

/* Room for options, arms with up to 4 caps each, caps; two lanes. Options are added
 * shopper by shopper. */
void problem_init(problem *p, size_t shoppers, size_t options, uint32_t arms,
                  uint32_t caps);
void problem_free(problem *p);
/* Adds an option to the last shopper begun. */
void problem_shopper(problem *p, uint8_t picks);
void problem_option(problem *p, uint32_t arm, uint32_t group, double value, double cost,
                    double redemptions);
uint32_t problem_cap(problem *p, cap_measure measure, double limit);
/* Arms in order: arm 0 first. lane 0 or 1. Caps that are UINT32_MAX are left out. */
void problem_arm(problem *p, uint8_t lane, const uint32_t *caps, uint32_t n);

/* Fails the test unless the result keeps every promise of allocate.h. */
void problem_check(const problem *p, const allocate_result *r);
/* The best value of any allowed answer, by trying all of them (up to some millions). */
double problem_best(const problem *p);

/* A random world: a few shoppers with a few options each, arms in two lanes, caps of every
 * measure, some of them nothing. */
void problem_random(problem *p, random_stream *r, size_t shoppers, uint32_t options_most);

#endif
