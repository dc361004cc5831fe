/*
 * Building a catalogue; see catalogue_build.h.
 */
#include "store/catalogue_build.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "store/scope_build.h"
#include "store/tag_build.h"

static const char category_between[] = " > ";

static pf_status short_of_memory(pf_error *err)
{
    return error_set(err, PF_NO_MEMORY, "no memory to load the catalogue");
}

/* An array [n + 1] of zeros in the catalogue's arena. */
static void *array(catalogue_build *b, uint32_t n, size_t size)
{
    return arena_alloc_zero(&b->catalogue->memory, (size_t)n + 1, size);
}

/* Element 0, forgotten shoppers: nothing is known, but no text is NULL. */
static void fill_empty(catalogue_build *b)
{
    const shop_catalogue *c = b->catalogue;
    for (uint32_t i = 0; i <= c->n_products; i++)
        b->products[i] = (product){"", "", "", "", "", 0, 0, MONEY_ABSENT};
    for (uint32_t i = 0; i <= c->n_shoppers; i++)
        b->shoppers[i] = (shopper){"", "", "", "", 0, 0, false};
    for (uint32_t i = 0; i <= c->n_campaigns; i++)
        b->campaigns[i] = (campaign){"", "", "", TIME_ABSENT, TIME_ABSENT, ""};
    for (uint32_t i = 0; i <= c->n_promotions; i++) {
        b->promotions[i] = (promotion){.id = "",
                                       .title = "",
                                       .body = "",
                                       .stacking_group = "",
                                       .audience = "",
                                       .attributes = "",
                                       .value_minor = MONEY_ABSENT,
                                       .minimum_purchase_minor = MONEY_ABSENT,
                                       .starts_us = TIME_ABSENT,
                                       .ends_us = TIME_ABSENT,
                                       .budget_minor = MONEY_ABSENT,
                                       .contact_cost_minor = MONEY_ABSENT};
        b->scope_texts[i] = (scope_text){"", ""};
        b->tag_texts[i] = "";
    }
}

pf_status build_begin(catalogue_build *b, pf_error *err)
{
    shop_catalogue *c = b->catalogue;
    b->products = array(b, c->n_products, sizeof *b->products);
    b->shoppers = array(b, c->n_shoppers, sizeof *b->shoppers);
    b->campaigns = array(b, c->n_campaigns, sizeof *b->campaigns);
    b->promotions = array(b, c->n_promotions, sizeof *b->promotions);
    b->scope_texts = array(b, c->n_promotions, sizeof *b->scope_texts);
    b->tag_texts = array(b, c->n_promotions, sizeof *b->tag_texts);
    c->product_ids = intern_new(LIMIT_PRODUCTS);
    c->shopper_ids = intern_new(LIMIT_SHOPPERS);
    c->campaign_ids = intern_new(LIMIT_CAMPAIGNS);
    c->promotion_ids = intern_new(LIMIT_PROMOTIONS);
    b->categories = intern_new(UINT32_MAX - 1);
    b->brands = intern_new(UINT32_MAX - 1);
    if (!b->products || !b->shoppers || !b->campaigns || !b->promotions ||
        !b->scope_texts || !b->tag_texts || !c->product_ids || !c->shopper_ids ||
        !c->campaign_ids || !c->promotion_ids || !b->categories || !b->brands)
        return short_of_memory(err);
    fill_empty(b);
    c->products = b->products;
    c->shoppers = b->shoppers;
    c->campaigns = b->campaigns;
    c->promotions = b->promotions;
    return PF_OK;
}

void build_free(catalogue_build *b)
{
    intern_free(b->categories);
    intern_free(b->brands);
    mem_free(b->parents);
    mem_free(b->pairs);
    scope_groups_free(b);
}

/* --- ids -------------------------------------------------------------------------- */

/* Puts an id under exactly this number. A number that is not taken, a forgotten
 * shopper's, gets a text that can be no id: ids hold no NUL. */
static bool put_id(intern *ids, const char *id, uint32_t number)
{
    char nobody[1 + sizeof number] = {0};
    memcpy(nobody + 1, &number, sizeof number);
    uint32_t got = id[0] != '\0' ? intern_add(ids, id, strlen(id))
                                 : intern_add(ids, nobody, sizeof nobody);
    return got == number;
}

pf_status build_ids(catalogue_build *b, pf_error *err)
{
    shop_catalogue *c = b->catalogue;
    bool ok = true;
    for (uint32_t i = 1; i <= c->n_products && ok; i++)
        ok = put_id(c->product_ids, b->products[i].id, i);
    for (uint32_t i = 1; i <= c->n_shoppers && ok; i++)
        ok = put_id(c->shopper_ids, b->shoppers[i].id, i);
    for (uint32_t i = 1; i <= c->n_campaigns && ok; i++)
        ok = put_id(c->campaign_ids, b->campaigns[i].id, i);
    return ok ? PF_OK : short_of_memory(err);
}

pf_status build_promotion_ids(catalogue_build *b, pf_error *err)
{
    shop_catalogue *c = b->catalogue;
    bool ok = true;
    for (uint32_t i = 1; i <= c->n_promotions && ok; i++)
        ok = put_id(c->promotion_ids, b->promotions[i].id, i);
    return ok ? PF_OK : short_of_memory(err);
}

/* --- categories and brands -------------------------------------------------------- */

/* The bytes of the path without its last part; 0 for a top category. */
static size_t parent_length(text path)
{
    size_t between = sizeof category_between - 1;
    for (size_t n = path.n; n >= between; n--)
        if (memcmp(path.data + n - between, category_between, between) == 0)
            return n - between;
    return 0;
}

/* Parents come before their children: one is numbered when the first path below it is. */
bool build_category(catalogue_build *b, text path, uint32_t *number)
{
    uint32_t parent = 0;
    *number = 0;
    path = text_trim(path);
    if (path.n == 0) return true;
    *number = intern_find(b->categories, path.data, path.n);
    if (*number != 0) return true;
    if (!build_category(b, (text){path.data, parent_length(path)}, &parent)) return false;
    *number = intern_add(b->categories, path.data, path.n);
    if (*number == 0 || !mem_reserve((void **)&b->parents, &b->parents_capacity, *number,
                                     sizeof *b->parents))
        return false;
    b->parents[*number - 1] = parent;
    return true;
}

bool build_brand(catalogue_build *b, text name, uint32_t *number)
{
    *number = 0;
    name = text_trim(name);
    if (name.n == 0) return true;
    *number = intern_add(b->brands, name.data, name.n);
    return *number != 0;
}

static bool end_categories(catalogue_build *b)
{
    shop_catalogue *c = b->catalogue;
    uint32_t n = intern_count(b->categories);
    category *nodes = array(b, n, sizeof *nodes);
    if (nodes == NULL) return false;
    nodes[0] = (category){"", "", 0, 0};
    for (uint32_t i = 1; i <= n; i++) {
        text path = {intern_text(b->categories, i), intern_length(b->categories, i)};
        size_t above = parent_length(path);
        const char *copy = arena_copy_text(&c->memory, path.data, path.n);
        if (copy == NULL) return false;
        uint32_t parent = b->parents[i - 1];
        nodes[i] = (category){
            .path = copy,
            .name = above > 0 ? copy + above + sizeof category_between - 1 : copy,
            .parent = parent,
            .depth = nodes[parent].depth + 1};
    }
    c->n_categories = n;
    c->categories = nodes;
    return true;
}

static bool end_brands(catalogue_build *b)
{
    shop_catalogue *c = b->catalogue;
    uint32_t n = intern_count(b->brands);
    const char **names = array(b, n, sizeof *names);
    if (names == NULL) return false;
    names[0] = "";
    for (uint32_t i = 1; i <= n; i++) {
        names[i] = arena_copy_text(&c->memory, intern_text(b->brands, i),
                                   intern_length(b->brands, i));
        if (names[i] == NULL) return false;
    }
    c->n_brands = n;
    c->brands = names;
    return true;
}

/* --- scopes ----------------------------------------------------------------------- */

bool build_scope_row(catalogue_build *b, uint32_t promotion_number, uint32_t number)
{
    if (promotion_number < 1 || promotion_number > b->catalogue->n_promotions ||
        number < 1 || number > b->catalogue->n_products)
        return true;
    if (!mem_reserve((void **)&b->pairs, &b->pairs_capacity, b->n_pairs + 1,
                     sizeof *b->pairs))
        return false;
    b->pairs[b->n_pairs++] = (scope_pair){promotion_number, number};
    return true;
}

pf_status build_end(catalogue_build *b, pf_error *err)
{
    if (!end_categories(b) || !end_brands(b) || !scope_build(b))
        return short_of_memory(err);
    return tag_build(b, err);
}
