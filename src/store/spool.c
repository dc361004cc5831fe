/*
 * The temporary file behind a spool; see spool.h.
 */
#include "store/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"

void spool_init(spool *sp, const char *folder)
{
    *sp = (spool){.folder = folder, .fd = -1};
}

void spool_free(spool *sp)
{
    if (sp->fd >= 0) close(sp->fd);
    mem_free(sp->block);
    mem_free(sp->runs);
    spool_init(sp, sp->folder);
}

/* A file without a name; where the file system knows none, one whose name is taken away
 * at once. */
static pf_status open_file(spool *sp, pf_error *err)
{
    char name[4096 + 32];
    const char *folder = sp->folder[0] != '\0' ? sp->folder : ".";
    sp->fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (sp->fd >= 0) return PF_OK;
    int n = snprintf(name, sizeof name, "%s/.proffer-sort-XXXXXX", folder);
    if (n < 0 || (size_t)n >= sizeof name)
        return error_set(err, PF_LIMIT, "the path '%s' is too long", folder);
    sp->fd = mkostemp(name, O_CLOEXEC);
    if (sp->fd < 0)
        return error_set_errno(err, "cannot make a temporary file in '%s'", folder);
    unlink(name);
    return PF_OK;
}

static pf_status flush(spool *sp, pf_error *err)
{
    size_t done = 0;
    while (done < sp->held) {
        ssize_t n = write(sp->fd, sp->block + done, sp->held - done);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0)
            return error_set_errno(
                err, "cannot write the temporary file of the import in '%s'",
                sp->folder[0] != '\0' ? sp->folder : ".");
        done += (size_t)n;
    }
    sp->held = 0;
    return PF_OK;
}

pf_status spool_begin_run(spool *sp, pf_error *err)
{
    if (sp->block == NULL) {
        sp->block = mem_alloc(SPOOL_BLOCK_BYTES, 1);
        if (sp->block == NULL)
            return error_set(err, PF_NO_MEMORY, "no memory to sort events");
        pf_status status = open_file(sp, err);
        if (status != PF_OK) return status;
    }
    if (!mem_reserve((void **)&sp->runs, &sp->capacity, sp->n_runs + 1, sizeof *sp->runs))
        return error_set(err, PF_NO_MEMORY, "no memory to sort events");
    sp->runs[sp->n_runs] = (spool_run){.from = sp->size};
    return PF_OK;
}

pf_status spool_write(spool *sp, const void *bytes, size_t n, pf_error *err)
{
    const unsigned char *from = bytes;
    sp->size += n;
    while (n > 0) {
        size_t part = SPOOL_BLOCK_BYTES - sp->held;
        if (part > n) part = n;
        memcpy(sp->block + sp->held, from, part);
        sp->held += part;
        from += part;
        n -= part;
        if (sp->held == SPOOL_BLOCK_BYTES) {
            pf_status status = flush(sp, err);
            if (status != PF_OK) return status;
        }
    }
    return PF_OK;
}

pf_status spool_end_run(spool *sp, pf_error *err)
{
    pf_status status = flush(sp, err);
    if (status == PF_OK) {
        spool_run *run = &sp->runs[sp->n_runs++];
        run->bytes = sp->size - run->from;
    }
    return status;
}

pf_status spool_read(const spool *sp, uint64_t at, void *into, size_t n, pf_error *err)
{
    unsigned char *to = into;
    while (n > 0) {
        ssize_t got = pread(sp->fd, to, n, (off_t)at);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0)
            return error_set_errno(err, "cannot read the temporary file of the import");
        if (got == 0)
            return error_set(err, PF_IO,
                             "the temporary file of the import ends too early");
        to += got;
        at += (uint64_t)got;
        n -= (size_t)got;
    }
    return PF_OK;
}
