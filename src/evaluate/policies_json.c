/*
 * A comparison of policies as JSON (policies.h). Where the log says too little of a policy, its
 * figures stand under "not_to_be_used" and nowhere else.
 */
#include "base/clock.h"
#include "evaluate/policies.h"

static void number(json_writer *w, const char *key, double value)
{
    json_key(w, key);
    json_number(w, value);
}

static void count(json_writer *w, const char *key, size_t n)
{
    json_key(w, key);
    json_integer(w, (int64_t)n);
}

static void word(json_writer *w, const char *key, const char *value)
{
    json_key(w, key);
    json_text(w, value);
}

static void write_counts(const policies_result *r, json_writer *w)
{
    const policies_counts *c = &r->counts;
    json_key(w, "counts");
    json_object_begin(w);
    count(w, "decisions", c->decisions);
    count(w, "compared", c->compared);
    count(w, "shoppers", c->shoppers);
    count(w, "actions", c->actions);
    count(w, "window_cut", c->cut);
    count(w, "held_out", c->held_out);
    count(w, "unpriced", c->unpriced);
    count(w, "left_out_waiting", c->waiting);
    count(w, "left_out_held_out", c->held_out_unknown);
    count(w, "left_out_overlap", c->overlap);
    count(w, "versions", c->versions);
    json_object_end(w);
}

static void write_options(const policies_result *r, const currency *money, json_writer *w)
{
    const policies_options *o = &r->options;
    word(w, "basis", r->basis == POLICIES_BY_LOT ? "by lot" : "by observation");
    word(w, "reward", policies_reward_name(o->reward));
    word(w, "currency", money->code);
    count(w, "currency_digits", (size_t)money->exponent);
    if (o->reward == POLICIES_NET) number(w, "margin_rate", o->margin_rate);
    if (r->basis == POLICIES_BY_OBSERVATION)
        word(w, "counted", r->in_scope ? "what the campaign covers" : "the whole shop");
    if (r->basis == POLICIES_BY_LOT) {
        number(w, "window_days", (double)o->window_us / (double)US_PER_DAY);
        json_key(w, "to_next_decision");
        json_boolean(w, o->to_next_decision);
        number(w, "holdout_share", o->holdout_share);
        json_key(w, "only_possible");
        json_boolean(w, o->only_possible);
    }
    word(w, "estimator", off_policy_name(o->plan.estimator));
    number(w, "level", o->plan.level);
    count(w, "replicates", o->plan.replicates);
    number(w, "observed", r->observed);
}

static void write_figures(const policies_figure *f, json_writer *w)
{
    number(w, "value", f->value.value);
    number(w, "value_per_1000", 1000 * f->value.value);
    number(w, "standard_error", f->value.standard_error);
    number(w, "low", f->value.low);
    number(w, "high", f->value.high);
    number(w, "difference", f->difference.value);
    number(w, "difference_per_1000", 1000 * f->difference.value);
    number(w, "difference_standard_error", f->difference.standard_error);
    number(w, "difference_low", f->difference.low);
    number(w, "difference_high", f->difference.high);
    number(w, "p", f->p);
}

static void write_support(const off_policy_support *s, json_writer *w)
{
    json_key(w, "support");
    json_object_begin(w);
    number(w, "effective", s->effective);
    number(w, "largest_weight", s->largest_weight);
    number(w, "mean_weight", s->mean_weight);
    number(w, "mean_weight_error", s->mean_weight_error);
    json_key(w, "few");
    json_boolean(w, s->few);
    json_key(w, "off");
    json_boolean(w, s->off);
    json_object_end(w);
}

static void write_picked(const policies_result *r, const policies_figure *f, json_writer *w)
{
    if (f->picked[0] == 0) return;
    json_key(w, "picked");
    json_array_begin(w);
    for (int k = 0; k < 2; k++) {
        if (r->catalogue != NULL && f->picked[k] <= r->catalogue->n_promotions)
            json_text(w, r->catalogue->promotions[f->picked[k]].id);
        else
            json_integer(w, f->picked[k]);
    }
    json_array_end(w);
}

static void write_figure(const policies_result *r, const policies_figure *f,
                         const currency *money, buffer *sentence, json_writer *w)
{
    json_object_begin(w);
    word(w, "policy", f->name);
    word(w, "verdict", policies_word_name(f->word));
    buffer_clear(sentence);
    policies_sentence(r, f, money, sentence);
    json_key(w, "sentence");
    json_text_n(w, sentence->data, sentence->length);
    if (f->why[0] != 0) word(w, "warning", f->why);
    if (f->word != POLICIES_REFUSED) {
        if (f->word == POLICIES_NO_SUPPORT) {
            json_key(w, "not_to_be_used");
            json_object_begin(w);
            write_figures(f, w);
            json_object_end(w);
        } else {
            write_figures(f, w);
        }
        number(w, "expected_cost", f->cost_minor);
        number(w, "treated", f->treated);
        number(w, "parameter", f->value.parameter);
        write_picked(r, f, w);
        write_support(&f->value.support, w);
    }
    json_object_end(w);
}

pf_status policies_write_json(const policies_result *r, const currency *money, json_writer *w,
                              pf_error *err)
{
    buffer sentence;
    buffer_init(&sentence, 8192);
    json_object_begin(w);
    write_options(r, money, w);
    write_counts(r, w);
    policies_notes(r, &sentence);
    json_key(w, "notes");
    json_text_n(w, sentence.data, sentence.length);
    bool failed = sentence.failed;
    json_key(w, "policies");
    json_array_begin(w);
    for (size_t j = 0; j < r->n_figures; j++) {
        write_figure(r, &r->figure[j], money, &sentence, w);
        failed = failed || sentence.failed;
    }
    json_array_end(w);
    json_object_end(w);
    buffer_free(&sentence);
    if (!failed && !w->out->failed) return PF_OK;
    return error_set(err, PF_NO_MEMORY, "no memory to write the comparison");
}
