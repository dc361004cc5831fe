/*
 * Ids to numbers during an import; see id_map.h.
 */
#include "store/id_map.h"

#include "base/memory.h"

static pf_status short_of_memory(pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "no memory for the ids that the events name");
}

pf_status id_map_init(id_map *m, store *s, standing_table table, store_unknown rule,
                      pf_error *err)
{
    *m = (id_map){.table = table, .rule = rule};
    m->ids = intern_new(standing_largest_number(table));
    if (m->ids == NULL) return short_of_memory(err);
    return standing_last(s, table, &m->last, err);
}

void id_map_free(id_map *m)
{
    intern_free(m->ids);
    mem_free(m->numbers);
    mem_free(m->fresh);
    *m = (id_map){.table = m->table};
}

/* Remembers an id under its number. */
static pf_status remember(id_map *m, text id, uint32_t number, pf_error *err)
{
    uint32_t before = intern_count(m->ids);
    if (!mem_reserve((void **)&m->numbers, &m->capacity, (size_t)before + 1,
                     sizeof *m->numbers) ||
        intern_add(m->ids, id.data, id.n) == 0)
        return short_of_memory(err);
    m->numbers[before] = number;
    return PF_OK;
}

static pf_status give_provisional(id_map *m, text id, uint32_t *number, pf_error *err)
{
    uint32_t largest = standing_largest_number(m->table);
    if (m->n_fresh >= largest - m->last)
        return error_set(err, PF_LIMIT, "more than %u %ss", largest,
                         standing_name(m->table));
    if (!mem_reserve((void **)&m->fresh, &m->fresh_capacity, (size_t)m->n_fresh + 1,
                     sizeof *m->fresh))
        return short_of_memory(err);
    *number = m->last + m->n_fresh + 1;
    pf_status status = remember(m, id, *number, err);
    if (status == PF_OK)
        m->fresh[m->n_fresh++] = (struct id_fresh){intern_count(m->ids), 0};
    return status;
}

uint64_t id_map_hash(const id_map *m, text id)
{
    return intern_hash(m->ids, id.data, id.n);
}

pf_status id_map_find(id_map *m, store *s, text id, uint64_t hash, uint32_t *number,
                      pf_error *err)
{
    uint32_t place = intern_find_hashed(m->ids, hash, id.data, id.n);
    if (place != 0) {
        *number = m->numbers[place - 1];
        return PF_OK;
    }
    pf_status status = standing_find(s, m->table, id, number, err);
    if (status != PF_OK) return status;
    if (*number != 0) return remember(m, id, *number, err);
    if (m->rule == STORE_UNKNOWN_REJECT) return PF_OK;
    return give_provisional(m, id, number, err);
}

bool id_map_is_fresh(const id_map *m, uint32_t number)
{
    return number > m->last;
}

pf_status id_map_settle(id_map *m, store *s, uint32_t number, uint32_t *final_number,
                        pf_error *err)
{
    *final_number = number;
    if (!id_map_is_fresh(m, number)) return PF_OK;
    struct id_fresh *f = &m->fresh[number - m->last - 1];
    if (f->final == 0) {
        text id = {intern_text(m->ids, f->place), intern_length(m->ids, f->place)};
        uint32_t fresh = m->last + m->n_settled + 1;
        pf_status status = standing_create(s, m->table, fresh, id, err);
        if (status != PF_OK) return status;
        f->final = fresh;
        m->n_settled++;
    }
    *final_number = f->final;
    return PF_OK;
}
