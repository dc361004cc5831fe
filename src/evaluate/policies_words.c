/*
 * A comparison of policies in words (policies.h). A number is shown with as many digits as its
 * interval lets one believe, and not at all where the log says too little.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "evaluate/policies.h"

static const char *const words[] = {
    [POLICIES_REFERENCE] = "reference",   [POLICIES_BETTER] = "better",
    [POLICIES_WORSE] = "worse",           [POLICIES_NOT_KNOWN] = "not_known",
    [POLICIES_NO_SUPPORT] = "no_support", [POLICIES_REFUSED] = "refused",
};

const char *policies_word_name(policies_word w)
{
    return words[w];
}

/* ---- numbers ---- */

/* How the reward is shown: money a decision, counts a thousand of them. */
typedef struct measure {
    double scale;
    int digits;
    const char *code, *what; /* "EUR" or ""; "", "redemptions", ... */
    const char *per;
} measure;

static bool is_money(policies_reward r)
{
    return r == POLICIES_NET || r == POLICIES_REVENUE;
}

static const char *noun_of(policies_reward r)
{
    switch (r) {
    case POLICIES_NET: return "net margin";
    case POLICIES_REVENUE: return "revenue";
    case POLICIES_REDEMPTIONS: return "redemptions";
    case POLICIES_CLICKS: return "clicks";
    default: return "buyers";
    }
}

static bool observed_only(const policies_result *r)
{
    return r->basis == POLICIES_BY_OBSERVATION;
}

/* half: of the interval, in the reward's unit. */
static measure measure_of(const policies_result *r, const currency *money, double half)
{
    const policies_reward kind = r->options.reward;
    const bool past = observed_only(r);
    measure m = {1000, 0, "", noun_of(kind),
                 past ? " per 1,000 shoppers of a campaign" : " per 1,000 decisions"};
    if (is_money(kind))
        m = (measure){pow(10, -money->exponent), 0, money->code, "",
                      past ? " a shopper of a campaign" : " a decision"};
    const double shown = half * m.scale;
    /* Two digits of the half width: 0.11 -> 0.11, 3.4 -> 3.4, 57 -> 57. */
    if (shown > 0) m.digits = (int)fmin(fmax(1 - floor(log10(shown) + 1e-9), 0), 6);
    return m;
}

static void put_amount(const measure *m, double value, buffer *into)
{
    buffer_printf(into, "%.*f", m->digits, fabs(value * m->scale));
}

static void put_unit(const measure *m, buffer *into)
{
    if (m->code[0] != 0) buffer_printf(into, " %s", m->code);
}

static const char *side(double value)
{
    return value < 0 ? "less" : "more";
}

static void put_signed(const measure *m, double value, buffer *into)
{
    if (value < 0) buffer_append_text(into, "−");
    put_amount(m, value, into);
}

/* "12,000" */
static void put_count(size_t n, buffer *into)
{
    char digits[32];
    const int length = snprintf(digits, sizeof digits, "%zu", n);
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) buffer_append_char(into, ',');
        buffer_append_char(into, digits[i]);
    }
}

/* ---- sentences ---- */

static const char *reference_words(const policies_result *r)
{
    return observed_only(r) ? "what was sent" : "what was done";
}

static void say_reference(const policies_result *r, const policies_figure *f,
                          const currency *money, buffer *into)
{
    const off_policy_value *v = &f->value;
    const measure m = measure_of(r, money, (v->high - v->low) / 2);
    buffer_printf(into, "%s: %s brought ", f->name, reference_words(r));
    put_signed(&m, v->value, into);
    put_unit(&m, into);
    if (m.what[0] != 0) buffer_printf(into, " %s", m.what);
    buffer_printf(into, "%s (", m.per);
    put_signed(&m, v->low, into);
    buffer_append_text(into, " to ");
    put_signed(&m, v->high, into);
    buffer_append_text(into, ").");
}

/* "0.02 to 0.23 more", "0.04 less to 0.14 more", "0.02 to 0.23 less" */
static void put_range(const measure *m, double low, double high, buffer *into)
{
    const bool below = high < 0;
    put_amount(m, below ? high : low, into);
    if (low < 0 && high >= 0) buffer_append_text(into, " less");
    buffer_append_text(into, " to ");
    put_amount(m, below ? low : high, into);
    buffer_printf(into, " %s", below ? "less" : "more");
}

static void say_word(const policies_result *r, const policies_figure *f, buffer *into)
{
    const off_policy_value *d = &f->difference;
    const bool alone = d->low > 0 || d->high < 0;
    if (f->word == POLICIES_NOT_KNOWN) {
        buffer_append_text(into, ": not known yet");
        if (alone)
            buffer_append_text(into, " (of several policies that are worth the same, one differs "
                                     "this much by chance)");
        buffer_append_char(into, '.');
        return;
    }
    buffer_printf(into, ": %s%s.", observed_only(r) ? "looks " : "",
                  f->word == POLICIES_BETTER ? "better" : "worse");
}

static void say_difference(const policies_result *r, const policies_figure *f,
                           const currency *money, buffer *into)
{
    const off_policy_value *d = &f->difference;
    const measure m = measure_of(r, money, (d->high - d->low) / 2);
    if (!(d->standard_error > 0) && !(fabs(d->value) > 0)) {
        buffer_printf(into, "%s decides as %s.", f->name, reference_words(r));
        return;
    }
    buffer_printf(into, "%s would bring ", f->name);
    put_amount(&m, d->value, into);
    put_unit(&m, into);
    buffer_printf(into, " %s", side(d->value));
    if (m.what[0] != 0) buffer_printf(into, " %s", m.what);
    buffer_printf(into, "%s than %s (", m.per, reference_words(r));
    put_range(&m, d->low, d->high, into);
    buffer_append_char(into, ')');
    say_word(r, f, into);
}

static const char *id_of(const policies_result *r, uint32_t number)
{
    if (r->catalogue == NULL || number > r->catalogue->n_promotions) return "?";
    return r->catalogue->promotions[number].id;
}

static void say_means(const policies_result *r, const policies_figure *f, const currency *money,
                      buffer *into)
{
    const double scale = pow(10, -money->exponent);
    buffer_printf(into, observed_only(r) ? " It sends to %.0f %% of shoppers"
                                         : " It sends something in %.0f %% of decisions",
                  100 * f->treated);
    if (!isnan(f->cost_minor)) {
        buffer_printf(into, ", at an expected cost of %.*f", money->exponent + 1,
                      f->cost_minor * scale);
        if (money->code[0] != 0) buffer_printf(into, " %s", money->code);
        buffer_append_text(into, observed_only(r) ? " a shopper of a campaign" : " a decision");
    }
    buffer_append_char(into, '.');
    if (f->picked[0] != 0 && f->picked[0] == f->picked[1])
        buffer_printf(into, " Both halves of the shoppers picked %s.", id_of(r, f->picked[0]));
    else if (f->picked[0] != 0)
        buffer_printf(into, " The halves of the shoppers picked %s and %s.",
                      id_of(r, f->picked[1]), id_of(r, f->picked[0]));
    if (observed_only(r))
        buffer_append_text(into, " (A hint, no proof.)");
    if (r->options.only_possible)
        buffer_append_text(into, " It was let choose only among what had a chance in the log.");
}

static bool ends_a_sentence(const char *said)
{
    const size_t n = strlen(said);
    return n > 0 && said[n - 1] == '.';
}

void policies_sentence(const policies_result *r, const policies_figure *f, const currency *money,
                       buffer *into)
{
    switch (f->word) {
    case POLICIES_REFUSED:
        buffer_printf(into, "%s cannot be judged: %s%s", f->name, f->why,
                      ends_a_sentence(f->why) ? "" : ".");
        return;
    case POLICIES_NO_SUPPORT:
        buffer_printf(into, "%s: NO FIGURE. %s", f->name, f->why);
        return;
    case POLICIES_REFERENCE: say_reference(r, f, money, into); break;
    default: say_difference(r, f, money, into); break;
    }
    say_means(r, f, money, into);
}

/* ---- what blurs all of it ---- */

static void say_count(size_t n, const char *rest, buffer *into)
{
    if (n == 0) return;
    if (into->length > 0) buffer_append_char(into, ' ');
    put_count(n, into);
    buffer_append_text(into, rest);
}

void policies_notes(const policies_result *r, buffer *into)
{
    const policies_counts *c = &r->counts;
    buffer one;
    buffer_init(&one, 4096);
    if (observed_only(r))
        buffer_append_text(&one, "Nothing was randomised: who was sent what was somebody's choice, "
                                 "and its chances are estimated from what is known of shoppers. "
                                 "What is not known may have made the difference, so this is a "
                                 "hint for a trial by lot, no proof.");
    say_count(c->waiting, " left out: the time in which outcomes count is not over.", &one);
    say_count(c->held_out_unknown,
              " of held-out shoppers left out: the log does not say what they would have been "
              "sent.", &one);
    say_count(c->overlap,
              " left out: their like were nearly always or nearly never sent something, so nobody "
              "is there to compare them with.", &one);
    say_count(c->unpriced,
              " with purchases or redemptions whose amounts are not known, which count as "
              "nothing.", &one);
    if (c->versions > 1)
        say_count(c->versions, " versions of the policy decided: `logged` is their mixture.", &one);
    buffer_append(into, one.data, one.length);
    into->failed = into->failed || one.failed;
    buffer_free(&one);
}
