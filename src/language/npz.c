/* A bounded reader of NPZ archives; see npz.h. The central directory at the end is what
 * counts: a member's own header is used only to find where its data begin. */
#include "language/npz.h"

#include <stdbool.h>
#include <string.h>
#define ZLIB_CONST /* its input is not changed, and then says so */
#include <zlib.h>

#include "base/limits.h"
#include "base/memory.h"
#include "base/text.h"

enum {
    END_BYTES = 22,   /* end of central directory, without its comment */
    ENTRY_BYTES = 46, /* central directory entry, without its names */
    LOCAL_BYTES = 30, /* local header, without its names */
    COMMENT_BYTES = 65535,
    STORED = 0,
    DEFLATED = 8,
    PREFIX_BYTES = 256, /* enough for any array's header that we accept */
};

/* One member: where its packed bytes are and what they unpack to. */
typedef struct member {
    const unsigned char *packed;
    size_t packed_bytes, bytes;
    uint32_t checksum;
    unsigned method;
} member;

static unsigned read_u16(const unsigned char *p)
{
    return p[0] | (unsigned)p[1] << 8;
}

static uint32_t read_u32(const unsigned char *p)
{
    return read_u16(p) | (uint32_t)read_u16(p + 2) << 16;
}

static bool has_signature(const unsigned char *p, unsigned char third,
                          unsigned char fourth)
{
    return p[0] == 'P' && p[1] == 'K' && p[2] == third && p[3] == fourth;
}

pf_status npz_open_bytes(npz *out, const void *bytes, size_t size, const char *path,
                         pf_error *err)
{
    *out = (npz){.bytes = bytes, .size = size, .path = path};
    if (size < END_BYTES)
        return error_set_at(err, PF_DATA, path, 0, 0, "too short to be an NPZ archive");
    size_t end = size - END_BYTES;
    const size_t first = end > COMMENT_BYTES ? end - COMMENT_BYTES : 0;
    while (!has_signature(out->bytes + end, 5, 6)) {
        if (end == first)
            return error_set_at(err, PF_DATA, path, 0, 0,
                                "not an NPZ archive, or cut short: no end record");
        end--;
    }
    const unsigned char *record = out->bytes + end;
    out->members = read_u16(record + 10);
    const size_t directory_bytes = read_u32(record + 12);
    out->directory = read_u32(record + 16);
    if (out->members > LIMIT_NPZ_MEMBERS)
        return error_set_at(err, PF_LIMIT, path, 0, 0, "%zu members, at most %u are read",
                            out->members, LIMIT_NPZ_MEMBERS);
    if (out->directory > end || directory_bytes > end - out->directory)
        return error_set_at(err, PF_DATA, path, 0, 0,
                            "the archive's directory lies outside the file");
    return PF_OK;
}

/* The bytes of a member named by the directory entry at `entry`. */
static pf_status member_locate(const npz *archive, const unsigned char *entry,
                               const char *name, member *out, pf_error *err)
{
    out->method = read_u16(entry + 10);
    out->checksum = read_u32(entry + 16);
    out->packed_bytes = read_u32(entry + 20);
    out->bytes = read_u32(entry + 24);
    const size_t local = read_u32(entry + 42);
    if (local > archive->size || archive->size - local < LOCAL_BYTES ||
        !has_signature(archive->bytes + local, 3, 4))
        return error_set_at(err, PF_DATA, archive->path, 0, 0,
                            "array '%s' is not where the "
                            "archive's directory says",
                            name);
    const size_t data = local + LOCAL_BYTES + read_u16(archive->bytes + local + 26) +
                        read_u16(archive->bytes + local + 28);
    if (data > archive->size || archive->size - data < out->packed_bytes)
        return error_set_at(err, PF_DATA, archive->path, 0, 0,
                            "array '%s' reaches beyond the end of the file", name);
    if (out->bytes > LIMIT_NPZ_ARRAY_BYTES)
        return error_set_at(err, PF_LIMIT, archive->path, 0, 0,
                            "array '%s' has %zu bytes, at most %u are read", name,
                            out->bytes, LIMIT_NPZ_ARRAY_BYTES);
    if (out->method != STORED && out->method != DEFLATED)
        return error_set_at(
            err, PF_DATA, archive->path, 0, 0,
            "array '%s' is packed by method %u; stored and deflated are read", name,
            out->method);
    if (out->method == STORED && out->bytes != out->packed_bytes)
        return error_set_at(err, PF_DATA, archive->path, 0, 0,
                            "array '%s' is stored with two different lengths", name);
    out->packed = archive->bytes + data;
    return PF_OK;
}

static bool is_member(text file_name, const char *name)
{
    const size_t n = strlen(name);
    return file_name.n == n + 4 && memcmp(file_name.data, name, n) == 0 &&
           memcmp(file_name.data + n, ".npy", 4) == 0;
}

static pf_status member_find(const npz *archive, const char *name, member *out,
                             pf_error *err)
{
    size_t at = archive->directory;
    for (size_t i = 0; i < archive->members; i++) {
        const unsigned char *entry = archive->bytes + at;
        if (archive->size - at < ENTRY_BYTES || !has_signature(entry, 1, 2))
            return error_set_at(err, PF_DATA, archive->path, 0, 0,
                                "the archive's directory breaks off at entry %zu", i + 1);
        const size_t name_bytes = read_u16(entry + 28);
        const size_t tail = name_bytes + read_u16(entry + 30) + read_u16(entry + 32);
        if (archive->size - at - ENTRY_BYTES < tail)
            return error_set_at(err, PF_DATA, archive->path, 0, 0,
                                "the archive's directory breaks off at entry %zu", i + 1);
        if (is_member((text){(const char *)entry + ENTRY_BYTES, name_bytes}, name))
            return member_locate(archive, entry, name, out, err);
        at += ENTRY_BYTES + tail;
    }
    return error_set_at(err, PF_NOT_FOUND, archive->path, 0, 0,
                        "no array '%s' in the archive", name);
}

/* Unpacks the first `want` bytes of a member. */
static bool member_unpack_prefix(const member *m, unsigned char *into, size_t want)
{
    if (m->method == STORED) {
        memcpy(into, m->packed, want);
        return true;
    }
    z_stream stream = {.next_in = m->packed,
                       .avail_in = (uInt)m->packed_bytes,
                       .next_out = into,
                       .avail_out = (uInt)want};
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return false;
    int state = inflate(&stream, Z_SYNC_FLUSH);
    inflateEnd(&stream);
    return (state == Z_OK || state == Z_STREAM_END || state == Z_BUF_ERROR) &&
           stream.avail_out == 0;
}

/* ---- the NumPy header: a Python dictionary of three known keys ---- */

/* The text behind `'key':` in the dictionary, trimmed on the left. */
static bool header_value(text header, const char *key, text *out)
{
    const size_t n = strlen(key);
    for (size_t i = 0; i + n + 3 <= header.n; i++) {
        const char *p = header.data + i;
        if (p[0] != '\'' || memcmp(p + 1, key, n) != 0 || p[n + 1] != '\'' ||
            p[n + 2] != ':')
            continue;
        const size_t behind = i + n + 3;
        *out = text_trim((text){header.data + behind, header.n - behind});
        return true;
    }
    return false;
}

static bool starts_with(text t, const char *word)
{
    return t.n >= strlen(word) && memcmp(t.data, word, strlen(word)) == 0;
}

static bool parse_kind(text header, npz_kind *out)
{
    text value;
    if (!header_value(header, "descr", &value)) return false;
    const bool u1 = starts_with(value, "'|u1'"), f4 = starts_with(value, "'<f4'");
    if (!u1 && !f4 && !starts_with(value, "'<f8'")) return false;
    *out = u1 ? NPZ_UINT8 : f4 ? NPZ_FLOAT32 : NPZ_FLOAT64;
    return true;
}

/* "(512, 256)", "(17,)" or "()". */
static bool parse_shape(text header, npz_array *out)
{
    text value;
    if (!header_value(header, "shape", &value) || value.n == 0 || value.data[0] != '(')
        return false;
    const char *p = value.data + 1, *end = value.data + value.n;
    for (out->dimensions = 0; p < end && *p != ')';) {
        size_t digits = 0;
        while (p + digits < end && p[digits] >= '0' && p[digits] <= '9')
            digits++;
        uint64_t length = 0;
        if (!text_to_u64((text){p, digits}, &length) || length > LIMIT_NPZ_ARRAY_BYTES ||
            out->dimensions == NPZ_MAX_DIMENSIONS)
            return false;
        out->shape[out->dimensions++] = (size_t)length;
        p += digits;
        while (p < end && (*p == ',' || *p == ' '))
            p++;
    }
    return p < end;
}

/* Type, shape and the offset of the values, from the first bytes of an unpacked
 * member. */
static bool parse_array(const unsigned char *bytes, size_t n, npz_array *out,
                        size_t *values)
{
    static const unsigned char magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};
    if (n < 12 || memcmp(bytes, magic, sizeof magic) != 0) return false;
    const bool wide = bytes[6] >= 2;
    const size_t begin = wide ? 12 : 10;
    const size_t length = wide ? read_u32(bytes + 8) : read_u16(bytes + 8);
    if (length > n - begin) return false;
    const text header = {(const char *)bytes + begin, length};
    text order;
    *values = begin + length;
    return parse_kind(header, &out->kind) && parse_shape(header, out) &&
           header_value(header, "fortran_order", &order) && starts_with(order, "False");
}

static pf_status describe(const npz *archive, const member *m, const char *name,
                          npz_array *out, size_t *values, pf_error *err)
{
    unsigned char prefix[PREFIX_BYTES];
    const size_t n = m->bytes < PREFIX_BYTES ? m->bytes : PREFIX_BYTES;
    if (n == 0 || !member_unpack_prefix(m, prefix, n) ||
        !parse_array(prefix, n, out, values))
        return error_set_at(
            err, PF_DATA, archive->path, 0, 0,
            "'%s' is not a little-endian array in C order of unsigned bytes, "
            "float32 or float64",
            name);
    return PF_OK;
}

pf_status npz_describe(const npz *archive, const char *name, npz_array *out,
                       pf_error *err)
{
    member m;
    size_t values;
    pf_status status = member_find(archive, name, &m, err);
    if (status != PF_OK) return status;
    return describe(archive, &m, name, out, &values, err);
}

static size_t kind_bytes(npz_kind kind)
{
    return kind == NPZ_UINT8 ? 1 : kind == NPZ_FLOAT32 ? 4 : 8;
}

static bool same_array(const npz_array *a, npz_kind kind, size_t dimensions,
                       const size_t *shape)
{
    if (a->kind != kind || a->dimensions != dimensions) return false;
    for (size_t i = 0; i < dimensions; i++)
        if (a->shape[i] != shape[i]) return false;
    return true;
}

/* Unpacks the whole member, checks its sum, copies the values out. */
static pf_status read_values(const npz *archive, const member *m, const char *name,
                             size_t skip, size_t bytes, void *values, pf_error *err)
{
    unsigned char *whole = mem_alloc(m->bytes, 1);
    if (!whole) return error_set(err, PF_NO_MEMORY, "no memory for array '%s'", name);
    const bool right = member_unpack_prefix(m, whole, m->bytes) &&
                       crc32(0, whole, (uInt)m->bytes) == m->checksum;
    if (right) memcpy(values, whole + skip, bytes);
    mem_free(whole);
    if (!right)
        return error_set_at(err, PF_DATA, archive->path, 0, 0,
                            "array '%s' is damaged (its checksum differs)", name);
    return PF_OK;
}

pf_status npz_read(const npz *archive, const char *name, npz_kind kind, size_t dimensions,
                   const size_t *shape, void *values, pf_error *err)
{
    member m;
    npz_array array;
    size_t skip;
    pf_status status = member_find(archive, name, &m, err);
    if (status == PF_OK) status = describe(archive, &m, name, &array, &skip, err);
    if (status != PF_OK) return status;
    size_t bytes = kind_bytes(kind);
    bool right = same_array(&array, kind, dimensions, shape);
    for (size_t i = 0; right && i < dimensions; i++)
        right = size_multiply(bytes, shape[i], &bytes);
    if (!right || m.bytes - skip != bytes)
        return error_set_at(err, PF_DATA, archive->path, 0, 0,
                            "array '%s' has another type or shape than the encoder needs",
                            name);
    return read_values(archive, &m, name, skip, bytes, values, err);
}
