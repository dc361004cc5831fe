/*
 * The JSON reader of base/json.h. yajl takes the text apart; finished values wait on a
 * stack until their array or object ends and takes them into the arena.
 *
 * yajl does not look whether its own allocations succeed. Its memory therefore comes
 * from a private arena, and when that fails we jump out of yajl and give all of it back.
 * yajl also turns a lone surrogate (\uD800) into '?': escapes are checked before it sees
 * them, because what is read must be what was written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"

typedef struct pending {
    text key; /* of the value, inside an object */
    json_value value;
} pending;

typedef struct json_reader {
    arena *into;
    pending *stack;
    size_t n, capacity;
    size_t begun[JSON_MAX_DEPTH]; /* where the members of each open container start */
    unsigned depth;
    text key;         /* of the value to come */
    pf_status status; /* why a callback stopped yajl */
    size_t used;      /* bytes yajl had looked at when it stopped */
    bool incomplete;  /* nothing was wrong, but the end came too early */
    arena yajl_memory;
    jmp_buf no_memory;
} json_reader;

/* ---- yajl's memory ---- */

/* In front of each block, for yajl_realloc: its size. */
typedef union block_head {
    size_t size;
    max_align_t align;
} block_head;

static void *yajl_take(void *context, size_t n)
{
    json_reader *r = context;
    size_t bytes;
    if (!size_add(n, sizeof(block_head), &bytes)) longjmp(r->no_memory, 1);
    block_head *head = arena_alloc(&r->yajl_memory, bytes, 1);
    if (!head) longjmp(r->no_memory, 1);
    head->size = n;
    return head + 1;
}

static void *yajl_retake(void *context, void *block, size_t n)
{
    void *fresh = yajl_take(context, n);
    if (block) {
        size_t old = ((block_head *)block - 1)->size;
        memcpy(fresh, block, old < n ? old : n);
    }
    return fresh;
}

static void yajl_give_back(void *context, void *block)
{
    (void)context;
    (void)block; /* the arena ends with the parse */
}

/* ---- callbacks: 0 stops yajl ---- */

static int stop(json_reader *r, pf_status status)
{
    r->status = status;
    return 0;
}

static int push(json_reader *r, json_value value)
{
    /* The waiting values may use as much as the arena they will move to. */
    if (r->n >= r->into->maximum_bytes / sizeof(pending)) return stop(r, PF_LIMIT);
    if (!mem_reserve((void **)&r->stack, &r->capacity, r->n + 1, sizeof *r->stack))
        return stop(r, PF_NO_MEMORY);
    r->stack[r->n++] = (pending){.key = r->key, .value = value};
    return 1;
}

static bool copy_text(json_reader *r, const unsigned char *bytes, size_t n, text *out)
{
    char *copy = arena_copy_text(r->into, (const char *)bytes, n);
    if (!copy) {
        r->status = PF_NO_MEMORY;
        return false;
    }
    *out = (text){.data = copy, .n = n};
    return true;
}

static int on_null(void *context)
{
    return push(context, (json_value){.kind = JSON_NULL});
}

static int on_boolean(void *context, int value)
{
    return push(context, (json_value){.kind = JSON_BOOLEAN, .boolean = value != 0});
}

static int on_number(void *context, const char *bytes, size_t n)
{
    json_value v = {.kind = JSON_NUMBER};
    return copy_text(context, (const unsigned char *)bytes, n, &v.text) &&
           push(context, v);
}

static int on_text(void *context, const unsigned char *bytes, size_t n)
{
    json_value v = {.kind = JSON_TEXT};
    return copy_text(context, bytes, n, &v.text) && push(context, v);
}

static int on_key(void *context, const unsigned char *bytes, size_t n)
{
    json_reader *r = context;
    return copy_text(r, bytes, n, &r->key);
}

static int begin(json_reader *r, json_kind kind)
{
    if (r->depth == JSON_MAX_DEPTH) return stop(r, PF_LIMIT);
    if (!push(r, (json_value){.kind = kind})) return 0;
    r->begun[r->depth++] = r->n;
    r->key = (text){0};
    return 1;
}

static int on_object(void *context)
{
    return begin(context, JSON_OBJECT);
}

static int on_array(void *context)
{
    return begin(context, JSON_ARRAY);
}

/* The container below its members on the stack takes them. */
static int on_end(void *context)
{
    json_reader *r = context;
    size_t from = r->begun[--r->depth], n = r->n - from;
    json_value *container = &r->stack[from - 1].value;
    container->n = n;
    if (n > 0) {
        container->values = arena_alloc(r->into, n, sizeof *container->values);
        if (container->kind == JSON_OBJECT)
            container->keys = arena_alloc(r->into, n, sizeof *container->keys);
        if (!container->values || (container->kind == JSON_OBJECT && !container->keys))
            return stop(r, PF_NO_MEMORY);
    }
    for (size_t i = 0; i < n; i++) {
        container->values[i] = r->stack[from + i].value;
        if (container->keys) container->keys[i] = r->stack[from + i].key;
    }
    r->n = from;
    return 1;
}

static const yajl_callbacks callbacks = {
    .yajl_null = on_null,
    .yajl_boolean = on_boolean,
    .yajl_number = on_number,
    .yajl_string = on_text,
    .yajl_start_map = on_object,
    .yajl_map_key = on_key,
    .yajl_end_map = on_end,
    .yajl_start_array = on_array,
    .yajl_end_array = on_end,
};

/* ---- escapes ---- */

/* The 16 bits of four hexadecimal digits, or -1. */
static int hex_4(const char *p, const char *end)
{
    if (end - p < 4) return -1;
    int value = 0;
    for (int i = 0; i < 4; i++) {
        char c = p[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (digit < 0) return -1;
        value = value << 4 | digit;
    }
    return value;
}

/* The first escape that stands for no character (NUL among them), or NULL. Malformed
 * ones are left to yajl. */
static const char *wrong_escape(const char *bytes, size_t n)
{
    const char *p = bytes, *end = bytes + n;
    while ((p = memchr(p, '\\', (size_t)(end - p))) != NULL) {
        if (end - p < 2) return NULL;
        int unit = p[1] == 'u' ? hex_4(p + 2, end) : -1;
        if (unit == 0 || (unit >= 0xDC00 && unit <= 0xDFFF)) return p;
        if (unit >= 0xD800 && unit <= 0xDBFF) {
            int low =
                end - p >= 8 && p[6] == '\\' && p[7] == 'u' ? hex_4(p + 8, end) : -1;
            if (low < 0xDC00 || low > 0xDFFF) return p;
            p += 6;
        }
        p += unit >= 0 ? 6 : 2;
    }
    return NULL;
}

/* ---- parsing ---- */

/* Runs yajl; the way back from the jump lands here, so it keeps nothing in registers
 * that it still needs. */
static yajl_status run_yajl(json_reader *r, const char *bytes, size_t n)
{
    yajl_alloc_funcs memory = {yajl_take, yajl_retake, yajl_give_back, r};
    if (setjmp(r->no_memory) != 0) {
        r->status = PF_NO_MEMORY;
        return yajl_status_error;
    }
    yajl_handle handle = yajl_alloc(&callbacks, &memory, r);
    yajl_status status = yajl_parse(handle, (const unsigned char *)bytes, n);
    r->used = yajl_get_bytes_consumed(handle);
    if (status == yajl_status_ok) {
        status = yajl_complete_parse(handle);
        r->incomplete = status != yajl_status_ok;
    }
    yajl_free(handle);
    return status;
}

static pf_status describe(const json_reader *r, size_t n, pf_error *err)
{
    /* yajl has taken the token it stumbles over: its last byte is the column. */
    uint64_t column = r->used > 0 ? r->used : 1;
    if (r->status == PF_LIMIT)
        return error_set_at(err, PF_LIMIT, NULL, 0, column,
                            "JSON nested deeper than %d or too large for its memory",
                            JSON_MAX_DEPTH);
    if (r->status == PF_NO_MEMORY)
        return error_set(err, PF_NO_MEMORY, "no memory to read JSON of %zu bytes", n);
    if (r->incomplete)
        return error_set_at(err, PF_DATA, NULL, 0, (uint64_t)n + 1,
                            "the JSON is not complete");
    return error_set_at(err, PF_DATA, NULL, 0, column, "the JSON is wrong here");
}

static pf_status check_bytes(const char *bytes, size_t n, pf_error *err)
{
    size_t at;
    if (n > LIMIT_JSON_BYTES)
        return error_set(err, PF_LIMIT, "JSON of %zu bytes is larger than %u", n,
                         LIMIT_JSON_BYTES);
    if (!utf8_check(bytes, n, &at))
        return error_set_at(err, PF_DATA, NULL, 0, at + 1,
                            "the JSON is not UTF-8 (or holds a NUL byte) here");
    const char *escape = wrong_escape(bytes, n);
    if (escape)
        return error_set_at(err, PF_DATA, NULL, 0, (uint64_t)(escape - bytes) + 1,
                            "this escape stands for no character");
    return PF_OK;
}

pf_status json_parse(arena *a, const char *bytes, size_t n, const json_value **out,
                     pf_error *err)
{
    *out = NULL;
    pf_status status = check_bytes(bytes, n, err);
    if (status != PF_OK) return status;
    json_reader r = {.into = a};
    arena_init(&r.yajl_memory, 4 * (size_t)LIMIT_JSON_BYTES);
    if (run_yajl(&r, bytes, n) != yajl_status_ok || r.n != 1) {
        status = describe(&r, n, err);
    } else {
        json_value *root = arena_alloc(a, 1, sizeof *root);
        if (root) {
            *root = r.stack[0].value;
            *out = root;
        } else {
            status = error_set(err, PF_NO_MEMORY, "no memory to read JSON");
        }
    }
    mem_free(r.stack);
    arena_free(&r.yajl_memory);
    return status;
}

const json_value *json_member(const json_value *v, const char *key)
{
    if (!v || v->kind != JSON_OBJECT) return NULL;
    for (size_t i = v->n; i > 0; i--) {
        if (text_is(v->keys[i - 1], key)) return &v->values[i - 1];
    }
    return NULL;
}

const json_value *json_path(const json_value *v, ...)
{
    va_list keys;
    va_start(keys, v);
    const char *key;
    while ((key = va_arg(keys, const char *)) != NULL)
        v = json_member(v, key);
    va_end(keys);
    return v;
}
