/*
 * zstd (RFC 8878) unpacked by libzstd, several frames in a row as one stream. Its window
 * is held to the library's default maximum (128 MiB), so a hostile file cannot ask for
 * more memory than that.
 */
#include <zstd.h>
#include <zstd_errors.h>

#include "base/memory.h"
#include "intake/packed.h"

struct zstd_decoder {
    ZSTD_DStream *stream;
    size_t wants;   /* what the last call answered: 0 = a frame is complete */
    bool held_back; /* the output was full: the decoder may have more without input */
    uint64_t unpacked;
};

pf_status zstd_open(zstd_decoder **out, pf_error *err)
{
    zstd_decoder *d = mem_alloc_zero(1, sizeof *d);
    if (d != NULL) d->stream = ZSTD_createDStream();
    if (d == NULL || d->stream == NULL) {
        zstd_close(d);
        return error_set(err, PF_NO_MEMORY, "out of memory for unpacking zstd");
    }
    *out = d;
    return PF_OK;
}

void zstd_close(zstd_decoder *d)
{
    if (d == NULL) return;
    (void)ZSTD_freeDStream(d->stream);
    mem_free(d);
}

static pf_status broken(const zstd_decoder *d, const packed_input *in, const char *how,
                        pf_error *err)
{
    return error_set_at(
        err, PF_DATA, in->name, 0, 0,
        "the zstd stream is broken (%s) after %llu unpacked bytes; copy or "
        "download the file again",
        how, (unsigned long long)d->unpacked);
}

static pf_status step(zstd_decoder *d, packed_input *in, void *into, size_t room,
                      size_t *got, pf_error *err)
{
    ZSTD_inBuffer packed = {in->bytes + in->at, in->end - in->at, 0};
    ZSTD_outBuffer plain = {into, room, 0};
    const size_t code = ZSTD_decompressStream(d->stream, &plain, &packed);
    if (ZSTD_isError(code)) {
        if (ZSTD_getErrorCode(code) == ZSTD_error_memory_allocation)
            return error_set(err, PF_NO_MEMORY, "out of memory for unpacking zstd");
        return broken(d, in, ZSTD_getErrorName(code), err);
    }
    packed_take(in, packed.pos);
    d->wants = code;
    d->held_back = plain.pos == room;
    d->unpacked += plain.pos;
    *got = plain.pos;
    return PF_OK;
}

pf_status zstd_read(zstd_decoder *d, packed_input *in, void *into, size_t n, size_t *got,
                    pf_error *err)
{
    *got = 0;
    while (*got < n) {
        pf_status s = packed_fill(in, err);
        if (s != PF_OK) return s;
        if (in->at == in->end && d->wants == 0) return PF_OK;
        if (in->at == in->end && !d->held_back)
            return broken(d, in, "it ends in the middle", err);
        size_t more = 0;
        const bool flushed = in->at == in->end;
        s = step(d, in, (char *)into + *got, n - *got, &more, err);
        if (s != PF_OK) return s;
        *got += more;
        if (flushed && more == 0) d->held_back = false;
    }
    return PF_OK;
}
