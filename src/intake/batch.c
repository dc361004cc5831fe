/* Batches of records; see batch.h. */
#include "intake/batch.h"

#include <string.h>

#include "base/limits.h"
#include "base/memory.h"

batch *batch_new(intake_table table)
{
    batch *b = mem_alloc(1, sizeof *b);
    if (b == NULL) return NULL;
    b->table = table;
    arena_init(&b->memory, 4 * (size_t)LIMIT_LINE_BYTES);
    /* The first block is kept by every reset: one that usual batches fit into. */
    if (arena_alloc(&b->memory, BATCH_ITEMS, 512) == NULL) {
        mem_free(b);
        return NULL;
    }
    batch_reset(b);
    return b;
}

void batch_free(batch *b)
{
    if (b == NULL) return;
    arena_free(&b->memory);
    mem_free(b);
}

void batch_reset(batch *b)
{
    arena_reset(&b->memory);
    b->n = 0;
    b->skipped = b->duplicates = 0;
    b->file = 0;
}

bool batch_is_full(const batch *b)
{
    return b->n >= BATCH_ITEMS || b->memory.used_bytes >= BATCH_TEXT_BYTES;
}

static text clipped(text raw)
{
    if (raw.n > LIMIT_REJECT_ROW_BYTES) raw.n = LIMIT_REJECT_ROW_BYTES;
    return raw;
}

bool batch_add_record(batch *b, uint32_t file, const row *from, const any_record *record)
{
    batch_item *item = &b->items[b->n];
    const text raw = clipped(from->raw);
    item->kind = ITEM_RECORD;
    item->file = file;
    item->line = from->line;
    item->column = 0;
    item->reason = REASON_NONE;
    item->message = "";
    item->record = *record;
    char *to = arena_alloc(&b->memory, raw.n + record_text_bytes(b->table, record), 1);
    if (to == NULL) return false;
    memcpy(to, raw.data, raw.n);
    item->raw = (text){to, raw.n};
    (void)record_move_texts(b->table, &item->record, to + raw.n);
    b->n++;
    return true;
}

static bool add(batch *b, item_kind kind, uint32_t file, uint64_t line, uint32_t column,
                reject_reason reason, const char *message, text raw)
{
    raw = clipped(raw);
    const char *words = arena_copy_text(&b->memory, message, strlen(message));
    const char *bytes = arena_copy_text(&b->memory, raw.data, raw.n);
    if (words == NULL || bytes == NULL) return false;
    batch_item *item = &b->items[b->n++];
    item->kind = kind;
    item->file = file;
    item->line = line;
    item->column = column;
    item->reason = reason;
    item->message = words;
    item->raw = (text){bytes, raw.n};
    return true;
}

bool batch_add_reject(batch *b, uint32_t file, uint64_t line, uint32_t column,
                      reject_reason reason, const char *message, text raw)
{
    return add(b, ITEM_REJECT, file, line, column, reason, message, raw);
}

bool batch_add_error(batch *b, uint32_t file, const pf_error *why)
{
    return add(b, ITEM_FILE_ERROR, file, why->line, (uint32_t)why->column, REASON_NONE,
               why->message, (text){"", 0});
}
