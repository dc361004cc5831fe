/* A tokeniser of product texts in any script; see words.h. */
#include "language/words.h"

#include <stdint.h>
#include <string.h>

typedef enum character_class {
    CLASS_NONE, /* separates */
    CLASS_LETTER,
    CLASS_DIGIT,
    CLASS_IDEOGRAPH, /* a word by itself, and a half of two */
    CLASS_JOINER,    /* dropped inside a word */
} character_class;

/* ---- characters ---- */

/* The letter without its accent for U+00C0 .. U+017F (Latin-1 and Latin Extended-A), by
 * the decompositions of the Unicode character database; '?' where there is no single
 * letter, '.' where it is no letter. */
static const char plain_latin[] =
    "aaaaaa?ceeeeiiiidnooooo.ouuuuy??"
    "aaaaaa?ceeeeiiiidnooooo.ouuuuy?y"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiii??jjkkklllllllllln"
    "nnnnnnnnoooooo??rrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
_Static_assert(sizeof plain_latin == 0x180 - 0xC0 + 1, "one letter for each character");

static uint32_t fold_latin(uint32_t c)
{
    const char plain = plain_latin[c - 0xC0];
    if (plain == '?') /* ae, thorn, sharp s and the like: only the case is folded */
        return c < 0xDF ? c + 0x20 : c;
    return plain == '.' ? ' ' : (unsigned char)plain;
}

/* Lower case, without accent or width. */
static uint32_t fold(uint32_t c)
{
    if (c >= 0xFF01 && c <= 0xFF5E) c -= 0xFEE0;
    if (c >= 'A' && c <= 'Z') return c + 0x20;
    if (c >= 0xC0 && c < 0x180) return fold_latin(c);
    if ((c >= 0x391 && c <= 0x3A9) || (c >= 0x410 && c <= 0x42F)) return c + 0x20;
    if (c >= 0x400 && c <= 0x40F) return c + 0x50;
    return c;
}

static bool between(uint32_t c, uint32_t low, uint32_t high)
{
    return c >= low && c <= high;
}

static bool is_ideograph(uint32_t c)
{
    return between(c, 0x4E00, 0x9FFF) || between(c, 0x3400, 0x4DBF) ||
           between(c, 0x3041, 0x30FF) || between(c, 0xAC00, 0xD7A3) ||
           between(c, 0xF900, 0xFAFF) || between(c, 0x20000, 0x323AF);
}

/* Blocks without letters above Latin-1: punctuation, arrows, symbols, private use,
 * forms of CJK punctuation, specials, emoji. */
static bool is_symbol(uint32_t c)
{
    return c < 0xAA || between(c, 0xAB, 0xB4) || between(c, 0xB6, 0xB9) ||
           between(c, 0xBB, 0xBF) || between(c, 0x2000, 0x2BFF) ||
           between(c, 0x3000, 0x3040) || between(c, 0x3200, 0x33FF) ||
           between(c, 0xE000, 0xF8FF) || between(c, 0xFE00, 0xFE6F) ||
           between(c, 0xFF00, 0xFF65) || between(c, 0xFFE0, 0xFFFF) ||
           between(c, 0x1F000, 0x1FAFF) || c >= 0xE0000;
}

static character_class classify(uint32_t c)
{
    if (between(c, 'a', 'z')) return CLASS_LETTER;
    if (between(c, '0', '9')) return CLASS_DIGIT;
    if (c == '\'' || c == 0x2019 || between(c, 0x300, 0x36F)) return CLASS_JOINER;
    if (is_ideograph(c)) return CLASS_IDEOGRAPH;
    return is_symbol(c) ? CLASS_NONE : CLASS_LETTER;
}

/* ---- words ---- */

typedef struct cutter {
    word_sink *sink;
    void *context;
    bool stopped;
    char word[WORD_BYTES];
    size_t n;
    character_class kind; /* of the word being built */
    char last[4];         /* the ideograph just before, */
    size_t last_n;        /* its bytes; 0 = none */
} cutter;

static void give(cutter *c, const char *word, size_t n)
{
    c->stopped = c->stopped || !c->sink(c->context, word, n);
}

static bool ends(const cutter *c, const char *with)
{
    const size_t n = strlen(with);
    return c->n >= n && memcmp(c->word + c->n - n, with, n) == 0;
}

/* The S stemmer's rules; its second, "es" -> "e", drops the same letter as its third. */
static void drop_plural(cutter *c)
{
    for (size_t i = 0; i < c->n; i++)
        if (!between((unsigned char)c->word[i], 'a', 'z')) return;
    if (c->n < 4 || !ends(c, "s") || ends(c, "us") || ends(c, "ss")) return;
    const bool to_y = ends(c, "ies") && !ends(c, "eies") && !ends(c, "aies");
    c->n -= to_y ? 2 : 1;
    if (to_y) c->word[c->n - 1] = 'y';
}

static void end_word(cutter *c)
{
    if (c->n > 0) {
        drop_plural(c);
        give(c, c->word, c->n);
    }
    c->n = 0;
    c->last_n = 0;
}

static void add_to_word(cutter *c, uint32_t character, character_class kind)
{
    char bytes[4];
    const size_t n = utf8_put(character, bytes);
    if (c->kind != kind || c->last_n > 0) end_word(c);
    c->kind = kind;
    if (c->n + n > WORD_BYTES) return;
    memcpy(c->word + c->n, bytes, n);
    c->n += n;
}

static void add_ideograph(cutter *c, uint32_t character)
{
    char pair[8];
    if (c->n > 0) end_word(c);
    memcpy(pair, c->last, c->last_n);
    const size_t n = utf8_put(character, pair + c->last_n);
    give(c, pair + c->last_n, n);
    if (c->last_n > 0) give(c, pair, c->last_n + n);
    memmove(c->last, pair + c->last_n, n);
    c->last_n = n;
}

/* A point between digits belongs to the number. */
static bool is_decimal_point(const cutter *c, uint32_t character, const char *next,
                             const char *end)
{
    return character == '.' && c->n > 0 && c->kind == CLASS_DIGIT && next < end &&
           !memchr(c->word, '.', c->n) && between(fold(utf8_next(&next, end)), '0', '9');
}

static void cut_checked(cutter *c, const char *p, const char *end)
{
    while (p < end && !c->stopped) {
        const uint32_t character = fold(utf8_next(&p, end));
        const character_class kind = classify(character);
        if (is_decimal_point(c, character, p, end))
            add_to_word(c, character, CLASS_DIGIT);
        else if (kind == CLASS_LETTER || kind == CLASS_DIGIT)
            add_to_word(c, character, kind);
        else if (kind == CLASS_IDEOGRAPH)
            add_ideograph(c, character);
        else if (kind == CLASS_NONE || c->n == 0)
            end_word(c);
    }
}

bool words_of(text t, word_sink *sink, void *context)
{
    cutter c = {.sink = sink, .context = context};
    size_t wrong;
    while (!utf8_check(t.data, t.n, &wrong)) {
        cut_checked(&c, t.data, t.data + wrong);
        end_word(&c);
        t = (text){t.data + wrong + 1, t.n - wrong - 1};
    }
    cut_checked(&c, t.data, t.data + t.n);
    end_word(&c);
    return !c.stopped;
}
