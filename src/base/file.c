/*
 * Files (base/file.h). The writer gathers small writes in a block of its own. Every step
 * that touches the disk (write, fsync, rename) asks disk_refuses() first, so that tests
 * can let any one of them fail.
 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

enum { WRITER_BLOCK_BYTES = 1 << 16, TEMPORARY_TRIES = 16, TEMPORARY_DIGITS = 16 };
enum { LEFT_BEHIND_S = 60, LOCK_TRIES = 100 };

struct file_writer {
    int fd;
    char path[PATH_MAX];
    char temporary[PATH_MAX + 32];
    size_t held;
    unsigned char block[WRITER_BLOCK_BYTES];
};

static atomic_uint_fast64_t steps, fail_at;

void file_fail_write_at(uint64_t n)
{
    atomic_store(&fail_at, 0);
    atomic_store(&steps, 0);
    atomic_store(&fail_at, n);
}

static bool disk_refuses(void)
{
    uint_fast64_t wanted = atomic_load_explicit(&fail_at, memory_order_relaxed);
    if (wanted == 0 || atomic_fetch_add(&steps, 1) + 1 != wanted) return false;
    errno = ENOSPC;
    return true;
}

/* ---- the atomic writer ---- */

/* A link is followed, so that the file it names is replaced and not the link. */
static pf_status resolve_target(file_writer *w, const char *path, pf_error *err)
{
    struct stat info;
    if (strlen(path) >= sizeof w->path)
        return error_set(err, PF_LIMIT, "the path is longer than %zu bytes",
                         sizeof w->path - 1);
    memcpy(w->path, path, strlen(path) + 1);
    if (lstat(path, &info) != 0) return PF_OK;
    if (S_ISLNK(info.st_mode) && (!realpath(path, w->path) || stat(path, &info) != 0))
        return error_set_errno(err, "cannot follow the link '%s'", path);
    if (!S_ISREG(info.st_mode))
        return error_set(err, PF_IO, "cannot write '%s': it is not a regular file", path);
    return PF_OK;
}

/* "NAME.0123456789abcdef.tmp" */
static bool is_temporary_of(const char *entry, const char *name)
{
    const size_t n = strlen(name);
    return strncmp(entry, name, n) == 0 && entry[n] == '.' &&
           strspn(entry + n + 1, "0123456789abcdef") == TEMPORARY_DIGITS &&
           strcmp(entry + n + 1 + TEMPORARY_DIGITS, ".tmp") == 0;
}

/* Whether nobody writes it any more: a writer holds its lock from right after it made it. */
static bool is_left_behind(int folder, const char *entry)
{
    struct stat info;
    int fd = openat(folder, entry, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0) return false;
    bool left = fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
                time(NULL) - info.st_mtime >= LEFT_BEHIND_S &&
                flock(fd, LOCK_EX | LOCK_NB) == 0;
    (void)close(fd);
    return left;
}

/* Tidying only: what cannot be looked at or removed stays. */
static void remove_left_behind(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const size_t n = slash == NULL ? 0 : (size_t)(slash - path) + 1;
    memcpy(folder, n == 0 ? "./" : path, n == 0 ? 2 : n);
    folder[n == 0 ? 2 : n] = '\0';
    DIR *d = opendir(folder);
    if (d == NULL) return;
    for (struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        if (is_temporary_of(e->d_name, path + n) && is_left_behind(dirfd(d), e->d_name))
            (void)unlinkat(dirfd(d), e->d_name, 0);
    (void)closedir(d);
}

/* A new file beside the target under a name nobody else has. */
static int open_temporary(file_writer *w)
{
    for (int i = 0; i < TEMPORARY_TRIES; i++) {
        uint64_t number;
        if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number) return -1;
        snprintf(w->temporary, sizeof w->temporary, "%s.%016llx.tmp", w->path,
                 (unsigned long long)number);
        int fd = open(w->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0) (void)flock(fd, LOCK_EX | LOCK_NB);
        if (fd >= 0 || errno != EEXIST) return fd;
    }
    return -1;
}

pf_status file_writer_open(file_writer **out, const char *path, pf_error *err)
{
    *out = NULL;
    file_writer *w = mem_alloc(1, sizeof *w);
    if (!w) return error_set(err, PF_NO_MEMORY, "no memory to write '%s'", path);
    w->held = 0;
    pf_status status = resolve_target(w, path, err);
    if (status == PF_OK) {
        remove_left_behind(w->path);
        w->fd = disk_refuses() ? -1 : open_temporary(w);
        if (w->fd < 0) status = error_set_errno(err, "cannot write '%s'", path);
    }
    if (status != PF_OK) {
        mem_free(w);
        return status;
    }
    *out = w;
    return PF_OK;
}

static pf_status write_all(file_writer *w, const unsigned char *bytes, size_t n,
                           pf_error *err)
{
    while (n > 0) {
        ssize_t done = disk_refuses() ? -1 : write(w->fd, bytes, n);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return error_set_errno(err, "cannot write '%s'", w->path);
        bytes += done;
        n -= (size_t)done;
    }
    return PF_OK;
}

static pf_status write_held(file_writer *w, pf_error *err)
{
    pf_status status = write_all(w, w->block, w->held, err);
    w->held = 0;
    return status;
}

pf_status file_writer_write(file_writer *w, const void *bytes, size_t n, pf_error *err)
{
    if (n > sizeof w->block - w->held) {
        pf_status status = write_held(w, err);
        if (status != PF_OK) return status;
    }
    if (n >= sizeof w->block) return write_all(w, bytes, n, err);
    if (n > 0) memcpy(w->block + w->held, bytes, n);
    w->held += n;
    return PF_OK;
}

/* The folder's entry reaches the disk too. Some file systems cannot and say EINVAL. */
static pf_status sync_folder(const char *path, pf_error *err)
{
    char folder[PATH_MAX];
    file_folder_of(path, folder, sizeof folder);
    int fd = open(folder[0] ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return error_set_errno(err, "cannot open the folder of '%s'", path);
    pf_status status = PF_OK;
    if (disk_refuses() || (fsync(fd) != 0 && errno != EINVAL))
        status = error_set_errno(err, "cannot flush the folder of '%s'", path);
    close(fd);
    return status;
}

pf_status file_writer_commit(file_writer *w, pf_error *err)
{
    pf_status status = write_held(w, err);
    if (status == PF_OK && (disk_refuses() || fsync(w->fd) != 0))
        status = error_set_errno(err, "cannot flush '%s'", w->path);
    if (status != PF_OK) {
        file_writer_abandon(w);
        return status;
    }
    if (close(w->fd) != 0 || disk_refuses() || rename(w->temporary, w->path) != 0) {
        status = error_set_errno(err, "cannot replace '%s'", w->path);
        unlink(w->temporary);
    } else {
        status = sync_folder(w->path, err);
    }
    mem_free(w);
    return status;
}

void file_writer_abandon(file_writer *w)
{
    if (!w) return;
    close(w->fd);
    unlink(w->temporary);
    mem_free(w);
}

pf_status file_write_atomic(const char *path, const void *bytes, size_t n, pf_error *err)
{
    file_writer *w;
    pf_status status = file_writer_open(&w, path, err);
    if (status != PF_OK) return status;
    status = file_writer_write(w, bytes, n, err);
    if (status != PF_OK) {
        file_writer_abandon(w);
        return status;
    }
    return file_writer_commit(w, err);
}

/* ---- reading ---- */

/* Opens for reading; a missing file is PF_NOT_FOUND, any other refusal PF_IO. */
static pf_status open_to_read(int *fd, const char *path, int flags, pf_error *err)
{
    *fd = open(path, O_RDONLY | O_CLOEXEC | flags);
    if (*fd >= 0) return PF_OK;
    bool missing = errno == ENOENT || errno == ENOTDIR;
    error_set_errno(err, "cannot open '%s'", path);
    if (missing && err) err->code = PF_NOT_FOUND;
    return missing ? PF_NOT_FOUND : PF_IO;
}

pf_status file_map_open(file_map *out, const char *path, pf_error *err)
{
    *out = (file_map){0};
    int fd;
    /* Without O_NONBLOCK, opening a pipe would wait for its writer. */
    pf_status status = open_to_read(&fd, path, O_NONBLOCK, err);
    if (status != PF_OK) return status;
    struct stat info;
    void *data = MAP_FAILED;
    if (fstat(fd, &info) != 0) {
        status = error_set_errno(err, "cannot read '%s'", path);
    } else if (!S_ISREG(info.st_mode)) {
        status = error_set(err, PF_IO, "cannot map '%s': it is not a regular file", path);
    } else if (info.st_size > 0) {
        data = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (data == MAP_FAILED)
            status = error_set_errno(err, "cannot map '%s'", path);
        else
            *out = (file_map){.data = data, .size = (size_t)info.st_size};
    }
    close(fd);
    return status;
}

void file_map_close(file_map *map)
{
    if (map->data) munmap((void *)(uintptr_t)map->data, map->size);
    *map = (file_map){0};
}

/* Reads to the end into *data (capacity kept one larger than the bytes). */
static pf_status read_to_end(int fd, const char *path, size_t maximum, char **data,
                             size_t *n, pf_error *err)
{
    size_t capacity = 0;
    for (;;) {
        if (!mem_reserve((void **)data, &capacity, *n + 4096, 1))
            return error_set(err, PF_NO_MEMORY, "no memory to read '%s'", path);
        ssize_t got = read(fd, *data + *n, capacity - *n - 1);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return error_set_errno(err, "cannot read '%s'", path);
        *n += (size_t)got;
        if (*n > maximum)
            return error_set(err, PF_LIMIT, "'%s' is larger than %zu bytes", path,
                             maximum);
        if (got == 0) {
            (*data)[*n] = '\0';
            return PF_OK;
        }
    }
}

pf_status file_read_whole(char **out, size_t *n, const char *path, size_t maximum,
                          pf_error *err)
{
    *out = NULL;
    *n = 0;
    int fd;
    pf_status status = open_to_read(&fd, path, 0, err);
    if (status != PF_OK) return status;
    char *data = NULL;
    size_t got = 0;
    status = read_to_end(fd, path, maximum, &data, &got, err);
    close(fd);
    if (status != PF_OK) {
        mem_free(data);
        return status;
    }
    *out = data;
    *n = got;
    return PF_OK;
}

/* ---- locks ---- */

struct file_lock {
    int fd;
    char path[PATH_MAX];
};

/* Whether what is locked still stands under its name: its holder may have removed it between
 * our opening and our locking. */
static bool still_named(const file_lock *l)
{
    struct stat held, named;
    return fstat(l->fd, &held) == 0 && lstat(l->path, &named) == 0 &&
           held.st_dev == named.st_dev && held.st_ino == named.st_ino;
}

static pf_status lock_file(file_lock *l, pf_error *err)
{
    for (int i = 0; i < LOCK_TRIES; i++) {
        l->fd = open(l->path, O_RDONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
        if (l->fd < 0) return error_set_errno(err, "cannot lock '%s'", l->path);
        if (flock(l->fd, LOCK_EX | LOCK_NB) != 0) {
            const bool busy = errno == EWOULDBLOCK;
            pf_status status =
                busy ? error_set(err, PF_BUSY, "somebody else holds '%s'", l->path)
                     : error_set_errno(err, "cannot lock '%s'", l->path);
            (void)close(l->fd);
            return status;
        }
        if (still_named(l)) return PF_OK;
        (void)close(l->fd);
    }
    return error_set(err, PF_BUSY, "somebody else holds '%s', again and again", l->path);
}

pf_status file_lock_take(file_lock **out, const char *path, pf_error *err)
{
    *out = NULL;
    if (strlen(path) >= PATH_MAX)
        return error_set(err, PF_LIMIT, "a path of more than %d bytes", PATH_MAX - 1);
    file_lock *l = mem_alloc(1, sizeof *l);
    if (l == NULL) return error_set(err, PF_NO_MEMORY, "no memory to lock '%s'", path);
    memcpy(l->path, path, strlen(path) + 1);
    pf_status status = lock_file(l, err);
    if (status == PF_OK)
        *out = l;
    else
        mem_free(l);
    return status;
}

void file_lock_release(file_lock *l)
{
    if (l == NULL) return;
    (void)unlink(l->path); /* while it is still ours */
    (void)close(l->fd);
    mem_free(l);
}

/* ---- looking ---- */

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

bool file_is_folder(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

static pf_status make_folder(const char *path, pf_error *err)
{
    if (mkdir(path, 0777) == 0 || (errno == EEXIST && file_is_folder(path))) return PF_OK;
    return error_set_errno(err, "cannot make the folder '%s'", path);
}

pf_status file_make_folders(const char *path, pf_error *err)
{
    char part[PATH_MAX];
    size_t n = strlen(path);
    if (n == 0 || n >= sizeof part)
        return error_set(err, PF_LIMIT, "a folder's path has 1 to %zu bytes",
                         sizeof part - 1);
    memcpy(part, path, n + 1);
    for (size_t i = 1; i < n; i++) {
        if (part[i] != '/' || part[i - 1] == '/') continue;
        part[i] = '\0';
        pf_status status = make_folder(part, err);
        if (status != PF_OK) return status;
        part[i] = '/';
    }
    return make_folder(part, err);
}

pf_status file_join_path(char *into, size_t size, const char *folder, const char *name,
                         pf_error *err)
{
    size_t n = strlen(folder);
    int length;
    if (n == 0 || name[0] == '/')
        length = snprintf(into, size, "%s", name);
    else
        length =
            snprintf(into, size, "%s%s%s", folder, folder[n - 1] == '/' ? "" : "/", name);
    if (length < 0 || (size_t)length >= size)
        return error_set(err, PF_LIMIT,
                         "the path '%.64s.../%.64s' is longer than %zu bytes", folder,
                         name, size - 1);
    return PF_OK;
}

void file_folder_of(const char *path, char *into, size_t size)
{
    const char *slash = strrchr(path, '/');
    size_t n = slash ? (size_t)(slash - path) : 0;
    if (slash == path) n = 1; /* the root is its own folder */
    if (n >= size) n = size - 1;
    memcpy(into, path, n);
    into[n] = '\0';
}

bool file_near_program(char *into, size_t size, const char *below)
{
    char program[PATH_MAX], folder[PATH_MAX], path[PATH_MAX], whole[PATH_MAX];
    ssize_t n = readlink("/proc/self/exe", program, sizeof program - 1);
    if (n < 0) return false;
    program[n] = '\0';
    file_folder_of(program, folder, sizeof folder);
    if (file_join_path(path, sizeof path, folder, below, NULL) != PF_OK) return false;
    if (realpath(path, whole) == NULL || strlen(whole) >= size) return false;
    memcpy(into, whole, strlen(whole) + 1);
    return true;
}
