/*
 * Progress of long work (base/progress.h), drawn through base/terminal.h.
 *
 *     importing events  43% [#########-----------]  1.2 M events  312 k/s  0:12 left
 */
#include "base/progress.h"

#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/terminal.h"

enum { BAR_CELLS = 20, WORDS_BYTES = 96, LINE_BYTES = 512 };

static const double seconds_between_draws = 0.1, seconds_between_lines = 5.0;

struct progress {
    char what[WORDS_BYTES], noun[WORDS_BYTES], note[WORDS_BYTES];
    uint64_t total, done, count;
    double begun_s, shown_s;
    bool terminal;
};

static atomic_bool quiet;
static atomic_bool cancelled; /* lock-free, so a signal handler may set it */

void progress_set_quiet(bool be_quiet)
{
    atomic_store(&quiet, be_quiet);
}

/* "950", "12.3 k", "1.2 M": three digits are enough to feel a rate. */
static void format_count(double value, char into[32])
{
    static const char *const units[] = {"", " k", " M", " G", " T"};
    size_t unit = 0;
    while (value >= 999.5 && unit < 4) {
        value /= 1000.0;
        unit++;
    }
    snprintf(into, 32, unit && value < 99.95 ? "%.1f%s" : "%.0f%s", value, units[unit]);
}

static void format_seconds(double seconds, char into[32])
{
    unsigned long s = seconds < 1e9 ? (unsigned long)seconds : 1000000000ul;
    if (s >= 3600)
        snprintf(into, 32, "%lu:%02lu:%02lu", s / 3600, s / 60 % 60, s % 60);
    else
        snprintf(into, 32, "%lu:%02lu", s / 60, s % 60);
}

static double share_done(const progress *p)
{
    if (p->total == 0) return 0.0;
    double share = (double)p->done / (double)p->total;
    return share < 1.0 ? share : 1.0;
}

/* " 43% [####----]" with so many cells, " 43%" with none, nothing where the total is not known. */
static void format_bar(const progress *p, int cells, char into[64])
{
    into[0] = '\0';
    if (p->total == 0) return;
    double share = share_done(p);
    char drawn[BAR_CELLS + 1];
    int full = (int)(share * cells);
    for (int i = 0; i < cells; i++)
        drawn[i] = i < full ? '#' : '-';
    drawn[cells] = '\0';
    if (cells > 0)
        snprintf(into, 64, " %3.0f%% [%s]", share * 100.0, drawn);
    else
        snprintf(into, 64, " %3.0f%%", share * 100.0);
}

/* What a line leaves out where there is little room: first the bar's cells, then how much is
 * done, then how fast; the share, the time left and the note are what one looks for. */
typedef enum fullness { WHOLE, SHORT_BAR, NO_BAR, NO_COUNT, NO_RATE } fullness;

static size_t format_line(const progress *p, double now_s, bool ended, fullness how,
                          char line[LINE_BYTES])
{
    static const int cells[] = {[WHOLE] = BAR_CELLS, [SHORT_BAR] = BAR_CELLS / 2,
                                [NO_BAR] = 0, [NO_COUNT] = 0, [NO_RATE] = 0};
    char bar[64], count[32], rate[32], time[32];
    double took = now_s - p->begun_s, share = share_done(p);
    format_bar(p, cells[how], bar);
    format_count((double)p->count, count);
    format_count(took > 0.0 ? (double)p->count / took : 0.0, rate);
    bool guess = !ended && share > 0.0;
    format_seconds(guess ? took * (1.0 - share) / share : took, time);
    int n = snprintf(line, LINE_BYTES, "%s%s", p->what, ended ? "" : bar);
    if (how < NO_COUNT)
        n += snprintf(line + n, LINE_BYTES - (size_t)n, "  %s%s%s", count,
                      p->noun[0] ? " " : "", p->noun);
    if (how < NO_RATE) n += snprintf(line + n, LINE_BYTES - (size_t)n, "  %s/s", rate);
    n += snprintf(line + n, LINE_BYTES - (size_t)n, "  %s%s%s%s", time, guess ? " left" : "",
                  p->note[0] ? "  " : "", p->note);
    return (size_t)n;
}

progress *progress_begin(const char *what, uint64_t total, const char *noun)
{
    if (atomic_load(&quiet)) return NULL;
    progress *p = mem_alloc_zero(1, sizeof *p);
    if (!p) return NULL;
    snprintf(p->what, sizeof p->what, "%s", what);
    snprintf(p->noun, sizeof p->noun, "%s", noun ? noun : "");
    p->total = total;
    p->terminal = terminal_is_one();
    p->begun_s = clock_wall_s();
    p->shown_s = p->begun_s;
    return p;
}

static void show(progress *p, double now_s)
{
    char line[LINE_BYTES];
    size_t n = format_line(p, now_s, false, WHOLE, line);
    for (int how = SHORT_BAR; p->terminal && how <= NO_RATE && n >= terminal_columns(); how++)
        n = format_line(p, now_s, false, (fullness)how, line);
    if (p->terminal)
        terminal_bar(line);
    else
        log_line(LOG_INFO, "%s", line);
    p->shown_s = now_s;
}

void progress_update(progress *p, uint64_t done, uint64_t count)
{
    if (!p) return;
    p->done = done;
    p->count = count;
    double now_s = clock_wall_s();
    if (now_s - p->shown_s >=
        (p->terminal ? seconds_between_draws : seconds_between_lines))
        show(p, now_s);
}

void progress_note(progress *p, const char *format, ...)
{
    if (!p) return;
    va_list args;
    va_start(args, format);
    vsnprintf(p->note, sizeof p->note, format, args);
    va_end(args);
}

void progress_end(progress *p)
{
    if (!p) return;
    char line[LINE_BYTES];
    if (p->terminal) terminal_bar(NULL);
    if (p->done > 0 || p->count > 0) {
        (void)format_line(p, clock_wall_s(), true, WHOLE, line);
        log_line(LOG_INFO, "%s", line);
    }
    mem_free(p);
}

static void on_signal(int number)
{
    (void)number;
    atomic_store(&cancelled, true);
}

/* The first signal asks to stop; the handler is then gone, so a second one kills. */
void progress_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool progress_cancelled(void)
{
    return atomic_load(&cancelled);
}
