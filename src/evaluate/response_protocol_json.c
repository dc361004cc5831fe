/* The protocol's figures as JSON, under the names of the field. */
#include "evaluate/response_protocol.h"

static void number(json_writer *w, const char *key, double value)
{
    json_key(w, key);
    json_number(w, value);
}

static void any_members(json_writer *w, const any_figures *f)
{
    number(w, "auc", f->auc);
    number(w, "log_loss", f->log_loss);
    number(w, "brier", f->brier);
    number(w, "ece", f->ece);
    number(w, "sum_p_over_sum_y", f->sum_ratio);
}

static void any_bins(json_writer *w, const any_result *r)
{
    json_key(w, "reliability");
    json_array_begin(w);
    for (int i = 0; i < PROTOCOL_BINS && r->reliability[i].n > 0; i++) {
        json_object_begin(w);
        number(w, "p", r->reliability[i].mean_p);
        number(w, "y", r->reliability[i].mean_y);
        number(w, "n", (double)r->reliability[i].n);
        json_object_end(w);
    }
    json_array_end(w);
    json_key(w, "lift");
    json_array_begin(w);
    for (int i = 0; i < PROTOCOL_BINS && r->lift[i].n > 0; i++) {
        json_object_begin(w);
        number(w, "rate", r->lift[i].rate);
        number(w, "lift", r->lift[i].lift);
        number(w, "responders_share", r->lift[i].responders_share);
        json_object_end(w);
    }
    json_array_end(w);
}

static void any_object(json_writer *w, const any_result *r)
{
    json_object_begin(w);
    number(w, "rows", (double)r->rows);
    number(w, "positives", (double)r->positives);
    number(w, "campaigns", (double)r->campaigns);
    any_members(w, &r->own);
    number(w, "auc_se", r->own.auc_se);
    json_key(w, "by_the_end");
    json_object_begin(w);
    any_members(w, &r->whole);
    json_object_end(w);
    any_bins(w, r);
    json_key(w, "baselines");
    json_array_begin(w);
    for (int b = 0; b < PROTOCOL_ANY_BASELINES && r->rows > 0; b++) {
        json_object_begin(w);
        json_key(w, "model");
        json_text(w, r->baseline[b].model);
        any_members(w, &r->baseline[b]);
        number(w, "auc_gain", r->baseline[b].auc_gain);
        number(w, "auc_gain_se", r->baseline[b].auc_gain_se);
        number(w, "log_loss_gain", r->baseline[b].log_loss_gain);
        number(w, "log_loss_gain_se", r->baseline[b].log_loss_gain_se);
        json_object_end(w);
    }
    json_array_end(w);
    json_object_end(w);
}

static void which_members(json_writer *w, const which_figures *f)
{
    number(w, "ndcg@10", f->ndcg);
    number(w, "ndcg@10_se", f->ndcg_se);
    number(w, "recall@10", f->recall);
}

static void which_object(json_writer *w, const which_result *r)
{
    json_object_begin(w);
    number(w, "pairs", (double)r->pairs);
    number(w, "campaigns", (double)r->campaigns);
    which_members(w, &r->own);
    json_key(w, "baselines");
    json_array_begin(w);
    for (int b = 0; b < PROTOCOL_WHICH_BASELINES && r->pairs > 0; b++) {
        json_object_begin(w);
        json_key(w, "model");
        json_text(w, r->baseline[b].model);
        which_members(w, &r->baseline[b]);
        number(w, "gain", r->baseline[b].gain);
        number(w, "gain_se", r->baseline[b].gain_se);
        json_object_end(w);
    }
    json_array_end(w);
    json_object_end(w);
}

void response_protocol_write(const response_protocol *p, json_writer *w)
{
    json_key(w, "any");
    json_object_begin(w);
    json_key(w, "all");
    any_object(w, &p->any_all);
    json_key(w, "observed");
    any_object(w, &p->any_observed);
    json_object_end(w);
    json_key(w, "which");
    json_object_begin(w);
    json_key(w, "all");
    which_object(w, &p->which_all);
    json_key(w, "observed");
    which_object(w, &p->which_observed);
    json_object_end(w);
    json_key(w, "promotions");
    json_object_begin(w);
    number(w, "rows", (double)p->pairs.all.own.rows);
    number(w, "uses", p->pairs.all.own.uses);
    number(w, "sum_p_over_sum_y", p->pairs.all.own.sum_ratio);
    number(w, "sum_p_over_sum_y_low", p->pairs.all.own.low);
    number(w, "sum_p_over_sum_y_high", p->pairs.all.own.high);
    number(w, "ece", p->pairs.all.own.ece);
    number(w, "log_loss", p->pairs.all.own.log_loss);
    response_pairs_write(&p->pairs, w);
    json_object_end(w);
}
