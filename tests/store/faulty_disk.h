/*
 * A disk that fails: an SQLite VFS that passes everything on to the system's own, except
 * that the n-th operation that changes the disk (write, truncate, sync, and, on request,
 * the making of a file) is refused, and all after it too, as on a disk that has filled up.
 */
#ifndef PROFFER_TESTS_FAULTY_DISK_H
#define PROFFER_TESTS_FAULTY_DISK_H

#include <stdbool.h>
#include <stdint.h>

/* Makes it the default for databases opened from here on; once. */
void faulty_disk_install(void);
/* The n-th change from now fails (n >= 1); `lasting`: and every one after it. `code` is
 * what SQLite is told, SQLITE_FULL or SQLITE_IOERR_WRITE. 0 heals the disk. */
void faulty_disk_fail_at(uint64_t n, bool lasting, int code);
/* Whether it has failed since. */
bool faulty_disk_failed(void);

#endif
