/*
 * profile: what is known of a shopper at a moment.
 */
#include "engine/workspace.h"
#include "features/profile.h"

proffer_status proffer_profile(proffer *p, const char *id, const char *at, char **json,
                               proffer_error *err)
{
    profile found;
    profile_scratch *scratch = NULL;
    profile_rules rules = profile_rules_default();
    uint32_t number = 0;
    int64_t at_us = 0;
    verb_result r;
    pf_status s = workspace_snapshot(p, inner(err));
    if (s == PF_OK)
        s = workspace_shopper(p, id, &number, inner(err));
    if (s == PF_OK)
        s = workspace_time(p, at, p->history->last_time_us + 1, &at_us, inner(err));
    if (s == PF_OK)
        s = profile_scratch_new(p->catalogue, &scratch, inner(err));
    rules.zone = p->zone;
    if (s == PF_OK)
        s = profile_compute(p->catalogue, p->history, number, at_us, &rules, scratch, &found,
                            inner(err));
    if (s == PF_OK) {
        verb_begin(&r);
        profile_write_json(&found, p->catalogue, p->history, &r.w);
        s = verb_end(&r, json, inner(err));
    }
    profile_scratch_free(scratch);
    return (proffer_status)s;
}
