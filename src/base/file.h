/*
 * Files: written so that a crash or a full disk leaves the old one whole, read by
 * mapping or whole with a maximum. A missing file is PF_NOT_FOUND, any other refusal of
 * the system PF_IO.
 */
#ifndef PROFFER_BASE_FILE_H
#define PROFFER_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/status.h"

/* An atomic writer: bytes go to a temporary file in the same folder; commit flushes,
 * fsyncs, renames over the target and fsyncs the folder; abandon leaves no trace. A
 * target that is a link is followed; one that is no regular file is refused. When only
 * the folder's fsync fails, commit reports it although the new file is in place. What a writer
 * of the same target left behind when it was killed, a minute or more ago, is removed. */
typedef struct file_writer file_writer;
pf_status file_writer_open(file_writer **out, const char *path, pf_error *err);
pf_status file_writer_write(file_writer *w, const void *bytes, size_t n, pf_error *err);
/* Consumes the writer whether it succeeds or fails. */
pf_status file_writer_commit(file_writer *w, pf_error *err);
/* NULL is fine. */
void file_writer_abandon(file_writer *w);
/* All three at once. */
pf_status file_write_atomic(const char *path, const void *bytes, size_t n, pf_error *err);

/* A file mapped read-only; data is NULL for an empty one. Refuses folders and devices. */
typedef struct file_map {
    const unsigned char *data;
    size_t size;
} file_map;
pf_status file_map_open(file_map *out, const char *path, pf_error *err);
void file_map_close(file_map *map);

/* The whole file, terminated, freed with mem_free; PF_LIMIT above maximum. */
pf_status file_read_whole(char **out, size_t *n, const char *path, size_t maximum,
                          pf_error *err);

/* A lock on a name, for work that must not be done twice at once: a file that is there while
 * the work goes on and goes with it, also when the process is killed (its lock does; the next
 * to come takes the file over). PF_BUSY when another process, or this one, holds it. */
typedef struct file_lock file_lock;
pf_status file_lock_take(file_lock **out, const char *path, pf_error *err);
/* NULL is fine. */
void file_lock_release(file_lock *l);

bool file_exists(const char *path);
bool file_is_folder(const char *path);
/* mkdir -p with mode 0777 & ~umask. */
pf_status file_make_folders(const char *path, pf_error *err);
/* "folder/name", or name alone when it is absolute or folder empty; PF_LIMIT when it does
 * not fit. */
pf_status file_join_path(char *into, size_t size, const char *folder, const char *name,
                         pf_error *err);
/* Tests: the n-th step from now that touches the disk (opening, write, fsync, rename of
 * an atomic writer; n >= 1) fails once with ENOSPC; 0 switches off. Process-wide. */
void file_fail_write_at(uint64_t n);
/* The folder part of a path: "" for a bare name; terminated; cut to size. */
void file_folder_of(const char *path, char *into, size_t size);
/* What stands at `below` from the folder of the running program ("../share/proffer"), as
 * an absolute path without links; false where there is nothing or it does not fit. */
bool file_near_program(char *into, size_t size, const char *below);

#endif
