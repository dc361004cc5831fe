/* Reading and checking a weights file; see weights.h for its layout. */
#include "language/weights.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[8] = {'P', 'F', 'E', 'N', 'C', 'O', 'D', 'E'};

enum { BYTE_ORDER_MARK = 0x01020304, CHECK_BLOCK = 1 << 20 };

/* ---- layout ---- */

pf_status weights_check_sizes(const weights_sizes *s, pf_error *err)
{
    const uint32_t widths[] = {s->embedding, s->branch, s->pooled,
                               s->hidden,    s->wide,   s->output};
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
        if (widths[i] < 1 || widths[i] > WEIGHTS_MAX_WIDTH)
            return error_set(err, PF_DATA, "a layer has %u values; 1 to %d are possible",
                             widths[i], WEIGHTS_MAX_WIDTH);
    if (s->chunks < 1 || s->chunks > WEIGHTS_MAX_CHUNKS)
        return error_set(err, PF_DATA, "%u embedding tables; 1 to %d are possible",
                         s->chunks, WEIGHTS_MAX_CHUNKS);
    if (s->pieces < s->chunks || s->pieces > WEIGHTS_MAX_PIECES || s->pieces % s->chunks)
        return error_set(err, PF_DATA, "%u pieces do not fill %u tables", s->pieces,
                         s->chunks);
    return PF_OK;
}

void weights_matrix_shape(const weights_sizes *s, unsigned section, size_t *rows,
                          size_t *columns)
{
    const size_t features = s->embedding + (size_t)WEIGHTS_BRANCHES * s->branch;
    *columns = s->branch;
    switch (section) {
    case SECTION_PROJECT:
        *rows = s->embedding;
        *columns = (size_t)WEIGHTS_BRANCHES * s->branch;
        return;
    case SECTION_POOL: *rows = features, *columns = s->pooled; return;
    case SECTION_D0:
    case SECTION_P1: *rows = s->pooled, *columns = s->hidden; return;
    case SECTION_D1: *rows = s->hidden, *columns = s->hidden; return;
    case SECTION_D2: *rows = s->hidden, *columns = s->wide; return;
    case SECTION_P3: *rows = s->hidden, *columns = s->output; return;
    case SECTION_D3: *rows = s->wide, *columns = s->output; return;
    default:
        *rows = (size_t)weights_orders[(section - SECTION_FIRST) % WEIGHTS_BRANCHES] *
                s->branch;
    }
}

/* Floats of the sections that are neither the table nor a matrix. */
static size_t vector_floats(const weights_sizes *s, unsigned section)
{
    const size_t branches = (size_t)WEIGHTS_BRANCHES * s->branch;
    switch (section) {
    case SECTION_SCALE:
    case SECTION_LOW: return s->chunks;
    case SECTION_PROJECT_BIAS:
    case SECTION_BRANCH_GAIN:
    case SECTION_BRANCH_SHIFT: return branches;
    case SECTION_FEATURE_GAIN:
    case SECTION_FEATURE_SHIFT: return s->embedding + branches;
    case SECTION_POOL_BIAS: return s->pooled;
    default: return s->branch;
    }
}

static size_t section_bytes(const weights_sizes *s, unsigned section)
{
    if (section == SECTION_TABLE) return (size_t)s->pieces * s->embedding;
    if (section < SECTION_PROJECT) return vector_floats(s, section) * sizeof(float);
    size_t rows, columns;
    weights_matrix_shape(s, section, &rows, &columns);
    return kernel_packed_floats(rows, columns) * sizeof(float);
}

void weights_lay_out(const weights_sizes *sizes, weights_place places[WEIGHTS_SECTIONS],
                     uint64_t *file_bytes)
{
    uint64_t offset = WEIGHTS_FIRST_SECTION;
    for (unsigned section = 0; section < WEIGHTS_SECTIONS; section++) {
        places[section] = (weights_place){offset, section_bytes(sizes, section)};
        offset += places[section].bytes;
        offset += (WEIGHTS_ALIGN - offset % WEIGHTS_ALIGN) % WEIGHTS_ALIGN;
    }
    *file_bytes = offset;
}

/* A mapped block that was summed is let go again: otherwise checking the file would leave
 * all of it resident. */
fingerprint weights_checksum(const weights_header *header, const unsigned char *bytes,
                             size_t size, bool mapped)
{
    weights_header blank = *header;
    memset(blank.checksum, 0, sizeof blank.checksum);
    fingerprint_state state;
    fingerprint_begin(&state);
    fingerprint_add(&state, &blank, sizeof blank);
    for (size_t at = sizeof blank; at < size;) {
        const size_t block = at / CHECK_BLOCK * CHECK_BLOCK;
        const size_t end = size - block > CHECK_BLOCK ? block + CHECK_BLOCK : size;
        fingerprint_add(&state, bytes + at, end - at);
        if (mapped) /* not a byte beyond the file: its neighbours would be zeroed */
            madvise((void *)(uintptr_t)(bytes + block), end - block, MADV_DONTNEED);
        at = end;
    }
    return fingerprint_end(&state);
}

void weights_begin_header(weights_header *header, const weights_sizes *sizes,
                          float epsilon)
{
    *header = (weights_header){.version = WEIGHTS_VERSION,
                               .byte_order = BYTE_ORDER_MARK,
                               .sizes = *sizes,
                               .epsilon = epsilon};
    memcpy(header->magic, magic, sizeof magic);
    weights_lay_out(sizes, header->places, &header->file_bytes);
}

/* ---- checks ---- */

static pf_status check_header(const weights_header *h, size_t size, const char *path,
                              pf_error *err)
{
    if (memcmp(h->magic, magic, sizeof magic) != 0)
        return error_set_at(err, PF_DATA, path, 0, 0, "not a file of encoder weights");
    if (h->byte_order != BYTE_ORDER_MARK)
        return error_set_at(
            err, PF_DATA, path, 0, 0,
            "encoder weights in another machine's byte order: convert again");
    if (h->version != WEIGHTS_VERSION)
        return error_set_at(
            err, PF_DATA, path, 0, 0,
            "encoder weights of version %u, this program reads version %d: "
            "convert again",
            h->version, WEIGHTS_VERSION);
    if (h->file_bytes != size)
        return error_set_at(
            err, PF_DATA, path, 0, 0,
            "encoder weights of %zu bytes, %llu are announced: the file is "
            "cut short or was added to; convert again",
            size, (unsigned long long)h->file_bytes);
    if (!(h->epsilon >= 0 && h->epsilon < 1) || h->reserved != 0)
        return error_set_at(err, PF_DATA, path, 0, 0,
                            "encoder weights with a damaged header: convert again");
    return PF_OK;
}

static pf_status check_places(const weights_header *h, const char *path, pf_error *err)
{
    pf_status status = weights_check_sizes(&h->sizes, err);
    if (status != PF_OK) {
        error_prefix(err, "encoder weights '%s' with impossible sizes", path);
        return status;
    }
    weights_place places[WEIGHTS_SECTIONS];
    uint64_t file_bytes;
    weights_lay_out(&h->sizes, places, &file_bytes);
    if (file_bytes != h->file_bytes || memcmp(places, h->places, sizeof places) != 0)
        return error_set_at(
            err, PF_DATA, path, 0, 0,
            "encoder weights whose sections are not where their sizes put "
            "them: convert again");
    return PF_OK;
}

static pf_status check_sum(const weights *w, bool mapped, const char *path, pf_error *err)
{
    const fingerprint sum =
        weights_checksum(&w->header, w->map.data, w->map.size, mapped);
    if (memcmp(sum.bytes, w->header.checksum, FINGERPRINT_BYTES) != 0)
        return error_set_at(err, PF_DATA, path, 0, 0,
                            "encoder weights that were damaged or altered (the checksum "
                            "differs): convert again");
    return PF_OK;
}

/* Everything but the sum. */
static pf_status check_fields(weights *out, const char *path, pf_error *err)
{
    if (out->map.size < WEIGHTS_FIRST_SECTION)
        return error_set_at(err, PF_DATA, path, 0, 0,
                            "too short to be a file of encoder weights");
    memcpy(&out->header, out->map.data, sizeof out->header);
    memcpy(out->fingerprint.bytes, out->header.checksum, FINGERPRINT_BYTES);
    const pf_status status = check_header(&out->header, out->map.size, path, err);
    return status == PF_OK ? check_places(&out->header, path, err) : status;
}

pf_status weights_open_bytes(weights *out, const void *bytes, size_t size,
                             const char *path, bool check, pf_error *err)
{
    *out = (weights){.map = {.data = bytes, .size = size}, .fd = -1};
    const pf_status status = check_fields(out, path, err);
    return status == PF_OK && check ? check_sum(out, false, path, err) : status;
}

/* Map and descriptor of one and the same file, whatever is renamed over it meanwhile. */
static pf_status open_file(weights *out, const char *path, pf_error *err)
{
    struct stat about;
    out->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (out->fd < 0 && errno == ENOENT)
        return error_set(err, PF_NOT_FOUND, "no file '%s'", path);
    if (out->fd < 0 || fstat(out->fd, &about) != 0)
        return error_set_errno(err, "cannot open '%s'", path);
    if (!S_ISREG(about.st_mode) || about.st_size < WEIGHTS_FIRST_SECTION)
        return error_set_at(err, PF_DATA, path, 0, 0,
                            "too short to be a file of encoder weights");
    void *data = mmap(NULL, (size_t)about.st_size, PROT_READ, MAP_PRIVATE, out->fd, 0);
    if (data == MAP_FAILED) return error_set_errno(err, "cannot map '%s'", path);
    out->map = (file_map){.data = data, .size = (size_t)about.st_size};
    return PF_OK;
}

pf_status weights_open(weights *out, const char *path, pf_error *err)
{
    *out = (weights){.fd = -1};
    pf_status status = open_file(out, path, err);
    if (status == PF_OK) status = check_fields(out, path, err);
    if (status == PF_OK) status = check_sum(out, true, path, err);
    if (status != PF_OK) weights_close(out);
    return status;
}

void weights_close(weights *w)
{
    if (w->map.data && w->fd >= 0) munmap((void *)(uintptr_t)w->map.data, w->map.size);
    if (w->fd >= 0) close(w->fd);
    *w = (weights){.fd = -1};
}

bool weights_row(const weights *w, uint32_t piece, uint8_t *codes)
{
    const size_t n = w->header.sizes.embedding;
    const uint64_t at = w->header.places[SECTION_TABLE].offset + (uint64_t)piece * n;
    if (w->fd >= 0) return pread(w->fd, codes, n, (off_t)at) == (ssize_t)n;
    memcpy(codes, w->map.data + at, n);
    return true;
}

const void *weights_at(const weights *w, unsigned section)
{
    return w->map.data + w->header.places[section].offset;
}

packed_matrix weights_matrix(const weights *w, unsigned section)
{
    packed_matrix m = {.panels = weights_at(w, section)};
    weights_matrix_shape(&w->header.sizes, section, &m.rows, &m.columns);
    return m;
}
