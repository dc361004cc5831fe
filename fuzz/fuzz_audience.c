/*
 * Audience rules: whatever the bytes, a rule is refused with a reason or answers for any
 * profile, and says of an unknown value neither yes nor no by accident of its kind.
 * Rooms: base decide
 */
#include <assert.h>
#include <string.h>

#include "decide/audience.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void lookup(void *context, uint32_t shopper, const char *name, audience_value *out)
{
    static const char *const texts[] = {"active", "", "12.5", "yes", "no", "x"};
    const unsigned *kind = context;
    assert(name[0] != '\0' && shopper == 3);
    *out = (audience_value){.kind = (audience_kind)(*kind % 4),
                            .number = (double)*kind - 2,
                            .flag = *kind & 1,
                            .text = texts[*kind % 6]};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    audience_rule *rule = NULL;
    pf_error err = {0};
    pf_status s = audience_parse(&rule, (const char *)data, size, &err);
    if (s != PF_OK) {
        assert(rule == NULL && err.message[0] != '\0');
        return 0;
    }
    for (uint32_t i = 0; i < audience_name_count(rule); i++)
        assert(strlen(audience_name(rule, i)) > 0);
    for (unsigned kind = 0; kind < 12; kind++) {
        audience_answer a = audience_test(rule, lookup, &kind, 3);
        assert(a == AUDIENCE_NO || a == AUDIENCE_YES || a == AUDIENCE_UNKNOWN);
        audience_blame why;
        buffer b;
        buffer_init(&b, 1u << 16);
        assert(audience_test_why(rule, lookup, &kind, 3, &why) == a);
        if (a != AUDIENCE_YES) audience_describe(rule, why.step, why.should_hold, &b);
        assert(!b.failed && (a == AUDIENCE_YES || b.length > 0));
        buffer_free(&b);
    }
    audience_free(rule);
    return 0;
}
