/*
 * What is nobody's business: products that are never named as something a shopper likes,
 * because the message may be read over a shoulder: medicine, alcohol, tobacco, intimate
 * products, anything that tells of pregnancy or a baby, of origin or belief.
 *
 * A word of the list matches where a word of the text begins with it, in any case
 * ("wine" matches "WINES" and not "swine"); a word that is not ASCII matches anywhere.
 */
#ifndef PROFFER_MESSAGE_SENSITIVE_H
#define PROFFER_MESSAGE_SENSITIVE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct sensitive_list {
    const char *const *words; /* terminated, not empty; owned by the caller */
    uint32_t n;
} sensitive_list;

/* The built-in list, English and Chinese. */
sensitive_list sensitive_default(void);
bool sensitive_matches(const sensitive_list *list, const char *text);

#endif
