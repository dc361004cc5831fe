/* Building the tree: nodes of products, then the nodes of every scope. */
#include "features/product_tree.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/intern.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/memory.h"

void product_tree_free(product_tree *t)
{
    if (t == NULL)
        return;
    for (int level = 0; level < PRODUCT_LEVELS; level++) {
        mem_free(t->node[level]);
        mem_free(t->mix[level]);
    }
    mem_free(t->everything);
    mem_free(t->parts);
    mem_free(t);
}

const uint32_t *scope_products(const product_tree *t, uint32_t number, uint32_t *n)
{
    const promotion *p = &t->catalogue->promotions[number];
    *n = p->n_scope > 0 ? p->n_scope : t->catalogue->n_products;
    return p->n_scope > 0 ? p->scope : t->everything;
}

/* --- nodes ------------------------------------------------------------------------ */

static uint32_t department_of(const shop_catalogue *c, uint32_t node)
{
    while (c->categories[node].parent != 0)
        node = c->categories[node].parent;
    return node;
}

/* The text of a scalar member; empty where it has none. */
static text member_text(const json_value *tree, const char *name)
{
    const json_value *v = json_member(tree, name);
    bool scalar = v != NULL && (v->kind == JSON_TEXT || v->kind == JSON_NUMBER);
    return scalar ? v->text : (text){"", 0};
}

/* The attribute that names the maker, the first that is given. Attributes that do not even
 * hold the names' letters are not parsed. PF_NO_MEMORY. */
static pf_status find_maker(arena *memory, const char *attributes, text *out)
{
    static const char *const names[] = {"manufacturer_id", "manufacturer", "maker",
                                        "supplier"};
    const json_value *tree = NULL;
    *out = (text){"", 0};
    if (attributes == NULL || (strstr(attributes, "manufacturer") == NULL &&
                               strstr(attributes, "maker") == NULL &&
                               strstr(attributes, "supplier") == NULL))
        return PF_OK;
    pf_status s = json_parse(memory, attributes, strlen(attributes), &tree, NULL);
    if (s != PF_OK)
        return s == PF_NO_MEMORY ? s : PF_OK;
    for (size_t i = 0; out->n == 0 && i < sizeof names / sizeof names[0]; i++)
        *out = member_text(tree, names[i]);
    return PF_OK;
}

enum { KEY_BYTES = LIMIT_TITLE_BYTES + 16 };

/* Writes the key of a product on a level into KEY_BYTES and its length into *n. */
typedef pf_status level_key(arena *memory, const product *p, char *into, size_t *n);

/* The category's number, then "M" and the maker's name or "B" and the brand's number. */
static pf_status family_key(arena *memory, const product *p, char *into, size_t *n)
{
    text maker;
    pf_status s = find_maker(memory, p->attributes, &maker);
    memcpy(into, &p->category, sizeof p->category);
    char *rest = into + sizeof p->category;
    if (maker.n > 0) {
        size_t most = maker.n < LIMIT_ID_BYTES ? maker.n : LIMIT_ID_BYTES;
        *rest = 'M';
        memcpy(rest + 1, maker.data, most);
        *n = sizeof p->category + 1 + most;
    } else {
        *rest = 'B';
        memcpy(rest + 1, &p->brand, sizeof p->brand);
        *n = sizeof p->category + 1 + sizeof p->brand;
    }
    return s;
}

static pf_status sort_key(arena *memory, const product *p, char *into, size_t *n)
{
    const char *comma = strrchr(p->title, ',');
    size_t whole = comma ? (size_t)(comma - p->title) : strlen(p->title);
    (void)memory;
    *n = whole < LIMIT_TITLE_BYTES ? whole : LIMIT_TITLE_BYTES;
    memcpy(into, p->title, *n);
    return PF_OK;
}

/* Equal keys are one node. */
static bool number_keys(product_tree *t, int level, level_key *key)
{
    const shop_catalogue *c = t->catalogue;
    char words[KEY_BYTES];
    arena memory;
    intern *known = intern_new(LIMIT_PRODUCTS);
    bool ok = known != NULL;
    arena_init(&memory, LIMIT_JSON_BYTES);
    for (uint32_t i = 1; ok && i <= c->n_products; i++) {
        size_t n = 0;
        ok = key(&memory, &c->products[i], words, &n) == PF_OK;
        t->node[level][i] = ok ? intern_add(known, words, n) : 0;
        ok = t->node[level][i] != 0;
        arena_reset(&memory);
    }
    t->nodes[level] = ok ? intern_count(known) + 1 : 0;
    intern_free(known);
    arena_free(&memory);
    return ok;
}

static bool find_leading_brand(product_tree *t)
{
    const shop_catalogue *c = t->catalogue;
    uint32_t *count = mem_alloc_zero((size_t)c->n_brands + 1, sizeof *count);
    if (count == NULL)
        return false;
    for (uint32_t i = 1; i <= c->n_products; i++)
        count[c->products[i].brand]++;
    for (uint32_t b = 1; b <= c->n_brands; b++)
        if (t->leading_brand == 0 || count[b] > count[t->leading_brand])
            t->leading_brand = b;
    mem_free(count);
    return true;
}

static bool find_nodes(product_tree *t)
{
    const shop_catalogue *c = t->catalogue;
    size_t n = (size_t)c->n_products + 1;
    for (int level = 0; level < PRODUCT_LEVELS; level++)
        if ((t->node[level] = mem_alloc_zero(n, sizeof(uint32_t))) == NULL)
            return false;
    t->everything = mem_alloc(n, sizeof *t->everything);
    if (t->everything == NULL)
        return false;
    t->nodes[LEVEL_DEPARTMENT] = t->nodes[LEVEL_CATEGORY] = c->n_categories + 1;
    for (uint32_t i = 1; i <= c->n_products; i++) {
        t->everything[i - 1] = i;
        t->node[LEVEL_CATEGORY][i] = c->products[i].category;
        t->node[LEVEL_DEPARTMENT][i] = department_of(c, c->products[i].category);
    }
    return number_keys(t, LEVEL_FAMILY, family_key) &&
           number_keys(t, LEVEL_SORT, sort_key) && find_leading_brand(t);
}

/* --- mixes ------------------------------------------------------------------------ */

/* Counting the nodes of one scope: a dense array of which only touched places are
 * cleared. */
typedef struct counting {
    uint32_t *count, *touched;
    uint32_t n;
} counting;

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void count_nodes(counting *k, const uint32_t *node, const uint32_t *list, uint32_t n)
{
    k->n = 0;
    for (uint32_t i = 0; i < n; i++)
        if (k->count[node[list[i]]]++ == 0)
            k->touched[k->n++] = node[list[i]];
    if (k->n > 1)
        qsort(k->touched, k->n, sizeof *k->touched, compare_u32);
}

static void take_parts(counting *k, mix_part *into, scope_mix *m)
{
    double square = 0;
    for (uint32_t i = 0; i < k->n; i++) {
        uint32_t products = k->count[k->touched[i]];
        into[i] = (mix_part){k->touched[i], products};
        square += (double)products * products;
        k->count[k->touched[i]] = 0;
    }
    *m = (scope_mix){into, k->n, sqrt(square)};
}

/* Scopes of everything share the mix of the first of them. */
static void mix_level(product_tree *t, int level, counting *k, mix_part **next)
{
    const shop_catalogue *c = t->catalogue;
    const scope_mix *whole = NULL;
    for (uint32_t i = 1; i <= c->n_promotions; i++) {
        uint32_t n;
        const uint32_t *list = scope_products(t, i, &n);
        if (c->promotions[i].n_scope == 0 && whole != NULL) {
            t->mix[level][i] = *whole;
            continue;
        }
        count_nodes(k, t->node[level], list, n);
        take_parts(k, *next, &t->mix[level][i]);
        *next += k->n;
        if (c->promotions[i].n_scope == 0)
            whole = &t->mix[level][i];
    }
}

/* At most as many parts as products in scopes, on each level. */
static bool parts_new(product_tree *t)
{
    const shop_catalogue *c = t->catalogue;
    size_t parts = (size_t)c->n_products + 1;
    for (uint32_t i = 1; i <= c->n_promotions; i++)
        if (!size_add(parts, c->promotions[i].n_scope, &parts))
            return false;
    t->parts = mem_alloc(parts, PRODUCT_LEVELS * sizeof *t->parts);
    return t->parts != NULL;
}

static bool find_mixes(product_tree *t)
{
    uint32_t most = 1;
    bool ok = parts_new(t);
    mix_part *next = t->parts;
    for (int level = 0; level < PRODUCT_LEVELS; level++)
        most = t->nodes[level] > most ? t->nodes[level] : most;
    counting k = {mem_alloc_zero(most, sizeof *k.count), mem_alloc(most, sizeof *k.touched),
                  0};
    ok = ok && k.count != NULL && k.touched != NULL;
    for (int level = 0; ok && level < PRODUCT_LEVELS; level++) {
        t->mix[level] = mem_alloc_zero((size_t)t->catalogue->n_promotions + 1,
                                       sizeof *t->mix[level]);
        ok = t->mix[level] != NULL;
        if (ok)
            mix_level(t, level, &k, &next);
    }
    mem_free(k.count);
    mem_free(k.touched);
    return ok;
}

pf_status product_tree_new(const shop_catalogue *c, product_tree **out, pf_error *err)
{
    product_tree *t = mem_alloc_zero(1, sizeof *t);
    *out = NULL;
    if (t != NULL)
        t->catalogue = c;
    if (t == NULL || !find_nodes(t) || !find_mixes(t)) {
        product_tree_free(t);
        return error_set(err, PF_NO_MEMORY, "out of memory for the tree of %u products",
                         c->n_products);
    }
    *out = t;
    return PF_OK;
}

/* --- likeness --------------------------------------------------------------------- */

double scope_mix_cosine(const scope_mix *a, const scope_mix *b)
{
    double sum = 0;
    for (uint32_t i = 0, j = 0; i < a->n && j < b->n;) {
        uint32_t x = a->part[i].node, y = b->part[j].node;
        if (x == y)
            sum += (double)a->part[i].products * b->part[j].products;
        i += x <= y;
        j += y <= x;
    }
    return sum > 0 ? sum / (a->length * b->length) : 0;
}
