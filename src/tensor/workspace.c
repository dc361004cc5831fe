/*
 * Memory of a training step, planned by counting (workspace.h). Every take is rounded up to
 * 64 bytes, so that takes stay aligned and two of them never share a cache line.
 */
#include "tensor/workspace.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"

enum { WORKSPACE_ALIGN = 64 };

workspace workspace_counting(void)
{
    return (workspace){0};
}

/* n items of `size` bytes, rounded up; false when that does not fit a size_t. */
static bool rounded_bytes(size_t n, size_t size, size_t *out)
{
    size_t bytes;
    if (!size_multiply(n, size, &bytes) || !size_add(bytes, WORKSPACE_ALIGN - 1, &bytes))
        return false;
    *out = bytes / WORKSPACE_ALIGN * WORKSPACE_ALIGN;
    return true;
}

static void *count(workspace *w, size_t n, size_t size)
{
    size_t bytes;
    if (!rounded_bytes(n, size, &bytes) || !size_add(w->used, bytes, &w->used))
        w->overflow = true;
    if (w->used > w->most) w->most = w->used;
    return NULL;
}

void *workspace_take(workspace *w, size_t n, size_t size)
{
    if (!w->base) return count(w, n, size);
    size_t bytes = 0;
    bool fits = rounded_bytes(n, size, &bytes) && bytes <= w->bytes - w->used;
    assert(fits && "more is taken than was planned");
    if (!fits) return NULL;
    void *out = w->base + w->used;
    w->used += bytes;
    if (w->used > w->most) w->most = w->used;
    return out;
}

pf_status workspace_make(workspace *w, pf_error *err)
{
    assert(!w->base);
    if (w->overflow)
        return error_set(err, PF_LIMIT, "the sizes asked for do not fit into memory");
    /* One line more than nothing, so that an empty plan has a base too. */
    size_t bytes = w->most > 0 ? w->most : WORKSPACE_ALIGN;
    unsigned char *base = mem_alloc_aligned(bytes, 1);
    if (!base)
        return error_set(err, PF_NO_MEMORY, "cannot get %zu MiB of working memory",
                         bytes >> 20);
    memset(base, 0, bytes);
    *w = (workspace){.base = base, .bytes = bytes};
    return PF_OK;
}

size_t workspace_mark(const workspace *w)
{
    return w->used;
}

void workspace_back(workspace *w, size_t mark)
{
    assert(mark <= w->used);
    w->used = mark;
}

void workspace_free(workspace *w)
{
    mem_free(w->base);
    *w = (workspace){0};
}
