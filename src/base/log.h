/*
 * Talk: lines for people on stderr (or JSON lines when asked), never on stdout, which
 * belongs to data. Thread-safe: a line is written at once.
 */
#ifndef PROFFER_BASE_LOG_H
#define PROFFER_BASE_LOG_H

#include <stdbool.h>

typedef enum log_level { LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DETAIL } log_level;

/* Default LOG_INFO. */
void log_set_level(log_level level);
void log_set_json(bool json);
void log_line(log_level level, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* true when stderr is a terminal, NO_COLOR is unset and TERM is not dumb. */
bool log_colour(void);

#endif
