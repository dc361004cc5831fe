/*
 * Inside an audience rule, for audience_parse.c which makes one and audience.c which
 * tests it: a program in postfix order, so that testing needs a short stack and no
 * recursion.
 *
 *     stage = active and not kids      ->   TEST(stage) TEST(kids) NOT AND
 */
#ifndef PROFFER_DECIDE_AUDIENCE_RULE_H
#define PROFFER_DECIDE_AUDIENCE_RULE_H

#include "base/arena.h"
#include "base/limits.h"
#include "decide/audience.h"

typedef enum audience_compare {
    COMPARE_EQUAL,
    COMPARE_UNEQUAL,
    COMPARE_LESS,
    COMPARE_AT_MOST,
    COMPARE_MORE,
    COMPARE_AT_LEAST,
    COMPARE_IN,
    COMPARE_KNOWN,
    COMPARE_UNKNOWN
} audience_compare;

typedef struct audience_literal {
    audience_kind kind; /* NUMBER, TEXT or FLAG */
    double number;      /* of a number */
    bool flag;          /* of a flag */
    const char *text;   /* as written, of every kind */
} audience_literal;

typedef enum audience_step_kind {
    STEP_TEST,
    STEP_NOT,
    STEP_AND,
    STEP_OR
} audience_step_kind;

typedef struct audience_step {
    audience_step_kind kind;
    audience_compare compare; /* of a test, as the rest */
    uint32_t name;            /* index of names */
    uint32_t first_literal, n_literals;
} audience_step;

/* A step takes at least one byte of the rule, a literal or name too. */
enum { AUDIENCE_MAX_STEPS = LIMIT_AUDIENCE_BYTES + 1 };
/* An open level holds at most one value before "or" and one before "and". */
enum { AUDIENCE_STACK = 3 * (LIMIT_AUDIENCE_DEPTH + 2) };

struct audience_rule {
    audience_step *steps;
    audience_literal *literals;
    const char **names;
    uint32_t n_steps, n_literals, n_names;
    arena memory; /* owns the four above */
};

#endif
