/*
 * Status names, exit codes and the formatting of errors (base/status.h). Nothing here
 * allocates, so an error can always be reported. Texts are cut between characters, never
 * inside one: a message goes into JSON and has to stay UTF-8.
 */
#include "base/status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Takes off a character of which the cut left only the first bytes. */
static void drop_broken_tail(char *s, size_t n)
{
    size_t start = n, back = 0;
    while (start > 0 && back < 4) {
        start--;
        back++;
        unsigned char c = (unsigned char)s[start];
        if ((c & 0xC0u) == 0x80u) continue;
        size_t wanted = c >= 0xF0u ? 4 : c >= 0xE0u ? 3 : c >= 0xC0u ? 2 : 1;
        if (wanted > back) s[start] = '\0';
        return;
    }
}

static void format_cut(char *into, size_t size, const char *format, va_list args)
{
    int n = vsnprintf(into, size, format, args);
    if (n < 0)
        into[0] = '\0';
    else if ((size_t)n >= size)
        drop_broken_tail(into, size - 1);
}

/* A path longer than its place keeps its end, where the file's name is. */
static void copy_path(char *into, size_t size, const char *path)
{
    size_t n = strlen(path);
    if (n < size) {
        memcpy(into, path, n + 1);
        return;
    }
    const char *tail = path + (n - (size - 4));
    while (((unsigned char)*tail & 0xC0u) == 0x80u)
        tail++;
    snprintf(into, size, "...%s", tail);
}

/* Formatted aside first: the arguments may point into the error itself. */
static pf_status set(pf_error *err, pf_status code, const char *file, uint64_t line,
                     uint64_t column, const char *format, va_list args)
{
    if (!err) return code;
    pf_error fresh = {.code = code, .line = line, .column = column};
    format_cut(fresh.message, sizeof fresh.message, format, args);
    if (file) copy_path(fresh.file, sizeof fresh.file, file);
    *err = fresh;
    return code;
}

pf_status error_set(pf_error *err, pf_status code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(err, code, NULL, 0, 0, format, args);
    va_end(args);
    return code;
}

pf_status error_set_at(pf_error *err, pf_status code, const char *file, uint64_t line,
                       uint64_t column, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    set(err, code, file, line, column, format, args);
    va_end(args);
    return code;
}

/* What the user can do about a refusal of the system; "" where its words say it all. */
static const char *advice_of(int number)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT: return "; free some space and try again";
    case EACCES:
    case EPERM: return "; look at the rights and the owner of it and of its folder";
    case EROFS: return "; it can only be read there: choose another folder";
    case EFBIG: return "; the limit on the size of files (ulimit -f) is too low";
    case EMFILE:
    case ENFILE: return "; raise the limit on open files (ulimit -n)";
    case EIO: return "; the disk or the network behind it fails";
    default: return "";
    }
}

pf_status error_set_errno(pf_error *err, const char *format, ...)
{
    int number = errno;
    if (!err) return PF_IO;
    va_list args;
    va_start(args, format);
    set(err, PF_IO, NULL, 0, 0, format, args);
    va_end(args);
    char room[128];
    const char *words = strerror_r(number, room, sizeof room);
    size_t n = strlen(err->message), left = sizeof err->message - n;
    int more = snprintf(err->message + n, left, ": %s%s", words, advice_of(number));
    if (more >= 0 && (size_t)more >= left)
        drop_broken_tail(err->message, sizeof err->message - 1);
    return PF_IO;
}

void error_prefix(pf_error *err, const char *format, ...)
{
    if (!err) return;
    char old[sizeof err->message];
    char front[sizeof err->message];
    memcpy(old, err->message, sizeof old);
    va_list args;
    va_start(args, format);
    format_cut(front, sizeof front, format, args);
    va_end(args);
    size_t n = strlen(front);
    memcpy(err->message, front, n + 1);
    size_t left = sizeof err->message - n;
    int more = snprintf(err->message + n, left, ": %s", old);
    if (more >= 0 && (size_t)more >= left)
        drop_broken_tail(err->message, sizeof err->message - 1);
}

pf_status error_pass(pf_error *err, const pf_error *kept)
{
    if (err) *err = *kept;
    return kept->code;
}

const char *error_describe(const pf_error *err, char *into, size_t size)
{
    char place[sizeof err->file + 48] = "";
    size_t n = 0;
    if (err->file[0])
        n += (size_t)snprintf(place, sizeof place, "%s:", err->file);
    else if (err->line)
        n += (size_t)snprintf(place, sizeof place, "line ");
    if (err->line)
        n += (size_t)snprintf(place + n, sizeof place - n,
                              "%llu:", (unsigned long long)err->line);
    else if (err->column && !err->file[0])
        n += (size_t)snprintf(place + n, sizeof place - n, "column ");
    if (err->column)
        n += (size_t)snprintf(place + n, sizeof place - n,
                              "%llu:", (unsigned long long)err->column);
    int total = snprintf(into, size, "%s%s%s", place, n ? " " : "", err->message);
    if (total >= 0 && size > 0 && (size_t)total >= size) drop_broken_tail(into, size - 1);
    return into;
}

typedef struct status_facts {
    const char *name;
    int exit_code;
} status_facts;

static const status_facts facts[] = {
    [PF_OK] = {"ok", 0},
    [PF_USAGE] = {"usage", 2},
    [PF_DATA] = {"data", 3},
    [PF_NOT_FOUND] = {"not_found", 4},
    [PF_IO] = {"io", 5},
    [PF_NO_MEMORY] = {"no_memory", 6},
    [PF_LIMIT] = {"limit", 6},
    [PF_BUSY] = {"busy", 7},
    [PF_UNAVAILABLE] = {"unavailable", 8},
    [PF_CANCELLED] = {"cancelled", 130},
    [PF_INTERNAL] = {"internal", 70},
};

static bool known(pf_status code)
{
    return (size_t)code < sizeof facts / sizeof facts[0];
}

const char *status_name(pf_status code)
{
    return known(code) ? facts[code].name : "unknown";
}

int status_exit_code(pf_status code)
{
    return known(code) ? facts[code].exit_code : facts[PF_INTERNAL].exit_code;
}
