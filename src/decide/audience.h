/*
 * Audience rules: a small language in which a marketer says whom a promotion is for.
 *
 *     stage = "active" and spend_91d > 50 and kids = yes
 *     not (category = "PET FOOD") or city in ("Berlin", "Hamburg")
 *     income is known
 *
 * Names are looked up through a callback; what they mean is the caller's business.
 *
 *     rule       := and-terms joined by "or"
 *     and-terms  := terms joined by "and"
 *     term       := "not" term | "(" rule ")" | name test
 *     test       := ( = | != ) literal  |  ( < | <= | > | >= ) number
 *                 | "in" "(" literal, ... ")"  |  "is" ( "known" | "unknown" )
 *                 | nothing, which means "= yes"
 *     literal    := number | "text" | 'text' | yes | no | true | false | word
 *     name, word := letters, digits, _ . - (a name starts with a letter or _)
 *
 * Words of the language are known in any case; texts are compared without regard to ASCII
 * case. A text that reads as a number is compared as one.
 *
 * What is not known decides nothing: a test of an absent value is neither true nor false
 * (Kleene's strong three-valued logic), so that `not (kids = yes)` does not pick those
 * whose answer nobody has. A rule picks a shopper only when it is true.
 *
 * A rule is immutable after parsing; any thread may test it.
 */
#ifndef PROFFER_DECIDE_AUDIENCE_H
#define PROFFER_DECIDE_AUDIENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/status.h"

typedef enum audience_kind {
    AUDIENCE_ABSENT, /* no such value for this shopper */
    AUDIENCE_NUMBER,
    AUDIENCE_TEXT, /* an empty text counts as absent */
    AUDIENCE_FLAG
} audience_kind;

typedef struct audience_value {
    audience_kind kind;
    double number;
    bool flag;
    const char *text; /* terminated; lives until the next lookup */
} audience_value;

/* Fills *out (which comes as AUDIENCE_ABSENT) with a value of a shopper's profile. */
typedef void audience_lookup(void *context, uint32_t shopper, const char *name,
                             audience_value *out);

typedef enum audience_answer {
    AUDIENCE_NO,
    AUDIENCE_YES,
    AUDIENCE_UNKNOWN
} audience_answer;

typedef struct audience_rule audience_rule;

/* Reads a rule of n bytes. PF_DATA with the column (characters, from 1) and what was
 * expected there; PF_LIMIT beyond LIMIT_AUDIENCE_BYTES or LIMIT_AUDIENCE_DEPTH;
 * PF_NO_MEMORY. A blank text is an error: no rule is written as no rule. */
pf_status audience_parse(audience_rule **out, const char *words, size_t n, pf_error *err);
/* NULL is fine. */
void audience_free(audience_rule *rule);

audience_answer audience_test(const audience_rule *rule, audience_lookup *lookup,
                              void *context, uint32_t shopper);

/* Where the answer is not yes: the first comparison that would have to turn out otherwise, and
 * how. In "a and b" that is one of those that do not hold, in "a or b" the first, and under
 * "not" one that should not hold. */
typedef struct audience_blame {
    uint32_t step;         /* of the rule; for audience_describe */
    bool should_hold;      /* false: under a "not" */
    audience_value value;  /* the shopper's; its text lives until the next lookup */
} audience_blame;

/* Asks every name once; *blame is filled unless the answer is yes. */
audience_answer audience_test_why(const audience_rule *rule, audience_lookup *lookup,
                                  void *context, uint32_t shopper, audience_blame *blame);
/* Appends the comparison as a rule writes it: stage = "active", not (kids), city in ("Rome"). */
void audience_describe(const audience_rule *rule, uint32_t step, bool should_hold,
                       buffer *into);

/* The names the rule asks for, each once, in order of appearance; so that a caller who
 * knows what names there are can refuse a misspelt one. */
uint32_t audience_name_count(const audience_rule *rule);
const char *audience_name(const audience_rule *rule, uint32_t i);

#endif
