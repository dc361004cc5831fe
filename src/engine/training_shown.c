/* One bar over all epochs; what the latest epoch brought stands behind it. */
#include "engine/training_shown.h"

#include <math.h>
#include <stdio.h>

#include "base/log.h"

/* "epoch 12/60, loss 4.123, ndcg@10 .0512, best .0520 (epoch 10)" */
static void note(progress *bar, const training_progress *t)
{
    if (isnan(t->validation))
        progress_note(bar, "epoch %u/%u, loss %.4f", t->epoch, t->epochs, t->loss);
    else
        progress_note(bar, "epoch %u/%u, loss %.4f, ndcg@10 %.4f, best %.4f (epoch %u)",
                      t->epoch, t->epochs, t->loss, t->validation, t->best,
                      t->best_epoch);
}

static void show(void *context, const training_progress *t)
{
    training_shown *shown = context;
    if (shown->bar == NULL)
        shown->bar = progress_begin(shown->title, t->epochs * t->rows, "positions");
    uint64_t done = (t->epoch - 1) * t->rows + (t->epoch_end ? t->rows : t->rows_done);
    note(shown->bar, t);
    progress_update(shown->bar, done, done);
    if (!t->epoch_end) return;
    if (shown->ended != NULL) shown->ended(shown->ended_context);
    log_line(LOG_DETAIL, "%s: epoch %u, loss %.5f, validation ndcg@10 %.5f, %.1f s",
             shown->title, t->epoch, t->loss, t->validation, t->epoch_s);
}

static bool asked_to_stop(void *context)
{
    (void)context;
    return progress_cancelled();
}

static void announce(void *context, size_t bytes)
{
    const training_shown *shown = context;
    log_line(LOG_INFO, "%s takes %.0f MB of memory", shown->title, (double)bytes / 1e6);
}

void training_shown_title(training_shown *shown, const char *model, unsigned seed,
                          unsigned seeds)
{
    training_shown_end(shown);
    if (seeds > 1)
        (void)snprintf(shown->title, sizeof shown->title, "training %s, seed %u of %u",
                       model, seed, seeds);
    else
        (void)snprintf(shown->title, sizeof shown->title, "training %s", model);
}

void training_shown_epochs(training_shown *shown, void (*ended)(void *context), void *context)
{
    shown->ended = ended;
    shown->ended_context = context;
}

training_hooks training_show(training_shown *shown, const char *model)
{
    *shown = (training_shown){0};
    training_shown_title(shown, model, 1, 1);
    progress_catch_signals();
    return (training_hooks){
        .context = shown, .progress = show, .stop = asked_to_stop, .memory = announce};
}

void training_shown_end(training_shown *shown)
{
    progress_end(shown->bar);
    shown->bar = NULL;
}
