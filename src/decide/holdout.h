/*
 * Who is left without promotions, to measure against: of everything, or of one campaign. Nobody
 * is drawn and nothing is stored: a salted hash of the shopper's id says it, so that a shopper
 * stays in or out for as long as the salt stays, a larger share only adds shoppers, and two
 * salts have nothing to do with each other. Decisions and their evaluation both ask here.
 *
 *     bool held = holdout_has(p->holdout_salt, p->holdout_share, shopper->id);
 *     char salt[HOLDOUT_SALT_BYTES];
 *     holdout_campaign_salt(p->holdout_salt, campaign->id, salt);
 *     bool held_here = holdout_has(salt, p->campaign_holdout_share, shopper->id);
 */
#ifndef PROFFER_DECIDE_HOLDOUT_H
#define PROFFER_DECIDE_HOLDOUT_H

#include <stdbool.h>

#include "base/hash.h"

/* share in [0, 1]: 0 holds nobody. */
bool holdout_has(const char *salt, double share, const char *shopper_id);

/* The salt of a campaign's own holdout, from the global one and the campaign's id. */
enum { HOLDOUT_SALT_BYTES = FINGERPRINT_TEXT_BYTES };
void holdout_campaign_salt(const char *salt, const char *campaign_id,
                           char into[HOLDOUT_SALT_BYTES]);

#endif
