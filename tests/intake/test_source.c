/* intake/source.h: bytes come out as they went in, however they were packed, cut or piped;
 * what is broken says so and where. */
#include "fixture.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"
#include "intake/source.h"

enum { BIG = 700000 };

static unsigned char *noise(size_t n, uint64_t seed, bool packable)
{
    unsigned char *bytes = mem_alloc(n + 1, 1);
    random_stream r = random_begin(seed, 1);
    for (size_t i = 0; i < n; i++)
        bytes[i] = packable ? (unsigned char)("abcdefgh\n,"[random_below(&r, 10)])
                            : (unsigned char)random_below(&r, 256);
    return bytes;
}

/* Reads all by pieces of `step` bytes; asserts the status and gives what was read. */
static size_t read_all(byte_source *s, unsigned char *into, size_t room, size_t step,
                       pf_status expected)
{
    size_t n = 0, got = 1;
    pf_status status = PF_OK;
    while (status == PF_OK && got > 0) {
        if (n + step > room) step = room - n;
        status = byte_source_read(s, into + n, step, &got, &failure);
        n += status == PF_OK ? got : 0;
    }
    if (status != expected) fail_msg("%s: %s", status_name(status), failure.message);
    return n;
}

static void assert_reads(const char *name, const void *bytes, size_t n, size_t step)
{
    byte_source *s;
    unsigned char *into = mem_alloc(n + step + 16, 1);
    if (byte_source_open(&s, path_of(name), NULL, &failure) != PF_OK)
        fail_msg("%s", failure.message);
    assert_int_equal(read_all(s, into, n + step + 16, step, PF_OK), n);
    if (n > 0) assert_memory_equal(into, bytes, n);
    assert_int_equal(byte_source_position(s), byte_source_size(s));
    byte_source_close(s);
    mem_free(into);
}

static void assert_broken(const char *name, pf_status expected, const char *words)
{
    byte_source *s = NULL;
    unsigned char *into = mem_alloc(2 * BIG, 1);
    pf_status status = byte_source_open(&s, path_of(name), NULL, &failure);
    if (status == PF_OK)
        read_all(s, into, 2 * BIG, 4096, expected);
    else
        assert_int_equal(status, expected);
    assert_failure(0, words);
    byte_source_close(s);
    mem_free(into);
}

static void bytes_come_out_as_they_went_in(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 3, 4, 5, 4095, 262143, 262144, 262145, BIG};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int packable = 0; packable < 2; packable++) {
            unsigned char *b = noise(sizes[i], i, packable != 0);
            if (sizes[i] > 0 && (b[0] == 0x1f || b[0] == 0x28 || (b[0] & 0xf0) == 0x50))
                b[0] = 'x'; /* not by chance a packer's mark */
            put_n("plain", b, sizes[i]);
            put_gzip("gzip", b, sizes[i]);
            put_zstd("zstd", b, sizes[i]);
            static const size_t steps[] = {1021, 65536, 1 << 20};
            for (size_t k = 0; k < 3; k++) {
                assert_reads("plain", b, sizes[i], steps[k]);
                assert_reads("gzip", b, sizes[i], steps[k]);
                assert_reads("zstd", b, sizes[i], steps[k]);
            }
            mem_free(b);
        }
}

static void the_name_does_not_decide(void **state)
{
    (void)state;
    put("words.csv.gz", "not packed at all");
    assert_reads("words.csv.gz", "not packed at all", 17, 7);
    put_gzip("words.csv", "packed", 6);
    assert_reads("words.csv", "packed", 6, 7);
}

/* Packed files one behind the other, as `cat a.gz b.gz` makes them. */
static void put_two(const char *name, bool gzip, const char *between, size_t n_between)
{
    static unsigned char both[4096];
    size_t n = 0;
    for (int i = 0; i < 2; i++) {
        if (gzip)
            put_gzip("part", i == 0 ? "first " : "second", 6);
        else
            put_zstd("part", i == 0 ? "first " : "second", 6);
        FILE *f = fopen(path_of("part"), "rb");
        n += fread(both + n, 1, 1000, f);
        fclose(f);
        if (n_between > 0) memcpy(both + n, between, n_between);
        n += n_between;
    }
    put_n(name, both, n);
}

static void members_in_a_row_are_one_stream(void **state)
{
    (void)state;
    put_two("two.gz", true, "", 0);
    assert_reads("two.gz", "first second", 12, 5);
    put_two("two.zst", false, "", 0);
    assert_reads("two.zst", "first second", 12, 5);
}

static void a_skippable_zstd_frame_is_skipped(void **state)
{
    (void)state;
    static const char skippable[] = {0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 'x', 'y', 'z'};
    put_two("skip.zst", false, skippable, sizeof skippable);
    assert_reads("skip.zst", "first second", 12, 5);
}

static void gzip_padding_passes_and_garbage_does_not(void **state)
{
    (void)state;
    size_t n;
    unsigned char *b = gzip_of("hello", 5, &n), more[200] = {0};
    memcpy(more, b, n);
    put_n("padded.gz", more, n + 50);
    assert_reads("padded.gz", "hello", 5, 3);
    memcpy(more + n, "garbage", 7);
    put_n("garbage.gz", more, n + 7);
    assert_broken("garbage.gz", PF_DATA, "followed by bytes that are no gzip");
    memset(more + n, 0, 7);
    memcpy(more + n + 7, b, n);
    put_n("gap.gz", more, 2 * n + 7);
    assert_broken("gap.gz", PF_DATA, "followed by bytes that are no gzip");
    mem_free(b);
}

/* However short the rest is, it is never taken for the whole. */
static void a_packed_file_cut_anywhere_is_an_error(void **state)
{
    (void)state;
    unsigned char *b = noise(3000, 5, true);
    for (int gzip = 0; gzip < 2; gzip++) {
        if (gzip)
            put_gzip("whole", b, 3000);
        else
            put_zstd("whole", b, 3000);
        static unsigned char packed[8192];
        FILE *f = fopen(path_of("whole"), "rb");
        const size_t n = fread(packed, 1, sizeof packed, f);
        fclose(f);
        for (size_t cut = 4; cut < n; cut += cut < 40 || cut + 40 > n ? 1 : 37) {
            put_n("cut", packed, cut);
            assert_broken("cut", PF_DATA, gzip ? "gzip stream" : "zstd stream");
            assert_failure(0, "again");
        }
    }
    mem_free(b);
}

static void a_flipped_bit_is_noticed(void **state)
{
    (void)state;
    unsigned char *b = noise(5000, 6, false);
    size_t n;
    unsigned char *packed = gzip_of(b, 5000, &n);
    for (size_t at = 12; at < n; at += 211) {
        packed[at] ^= 0x10;
        put_n("flipped.gz", packed, n);
        assert_broken("flipped.gz", PF_DATA, "gzip stream");
        packed[at] ^= 0x10;
    }
    mem_free(packed);
    mem_free(b);
}

static void what_is_no_file_is_refused(void **state)
{
    (void)state;
    assert_broken("absent.csv", PF_NOT_FOUND, "no such file");
    assert_int_equal(mkdir(path_of("folder"), 0777), 0);
    assert_broken("folder", PF_IO, "this is a folder");
    assert_broken("/dev/zero", PF_IO, "device");
    char *longest = mem_alloc(5001, 1);
    memset(longest, 'x', 5000);
    longest[5000] = 0;
    byte_source *s;
    assert_int_equal(byte_source_open(&s, longest, NULL, &failure), PF_LIMIT);
    mem_free(longest);
}

/* Root reads everything, so root becomes nobody for the moment. */
static void an_unreadable_file_is_an_error(void **state)
{
    (void)state;
    const uid_t was = geteuid();
    put("secret.csv", "a\n1\n");
    assert_int_equal(chmod(path_of("secret.csv"), 0), 0);
    assert_int_equal(chmod(folder(), 0755), 0);
    if (was == 0) assert_int_equal(seteuid(65534), 0);
    assert_broken("secret.csv", PF_IO, "cannot open");
    if (was == 0) assert_int_equal(seteuid(0), 0);
}

static void peeking_takes_nothing(void **state)
{
    (void)state;
    unsigned char *b = noise(BIG, 7, true);
    put_gzip("big.gz", b, BIG);
    byte_source *s;
    text head, again;
    assert_int_equal(byte_source_open(&s, path_of("big.gz"), NULL, &failure), PF_OK);
    assert_int_equal(byte_source_peek(s, &head, &failure), PF_OK);
    assert_int_equal(head.n, SOURCE_PEEK_BYTES);
    assert_memory_equal(head.data, b, head.n);
    assert_int_equal(byte_source_peek(s, &again, &failure), PF_OK);
    assert_ptr_equal(head.data, again.data);
    unsigned char *into = mem_alloc(BIG + 1000, 1);
    assert_int_equal(read_all(s, into, BIG + 1000, 1000, PF_OK), BIG);
    assert_memory_equal(into, b, BIG);
    byte_source_close(s);
    mem_free(into);
    mem_free(b);
}

typedef struct piping {
    int fd;
    const unsigned char *bytes;
    size_t n, step;
} piping;

static void *write_slowly(void *context)
{
    piping *p = context;
    for (size_t at = 0; at < p->n; at += p->step) {
        const size_t n = p->n - at < p->step ? p->n - at : p->step;
        if (write(p->fd, p->bytes + at, n) != (ssize_t)n) break;
    }
    close(p->fd);
    return NULL;
}

/* Through a named pipe, whose size nobody knows and whose first bytes come one by one. */
static void a_pipe_is_read_like_a_file(void **state)
{
    (void)state;
    unsigned char *b = noise(100000, 8, true), *into = mem_alloc(200000, 1);
    size_t n;
    unsigned char *packed = gzip_of(b, 100000, &n);
    assert_int_equal(mkfifo(path_of("pipe"), 0666), 0);
    /* Opened both ways first, so that neither side waits for the other. */
    const int both = open(path_of("pipe"), O_RDWR | O_CLOEXEC);
    assert_true(both >= 0);
    piping p = {open(path_of("pipe"), O_WRONLY | O_CLOEXEC), packed, n, 1};
    pthread_t thread;
    byte_source *s;
    assert_int_equal(pthread_create(&thread, NULL, write_slowly, &p), 0);
    assert_int_equal(byte_source_open(&s, path_of("pipe"), NULL, &failure), PF_OK);
    close(both);
    assert_true(byte_source_is_stream(s));
    assert_int_equal(byte_source_size(s), 0);
    assert_int_equal(read_all(s, into, 200000, 777, PF_OK), 100000);
    assert_memory_equal(into, b, 100000);
    pthread_join(thread, NULL);
    byte_source_close(s);
    mem_free(packed);
    mem_free(into);
    mem_free(b);
}

static void waiting_for_a_pipe_can_be_stopped(void **state)
{
    (void)state;
    assert_int_equal(mkfifo(path_of("pipe"), 0666), 0);
    const int both = open(path_of("pipe"), O_RDWR | O_CLOEXEC);
    assert_int_equal(write(both, "abcd", 4), 4);
    atomic_bool stop = false;
    byte_source *s;
    char block[16];
    size_t got;
    assert_int_equal(byte_source_open(&s, path_of("pipe"), &stop, &failure), PF_OK);
    atomic_store(&stop, true);
    assert_int_equal(byte_source_read(s, block, 16, &got, &failure), PF_CANCELLED);
    byte_source_close(s);
    close(both);
}

static void memory_is_a_source_too(void **state)
{
    (void)state;
    size_t n, got;
    char into[64];
    unsigned char *packed = gzip_of("in memory", 9, &n);
    byte_source *s;
    assert_int_equal(byte_source_from_memory(&s, packed, n, "a block", &failure), PF_OK);
    assert_string_equal(byte_source_name(s), "a block");
    assert_int_equal(byte_source_read(s, into, sizeof into, &got, &failure), PF_OK);
    assert_int_equal(got, 9);
    assert_memory_equal(into, "in memory", 9);
    byte_source_close(s);
    mem_free(packed);
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    unsigned char *b = noise(20000, 9, true), *into = mem_alloc(40000, 1);
    put_gzip("f", b, 20000);
    fault f = {0};
    while (fault_next(&f)) {
        byte_source *s = NULL;
        size_t got = 0;
        text head;
        pf_status status = byte_source_open(&s, path_of("f"), NULL, &failure);
        if (status == PF_OK) status = byte_source_peek(s, &head, &failure);
        if (status == PF_OK) status = byte_source_read(s, into, 40000, &got, &failure);
        if (fault_reached(&f))
            assert_int_equal(status, PF_NO_MEMORY);
        else
            assert_int_equal(got, 20000);
        byte_source_close(s);
    }
    assert_true(f.n > 4);
    mem_free(into);
    mem_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_come_out_as_they_went_in),
        TEST(the_name_does_not_decide),
        TEST(members_in_a_row_are_one_stream),
        TEST(a_skippable_zstd_frame_is_skipped),
        TEST(gzip_padding_passes_and_garbage_does_not),
        TEST(a_packed_file_cut_anywhere_is_an_error),
        TEST(a_flipped_bit_is_noticed),
        TEST(what_is_no_file_is_refused),
        TEST(an_unreadable_file_is_an_error),
        TEST(peeking_takes_nothing),
        TEST(a_pipe_is_read_like_a_file),
        TEST(waiting_for_a_pipe_can_be_stopped),
        TEST(memory_is_a_source_too),
        TEST(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
