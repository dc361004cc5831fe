/*
 * Working out scopes; see scope_build.h. The cost is that of the answer: products are
 * grouped by category and by brand once, and each name walks only what it covers.
 */
#include "store/scope_build.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Numbers being gathered for one promotion. */
typedef struct gathering {
    uint32_t *numbers;
    size_t n, capacity;
    uint32_t *stack; /* of categories to walk */
    size_t depth, stack_capacity;
} gathering;

/* Groups the numbers 1..n by group_of[number - 1] in 0..groups (counting sort). */
static bool group(grouping *g, const uint32_t *group_of, uint32_t n, uint32_t groups)
{
    g->first = mem_alloc_zero((size_t)groups + 2, sizeof *g->first);
    g->items = mem_alloc((size_t)n + 1, sizeof *g->items);
    if (g->first == NULL || g->items == NULL) return false;
    for (uint32_t i = 0; i < n; i++)
        g->first[group_of[i] + 1]++;
    for (uint32_t k = 0; k <= groups; k++)
        g->first[k + 1] += g->first[k];
    for (uint32_t i = n; i > 0;
         i--) /* from behind, so that first[k + 1] ends as a start */
        g->items[--g->first[group_of[i - 1] + 1]] = i;
    /* Each first[k + 1] is now the start of group k: shift back. */
    memmove(g->first, g->first + 1, ((size_t)groups + 1) * sizeof *g->first);
    g->first[groups + 1] = n;
    return true;
}

static bool make_groups(catalogue_build *b)
{
    const shop_catalogue *c = b->catalogue;
    uint32_t *of = mem_alloc((size_t)c->n_products + 1, sizeof *of);
    if (of == NULL) return false;
    for (uint32_t i = 0; i < c->n_products; i++)
        of[i] = b->products[i + 1].category;
    bool ok = group(&b->by_category, of, c->n_products, c->n_categories);
    for (uint32_t i = 0; i < c->n_products; i++)
        of[i] = b->products[i + 1].brand;
    ok = ok && group(&b->by_brand, of, c->n_products, c->n_brands);
    ok = ok && group(&b->children, b->parents, c->n_categories, c->n_categories);
    mem_free(of);
    return ok;
}

static void free_grouping(grouping *g)
{
    mem_free(g->first);
    mem_free(g->items);
}

void scope_groups_free(catalogue_build *b)
{
    free_grouping(&b->by_category);
    free_grouping(&b->by_brand);
    free_grouping(&b->children);
}

/* --- gathering -------------------------------------------------------------------- */

static bool gather(gathering *g, const grouping *from, uint32_t k)
{
    size_t n = from->first[k + 1] - from->first[k];
    if (n == 0) return true;
    if (!mem_reserve((void **)&g->numbers, &g->capacity, g->n + n, sizeof *g->numbers))
        return false;
    memcpy(g->numbers + g->n, from->items + from->first[k], n * sizeof *g->numbers);
    g->n += n;
    return true;
}

static bool push_category(gathering *g, uint32_t number)
{
    if (!mem_reserve((void **)&g->stack, &g->stack_capacity, g->depth + 1,
                     sizeof *g->stack))
        return false;
    g->stack[g->depth++] = number;
    return true;
}

static bool gather_category(catalogue_build *b, gathering *g, text path)
{
    uint32_t top = intern_find(b->categories, path.data, path.n);
    if (top == 0) return true;
    bool ok = push_category(g, top);
    while (ok && g->depth > 0) {
        uint32_t k = g->stack[--g->depth];
        ok = gather(g, &b->by_category, k);
        for (uint32_t i = b->children.first[k]; ok && i < b->children.first[k + 1]; i++)
            ok = push_category(g, b->children.items[i]);
    }
    return ok;
}

static bool gather_brand(catalogue_build *b, gathering *g, text name)
{
    uint32_t k = intern_find(b->brands, name.data, name.n);
    return k == 0 || gather(g, &b->by_brand, k);
}

typedef bool gather_name(catalogue_build *b, gathering *g, text name);

/* Each name of a list joined by '|'; *named becomes true when there is one. */
static bool gather_list(catalogue_build *b, gathering *g, const char *list,
                        gather_name *gather_one, bool *named)
{
    while (*list != '\0') {
        size_t n = strcspn(list, "|");
        text name = text_trim((text){list, n});
        if (name.n > 0) {
            *named = true;
            if (!gather_one(b, g, name)) return false;
        }
        list += n + (list[n] == '|' ? 1 : 0);
    }
    return true;
}

static int compare_numbers(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static size_t sort_unique(uint32_t *numbers, size_t n)
{
    size_t kept = 0;
    if (n > 0) qsort(numbers, n, sizeof *numbers, compare_numbers);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || numbers[kept - 1] != numbers[i]) numbers[kept++] = numbers[i];
    return kept;
}

/* A copy of what was gathered; {0} when names led nowhere. */
static bool keep_scope(catalogue_build *b, gathering *g, promotion *p, bool named)
{
    g->n = sort_unique(g->numbers, g->n);
    if (!named && g->n == 0) return true;
    size_t n = g->n > 0 ? g->n : 1;
    uint32_t *scope = arena_alloc_zero(&b->catalogue->memory, n, sizeof *scope);
    if (scope == NULL) return false;
    if (g->n > 0) memcpy(scope, g->numbers, g->n * sizeof *scope);
    p->scope = scope;
    p->n_scope = (uint32_t)n;
    return true;
}

static bool build_scopes(catalogue_build *b, gathering *g)
{
    size_t pair = 0;
    for (uint32_t i = 1; i <= b->catalogue->n_promotions; i++) {
        bool named = false;
        g->n = 0;
        for (; pair < b->n_pairs && b->pairs[pair].promotion == i; pair++) {
            if (!mem_reserve((void **)&g->numbers, &g->capacity, g->n + 1,
                             sizeof *g->numbers))
                return false;
            g->numbers[g->n++] = b->pairs[pair].number;
        }
        if (!gather_list(b, g, b->scope_texts[i].categories, gather_category, &named) ||
            !gather_list(b, g, b->scope_texts[i].brands, gather_brand, &named) ||
            !keep_scope(b, g, &b->promotions[i], named))
            return false;
    }
    return true;
}

bool scope_build(catalogue_build *b)
{
    gathering g = {0};
    bool ok = make_groups(b) && build_scopes(b, &g);
    mem_free(g.numbers);
    mem_free(g.stack);
    return ok;
}
