/*
 * The policies that can be named (policies.h), one row of the table each, and what each would
 * have done with a decision.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "evaluate/policies_rows.h"

bool policies_is_open(const policies_view *v, const policies_candidate *c)
{
    return policies_is_action(c) && (!v->only_possible || c->propensity > 0);
}

/* ---- what they do ---- */

static void fill_logged(const policies_choice *c, const policies_view *v, double *chance)
{
    (void)c;
    for (size_t k = 0; k < v->d->n_candidates; k++)
        chance[k] = v->d->candidate[k].propensity;
    chance[v->d->n_candidates] = policies_chance_of_none(v->d);
}

static void fill_nothing(const policies_choice *c, const policies_view *v, double *chance)
{
    (void)c;
    chance[v->d->n_candidates] = 1;
}

/* Divides by the sum; none alone where nothing is open. */
static void share_out(const policies_view *v, double *chance)
{
    const size_t n = v->d->n_candidates;
    double sum = 0;
    for (size_t k = 0; k <= n; k++)
        sum += chance[k];
    for (size_t k = 0; k <= n && sum > 0; k++)
        chance[k] /= sum;
    if (!(sum > 0)) chance[n] = 1;
}

static void fill_random(const policies_choice *c, const policies_view *v, double *chance)
{
    (void)c;
    for (size_t k = 0; k < v->d->n_candidates; k++)
        chance[k] = policies_is_open(v, &v->d->candidate[k]) ? 1 : 0;
    chance[v->d->n_candidates] = v->none_open ? 1 : 0;
    share_out(v, chance);
}

static void fill_single(const policies_choice *c, const policies_view *v, double *chance)
{
    const size_t n = v->d->n_candidates;
    size_t best = n;
    for (size_t k = 0; k < n; k++) {
        const policies_candidate *one = &v->d->candidate[k];
        if (one->promotion != c->promotion || !policies_is_open(v, one)) continue;
        if (best == n || one->value_minor > v->d->candidate[best].value_minor) best = k;
    }
    chance[best] = 1;
}

/* Of equals the first. */
static void fill_most(const policies_choice *c, const policies_view *v, double *chance)
{
    const size_t n = v->d->n_candidates;
    size_t best = n;
    double most = 0;
    for (size_t k = 0; k < n; k++) {
        const double worth = c->kind->worth(c, &v->d->candidate[k]);
        if (!policies_is_open(v, &v->d->candidate[k]) || !(worth > most)) continue;
        best = k;
        most = worth;
    }
    chance[best] = 1;
}

static void fill_softmax(const policies_choice *c, const policies_view *v, double *chance)
{
    double most = v->none_open ? 0 : -INFINITY;
    const size_t n = v->d->n_candidates;
    for (size_t k = 0; k < n; k++)
        if (policies_is_open(v, &v->d->candidate[k]))
            most = fmax(most, v->d->candidate[k].value_minor);
    for (size_t k = 0; k < n; k++)
        if (policies_is_open(v, &v->d->candidate[k]))
            chance[k] = exp((v->d->candidate[k].value_minor - most) / c->number);
    chance[n] = v->none_open ? exp((0 - most) / c->number) : 0;
    share_out(v, chance);
}

static double worth_value(const policies_choice *c, const policies_candidate *k)
{
    (void)c;
    return k->value_minor;
}

static double worth_gain(const policies_choice *c, const policies_candidate *k)
{
    (void)c;
    return k->gain_minor;
}

static double worth_p_redeem(const policies_choice *c, const policies_candidate *k)
{
    (void)c;
    return k->p_redeem;
}

static double worth_lift(const policies_choice *c, const policies_candidate *k)
{
    (void)c;
    return k->lift;
}

static double worth_at_price(const policies_choice *c, const policies_candidate *k)
{
    return k->value_minor - c->number * k->cost_minor;
}

/* ---- the table ---- */

const policies_kind policies_kind_logged = {.word = "logged", .shown = "logged",
                                            .fill = fill_logged};
const policies_kind policies_kind_single = {.word = "single", .shown = "single:ID",
                                            .parameter = POLICIES_ID, .fill = fill_single};

static const policies_kind others[] = {
    {"nothing", "nothing", POLICIES_PLAIN, fill_nothing, NULL},
    {"random", "random", POLICIES_PLAIN, fill_random, NULL},
    {"best-single", "best-single", POLICIES_PLAIN, NULL, NULL},
    {"value", "value", POLICIES_PLAIN, fill_most, worth_value},
    {"gain", "gain", POLICIES_PLAIN, fill_most, worth_gain},
    {"p_redeem", "p_redeem", POLICIES_PLAIN, fill_most, worth_p_redeem},
    {"lift", "lift", POLICIES_PLAIN, fill_most, worth_lift},
    {"value", "value@PRICE", POLICIES_PRICE, fill_most, worth_at_price},
    {"softmax", "softmax:T", POLICIES_TEMPERATURE, fill_softmax, NULL},
};
enum { OTHERS = sizeof others / sizeof others[0], KINDS = OTHERS + 2 };

static const policies_kind *kind_at(size_t k)
{
    if (k < 2) return k == 0 ? &policies_kind_logged : &policies_kind_single;
    return &others[k - 2];
}

const char *policies_names(void)
{
    return "logged, nothing, random, single:ID, best-single, value, gain, p_redeem, lift, "
           "value@PRICE, softmax:T";
}

/* ---- reading names ---- */

static char mark_of(policies_parameter p)
{
    static const char marks[] = {
        [POLICIES_PLAIN] = 0, [POLICIES_PRICE] = '@', [POLICIES_TEMPERATURE] = ':',
        [POLICIES_ID] = ':'};
    return marks[p];
}

static pf_status unknown_name(const char *name, pf_error *err)
{
    const char *words[KINDS];
    for (size_t k = 0; k < KINDS; k++)
        words[k] = kind_at(k)->word;
    const char *near = text_closest(name, words, KINDS);
    for (size_t k = 0; k < KINDS; k++)
        if (strncmp(name, words[k], strlen(words[k])) == 0) near = kind_at(k)->shown;
    return error_set(err, PF_USAGE, "there is no policy '%.*s'%s%s%s; name some of %s", 64, name,
                     near != NULL ? "; did you mean '" : "", near != NULL ? near : "",
                     near != NULL ? "'?" : "", policies_names());
}

static pf_status read_number(policies_choice *c, const char *word, pf_error *err)
{
    const bool price = c->kind->parameter == POLICIES_PRICE;
    if (text_to_double(text_of(word), &c->number) && (price ? c->number >= 0 : c->number > 0))
        return PF_OK;
    return error_set(err, PF_USAGE, "'%.64s' of policy %s must be a number %s", word,
                     c->kind->shown, price ? "of 0 or more, such as 0.5" : "above 0, such as 20");
}

static pf_status read_id(policies_choice *c, const char *word, const shop_catalogue *catalogue,
                         pf_error *err)
{
    if (word[0] == 0)
        return error_set(err, PF_USAGE, "single:ID needs the id of a promotion behind the colon");
    if (catalogue != NULL)
        c->promotion = intern_find(catalogue->promotion_ids, word, strlen(word));
    if (c->promotion != 0) return PF_OK;
    return error_set(err, PF_NOT_FOUND,
                     "policy single:ID: the catalogue has no promotion '%.128s'; see the ids in "
                     "its table of promotions",
                     word);
}

static pf_status read_one(const char *name, const shop_catalogue *catalogue, policies_choice *c,
                          pf_error *err)
{
    const size_t word = strcspn(name, ":@");
    const char mark = name[word];
    for (size_t k = 0; k < KINDS && c->kind == NULL; k++) {
        const policies_kind *kind = kind_at(k);
        if (strlen(kind->word) == word && strncmp(kind->word, name, word) == 0 &&
            mark_of(kind->parameter) == mark)
            c->kind = kind;
    }
    if (c->kind == NULL) return unknown_name(name, err);
    (void)snprintf(c->name, sizeof c->name, "%s", name);
    if (c->kind->parameter == POLICIES_PLAIN) return PF_OK;
    if (c->kind->parameter == POLICIES_ID) return read_id(c, name + word + 1, catalogue, err);
    return read_number(c, name + word + 1, err);
}

static pf_status add_name(const char *at, size_t length, const shop_catalogue *catalogue,
                          policies_choice *out, size_t room, size_t *n, pf_error *err)
{
    char name[POLICIES_NAME_BYTES];
    const text word = text_trim((text){at, length});
    if (word.n == 0)
        return error_set(err, PF_USAGE, "a policy has no name; name some of %s, parted by commas",
                         policies_names());
    if (word.n >= sizeof name)
        return error_set(err, PF_USAGE, "the name of a policy has %zu bytes; at most %zu can be",
                         word.n, sizeof name - 1);
    if (*n == room)
        return error_set(err, PF_USAGE, "more than %zu policies; compare fewer at once", room);
    memcpy(name, word.data, word.n);
    name[word.n] = 0;
    for (size_t k = 0; k < *n; k++)
        if (strcmp(out[k].name, name) == 0)
            return error_set(err, PF_USAGE, "policy '%.64s' is named twice; once is enough",
                             name);
    out[*n] = (policies_choice){.kind = NULL};
    pf_status s = read_one(name, catalogue, &out[*n], err);
    if (s == PF_OK) (*n)++;
    return s;
}

pf_status policies_parse(const char *names, const shop_catalogue *c, policies_choice *out,
                         size_t room, size_t *n, pf_error *err)
{
    pf_status s = PF_OK;
    const char *at = names;
    *n = 0;
    for (;;) {
        const size_t length = strcspn(at, ",");
        s = add_name(at, length, c, out, room, n, err);
        if (s != PF_OK || at[length] == 0) return s;
        at += length + 1;
    }
}

/* ---- on rows ---- */

size_t policies_most_candidates(const policies_rows *r)
{
    size_t most = 0;
    for (size_t i = 0; i < r->columns.n; i++)
        if (r->row[i].d->n_candidates > most) most = r->row[i].d->n_candidates;
    return most;
}

void policies_fill_row(const policies_rows *r, const policies_options *o,
                       const policies_choice *c, size_t i, double *chance, double *target)
{
    const policies_row *row = &r->row[i];
    const size_t n = row->d->n_candidates;
    const double none = r->columns.logging[i * r->columns.n_actions];
    const policies_view v = {row->d, o->only_possible, !o->only_possible || none > 0};
    for (size_t k = 0; k <= n; k++)
        chance[k] = 0;
    c->kind->fill(c, &v, chance);
    for (size_t k = 0; k < n; k++)
        if (r->action_of[row->first + k] != 0) target[r->action_of[row->first + k]] = chance[k];
    target[0] = chance[n];
}

pf_status policies_check_known(const policies_rows *r, const policies_choice *c, pf_error *err)
{
    size_t asked = 0, without = 0;
    if (c->kind->worth == NULL) return PF_OK;
    for (size_t i = 0; i < r->columns.n; i++) {
        const policies_decision *d = r->row[i].d;
        for (size_t k = 0; k < d->n_candidates; k++) {
            if (!policies_is_action(&d->candidate[k])) continue;
            asked++;
            without += isnan(c->kind->worth(c, &d->candidate[k])) != 0;
        }
    }
    if (without == 0) return PF_OK;
    return error_set(err, PF_DATA,
                     "%zu of %zu candidates have no %s in the log: it cannot be ranked by; train "
                     "what foretells it, then decide again",
                     without, asked, c->kind->word);
}
