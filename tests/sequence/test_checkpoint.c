/*
 * Checkpoints: whoever was killed, stopped or ran out of disk goes on with the same bits; a
 * checkpoint of anything else is refused.
 */
#include "small_world.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "check.h"
#include "sequence/checkpoint.h"

static char path[256];
static small_world w;

static int make_path(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof path, "%s/checkpoint-%ld.safetensors", PROFFER_BINARY_DIR,
                   (long)getpid());
    small_world_make(&w, 21, true);
    return 0;
}

static int remove_path(void **state)
{
    (void)state;
    (void)remove(path);
    return 0;
}

static training_task kept_task(bool resume)
{
    training_task task = small_world_task(&w);
    task.checkpoint = path;
    task.resume = resume;
    return task;
}

/* ---- going on ---- */

typedef struct stopper {
    unsigned calls, after;
} stopper;

static bool stop_after(void *context)
{
    stopper *s = context;
    return ++s->calls > s->after;
}

static const char *const ways[] = {
    "epochs=8",
    "epochs=8,average=.95,cosine=true,patience=2",
    "epochs=6,architecture=bert",
    "epochs=6,architecture=gru,positions=false,loss=sampled,negatives=8",
    "epochs=6,loss=gbce,negatives=8,block=hstu,windows=last",
};
enum { WAYS = sizeof ways / sizeof ways[0] };

static void test_stopped_at_any_step_and_resumed_gives_the_same_bits(void **state)
{
    (void)state;
    for (size_t i = 0; i < WAYS; i++) {
        training_task through = small_world_task(&w), task = kept_task(false);
        sequence_model *whole = small_world_train(&through, ways[i]);
        stopper s = {.after = 6 + (unsigned)i * 7}; /* in the second epoch and later ones */
        task.hooks = (training_hooks){.context = &s, .stop = stop_after};
        sequence_model_free(small_world_train(&task, ways[i]));
        task = kept_task(true);
        sequence_model *resumed = small_world_train(&task, ways[i]);
        assert_same_model(whole, resumed);
        sequence_model_free(resumed);
        /* And once more, when all is done already. */
        resumed = small_world_train(&task, ways[i]);
        assert_same_model(whole, resumed);
        sequence_model_free(resumed);
        sequence_model_free(whole);
        (void)remove(path);
    }
}

static void test_events_held_back_are_the_same_after_resuming(void **state)
{
    (void)state;
    training_task through = small_world_task(&w), task = kept_task(false);
    through.next = task.next = NULL;
    sequence_model *whole = small_world_train(&through, "epochs=5");
    stopper s = {.after = 14};
    task.hooks = (training_hooks){.context = &s, .stop = stop_after};
    sequence_model_free(small_world_train(&task, "epochs=5"));
    task = kept_task(true);
    task.next = NULL;
    sequence_model *resumed = small_world_train(&task, "epochs=5");
    assert_same_model(whole, resumed);
    sequence_model_free(whole);
    sequence_model_free(resumed);
    (void)remove(path);
}

static void test_more_epochs_may_be_asked_for_when_resuming(void **state)
{
    (void)state;
    training_task through = small_world_task(&w), task = kept_task(false);
    sequence_model *whole = small_world_train(&through, "epochs=6");
    sequence_model_free(small_world_train(&task, "epochs=3"));
    task.resume = true;
    sequence_model *resumed = small_world_train(&task, "epochs=6");
    assert_same_model(whole, resumed);
    sequence_model_free(whole);
    sequence_model_free(resumed);
    (void)remove(path);
}

/* ---- kill -9 ---- */

static void slow_down(void *context, const training_progress *p)
{
    (void)context;
    (void)p;
    const struct timespec pause = {.tv_nsec = 2000000};
    if (p->epoch_end) (void)nanosleep(&pause, NULL);
}

/* Trains in a child, from the checkpoint if there is one, until it is done or killed. */
static pid_t start_child(const char *pairs)
{
    pid_t child = fork();
    if (child != 0) return child;
    training_task task = kept_task(file_exists(path));
    sequence_settings s = small_world_settings(&w, pairs);
    sequence_model *m = NULL;
    task.hooks.progress = slow_down;
    pf_status status = sequence_train(&task, &s, &m, NULL);
    sequence_model_free(m);
    _exit(status == PF_OK ? 0 : 1);
}

static void test_killed_at_random_points_and_resumed_gives_the_same_bits(void **state)
{
    (void)state;
    const char *pairs = "epochs=12,average=.9,patience=6";
    random_stream r = random_begin((uint64_t)clock_now_us(), 1);
    training_task through = small_world_task(&w);
    sequence_model *whole = small_world_train(&through, pairs);
    unsigned killed = 0;
    for (int round = 0; round < 12; round++) {
        int status = 0;
        pid_t child = start_child(pairs);
        assert_true(child > 0);
        const struct timespec pause = {.tv_nsec = 1000000 + (long)random_below(&r, 30000000)};
        (void)nanosleep(&pause, NULL);
        (void)kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        if (WIFEXITED(status)) assert_int_equal(WEXITSTATUS(status), 0);
        killed += WIFSIGNALED(status);
    }
    assert_true(killed > 0);
    training_task task = kept_task(file_exists(path));
    sequence_model *resumed = small_world_train(&task, pairs);
    assert_same_model(whole, resumed);
    sequence_model_free(whole);
    sequence_model_free(resumed);
    (void)remove(path);
}

/* ---- what is refused ---- */

static void assert_not_resumed(const training_task *task, const char *pairs, pf_status status,
                               const char *words)
{
    sequence_settings s = small_world_settings(&w, pairs);
    sequence_model *m = NULL;
    pf_error err = {0};
    assert_int_equal(sequence_train(task, &s, &m, &err), status);
    assert_null(m);
    if (strstr(err.message, words) == NULL) fail_msg("'%s' lacks '%s'", err.message, words);
}

static void test_other_settings_data_or_validation_are_refused(void **state)
{
    (void)state;
    training_task task = kept_task(true);
    assert_not_resumed(&task, "epochs=2", PF_NOT_FOUND, "");
    task.resume = false;
    sequence_model_free(small_world_train(&task, "epochs=1"));
    task.resume = true;
    assert_not_resumed(&task, "epochs=2,dropout=.2", PF_DATA, "another dropout");
    assert_not_resumed(&task, "epochs=2,width=32", PF_DATA, "another width");
    assert_not_resumed(&task, "epochs=2,seed=3", PF_DATA, "another seed");
    assert_not_resumed(&task, "epochs=2,average=.9", PF_DATA, "another average");
    task.repeats = false;
    assert_not_resumed(&task, "epochs=2", PF_DATA, "validated on other events");
    task.repeats = true;
    w.next[0] = (w.next[0] + 1) % WORLD_V;
    assert_not_resumed(&task, "epochs=2", PF_DATA, "validated on other events");
    w.next[0] = (w.next[0] + WORLD_V - 1) % WORLD_V;
    w.band[1] ^= 1;
    assert_not_resumed(&task, "epochs=2", PF_DATA, "other events or side vectors");
    w.band[1] ^= 1;
    w.vectors[3] += 1;
    assert_not_resumed(&task, "epochs=2", PF_DATA, "other events or side vectors");
    w.vectors[3] -= 1;
    sequence_model_free(small_world_train(&task, "epochs=2"));
    (void)remove(path);
}

static void test_a_truncated_checkpoint_is_refused(void **state)
{
    (void)state;
    training_task task = kept_task(false);
    char *bytes = NULL;
    size_t n = 0;
    sequence_model_free(small_world_train(&task, "epochs=1"));
    assert_int_equal(file_read_whole(&bytes, &n, path, 16 << 20, NULL), PF_OK);
    task.resume = true;
    for (size_t keep = 0; keep < n; keep += 1 + n / 23) {
        assert_int_equal(file_write_atomic(path, bytes, keep, NULL), PF_OK);
        assert_not_resumed(&task, "epochs=2", PF_DATA, "");
    }
    mem_free(bytes);
    (void)remove(path);
}

/* ---- disks and memory ---- */

static void test_a_full_disk_is_said_and_leaves_the_checkpoint_before(void **state)
{
    (void)state;
    training_task task = kept_task(false);
    sequence_settings s = small_world_settings(&w, "epochs=2");
    uint64_t n = 1;
    for (pf_status status = PF_IO; status != PF_OK; n++) {
        sequence_model *m = NULL;
        char *before = NULL, *after = NULL;
        size_t size = 0, size_after = 0;
        task.resume = false;
        sequence_model_free(small_world_train(&task, "epochs=1"));
        assert_int_equal(file_read_whole(&before, &size, path, 16 << 20, NULL), PF_OK);
        task.resume = true;
        file_fail_write_at(n);
        status = sequence_train(&task, &s, &m, NULL);
        file_fail_write_at(0);
        if (status != PF_OK) {
            assert_int_equal(status, PF_IO);
            assert_null(m);
            assert_int_equal(file_read_whole(&after, &size_after, path, 16 << 20, NULL), PF_OK);
            bool same = size == size_after && !memcmp(before, after, size);
            /* Only the folder's own fsync comes behind the rename. */
            if (!same) {
                sequence_model_free(small_world_train(&task, "epochs=2"));
            }
        }
        mem_free(before);
        mem_free(after);
        sequence_model_free(m);
        (void)remove(path);
    }
    assert_true(n > 4);
}

static void test_a_loss_that_breaks_at_once_leaves_the_checkpoint_before(void **state)
{
    (void)state;
    training_task through = small_world_task(&w), task = kept_task(false);
    sequence_model *whole = small_world_train(&through, "epochs=5");
    sequence_model_free(small_world_train(&task, "epochs=2"));
    /* The checkpoint's vectors become such that the loss overflows. */
    sequence_settings s = small_world_settings(&w, "epochs=5,rate=1,clip=0,warmup_steps=0");
    sequence_model *m = NULL;
    pf_error err = {0};
    float kept = w.vectors[0];
    for (size_t i = 0; i < (WORLD_V + WORLD_P) * WORLD_K; i++)
        w.vectors[i] *= 1e20f;
    task.resume = false;
    task.checkpoint = path;
    assert_int_equal(sequence_train(&task, &s, &m, &err), PF_DATA);
    assert_non_null(strstr(err.message, "epoch 1"));
    assert_null(strstr(err.message, "is kept")); /* it has no epoch of its own to promise */
    small_world_make(&w, 21, true);
    assert_true(w.vectors[0] == kept);
    task.resume = true;
    sequence_model *resumed = small_world_train(&task, "epochs=5");
    assert_same_model(whole, resumed);
    sequence_model_free(whole);
    sequence_model_free(resumed);
    (void)remove(path);
}

static void test_resuming_survives_each_failed_allocation(void **state)
{
    (void)state;
    training_task task = kept_task(false);
    sequence_model_free(small_world_train(&task, "epochs=1,average=.9"));
    task.resume = true;
    sequence_settings s = small_world_settings(&w, "epochs=1,average=.9");
    fault f = {0};
    while (fault_next(&f)) {
        sequence_model *m = NULL;
        pf_status status = sequence_train(&task, &s, &m, NULL);
        if (fault_reached(&f)) {
            assert_int_equal(status, PF_NO_MEMORY);
            assert_null(m);
        }
        sequence_model_free(m);
    }
    assert_true(f.n > 20);
    (void)remove(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stopped_at_any_step_and_resumed_gives_the_same_bits),
        cmocka_unit_test(test_events_held_back_are_the_same_after_resuming),
        cmocka_unit_test(test_more_epochs_may_be_asked_for_when_resuming),
        cmocka_unit_test(test_killed_at_random_points_and_resumed_gives_the_same_bits),
        cmocka_unit_test(test_other_settings_data_or_validation_are_refused),
        cmocka_unit_test(test_a_truncated_checkpoint_is_refused),
        cmocka_unit_test(test_a_full_disk_is_said_and_leaves_the_checkpoint_before),
        cmocka_unit_test(test_a_loss_that_breaks_at_once_leaves_the_checkpoint_before),
        cmocka_unit_test(test_resuming_survives_each_failed_allocation),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
