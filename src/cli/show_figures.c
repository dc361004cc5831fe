/*
 * Tables of figures. A model stands in one row; the best of the first column of figures is
 * not marked, because the order and the standard errors say it.
 */
#include "cli/show_figures.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/limits.h"

/* A figure that may be absent. */
static void figure_cell(table *t, const json_value *object, const char *key)
{
    const json_value *v = json_member(object, key);
    if (v == NULL || v->kind != JSON_NUMBER)
        table_cell(t, "–");
    else
        table_cell(t, "%.4f", show_number(object, key));
}

static void any_row(table *t, const char *name, const json_value *row)
{
    table_cell(t, "%s", name);
    figure_cell(t, row, "auc");
    figure_cell(t, row, "log_loss");
    figure_cell(t, row, "ece");
    figure_cell(t, row, "sum_p_over_sum_y");
}

static void show_any(result *r, const json_value *any)
{
    static const char *const headings[] = {"redeems anything of a campaign", ">auc",
                                           ">log_loss", ">ece", ">sum_p/sum_y"};
    const json_value *baselines = json_member(any, "baselines");
    if (any == NULL) return;
    table *t = table_new(5, headings, 60);
    any_row(t, "Proffer", any);
    for (size_t i = 0; baselines != NULL && i < baselines->n; i++)
        any_row(t, show_text(r, &baselines->values[i], "model"), &baselines->values[i]);
    table_print(t);
    printf("%.0f mailings of test campaigns, %.0f redeemed; standard error of the AUC "
           "%.4f\n\n",
           show_number(any, "rows"), show_number(any, "positives"),
           show_number(any, "auc_se"));
}

static void which_row(table *t, const char *name, const json_value *row)
{
    table_cell(t, "%s", name);
    figure_cell(t, row, "ndcg@10");
    figure_cell(t, row, "ndcg@10_se");
    figure_cell(t, row, "recall@10");
}

static void show_which(result *r, const json_value *which)
{
    static const char *const headings[] = {"which promotions of the campaign", ">ndcg@10",
                                           ">se", ">recall@10"};
    const json_value *baselines = json_member(which, "baselines");
    if (which == NULL) return;
    table *t = table_new(4, headings, 60);
    which_row(t, "Proffer", which);
    for (size_t i = 0; baselines != NULL && i < baselines->n; i++)
        which_row(t, show_text(r, &baselines->values[i], "model"), &baselines->values[i]);
    table_print(t);
    printf("%.0f pairs of shopper and campaign\n\n", show_number(which, "pairs"));
}

/* A line for each step that the data saw. */
static void show_funnel(const json_value *funnel)
{
    static const char *const steps[][2] = {
        {"view", "seen"}, {"click", "clicked"}, {"convert", "bought from"}};
    for (size_t i = 0; funnel != NULL && i < 3; i++) {
        const json_value *late = json_member(json_member(funnel, steps[i][0]), "latest_tenth");
        if (late == NULL) continue;
        printf("whether a message is %s: auc %.3f, announced / happened %.2f on the latest %.0f "
               "rows\n", steps[i][1], show_number(late, "auc"),
               show_number(late, "sum_p_over_sum_y"), show_number(late, "rows"));
    }
    if (funnel != NULL) printf("\n");
}

static void show_products(result *r, const json_value *products)
{
    static const char *const headings[] = {
        "which products next", ">ndcg@10", ">se", ">recall@10", ">hr@10", ">coverage@10"};
    static const char *const keys[] = {"ndcg@10", "ndcg@10_se", "recall@10", "hr@10",
                                       "coverage@10"};
    const json_value *models = json_member(products, "models");
    if (models == NULL || models->n == 0) return;
    table *t = table_new(6, headings, 60);
    for (size_t i = 0; i < models->n; i++) {
        table_cell(t, "%s", show_text(r, &models->values[i], "model"));
        for (size_t k = 0; k < 5; k++)
            figure_cell(t, &models->values[i], keys[k]);
    }
    table_print(t);
    printf("%.0f shoppers\n", show_number(products, "users"));
}

/* The protocol's result may be split into all and fully observed campaigns. */
static const json_value *all_of(const json_value *part)
{
    const json_value *all = json_member(part, "all");
    return all ? all : part;
}

void show_evaluation(result *r, const json_value *evaluation)
{
    show_any(r, all_of(json_member(evaluation, "any")));
    show_which(r, all_of(json_member(evaluation, "which")));
    show_funnel(json_member(evaluation, "funnel"));
    show_products(r, json_member(evaluation, "products"));
}

void show_model_table(result *r, const json_value *models, int k)
{
    static const char *const names[] = {"hr", "ndcg", "mrr", "coverage"};
    char heading[4][24], key[32];
    const char *headings[7] = {"model"};
    for (int i = 0; i < 4; i++) {
        (void)snprintf(heading[i], sizeof heading[i], ">%s@%d", names[i], k);
        headings[i + 1] = heading[i];
    }
    headings[5] = ">users";
    headings[6] = ">train_s";
    table *t = table_new(7, headings, 40);
    for (size_t i = 0; i < models->n; i++) {
        const json_value *m = &models->values[i];
        table_cell(t, "%s", show_text(r, m, "model"));
        for (int c = 0; c < 4; c++) {
            (void)snprintf(key, sizeof key, "%s@%d", names[c], k);
            figure_cell(t, m, key);
        }
        table_cell(t, "%.0f", show_number(m, "users"));
        table_cell(t, "%.2f", show_number(m, "train_s"));
    }
    table_print(t);
}

/* --- back to JSON ----------------------------------------------------------------- */

void show_json_lines(const json_value *array)
{
    buffer line;
    buffer_init(&line, LIMIT_JSON_BYTES);
    for (size_t i = 0; i < array->n; i++) {
        json_writer w;
        buffer_clear(&line);
        json_begin(&w, &line);
        json_write_value(&w, &array->values[i]);
        if (json_finish(&w)) printf("%s\n", line.data);
    }
    buffer_free(&line);
}
