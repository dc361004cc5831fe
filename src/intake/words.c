/* Names of events; see words.h. Sources: Segment, "Ecommerce Events", "Email Events" and
 * "Mobile App Install/Push Events" of its spec; Google, "Recommended events" of GA4. */
#include "intake/words.h"

#include <string.h>

enum { WORD_BYTES = 64 };

static const event_word words[] = {
    /* our own */
    {"exposure", EVENT_EXPOSURE, CHANNEL_NONE, "Proffer"},
    {"click", EVENT_CLICK, CHANNEL_NONE, "Proffer"},
    {"view", EVENT_VIEW, CHANNEL_NONE, "Proffer"},
    {"addtocart", EVENT_ADD_TO_CART, CHANNEL_NONE, "Proffer, GA4"},
    {"purchase", EVENT_PURCHASE, CHANNEL_NONE, "Proffer, GA4"},
    {"return", EVENT_RETURN, CHANNEL_NONE, "Proffer"},
    {"redemption", EVENT_REDEMPTION, CHANNEL_NONE, "Proffer"},
    {"rating", EVENT_RATING, CHANNEL_NONE, "Proffer"},
    {"dismissal", EVENT_DISMISSAL, CHANNEL_NONE, "Proffer"},
    {"unsubscribe", EVENT_UNSUBSCRIBE, CHANNEL_NONE, "Proffer"},
    /* Segment */
    {"promotionviewed", EVENT_EXPOSURE, CHANNEL_SITE, "Segment"},
    {"promotionclicked", EVENT_CLICK, CHANNEL_SITE, "Segment"},
    {"productclicked", EVENT_CLICK, CHANNEL_SITE, "Segment"},
    {"productviewed", EVENT_VIEW, CHANNEL_SITE, "Segment"},
    {"productadded", EVENT_ADD_TO_CART, CHANNEL_NONE, "Segment"},
    {"ordercompleted", EVENT_PURCHASE, CHANNEL_NONE, "Segment"},
    {"orderrefunded", EVENT_RETURN, CHANNEL_NONE, "Segment"},
    {"couponapplied", EVENT_REDEMPTION, CHANNEL_NONE, "Segment"},
    {"productreviewed", EVENT_RATING, CHANNEL_NONE, "Segment"},
    {"emaildelivered", EVENT_EXPOSURE, CHANNEL_EMAIL, "Segment"},
    {"emaillinkclicked", EVENT_CLICK, CHANNEL_EMAIL, "Segment"},
    {"unsubscribed", EVENT_UNSUBSCRIBE, CHANNEL_EMAIL, "Segment"},
    {"pushnotificationreceived", EVENT_EXPOSURE, CHANNEL_PUSH, "Segment"},
    {"pushnotificationtapped", EVENT_CLICK, CHANNEL_PUSH, "Segment"},
    /* GA4 */
    {"viewpromotion", EVENT_EXPOSURE, CHANNEL_SITE, "GA4"},
    {"selectpromotion", EVENT_CLICK, CHANNEL_SITE, "GA4"},
    {"selectitem", EVENT_CLICK, CHANNEL_SITE, "GA4"},
    {"viewitem", EVENT_VIEW, CHANNEL_SITE, "GA4"},
    {"refund", EVENT_RETURN, CHANNEL_NONE, "GA4"},
    {"notificationreceive", EVENT_EXPOSURE, CHANNEL_PUSH, "GA4"},
    {"notificationopen", EVENT_CLICK, CHANNEL_PUSH, "GA4"},
    {"notificationdismiss", EVENT_DISMISSAL, CHANNEL_PUSH, "GA4"},
    /* common in logs of shops */
    {"impression", EVENT_EXPOSURE, CHANNEL_NONE, "common"},
    {"exposed", EVENT_EXPOSURE, CHANNEL_NONE, "common"},
    {"sent", EVENT_EXPOSURE, CHANNEL_NONE, "common"},
    {"delivered", EVENT_EXPOSURE, CHANNEL_NONE, "common"},
    {"shown", EVENT_EXPOSURE, CHANNEL_NONE, "common"},
    {"clicked", EVENT_CLICK, CHANNEL_NONE, "common"},
    {"pageview", EVENT_VIEW, CHANNEL_NONE, "common"},
    {"viewed", EVENT_VIEW, CHANNEL_NONE, "common"},
    {"cart", EVENT_ADD_TO_CART, CHANNEL_NONE, "common"},
    {"buy", EVENT_PURCHASE, CHANNEL_NONE, "common"},
    {"order", EVENT_PURCHASE, CHANNEL_NONE, "common"},
    {"sale", EVENT_PURCHASE, CHANNEL_NONE, "common"},
    {"transaction", EVENT_PURCHASE, CHANNEL_NONE, "common"},
    {"purchased", EVENT_PURCHASE, CHANNEL_NONE, "common"},
    {"returned", EVENT_RETURN, CHANNEL_NONE, "common"},
    {"redeem", EVENT_REDEMPTION, CHANNEL_NONE, "common"},
    {"redeemed", EVENT_REDEMPTION, CHANNEL_NONE, "common"},
    {"review", EVENT_RATING, CHANNEL_NONE, "common"},
    {"rate", EVENT_RATING, CHANNEL_NONE, "common"},
    {"rated", EVENT_RATING, CHANNEL_NONE, "common"},
    {"dismiss", EVENT_DISMISSAL, CHANNEL_NONE, "common"},
    {"dismissed", EVENT_DISMISSAL, CHANNEL_NONE, "common"},
    {"optout", EVENT_UNSUBSCRIBE, CHANNEL_NONE, "common"},
};

size_t word_fold(text name, char *into, size_t size)
{
    size_t n = 0;
    for (size_t i = 0; i < name.n && n + 1 < size; i++) {
        const char c = name.data[i];
        if (c >= 'A' && c <= 'Z')
            into[n++] = (char)(c - 'A' + 'a');
        else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c & 0x80) != 0)
            into[n++] = c;
    }
    into[n] = 0;
    return n;
}

const event_word *event_word_find(text name)
{
    char folded[WORD_BYTES];
    if (name.n >= WORD_BYTES) return NULL;
    (void)word_fold(name, folded, sizeof folded);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].name, folded) == 0) return &words[i];
    return NULL;
}

const event_word *event_word_at(size_t i)
{
    return i < sizeof words / sizeof *words ? &words[i] : NULL;
}
