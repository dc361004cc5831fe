/*
 * Standard error, shared by log lines and at most one progress bar below them: a line
 * takes the bar away, is written, and the bar comes back. Thread-safe; never allocates.
 */
#ifndef PROFFER_BASE_TERMINAL_H
#define PROFFER_BASE_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>

/* Writes n bytes, which end with a line feed, at once. */
void terminal_line(const char *bytes, size_t n);
/* Shows words as the bar, cut to the terminal's width; NULL takes it away. Only on a
 * terminal. */
void terminal_bar(const char *words);
bool terminal_is_one(void);
/* How many characters a line of the terminal has; 80 where that is not known. */
size_t terminal_columns(void);

#endif
