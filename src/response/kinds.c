/* Names are interned, so that as many kinds are kept as there are and no more. */
#include "response/kinds.h"

#include <stdio.h>
#include <string.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/memory.h"

/* Of a campaign's own word, and of both together. */
enum { WORD_BYTES = LIMIT_ID_BYTES + 1, NAME_BYTES = WORD_BYTES + 64, HASH_DIGITS = 12 };

void kinds_free(kinds *k)
{
    intern_free(k->names);
    mem_free(k->of_promotion);
    mem_free(k->key);
    *k = (kinds){.names = NULL};
}

static size_t name_of(const shop_catalogue *c, const promotion *p, char into[NAME_BYTES])
{
    const char *gives = promotion_kind_name(p->kind);
    char word[WORD_BYTES];
    kinds_shorten(p->campaign ? c->campaigns[p->campaign].kind : "", word, sizeof word);
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

void kinds_shorten(const char *name, char *into, size_t room)
{
    const size_t n = strlen(name);
    size_t kept = n;
    if (n >= room) {
        kept = room - HASH_DIGITS - 2;
        while (kept > 0 && ((unsigned char)name[kept] & 0xC0) == 0x80)
            kept--;
    }
    memcpy(into, name, kept);
    into[kept] = 0;
    if (kept == n) return;
    char digits[FINGERPRINT_TEXT_BYTES];
    const fingerprint whole = fingerprint_of(name, n);
    fingerprint_format(&whole, digits);
    into[kept] = '~';
    memcpy(into + kept + 1, digits, HASH_DIGITS);
    into[kept + 1 + HASH_DIGITS] = 0;
}

const char *kinds_name(const kinds *k, uint32_t number)
{
    return intern_text(k->names, k->of_promotion[number]);
}
