/* Choosing, writing and shortening; see fill.h for the order in which parts give way. */
#include "message/fill.h"

#include <string.h>

#include "base/limits.h"
#include "message/length.h"

/* Where the text is to go. */
typedef struct target {
    channel channel;
    bool subject;
    arena *memory;
} target;

/* What is chosen of each part; n_choices of a part means left out. */
typedef struct filling {
    const pattern *pattern;
    const fill_facts *facts;
    uint32_t choice[LIMIT_FRAME_PARTS];
    uint32_t n_products;
    bool condition; /* the minimum purchase is known and must be stated */
} filling;

static uint32_t bit(message_slot slot)
{
    return 1u << slot;
}

static bool can_say(const filling *f, const pattern_choice *c)
{
    for (int slot = 0; slot < SLOT_COUNT; slot++) {
        if (!(c->slots & 1u << slot)) continue;
        bool known =
            slot == SLOT_PRODUCTS ? f->n_products > 0 : f->facts->known[slot] != NULL;
        if (!known) return false;
    }
    return true;
}

static const pattern_choice *chosen(const filling *f, uint32_t part)
{
    const pattern_part *p = &f->pattern->parts[part];
    return f->choice[part] < p->n_choices ? &p->choices[f->choice[part]] : NULL;
}

/* The first choice from `from` on that can be said; false when there is none and the part
 * may not be left out. */
static bool choose(filling *f, uint32_t part, uint32_t from)
{
    const pattern_part *p = &f->pattern->parts[part];
    while (from < p->n_choices && !can_say(f, &p->choices[from]))
        from++;
    if (from >= p->n_choices && (!p->optional || f->choice[part] == p->n_choices))
        return false;
    f->choice[part] = from < p->n_choices ? from : p->n_choices;
    return true;
}

static uint32_t slots_said(const filling *f)
{
    uint32_t slots = 0;
    for (uint32_t i = 0; i < f->pattern->n_parts; i++)
        if (chosen(f, i) != NULL) slots |= chosen(f, i)->slots;
    return slots;
}

/* Sets the longest form; false when this pattern cannot say these facts. */
static bool begin(filling *f)
{
    for (uint32_t i = 0; i < f->pattern->n_parts; i++) {
        f->choice[i] = 0;
        if (!choose(f, i, 0)) return false;
    }
    return !f->condition || slots_said(f) & bit(SLOT_MINIMUM);
}

static bool part_gives_way(filling *f, uint32_t part)
{
    const pattern_choice *now = chosen(f, part);
    if (now == NULL) return false;
    uint32_t before = f->choice[part];
    if (!choose(f, part, before + 1)) return false;
    const pattern_choice *next = chosen(f, part);
    bool states = next != NULL && next->slots & bit(SLOT_MINIMUM);
    if (!f->condition || !(now->slots & bit(SLOT_MINIMUM)) || states) return true;
    f->choice[part] = before;
    return false;
}

/* One step shorter; false when nothing is left to give way. */
static bool shorten(filling *f)
{
    if (f->n_products > 1 && slots_said(f) & bit(SLOT_PRODUCTS)) {
        f->n_products--;
        return true;
    }
    for (uint32_t i = f->pattern->n_parts; i-- > 0;)
        if (part_gives_way(f, i)) return true;
    return false;
}

/* --- writing ---------------------------------------------------------------------- */

static text piece_text(const filling *f, const pattern_piece *piece)
{
    if (piece->slot == SLOT_NONE) return piece->words;
    if (piece->slot == SLOT_PRODUCTS) return text_of(f->facts->lists[f->n_products]);
    return text_of(f->facts->known[piece->slot]);
}

/* Names keep their first letter as the data has it; our own words begin a line large. */
static bool is_ours(message_slot slot)
{
    return slot == SLOT_NONE || slot == SLOT_SCOPE || slot == SLOT_DISCOUNT ||
           slot == SLOT_LAST_DAY;
}

/* Writes to `into`, or only measures where it is NULL. Returns the length. */
static size_t write_text(const filling *f, char *into)
{
    size_t n = 0;
    for (uint32_t i = 0; i < f->pattern->n_parts; i++) {
        const pattern_choice *c = chosen(f, i);
        for (uint32_t k = 0; c != NULL && k < c->n_pieces; k++) {
            text t = piece_text(f, &c->pieces[k]);
            if (into != NULL && t.n > 0) {
                memcpy(into + n, t.data, t.n);
                bool starts = n == 0 || into[n - 1] == '\n';
                if (starts && is_ours(c->pieces[k].slot) && into[n] >= 'a' &&
                    into[n] <= 'z')
                    into[n] = (char)(into[n] - 32);
            }
            n += t.n;
        }
    }
    return n;
}

/* Blank lines that a part left behind at the end are dropped. */
static size_t trimmed_length(const char *words, size_t n)
{
    while (n > 0 && (words[n - 1] == '\n' || words[n - 1] == ' '))
        n--;
    return n;
}

static bool fits(const char *words, size_t n, channel c, bool subject)
{
    return subject ? length_fits_subject(words, n) : length_fits(c, words, n);
}

/* Writes the filling as it stands into a block of its own; *fit tells whether the channel
 * takes it. PF_NO_MEMORY is the only failure. */
static pf_status try_filling(const filling *f, const target *t, fill_result *out,
                             bool *fit, pf_error *err)
{
    size_t n = write_text(f, NULL);
    *fit = false;
    if (n > LIMIT_TEXT_BYTES) return PF_OK;
    char *words = arena_alloc(t->memory, n + 1, 1);
    if (words == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a message");
    n = trimmed_length(words, write_text(f, words));
    words[n] = '\0';
    *fit = n > 0 && fits(words, n, t->channel, t->subject);
    if (!*fit) return PF_OK;
    uint32_t slots = slots_said(f);
    *out =
        (fill_result){true, words, slots, slots & bit(SLOT_PRODUCTS) ? f->n_products : 0};
    return PF_OK;
}

/* What gave way before the culprit was found comes back, from the first part on, where it
 * still fits. */
static pf_status restore(filling *f, const target *t, fill_result *out, pf_error *err)
{
    for (uint32_t i = 0; i < f->pattern->n_parts; i++) {
        uint32_t settled = f->choice[i];
        bool fit = false;
        for (uint32_t c = 0; c < settled && !fit; c++) {
            if (!can_say(f, &f->pattern->parts[i].choices[c])) continue;
            f->choice[i] = c;
            pf_status s = try_filling(f, t, out, &fit, err);
            if (s != PF_OK) return s;
        }
        if (!fit) f->choice[i] = settled;
    }
    return PF_OK;
}

pf_status fill_pattern(const pattern *p, const fill_facts *facts, channel c, bool subject,
                       arena *memory, fill_result *out, pf_error *err)
{
    filling f = {.pattern = p, .facts = facts, .n_products = facts->n_names};
    target t = {c, subject, memory};
    bool fit = false, shortened = false;
    f.condition = !subject && facts->known[SLOT_MINIMUM] != NULL;
    *out = (fill_result){.said = false, .text = ""};
    if (!begin(&f)) return PF_OK;
    pf_status s = try_filling(&f, &t, out, &fit, err);
    while (s == PF_OK && !fit && shorten(&f)) {
        shortened = true;
        s = try_filling(&f, &t, out, &fit, err);
    }
    return s == PF_OK && fit && shortened ? restore(&f, &t, out, err) : s;
}
