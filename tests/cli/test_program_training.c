/*
 * Training models by hand, through the real program: what it leaves, kill -9 and --resume with
 * the same bytes, Ctrl-C that keeps the best, and what is refused while the old model stays.
 */
#include "program.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TINY "width=16,heads=1,length=20,batch=16,dropout=.1,threads=1"
#define LONG TINY ",epochs=400,patience=400"

static bool there(const char *workspace, const char *name)
{
    char path[4096];
    struct stat facts;
    (void)snprintf(path, sizeof path, "%s/models/%s", workspace, name);
    return stat(path, &facts) == 0;
}

static char *bytes_of(const char *workspace, const char *name, size_t *n)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/models/%s", workspace, name);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fseek(f, 0, SEEK_END), 0);
    *n = (size_t)ftell(f);
    rewind(f);
    char *bytes = malloc(*n + 1);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *n, f), *n);
    bytes[*n] = '\0';
    (void)fclose(f);
    return bytes;
}

static void assert_same_model(const char *one, const char *other)
{
    size_t n, m;
    char *a = bytes_of(one, "transformer.safetensors", &n);
    char *b = bytes_of(other, "transformer.safetensors", &m);
    assert_int_equal(n, m);
    assert_memory_equal(a, b, n);
    free(a);
    free(b);
}

/* Until a training that runs has finished its first epoch. */
static void wait_for_checkpoint(const char *workspace)
{
    for (int i = 0; i < 2000 && !there(workspace, "transformer.checkpoint.safetensors"); i++)
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
    assert_true(there(workspace, "transformer.checkpoint.safetensors"));
}

/* --- what it leaves --------------------------------------------------------------- */

static void a_trained_model_stands_in_the_folder_with_its_card(void **state)
{
    (void)state;
    const char *w = copy_of_corner(__func__);
    const ran *r = RUN_CODE(0, "train", "--model", "transformer", "--set", TINY ",epochs=2",
                            "-w", w);
    assert_contains(r->out, "transformer");
    assert_true(there(w, "transformer.safetensors"));
    assert_false(there(w, "transformer.checkpoint.safetensors"));
    assert_false(there(w, "response.safetensors")); /* this one alone was asked for */
    r = RUN_CODE(0, "recommend", "s05", "--model", "transformer", "--json", "-w", w);
    assert_contains(r->out, "\"model\":\"transformer\"");
    r = RUN("recommend", "s05", "--model", "gru4rec", "-w", w);
    assert_int_not_equal(r->code, 0);
    assert_contains(r->err, "proffer train --model gru4rec");
    size_t n;
    char *card = bytes_of(w, "transformer.safetensors.json", &n);
    static const char *const said[] = {"\"network\"", "\"data_hash\"", "\"best_validation\"",
                                       "\"width\"", "\"seed\"", "\"kernels\""};
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        assert_contains(card, said[i]);
    free(card);
}

static void one_seed_three_trainings_one_file(void **state)
{
    (void)state;
    const char *w[3];
    for (int i = 0; i < 3; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "seed-%d", i);
        w[i] = copy_of_corner(name);
        RUN_CODE(0, "train", "--model", "transformer", "--set", TINY ",epochs=3", "-w", w[i]);
    }
    assert_same_model(w[0], w[1]);
    assert_same_model(w[0], w[2]);
}

/* --- killed, stopped, resumed ----------------------------------------------------- */

static void killed_and_resumed_it_ends_with_the_same_bytes(void **state)
{
    (void)state;
    const char *whole = copy_of_corner("whole"), *broken = copy_of_corner("broken");
    RUN_CODE(0, "train", "--model", "transformer", "--set", LONG, "-w", whole);
    for (int blow = 0; blow < 2; blow++) {
        next_run.will_be_killed = true;
        pid_t child = blow == 0 ? START("train", "--model", "transformer", "--set", LONG,
                                        "-w", broken)
                                : START("train", "--model", "transformer", "--set", LONG,
                                        "--resume", "-w", broken);
        wait_for_checkpoint(broken);
        kill(child, SIGKILL);
        (void)finish_program(child);
    }
    if (there(broken, "transformer.checkpoint.safetensors"))
        RUN_CODE(0, "train", "--model", "transformer", "--set", LONG, "--resume", "-w",
                 broken);
    assert_same_model(whole, broken);
}

#define ENDLESS TINY ",epochs=10000,patience=10000"

/* A training that ends by Ctrl-C alone, stopped once its first epoch has ended. */
static const ran *stop_an_endless_training(const char *workspace)
{
    pid_t child = START("train", "--model", "transformer", "--set", ENDLESS, "-w", workspace);
    wait_for_checkpoint(workspace);
    kill(child, SIGINT);
    const ran *r = finish_program(child);
    assert_int_equal(r->code, 130);
    return r;
}

static void ctrl_c_ends_it_and_keeps_the_best(void **state)
{
    (void)state;
    const char *w = copy_of_corner(__func__);
    const ran *r = stop_an_endless_training(w);
    assert_contains(r->err, "training was stopped after epoch");
    assert_contains(r->err, "--resume");
    assert_true(there(w, "transformer.safetensors"));
    assert_true(there(w, "transformer.checkpoint.safetensors")); /* to go on from */
    size_t n;
    char *card = bytes_of(w, "transformer.safetensors.json", &n);
    assert_contains(card, "\"interrupted\":true");
    free(card);
}

/* Long enough to be stopped, and it ends by itself. */
#define PATIENT TINY ",epochs=10000,patience=300"

static void a_stopped_training_goes_on_with_its_own_settings(void **state)
{
    (void)state;
    const char *w = copy_of_corner(__func__);
    bool stopped = false;
    for (int i = 0; i < 10 && !stopped; i++) { /* it may be quicker than we are */
        pid_t child = START("train", "--model", "transformer", "--set", PATIENT, "-w", w);
        wait_for_checkpoint(w);
        kill(child, SIGINT);
        stopped = finish_program(child)->code == 130;
    }
    assert_true(stopped);
    const ran *r = RUN_CODE(0, "train", "--model", "transformer", "--resume", "-w", w);
    assert_contains(r->out, "validation ndcg@10");
    size_t n;
    char *card = bytes_of(w, "transformer.safetensors.json", &n);
    assert_contains(card, PATIENT);
    assert_contains(card, "\"interrupted\":false");
    free(card);
    assert_false(there(w, "transformer.checkpoint.safetensors"));
    assert_false(there(w, "transformer.checkpoint.set"));
}

/* A training that begins over a stopped one says so; one that cannot begin gives up nothing. */
static void a_stopped_training_is_given_up_aloud_and_not_by_a_slip(void **state)
{
    (void)state;
    const char *w = copy_of_corner(__func__);
    size_t n, m, k, l;
    (void)stop_an_endless_training(w);
    char *checkpoint = bytes_of(w, "transformer.checkpoint.safetensors", &n);
    char *asked = bytes_of(w, "transformer.checkpoint.set", &m);
    assert_string_equal(asked, ENDLESS);
    RUN_CODE(2, "train", "--model", "transformer", "--set", "widht=64", "-w", w);
    char *same = bytes_of(w, "transformer.checkpoint.safetensors", &k);
    char *still = bytes_of(w, "transformer.checkpoint.set", &l);
    assert_int_equal(n, k);
    assert_memory_equal(checkpoint, same, n);
    assert_string_equal(asked, still);
    const ran *r =
        RUN_CODE(0, "train", "--model", "transformer", "--set", TINY ",epochs=1", "-w", w);
    assert_contains(r->err, "was stopped is given up");
    assert_false(there(w, "transformer.checkpoint.set"));
    free(checkpoint);
    free(asked);
    free(same);
    free(still);
}

/* Two trainings of one model would share one checkpoint. */
static void a_model_is_trained_by_one_at_a_time(void **state)
{
    (void)state;
    const char *w = copy_of_corner(__func__);
    pid_t child = START("train", "--model", "transformer", "--set", ENDLESS, "-w", w);
    wait_for_checkpoint(w);
    const ran *r = RUN_CODE(7, "train", "--model", "transformer", "--set", TINY ",epochs=1",
                            "-w", w);
    assert_contains(r->err, "transformer is being trained already");
    assert_false(there(w, "transformer.safetensors"));
    RUN_CODE(0, "train", "--model", "gru4rec", "--set", TINY ",epochs=1", "-w", w);
    kill(child, SIGKILL);
    next_run.will_be_killed = true;
    (void)finish_program(child);
    RUN_CODE(0, "train", "--model", "transformer", "--set", TINY ",epochs=1", "-w", w);
    assert_false(there(w, "transformer.checkpoint.safetensors.lock"));
}

/* Whatever is stopped before it has something better leaves what there was. */
static void stopped_too_early_it_leaves_the_old_model(void **state)
{
    (void)state;
    const char *w = copy_of_corner(__func__);
    size_t before, after;
    RUN_CODE(0, "train", "--model", "transformer", "--set", TINY ",epochs=2", "-w", w);
    char *old = bytes_of(w, "transformer.safetensors", &before);
    pid_t child = START("train", "--model", "transformer", "--set",
                        "width=512,blocks=8,heads=1,batch=1,threads=1,epochs=500", "-w", w);
    usleep(60000); /* such an epoch takes longer */
    kill(child, SIGINT);
    assert_int_equal(finish_program(child)->code, 130);
    char *now = bytes_of(w, "transformer.safetensors", &after);
    assert_int_equal(before, after);
    assert_memory_equal(old, now, before);
    free(old);
    free(now);
}

static void put_bytes(const char *workspace, const char *name, const char *bytes, size_t n)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/models/%s", workspace, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* Numbers of products mean other ones there, even when there are as many. */
static void a_model_of_another_catalogue_or_kind_is_refused(void **state)
{
    (void)state;
    const char *w = copy_of_corner(__func__);
    size_t n, m;
    RUN_CODE(0, "train", "--model", "popularity", "-w", w);
    RUN_CODE(0, "recommend", "s01", "--model", "popularity", "-w", w);
    char *model = bytes_of(w, "popularity.safetensors", &n);
    char *card = bytes_of(w, "popularity.safetensors.json", &m);
    put_bytes(w, "recent.safetensors", model, n);
    put_bytes(w, "recent.safetensors.json", card, m);
    const ran *r = RUN("recommend", "s01", "--model", "recent", "-w", w);
    assert_int_equal(r->code, 3);
    assert_contains(r->err, "a model called 'popularity'");
    char *ids = strstr(card, "\"catalogue\":\"");
    assert_non_null(ids);
    ids[13] = ids[13] == '0' ? '1' : '0';
    put_bytes(w, "popularity.safetensors.json", card, m);
    r = RUN("recommend", "s01", "--model", "popularity", "-w", w);
    assert_int_equal(r->code, 3);
    assert_contains(r->err, "another catalogue");
    assert_contains(r->err, "proffer train --model popularity");
    free(model);
    free(card);
}

static void a_comparison_that_is_stopped_prints_no_figure(void **state)
{
    (void)state;
    const char *w = copy_of_corner(__func__);
    pid_t child = START("evaluate", "--models", "transformer", "--seeds", "5", "--json", "--set",
                        TINY ",epochs=100000,patience=0", "-w", w);
    usleep(500000);
    kill(child, SIGINT);
    const ran *r = finish_program(child);
    assert_int_equal(r->code, 130);
    assert_null(strstr(r->out, "ndcg@10"));
}

static void yesterdays_model_is_a_start(void **state)
{
    (void)state;
    const char *w = copy_of_corner(__func__);
    RUN_CODE(0, "train", "--model", "transformer", "--set", TINY ",epochs=3", "-w", w);
    RUN_CODE(0, "train", "--model", "transformer", "--set", TINY ",epochs=1", "--warm", "-w",
             w);
    assert_true(there(w, "transformer.safetensors"));
}

/* --- refusals --------------------------------------------------------------------- */

static void what_cannot_be_is_refused_and_the_old_model_stays(void **state)
{
    (void)state;
    const char *w = copy_of_corner(__func__);
    size_t n, m;
    RUN_CODE(0, "train", "--model", "transformer", "--set", TINY ",epochs=1", "-w", w);
    char *before = bytes_of(w, "transformer.safetensors", &n);
    static const struct {
        const char *words[8];
        const char *said;
    } wrong[] = {
        {{"--model", "transfomer"}, "'transfomer'; did you mean 'transformer'?"},
        {{"--model", "zebra"}, "there are popularity, "},
        {{"--model", "als", "--resume"}, "nothing to go on from"},
        {{"--model", "popularity", "--set", "epochs=3"}, "no settings to --set"},
        {{"--resume"}, "goes with --model"},
        {{"--set", "width=8"}, "goes with --model"},
        {{"--model", "transformer", "--set", "widht=8"}, "widht"},
        {{"--model", "transformer", "--set", "width=10,heads=3"}, "heads"},
        {{"--model", "transformer", "--resume"}, "checkpoint"},
        {{"--model", "transformer", "--set", TINY ",epochs=1,seed=7"}, "--seed"},
        {{"--model", "blend", "--copies", "-1"}, "copies"},
        {{"--model", "transformer", "--resume", "--warm"}, "give one of them"},
        {{"--model", "gru4rec", "--warm"}, "no trained gru4rec"},
        {{"--model", "transformer", "--set", "width=32", "--warm"}, "earlier model"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        const char *words[12] = {"train", "-w", w};
        for (size_t k = 0; wrong[i].words[k] != NULL; k++)
            words[3 + k] = wrong[i].words[k];
        const ran *r = program_run(words);
        assert_int_not_equal(r->code, 0);
        assert_contains(r->err, wrong[i].said);
        char *after = bytes_of(w, "transformer.safetensors", &m);
        assert_int_equal(n, m);
        assert_memory_equal(before, after, n);
        free(after);
    }
    free(before);
}

/* Steps as long as the ratio of two averages of slopes, of which one forgets at once: values
 * leave the floats' range. */
#define ABSURD "rate=1,beta1=.99,beta2=0,epsilon=1e-12,warmup_steps=0,epochs=50"

static void a_loss_that_is_not_finite_is_refused_and_the_old_model_stays(void **state)
{
    (void)state;
    const char *w = copy_of_corner(__func__);
    size_t n, m;
    RUN_CODE(0, "train", "--model", "transformer", "--set", TINY ",epochs=1", "-w", w);
    char *model = bytes_of(w, "transformer.safetensors", &n);
    char *card = bytes_of(w, "transformer.safetensors.json", &m);
    const ran *r = RUN_CODE(3, "train", "--model", "transformer", "--set", TINY "," ABSURD,
                            "-w", w);
    static const char *const said[] = {"not finite", "epoch ", "step ", "try rate=", "clip=1"};
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        assert_contains(r->err, said[i]);
    assert_string_equal(r->out, "");
    size_t n_after, m_after;
    char *model_after = bytes_of(w, "transformer.safetensors", &n_after);
    char *card_after = bytes_of(w, "transformer.safetensors.json", &m_after);
    assert_int_equal(n, n_after);
    assert_int_equal(m, m_after);
    assert_memory_equal(model, model_after, n);
    assert_memory_equal(card, card_after, m);
    RUN_CODE(0, "recommend", "s05", "--model", "transformer", "-w", w); /* and it serves */
    free(model);
    free(card);
    free(model_after);
    free(card_after);
}

/* --- comparing -------------------------------------------------------------------- */

static void models_are_compared_on_a_workspace_over_seeds(void **state)
{
    (void)state;
    const ran *r = RUN_CODE(0, "evaluate", "--models", "popularity,transformer,blend",
                            "--seeds", "2", "--set", TINY ",epochs=2", "--json", "-w",
                            corner());
    static const char *const said[] = {"\"model\":\"popularity\"", "\"model\":\"transformer\"",
                                       "\"model\":\"blend\"", "\"seeds\":2",
                                       "\"ndcg@10_seeds_se\""};
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        assert_contains(r->out, said[i]);
    r = RUN_CODE(0, "evaluate", "--models", "popularity", "--protocol", "time", "-w",
                 corner());
    assert_contains(r->out, "popularity");
    r = RUN_CODE(2, "evaluate", "--models", "popularity", "--protocol", "tme", "-w",
                 corner());
    assert_contains(r->err, "leave-one-out and time");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trained_model_stands_in_the_folder_with_its_card),
        cmocka_unit_test(one_seed_three_trainings_one_file),
        cmocka_unit_test(killed_and_resumed_it_ends_with_the_same_bytes),
        cmocka_unit_test(ctrl_c_ends_it_and_keeps_the_best),
        cmocka_unit_test(a_stopped_training_goes_on_with_its_own_settings),
        cmocka_unit_test(a_stopped_training_is_given_up_aloud_and_not_by_a_slip),
        cmocka_unit_test(a_model_is_trained_by_one_at_a_time),
        cmocka_unit_test(stopped_too_early_it_leaves_the_old_model),
        cmocka_unit_test(a_model_of_another_catalogue_or_kind_is_refused),
        cmocka_unit_test(a_comparison_that_is_stopped_prints_no_figure),
        cmocka_unit_test(yesterdays_model_is_a_start),
        cmocka_unit_test(what_cannot_be_is_refused_and_the_old_model_stays),
        cmocka_unit_test(a_loss_that_is_not_finite_is_refused_and_the_old_model_stays),
        cmocka_unit_test(models_are_compared_on_a_workspace_over_seeds),
    };
    return cmocka_run_group_tests(tests, program_begin, program_end);
}
