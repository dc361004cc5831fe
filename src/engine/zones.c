/* Zones of shoppers by name; shops have few of them. */
#include "engine/zones.h"

#include <string.h>

#include "base/intern.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/memory.h"

/* What is being opened. Numbers are the intern's, from 1. */
typedef struct opening {
    zones *z;
    intern *names;
    size_t capacity;
    uint32_t unknown;
    const char *example;
} opening;

/* The zone of a name, opened on first use; *known is false where there is none. */
static pf_status find(opening *k, const char *name, const zone **out, pf_error *err)
{
    uint32_t before = intern_count(k->names);
    uint32_t number = intern_add(k->names, name, strlen(name));
    if (number == 0 || !mem_reserve((void **)&k->z->open, &k->capacity, (size_t)number,
                                    sizeof *k->z->open))
        return error_set(err, PF_NO_MEMORY, "out of memory for time zones");
    if (number > before) {
        k->z->open[number - 1] = NULL;
        k->z->n = number;
        pf_error why = {.code = PF_OK};
        pf_status s = zone_open(&k->z->open[number - 1], name, &why);
        if (s == PF_NO_MEMORY) return error_pass(err, &why);
    }
    *out = k->z->open[number - 1];
    if (*out == NULL) {
        k->unknown++;
        k->example = name;
    }
    return PF_OK;
}

static pf_status open_all(opening *k, const shop_catalogue *c, pf_error *err)
{
    pf_status s = PF_OK;
    for (uint32_t i = 1; s == PF_OK && i <= c->n_shoppers; i++) {
        const char *name = c->shoppers[i].zone;
        if (!c->shoppers[i].exists || name == NULL || name[0] == '\0') continue;
        s = find(k, name, &k->z->of[i], err);
    }
    return s;
}

pf_status zones_open(zones *z, const shop_catalogue *c, pf_error *err)
{
    *z = (zones){.n = 0};
    opening k = {.z = z, .names = intern_new(LIMIT_PROMOTIONS)};
    z->of = mem_alloc_zero((size_t)c->n_shoppers + 1, sizeof *z->of);
    pf_status s = z->of != NULL && k.names != NULL
                      ? open_all(&k, c, err)
                      : error_set(err, PF_NO_MEMORY, "out of memory for time zones");
    if (s == PF_OK && k.unknown > 0)
        log_line(LOG_WARNING,
                 "the time zone of %u shopper%s, such as '%s', is none that this machine knows; "
                 "the shop's is used",
                 k.unknown, k.unknown == 1 ? "" : "s", k.example);
    intern_free(k.names);
    if (s != PF_OK) zones_close(z);
    return s;
}

void zones_close(zones *z)
{
    for (uint32_t i = 0; i < z->n; i++)
        zone_free(z->open[i]);
    mem_free(z->open);
    mem_free(z->of);
    *z = (zones){.n = 0};
}
