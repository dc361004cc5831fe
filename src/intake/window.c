/* A growing view of a byte source; see window.h. */
#include "intake/window.h"

#include <string.h>

#include "base/memory.h"

pf_status window_open(window *w, byte_source *source, size_t start_bytes, size_t maximum,
                      pf_error *err)
{
    *w = (window){.source = source, .capacity = start_bytes, .maximum = maximum};
    w->bytes = mem_alloc(1, start_bytes + WINDOW_SLACK);
    if (w->bytes == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory while reading %s",
                         byte_source_name(source));
    memset(w->bytes, 0, WINDOW_SLACK);
    return PF_OK;
}

void window_close(window *w)
{
    mem_free(w->bytes);
    w->bytes = NULL;
}

static pf_status make_room(window *w, pf_error *err)
{
    const size_t kept = w->end - w->at;
    if (kept >= w->maximum) return PF_LIMIT;
    if (w->at > 0) memmove(w->bytes, w->bytes + w->at, kept);
    w->at = 0;
    w->end = kept;
    if (kept <= w->capacity / 2) return PF_OK;
    char *grown = mem_resize(w->bytes, 1, 2 * w->capacity + WINDOW_SLACK);
    if (grown == NULL)
        return error_set(err, PF_NO_MEMORY,
                         "out of memory for a row of more than %zu bytes", kept);
    w->bytes = grown;
    w->capacity *= 2;
    return PF_OK;
}

pf_status window_fill(window *w, pf_error *err)
{
    if (w->ended) return PF_OK;
    pf_status s = make_room(w, err);
    if (s != PF_OK) return s;
    size_t got = 0;
    const size_t room = w->capacity - w->end;
    s = byte_source_read(w->source, w->bytes + w->end, room, &got, err);
    w->ended = s == PF_OK && got < room;
    w->end += got;
    memset(w->bytes + w->end, 0, WINDOW_SLACK);
    return s;
}
