/* Sentence case for titles in capitals; see title.h for examples. */
#include "message/title.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* Shorter runs of capitals inside a title with small letters are names: "USB", "HP". */
enum { SHOUTED_LETTERS = 5, SHOUTED_LETTERS_ALONE = 3, SIZE_BYTES = 12 };

/* English words that begin with a capital wherever they stand. */
static const char *const proper[] = {
    "american",  "asian",    "belgian", "brazilian", "british",   "chinese",  "christmas",
    "danish",    "dutch",    "easter",  "english",   "french",    "german",   "greek",
    "halloween", "hispanic", "indian",  "irish",     "italian",   "japanese", "korean",
    "latin",     "mexican",  "polish",  "russian",   "scottish",  "spanish",  "swedish",
    "swiss",     "thai",     "turkish", "valentine", "vietnamese"};

/* A stretch of letters or digits. */
typedef struct word {
    size_t start, end;
    size_t letters;
    bool upper, lower, digit;
} word;

static bool is_upper(const unsigned char *p)
{
    return (p[0] >= 'A' && p[0] <= 'Z') ||
           (p[0] == 0xC3 && p[1] >= 0x80 && p[1] <= 0x9E && p[1] != 0x97);
}

static bool is_lower(const unsigned char *p)
{
    return (p[0] >= 'a' && p[0] <= 'z') ||
           (p[0] == 0xC3 && p[1] >= 0x9F && p[1] <= 0xBF && p[1] != 0xB7);
}

static bool is_digit(const unsigned char *p)
{
    return p[0] >= '0' && p[0] <= '9';
}

/* false behind the last word. */
static bool next_word(const char *title, size_t from, word *out)
{
    const unsigned char *p = (const unsigned char *)title;
    while (p[from] != 0 && !is_upper(p + from) && !is_lower(p + from) &&
           !is_digit(p + from))
        from++;
    *out = (word){.start = from, .end = from};
    while (p[out->end] != 0) {
        const unsigned char *c = p + out->end;
        if (is_digit(c))
            out->digit = true;
        else if (is_upper(c))
            out->upper = true;
        else if (is_lower(c))
            out->lower = true;
        else if (*c != '\'') /* "LAY'S" is one word */
            break;
        out->letters += *c != '\'' && !is_digit(c);
        out->end += *c == 0xC3 ? 2 : 1;
    }
    return out->end > out->start;
}

static void lower_byte(char *title, size_t i)
{
    if (title[i] >= 'A' && title[i] <= 'Z') title[i] = (char)(title[i] + 32);
    bool latin = i > 0 && (unsigned char)title[i - 1] == 0xC3;
    if (latin && is_upper((unsigned char *)title + i - 1))
        title[i] = (char)(title[i] + 32);
}

static bool is_proper(const char *title, const word *w)
{
    for (size_t i = 0; i < sizeof proper / sizeof proper[0]; i++)
        if (strlen(proper[i]) == w->end - w->start &&
            strncasecmp(proper[i], title + w->start, w->end - w->start) == 0)
            return true;
    return false;
}

/* Lowers a run of shouted words that starts at `from` and ends before `to`. */
static void quieten(char *title, size_t from, size_t to, size_t first_letter)
{
    word w;
    for (size_t at = from; at < to && next_word(title, at, &w) && w.start < to;
         at = w.end) {
        if (w.digit) continue;
        bool keep_first = w.start == first_letter || is_proper(title, &w);
        size_t skip = (unsigned char)title[w.start] == 0xC3 ? 2 : 1;
        for (size_t i = w.start + (keep_first ? skip : 0); i < w.end; i++)
            lower_byte(title, i);
    }
}

/* Finds runs of words without small letters and quietens the long ones. */
static void quieten_runs(char *title)
{
    word w;
    size_t run_start = 0, run_end = 0, letters = 0, first_letter = (size_t)-1;
    bool small = false;
    for (size_t at = 0; next_word(title, at, &w); at = w.end)
        small = small || (w.lower && !w.digit);
    size_t least = small ? SHOUTED_LETTERS : SHOUTED_LETTERS_ALONE;
    for (size_t at = 0;; at = w.end) {
        bool more = next_word(title, at, &w);
        if (more && first_letter == (size_t)-1 && w.letters > 0) first_letter = w.start;
        if (more && !w.lower) {
            if (letters == 0) run_start = w.start;
            letters += w.digit ? 0 : w.letters;
            run_end = w.end;
            continue;
        }
        if (letters >= least) quieten(title, run_start, run_end, first_letter);
        letters = 0;
        if (!more) return;
    }
}

/* Letters of other scripts than Latin: UTF-8 lead bytes from 0xC6 on, but for the signs
 * of general punctuation (0xE2). */
static bool other_script(const char *title)
{
    for (const unsigned char *p = (const unsigned char *)title; *p != 0; p++)
        if (*p >= 0xC6 && *p != 0xE2) return true;
    return false;
}

/* Bytes of a character that only steers how text is laid out: U+0080..9F are controls,
 * U+2028..202E break lines and turn the direction of everything behind them, U+2066..2069
 * do so too. 0 for any other. */
static size_t steering_bytes(const unsigned char *p)
{
    if (p[0] == 0xC2 && p[1] >= 0x80 && p[1] <= 0x9F) return 2;
    if (p[0] != 0xE2) return 0;
    if (p[1] == 0x80 && p[2] >= 0xA8 && p[2] <= 0xAE) return 3;
    return p[1] == 0x81 && p[2] >= 0xA6 && p[2] <= 0xA9 ? 3 : 0;
}

/* Single spaces for white space and control characters; a space behind a colon that a
 * letter follows, which takes one byte more each. Returns the length. */
static size_t tidy(char *into, const char *title)
{
    size_t n = 0;
    for (const unsigned char *p = (const unsigned char *)title; *p != 0; p++) {
        size_t steering = steering_bytes(p);
        bool space = *p <= ' ' || *p == 0x7F || steering > 0;
        if (steering > 0) p += steering - 1;
        if (space && (n == 0 || into[n - 1] == ' ')) continue;
        if (n > 0 && into[n - 1] == ':' && (is_upper(p) || is_lower(p))) into[n++] = ' ';
        into[n++] = space ? ' ' : (char)*p;
    }
    if (n > 0 && into[n - 1] == ' ') n--;
    into[n] = '\0';
    return n;
}

/* "NAME, 22 LB" -> "NAME (22 LB)", so that a list of names stays readable. The buffer has
 * one byte to spare. */
static void bracket_size(char *title, size_t n)
{
    char *comma = strrchr(title, ',');
    if (comma == NULL || comma == title || comma[1] != ' ') return;
    size_t size = n - (size_t)(comma - title) - 2;
    char first = comma[2];
    bool number = (first >= '0' && first <= '9') || first == '.';
    bool unit = size > 0 && size <= 3 && first >= 'A' && first <= 'Z';
    if (size > SIZE_BYTES || !(number || unit) || strchr(comma, '(') != NULL) return;
    comma[0] = ' ';
    comma[1] = '(';
    comma[2 + size] = ')';
    comma[3 + size] = '\0';
}

const char *title_readable(arena *memory, const char *title)
{
    char *copy = arena_alloc(memory, 2 * strlen(title) + 2, 1);
    if (copy == NULL) return NULL;
    size_t n = tidy(copy, title);
    if (other_script(copy)) return copy;
    bracket_size(copy, n);
    quieten_runs(copy);
    return copy;
}
