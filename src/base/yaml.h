/*
 * YAML into structs, by libcyaml's fixed schemas, with its complaints turned into one
 * pf_error with line and column. Used for proffer.yaml, mapping files and message frames.
 *
 *     pf_status s = yaml_load(&top_schema, bytes, n, "proffer.yaml", (void **)&raw, err);
 *     ...
 *     yaml_release(&top_schema, raw);
 *
 * Unknown keys are errors, and so are aliases, by which a short file could fill the
 * memory. Thread-safe.
 */
#ifndef PROFFER_BASE_YAML_H
#define PROFFER_BASE_YAML_H

#include <stddef.h>

#include <cyaml/cyaml.h>

#include "base/status.h"

/* schema: of a CYAML_VALUE_MAPPING with CYAML_FLAG_POINTER. name is for messages. *out is
 * untouched on failure. PF_USAGE for wrong content, PF_NO_MEMORY. */
pf_status yaml_load(const cyaml_schema_value_t *schema, const char *bytes, size_t n,
                    const char *name, void **out, pf_error *err);
/* The same from a file of at most LIMIT_YAML_BYTES. */
pf_status yaml_load_file(const cyaml_schema_value_t *schema, const char *path, void **out,
                         pf_error *err);
/* NULL is fine. (libyaml has a yaml_free of its own, which must not be shadowed.) */
void yaml_release(const cyaml_schema_value_t *schema, void *value);

#endif
