/*
 * Random rules, written out in random spelling, answer as a plain tree of the same rule
 * does when it is walked by the book of three-valued logic.
 */
#include "check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/random.h"
#include "decide/audience.h"

enum { RULES = 6000, NODES = 64 };

/* Values of one random shopper: a, b, c are numbers or absent; s is a text or absent. */
typedef struct shopper_values {
    bool has[4];
    int number[3];
    const char *word;
} shopper_values;

typedef enum node_kind { NODE_TEST, NODE_NOT, NODE_AND, NODE_OR } node_kind;

typedef struct node {
    node_kind kind;
    int left, right;
    int name;    /* 0..2 a number, 3 the text */
    int compare; /* index of `signs`; 6 in, 7 known, 8 unknown */
    int literal[3], n_literals;
} node;

typedef struct tree {
    node nodes[NODES];
    int n;
    random_stream r;
    char text[LIMIT_AUDIENCE_BYTES];
    size_t length;
} tree;

static const char *const signs[] = {"=", "!=", "<", "<=", ">", ">="};
static const char *const words[] = {"red", "green", "blue"};

static int below(tree *t, uint32_t n)
{
    return (int)random_below(&t->r, n);
}

static int make_node(tree *t, int depth)
{
    int here = t->n++;
    node *it = &t->nodes[here];
    int kind = depth == 0 || t->n > NODES - 8 ? 0 : below(t, 5);
    *it = (node){.kind = kind == 1   ? NODE_NOT
                         : kind == 2 ? NODE_AND
                         : kind >= 3 ? NODE_OR
                                     : NODE_TEST};
    if (it->kind == NODE_TEST) {
        it->name = below(t, 4);
        it->compare = below(t, 9);
        if (it->name == 3 && it->compare >= 2 && it->compare <= 5) it->compare = 0;
        it->n_literals = it->compare == 6 ? 1 + below(t, 3) : 1;
        for (int i = 0; i < it->n_literals; i++)
            it->literal[i] = below(t, 3);
        return here;
    }
    it->left = make_node(t, depth - 1);
    if (it->kind != NODE_NOT) it->right = make_node(t, depth - 1);
    return here;
}

/* --- writing ---------------------------------------------------------------------- */

static void put(tree *t, const char *piece)
{
    size_t n = strlen(piece);
    assert_true(t->length + n + 1 < sizeof t->text);
    memcpy(t->text + t->length, piece, n + 1);
    t->length += n;
}

static void put_space(tree *t, bool needed)
{
    static const char *const spaces[] = {" ", "  ", "\t", "\n "};
    if (needed || below(t, 2)) put(t, spaces[below(t, 4)]);
}

/* A word of the language, in any case. */
static void put_word(tree *t, const char *word)
{
    char changed[16] = "";
    for (size_t i = 0; word[i] != '\0'; i++)
        changed[i] = below(t, 4) == 0 ? (char)(word[i] - 32) : word[i];
    put(t, changed);
}

static void put_literal(tree *t, const node *it, int i)
{
    char digits[32];
    const char *quote = below(t, 2) ? "\"" : "'";
    if (it->name == 3) {
        if (below(t, 2)) {
            put(t, words[it->literal[i]]);
        } else {
            put(t, quote);
            put(t, words[it->literal[i]]);
            put(t, quote);
        }
        return;
    }
    (void)snprintf(digits, sizeof digits, below(t, 2) ? "%d" : "%d.0", it->literal[i]);
    put(t, digits);
}

static void put_test(tree *t, const node *it)
{
    static const char *const names[] = {"a", "b_2", "c.x", "shade"};
    put(t, names[it->name]);
    if (it->compare == 7 || it->compare == 8) {
        put_space(t, true);
        put_word(t, "is");
        put_space(t, true);
        put_word(t, it->compare == 7 ? "known" : "unknown");
        return;
    }
    if (it->compare < 6) {
        put_space(t, false);
        put(t, signs[it->compare]);
        put_space(t, false);
        put_literal(t, it, 0);
        return;
    }
    put_space(t, true);
    put_word(t, "in");
    put_space(t, false);
    put(t, "(");
    for (int i = 0; i < it->n_literals; i++) {
        if (i > 0) put(t, ",");
        put_space(t, false);
        put_literal(t, it, i);
    }
    put(t, ")");
}

/* Parentheses where the grammar needs them, and sometimes where it does not. `above` is
 * how tight the context binds: 0 or, 1 and, 2 not. */
static void put_node(tree *t, int number, int above)
{
    const node *it = &t->nodes[number];
    int own = it->kind == NODE_OR ? 0 : it->kind == NODE_AND ? 1 : 2;
    bool wrapped = own < above || below(t, 8) == 0;
    if (wrapped) put(t, "(");
    if (it->kind == NODE_TEST) {
        put_test(t, it);
    } else if (it->kind == NODE_NOT) {
        put_word(t, "not");
        put_space(t, true);
        put_node(t, it->left, 2);
    } else {
        put_node(t, it->left, own);
        put_space(t, true);
        put_word(t, it->kind == NODE_AND ? "and" : "or");
        put_space(t, true);
        /* The right side of a chain is grouped by parentheses only. */
        put_node(t, it->right, own + 1);
    }
    if (wrapped) put(t, ")");
}

/* --- answering by the book ---------------------------------------------------------- */

/* -1 false, 0 not known, 1 true: then and is the minimum and or the maximum. */
static int test_by_hand(const node *it, const shopper_values *v)
{
    bool has = v->has[it->name];
    if (it->compare >= 7) return has == (it->compare == 7) ? 1 : -1;
    if (!has) return 0;
    bool yes = false;
    for (int i = 0; i < it->n_literals; i++) {
        if (it->name == 3) {
            bool same = strcmp(v->word, words[it->literal[i]]) == 0;
            yes = yes || (it->compare == 1 ? !same : same);
            continue;
        }
        int x = v->number[it->name], y = it->literal[i];
        const bool answers[] = {x == y, x != y, x<y, x <= y, x> y, x >= y, x == y};
        yes = yes || answers[it->compare];
    }
    return yes ? 1 : -1;
}

static int by_hand(const tree *t, int number, const shopper_values *v)
{
    const node *it = &t->nodes[number];
    if (it->kind == NODE_TEST) return test_by_hand(it, v);
    int left = by_hand(t, it->left, v);
    if (it->kind == NODE_NOT) return -left;
    int right = by_hand(t, it->right, v);
    if (it->kind == NODE_AND) return left < right ? left : right;
    return left > right ? left : right;
}

static void lookup(void *context, uint32_t shopper, const char *name, audience_value *out)
{
    const shopper_values *v = context;
    int i = name[0] == 's' ? 3 : name[0] - 'a';
    (void)shopper;
    if (!v->has[i]) return;
    if (i == 3)
        *out = (audience_value){.kind = AUDIENCE_TEXT, .text = v->word};
    else
        *out = (audience_value){.kind = AUDIENCE_NUMBER, .number = v->number[i]};
}

/* The same answer with its reason; the comparison that is blamed reads as a rule and is not true
 * of the shopper. */
static void check_blame(const audience_rule *rule, audience_answer expected, shopper_values *v)
{
    audience_blame blame;
    audience_rule *alone = NULL;
    assert_int_equal(audience_test_why(rule, lookup, v, 1, &blame), expected);
    if (expected == AUDIENCE_YES) return;
    buffer b;
    buffer_init(&b, 1u << 16);
    audience_describe(rule, blame.step, blame.should_hold, &b);
    if (audience_parse(&alone, b.data, b.length, NULL) != PF_OK) fail_msg("%s", b.data);
    assert_int_not_equal(audience_test(alone, lookup, v, 1), AUDIENCE_YES);
    assert_int_equal(audience_name_count(alone), 1);
    audience_value now = {.kind = AUDIENCE_ABSENT};
    lookup(v, 1, audience_name(alone, 0), &now);
    assert_int_equal(now.kind, blame.value.kind);
    assert_true(now.kind != AUDIENCE_NUMBER || now.number == blame.value.number);
    audience_free(alone);
    buffer_free(&b);
}

static void random_rules_answer_by_the_book(void **state)
{
    (void)state;
    unsigned seen[3] = {0, 0, 0};
    for (uint64_t i = 0; i < RULES; i++) {
        static tree t;
        memset(&t, 0, sizeof t);
        t.r = random_begin(61, i);
        (void)make_node(&t, 1 + (int)(i % 5));
        put_node(&t, 0, 0);
        audience_rule *rule = NULL;
        pf_error err = {0};
        if (audience_parse(&rule, t.text, t.length, &err) != PF_OK)
            fail_msg("%s\n%s", t.text, err.message);
        for (int k = 0; k < 8; k++) {
            shopper_values v = {.word = words[below(&t, 3)]};
            for (int n = 0; n < 4; n++)
                v.has[n] = below(&t, 3) > 0;
            for (int n = 0; n < 3; n++)
                v.number[n] = below(&t, 3);
            int expected = by_hand(&t, 0, &v);
            audience_answer got = audience_test(rule, lookup, &v, 1);
            const audience_answer answers[] = {AUDIENCE_NO, AUDIENCE_UNKNOWN,
                                               AUDIENCE_YES};
            if (got != answers[expected + 1])
                fail_msg("%s\nanswers %d, by hand %d", t.text, (int)got, expected);
            check_blame(rule, got, &v);
            seen[expected + 1]++;
        }
        audience_free(rule);
    }
    for (int i = 0; i < 3; i++)
        assert_true(seen[i] > RULES / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_rules_answer_by_the_book),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
