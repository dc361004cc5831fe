/* Salted membership (holdout.h). */
#include "decide/holdout.h"

bool holdout_has(const char *salt, double share, const char *shopper_id)
{
    return share > 0 && hash_share(salt, shopper_id) < share;
}

/* Both texts with their lengths, so that no salt and campaign run into another pair. */
void holdout_campaign_salt(const char *salt, const char *campaign_id,
                           char into[HOLDOUT_SALT_BYTES])
{
    fingerprint_state s;
    fingerprint_begin(&s);
    fingerprint_add_text(&s, salt);
    fingerprint_add_text(&s, campaign_id);
    const fingerprint f = fingerprint_end(&s);
    fingerprint_format(&f, into);
}
