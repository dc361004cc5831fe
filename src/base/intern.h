/*
 * Text ids <-> dense numbers. The first text gets 1, the next 2, ...; 0 means none, so
 * arrays indexed by number have one unused element in front.
 *
 *     intern *ids = intern_new(LIMIT_SHOPPERS);
 *     uint32_t n = intern_add(ids, "A-17", 4);   // the number it has or gets; 0 = failed
 *     const char *id = intern_text(ids, n);
 *
 * Keyed hashing (base/hash.h). Readers may share one; one writer alone.
 */
#ifndef PROFFER_BASE_INTERN_H
#define PROFFER_BASE_INTERN_H

#include <stddef.h>
#include <stdint.h>

typedef struct intern intern;

/* NULL when memory is short. maximum: the largest number it will give. */
intern *intern_new(uint32_t maximum);
void intern_free(intern *table);

/* The number of text, given a new one if it has none; 0 when full or out of memory. */
uint32_t intern_add(intern *table, const char *text, size_t n);
/* The number of text, or 0. */
uint32_t intern_find(const intern *table, const char *text, size_t n);
/* The same in two steps, for large tables: the first fetches the memory that the second
 * needs, and other work can be done meanwhile. */
uint64_t intern_hash(const intern *table, const char *text, size_t n);
uint32_t intern_find_hashed(const intern *table, uint64_t hash, const char *text,
                            size_t n);
/* The text of a number in 1..count: terminated, owned by the table, valid until free. */
const char *intern_text(const intern *table, uint32_t number);
size_t intern_length(const intern *table, uint32_t number);
uint32_t intern_count(const intern *table);

#endif
