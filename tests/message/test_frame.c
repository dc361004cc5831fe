/* Sets of frames: built in, added, read from YAML; what replaces what. */
#include "check.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "message/frame.h"

static const frame_key push_en = {PROMOTION_PERCENT_OFF, CHANNEL_PUSH, LANGUAGE_EN, ""};

static pf_status parse(frame_set *set, const char *yaml, pf_error *err)
{
    return frame_set_parse(set, yaml, strlen(yaml), "frames.yaml", err);
}

static void every_kind_channel_and_language_has_two_built_in_variants(void **state)
{
    (void)state;
    frame_set *set = NULL;
    assert_int_equal(frame_set_default(&set, NULL), PF_OK);
    for (int kind = 0; kind < PROMOTION_KIND_COUNT; kind++)
        for (int by = 1; by < CHANNEL_COUNT; by++)
            for (int language = 0; language < LANGUAGE_COUNT; language++) {
                frame_key key = {(promotion_kind)kind, (channel)by,
                                 (message_language)language, ""};
                assert_int_equal(frame_set_count(set, &key), 2);
                for (uint32_t v = 0; v < 2; v++) {
                    const frame *f = frame_set_get(set, &key, v);
                    assert_non_null(f);
                    assert_true(f->body.n_parts > 0);
                    assert_int_equal(f->subject.n_parts > 0, by == CHANNEL_EMAIL);
                    assert_int_equal(f->version, 1);
                }
                assert_null(frame_set_get(set, &key, 2));
            }
    frame_set_free(set);
}

static void variants_keep_the_order_in_which_they_were_added(void **state)
{
    (void)state;
    frame_set *set = NULL;
    assert_int_equal(frame_set_new(&set, NULL), PF_OK);
    static const char *const ids[] = {"c", "a", "b"};
    for (int i = 0; i < 3; i++) {
        frame_words w = {push_en, ids[i], 1, NULL, "{scope}"};
        assert_int_equal(frame_set_add(set, &w, NULL), PF_OK);
    }
    for (uint32_t i = 0; i < 3; i++)
        assert_string_equal(frame_set_get(set, &push_en, i)->id, ids[i]);
    frame_set_free(set);
}

static void a_promotion_with_frames_of_its_own_uses_only_those(void **state)
{
    (void)state;
    frame_set *set = NULL;
    frame_key coffee = push_en;
    coffee.promotion = "COFFEE";
    frame_words w = {coffee, "coffee-1", 7, NULL, "Coffee: {discount}"};
    assert_int_equal(frame_set_default(&set, NULL), PF_OK);
    assert_int_equal(frame_set_add(set, &w, NULL), PF_OK);
    assert_int_equal(frame_set_count(set, &coffee), 1);
    assert_int_equal(frame_set_get(set, &coffee, 0)->version, 7);
    coffee.promotion = "TEA";
    assert_int_equal(frame_set_count(set, &coffee), 2);
    coffee.promotion = NULL;
    assert_int_equal(frame_set_count(set, &coffee), 2);
    frame_set_free(set);
}

static const char good[] = "frames:\n"
                           "  - id: mine\n"
                           "    version: 3\n"
                           "    kind: percent_off\n"
                           "    channel: push\n"
                           "    language: en\n"
                           "    body: \"Ours: {discount} on [{products}|{scope}]\"\n"
                           "  - id: mine-mail\n"
                           "    kind: gift\n"
                           "    channel: email\n"
                           "    language: zh-CN\n"
                           "    subject: \"{discount}\"\n"
                           "    body: \"{scope}\"\n";

static void a_file_replaces_the_keys_it_names_and_no_others(void **state)
{
    (void)state;
    frame_set *set = NULL;
    pf_error err = {0};
    assert_int_equal(frame_set_default(&set, NULL), PF_OK);
    fingerprint before = frame_set_fingerprint(set);
    if (parse(set, good, &err) != PF_OK) fail_msg("%s", err.message);
    assert_int_equal(frame_set_count(set, &push_en), 1);
    assert_string_equal(frame_set_get(set, &push_en, 0)->id, "mine");
    assert_int_equal(frame_set_get(set, &push_en, 0)->version, 3);
    frame_key other = {PROMOTION_GIFT, CHANNEL_EMAIL, LANGUAGE_ZH, ""};
    assert_int_equal(frame_set_count(set, &other), 1);
    assert_int_equal(frame_set_get(set, &other, 0)->version, 1);
    other.language = LANGUAGE_EN;
    assert_int_equal(frame_set_count(set, &other), 2);
    fingerprint after = frame_set_fingerprint(set);
    assert_memory_not_equal(&before, &after, sizeof before);
    frame_set_free(set);
}

static void the_same_set_has_the_same_fingerprint(void **state)
{
    (void)state;
    frame_set *a = NULL, *b = NULL;
    assert_int_equal(frame_set_default(&a, NULL), PF_OK);
    assert_int_equal(frame_set_default(&b, NULL), PF_OK);
    fingerprint x = frame_set_fingerprint(a), y = frame_set_fingerprint(b);
    assert_memory_equal(&x, &y, sizeof x);
    frame_set_free(a);
    frame_set_free(b);
}

static fingerprint of_one_frame(channel by, const char *promotion)
{
    frame_set *set = NULL;
    const frame_words w = {.key = {PROMOTION_GIFT, by, LANGUAGE_EN, promotion},
                           .id = "one",
                           .version = 1,
                           .body = "A gift"};
    assert_int_equal(frame_set_new(&set, NULL), PF_OK);
    assert_int_equal(frame_set_add(set, &w, NULL), PF_OK);
    fingerprint f = frame_set_fingerprint(set);
    frame_set_free(set);
    return f;
}

static void the_fingerprint_tells_what_a_frame_is_for(void **state)
{
    (void)state;
    fingerprint push = of_one_frame(CHANNEL_PUSH, NULL), again = of_one_frame(CHANNEL_PUSH, "");
    fingerprint sms = of_one_frame(CHANNEL_SMS, NULL), bound = of_one_frame(CHANNEL_PUSH, "A");
    assert_memory_equal(&push, &again, sizeof push);
    assert_memory_not_equal(&push, &sms, sizeof push);
    assert_memory_not_equal(&push, &bound, sizeof push);
}

/* A file of one frame whose lines are given. */
static void wrong_file(const char *lines, pf_status expected, const char *part_of_message)
{
    char yaml[2048];
    frame_set *set = NULL;
    pf_error err = {0};
    (void)snprintf(yaml, sizeof yaml, "frames:\n  - %s", lines);
    assert_int_equal(frame_set_new(&set, NULL), PF_OK);
    pf_status s = parse(set, yaml, &err);
    if (s != expected || strstr(err.message, part_of_message) == NULL)
        fail_msg("%s\nsaid %s: '%s'", lines, status_name(s), err.message);
    frame_set_free(set);
}

#define REST "\n    channel: push\n    language: en\n    body: \"{scope}\"\n"

static void mistakes_in_a_file_are_named(void **state)
{
    (void)state;
    wrong_file("id: a\n    kind: half_price" REST, PF_USAGE,
               "there is no kind 'half_price'");
    wrong_file(
        "id: a\n    kind: gift\n    channel: pigeon\n    language: en\n    body: x\n",
        PF_USAGE, "there is no channel 'pigeon'");
    wrong_file(
        "id: a\n    kind: gift\n    channel: push\n    language: fr\n    body: x\n",
        PF_USAGE, "there is no language 'fr'");
    wrong_file("id: a b\n    kind: gift" REST, PF_USAGE, "letters, digits");
    wrong_file("id: a\n    kind: gift\n    subject: x" REST, PF_USAGE, "only an email");
    wrong_file(
        "id: a\n    kind: gift\n    channel: email\n    language: en\n    body: x\n",
        PF_USAGE, "needs a subject");
    wrong_file("id: a\n    kind: gift\n    colour: red" REST, PF_USAGE, "Unexpected key");
    wrong_file("id: a\n    kind: gift\n    channel: push\n    language: en\n", PF_USAGE,
               "Missing required");
    wrong_file("id: a\n    kind: gift\n    channel: push\n    language: en\n"
               "    body: \"{discout}\"\n",
               PF_USAGE, "did you mean {discount}?");
    wrong_file("id: a\n    kind: gift\n    channel: push\n    language: en\n"
               "    body: \"Only 5 left: {scope}\"\n",
               PF_USAGE, "frames.yaml: frame 'a': the words hold a number");
    wrong_file("id: a\n    kind: gift" REST "  - id: a\n    kind: gift" REST, PF_USAGE,
               "used twice");
    wrong_file("id: a\n    version: many\n    kind: gift" REST, PF_USAGE, "version");
}

static void what_is_no_frames_file_at_all_is_refused(void **state)
{
    (void)state;
    static const char *const files[] = {"",      "frames:\n",   "frames: []\n",
                                        "- a\n", "frames: 3\n", "frames:\n  - 3\n",
                                        "a: [",  "\xFF\xFE"};
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        frame_set *set = NULL;
        assert_int_equal(frame_set_new(&set, NULL), PF_OK);
        assert_int_equal(parse(set, files[i], NULL), PF_USAGE);
        frame_set_free(set);
    }
}

static void a_file_that_is_not_there_is_an_error(void **state)
{
    (void)state;
    frame_set *set = NULL;
    pf_error err = {0};
    assert_int_equal(frame_set_new(&set, NULL), PF_OK);
    assert_int_not_equal(frame_set_load(set, "/nonexistent/frames.yaml", &err), PF_OK);
    assert_true(strstr(err.message, "frames.yaml") != NULL || err.file[0] != '\0');
    frame_set_free(set);
}

static void there_is_a_most_number_of_frames(void **state)
{
    (void)state;
    frame_set *set = NULL;
    assert_int_equal(frame_set_new(&set, NULL), PF_OK);
    pf_status s = PF_OK;
    char id[16];
    for (unsigned i = 0; i <= LIMIT_FRAMES && s == PF_OK; i++) {
        frame_words w = {push_en, id, 1, NULL, "{scope}"};
        (void)snprintf(id, sizeof id, "f%u", i);
        s = frame_set_add(set, &w, NULL);
    }
    assert_int_equal(s, PF_LIMIT);
    assert_int_equal(frame_set_count(set, &push_en), LIMIT_FRAMES);
    frame_set_free(set);
}

static void every_failed_allocation_is_reported(void **state)
{
    (void)state;
    fault f = {0};
    while (fault_next(&f)) {
        frame_set *set = NULL;
        pf_status s = frame_set_default(&set, NULL);
        if (s == PF_OK) s = parse(set, good, NULL);
        if (fault_reached(&f)) assert_int_equal(s, PF_NO_MEMORY);
        frame_set_free(set);
    }
    assert_true(f.n > 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_channel_and_language_has_two_built_in_variants),
        cmocka_unit_test(variants_keep_the_order_in_which_they_were_added),
        cmocka_unit_test(a_promotion_with_frames_of_its_own_uses_only_those),
        cmocka_unit_test(a_file_replaces_the_keys_it_names_and_no_others),
        cmocka_unit_test(the_same_set_has_the_same_fingerprint),
        cmocka_unit_test(the_fingerprint_tells_what_a_frame_is_for),
        cmocka_unit_test(mistakes_in_a_file_are_named),
        cmocka_unit_test(what_is_no_frames_file_at_all_is_refused),
        cmocka_unit_test(a_file_that_is_not_there_is_an_error),
        cmocka_unit_test(there_is_a_most_number_of_frames),
        cmocka_unit_test(every_failed_allocation_is_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
