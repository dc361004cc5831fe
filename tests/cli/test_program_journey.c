/* Protects the chain from end to end on the corner shop: train, evaluate, decide, explain,
 * message, recommend, report. What must hold of every decision is checked on all of them:
 * budgets, consent, holdout, caps, one reason for every candidate. */
#include "program.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "fixtures/corner_shop.h"

enum { CANDIDATES = 6 };

/* A workspace where everything was done once; tests only look at it. */
static const char *learned_shop(void)
{
    static const char *w;
    if (w == NULL) {
        w = copy_of_corner("learned");
        RUN_CODE(0, "train", "-w", w, "-q");
        RUN_CODE(0, "evaluate", "-w", w, "-q");
        RUN_CODE(0, "decide", "--campaign", "june", "-w", w, "-q");
    }
    return w;
}

static const char *beneath(const char *workspace, const char *name)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", strrchr(workspace, '/') + 1, name);
    return in_folder(path);
}

/* The whole file; freed with mem_free. */
static char *read_file(const char *path)
{
    char *bytes = NULL;
    size_t n = 0;
    pf_error err = {.code = PF_OK};
    if (file_read_whole(&bytes, &n, path, (size_t)1 << 28, &err) != PF_OK)
        fail_msg("%s: %s", path, err.message);
    return bytes;
}

static const json_value *decisions_of(const char *workspace)
{
    return json_of(RUN_CODE(0, "export", "--decisions", "-w", workspace));
}

/* The decision about a shopper. */
static const json_value *decision_about(const json_value *decisions, const char *shopper)
{
    const json_value *found = NULL;
    for (size_t i = 0; i < decisions->n; i++)
        if (!strcmp(word_of(&decisions->values[i], "shopper"), shopper)) {
            assert_null(found);
            found = &decisions->values[i];
        }
    assert_non_null(found);
    return found;
}

static bool is_sent(const json_value *decision)
{
    return word_of(decision, "promotion")[0] != 0;
}

/* --- train ------------------------------------------------------------------------ */

static const char *verdict_of(const char *workspace, const char *check)
{
    const json_value *checks =
        member_of(json_of(RUN_CODE(0, "doctor", "--json", "-w", workspace)), "checks");
    for (size_t i = 0; i < checks->n; i++)
        if (!strcmp(word_of(&checks->values[i], "check"), check))
            return word_of(&checks->values[i], "verdict");
    fail_msg("doctor does not look at %s", check);
    return "";
}

static void training_makes_both_models_and_doctor_knows_when_they_are_stale(void **state)
{
    (void)state;
    static const char *const models[] = {"models/recommend.safetensors",
                                         "models/response.safetensors"};
    const char *w = copy_of_corner("trained");
    for (int i = 0; i < 2; i++)
        assert_string_equal(verdict_of(w, models[i]), "missing");
    const json_value *v =
        member_of(json_of(RUN_CODE(0, "train", "--json", "-w", w)), "models");
    assert_int_equal(v->n, 2);
    for (size_t i = 0; i < v->n; i++) {
        assert_keys(&v->values[i], "model words seconds");
        assert_string_equal(verdict_of(w, models[i]), "ok");
    }
    const char *file = put("later.csv", "event_id,type,shopper_id,product_id,time\n"
                                        "later-1,view,s01,p01,2026-05-31T00:00:00Z\n");
    RUN_CODE(0, "import", file, "-w", w);
    for (int i = 0; i < 2; i++)
        assert_string_equal(verdict_of(w, models[i]), "stale");
    RUN_CODE(0, "decide", "--campaign", "june", "-w", w);
}

/* The shop's recommender is made as recommend.training and recommend.repeats say; a model that
 * was made otherwise is not the one that is asked for. */
static void another_setting_makes_a_trained_recommender_stale(void **state)
{
    (void)state;
    const char *const model = "models/recommend.safetensors";
    static const char *const changes[] = {
        "s/^  repeats: allow/&\\n  training: width=8,epochs=2/", "s/epochs=2/epochs=3/",
        "/^  training:/d", "s/^  repeats: allow/  repeats: mask/"};
    const char *w = copy_of_corner("settings");
    RUN_CODE(0, "train", "-w", w);
    assert_string_equal(verdict_of(w, model), "ok");
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        const ran *r = run_other(WORDS("sed", "-i", changes[i], beneath(w, "proffer.yaml")));
        assert_int_equal(r->code, 0);
        assert_string_equal(verdict_of(w, model), "stale");
        assert_string_equal(verdict_of(w, "models/response.safetensors"), "ok");
        RUN_CODE(0, "train", "-w", w);
        assert_string_equal(verdict_of(w, model), "ok");
    }
}

/* What was asked is answered all the same, by a model that is fitted for it; but nobody may
 * believe that the trained one answered. */
static void a_damaged_model_is_told_by_whoever_meets_it(void **state)
{
    (void)state;
    static const char *const models[] = {"models/recommend.safetensors",
                                         "models/response.safetensors"};
    const char *w = copy_of_corner("damaged");
    RUN_CODE(0, "train", "-w", w);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(
            run_other(WORDS("truncate", "-s", "-1", beneath(w, models[i])))->code, 0);
        const ran *r = RUN_CODE(3, "doctor", "-w", w);
        assert_non_null(strstr(r->out, "wrong"));
        assert_non_null(strstr(r->err, models[i]));
        r = i == 0 ? RUN_CODE(0, "recommend", "s01", "-w", w)
                   : RUN_CODE(0, "decide", "--at", "2026-06-01", "--dry-run", "-w", w);
        assert_non_null(strstr(r->err, models[i]));
        RUN_CODE(0, "train", "-w", w);
        assert_string_equal(verdict_of(w, models[i]), "ok");
    }
}

static void the_same_seed_and_data_train_the_same_bytes(void **state)
{
    (void)state;
    static const char *const names[] = {"models/recommend.safetensors",
                                        "models/response.safetensors"};
    const char *one = copy_of_corner("seed-a"), *two = copy_of_corner("seed-b");
    RUN_CODE(0, "train", "--seed", "7", "-w", one);
    RUN_CODE(0, "train", "--seed", "7", "--threads", "1", "-w", two);
    for (int i = 0; i < 2; i++)
        assert_int_equal(
            run_other(WORDS("cmp", beneath(one, names[i]), beneath(two, names[i])))->code,
            0);
}

enum { BASKET_SHOPPERS = 30, BASKETS = 5, BASKET_LINES = 4 };

/* Shoppers who buy several products at one moment, in orders with ids. */
static void import_baskets(const char *workspace)
{
    buffer b;
    buffer_init(&b, 1 << 20);
    buffer_append_text(&b, "product_id,title,category\n");
    for (int i = 0; i < 20; i++)
        buffer_printf(&b, "p%d,thing %d,sort %d\n", i, i, i % 4);
    assert_true(buffer_append_char(&b, '\0'));
    RUN_CODE(0, "import", put("basket-products.csv", b.data), "--table", "products", "-w",
             workspace);
    buffer_free(&b);
    buffer_init(&b, 1 << 20);
    buffer_append_text(&b, "event_id,type,shopper_id,product_id,order_id,time\n");
    for (int s = 0; s < BASKET_SHOPPERS; s++)
        for (int k = 0; k < BASKETS; k++)
            for (int line = 0; line < BASKET_LINES; line++)
                buffer_printf(&b, "e%d-%d-%d,purchase,s%d,p%d,o%d-%d,2026-0%d-1%dT08:00:00Z\n", s,
                              k, line, s, (s * 3 + k * 5 + line * (1 + s % 3)) % 20, s, k, k + 1,
                              s % 10);
    assert_true(buffer_append_char(&b, '\0'));
    RUN_CODE(0, "import", put("basket-events.csv", b.data), "--table", "events", "-w", workspace);
    buffer_free(&b);
}

/* Stores have keys of their own, so their numbers of orders and events differ; what is learnt
 * from the same files does not. */
static void the_same_files_in_two_workspaces_train_the_same_bytes(void **state)
{
    (void)state;
    static const char *const models[] = {"models/recommend.safetensors",
                                         "models/transformer.safetensors",
                                         "models/habit.safetensors"};
    const char *w[2];
    for (int i = 0; i < 2; i++) {
        w[i] = empty_workspace(i == 0 ? "files-a" : "files-b");
        import_baskets(w[i]);
        RUN_CODE(0, "train", "-w", w[i]);
        RUN_CODE(0, "train", "--model", "habit", "-w", w[i]);
        RUN_CODE(0, "train", "--model", "transformer", "--set",
                 "width=8,heads=1,blocks=1,length=20,epochs=2", "-w", w[i]);
    }
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        const ran *r = run_other(WORDS("cmp", beneath(w[0], models[i]), beneath(w[1], models[i])));
        if (r->code != 0) fail_msg("%s differs between two imports of the same files", models[i]);
    }
}

static void a_full_disk_leaves_the_old_models(void **state)
{
    (void)state;
    const char *w = copy_of_corner("no-room-for-models");
    RUN_CODE(0, "train", "--seed", "3", "-w", w);
    const char *model = beneath(w, "models/response.safetensors");
    const char *kept = beneath(w, "kept.safetensors");
    assert_int_equal(run_other(WORDS("cp", model, kept))->code, 0);
    next_run.file_limit = 4096;
    assert_contains(RUN_CODE(5, "train", "--seed", "4", "-w", w)->err, "models/");
    assert_int_equal(run_other(WORDS("cmp", model, kept))->code, 0);
    RUN_CODE(0, "decide", "--campaign", "june", "-w", w);
}

/* --- evaluate --------------------------------------------------------------------- */

/* The figure of one of a list of models, by name. */
static double figure_of(const json_value *models, const char *name, const char *figure)
{
    for (size_t i = 0; i < models->n; i++)
        if (!strcmp(word_of(&models->values[i], "model"), name))
            return number_of(&models->values[i], figure);
    fail_msg("there is no model %s", name);
    return 0;
}

static void evaluation_stands_beside_baselines_and_finds_what_is_in_the_data(void **state)
{
    (void)state;
    const char *w = copy_of_corner("evaluated");
    const json_value *v = json_of(RUN_CODE(0, "evaluate", "--json", "-w", w));
    assert_keys(v, "test_from any which products seconds");
    assert_string_equal(word_of(v, "test_from"), "2026-05-01");
    const json_value *any = member_of(member_of(v, "any"), "all");
    assert_keys(
        any, "rows positives auc auc_se log_loss brier ece sum_p_over_sum_y baselines");
    assert_int_equal(number_of(any, "rows"), CORNER_MAILINGS / 3);
    assert_true(member_of(any, "baselines")->n >= 2);
    const json_value *which = member_of(member_of(v, "which"), "all");
    assert_true(number_of(which, "ndcg@10") > figure_of(member_of(which, "baselines"),
                                                        "popularity of the scope",
                                                        "ndcg@10"));
    const json_value *models = member_of(member_of(v, "products"), "models");
    assert_true(figure_of(models, "habit", "ndcg@10") >
                figure_of(models, "popularity", "ndcg@10") + 0.2);
    const ran *r = RUN_CODE(0, "evaluate", "-w", w);
    assert_contains(r->out, "which products next");
    assert_contains(r->out, "popularity");
}

static void the_test_period_may_be_chosen(void **state)
{
    (void)state;
    const char *w = copy_of_corner("evaluated-from");
    const json_value *v =
        json_of(RUN_CODE(0, "evaluate", "--test-from", "2026-04-01", "--json", "-w", w));
    assert_string_equal(word_of(v, "test_from"), "2026-04-01");
    assert_int_equal(number_of(member_of(member_of(v, "any"), "all"), "rows"),
                     2 * CORNER_MAILINGS / 3);
    assert_contains(RUN_CODE(2, "evaluate", "--test-from", "soon", "-w", w)->err, "soon");
}

static const char *sequences_file(void)
{
    buffer b;
    buffer_init(&b, 1 << 20);
    for (unsigned u = 1; u <= 60; u++) {
        buffer_printf(&b, "%u", u);
        for (unsigned k = 0; k < 8; k++)
            buffer_printf(&b, " %u", 1 + (u * 7 + k * 3) % 40);
        buffer_append_char(&b, '\n');
    }
    const char *path = put("sequences.txt", b.data);
    buffer_free(&b);
    return path;
}

static void sequences_are_evaluated_without_a_workspace(void **state)
{
    (void)state;
    const char *file = sequences_file();
    const ran *r = RUN_CODE(0, "evaluate", "--sequences", file, "--models",
                            "popularity,transitions", "--k", "5", "--json");
    char *second = strchr(r->out, '\n');
    assert_non_null(second);
    assert_ptr_equal(strchr(second + 1, '\n'), r->out + r->out_n - 1);
    assert_contains(r->out, "\"ndcg@5\"");
    assert_contains(second, "transitions");
    r = RUN_CODE(0, "evaluate", "--sequences", file, "--models",
                 "popularity,transitions");
    assert_contains(r->out, "ndcg@10");
    assert_contains(
        RUN_CODE(2, "evaluate", "--sequences", file, "--models", "popularty")->err,
        "popularity");
    assert_contains(RUN_CODE(2, "evaluate", "--sequences", file, "--protocol", "x")->err,
                    "leave-one-out");
    assert_contains(RUN_CODE(2, "evaluate", "--sequences", file, "--repeats", "x")->err,
                    "mask");
    RUN_CODE(4, "evaluate", "--sequences", in_folder("no-such-file.txt"));
}

/* --- decide ----------------------------------------------------------------------- */

static void a_dry_run_tells_all_and_writes_nothing(void **state)
{
    (void)state;
    const char *w = copy_of_corner("dry");
    const ran *r = RUN_CODE(0, "decide", "--campaign", "june", "--dry-run", "-w", w);
    assert_contains(r->out, "Campaign june: 6 promotions, 30 shoppers");
    assert_contains(r->out, "nothing was written");
    const json_value *v = json_of(
        RUN_CODE(0, "decide", "--campaign", "june", "--dry-run", "--json", "-w", w));
    assert_keys(v,
                "run at campaign dry_run currency candidates shoppers treated held_out "
                "messages cost gain value bound gap caps reasons promotions sample");
    assert_string_equal(word_of(v, "run"), "");
    assert_true(member_of(v, "dry_run")->boolean);
    RUN_CODE(4, "export", "--decisions", "-w", w);
    assert_contains(RUN_CODE(4, "explain", "s01", "-w", w)->err, "proffer decide");
}

static void every_shopper_gets_one_decision_and_at_most_one_promotion(void **state)
{
    (void)state;
    const json_value *d = decisions_of(learned_shop());
    char id[8];
    assert_int_equal(d->n, CORNER_SHOPPERS);
    unsigned sent = 0;
    for (int i = 1; i <= CORNER_SHOPPERS; i++) {
        (void)snprintf(id, sizeof id, "s%02d", i);
        const json_value *one = decision_about(d, id);
        assert_keys(one,
                    "id run shopper promotion channel send_at propensity p_redeem cost "
                    "reason holdout message versions");
        assert_keys(member_of(one, "versions"), "policy data frames program");
        assert_string_equal(word_of(one, "run"), word_of(&d->values[0], "run"));
        sent += is_sent(one);
        assert_int_equal(is_sent(one), !strcmp(word_of(one, "reason"), "chosen"));
        assert_int_equal(is_sent(one), word_of(one, "message")[0] != 0);
        assert_int_equal(is_sent(one), word_of(one, "channel")[0] != 0);
        assert_true(number_of(one, "propensity") > 0 &&
                    number_of(one, "propensity") <= 1);
    }
    assert_true(sent > 5);
}

/* In fen, so that sums are exact. */
static long fen(const json_value *object, const char *key)
{
    return lround(number_of(object, key) * 100);
}

static void budgets_hold_to_the_last_fen(void **state)
{
    (void)state;
    const char *w = learned_shop();
    const json_value *d = decisions_of(w);
    long all = 0, of_t = 0;
    for (size_t i = 0; i < d->n; i++) {
        all += fen(&d->values[i], "cost");
        if (!strcmp(word_of(&d->values[i], "promotion"), "june-T"))
            of_t += fen(&d->values[i], "cost");
    }
    assert_true(all > 0 && all <= 4000);
    assert_true(of_t <= 6000);
    static const char *const budgets[] = {"0", "0.01", "5", "12.34", "100000"};
    long before = -1;
    for (size_t i = 0; i < 5; i++) {
        const json_value *v =
            json_of(RUN_CODE(0, "decide", "--campaign", "june", "--budget", budgets[i],
                             "--dry-run", "--json", "-w", w));
        assert_true(fen(v, "cost") <= lround(strtod(budgets[i], NULL) * 100));
        assert_true(fen(v, "value") >= before); /* more money is never worth less */
        assert_true(fen(v, "value") <= fen(v, "bound"));
        before = fen(v, "value");
    }
}

static void nobody_is_contacted_without_consent(void **state)
{
    (void)state;
    const json_value *d = decisions_of(learned_shop());
    /* s27 agreed to text messages only, which this shop does not send. */
    static const char *const silent[] = {"s27", "s29", "s30"};
    for (int i = 0; i < 3; i++)
        assert_false(is_sent(decision_about(d, silent[i])));
    assert_string_equal(word_of(decision_about(d, "s27"), "reason"), "no_consent");
    assert_string_equal(word_of(decision_about(d, "s30"), "reason"), "consent_refused");
    const json_value *only_email = decision_about(d, "s28");
    assert_true(!is_sent(only_email) || !strcmp(word_of(only_email, "channel"), "email"));
    for (size_t i = 0; i < d->n; i++) {
        const char *channel = word_of(&d->values[i], "channel");
        assert_true(!channel[0] || !strcmp(channel, "email") ||
                    !strcmp(channel, "wechat"));
    }
}

static void an_unsubscribed_shopper_is_left_alone(void **state)
{
    (void)state;
    const char *w = copy_of_corner("unsubscribed");
    const json_value *d;
    const char *file =
        put("stop.csv", "event_id,type,shopper_id,channel,time\n"
                        "stop-1,unsubscribe,s01,email,2026-05-30T12:00:00Z\n"
                        "stop-2,unsubscribe,s01,wechat,2026-05-30T12:00:00Z\n");
    assert_true(is_sent(decision_about(decisions_of(learned_shop()), "s01")));
    RUN_CODE(0, "import", file, "-w", w);
    RUN_CODE(0, "decide", "--campaign", "june", "-w", w);
    d = decisions_of(w);
    assert_false(is_sent(decision_about(d, "s01")));
}

static void the_holdout_gets_nothing_and_stays_the_same(void **state)
{
    (void)state;
    const char *w = copy_of_corner("holdout");
    bool held[CORNER_SHOPPERS] = {false};
    unsigned n = 0, other = 0;
    for (int round = 0; round < 3; round++) {
        if (round == 2) setenv("PROFFER_DECIDE_HOLDOUT_SALT", "another", 1);
        RUN_CODE(0, "decide", "--campaign", "june", "-w", w);
        const json_value *d = decisions_of(w);
        for (size_t i = 0; i < d->n; i++) {
            bool now = member_of(&d->values[i], "holdout")->boolean;
            assert_false(now && is_sent(&d->values[i]));
            if (now) assert_string_equal(word_of(&d->values[i], "reason"), "holdout");
            if (round == 1) assert_int_equal(now, held[i]);
            n += round == 0 && now;
            other += round == 2 && now != held[i];
            held[i] = round == 0 ? now : held[i];
        }
    }
    unsetenv("PROFFER_DECIDE_HOLDOUT_SALT");
    assert_true(n >= 1 && n <= 12);
    assert_true(other > 0);
}

/* To measure the effect only those may be compared who would have got something. */
static void a_held_out_shopper_who_could_get_nothing_has_the_own_reason(void **state)
{
    (void)state;
    const char *w = copy_of_corner("holdout-reasons");
    unsigned eligible = 0, refused = 0;
    setenv("PROFFER_DECIDE_HOLDOUT", "0.9", 1);
    RUN_CODE(0, "decide", "--campaign", "june", "-w", w);
    unsetenv("PROFFER_DECIDE_HOLDOUT");
    const json_value *d = decisions_of(w);
    for (size_t i = 0; i < d->n; i++) {
        const char *reason = word_of(&d->values[i], "reason");
        bool held = member_of(&d->values[i], "holdout")->boolean;
        assert_true(held || strcmp(reason, "holdout") != 0);
        eligible += held && !strcmp(reason, "holdout");
        refused +=
            held && (!strcmp(reason, "no_consent") || !strcmp(reason, "consent_refused"));
    }
    assert_true(eligible > 0);
    assert_true(refused > 0);
}

static void deciding_twice_on_the_same_data_decides_the_same(void **state)
{
    (void)state;
    const char *w = copy_of_corner("again");
    const char *one =
        RUN_CODE(0, "decide", "--campaign", "june", "--dry-run", "--json", "-w", w)->out;
    assert_string_equal(
        RUN_CODE(0, "decide", "--campaign", "june", "--dry-run", "--json", "-w", w)->out,
        one);
    RUN_CODE(0, "train", "-w", w); /* what was trained must not decide otherwise */
    assert_string_equal(
        RUN_CODE(0, "decide", "--campaign", "june", "--dry-run", "--json", "-w", w)->out,
        one);
}

static void every_run_is_kept_and_can_be_asked_for(void **state)
{
    (void)state;
    const char *w = copy_of_corner("runs");
    const char *first = word_of(
        json_of(RUN_CODE(0, "decide", "--campaign", "june", "--json", "-w", w)), "run");
    const char *second = word_of(json_of(RUN_CODE(0, "decide", "--campaign", "june",
                                                  "--budget", "1", "--json", "-w", w)),
                                 "run");
    assert_string_not_equal(first, second);
    assert_string_equal(word_of(&decisions_of(w)->values[0], "run"), second);
    const json_value *d =
        json_of(RUN_CODE(0, "export", "--decisions", "--run", first, "-w", w));
    assert_int_equal(d->n, CORNER_SHOPPERS);
    assert_string_equal(word_of(&d->values[0], "run"), first);
    RUN_CODE(4, "export", "--decisions", "--run", "never", "-w", w);
}

/* --- explain ---------------------------------------------------------------------- */

static void explain_has_a_reason_for_every_candidate_of_every_shopper(void **state)
{
    (void)state;
    const char *w = learned_shop();
    const json_value *d = decisions_of(w);
    char id[8];
    for (int i = 1; i <= CORNER_SHOPPERS; i++) {
        (void)snprintf(id, sizeof id, "s%02d", i);
        const json_value *v = json_of(RUN_CODE(0, "explain", id, "--json", "-w", w));
        const json_value *list = member_of(v, "candidates");
        const char *sent = word_of(decision_about(d, id), "promotion");
        unsigned chosen = 0;
        assert_string_equal(word_of(v, "shopper"), id);
        assert_int_equal(list->n, CANDIDATES);
        for (size_t k = 0; k < list->n; k++) {
            const json_value *c = &list->values[k];
            assert_keys(c, "promotion title chosen p_redeem spend_if_redeemed gain cost "
                           "reason_code reason");
            assert_true(strlen(word_of(c, "reason")) > 10);
            assert_true(strlen(word_of(c, "reason_code")) > 3);
            if (member_of(c, "chosen")->boolean) {
                assert_string_equal(word_of(c, "promotion"), sent);
                chosen++;
            }
        }
        assert_int_equal(chosen, sent[0] != 0);
    }
}

static void explain_tells_a_person_and_may_be_asked_about_one_promotion(void **state)
{
    (void)state;
    const char *w = learned_shop();
    const ran *r = RUN_CODE(0, "explain", "s01", "-w", w);
    assert_contains(r->out, "Shopper s01");
    assert_contains(r->out, "june-T");
    assert_contains(r->out, "what speaks for");
    const json_value *v =
        json_of(RUN_CODE(0, "explain", "s01", "june-S", "--json", "-w", w));
    assert_int_equal(member_of(v, "candidates")->n, 1);
    assert_string_equal(word_of(&member_of(v, "candidates")->values[0], "promotion"),
                        "june-S");
    assert_contains(RUN_CODE(4, "explain", "s01", "june-Q", "-w", w)->err, "june-Q");
    assert_contains(RUN_CODE(4, "explain", "s01", "may-T", "-w", w)->err, "latest run");
    assert_contains(RUN_CODE(4, "explain", "nobody", "-w", w)->err, "nobody");
}

/* --- message ---------------------------------------------------------------------- */

static bool is_chinese(const char *words)
{
    return strstr(words, "截至") != NULL || strstr(words, "满") != NULL;
}

static void messages_come_in_the_language_asked_for_or_the_shoppers_own(void **state)
{
    (void)state;
    const char *w = learned_shop();
    const json_value *v = json_of(
        RUN_CODE(0, "message", "--language", "zh", "--sample", "5", "--json", "-w", w));
    assert_true(v->n >= 1 && v->n <= 5);
    for (size_t i = 0; i < v->n; i++) {
        assert_keys(&v->values[i], "shopper promotion channel language message");
        assert_true(is_chinese(word_of(&v->values[i], "message")));
    }
    v = json_of(RUN_CODE(0, "message", "--language", "en", "--json", "-w", w));
    for (size_t i = 0; i < v->n; i++)
        assert_false(is_chinese(word_of(&v->values[i], "message")));
    const json_value *d = decisions_of(w);
    for (size_t i = 0; i < d->n; i++) {
        const char *shopper = word_of(&d->values[i], "shopper");
        if (is_sent(&d->values[i]))
            assert_int_equal(is_chinese(word_of(&d->values[i], "message")),
                             (shopper[2] - '0') % 2 == 0);
    }
}

static void replace_in_file(const char *path, const char *old, const char *new)
{
    char *bytes = read_file(path), *at = strstr(bytes, old);
    buffer b;
    pf_error err = {.code = PF_OK};
    assert_non_null(at);
    buffer_init(&b, 1 << 20);
    buffer_append(&b, bytes, (size_t)(at - bytes));
    buffer_append_text(&b, new);
    buffer_append_text(&b, at + strlen(old));
    assert_int_equal(file_write_atomic(path, b.data, b.length, &err), PF_OK);
    buffer_free(&b);
    mem_free(bytes);
}

/* Messages of a run that name something for a cat. */
static unsigned cats_named(const char *workspace)
{
    static const char *const products[] = {"猫粮", "猫砂", "猫零食", "逗猫棒"};
    unsigned n = 0;
    const json_value *d = decisions_of(workspace);
    for (size_t i = 0; i < d->n; i++)
        for (size_t k = 0; k < 4; k++)
            n += strstr(word_of(&d->values[i], "message"), products[k]) != NULL;
    return n;
}

static void the_shops_own_sensitive_categories_are_never_named(void **state)
{
    (void)state;
    const char *w = copy_of_corner("pets-are-no-secret");
    assert_int_equal(cats_named(learned_shop()), 0);
    replace_in_file(beneath(w, "proffer.yaml"), "sensitive: [PETS]", "sensitive: []");
    RUN_CODE(0, "decide", "--campaign", "june", "-w", w);
    assert_true(cats_named(w) > 0);
}

static void no_message_names_alcohol_counts_or_hours(void **state)
{
    (void)state;
    const json_value *d = decisions_of(learned_shop());
    for (size_t i = 0; i < d->n; i++) {
        const char *words = word_of(&d->values[i], "message");
        assert_lacks(words, "酒");
        assert_lacks(words, "wine");
        assert_lacks(words, " times");
        assert_lacks(words, "o'clock");
    }
}

/* --- recommend -------------------------------------------------------------------- */

static void recommend_names_products_with_scores_and_reasons(void **state)
{
    (void)state;
    const char *w = learned_shop();
    const json_value *v =
        json_of(RUN_CODE(0, "recommend", "s05", "--limit", "3", "--json", "-w", w));
    const json_value *list = member_of(v, "products");
    assert_int_equal(list->n, 3);
    for (size_t i = 0; i < 3; i++) {
        assert_keys(&list->values[i], "id title category price score why");
        if (i > 0)
            assert_true(number_of(&list->values[i - 1], "score") >=
                        number_of(&list->values[i], "score"));
    }
    /* Who buys the same again and again is told of it first. */
    const json_value *p = json_of(RUN_CODE(0, "profile", "s05", "--json", "-w", w));
    assert_string_equal(word_of(&list->values[0], "id"),
                        word_of(&member_of(p, "favourites")->values[0], "id"));
    assert_contains(RUN_CODE(0, "recommend", "s05", "-w", w)->out, "豆浆粉");
    RUN_CODE(0, "recommend", "s05", "--at", "2026-03-01", "-w", w);
    RUN_CODE(0, "recommend", "s05", "-w", corner()); /* untrained: learnt on the way */
}

/* --- report ----------------------------------------------------------------------- */

static void the_report_is_one_file_that_loads_nothing_from_anywhere(void **state)
{
    (void)state;
    static const char *const fetching[] = {
        "src=",   "href=\"http",    "href='http",    "<link",     "@import", "url(",
        "fetch(", "XMLHttpRequest", "importScripts", "WebSocket", "<iframe", "<img"};
    const char *w = learned_shop();
    const ran *r = RUN_CODE(0, "report", "-w", w);
    assert_contains(r->out, "reports/report.html\n");
    char *html = read_file(beneath(w, "reports/report.html"));
    for (size_t i = 0; i < sizeof fetching / sizeof fetching[0]; i++)
        assert_lacks(html, fetching[i]);
    const json_value *d = decisions_of(w);
    assert_contains(html, word_of(&d->values[0], "run"));
    assert_contains(html, "\"ndcg@10\"");
    assert_contains(html, "Corner Shop 街角小店");
    assert_contains(html, "<meta name=\"viewport\"");
    mem_free(html);
    const char *elsewhere = in_folder("out/of/the/way.html");
    const json_value *v =
        json_of(RUN_CODE(0, "report", "--out", elsewhere, "--json", "-w", w));
    assert_string_equal(word_of(v, "report"), elsewhere);
    assert_true(file_exists(elsewhere));
}

static void words_from_the_data_cannot_break_out_of_the_report(void **state)
{
    (void)state;
    const char *w = copy_of_corner("hostile");
    const char *file =
        put("hostile.csv",
            "id,campaign,title,kind,percent,starts,ends_on,categories\n"
            "june-X,june,\"</script><script>alert(1)</script>\",percent_off,10,"
            "2026-06-01,2026-06-14,Breakfast\n");
    RUN_CODE(0, "import", file, "--table", "promotions", "-w", w);
    RUN_CODE(0, "decide", "--campaign", "june", "--budget", "1000", "-w", w);
    RUN_CODE(0, "report", "-w", w);
    char *html = read_file(beneath(w, "reports/report.html"));
    assert_lacks(html, "<script>alert");
    mem_free(html);
}

static void a_report_can_be_had_before_everything_was_measured(void **state)
{
    (void)state;
    const char *w = copy_of_corner("half-measured");
    assert_contains(RUN_CODE(4, "report", "-w", w)->err, "proffer evaluate");
    RUN_CODE(0, "decide", "--campaign", "june", "-w", w);
    RUN_CODE(0, "report", "-w", w);
}

/* --- forgetting what was decided -------------------------------------------------- */

static void forgetting_takes_decisions_and_the_runs_summary_along(void **state)
{
    (void)state;
    char trace[64];
    const char *w = copy_of_corner("forgotten-decision");
    const json_value *v =
        json_of(RUN_CODE(0, "decide", "--campaign", "june", "--json", "-w", w));
    const json_value *sample = member_of(v, "sample");
    const char *who = word_of(&sample->values[0], "shopper");
    (void)snprintf(trace, sizeof trace, "\"shopper\":\"%s\"", who);
    const char *db = beneath(w, "proffer.db");
    assert_int_equal(run_other(WORDS("grep", "-qaF", trace, db))->code, 0);
    RUN_CODE(0, "forget", who, "--yes", "-w", w);
    assert_int_equal(run_other(WORDS("grep", "-qaF", trace, db))->code, 1);
    const json_value *d = decisions_of(w);
    assert_int_equal(d->n, CORNER_SHOPPERS - 1);
    for (size_t i = 0; i < d->n; i++)
        assert_string_not_equal(word_of(&d->values[i], "shopper"), who);
    RUN_CODE(4, "explain", who, "-w", w);
    RUN_CODE(0, "report", "-w", w);
    char *html = read_file(beneath(w, "reports/report.html"));
    assert_lacks(html, trace);
    mem_free(html);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_makes_both_models_and_doctor_knows_when_they_are_stale),
        cmocka_unit_test(another_setting_makes_a_trained_recommender_stale),
        cmocka_unit_test(a_damaged_model_is_told_by_whoever_meets_it),
        cmocka_unit_test(the_same_seed_and_data_train_the_same_bytes),
        cmocka_unit_test(the_same_files_in_two_workspaces_train_the_same_bytes),
        cmocka_unit_test(a_full_disk_leaves_the_old_models),
        cmocka_unit_test(
            evaluation_stands_beside_baselines_and_finds_what_is_in_the_data),
        cmocka_unit_test(the_test_period_may_be_chosen),
        cmocka_unit_test(sequences_are_evaluated_without_a_workspace),
        cmocka_unit_test(a_dry_run_tells_all_and_writes_nothing),
        cmocka_unit_test(every_shopper_gets_one_decision_and_at_most_one_promotion),
        cmocka_unit_test(budgets_hold_to_the_last_fen),
        cmocka_unit_test(nobody_is_contacted_without_consent),
        cmocka_unit_test(an_unsubscribed_shopper_is_left_alone),
        cmocka_unit_test(the_holdout_gets_nothing_and_stays_the_same),
        cmocka_unit_test(a_held_out_shopper_who_could_get_nothing_has_the_own_reason),
        cmocka_unit_test(deciding_twice_on_the_same_data_decides_the_same),
        cmocka_unit_test(every_run_is_kept_and_can_be_asked_for),
        cmocka_unit_test(explain_has_a_reason_for_every_candidate_of_every_shopper),
        cmocka_unit_test(explain_tells_a_person_and_may_be_asked_about_one_promotion),
        cmocka_unit_test(messages_come_in_the_language_asked_for_or_the_shoppers_own),
        cmocka_unit_test(the_shops_own_sensitive_categories_are_never_named),
        cmocka_unit_test(no_message_names_alcohol_counts_or_hours),
        cmocka_unit_test(recommend_names_products_with_scores_and_reasons),
        cmocka_unit_test(the_report_is_one_file_that_loads_nothing_from_anywhere),
        cmocka_unit_test(words_from_the_data_cannot_break_out_of_the_report),
        cmocka_unit_test(a_report_can_be_had_before_everything_was_measured),
        cmocka_unit_test(forgetting_takes_decisions_and_the_runs_summary_along),
    };
    return cmocka_run_group_tests(tests, program_begin, program_end);
}
