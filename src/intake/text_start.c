/* What a text file cannot begin with; see text_start.h. */
#include "intake/text_start.h"

#include <string.h>

typedef struct signature {
    const char *bytes;
    size_t n;
    const char *advice;
} signature;

#define BYTES(literal) literal, sizeof(literal) - 1

/* UTF-32's marks stand before UTF-16's, which begin alike. */
static const signature refused[] = {
    {BYTES("\xff\xfe\0\0"), "this is UTF-32 text; save it as UTF-8"},
    {BYTES("\0\0\xfe\xff"), "this is UTF-32 text; save it as UTF-8"},
    {BYTES("\xff\xfe"),
     "this is UTF-16 text (a Unicode export of a spreadsheet?); save it "
     "as UTF-8"},
    {BYTES("\xfe\xff"),
     "this is UTF-16 text (a Unicode export of a spreadsheet?); save it "
     "as UTF-8"},
    {BYTES("PK\x03\x04"), "this is a ZIP archive or an Excel workbook; unpack it, or "
                          "export the sheet as CSV"},
    {BYTES("\xd0\xcf\x11\xe0"), "this is an old Excel workbook; export the sheet as CSV"},
    {BYTES("PAR1"), "this is a Parquet file; export it as CSV or JSON lines"},
    {BYTES("SQLite format 3"), "this is an SQLite database; export its tables as CSV"},
    {BYTES("BZh"), "this is packed by bzip2; unpack it, or pack it by gzip or zstd"},
    {BYTES("\xfd"
           "7zXZ"),
     "this is packed by xz; unpack it, or pack it by gzip or zstd"},
    {BYTES("\x1f\x8b"), "this was packed by gzip twice; unpack it once"},
    {BYTES("%PDF"), "this is a PDF; a table is needed: CSV or JSON lines"},
};

pf_status text_start_check(window *w, pf_error *err)
{
    enum { ENOUGH_BYTES = 16 };
    do {
        const pf_status s = window_fill(w, err);
        if (s != PF_OK) return s;
    } while (w->end - w->at < ENOUGH_BYTES && !w->ended);
    const char *p = w->bytes + w->at;
    const size_t n = w->end - w->at;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (n >= refused[i].n && memcmp(p, refused[i].bytes, refused[i].n) == 0)
            return error_set_at(err, PF_DATA, byte_source_name(w->source), 1, 0, "%s",
                                refused[i].advice);
    if (n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) w->at += 3;
    return PF_OK;
}
