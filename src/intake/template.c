/* Cutting templates into words and columns; see template.h. */
#include "intake/template.h"

#include <string.h>

template_cursor template_begin(text source)
{
    return (template_cursor){.rest = source};
}

static text take(template_cursor *c, size_t n)
{
    const text t = {c->rest.data, n};
    c->rest.data += n;
    c->rest.n -= n;
    return t;
}

static bool fault(template_cursor *c, const char *why)
{
    c->why = why;
    return false;
}

/* Up to the next brace. */
static size_t plain_length(text t)
{
    size_t n = 0;
    while (n < t.n && t.data[n] != '{' && t.data[n] != '}')
        n++;
    return n;
}

static bool take_column(template_cursor *c, template_piece *out)
{
    (void)take(c, 1);
    const char *close = memchr(c->rest.data, '}', c->rest.n);
    if (close == NULL) return fault(c, "a brace is opened and not closed");
    out->text = text_trim(take(c, (size_t)(close - c->rest.data)));
    (void)take(c, 1);
    out->is_column = true;
    if (out->text.n == 0) return fault(c, "there is no column between the braces");
    return true;
}

bool template_next(template_cursor *c, template_piece *out)
{
    if (c->rest.n == 0 || c->why != NULL) return false;
    const size_t n = plain_length(c->rest);
    out->is_column = false;
    if (n > 0) {
        out->text = take(c, n);
        return true;
    }
    const char brace = c->rest.data[0];
    if (c->rest.n > 1 && c->rest.data[1] == brace) {
        out->text = take(c, 1);
        (void)take(c, 1);
        return true;
    }
    return brace == '{' ? take_column(c, out)
                        : fault(c, "a brace is closed that was not opened");
}
