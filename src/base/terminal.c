/* Standard error as base/terminal.h has it. */
#include "base/terminal.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/text.h"

enum { BAR_BYTES = 512, LINE_COLUMNS = 80 };

static const char clear_line[] = "\r\033[K";

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char bar[BAR_BYTES];
static size_t bar_length; /* 0 = none shown */

/* Nobody is left to tell when standard error cannot be written. */
static void put(const char *bytes, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDERR_FILENO, bytes, n);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) return;
        bytes += done;
        n -= (size_t)done;
    }
}

bool terminal_is_one(void)
{
    return isatty(STDERR_FILENO) == 1;
}

void terminal_line(const char *bytes, size_t n)
{
    pthread_mutex_lock(&lock);
    if (bar_length) put(clear_line, sizeof clear_line - 1);
    put(bytes, n);
    if (bar_length) put(bar, bar_length);
    pthread_mutex_unlock(&lock);
}

size_t terminal_columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    return LINE_COLUMNS;
}

void terminal_bar(const char *words)
{
    pthread_mutex_lock(&lock);
    if (bar_length || words) put(clear_line, sizeof clear_line - 1);
    bar_length = 0;
    if (words) {
        bar_length = utf8_prefix(words, strnlen(words, BAR_BYTES - 1), terminal_columns() - 1);
        memcpy(bar, words, bar_length);
        put(bar, bar_length);
    }
    pthread_mutex_unlock(&lock);
}
