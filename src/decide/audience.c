/* Testing an audience rule on one shopper: see audience.h for the meaning. */
#include "decide/audience.h"

#include <assert.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "decide/audience_rule.h"

void audience_free(audience_rule *rule)
{
    if (rule == NULL) return;
    arena_free(&rule->memory);
    mem_free(rule);
}

uint32_t audience_name_count(const audience_rule *rule)
{
    return rule->n_names;
}

const char *audience_name(const audience_rule *rule, uint32_t i)
{
    return i < rule->n_names ? rule->names[i] : "";
}

/* --- values ----------------------------------------------------------------------- */

static bool is_absent(const audience_value *v)
{
    switch (v->kind) {
    case AUDIENCE_NUMBER: return isnan(v->number);
    case AUDIENCE_TEXT: return v->text == NULL || v->text[0] == '\0';
    case AUDIENCE_FLAG: return false;
    case AUDIENCE_ABSENT: break;
    }
    return true;
}

static bool as_number(const audience_value *v, double *out)
{
    if (v->kind == AUDIENCE_TEXT) return text_to_double(text_trim(text_of(v->text)), out);
    *out = v->kind == AUDIENCE_FLAG ? (double)v->flag : v->number;
    return true;
}

/* A shop's files write yes in many ways. false when the value is none of them. */
static bool as_flag(const audience_value *v, bool *out)
{
    static const char *const yes[] = {"yes", "true", "y", "1"};
    static const char *const no[] = {"no", "false", "n", "0"};
    if (v->kind != AUDIENCE_TEXT) {
        *out = v->kind == AUDIENCE_FLAG ? v->flag : v->number != 0;
        return true;
    }
    for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++) {
        *out = strcasecmp(v->text, yes[i]) == 0;
        if (*out || strcasecmp(v->text, no[i]) == 0) return true;
    }
    return false;
}

static bool equals(const audience_value *v, const audience_literal *l)
{
    double number = 0;
    bool flag = false;
    if (l->kind == AUDIENCE_FLAG)
        return as_flag(v, &flag) ? flag == l->flag : strcasecmp(v->text, l->text) == 0;
    if (v->kind == AUDIENCE_TEXT && strcasecmp(v->text, l->text) == 0) return true;
    double wanted = l->number;
    if (l->kind == AUDIENCE_TEXT && !text_to_double(text_of(l->text), &wanted))
        return false;
    return as_number(v, &number) && number == wanted;
}

static audience_answer is_ordered(const audience_value *v, audience_compare compare,
                                  double bound)
{
    double number = 0;
    if (!as_number(v, &number)) return AUDIENCE_UNKNOWN;
    switch (compare) {
    case COMPARE_LESS: return number < bound ? AUDIENCE_YES : AUDIENCE_NO;
    case COMPARE_AT_MOST: return number <= bound ? AUDIENCE_YES : AUDIENCE_NO;
    case COMPARE_MORE: return number > bound ? AUDIENCE_YES : AUDIENCE_NO;
    default: return number >= bound ? AUDIENCE_YES : AUDIENCE_NO;
    }
}

static audience_answer answer_of(bool yes)
{
    return yes ? AUDIENCE_YES : AUDIENCE_NO;
}

static audience_answer is_among(const audience_value *v, const audience_literal *literals,
                                uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (equals(v, &literals[i])) return AUDIENCE_YES;
    return AUDIENCE_NO;
}

static audience_answer test(const audience_rule *rule, const audience_step *step,
                            const audience_value *v)
{
    bool absent = is_absent(v);
    if (step->compare == COMPARE_KNOWN) return answer_of(!absent);
    if (step->compare == COMPARE_UNKNOWN) return answer_of(absent);
    if (absent) return AUDIENCE_UNKNOWN;
    const audience_literal *literals = rule->literals + step->first_literal;
    switch (step->compare) {
    case COMPARE_EQUAL:
    case COMPARE_IN: return is_among(v, literals, step->n_literals);
    case COMPARE_UNEQUAL: return answer_of(!equals(v, literals));
    default: return is_ordered(v, step->compare, literals->number);
    }
}

/* --- three-valued logic ----------------------------------------------------------- */

static audience_answer negate(audience_answer a)
{
    if (a == AUDIENCE_UNKNOWN) return a;
    return a == AUDIENCE_YES ? AUDIENCE_NO : AUDIENCE_YES;
}

static audience_answer both(audience_answer a, audience_answer b)
{
    if (a == AUDIENCE_NO || b == AUDIENCE_NO) return AUDIENCE_NO;
    return a == AUDIENCE_YES && b == AUDIENCE_YES ? AUDIENCE_YES : AUDIENCE_UNKNOWN;
}

audience_answer audience_test(const audience_rule *rule, audience_lookup *lookup,
                              void *context, uint32_t shopper)
{
    audience_answer stack[AUDIENCE_STACK];
    uint32_t n = 0;
    for (uint32_t i = 0; i < rule->n_steps; i++) {
        const audience_step *step = &rule->steps[i];
        if (step->kind == STEP_TEST) {
            audience_value v = {.kind = AUDIENCE_ABSENT};
            lookup(context, shopper, rule->names[step->name], &v);
            assert(n < AUDIENCE_STACK);
            stack[n++] = test(rule, step, &v);
            continue;
        }
        audience_answer top = stack[n - 1];
        if (step->kind == STEP_NOT) {
            stack[n - 1] = negate(top);
            continue;
        }
        audience_answer below = stack[--n - 1];
        /* a or b = not (not a and not b) holds in Kleene's logic too. */
        stack[n - 1] = step->kind == STEP_AND ? both(below, top)
                                              : negate(both(negate(below), negate(top)));
    }
    return stack[0];
}

/* --- why not ---------------------------------------------------------------------- */

/* Of every step: the answer of the part of the rule that ends with it, and where that begins. */
typedef struct answered {
    uint8_t answer[AUDIENCE_MAX_STEPS];
    uint16_t first[AUDIENCE_MAX_STEPS];
} answered;

static_assert(AUDIENCE_MAX_STEPS <= UINT16_MAX, "a step's number fits");

/* Of "and" and "or": the right part ends before the step, the left one before the right. */
static uint32_t left_of(const answered *a, uint32_t step)
{
    return a->first[step - 1] - 1u;
}

static void answer_parts(const audience_rule *rule, audience_lookup *lookup, void *context,
                         uint32_t shopper, answered *a)
{
    for (uint32_t i = 0; i < rule->n_steps; i++) {
        const audience_step *step = &rule->steps[i];
        audience_answer here;
        a->first[i] = (uint16_t)i;
        if (step->kind == STEP_TEST) {
            audience_value v = {.kind = AUDIENCE_ABSENT};
            lookup(context, shopper, rule->names[step->name], &v);
            here = test(rule, step, &v);
        } else if (step->kind == STEP_NOT) {
            here = negate((audience_answer)a->answer[i - 1]);
            a->first[i] = a->first[i - 1];
        } else {
            audience_answer right = (audience_answer)a->answer[i - 1];
            audience_answer left = (audience_answer)a->answer[left_of(a, i)];
            here = step->kind == STEP_AND ? both(left, right)
                                          : negate(both(negate(left), negate(right)));
            a->first[i] = a->first[left_of(a, i)];
        }
        a->answer[i] = (uint8_t)here;
    }
}

audience_answer audience_test_why(const audience_rule *rule, audience_lookup *lookup,
                                  void *context, uint32_t shopper, audience_blame *blame)
{
    answered a;
    uint32_t at = rule->n_steps - 1;
    audience_answer wanted = AUDIENCE_YES;
    answer_parts(rule, lookup, context, shopper, &a);
    if (a.answer[at] == AUDIENCE_YES) return AUDIENCE_YES;
    /* Into a part that is not what it should be, to the left where both are not. */
    while (rule->steps[at].kind != STEP_TEST) {
        if (rule->steps[at].kind == STEP_NOT) {
            wanted = negate(wanted);
            at--;
            continue;
        }
        uint32_t left = left_of(&a, at);
        at = (audience_answer)a.answer[left] == wanted ? at - 1 : left;
    }
    *blame = (audience_blame){.step = at, .should_hold = wanted == AUDIENCE_YES};
    lookup(context, shopper, rule->names[rule->steps[at].name], &blame->value);
    if (is_absent(&blame->value)) blame->value = (audience_value){.kind = AUDIENCE_ABSENT};
    return (audience_answer)a.answer[rule->n_steps - 1];
}

static void describe_literal(const audience_literal *l, buffer *into)
{
    const char *quote = l->kind != AUDIENCE_TEXT         ? ""
                        : strchr(l->text, '"') != NULL ? "'"
                                                       : "\"";
    buffer_printf(into, "%s%s%s", quote, l->text, quote);
}

static void describe_test(const audience_rule *rule, const audience_step *step, buffer *into)
{
    static const char *const words[] = {
        [COMPARE_EQUAL] = " = ",    [COMPARE_UNEQUAL] = " != ", [COMPARE_LESS] = " < ",
        [COMPARE_AT_MOST] = " <= ", [COMPARE_MORE] = " > ",     [COMPARE_AT_LEAST] = " >= ",
        [COMPARE_IN] = " in (",     [COMPARE_KNOWN] = " is known",
        [COMPARE_UNKNOWN] = " is unknown"};
    const bool asks = step->compare == COMPARE_KNOWN || step->compare == COMPARE_UNKNOWN;
    buffer_printf(into, "%s%s", rule->names[step->name], words[step->compare]);
    for (uint32_t i = 0; !asks && i < step->n_literals; i++) {
        if (i > 0) buffer_append_text(into, ", ");
        describe_literal(&rule->literals[step->first_literal + i], into);
    }
    if (step->compare == COMPARE_IN) buffer_append_char(into, ')');
}

void audience_describe(const audience_rule *rule, uint32_t step, bool should_hold,
                       buffer *into)
{
    if (!should_hold) buffer_append_text(into, "not (");
    describe_test(rule, &rule->steps[step], into);
    if (!should_hold) buffer_append_char(into, ')');
}
