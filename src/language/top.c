/* A heap of the best hits, the worst of them at its root; see top.h. */
#include "language/top.h"

#include <stdbool.h>
#include <stdlib.h>

static bool better(hit a, hit b)
{
    return a.score > b.score || (a.score == b.score && a.item < b.item);
}

top top_begin(hit *space, size_t k)
{
    return (top){.heap = space, .k = k};
}

static void rise(top *t, size_t at)
{
    while (at > 0 && better(t->heap[(at - 1) / 2], t->heap[at])) {
        const hit parent = t->heap[(at - 1) / 2];
        t->heap[(at - 1) / 2] = t->heap[at];
        t->heap[at] = parent;
        at = (at - 1) / 2;
    }
}

static void sink(top *t)
{
    for (size_t at = 0, child; (child = 2 * at + 1) < t->n; at = child) {
        if (child + 1 < t->n && better(t->heap[child], t->heap[child + 1])) child++;
        if (!better(t->heap[at], t->heap[child])) return;
        const hit worse = t->heap[child];
        t->heap[child] = t->heap[at];
        t->heap[at] = worse;
    }
}

void top_offer(top *t, uint32_t item, float score)
{
    const hit offered = {item, score};
    if (score != score || t->k == 0) return;
    if (t->n < t->k) {
        t->heap[t->n] = offered;
        rise(t, t->n++);
    } else if (better(offered, t->heap[0])) {
        t->heap[0] = offered;
        sink(t);
    }
}

static int by_rank(const void *a, const void *b)
{
    return better(*(const hit *)a, *(const hit *)b) ? -1 : 1;
}

size_t top_finish(top *t)
{
    if (t->n > 1) qsort(t->heap, t->n, sizeof *t->heap, by_rank);
    return t->n;
}
