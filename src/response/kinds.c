/* Names are interned, so that as many kinds are kept as there are and no more. */
#include "response/kinds.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/memory.h"

enum { NAME_BYTES = 256 };

void kinds_free(kinds *k)
{
    intern_free(k->names);
    mem_free(k->of_promotion);
    mem_free(k->key);
    *k = (kinds){.names = NULL};
}

/* Cut where longer. */
static size_t name_of(const shop_catalogue *c, const promotion *p, char into[NAME_BYTES])
{
    const char *gives = promotion_kind_name(p->kind);
    const char *word = p->campaign ? c->campaigns[p->campaign].kind : "";
    (void)snprintf(into, NAME_BYTES, word[0] ? "%s in %s" : "%s%s", gives, word);
    return strlen(into);
}

static uint64_t key_of(const promotion *p)
{
    uint64_t key = 0;
    fingerprint f = fingerprint_of(p->id, strlen(p->id));
    memcpy(&key, &f, sizeof key);
    return key;
}

pf_status kinds_new(kinds *k, const shop_catalogue *c, pf_error *err)
{
    const size_t n = (size_t)c->n_promotions + 1;
    char name[NAME_BYTES];
    *k = (kinds){.names = intern_new(c->n_promotions + 1)};
    k->of_promotion = mem_alloc_zero(n, sizeof *k->of_promotion);
    k->key = mem_alloc_zero(n, sizeof *k->key);
    bool ok = k->names != NULL && k->of_promotion != NULL && k->key != NULL;
    for (uint32_t i = 1; ok && i <= c->n_promotions; i++) {
        size_t length = name_of(c, &c->promotions[i], name);
        k->of_promotion[i] = intern_add(k->names, name, length);
        k->key[i] = key_of(&c->promotions[i]);
        ok = k->of_promotion[i] != 0;
    }
    if (ok) return PF_OK;
    kinds_free(k);
    return error_set(err, PF_NO_MEMORY, "out of memory for %u promotions", c->n_promotions);
}

const char *kinds_name(const kinds *k, uint32_t number)
{
    return intern_text(k->names, k->of_promotion[number]);
}
