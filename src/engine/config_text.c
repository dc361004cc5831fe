/*
 * The proffer.yaml that `proffer init` writes: every key, its default, and a comment made
 * from the same table that reads it.
 */
#include <string.h>

#include "base/buffer.h"
#include "base/limits.h"
#include "engine/config.h"

static const char head[] =
    "# The configuration of this workspace. An environment variable goes over a key:\n"
    "# PROFFER_DECIDE_HOLDOUT=0.2 over decide: holdout.\n"
    "version: 1\n";

static const char channels[] =
    "  # The channels the shop uses, what one contact costs, and the most messages a\n"
    "  # shopper may get in seven days (0 = no cap).\n"
    "  channels:\n"
    "    - {channel: email, cost: 0, per_week: 2}\n"
    "  # Most messages a shopper gets about a tag of promotions, such as\n"
    "  # {tag: sale, per_day: 0, per_week: 1, per_month: 3}.\n"
    "  tags: []\n";

/* YAML's double-quoted form. */
static void add_quoted(buffer *b, const char *value)
{
    buffer_append_char(b, '"');
    for (; *value; value++) {
        if (*value == '"' || *value == '\\') buffer_append_char(b, '\\');
        if ((unsigned char)*value >= ' ') buffer_append_char(b, *value);
    }
    buffer_append_char(b, '"');
}

/* Opens a new part when the key's first word differs from the last one's. */
static const char *add_key(buffer *b, const config_key *k, const char *part,
                           const char *shop)
{
    const char *dot = strchr(k->path, '.');
    size_t n = (size_t)(dot - k->path);
    if (part == NULL || strncmp(part, k->path, n + 1) != 0)
        buffer_printf(b, "\n%.*s:\n", (int)n, k->path);
    bool words = strchr(k->kind, ' ') != NULL && strcmp(k->kind, "time zone") != 0;
    buffer_printf(b, "  # %s%s%s%s\n  %s: ", k->meaning, words ? " One of: " : "",
                  words ? k->kind : "", words ? "." : "", dot + 1);
    add_quoted(b, strcmp(k->path, "shop.name") == 0 ? shop : k->fallback);
    buffer_append_char(b, '\n');
    return k->path;
}

pf_status config_default_text(const char *shop, const char *code, char **out,
                              pf_error *err)
{
    buffer b;
    config_key k;
    const char *part = NULL;
    buffer_init(&b, LIMIT_YAML_BYTES);
    buffer_append_text(&b, head);
    for (uint32_t i = 0; config_describe_key(i, &k); i++) {
        part = add_key(&b, &k, part, shop);
        if (strcmp(k.path, "shop.name") == 0) {
            buffer_append_text(
                &b, "  # ISO 4217 code; all amounts of the workspace are in it.\n"
                    "  currency: ");
            add_quoted(&b, code);
            buffer_append_char(&b, '\n');
        }
        if (strcmp(k.path, "recommend.exclude_uncategorised") == 0)
            buffer_append_text(&b, "  # Category paths whose products are never ranked.\n"
                                   "  exclude: []\n");
        if (strcmp(k.path, "decide.draws") == 0)
            buffer_append_text(&b, channels);
    }
    buffer_append_text(&b, "  # Categories never named as somebody's favourites.\n"
                           "  sensitive: []\n");
    *out = buffer_take(&b);
    return *out ? PF_OK : error_set(err, PF_NO_MEMORY, "out of memory");
}
