/* Where bytes come from; see source.h. Unpacking is in gzip.c and zstd.c. */
#include "intake/source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/progress.h"
#include "intake/packed.h"

enum { WAIT_MS = 100 };

typedef enum packing { PACKING_NONE, PACKING_GZIP, PACKING_ZSTD } packing;

struct byte_source {
    packed_input in;
    packing packing;
    gzip_decoder *gzip;
    zstd_decoder *zstd;
    unsigned char *peeked; /* NULL until asked for */
    size_t peeked_at, peeked_n;
};

/* --- packed bytes ----------------------------------------------------------------- */

static bool stopped(const packed_input *in)
{
    return progress_cancelled() || (in->stop != NULL && atomic_load(in->stop));
}

/* Waits until a pipe has something, looking up now and then whether to go on. */
static pf_status wait_for_bytes(const packed_input *in, pf_error *err)
{
    struct pollfd p = {.fd = in->fd, .events = POLLIN};
    for (;;) {
        if (stopped(in))
            return error_set(err, PF_CANCELLED, "stopped while reading %s", in->name);
        const int ready = poll(&p, 1, WAIT_MS);
        if (ready > 0) return PF_OK;
        if (ready < 0 && errno != EINTR)
            return error_set_errno(err, "cannot wait for %s", in->name);
    }
}

pf_status packed_fill(packed_input *in, pf_error *err)
{
    while (in->at == in->end && !in->ended) {
        if (in->fd < 0) {
            in->ended = true;
            break;
        }
        if (in->waits) {
            const pf_status s = wait_for_bytes(in, err);
            if (s != PF_OK) return s;
        }
        const ssize_t got = read(in->fd, in->block, PACKED_BYTES);
        if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (got < 0) return error_set_errno(err, "cannot read %s", in->name);
        in->at = 0;
        in->end = (size_t)got;
        in->ended = got == 0;
    }
    return PF_OK;
}

void packed_take(packed_input *in, size_t n)
{
    in->at += n;
    atomic_fetch_add_explicit(&in->position, n, memory_order_relaxed);
}

/* --- opening ---------------------------------------------------------------------- */

static pf_status check_kind(packed_input *in, pf_error *err)
{
    struct stat st;
    if (fstat(in->fd, &st) != 0)
        return error_set_errno(err, "cannot look at %s", in->name);
    if (S_ISREG(st.st_mode)) {
        in->size = (uint64_t)st.st_size;
        return PF_OK;
    }
    in->waits = S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode);
    if (in->waits) return PF_OK;
    if (S_ISDIR(st.st_mode))
        return error_set_at(err, PF_IO, in->name, 0, 0,
                            "this is a folder; name the files in it, or write a mapping "
                            "file whose 'files' may hold patterns such as lines-*.csv");
    if (isatty(in->fd))
        return error_set_at(
            err, PF_IO, in->name, 0, 0,
            "nothing is piped in; send a file, as in: zcat x.gz | proffer "
            "import -");
    return error_set_at(
        err, PF_IO, in->name, 0, 0,
        "this is a device or special file; only files and pipes are read");
}

static pf_status open_path(packed_input *in, const char *path, pf_error *err)
{
    if (strcmp(path, "-") == 0) {
        (void)snprintf(in->name, sizeof in->name, "standard input");
        in->fd = STDIN_FILENO;
    } else {
        const int length = snprintf(in->name, sizeof in->name, "%s", path);
        if (length < 0 || (size_t)length >= sizeof in->name)
            return error_set(err, PF_LIMIT, "a path of more than %d bytes",
                             SOURCE_NAME_BYTES - 1);
        do {
            in->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        } while (in->fd < 0 && errno == EINTR && !stopped(in));
        in->owns_fd = in->fd >= 0;
        if (in->fd < 0 && errno == EINTR)
            return error_set(err, PF_CANCELLED, "stopped while opening %s", in->name);
        if (in->fd < 0 && errno == ENOENT)
            return error_set_at(err, PF_NOT_FOUND, in->name, 0, 0,
                                "there is no such file");
        if (in->fd < 0) return error_set_errno(err, "cannot open %s", in->name);
    }
    return check_kind(in, err);
}

/* gzip: RFC 1952 section 2.3.1; zstd: RFC 8878 sections 3.1.1 and 3.1.2 (a frame, or a
 * skippable frame in front of it). */
static packing packing_of(const unsigned char *p, size_t n)
{
    if (n >= 2 && p[0] == 0x1f && p[1] == 0x8b) return PACKING_GZIP;
    if (n >= 4 && p[0] == 0x28 && p[1] == 0xb5 && p[2] == 0x2f && p[3] == 0xfd)
        return PACKING_ZSTD;
    if (n >= 4 && (p[0] & 0xf0) == 0x50 && p[1] == 0x2a && p[2] == 0x4d && p[3] == 0x18)
        return PACKING_ZSTD;
    return PACKING_NONE;
}

/* A pipe may hand out its first bytes one at a time: wait for the four that tell. */
static pf_status fill_magic(packed_input *in, pf_error *err)
{
    pf_status s = packed_fill(in, err);
    while (s == PF_OK && in->fd >= 0 && in->end < 4 && !in->ended) {
        if (in->waits && (s = wait_for_bytes(in, err)) != PF_OK) return s;
        const ssize_t got = read(in->fd, in->block + in->end, PACKED_BYTES - in->end);
        if (got < 0 && errno != EINTR && errno != EAGAIN)
            return error_set_errno(err, "cannot read %s", in->name);
        in->ended = got == 0;
        in->end += got > 0 ? (size_t)got : 0;
    }
    return s;
}

static pf_status choose_decoder(byte_source *s, pf_error *err)
{
    const pf_status status = fill_magic(&s->in, err);
    if (status != PF_OK) return status;
    s->packing = packing_of(s->in.bytes + s->in.at, s->in.end - s->in.at);
    if (s->packing == PACKING_GZIP) return gzip_open(&s->gzip, err);
    if (s->packing == PACKING_ZSTD) return zstd_open(&s->zstd, err);
    return PF_OK;
}

static byte_source *source_new(const atomic_bool *stop)
{
    byte_source *s = mem_alloc_zero(1, sizeof *s);
    if (s != NULL) {
        s->in.fd = -1;
        s->in.stop = stop;
    }
    return s;
}

pf_status byte_source_open(byte_source **out, const char *path, const atomic_bool *stop,
                           pf_error *err)
{
    byte_source *s = source_new(stop);
    pf_status status = PF_OK;
    if (s == NULL || (s->in.block = mem_alloc(1, PACKED_BYTES)) == NULL)
        status = error_set(err, PF_NO_MEMORY, "out of memory while opening %s", path);
    if (status == PF_OK) status = open_path(&s->in, path, err);
    if (status == PF_OK) {
        s->in.bytes = s->in.block;
        status = choose_decoder(s, err);
    }
    if (status != PF_OK) {
        byte_source_close(s);
        return status;
    }
    *out = s;
    return PF_OK;
}

pf_status byte_source_from_memory(byte_source **out, const void *bytes, size_t n,
                                  const char *name, pf_error *err)
{
    byte_source *s = source_new(NULL);
    if (s == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory while opening %s", name);
    (void)snprintf(s->in.name, sizeof s->in.name, "%s", name);
    s->in.bytes = bytes;
    s->in.end = n;
    s->in.size = n;
    const pf_status status = choose_decoder(s, err);
    if (status != PF_OK) {
        byte_source_close(s);
        return status;
    }
    *out = s;
    return PF_OK;
}

void byte_source_close(byte_source *s)
{
    if (s == NULL) return;
    gzip_close(s->gzip);
    zstd_close(s->zstd);
    if (s->in.owns_fd) (void)close(s->in.fd);
    mem_free(s->in.block);
    mem_free(s->peeked);
    mem_free(s);
}

/* --- unpacked bytes --------------------------------------------------------------- */

static pf_status plain_read(packed_input *in, void *into, size_t n, size_t *got,
                            pf_error *err)
{
    *got = 0;
    while (*got < n) {
        const pf_status s = packed_fill(in, err);
        if (s != PF_OK) return s;
        size_t have = in->end - in->at;
        if (have == 0) return PF_OK;
        if (have > n - *got) have = n - *got;
        memcpy((char *)into + *got, in->bytes + in->at, have);
        packed_take(in, have);
        *got += have;
    }
    return PF_OK;
}

static pf_status unpack(byte_source *s, void *into, size_t n, size_t *got, pf_error *err)
{
    switch (s->packing) {
    case PACKING_GZIP: return gzip_read(s->gzip, &s->in, into, n, got, err);
    case PACKING_ZSTD: return zstd_read(s->zstd, &s->in, into, n, got, err);
    case PACKING_NONE: break;
    }
    return plain_read(&s->in, into, n, got, err);
}

pf_status byte_source_read(byte_source *s, void *into, size_t n, size_t *got,
                           pf_error *err)
{
    *got = 0;
    if (s->peeked != NULL) {
        size_t have = s->peeked_n - s->peeked_at;
        if (have > n) have = n;
        memcpy(into, s->peeked + s->peeked_at, have);
        s->peeked_at += have;
        *got = have;
        if (s->peeked_at < s->peeked_n) return PF_OK;
        mem_free(s->peeked);
        s->peeked = NULL;
    }
    size_t more = 0;
    const pf_status status =
        *got < n ? unpack(s, (char *)into + *got, n - *got, &more, err) : PF_OK;
    *got += more;
    return status;
}

pf_status byte_source_peek(byte_source *s, text *out, pf_error *err)
{
    if (s->peeked == NULL) {
        s->peeked = mem_alloc(1, SOURCE_PEEK_BYTES);
        if (s->peeked == NULL)
            return error_set(err, PF_NO_MEMORY, "out of memory while opening %s",
                             s->in.name);
        const pf_status status =
            unpack(s, s->peeked, SOURCE_PEEK_BYTES, &s->peeked_n, err);
        if (status != PF_OK) return status;
    }
    *out = (text){(const char *)s->peeked + s->peeked_at, s->peeked_n - s->peeked_at};
    return PF_OK;
}

uint64_t byte_source_position(const byte_source *s)
{
    return atomic_load_explicit(&s->in.position, memory_order_relaxed);
}

uint64_t byte_source_size(const byte_source *s)
{
    return s->in.size;
}

const char *byte_source_name(const byte_source *s)
{
    return s->in.name;
}

bool byte_source_is_stream(const byte_source *s)
{
    return s->in.waits || s->in.fd == STDIN_FILENO;
}
