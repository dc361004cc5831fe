/*
 * Just enough of C's lexical grammar to check style: where comments and literals are,
 * where functions begin and end. Not a parser: macros are not expanded, and of the
 * branches of an #if each is read as if it stood alone.
 */
#ifndef PROFFER_TOOLS_C_TEXT_H
#define PROFFER_TOOLS_C_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* A copy of text[size] with comments and the insides of string and character literals
 * blanked; newlines, quotes and everything else keep their places. Terminated; the caller
 * owns it. */
char *c_text_blank(const char *text, size_t size);

typedef struct c_function {
    size_t line;  /* of its opening brace, 1-based */
    size_t lines; /* opening to closing brace, both counted */
} c_function;

/* The functions of blanked text, in order; *count says how many. Owned by the caller. */
c_function *c_text_functions(const char *blanked, size_t *count);

/* The next identifier at or after *at in blanked text: its start, or NULL at the end.
 * *length gets its length and *at moves behind it. */
const char *c_text_word(const char **at, size_t *length);

/* Whether a call's parenthesis follows, blanks and newlines between allowed. */
bool c_text_calls(const char *after_word);

#endif
