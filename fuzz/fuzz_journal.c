/*
 * The log of decisions: whatever the bytes, they are refused with a reason or read, and what was
 * read can be told, written and read again as the same reasons.
 * Rooms: base shop message decide
 */
#include <assert.h>
#include <string.h>

#include "decide/journal.h"
#include "decide/what_if.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const promotion offers[] = {{.id = ""}, {.id = "O1", .title = "Cheese"}, {.id = "O2"}};
static const char *const tags[] = {"", "wine"};

static void tell(const decide_outcome *o, const shop_catalogue *c)
{
    for (int language = 0; language < LANGUAGE_COUNT; language++) {
        reason_words words = {(message_language)language, c, NULL};
        buffer b;
        buffer_init(&b, 1u << 20);
        reason_explain(&o->why, &words, &b);
        assert(b.failed || b.length > 0);
        buffer_clear(&b);
        reason_counterfactual(&o->why, &words, &b);
        assert(b.failed || b.length > 0);
        buffer_free(&b);
    }
}

/* Written and read again: the same reasons. */
static void repeat(decide_outcome *outcomes, size_t n, const shop_catalogue *c, arena *memory)
{
    decide_result r = {.outcomes = outcomes, .n_outcomes = n};
    decide_shopper s = {.n_outcomes = n};
    buffer b;
    json_writer w;
    journal_candidate *again = NULL;
    size_t n_again = 0;
    buffer_init(&b, 1u << 22);
    json_begin(&w, &b);
    journal_write_candidates(&r, c, &s, &w);
    if (json_finish(&w)) {
        pf_status status =
            journal_read_candidates(b.data, b.length, c, memory, &again, &n_again, NULL);
        assert(status == PF_OK && n_again == n);
        for (size_t i = 0; i < n; i++)
            assert(again[i].outcome.why.reason == outcomes[i].why.reason);
    }
    buffer_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    shop_catalogue c = {.n_promotions = 2, .promotions = offers, .n_tags = 1, .tags = tags};
    journal_candidate *list = NULL;
    size_t n = 0;
    pf_error err = {0};
    arena memory;
    arena_init(&memory, 1u << 26);
    c.promotion_ids = intern_new(10);
    if (c.promotion_ids == NULL || size > 1u << 16) goto done;
    (void)intern_add(c.promotion_ids, "O1", 2);
    (void)intern_add(c.promotion_ids, "O2", 2);
    if (!currency_find("USD", 3, &c.currency)) goto done;
    if (journal_read_candidates((const char *)data, size, &c, &memory, &list, &n, &err) !=
        PF_OK) {
        assert(err.message[0] != '\0');
        goto done;
    }
    decide_outcome *outcomes = arena_alloc(&memory, n, sizeof *outcomes);
    for (size_t i = 0; outcomes != NULL && i < n; i++) {
        outcomes[i] = list[i].outcome;
        tell(&outcomes[i], &c);
    }
    if (outcomes != NULL) repeat(outcomes, n, &c, &memory);
done:
    intern_free(c.promotion_ids);
    arena_free(&memory);
    return 0;
}
