/*
 * Protects what a shop whose shoppers come back gets from `proffer train`: a small network beside
 * habit with the weight of its last month, told while it is made and on the card; served by
 * `recommend` with its part of the reasons; judged by `evaluate` beside habit; the same bytes for
 * a seed; and nothing of it where its settings are wrong.
 */
#include "program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/random.h"

/* The last thing bought says what comes next, and hardly anything else does: every month one
 * group of products in their order, then a fixed other group four times in five. */
enum { SHOPPERS = 120, GROUPS = 15, GROUP = 6, MONTHS = 14 };

#define TRAINING                                                                             \
    "blocks=1,width=16,heads=1,length=20,batch=16,dropout=.1,loss=full,epochs=12,rate=.01,"  \
    "patience=0,threads=1"

static void write_events(const char *path)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    (void)fprintf(f, "event_id,type,shopper_id,product_id,time\n");
    random_stream draws = random_begin(5, 1);
    for (unsigned u = 0; u < SHOPPERS; u++) {
        unsigned group = random_below(&draws, GROUPS);
        for (unsigned month = 0; month < MONTHS; month++) {
            for (unsigned i = 0; i < GROUP; i++)
                (void)fprintf(f, "e%u-%u-%u,purchase,s%03u,p%02u,%u-%02u-%02uT10:00:%02uZ\n", u,
                              month, i, u, group * GROUP + i, 2024 + month / 12,
                              1 + month % 12, 1 + i * 5, u % 60);
            const bool usual = random_below(&draws, 5) > 0;
            group = usual ? (group * 7 + 3) % GROUPS : random_below(&draws, GROUPS);
        }
    }
    assert_int_equal(fclose(f), 0);
}

/* A workspace with these events and a network's settings; the name is kept. */
static const char *walking_shop(const char *name, const char *training)
{
    char line[1024], yaml[256];
    const char *w = in_folder(name), *events = in_folder("walks.csv");
    if (!file_exists(events)) write_events(events);
    RUN_CODE(0, "init", w);
    (void)snprintf(yaml, sizeof yaml, "%s/proffer.yaml", name);
    const int n = snprintf(line, sizeof line,
                           "version: 1\nshop:\n  currency: USD\nrecommend:\n  repeats: allow\n"
                           "  training: %s\n",
                           training);
    assert_int_equal(file_write_atomic(in_folder(yaml), line, (size_t)n, NULL), PF_OK);
    RUN_CODE(0, "import", events, "-w", w, "-q");
    return w;
}

static char *model_of(const char *name, size_t *n)
{
    char path[256];
    char *bytes = NULL;
    (void)snprintf(path, sizeof path, "%s/models/recommend.safetensors", name);
    assert_int_equal(file_read_whole(&bytes, n, in_folder(path), (size_t)1 << 26, NULL), PF_OK);
    return bytes;
}

static void a_network_that_its_month_likes_joins_habit(void **state)
{
    (void)state;
    const char *w = walking_shop("joins", TRAINING);
    const ran *r = RUN_CODE(0, "train", "-w", w);
    assert_contains(r->out, "recommender: habit 1.00, transformer ");
    assert_contains(r->out, "ndcg@10 of the last month, held back: habit 0.");
    assert_contains(r->err, "epoch 12/12");
    assert_contains(r->err, "no response model"); /* there were no campaigns */
    r = RUN_CODE(0, "recommend", "s005", "--json", "-w", w);
    assert_contains(r->out, "\"model\":\"month-blend\"");
    assert_contains(r->out, "what was done lately, read in order");
    assert_contains(RUN_CODE(0, "doctor", "-w", w)->out, "models/recommend.safetensors  ok");
    const json_value *card = NULL;
    char *said = NULL;
    size_t n = 0;
    arena memory;
    arena_init(&memory, (size_t)1 << 20);
    assert_int_equal(file_read_whole(&said, &n,
                                     in_folder("joins/models/recommend.safetensors.json"),
                                     (size_t)1 << 20, NULL),
                     PF_OK);
    assert_int_equal(json_parse(&memory, said, n, &card, NULL), PF_OK);
    const json_value *month = member_of(card, "month");
    assert_true(number_of(month, "shoppers") >= 100 && number_of(month, "weight") > 0);
    assert_true(number_of(month, "blend_ndcg@10") > number_of(month, "habit_ndcg@10"));
    assert_true(number_of(month, "gain") > number_of(month, "gain_se"));
    assert_contains(said, "\"network\"");
    mem_free(said);
    arena_free(&memory);
}

static void one_seed_gives_the_same_bytes(void **state)
{
    (void)state;
    size_t n, m;
    RUN_CODE(0, "train", "-w", walking_shop("one", TRAINING), "-q");
    RUN_CODE(0, "train", "-w", walking_shop("two", TRAINING), "-q");
    char *a = model_of("one", &n), *b = model_of("two", &m);
    assert_int_equal(n, m);
    assert_memory_equal(a, b, n);
    mem_free(a);
    mem_free(b);
}

static void evaluate_judges_both_on_a_month_that_neither_saw(void **state)
{
    (void)state;
    const char *w = walking_shop("judged", TRAINING);
    const json_value *models = member_of(
        member_of(json_of(RUN_CODE(0, "evaluate", "--json", "-w", w)), "products"), "models");
    double habit = 0, both = 0;
    for (size_t i = 0; i < models->n; i++) {
        const json_value *one = &models->values[i];
        if (!strcmp(word_of(one, "model"), "habit")) habit = number_of(one, "ndcg@10");
        if (!strcmp(word_of(one, "model"), "month-blend")) both = number_of(one, "ndcg@10");
    }
    assert_true(habit > 0);
    assert_true(both > habit);
}

static void wrong_settings_end_it_and_the_old_model_stays(void **state)
{
    (void)state;
    size_t n, m;
    const char *w = walking_shop("wrong", TRAINING);
    RUN_CODE(0, "train", "-w", w, "-q");
    char *before = model_of("wrong", &n);
    (void)walking_shop("wrong", "widht=16");
    assert_contains(RUN_CODE(2, "train", "-w", w)->err, "did you mean 'width'");
    (void)walking_shop("wrong", TRAINING ",rate=1,beta1=.99,beta2=0,epsilon=1e-12,warmup_steps=0");
    assert_contains(RUN_CODE(3, "train", "-w", w)->err, "not finite");
    char *after = model_of("wrong", &m);
    assert_int_equal(n, m);
    assert_memory_equal(before, after, n);
    mem_free(before);
    mem_free(after);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_that_its_month_likes_joins_habit),
        cmocka_unit_test(one_seed_gives_the_same_bytes),
        cmocka_unit_test(evaluate_judges_both_on_a_month_that_neither_saw),
        cmocka_unit_test(wrong_settings_end_it_and_the_old_model_stays),
    };
    return cmocka_run_group_tests(tests, program_begin, program_end);
}
