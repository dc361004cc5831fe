/*
 * A disk that fails: an SQLite VFS that passes everything on to the system's own, except
 * that the n-th change of the disk is refused, once or from there on as on a disk that has
 * filled up; or that the process is killed at it.
 */
#ifndef PROFFER_TESTS_FAULTY_DISK_H
#define PROFFER_TESTS_FAULTY_DISK_H

#include <stdbool.h>
#include <stdint.h>

/* Makes it the default for databases opened from here on; once. */
void faulty_disk_install(void);
typedef enum disk_fault {
    DISK_FULL,     /* writes and truncations say SQLITE_FULL */
    DISK_BROKEN,   /* writes and truncations say SQLITE_IOERR */
    DISK_UNSYNCED, /* flushes say SQLITE_IOERR */
    DISK_KILLS     /* SIGKILL at a write, truncation or flush */
} disk_fault;

/* The n-th change from now fails (n >= 1); `lasting`: and every one after it. 0 heals. */
void faulty_disk_fail_at(uint64_t n, bool lasting, disk_fault how);
/* Whether it has failed since. */
bool faulty_disk_failed(void);
/* Changes since. */
uint64_t faulty_disk_changes(void);

#endif
