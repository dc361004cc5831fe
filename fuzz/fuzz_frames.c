/*
 * Files of message frames: whatever the bytes, the file is refused with a reason, or its
 * frames render whole messages that fit their channel.
 * Rooms: base shop message
 */
#include <assert.h>
#include <string.h>

#include "base/text.h"
#include "message/length.h"
#include "message/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A shop with one product and a promotion of every kind. */
static void render_all(const frame_set *set)
{
    static const product products[2] = {{.title = ""},
                                        {.id = "P", .title = "CHEESE, 8 OZ"}};
    promotion promotions[PROMOTION_KIND_COUNT + 1] = {{.id = ""}};
    const uint32_t scope[] = {1}, likes[] = {1};
    for (int k = 0; k < PROMOTION_KIND_COUNT; k++)
        promotions[k + 1] =
            (promotion){.id = "O",
                        .title = "SPRING SALE",
                        .kind = (promotion_kind)k,
                        .percent_hundredths = 1500,
                        .value_minor = 200,
                        .minimum_purchase_minor = k & 1 ? 3000 : MONEY_ABSENT,
                        .starts_us = TIME_ABSENT,
                        .ends_us = 1500000000000000,
                        .scope = scope,
                        .n_scope = 1};
    shop_catalogue c = {.n_products = 1,
                        .n_promotions = PROMOTION_KIND_COUNT,
                        .products = products,
                        .promotions = promotions,
                        .currency = {"USD", 2}};
    message_settings settings = message_settings_default();
    settings.shop = "Green Grocer";
    message_writer *w = NULL;
    arena memory;
    arena_init(&memory, 1u << 24);
    if (message_writer_new(&w, &c, set, &settings, NULL) == PF_OK)
        for (uint32_t p = 1; p <= c.n_promotions; p++)
            for (int by = 1; by < CHANNEL_COUNT; by++) {
                message_request r = {
                    p, (channel)by, (message_language)(p & 1), 0, 1, NULL, likes, 1};
                message m;
                if (message_render(w, &r, &memory, &m, NULL) != PF_OK) continue;
                assert(utf8_check(m.body, strlen(m.body), NULL));
                assert(length_fits((channel)by, m.body, strlen(m.body)));
                assert(length_fits_subject(m.subject, strlen(m.subject)));
                arena_reset(&memory);
            }
    message_writer_free(w);
    arena_free(&memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    frame_set *set = NULL;
    pf_error err = {0};
    if (frame_set_new(&set, NULL) != PF_OK) return 0;
    if (frame_set_parse(set, (const char *)data, size, "frames.yaml", &err) == PF_OK)
        render_all(set);
    else
        assert(err.message[0] != '\0');
    frame_set_free(set);
    return 0;
}
