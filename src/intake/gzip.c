/*
 * gzip (RFC 1952) unpacked by zlib, several members in a row as one stream. Zero bytes
 * behind the last member are padding and pass; anything else there is an error, as is a
 * stream that ends before its trailer.
 */
#define ZLIB_CONST /* its input is not changed, and then says so */
#include <string.h>
#include <zlib.h>

#include "base/memory.h"
#include "intake/packed.h"

struct gzip_decoder {
    z_stream z;
    bool open;      /* inflateInit2 was called */
    bool in_member; /* between a header and its trailer */
    bool padding;   /* a zero byte stood where a member could have begun */
    uint64_t unpacked;
};

static void *allocate(void *context, unsigned count, unsigned size)
{
    (void)context;
    return mem_alloc(count, size);
}

static void release(void *context, void *block)
{
    (void)context;
    mem_free(block);
}

pf_status gzip_open(gzip_decoder **out, pf_error *err)
{
    gzip_decoder *d = mem_alloc_zero(1, sizeof *d);
    if (d != NULL) {
        d->z.zalloc = allocate;
        d->z.zfree = release;
        d->open = inflateInit2(&d->z, 15 + 16) == Z_OK;
    }
    if (d == NULL || !d->open) {
        gzip_close(d);
        return error_set(err, PF_NO_MEMORY, "out of memory for unpacking gzip");
    }
    d->in_member = true;
    *out = d;
    return PF_OK;
}

void gzip_close(gzip_decoder *d)
{
    if (d == NULL) return;
    if (d->open) (void)inflateEnd(&d->z);
    mem_free(d);
}

static pf_status broken(const gzip_decoder *d, const packed_input *in, const char *how,
                        pf_error *err)
{
    return error_set_at(err, PF_DATA, in->name, 0, 0,
                        "the gzip stream %s after %llu unpacked bytes; copy or download "
                        "the file again",
                        how, (unsigned long long)d->unpacked);
}

/* Between members: skips padding, starts the next member, or sees the end. */
static pf_status next_member(gzip_decoder *d, packed_input *in, bool *ended,
                             pf_error *err)
{
    *ended = false;
    for (;;) {
        const pf_status s = packed_fill(in, err);
        if (s != PF_OK) return s;
        if (in->at == in->end) {
            *ended = true;
            return PF_OK;
        }
        if (in->bytes[in->at] != 0) break;
        d->padding = true;
        packed_take(in, 1);
    }
    if (d->padding || in->bytes[in->at] != 0x1f)
        return broken(d, in, "is followed by bytes that are no gzip", err);
    if (inflateReset(&d->z) != Z_OK)
        return error_set(err, PF_INTERNAL, "zlib cannot be reset");
    d->in_member = true;
    return PF_OK;
}

enum { STEP_BYTES = 1 << 30 }; /* zlib counts in unsigned */

/* One call of inflate on what is at hand. */
static pf_status step(gzip_decoder *d, packed_input *in, pf_error *err)
{
    const size_t at_hand = in->end - in->at;
    const size_t have = at_hand < STEP_BYTES ? at_hand : STEP_BYTES;
    d->z.next_in = in->bytes + in->at;
    d->z.avail_in = (unsigned)have;
    const unsigned room = d->z.avail_out;
    const int code = inflate(&d->z, Z_NO_FLUSH);
    packed_take(in, have - d->z.avail_in);
    d->unpacked += room - d->z.avail_out;
    if (code == Z_STREAM_END)
        d->in_member = false;
    else if (code == Z_MEM_ERROR)
        return error_set(err, PF_NO_MEMORY, "out of memory for unpacking gzip");
    else if (code != Z_OK && code != Z_BUF_ERROR)
        return broken(d, in, d->z.msg != NULL ? d->z.msg : "is corrupt", err);
    return PF_OK;
}

pf_status gzip_read(gzip_decoder *d, packed_input *in, void *into, size_t n, size_t *got,
                    pf_error *err)
{
    *got = 0;
    while (*got < n) {
        bool ended = false;
        pf_status s =
            d->in_member ? packed_fill(in, err) : next_member(d, in, &ended, err);
        if (s != PF_OK || ended) return s;
        if (d->in_member && in->at == in->end)
            return broken(d, in, "ends in the middle", err);
        const size_t room = n - *got < STEP_BYTES ? n - *got : STEP_BYTES;
        d->z.next_out = (unsigned char *)into + *got;
        d->z.avail_out = (unsigned)room;
        s = step(d, in, err);
        *got += room - d->z.avail_out;
        if (s != PF_OK) return s;
    }
    return PF_OK;
}
