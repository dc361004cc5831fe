/*
 * Hashes. Keyed ones (SipHash, through libsodium) wherever bytes come from outside, so
 * that nobody can choose ids that collide; BLAKE2b fingerprints where a hash names
 * content; a salted share for sticky random groups such as holdouts.
 */
#ifndef PROFFER_BASE_HASH_H
#define PROFFER_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

typedef struct hash_key {
    unsigned char bytes[16];
} hash_key;

typedef struct hash_128 {
    uint64_t high, low;
} hash_128;

/* A fresh random key for in-memory tables of this process. */
hash_key hash_key_process(void);

uint64_t hash_bytes(const void *bytes, size_t n, const hash_key *key);
hash_128 hash_bytes_128(const void *bytes, size_t n, const hash_key *key);

enum { FINGERPRINT_BYTES = 16, FINGERPRINT_TEXT_BYTES = 33 };

/* BLAKE2b-128 of content: stable across machines and versions. */
typedef struct fingerprint {
    unsigned char bytes[FINGERPRINT_BYTES];
} fingerprint;

typedef struct fingerprint_state {
    _Alignas(64) unsigned char opaque[384];
} fingerprint_state;

void fingerprint_begin(fingerprint_state *s);
void fingerprint_add(fingerprint_state *s, const void *bytes, size_t n);
/* Adds the length, then the bytes, so that ("ab","c") and ("a","bc") differ. */
void fingerprint_add_text(fingerprint_state *s, const char *text);
fingerprint fingerprint_end(fingerprint_state *s);
fingerprint fingerprint_of(const void *bytes, size_t n);
/* Lower-case hexadecimal, terminated. */
void fingerprint_format(const fingerprint *f, char into[FINGERPRINT_TEXT_BYTES]);

/* Where id falls in [0, 1) under a salt: the same for ever, uniform over ids. Used for
 * holdouts: a shopper is held out when hash_share(salt, id) < share. */
double hash_share(const char *salt, const char *id);

#endif
