/*
 * Log lines (base/log.h). A line is made in a room on the stack and handed to
 * base/terminal.h whole; control characters become '?', so that text from a file cannot
 * steer anybody's terminal.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/calendar.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/terminal.h"
#include "base/text.h"

enum { LOG_BYTES = 2048, LOG_LINE_BYTES = 6 * LOG_BYTES + 256 };

static _Atomic(log_level) most = LOG_INFO;
static atomic_bool as_json;

static const char *const names[] = {"error", "warning", "info", "detail"};
/* Red, yellow, none, grey. */
static const char *const colours[] = {"\033[31m", "\033[33m", "", "\033[90m"};

void log_set_level(log_level level)
{
    atomic_store(&most, level);
}

void log_set_json(bool json)
{
    atomic_store(&as_json, json);
}

bool log_colour(void)
{
    const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
    return terminal_is_one() && !(no && no[0]) && !(term && strcmp(term, "dumb") == 0);
}

/* Control characters and bytes that are no UTF-8 become '?'. */
static void make_safe(char *s, size_t n)
{
    size_t at;
    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)s[i] < 0x20 || s[i] == 0x7F) s[i] = '?';
    }
    while (!utf8_check(s, n, &at))
        s[at] = '?';
}

static void write_json(log_level level, const char *message, size_t n)
{
    char room[LOG_LINE_BYTES] = "", time[TIME_TEXT_BYTES];
    /* On memory of its own with the maximum within it, a buffer never grows. */
    buffer b = {.data = room, .capacity = sizeof room, .maximum = sizeof room - 1};
    json_writer w;
    json_begin(&w, &b);
    json_object_begin(&w);
    json_key(&w, "time");
    json_text(&w, time_format(clock_now_us(), time));
    json_key(&w, "level");
    json_text(&w, names[level]);
    json_key(&w, "message");
    json_text_n(&w, message, n);
    json_object_end(&w);
    if (json_finish(&w) && buffer_append_char(&b, '\n')) terminal_line(b.data, b.length);
}

static void write_plain(log_level level, const char *message)
{
    char room[LOG_LINE_BYTES];
    bool colour = log_colour() && colours[level][0], named = level <= LOG_WARNING;
    int n = snprintf(room, sizeof room, "%s%s%s%s%s\n", colour ? colours[level] : "",
                     named ? names[level] : "", named ? ": " : "", message,
                     colour ? "\033[0m" : "");
    if (n > 0 && (size_t)n < sizeof room) terminal_line(room, (size_t)n);
}

void log_line(log_level level, const char *format, ...)
{
    if (level > atomic_load_explicit(&most, memory_order_relaxed)) return;
    char message[LOG_BYTES];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(message, sizeof message, format, args);
    va_end(args);
    if (n < 0) return;
    make_safe(message, strlen(message));
    if (atomic_load_explicit(&as_json, memory_order_relaxed))
        write_json(level, message, strlen(message));
    else
        write_plain(level, message);
}
