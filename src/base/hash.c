/*
 * Hashes through libsodium: SipHash-2-4 (Aumasson and Bernstein, "SipHash: a fast
 * short-input PRF", INDOCRYPT 2012) and BLAKE2b (RFC 7693). Numbers are read from the
 * digests byte by byte, little end first, so they are the same on every machine.
 */
#include "base/hash.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

_Static_assert(sizeof(hash_key) == crypto_shorthash_KEYBYTES, "SipHash key");
_Static_assert(sizeof(fingerprint_state) >= sizeof(crypto_generichash_state),
               "room for libsodium's BLAKE2b state");
_Static_assert(_Alignof(fingerprint_state) >= _Alignof(crypto_generichash_state),
               "alignment of libsodium's BLAKE2b state");

static pthread_once_t once = PTHREAD_ONCE_INIT;
static hash_key process_key;

static void make_process_key(void)
{
    /* Without a source of randomness libsodium ends the program, here as anywhere. */
    if (sodium_init() < 0) sodium_misuse();
    randombytes_buf(process_key.bytes, sizeof process_key.bytes);
}

hash_key hash_key_process(void)
{
    pthread_once(&once, make_process_key);
    return process_key;
}

static uint64_t load_little(const unsigned char *b)
{
    uint64_t v = 0;
    for (int i = 7; i >= 0; i--)
        v = v << 8 | b[i];
    return v;
}

uint64_t hash_bytes(const void *bytes, size_t n, const hash_key *key)
{
    unsigned char digest[crypto_shorthash_BYTES];
    crypto_shorthash(digest, bytes, n, key->bytes);
    return load_little(digest);
}

hash_128 hash_bytes_128(const void *bytes, size_t n, const hash_key *key)
{
    unsigned char digest[crypto_shorthash_siphashx24_BYTES];
    crypto_shorthash_siphashx24(digest, bytes, n, key->bytes);
    return (hash_128){.high = load_little(digest), .low = load_little(digest + 8)};
}

/* A union would do as well; the cast keeps sodium.h out of our header. */
static crypto_generichash_state *inside(fingerprint_state *s)
{
    return (crypto_generichash_state *)(void *)s->opaque;
}

void fingerprint_begin(fingerprint_state *s)
{
    crypto_generichash_init(inside(s), NULL, 0, FINGERPRINT_BYTES);
}

void fingerprint_add(fingerprint_state *s, const void *bytes, size_t n)
{
    if (n > 0) crypto_generichash_update(inside(s), bytes, n);
}

void fingerprint_add_text(fingerprint_state *s, const char *text)
{
    size_t n = strlen(text);
    unsigned char length[8];
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)n >> (8 * i));
    fingerprint_add(s, length, sizeof length);
    fingerprint_add(s, text, n);
}

fingerprint fingerprint_end(fingerprint_state *s)
{
    fingerprint f;
    crypto_generichash_final(inside(s), f.bytes, sizeof f.bytes);
    return f;
}

fingerprint fingerprint_of(const void *bytes, size_t n)
{
    fingerprint_state s;
    fingerprint_begin(&s);
    fingerprint_add(&s, bytes, n);
    return fingerprint_end(&s);
}

void fingerprint_format(const fingerprint *f, char into[FINGERPRINT_TEXT_BYTES])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < FINGERPRINT_BYTES; i++) {
        into[2 * i] = digits[f->bytes[i] >> 4];
        into[2 * i + 1] = digits[f->bytes[i] & 15];
    }
    into[2 * FINGERPRINT_BYTES] = '\0';
}

double hash_share(const char *salt, const char *id)
{
    fingerprint_state s;
    fingerprint_begin(&s);
    fingerprint_add_text(&s, salt);
    fingerprint_add_text(&s, id);
    fingerprint f = fingerprint_end(&s);
    return (double)(load_little(f.bytes) >> 11) * 0x1p-53;
}
