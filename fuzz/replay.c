/*
 * A stand-in for libFuzzer's driver: runs one target over every file of its corpus, then
 * over what is near them (each file cut short at up to 64 places, and with up to 192
 * bytes overwritten one at a time, chosen by a fixed sequence, so two runs try the same).
 * It is not a fuzzer: it looks at no coverage. It makes a corpus worth keeping, because
 * every input in it is tried on every test run and under every sanitizer.
 *
 *     fuzz_csv DIRECTORY
 *
 * Ends with 1 when the folder is missing or empty: a corpus that is not there protects
 * nothing.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CUTS = 64, CHANGES = 192, NEAR_BYTES_MAX = 1 << 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Targets must see inputs in a block of exactly their size, so that AddressSanitizer
 * notices a read past the end. */
static void try_input(const uint8_t *data, size_t size)
{
    uint8_t *exact = malloc(size > 0 ? size : 1);
    if (exact == NULL) {
        perror("replay");
        exit(1);
    }
    if (size > 0) memcpy(exact, data, size);
    LLVMFuzzerTestOneInput(exact, size);
    free(exact);
}

/* Weyl's sequence through a multiplier: cheap, and the same on every machine. */
static uint64_t next_number(uint64_t *state)
{
    *state += 0x9E3779B97F4A7C15u;
    uint64_t x = *state;
    x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
    return x ^ (x >> 27);
}

static size_t try_neighbours(uint8_t *data, size_t size)
{
    size_t cuts = size < CUTS ? size : CUTS;
    for (size_t i = 0; i < cuts; i++)
        try_input(data, size * i / cuts);
    static const uint8_t sharp[] = {0, '"', '\n', ',', '\\', 0x80, 0xFF, '-', '9', '{'};
    uint64_t state = size;
    size_t changes = size < CHANGES ? size : CHANGES;
    for (size_t i = 0; i < changes; i++) {
        size_t at = next_number(&state) % size;
        uint8_t was = data[at];
        uint64_t pick = next_number(&state);
        data[at] = (uint8_t)(pick & 1 ? sharp[(pick >> 1) % sizeof sharp]
                                      : was ^ (1u << ((pick >> 1) & 7)));
        try_input(data, size);
        data[at] = was;
    }
    return cuts + changes;
}

static uint8_t *read_whole(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) return NULL;
    uint8_t *data = NULL;
    if (fseek(file, 0, SEEK_END) == 0) {
        long length = ftell(file);
        rewind(file);
        data = length >= 0 ? malloc((size_t)length + 1) : NULL;
        *size = data != NULL ? fread(data, 1, (size_t)length, file) : 0;
    }
    fclose(file);
    return data;
}

int main(int argc, char **argv)
{
    DIR *folder = argc == 2 ? opendir(argv[1]) : NULL;
    if (folder == NULL) {
        fprintf(stderr, "%s: no corpus folder '%s'\n", argv[0], argc == 2 ? argv[1] : "");
        return 1;
    }
    size_t files = 0, inputs = 0;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        if (entry->d_name[0] == '.') continue;
        char path[4096];
        size_t size = 0;
        snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        uint8_t *data = read_whole(path, &size);
        if (data == NULL) {
            fprintf(stderr, "%s: cannot read %s\n", argv[0], path);
            return 1;
        }
        try_input(data, size);
        inputs += 1 + (size <= NEAR_BYTES_MAX ? try_neighbours(data, size) : 0);
        files++;
        free(data);
    }
    closedir(folder);
    printf("%zu files, %zu inputs\n", files, inputs);
    return files > 0 ? 0 : 1;
}
