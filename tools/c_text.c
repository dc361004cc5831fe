/* Comments, literals, functions and identifiers of C text. See c_text.h. */
#include "tools/c_text.h"

#include <ctype.h>
#include <string.h>

#include "tools/source_tree.h"

/* --- blanking --------------------------------------------------------------------- */

static bool word_character(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static void blank(char *into, const char *from, size_t start, size_t end)
{
    for (size_t i = start; i < end; i++)
        into[i] = from[i] == '\n' ? '\n' : ' ';
}

static size_t line_comment_end(const char *text, size_t size, size_t at)
{
    while (at < size && (text[at] != '\n' || text[at - 1] == '\\'))
        at++;
    return at;
}

static size_t block_comment_end(const char *text, size_t size, size_t at)
{
    for (at += 2; at + 1 < size; at++)
        if (text[at] == '*' && text[at + 1] == '/') return at + 2;
    return size;
}

/* The closing quote of the literal that opens at `at`. A newline ends it too: an
 * apostrophe in assembler or in an #error must not swallow the rest of the file. */
static size_t literal_end(const char *text, size_t size, size_t at)
{
    char quote = text[at];
    for (at++; at < size && text[at] != quote && text[at] != '\n'; at++)
        if (text[at] == '\\' && at + 1 < size) at++;
    return at < size ? at : size;
}

/* C++'s R"delimiter( ... )delimiter": the quote that closes it. */
static size_t raw_literal_end(const char *text, size_t size, size_t at)
{
    const char *open = memchr(text + at, '(', size - at);
    if (open == NULL) return size;
    const char *delimiter = text + at + 1;
    size_t length = (size_t)(open - delimiter);
    for (size_t i = (size_t)(open - text); i + length + 1 < size; i++)
        if (text[i] == ')' && memcmp(text + i + 1, delimiter, length) == 0 &&
            text[i + 1 + length] == '"')
            return i + 1 + length;
    return size;
}

static bool opens_raw(const char *text, size_t at)
{
    return at > 0 && text[at] == '"' && text[at - 1] == 'R' &&
           (at < 2 || !word_character(text[at - 2]));
}

/* C++'s 1'000: the apostrophe separates digits. */
static bool separates_digits(const char *text, size_t at)
{
    return at > 0 && text[at] == '\'' && isdigit((unsigned char)text[at - 1]) &&
           isalnum((unsigned char)text[at + 1]);
}

char *c_text_blank(const char *text, size_t size)
{
    char *out = source_alloc(NULL, size + 1);
    memcpy(out, text, size);
    out[size] = '\0';
    for (size_t at = 0, end; at < size; at = end) {
        end = at + 1;
        if (text[at] == '/' && text[at + 1] == '/') {
            end = line_comment_end(text, size, at);
            blank(out, text, at, end);
        } else if (text[at] == '/' && text[at + 1] == '*') {
            end = block_comment_end(text, size, at);
            blank(out, text, at, end);
        } else if ((text[at] == '"' || text[at] == '\'') && !separates_digits(text, at)) {
            size_t close = opens_raw(text, at) ? raw_literal_end(text, size, at)
                                               : literal_end(text, size, at);
            blank(out, text, at + 1, close);
            end = close < size ? close + 1 : size;
        }
    }
    return out;
}

/* --- identifiers ------------------------------------------------------------------ */

const char *c_text_word(const char **at, size_t *length)
{
    const char *p = *at;
    while (*p != '\0') {
        if (!word_character(*p)) {
            p++;
            continue;
        }
        const char *start = p;
        while (word_character(*p))
            p++;
        *at = p;
        if (isdigit((unsigned char)*start)) /* a number, 0x1F or 1e9 */
            continue;
        *length = (size_t)(p - start);
        return start;
    }
    *at = p;
    return NULL;
}

bool c_text_calls(const char *after_word)
{
    return after_word[strspn(after_word, " \t\n")] == '(';
}

/* --- functions -------------------------------------------------------------------- */

enum { NESTING_MAX = 256 };

/* Where the scan is. `head_` fields tell what was seen of the declaration that an opening
 * brace at file level would belong to. */
typedef struct scan {
    size_t line;
    int depth;                     /* braces open, transparent ones left out */
    bool transparent[NESTING_MAX]; /* by brace: extern "C" or a namespace */
    int braces;
    int branch_depth[NESTING_MAX]; /* depth, braces at each open #if */
    int branch_braces[NESTING_MAX];
    int branches;
    int parentheses;
    bool head_call;       /* a parameter list came: name(...) */
    bool head_value;      /* an = came: an initialiser */
    bool head_scope;      /* extern or namespace came */
    size_t function_line; /* of the open function's brace; 0: none open */
} scan;

static void head_reset(scan *s)
{
    s->parentheses = 0;
    s->head_call = s->head_value = s->head_scope = false;
}

/* A directive line with its continuations. Each branch of an #if starts from the braces
 * that were open before it, so that two spellings of one opening line count once. */
static const char *directive(scan *s, const char *p)
{
    const char *at = p + 1;
    size_t length = 0;
    const char *word = c_text_word(&at, &length);
    if (word != NULL && length >= 2 && strncmp(word, "if", 2) == 0) {
        if (s->branches < NESTING_MAX) {
            s->branch_depth[s->branches] = s->depth;
            s->branch_braces[s->branches] = s->braces;
        }
        s->branches++;
    } else if (word != NULL && strncmp(word, "el", 2) == 0 && s->branches > 0 &&
               s->branches <= NESTING_MAX) {
        s->depth = s->branch_depth[s->branches - 1];
        s->braces = s->branch_braces[s->branches - 1];
    } else if (word != NULL && strncmp(word, "endif", 5) == 0 && s->branches > 0) {
        s->branches--;
    }
    while (*p != '\0' && (*p != '\n' || p[-1] == '\\')) {
        s->line += *p == '\n';
        p++;
    }
    return p;
}

static void open_brace(scan *s)
{
    bool transparent = s->depth == 0 && s->head_scope && !s->head_call && !s->head_value;
    if (s->braces < NESTING_MAX) s->transparent[s->braces] = transparent;
    s->braces++;
    if (transparent) {
        head_reset(s);
        return;
    }
    if (s->depth == 0 && s->head_call && !s->head_value) s->function_line = s->line;
    s->depth++;
}

/* Whether a function ended here. */
static bool close_brace(scan *s)
{
    if (s->braces == 0) return false;
    s->braces--;
    if (s->braces < NESTING_MAX && s->transparent[s->braces]) {
        head_reset(s);
        return false;
    }
    s->depth -= s->depth > 0;
    if (s->depth > 0) return false;
    head_reset(s);
    return s->function_line > 0;
}

/* What a declaration's word means to the brace that may follow it. Returns behind it. */
static const char *head_word(scan *s, const char *p)
{
    size_t length = 0;
    const char *at = p;
    const char *word = c_text_word(&at, &length);
    if (word != p) /* a number */
        return at;
    bool scope = (length == 6 && strncmp(word, "extern", 6) == 0) ||
                 (length == 9 && strncmp(word, "namespace", 9) == 0);
    bool attribute = (length == 13 && strncmp(word, "__attribute__", 13) == 0) ||
                     (length == 8 && strncmp(word, "_Alignas", 8) == 0) ||
                     (length == 7 && strncmp(word, "alignas", 7) == 0);
    s->head_scope = s->head_scope || scope;
    if (s->parentheses == 0 && !attribute && c_text_calls(at)) s->head_call = true;
    return at;
}

static void head_sign(scan *s, char c)
{
    s->parentheses += (c == '(') - (c == ')');
    if (c == '=' && s->parentheses == 0) s->head_value = true;
    if (c == ';' && s->parentheses == 0) head_reset(s);
}

c_function *c_text_functions(const char *blanked, size_t *count)
{
    scan s = {.line = 1};
    c_function *functions = NULL;
    *count = 0;
    bool line_start = true;
    for (const char *p = blanked; *p != '\0';) {
        if (*p == '#' && line_start) {
            p = directive(&s, p);
            continue;
        }
        line_start = *p == '\n' || (line_start && isspace((unsigned char)*p));
        s.line += *p == '\n';
        if (s.depth == 0 && word_character(*p)) {
            p = head_word(&s, p);
            continue;
        }
        if (*p == '{') {
            open_brace(&s);
        } else if (*p == '}') {
            if (close_brace(&s)) {
                functions = source_alloc(functions, (*count + 1) * sizeof *functions);
                functions[(*count)++] =
                    (c_function){s.function_line, s.line - s.function_line + 1};
                s.function_line = 0;
            }
        } else if (s.depth == 0) {
            head_sign(&s, *p);
        }
        p++;
    }
    return functions;
}
