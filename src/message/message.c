/* Filling facts into a frame and fitting it into its channel; see message.h. */
#include "message/message.h"

#include <stdio.h>
#include <string.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "base/memory.h"
#include "message/fill.h"
#include "message/title.h"
#include "message/wording.h"

struct message_writer {
    const shop_catalogue *catalogue;
    const frame_set *frames;
    message_settings settings;
    uint32_t *category; /* [P + 1] the one category of each promotion's scope; 0 = none */
};

message_settings message_settings_default(void)
{
    return (message_settings){.shop = "", .sensitive = sensitive_default()};
}

/* --- the writer ------------------------------------------------------------------- */

static uint32_t common_category(const category *tree, uint32_t a, uint32_t b)
{
    while (a != b) {
        if (a == 0 || b == 0) return 0;
        if (tree[a].depth >= tree[b].depth)
            a = tree[a].parent;
        else
            b = tree[b].parent;
    }
    return a;
}

/* The deepest category that holds the whole scope. A top category says little
 * ("Grocery"), so it counts only where the products stand directly in it. */
static uint32_t scope_category(const shop_catalogue *c, const promotion *p)
{
    uint32_t common = 0;
    bool all_there = true;
    for (uint32_t i = 0; i < p->n_scope; i++) {
        uint32_t here = c->products[p->scope[i]].category;
        uint32_t next = i == 0 ? here : common_category(c->categories, common, here);
        all_there = all_there && here == (i == 0 ? here : common);
        common = next;
        if (common == 0) return 0;
    }
    if (common == 0) return 0;
    return c->categories[common].depth > 1 || all_there ? common : 0;
}

pf_status message_writer_new(message_writer **out, const shop_catalogue *catalogue,
                             const frame_set *frames, const message_settings *settings,
                             pf_error *err)
{
    message_writer *w = mem_alloc_zero(1, sizeof *w);
    uint32_t *categories =
        mem_alloc_zero((size_t)catalogue->n_promotions + 1, sizeof *categories);
    if (w == NULL || categories == NULL) {
        mem_free(w);
        mem_free(categories);
        return error_set(err, PF_NO_MEMORY, "out of memory for messages");
    }
    for (uint32_t p = 1; p <= catalogue->n_promotions; p++)
        categories[p] = scope_category(catalogue, &catalogue->promotions[p]);
    *w = (message_writer){catalogue, frames, *settings, categories};
    *out = w;
    return PF_OK;
}

void message_writer_free(message_writer *w)
{
    if (w == NULL) return;
    mem_free(w->category);
    mem_free(w);
}

/* --- facts ------------------------------------------------------------------------ */

static bool may_be_named(const message_writer *w, const promotion *p, uint32_t number)
{
    const shop_catalogue *c = w->catalogue;
    if (number == 0 || number > c->n_products || !promotion_covers(p, number))
        return false;
    const product *it = &c->products[number];
    if (it->title[0] == '\0' || sensitive_matches(&w->settings.sensitive, it->title))
        return false;
    return it->category == 0 ||
           !sensitive_matches(&w->settings.sensitive, c->categories[it->category].path);
}

/* The length of a name without its size: 3 of "Ham (8 oz)", all of "Ham (smoked)". */
static size_t without_size(const char *name)
{
    const char *size = strstr(name, " (");
    bool number = size != NULL && ((size[2] >= '0' && size[2] <= '9') || size[2] == '.');
    return number ? (size_t)(size - name) : strlen(name);
}

/* A list that names both "Ham (8 oz)" and "Ham (16 oz)" reads like a mistake. */
static bool same_but_for_size(const char *a, const char *b)
{
    size_t n = without_size(a);
    return n == without_size(b) && memcmp(a, b, n) == 0;
}

/* Readable titles of the favourites that may be named, each kind of thing once. */
static void collect_products(const message_writer *w, const message_request *r,
                             wording *words, fill_facts *facts)
{
    const promotion *p = &w->catalogue->promotions[r->promotion];
    for (uint32_t i = 0; i < r->n_favourites && facts->n_names < MESSAGE_PRODUCTS; i++) {
        uint32_t number = r->favourites[i];
        if (!may_be_named(w, p, number)) continue;
        const char *name =
            title_readable(words->memory, w->catalogue->products[number].title);
        words->failed = words->failed || name == NULL;
        bool known = name == NULL || name[0] == '\0';
        for (uint32_t k = 0; k < facts->n_names; k++)
            known = known || same_but_for_size(facts->names[k], name);
        if (known) continue;
        facts->products[facts->n_names] = number;
        facts->names[facts->n_names++] = name;
    }
    /* Fewer names stand ready for when the message is too long. */
    for (uint32_t n = 1; n <= facts->n_names; n++)
        facts->lists[n] =
            wording_list(words, facts->names, n, p->n_scope == 0 || p->n_scope > n);
}

static const char *scope_words(const promotion *p, const char *heading, wording *words)
{
    bool english = words->language == LANGUAGE_EN;
    if (p->n_scope == 0) return english ? "everything" : "全部商品";
    if (heading == NULL) return english ? "selected products" : "指定商品";
    const char *before = english ? "selected products in " : "";
    const char *behind = english ? "" : "类指定商品";
    size_t n = strlen(before) + strlen(heading) + strlen(behind) + 1;
    char *line = arena_alloc(words->memory, n, 1);
    words->failed = words->failed || line == NULL;
    if (line != NULL) (void)snprintf(line, n, "%s%s%s", before, heading, behind);
    return line;
}

/* NULL for "". */
static const char *readable(wording *words, const char *title)
{
    if (title == NULL || title[0] == '\0') return NULL;
    const char *line = title_readable(words->memory, title);
    words->failed = words->failed || line == NULL;
    return line != NULL && line[0] != '\0' ? line : NULL;
}

static void collect_facts(const message_writer *w, const message_request *r,
                          wording *words, fill_facts *facts)
{
    const shop_catalogue *c = w->catalogue;
    const promotion *p = &c->promotions[r->promotion];
    uint32_t within = w->category[r->promotion];
    const char **known = facts->known;
    collect_products(w, r, words, facts);
    /* A sensitive category is named no more than the products in it. */
    if (within != 0 &&
        !sensitive_matches(&w->settings.sensitive, c->categories[within].path))
        known[SLOT_CATEGORY] = readable(words, c->categories[within].name);
    known[SLOT_SCOPE] = scope_words(p, known[SLOT_CATEGORY], words);
    known[SLOT_DISCOUNT] = wording_discount(words, p);
    known[SLOT_MINIMUM] = wording_money(words, p->minimum_purchase_minor);
    known[SLOT_ENDS] = wording_last_day(words, p->ends_us, r->send_at_us, r->zone);
    known[SLOT_LAST_DAY] = wording_urgency(words, p->ends_us, r->send_at_us, r->zone);
    known[SLOT_TITLE] = readable(words, p->title);
    known[SLOT_SHOP] = w->settings.shop[0] != '\0' ? w->settings.shop : NULL;
}

/* --- rendering -------------------------------------------------------------------- */

static void list_facts(const fill_facts *facts, uint32_t slots, uint32_t n_products,
                       message *m)
{
    m->n_facts = 0;
    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        if (!(slots & 1u << slot)) continue;
        message_fact *f = &m->facts[m->n_facts++];
        *f = (message_fact){.slot = (message_slot)slot, .text = facts->known[slot]};
        if (slot != SLOT_PRODUCTS) continue;
        f->text = facts->lists[n_products];
        f->n_products = n_products;
        memcpy(f->products, facts->products, n_products * sizeof *f->products);
    }
}

/* One frame. *fits tells whether it can say this promotion. */
static pf_status try_frame(const frame *f, const fill_facts *facts, arena *memory,
                           message *m, bool *fits, pf_error *err)
{
    fill_result subject = {.text = ""}, body = {.text = ""};
    *fits = false;
    pf_status s =
        fill_pattern(&f->body, facts, f->key.channel, false, memory, &body, err);
    if (s != PF_OK || !body.said) return s;
    if (f->subject.n_parts > 0) {
        s = fill_pattern(&f->subject, facts, f->key.channel, true, memory, &subject, err);
        if (s != PF_OK || !subject.said) return s;
    }
    uint32_t most =
        subject.n_products > body.n_products ? subject.n_products : body.n_products;
    *m = (message){.subject = subject.text, .body = body.text, .frame = f};
    list_facts(facts, subject.slots | body.slots, most, m);
    *fits = true;
    return PF_OK;
}

static pf_status no_frame(const message_writer *w, const message_request *r, uint32_t n,
                          pf_error *err)
{
    const promotion *p = &w->catalogue->promotions[r->promotion];
    if (n == 0)
        return error_set(err, PF_NOT_FOUND, "there is no frame for %s by %s in %s",
                         promotion_kind_name(p->kind), channel_name(r->channel),
                         language_name(r->language));
    return error_set(
        err, PF_LIMIT,
        "promotion '%s': none of %u frames for %s by %s in %s can say it: a fact is "
        "missing, the minimum purchase has no place, or it is too long",
        p->id, n, promotion_kind_name(p->kind), channel_name(r->channel),
        language_name(r->language));
}

pf_status message_render(const message_writer *w, const message_request *r, arena *memory,
                         message *out, pf_error *err)
{
    if (r->promotion == 0 || r->promotion > w->catalogue->n_promotions)
        return error_set(err, PF_NOT_FOUND, "there is no promotion number %u",
                         r->promotion);
    const promotion *p = &w->catalogue->promotions[r->promotion];
    wording words = {r->language, &w->catalogue->currency, memory, false};
    fill_facts facts = {.n_names = 0};
    collect_facts(w, r, &words, &facts);
    if (words.failed) return error_set(err, PF_NO_MEMORY, "out of memory for a message");
    frame_key key = {p->kind, r->channel, r->language, p->id};
    uint32_t n = frame_set_count(w->frames, &key);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t variant = (r->variant % n + i) % n;
        bool fits = false;
        pf_status s = try_frame(frame_set_get(w->frames, &key, variant), &facts, memory,
                                out, &fits, err);
        out->variant = variant;
        if (s != PF_OK || fits) return s;
    }
    return no_frame(w, r, n, err);
}

const char *message_text(const message *m, arena *memory)
{
    if (m->subject[0] == '\0') return m->body;
    size_t n = strlen(m->subject) + strlen(m->body) + 3;
    char *line = arena_alloc(memory, n, 1);
    if (line != NULL) (void)snprintf(line, n, "%s\n\n%s", m->subject, m->body);
    return line;
}
