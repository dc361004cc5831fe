/*
 * The content of an event as a hash: everything it says, with ids as texts, so that two
 * stores agree on it whatever their numbers; without its own id and origin. Equal
 * content, equal hash: it tells a repeated event from a conflict, is the identity of an
 * event without an id, and is what an event adds to the sum of the tallies.
 */
#ifndef PROFFER_STORE_EVENT_CONTENT_H
#define PROFFER_STORE_EVENT_CONTENT_H

#include "base/buffer.h"
#include "base/hash.h"
#include "shop/record.h"
#include "store/id_run.h"

/* scratch: any buffer with room for an event's texts. PF_NO_MEMORY. */
pf_status event_content_hash(const event_record *r, buffer *scratch, hash_128 *out,
                             pf_error *err);
/* What the store knows the event by: its id, or its content where it has none. */
id_hash event_identity(const event_record *r, const hash_128 *content,
                       const hash_key *key);

/* Room for the fixed part and the largest texts. */
enum { EVENT_CONTENT_MAX_BYTES = 1 << 18 };

#endif
