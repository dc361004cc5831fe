/*
 * Status and error values.
 *
 * Every call that can fail returns a pf_status and fills the caller's pf_error with the
 * place and with what to do. Nothing in the house prints or exits on its own; the doors
 * (cli/, serve/) decide what to show and main() alone exits.
 *
 *     pf_error err = {0};
 *     if (csv_open(&reader, path, &err) != PF_OK) ...   // err.message says why
 *
 * A pf_error belongs to the caller, holds no pointers, and may be NULL wherever a
 * function takes one. It is written only on failure. Not shared between threads.
 */
#ifndef PROFFER_BASE_STATUS_H
#define PROFFER_BASE_STATUS_H

#include <stddef.h>
#include <stdint.h>

typedef enum pf_status {
    PF_OK = 0,
    PF_USAGE,       /* the caller's words are wrong: option, argument, configuration */
    PF_DATA,        /* the input data are wrong: file, row, value */
    PF_NOT_FOUND,   /* the named thing does not exist */
    PF_IO,          /* the operating system refused: open, read, write, disk full */
    PF_NO_MEMORY,   /* an allocation failed */
    PF_LIMIT,       /* a named limit of base/limits.h was passed */
    PF_BUSY,        /* somebody else holds it; trying later may succeed */
    PF_UNAVAILABLE, /* an optional part is absent: weights, endpoint */
    PF_CANCELLED,   /* the user stopped it */
    PF_INTERNAL     /* a state that should not occur; please report it */
} pf_status;

typedef struct pf_error {
    pf_status code;
    uint64_t line;     /* 1-based; 0 where it does not apply */
    uint64_t column;   /* 1-based field or character; 0 where it does not apply */
    char file[256];    /* empty where it does not apply; a longer path keeps its end */
    char message[512]; /* one sentence, no final newline */
} pf_error;

/* Sets code and message and returns code, so that a failing call can end with
 * `return error_set(err, PF_DATA, "...")`. Clears the place. err may be NULL. */
pf_status error_set(pf_error *err, pf_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The same with a place: file may be NULL, line and column 0. */
pf_status error_set_at(pf_error *err, pf_status code, const char *file, uint64_t line,
                       uint64_t column, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* Of files: sets PF_IO with the text of errno appended, and what can be done about it where that is
 * known: "cannot write 'x': No space left on device; free some space and try again". */
pf_status error_set_errno(pf_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Puts words and ": " in front of the message that is there: "line 3" makes
 * "line 3: no such column" of "no such column". */
void error_prefix(pf_error *err, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Hands a failure that was kept aside to the caller (err may be NULL), returns its code. */
pf_status error_pass(pf_error *err, const pf_error *kept);

/* "file:line:column: message", parts left out where they do not apply. Returns into,
 * always terminated. */
const char *error_describe(const pf_error *err, char *into, size_t size);

/* A short lower-case name: "ok", "usage", "data", ... Never NULL. */
const char *status_name(pf_status code);

/* The program's exit code: 0 ok, 2 usage, 3 data, 4 not found, 5 io, 6 memory or
 * limit, 7 busy, 8 unavailable, 130 cancelled, 70 internal. docs/cli.md lists them. */
int status_exit_code(pf_status code);

#endif
