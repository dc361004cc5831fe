/* Reject files; see rejects.h. */
#include "intake/rejects.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/buffer.h"
#include "base/calendar.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/memory.h"

enum { PATH_BYTES = 4096, NAME_BYTES = 128, TRIES = 1000, ROW_BYTES = 1 << 20 };

struct reject_file {
    file_writer *writer; /* NULL once committed */
    uint64_t kept, left_out;
    bool committed; /* or tried to */
    buffer row;
    char path[PATH_BYTES];
};

/* "2017-01-07T18:15:32Z" -> "20170107T181532Z". */
static void compact_time(int64_t now_us, char into[TIME_TEXT_BYTES])
{
    char written[TIME_TEXT_BYTES];
    size_t n = 0;
    (void)time_format(now_us, written);
    for (const char *p = written; *p != 0 && *p != '.'; p++)
        if (*p != '-' && *p != ':') into[n++] = *p;
    if (n > 0 && into[n - 1] != 'Z') into[n++] = 'Z';
    into[n] = 0;
}

/* Letters, digits, - and _ of a label, which may come from a mapping file. */
static void safe_label(const char *label, char *into, size_t size)
{
    size_t n = 0;
    for (const char *p = label; *p != 0 && n + 1 < size; p++) {
        const char c = *p;
        const bool good = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '-' || c == '_';
        into[n++] = good ? c : '_';
    }
    into[n] = 0;
}

/* The first name of its kind that is free. */
static pf_status choose_path(reject_file *r, const char *folder, const char *label,
                             int64_t now_us, pf_error *err)
{
    char time[TIME_TEXT_BYTES], safe[64], name[NAME_BYTES];
    compact_time(now_us, time);
    safe_label(label, safe, sizeof safe);
    for (int i = 1; i <= TRIES; i++) {
        char number[16] = "";
        if (i > 1) (void)snprintf(number, sizeof number, "-%d", i);
        (void)snprintf(name, sizeof name, "%s-%s%s.csv", time, safe, number);
        const pf_status s = file_join_path(r->path, sizeof r->path, folder, name, err);
        if (s != PF_OK || !file_exists(r->path)) return s;
    }
    return error_set(err, PF_IO,
                     "the folder %s holds too many reject files of one second", folder);
}

pf_status reject_file_open(reject_file **out, const char *folder, const char *label,
                           int64_t now_us, pf_error *err)
{
    static const char header[] = "file,line,column,reason,code,row\n";
    reject_file *r = mem_alloc_zero(1, sizeof *r);
    if (r == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for the reject file");
    buffer_init(&r->row, ROW_BYTES);
    pf_status s = file_make_folders(folder, err);
    if (s == PF_OK) s = choose_path(r, folder, label, now_us, err);
    if (s == PF_OK) s = file_writer_open(&r->writer, r->path, err);
    if (s == PF_OK) s = file_writer_write(r->writer, header, sizeof header - 1, err);
    if (s != PF_OK) {
        reject_file_close(r);
        return s;
    }
    *out = r;
    return PF_OK;
}

/* Quoted where needed; bytes that are no UTF-8 as \xE9, so that the file itself is. */
static void put_field(buffer *b, text t)
{
    bool quoted = false;
    for (size_t i = 0; i < t.n && !quoted; i++)
        quoted = memchr(",\"\r\n", t.data[i], 4) != NULL;
    if (quoted) buffer_append_char(b, '"');
    while (t.n > 0) {
        size_t at = t.n;
        const bool good = utf8_check(t.data, t.n, &at);
        const size_t n = good ? t.n : at;
        for (size_t i = 0; i < n; i++) {
            if (t.data[i] == '"') buffer_append_char(b, '"');
            buffer_append_char(b, t.data[i]);
        }
        if (!good) buffer_printf(b, "\\x%02X", (unsigned char)t.data[n]);
        t.data += n + !good;
        t.n -= n + !good;
    }
    if (quoted) buffer_append_char(b, '"');
}

pf_status reject_file_add(reject_file *r, const reject_row *row, pf_error *err)
{
    if (r->kept == LIMIT_REJECTS_KEPT) {
        r->left_out++;
        return PF_OK;
    }
    buffer *b = &r->row;
    buffer_clear(b);
    put_field(b, text_of(row->file));
    buffer_printf(b, ",%llu,", (unsigned long long)row->line);
    if (row->column > 0) buffer_printf(b, "%u", row->column);
    buffer_append_char(b, ',');
    put_field(b, text_of(row->message));
    buffer_printf(b, ",%s,", reject_reason_name(row->reason));
    put_field(b, row->raw);
    buffer_append_char(b, '\n');
    if (b->failed)
        return error_set(err, PF_NO_MEMORY, "out of memory for the reject file");
    r->kept++;
    return file_writer_write(r->writer, b->data, b->length, err);
}

uint64_t reject_file_left_out(const reject_file *r)
{
    return r->left_out;
}

const char *reject_file_path(const reject_file *r)
{
    return r->path;
}

pf_status reject_file_commit(reject_file *r, pf_error *err)
{
    file_writer *w = r->writer;
    r->writer = NULL;
    /* Also a commit that fails may have put the file in place: there to be undone. */
    r->committed = true;
    return file_writer_commit(w, err);
}

void reject_file_undo(reject_file *r)
{
    if (r != NULL && r->committed) {
        (void)unlink(r->path);
        r->committed = false;
    }
}

void reject_file_close(reject_file *r)
{
    if (r == NULL) return;
    file_writer_abandon(r->writer);
    buffer_free(&r->row);
    mem_free(r);
}
