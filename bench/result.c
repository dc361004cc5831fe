/* Results as lines of JSON, data sets by name, and the clocks. See result.h. */
#include "bench/result.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

void bench_print(const bench_result *result)
{
    printf("{\"bench\":\"%s\",\"model\":\"%s\",\"metric\":\"%s\",\"value\":",
           result->bench, result->model ? result->model : "", result->metric);
    if (isfinite(result->value))
        printf("%.9g", result->value);
    else
        printf("null");
    printf(",\"unit\":\"%s\",\"detail\":%s}\n", result->unit ? result->unit : "",
           result->detail ? result->detail : "{}");
    fflush(stdout);
}

const char *bench_data(const char *set)
{
    static char path[4096];
    const char *root = getenv("PROFFER_DATA");
    if (root == NULL || root[0] == '\0') {
        fprintf(stderr, "skipped: set PROFFER_DATA to the folder that holds '%s'\n", set);
        exit(77);
    }
    int length = snprintf(path, sizeof path, "%s/%s", root, set);
    struct stat facts;
    if (length < 0 || (size_t)length >= sizeof path || stat(path, &facts) != 0) {
        fprintf(stderr, "skipped: no data set '%s' in %s\n", set, root);
        exit(77);
    }
    return path;
}

static double seconds_of(clockid_t clock)
{
    struct timespec now = {0};
    clock_gettime(clock, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double bench_wall_s(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

double bench_cpu_s(void)
{
    return seconds_of(CLOCK_PROCESS_CPUTIME_ID);
}

double bench_peak_bytes(void)
{
    struct rusage usage = {0};
    getrusage(RUSAGE_SELF, &usage);
    return 1024.0 * (double)usage.ru_maxrss;
}
