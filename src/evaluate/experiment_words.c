/*
 * An experiment in words and as JSON (experiment.h). A number is shown with as many digits as
 * its interval lets one believe.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "evaluate/experiment.h"

/* ---- numbers ---- */

/* How a metric is shown: shares in percent and points, money, plain. */
typedef enum unit { UNIT_PERCENT, UNIT_MONEY, UNIT_PLAIN } unit;

static unit unit_of(experiment_metric m)
{
    if (m == EXPERIMENT_REVENUE) return UNIT_MONEY;
    return m == EXPERIMENT_RATING ? UNIT_PLAIN : UNIT_PERCENT;
}

/* Digits behind the point that show a half width of this size. */
static int digits_for(double half_width)
{
    if (!(half_width > 0) || half_width >= 0.1) return half_width >= 10 ? 0 : 1;
    return half_width >= 0.01 ? 2 : 3;
}

static int digits_of(const experiment_figure *f)
{
    const double half = (f->difference.high - f->difference.low) / 2;
    const unit u = unit_of(f->metric);
    return digits_for(u == UNIT_PERCENT ? 100 * half : half);
}

static void put_money(double minor, const currency *money, buffer *into)
{
    char words[MONEY_TEXT_BYTES];
    const double whole = nearbyint(fabs(minor));
    const int64_t amount = whole < (double)LIMIT_MONEY_MINOR ? (int64_t)whole : LIMIT_MONEY_MINOR;
    buffer_append_text(into, money_format_symbol(amount, money, words));
}

/* Without a sign. */
static void put_size(const experiment_figure *f, double value, const currency *money,
                     buffer *into)
{
    const unit u = unit_of(f->metric);
    if (u == UNIT_MONEY)
        put_money(value, money, into);
    else
        buffer_printf(into, "%.*f", digits_of(f), fabs(u == UNIT_PERCENT ? 100 * value : value));
}

static void put_value(const experiment_figure *f, double value, const currency *money,
                      buffer *into)
{
    if (value < 0) buffer_append_text(into, "−");
    put_size(f, value, money, into);
    if (unit_of(f->metric) == UNIT_PERCENT) buffer_append_text(into, " %");
}

static void put_signed(const experiment_figure *f, double value, const currency *money,
                       buffer *into)
{
    buffer_append_text(into, value < 0 ? "−" : "+");
    put_size(f, value, money, into);
}

/* "+0.3 points (−0.1 to +0.7)" */
static void put_difference(const experiment_figure *f, const currency *money, buffer *into)
{
    put_signed(f, f->difference.value, money, into);
    if (unit_of(f->metric) == UNIT_PERCENT) buffer_append_text(into, " points");
    buffer_append_text(into, " (");
    put_signed(f, f->difference.low, money, into);
    buffer_append_text(into, " to ");
    put_signed(f, f->difference.high, money, into);
    buffer_append_char(into, ')');
}

/* "12,000": whole, thousands apart. */
static void put_count(double n, buffer *into)
{
    char digits[32];
    (void)snprintf(digits, sizeof digits, "%.0f", n);
    const size_t length = strlen(digits);
    for (size_t i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) buffer_append_char(into, ',');
        buffer_append_char(into, digits[i]);
    }
}

/* A need is not known to the last shopper: two digits, rounded up. */
static double rounded_up(double n)
{
    if (n < 100) return ceil(n / 10) * 10;
    const double step = pow(10, floor(log10(n)) - 1);
    return ceil(n / step - 1e-9) * step;
}

/* ---- sentences ---- */

static void say_mismatch(const experiment_result *r, buffer *into)
{
    const experiment_group *c = &r->group[EXPERIMENT_CONTROL], *t = &r->group[EXPERIMENT_TREATED];
    buffer_append_text(into, "No result: the groups do not have the sizes they were given. ");
    put_count((double)t->members, into);
    buffer_append_text(into, " shoppers are with and ");
    put_count((double)c->members, into);
    buffer_printf(into,
                  " without promotions where %.3g %% and %.3g %% were planned; by chance that "
                  "happens in fewer than 1 of ",
                  100 * r->plan.share[EXPERIMENT_TREATED], 100 * r->plan.share[EXPERIMENT_CONTROL]);
    put_count(r->ratio.p > 1e-9 ? floor(1 / r->ratio.p) : 1e9, into);
    buffer_append_text(into, " experiments. Something other than the lot chose who is in which "
                             "group: look for a share or salt that was changed, and for shoppers "
                             "lost on one side only.");
}

static void say_verdict(const experiment_figure *f, buffer *into)
{
    if (f->word == EXPERIMENT_BETTER) {
        buffer_append_text(into, ": better.");
    } else if (f->word == EXPERIMENT_WORSE) {
        buffer_append_text(into, ": worse.");
    } else if (isnan(f->more)) {
        buffer_append_text(into, ": not known yet, and a difference this small would stay so.");
    } else {
        buffer_append_text(into, ": not known yet; ");
        put_count(rounded_up(f->more), into);
        buffer_append_text(into, " more shoppers would tell.");
    }
}

static void say_primary(const experiment_figure *f, const currency *money, buffer *into)
{
    const bool bought = f->metric == EXPERIMENT_BUYERS;
    if (f->word == EXPERIMENT_NO_DATA) {
        buffer_printf(into, "Nothing can be told yet: %s.", f->why);
        return;
    }
    buffer_append_text(into, "With promotions ");
    if (!bought) buffer_append_text(into, "a shopper spent ");
    put_value(f, f->value[EXPERIMENT_TREATED], money, into);
    buffer_append_text(into, bought ? " bought, without " : ", without ");
    put_value(f, f->value[EXPERIMENT_CONTROL], money, into);
    buffer_append_text(into, f->explained > 0 ? "; allowing for what they did before: " : ": ");
    put_difference(f, money, into);
    say_verdict(f, into);
}

/* What a guardrail that became worse is called. */
static const char *harm_of(experiment_metric m)
{
    switch (m) {
    case EXPERIMENT_UNSUBSCRIBES: return "more shoppers unsubscribed";
    case EXPERIMENT_DISMISSALS: return "more shoppers dismissed a promotion";
    case EXPERIMENT_RETURNS: return "more of what was bought was given back";
    case EXPERIMENT_RATING: return "ratings fell";
    default: return "less was achieved";
    }
}

static void say_harm(const experiment_figure *f, const currency *money, buffer *into)
{
    buffer_printf(into, " But %s: ", harm_of(f->metric));
    put_value(f, f->difference.first, money, into);
    buffer_append_text(into, " against ");
    put_value(f, f->difference.second, money, into);
    buffer_append_text(into, ", ");
    put_difference(f, money, into);
    buffer_append_char(into, '.');
}

static void say_blur(const experiment_result *r, buffer *into)
{
    if (r->group[EXPERIMENT_TREATED].exposed == 0)
        buffer_append_text(into, " No shopper of the group with promotions is known to have been "
                                 "shown one: were they sent, and are exposures imported?");
    if (r->contaminated > 0) {
        buffer_append_char(into, ' ');
        put_count((double)r->contaminated, into);
        buffer_append_text(into, " shoppers of the group without promotions were shown some all "
                                 "the same, which blurs the difference.");
    }
    if (r->plan.crossed > 0) {
        buffer_append_char(into, ' ');
        put_count((double)r->plan.crossed, into);
        buffer_append_text(into, " shoppers changed groups on the way (a share or salt was "
                                 "changed) and are counted in their first.");
    }
}

void experiment_sentence(const experiment_result *r, const currency *money, buffer *into)
{
    if (r->mismatch) {
        say_mismatch(r, into);
        return;
    }
    say_primary(&r->figure[0], money, into);
    for (size_t i = 1; i < r->n_figures; i++)
        if (r->figure[i].role == EXPERIMENT_GUARDRAIL && r->figure[i].word == EXPERIMENT_WORSE)
            say_harm(&r->figure[i], money, into);
    say_blur(r, into);
}

/* A size of a difference, by itself: "0.5 points", "$1.20". */
static void put_reach(experiment_metric m, double value, const currency *money, buffer *into)
{
    if (unit_of(m) == UNIT_MONEY)
        put_money(value, money, into);
    else
        buffer_printf(into, "%.2g points", fabs(100 * value));
}

void experiment_foresight_sentence(const experiment_foresight *f, const experiment_plan *plan,
                                   const currency *money, buffer *into)
{
    buffer_append_text(into, "Of ");
    put_count((double)f->shoppers, into);
    if (unit_of(f->metric) == UNIT_MONEY) {
        buffer_append_text(into, " shoppers each spent ");
        put_money(f->mean, money, into);
    } else {
        buffer_printf(into, " shoppers %.2g %% bought", 100 * f->mean);
    }
    buffer_printf(into, " in %.3g days. An experiment on as many would show a difference of ",
                  (double)plan->window_us / (double)US_PER_DAY);
    put_reach(f->metric, f->least, money, into);
    buffer_append_text(into, " or more; for ");
    put_reach(f->metric, f->change, money, into);
    buffer_append_char(into, ' ');
    put_count(rounded_up(f->needed), into);
    buffer_append_text(into, " shoppers are needed.");
}

/* ---- JSON ---- */

static void put_number(json_writer *w, const char *key, double value)
{
    json_key(w, key);
    json_number(w, value);
}

static void put_integer(json_writer *w, const char *key, uint64_t value)
{
    json_key(w, key);
    json_integer(w, (int64_t)value);
}

static void put_text(json_writer *w, const char *key, const char *value)
{
    json_key(w, key);
    json_text(w, value);
}

static void write_group(const experiment_result *r, experiment_arm a, const char *key,
                        json_writer *w)
{
    const experiment_group *g = &r->group[a];
    json_key(w, key);
    json_object_begin(w);
    put_number(w, "planned_share", r->plan.share[a]);
    put_integer(w, "members", g->members);
    put_integer(w, "waiting", g->waiting);
    put_integer(w, "shoppers", g->shoppers);
    put_integer(w, "exposed", g->exposed);
    if (!r->mismatch) {
        put_integer(w, "responses", g->responses);
        put_number(w, "revenue_minor", g->revenue_minor);
        put_integer(w, "unpriced", g->unpriced);
    }
    json_object_end(w);
}

static void write_side(const experiment_figure *f, experiment_arm a, const char *key,
                       json_writer *w)
{
    json_key(w, key);
    json_object_begin(w);
    put_number(w, "value", f->value[a]);
    if (!isnan(f->low[a])) put_number(w, "low", f->low[a]);
    if (!isnan(f->high[a])) put_number(w, "high", f->high[a]);
    json_object_end(w);
}

static void write_figure(const experiment_figure *f, json_writer *w)
{
    static const char *const roles[] = {[EXPERIMENT_PRIMARY] = "primary",
                                        [EXPERIMENT_SECONDARY] = "secondary",
                                        [EXPERIMENT_GUARDRAIL] = "guardrail"};
    json_object_begin(w);
    put_text(w, "metric", experiment_metric_name(f->metric));
    put_text(w, "role", roles[f->role]);
    put_text(w, "word", experiment_word_name(f->word));
    write_side(f, EXPERIMENT_TREATED, "treated", w);
    write_side(f, EXPERIMENT_CONTROL, "control", w);
    if (f->word == EXPERIMENT_NO_DATA) {
        put_text(w, "why", f->why);
    } else {
        put_number(w, "difference", f->difference.value);
        put_number(w, "low", f->difference.low);
        put_number(w, "high", f->difference.high);
        put_number(w, "standard_error", f->difference.standard_error);
        put_number(w, "p", f->difference.p);
        put_number(w, "p_adjusted", f->p);
        put_number(w, "explained", f->explained);
        if (!isnan(f->more)) put_number(w, "more_shoppers", f->more);
    }
    json_object_end(w);
}

static void write_ratio(const experiment_result *r, json_writer *w)
{
    json_key(w, "sample_ratio");
    json_object_begin(w);
    put_number(w, "chi_square", r->ratio.chi_square);
    put_number(w, "p", r->ratio.p);
    json_key(w, "mismatch");
    json_boolean(w, r->mismatch);
    json_object_end(w);
}

static void write_plan(const experiment_plan *p, json_writer *w)
{
    put_number(w, "alpha", p->alpha);
    put_text(w, "looks", p->looks == EXPERIMENT_ONCE ? "once" : "any_time");
    put_number(w, "window_us", (double)p->window_us);
    put_number(w, "before_us", (double)p->before_us);
    json_key(w, "until_us");
    json_integer(w, p->until_us);
    if (p->looks == EXPERIMENT_ANY_TIME) put_number(w, "planned", p->planned);
}

pf_status experiment_write_json(const experiment_result *r, const currency *money,
                                json_writer *w, pf_error *err)
{
    buffer sentence;
    buffer_init(&sentence, LIMIT_REPORT_BYTES);
    experiment_sentence(r, money, &sentence);
    if (sentence.failed) {
        buffer_free(&sentence);
        return error_set(err, PF_NO_MEMORY, "no memory for an experiment's words");
    }
    json_object_begin(w);
    put_text(w, "verdict", experiment_word_name(r->verdict));
    put_text(w, "sentence", sentence.data);
    write_plan(&r->plan, w);
    write_ratio(r, w);
    write_group(r, EXPERIMENT_TREATED, "treated", w);
    write_group(r, EXPERIMENT_CONTROL, "control", w);
    put_integer(w, "contaminated", r->contaminated);
    put_integer(w, "crossed", r->plan.crossed);
    json_key(w, "figures");
    json_array_begin(w);
    for (size_t i = 0; i < r->n_figures; i++)
        write_figure(&r->figure[i], w);
    json_array_end(w);
    json_object_end(w);
    buffer_free(&sentence);
    return PF_OK;
}
