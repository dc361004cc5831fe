/*
 * Reading an audience rule: recursive descent over the grammar in audience.h, one token
 * ahead, depth bounded. It writes the postfix program of audience_rule.h.
 */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "base/text.h"
#include "decide/audience.h"
#include "decide/audience_rule.h"

typedef enum token_kind {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_NUMBER,
    TOKEN_TEXT,
    TOKEN_SIGN
} token_kind;

typedef struct token {
    token_kind kind;
    text words; /* without quotes */
    double number;
    size_t at; /* byte offset in the rule */
} token;

typedef struct parser {
    const char *text;
    size_t n, next; /* next: offset behind the current token */
    token current;
    unsigned depth;
    audience_rule *rule;
    pf_error *err;
    pf_status status; /* the first failure; parsing stops at it */
} parser;

/* --- errors ----------------------------------------------------------------------- */

static bool fail(parser *p, size_t at, const char *expected, text found)
{
    uint64_t column = utf8_count(p->text, at) + 1;
    if (found.n == 0) {
        p->status = error_set_at(p->err, PF_DATA, NULL, 0, column,
                                 "audience rule: %s, found the end", expected);
        return false;
    }
    int shown = (int)utf8_prefix(found.data, found.n, 40);
    p->status =
        error_set_at(p->err, PF_DATA, NULL, 0, column, "audience rule: %s, found '%.*s'",
                     expected, shown, found.data);
    return false;
}

static bool expected(parser *p, const char *what)
{
    return fail(p, p->current.at, what, p->current.words);
}

static bool no_memory(parser *p)
{
    p->status = error_set(p->err, PF_NO_MEMORY, "out of memory while reading a rule");
    return false;
}

/* --- tokens ----------------------------------------------------------------------- */

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Bytes above 127 are letters of other scripts: `stage = 活跃` needs no quotes. */
static bool is_word_byte(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '.' || c == '-' ||
           (unsigned char)c >= 0x80;
}

static bool read_quoted(parser *p, char quote)
{
    size_t start = p->current.at + 1;
    const char *end = memchr(p->text + start, quote, p->n - start);
    if (end == NULL)
        return fail(p, p->current.at, "a closing quote is missing",
                    (text){p->text + p->current.at, p->n - p->current.at});
    p->current.kind = TOKEN_TEXT;
    p->current.words = (text){p->text + start, (size_t)(end - p->text) - start};
    p->next = (size_t)(end - p->text) + 1;
    return true;
}

static void read_word(parser *p)
{
    size_t end = p->current.at + 1;
    while (end < p->n && is_word_byte(p->text[end]))
        end++;
    p->current.words = (text){p->text + p->current.at, end - p->current.at};
    bool number = text_to_double(p->current.words, &p->current.number);
    p->current.kind = number ? TOKEN_NUMBER : TOKEN_WORD;
    p->next = end;
}

static bool read_sign(parser *p)
{
    char c = p->text[p->current.at];
    if (strchr("()=,<>!", c) == NULL)
        return fail(p, p->current.at,
                    "a name, a literal or one of ( ) = != < <= > >= was expected",
                    (text){p->text + p->current.at, 1});
    bool two = strchr("<>!=", c) != NULL && p->current.at + 1 < p->n &&
               p->text[p->current.at + 1] == '=';
    p->current.kind = TOKEN_SIGN;
    p->current.words = (text){p->text + p->current.at, two ? 2u : 1u};
    p->next = p->current.at + p->current.words.n;
    return true;
}

static bool advance(parser *p)
{
    while (p->next < p->n && strchr(" \t\r\n", p->text[p->next]) != NULL)
        p->next++;
    p->current = (token){.kind = TOKEN_END, .at = p->next};
    if (p->next == p->n) return true;
    char c = p->text[p->next];
    if (c == '"' || c == '\'') return read_quoted(p, c);
    if (!is_word_byte(c)) return read_sign(p);
    read_word(p);
    return true;
}

static bool at_word(const parser *p, const char *word)
{
    size_t n = strlen(word);
    return p->current.kind == TOKEN_WORD && p->current.words.n == n &&
           strncasecmp(p->current.words.data, word, n) == 0;
}

static bool at_sign(const parser *p, const char *sign)
{
    return p->current.kind == TOKEN_SIGN && text_is(p->current.words, sign);
}

static bool is_reserved(const parser *p)
{
    static const char *const words[] = {"and", "or", "not",  "in",   "is",
                                        "yes", "no", "true", "false"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (at_word(p, words[i])) return true;
    return false;
}

/* --- the program ------------------------------------------------------------------ */

static audience_step *add_step(parser *p, audience_step_kind kind)
{
    audience_step *step = &p->rule->steps[p->rule->n_steps++];
    *step = (audience_step){.kind = kind, .first_literal = p->rule->n_literals};
    return step;
}

static bool add_name(parser *p, uint32_t *out)
{
    text word = p->current.words;
    audience_rule *rule = p->rule;
    for (*out = 0; *out < rule->n_names; ++*out)
        if (text_is(word, rule->names[*out])) return true;
    const char *copy = arena_copy_text(&rule->memory, word.data, word.n);
    if (copy == NULL) return no_memory(p);
    rule->names[rule->n_names++] = copy;
    return true;
}

static bool add_literal(parser *p, audience_step *step)
{
    token *t = &p->current;
    audience_literal l = {.kind = AUDIENCE_TEXT};
    if (t->kind == TOKEN_NUMBER) {
        l.kind = AUDIENCE_NUMBER;
        l.number = t->number;
    } else if (at_word(p, "yes") || at_word(p, "true") || at_word(p, "no") ||
               at_word(p, "false")) {
        l.kind = AUDIENCE_FLAG;
        l.flag = at_word(p, "yes") || at_word(p, "true");
    } else if (t->kind == TOKEN_WORD ? is_reserved(p) : t->kind != TOKEN_TEXT) {
        return expected(p, "a number, a text in quotes, yes or no was expected");
    }
    l.text = arena_copy_text(&p->rule->memory, t->words.data, t->words.n);
    if (l.text == NULL) return no_memory(p);
    p->rule->literals[p->rule->n_literals++] = l;
    step->n_literals++;
    return advance(p);
}

/* --- the grammar ------------------------------------------------------------------ */

static bool parse_list(parser *p, audience_step *step)
{
    if (!at_sign(p, "(")) return expected(p, "'(' was expected after in");
    do {
        if (!advance(p) || !add_literal(p, step)) return false;
    } while (at_sign(p, ","));
    if (!at_sign(p, ")")) return expected(p, "',' or ')' was expected in the list");
    return advance(p);
}

static bool parse_is(parser *p, audience_step *step)
{
    bool known = at_word(p, "known");
    if (!known && !at_word(p, "unknown"))
        return expected(p, "known or unknown was expected after is");
    step->compare = known ? COMPARE_KNOWN : COMPARE_UNKNOWN;
    return advance(p);
}

static bool parse_comparison(parser *p, audience_step *step)
{
    static const struct {
        const char *sign;
        audience_compare compare;
    } signs[] = {{"=", COMPARE_EQUAL}, {"!=", COMPARE_UNEQUAL},
                 {"<", COMPARE_LESS},  {"<=", COMPARE_AT_MOST},
                 {">", COMPARE_MORE},  {">=", COMPARE_AT_LEAST}};
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (!at_sign(p, signs[i].sign)) continue;
        step->compare = signs[i].compare;
        if (!advance(p)) return false;
        if (i >= 2 && p->current.kind != TOKEN_NUMBER)
            return expected(p, "a number was expected: only numbers have an order");
        return add_literal(p, step);
    }
    return expected(p, at_sign(p, "==") ? "write = to compare"
                                        : "a comparison was expected");
}

/* A name alone means "= yes". */
static bool add_yes(parser *p, audience_step *step)
{
    step->compare = COMPARE_EQUAL;
    step->n_literals = 1;
    p->rule->literals[p->rule->n_literals++] =
        (audience_literal){.kind = AUDIENCE_FLAG, .flag = true, .text = "yes"};
    return true;
}

static bool parse_test(parser *p)
{
    if (p->current.kind != TOKEN_WORD || is_reserved(p) ||
        !is_letter(p->current.words.data[0]))
        return expected(p, "a name was expected");
    uint32_t name = 0;
    if (!add_name(p, &name)) return false;
    audience_step *step = add_step(p, STEP_TEST);
    step->name = name;
    if (!advance(p)) return false;
    if (at_word(p, "in")) {
        step->compare = COMPARE_IN;
        return advance(p) && parse_list(p, step);
    }
    if (at_word(p, "is")) return advance(p) && parse_is(p, step);
    if (p->current.kind == TOKEN_SIGN && !at_sign(p, "(") && !at_sign(p, ")") &&
        !at_sign(p, ","))
        return parse_comparison(p, step);
    return add_yes(p, step);
}

static bool parse_rule(parser *p);

static bool parse_term(parser *p)
{
    bool negated = false;
    while (at_word(p, "not")) {
        negated = !negated;
        if (!advance(p)) return false;
    }
    if (!at_sign(p, "(")) {
        if (!parse_test(p)) return false;
    } else {
        if (++p->depth > LIMIT_AUDIENCE_DEPTH) {
            p->status = error_set(p->err, PF_LIMIT,
                                  "audience rule: more than %u open parentheses",
                                  LIMIT_AUDIENCE_DEPTH);
            return false;
        }
        if (!advance(p) || !parse_rule(p)) return false;
        if (!at_sign(p, ")")) return expected(p, "and, or or ')' was expected");
        p->depth--;
        if (!advance(p)) return false;
    }
    if (negated) add_step(p, STEP_NOT);
    return true;
}

static bool parse_and(parser *p)
{
    if (!parse_term(p)) return false;
    while (at_word(p, "and")) {
        if (!advance(p) || !parse_term(p)) return false;
        add_step(p, STEP_AND);
    }
    return true;
}

static bool parse_rule(parser *p)
{
    if (!parse_and(p)) return false;
    while (at_word(p, "or")) {
        if (!advance(p) || !parse_and(p)) return false;
        add_step(p, STEP_OR);
    }
    return true;
}

/* --- the whole -------------------------------------------------------------------- */

/* Every step, literal and name takes at least one byte of the rule, so n + 2 are
 * enough. */
static pf_status rule_new(audience_rule **out, size_t n, pf_error *err)
{
    audience_rule *rule = mem_alloc_zero(1, sizeof *rule);
    if (rule == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory while reading a rule");
    arena_init(&rule->memory, 4u << 20);
    rule->steps = arena_alloc(&rule->memory, n + 2, sizeof *rule->steps);
    rule->literals = arena_alloc(&rule->memory, n + 2, sizeof *rule->literals);
    rule->names = arena_alloc(&rule->memory, n + 2, sizeof *rule->names);
    if (rule->steps == NULL || rule->literals == NULL || rule->names == NULL) {
        audience_free(rule);
        return error_set(err, PF_NO_MEMORY, "out of memory while reading a rule");
    }
    *out = rule;
    return PF_OK;
}

static pf_status check_bytes(const char *words, size_t n, pf_error *err)
{
    size_t at = 0;
    if (n > LIMIT_AUDIENCE_BYTES)
        return error_set(err, PF_LIMIT, "audience rule: %zu bytes, at most %u are read",
                         n, LIMIT_AUDIENCE_BYTES);
    if (!utf8_check(words, n, &at))
        return error_set_at(err, PF_DATA, NULL, 0, utf8_count(words, at) + 1,
                            "audience rule: the bytes here are not UTF-8");
    return PF_OK;
}

pf_status audience_parse(audience_rule **out, const char *words, size_t n, pf_error *err)
{
    audience_rule *rule = NULL;
    pf_status s = check_bytes(words, n, err);
    if (s == PF_OK) s = rule_new(&rule, n, err);
    if (s != PF_OK) return s;
    parser p = {.text = words, .n = n, .rule = rule, .err = err};
    bool good = advance(&p) && parse_rule(&p);
    if (good && p.current.kind != TOKEN_END)
        good = expected(&p, "and, or or the end was expected");
    if (!good) {
        audience_free(rule);
        return p.status;
    }
    *out = rule;
    return PF_OK;
}
