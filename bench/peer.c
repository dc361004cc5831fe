/*
 * Peers as child processes (bench/peer.h). Processor time is read from /proc when a line
 * arrives, so that starting up and evaluating at the end do not count as an epoch.
 */
#include "bench/peer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* User and system time of a living process, all threads, in seconds; NaN when unknown.
 * proc_pid_stat(5): fields 14 and 15, behind the name in brackets. */
static double process_cpu_s(pid_t child)
{
    char path[64], line[1024];
    unsigned long user = 0, own = 0;
    (void)snprintf(path, sizeof path, "/proc/%ld/stat", (long)child);
    FILE *f = fopen(path, "r");
    if (f == NULL) return NAN;
    size_t n = fread(line, 1, sizeof line - 1, f);
    (void)fclose(f);
    line[n] = '\0';
    const char *behind = strrchr(line, ')');
    if (behind == NULL || sscanf(behind + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
                                 &user, &own) != 2)
        return NAN;
    return (double)(user + own) / (double)sysconf(_SC_CLK_TCK);
}

static void read_lines(FILE *from, pid_t child, peer_epoch *told, void *context)
{
    char line[512];
    double before_s = NAN;
    while (fgets(line, sizeof line, from) != NULL) {
        unsigned epoch = 0;
        double loss = 0, epoch_s = 0, now_s = process_cpu_s(child);
        if (sscanf(line, "epoch %u loss %lf %lf s", &epoch, &loss, &epoch_s) == 3)
            told(context, epoch, loss, epoch_s, now_s - before_s);
        fprintf(stderr, "  %s", line);
        before_s = now_s;
    }
}

static void become(const char *const *words, const int ends[2])
{
    (void)dup2(ends[1], STDOUT_FILENO);
    (void)close(ends[0]);
    (void)close(ends[1]);
    (void)execvp(words[0], (char *const *)(const void *)words);
    _exit(127);
}

bool peer_run(const char *const *words, peer_epoch *told, void *context)
{
    int ends[2], status = 0;
    if (pipe(ends) != 0) return false;
    pid_t child = fork();
    if (child == 0) become(words, ends);
    (void)close(ends[1]);
    FILE *from = child > 0 ? fdopen(ends[0], "r") : NULL;
    if (from == NULL) {
        (void)close(ends[0]);
    } else {
        read_lines(from, child, told, context);
        (void)fclose(from);
    }
    if (child <= 0 || waitpid(child, &status, 0) != child) return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
