/* What the tables share in becoming records; see convert.h. */
#include "intake/convert.h"

#include <string.h>

#include "base/limits.h"
#include "intake/json_cell.h"

/* Between text cells and JSON documents of a row at most this much is composed. */
enum { ROOM_BYTES = 64 << 20 };

/* --- the converter ---------------------------------------------------------------- */

pf_status converter_check_currency(const converter *c, pf_error *err)
{
    const intake_table t = c->binding->table->table;
    if (c->rules.currency.code[0] != 0) return PF_OK;
    for (size_t i = 0; i < table_field_count(t); i++)
        if (table_field(t, i)->is_money && c->binding->fields[i].n_pieces > 0)
            return error_set(
                err, PF_USAGE,
                "%s has amounts (%s) and nothing says in which currency; set "
                "the workspace's, or write 'currency: EUR' in the mapping",
                map_table_label(c->binding->table), table_field(t, i)->name);
    return PF_OK;
}

pf_status converter_open(converter *c, const binding *b, const value_rules *rules,
                         pf_error *err)
{
    *c = (converter){.binding = b, .rules = *rules};
    arena_init(&c->room, ROOM_BYTES);
    buffer_init(&c->attributes, ROOM_BYTES);
    return converter_check_currency(c, err);
}

void converter_close(converter *c)
{
    arena_free(&c->room);
    buffer_free(&c->attributes);
    intern_free(c->zones);
}

/* The cell that holds the byte; finding it is rare and may take its time. */
static bool fault_in_cells(const row_view *v, value_fault *f)
{
    size_t at;
    for (size_t i = 0; i < v->row->n_cells; i++)
        if (!utf8_check(v->row->cells[i].data, v->row->cells[i].n, &at)) {
            (void)fault_utf8(v->row->cells[i], at, -(int)(i + 2), f);
            return false;
        }
    return fault_set(f, REASON_BAD_UTF8, -1,
                     "the row is no UTF-8; save the file as UTF-8");
}

bool convert_row(converter *c, const row_view *v, any_record *out, value_fault *f)
{
    f->reason = REASON_NONE;
    arena_reset(&c->room);
    buffer_clear(&c->attributes);
    if (!utf8_check(v->row->raw.data, v->row->raw.n, NULL)) return fault_in_cells(v, f);
    switch (c->binding->table->table) {
    case TABLE_PRODUCTS: return convert_product(c, v, &out->product, f);
    case TABLE_SHOPPERS: return convert_shopper(c, v, &out->shopper, f);
    case TABLE_CAMPAIGNS: return convert_campaign(c, v, &out->campaign, f);
    case TABLE_PROMOTIONS: return convert_promotion(c, v, &out->promotion, f);
    case TABLE_SCOPE: return convert_scope(c, v, &out->scope, f);
    default: return convert_event(c, v, &out->event, f);
    }
}

/* --- values ----------------------------------------------------------------------- */

bool convert_value(converter *c, const row_view *v, int field, text *out, value_fault *f)
{
    (void)f; /* its reason is NONE: memory is short */
    return binding_value(&c->binding->fields[field], v, &c->room, out);
}

bool convert_text(converter *c, const row_view *v, int field, size_t maximum, text *out,
                  value_fault *f)
{
    return convert_value(c, v, field, out, f) && check_length(*out, maximum, field, f);
}

bool convert_needed(converter *c, const row_view *v, int field, size_t maximum, text *out,
                    value_fault *f)
{
    if (!convert_text(c, v, field, maximum, out, f)) return false;
    return out->n > 0 || fault_set(f, REASON_MISSING_VALUE, field, "the value is blank");
}

bool convert_amount(converter *c, const row_view *v, int field, int64_t *out,
                    value_fault *f)
{
    text value;
    *out = MONEY_ABSENT;
    if (!convert_value(c, v, field, &value, f)) return false;
    return value.n == 0 || check_amount(value, &c->rules, field, out, f);
}

bool convert_currency(converter *c, const row_view *v, int field, value_fault *f)
{
    text value;
    if (!convert_value(c, v, field, &value, f)) return false;
    if (value.n == 0) return true;
    if (c->rules.currency.code[0] == 0)
        return fault_set(
            f, REASON_BAD_CURRENCY, field,
            "the workspace has no currency yet; set it, or write 'currency:' "
            "in the mapping");
    return check_currency(value, &c->rules, field, f);
}

bool convert_time(converter *c, const row_view *v, int field, int64_t *out,
                  value_fault *f)
{
    text value;
    bool date_only;
    *out = TIME_ABSENT;
    if (!convert_value(c, v, field, &value, f)) return false;
    return value.n == 0 || check_time(value, &c->rules, field, out, &date_only, f);
}

/* --- attributes ------------------------------------------------------------------- */

/* An object under way; begun by its first member. */
typedef struct attributes_writer {
    json_writer w;
    buffer *out;
    bool begun;
} attributes_writer;

static void put_key(attributes_writer *a, const char *name)
{
    if (!a->begun) {
        json_begin(&a->w, a->out);
        json_object_begin(&a->w);
        a->begun = true;
    }
    json_key(&a->w, name);
}

static void put_words(json_writer *w, text list)
{
    json_array_begin(w);
    while (list.n > 0) {
        const char *bar = memchr(list.data, '|', list.n);
        const size_t n = bar != NULL ? (size_t)(bar - list.data) : list.n;
        json_text_n(w, list.data, n);
        list.data += n + (bar != NULL);
        list.n -= n + (bar != NULL);
    }
    json_array_end(w);
}

static void put_member(attributes_writer *a, const char *name, text value, cell_kind kind)
{
    if (value.n == 0) return;
    put_key(a, name);
    switch (kind) {
    case CELL_TEXT: json_text_n(&a->w, value.data, value.n); break;
    case CELL_LIST: put_words(&a->w, value); break;
    default: json_raw(&a->w, value.data, value.n); break;
    }
}

/* The members of a JSON object that the row brings along. */
static bool put_given(converter *c, attributes_writer *a, text given, int field,
                      value_fault *f)
{
    const json_value *v = NULL;
    pf_error why = {0};
    if (given.n == 0) return true;
    const pf_status s = json_parse(&c->room, given.data, given.n, &v, &why);
    if (s == PF_NO_MEMORY) return false;
    if (s != PF_OK || v->kind != JSON_OBJECT)
        return fault_set(f, REASON_BAD_TEXT, field, "attributes are no JSON object%s%s",
                         s != PF_OK ? ": " : "", s != PF_OK ? why.message : "");
    for (size_t i = 0; i < v->n; i++) {
        put_key(a, v->keys[i].data);
        json_write_value(&a->w, &v->values[i]);
    }
    return true;
}

static bool put_named(converter *c, attributes_writer *a, const row_view *v)
{
    const binding *b = c->binding;
    for (size_t i = 0; i < b->n_attributes; i++) {
        const origin *o = &b->attributes[i];
        text value;
        if (!binding_value(o, v, &c->room, &value)) return false;
        put_member(a, o->name, value, binding_value_kind(o, v));
    }
    return true;
}

bool convert_attributes(converter *c, const row_view *v, int field, text *out,
                        value_fault *f)
{
    const binding *b = c->binding;
    *out = (text){"", 0};
    if (b->n_attributes + b->n_left_over + b->fields[field].n_pieces == 0) return true;
    attributes_writer a = {.out = &c->attributes};
    text given;
    if (!convert_value(c, v, field, &given, f) || !put_given(c, &a, given, field, f) ||
        !put_named(c, &a, v))
        return false;
    for (size_t i = 0; i < b->n_left_over; i++) {
        const uint32_t column = b->left_over[i];
        put_member(&a, b->left_over_names[i], text_trim(binding_cell(v, column)),
                   binding_cell_kind(v, column));
    }
    if (!a.begun) return true;
    json_object_end(&a.w);
    if (!json_finish(&a.w)) {
        if (c->attributes.failed) return false;
        return fault_set(f, REASON_BAD_TEXT, field, "attributes are nested too deeply");
    }
    *out = (text){c->attributes.data, c->attributes.length};
    if (out->n <= LIMIT_ATTRIBUTES_BYTES) return true;
    return fault_set(
        f, REASON_TOO_LONG, field,
        "the attributes have %zu bytes, at most %u are taken; name columns to "
        "ignore in the mapping",
        out->n, LIMIT_ATTRIBUTES_BYTES);
}
