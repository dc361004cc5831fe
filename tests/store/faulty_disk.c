/* The failing VFS; see faulty_disk.h. */
#include "store/faulty_disk.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct faulty_file {
    sqlite3_file base;
    sqlite3_file *real; /* behind this struct */
} faulty_file;

static sqlite3_vfs *system_vfs;
static sqlite3_vfs faulty_vfs;
static uint64_t changes, fail_at;
static bool failing_lasts, failed;
static disk_fault fault_kind;

void faulty_disk_fail_at(uint64_t n, bool lasting, disk_fault how)
{
    changes = 0;
    fail_at = n;
    failing_lasts = lasting;
    fault_kind = how;
    failed = false;
}

bool faulty_disk_failed(void)
{
    return failed;
}

uint64_t faulty_disk_changes(void)
{
    return changes;
}

static bool refuses(bool flush)
{
    if (fail_at == 0 ||
        (fault_kind != DISK_KILLS && flush != (fault_kind == DISK_UNSYNCED)))
        return false;
    changes++;
    bool now = changes == fail_at || (failing_lasts && changes > fail_at);
    if (now && fault_kind == DISK_KILLS) kill(getpid(), SIGKILL);
    failed |= now;
    return now;
}

static sqlite3_file *real(sqlite3_file *file)
{
    return ((faulty_file *)(void *)file)->real;
}

static int f_close(sqlite3_file *f)
{
    return real(f)->pMethods ? real(f)->pMethods->xClose(real(f)) : SQLITE_OK;
}
static int f_read(sqlite3_file *f, void *into, int n, sqlite3_int64 at)
{
    return real(f)->pMethods->xRead(real(f), into, n, at);
}
static int f_write(sqlite3_file *f, const void *from, int n, sqlite3_int64 at)
{
    if (refuses(false)) return fault_kind == DISK_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    return real(f)->pMethods->xWrite(real(f), from, n, at);
}
static int f_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    if (refuses(false)) return SQLITE_IOERR_TRUNCATE;
    return real(f)->pMethods->xTruncate(real(f), size);
}
static int f_sync(sqlite3_file *f, int flags)
{
    if (refuses(true)) return SQLITE_IOERR_FSYNC;
    return real(f)->pMethods->xSync(real(f), flags);
}
static int f_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return real(f)->pMethods->xFileSize(real(f), size);
}
static int f_lock(sqlite3_file *f, int level)
{
    return real(f)->pMethods->xLock(real(f), level);
}
static int f_unlock(sqlite3_file *f, int level)
{
    return real(f)->pMethods->xUnlock(real(f), level);
}
static int f_check(sqlite3_file *f, int *out)
{
    return real(f)->pMethods->xCheckReservedLock(real(f), out);
}
static int f_control(sqlite3_file *f, int op, void *arg)
{
    return real(f)->pMethods->xFileControl(real(f), op, arg);
}
static int f_sector(sqlite3_file *f)
{
    return real(f)->pMethods->xSectorSize(real(f));
}
static int f_device(sqlite3_file *f)
{
    return real(f)->pMethods->xDeviceCharacteristics(real(f));
}
static int f_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **out)
{
    return real(f)->pMethods->xShmMap(real(f), page, size, extend, out);
}
static int f_shm_lock(sqlite3_file *f, int offset, int n, int flags)
{
    return real(f)->pMethods->xShmLock(real(f), offset, n, flags);
}
static void f_shm_barrier(sqlite3_file *f)
{
    real(f)->pMethods->xShmBarrier(real(f));
}
static int f_shm_unmap(sqlite3_file *f, int remove)
{
    return real(f)->pMethods->xShmUnmap(real(f), remove);
}

static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = f_close,
    .xRead = f_read,
    .xWrite = f_write,
    .xTruncate = f_truncate,
    .xSync = f_sync,
    .xFileSize = f_size,
    .xLock = f_lock,
    .xUnlock = f_unlock,
    .xCheckReservedLock = f_check,
    .xFileControl = f_control,
    .xSectorSize = f_sector,
    .xDeviceCharacteristics = f_device,
    .xShmMap = f_shm_map,
    .xShmLock = f_shm_lock,
    .xShmBarrier = f_shm_barrier,
    .xShmUnmap = f_shm_unmap,
};

static int v_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                  int *out)
{
    faulty_file *f = (faulty_file *)(void *)file;
    (void)vfs;
    f->real = (sqlite3_file *)(void *)(f + 1);
    f->base.pMethods = NULL;
    f->real->pMethods = NULL;
    int code = system_vfs->xOpen(system_vfs, name, f->real, flags, out);
    if (f->real->pMethods != NULL) f->base.pMethods = &methods;
    return code;
}

void faulty_disk_install(void)
{
    system_vfs = sqlite3_vfs_find(NULL);
    faulty_vfs = *system_vfs;
    faulty_vfs.zName = "faulty";
    faulty_vfs.szOsFile = (int)sizeof(faulty_file) + system_vfs->szOsFile;
    faulty_vfs.xOpen = v_open;
    if (sqlite3_vfs_register(&faulty_vfs, 1) != SQLITE_OK) abort();
}
