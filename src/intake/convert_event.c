/* Rows -> events: the hot path of an import; see convert.h. */
#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "intake/convert.h"
#include "intake/words.h"

/* --- what happened ---------------------------------------------------------------- */

static bool memo_holds(const word_memo *memo, text word)
{
    return word.n == memo->n && memo->n > 0 && memcmp(word.data, memo->word, word.n) == 0;
}

static void memo_keep(word_memo *memo, text word, int value, channel ch)
{
    memo->n = word.n <= sizeof memo->word ? word.n : 0;
    memcpy(memo->word, word.data, memo->n);
    memo->value = value;
    memo->channel = ch;
}

/* A file without a column for the type: a rating is a rating, an order line a purchase. */
static bool guess_type(converter *c, const row_view *v, event_record *r, value_fault *f)
{
    static const int bought[] = {EVENTS_ORDER, EVENTS_PAID, EVENTS_UNIT_PRICE};
    text value;
    TRY(convert_value(c, v, EVENTS_RATING, &value, f));
    if (value.n > 0) {
        r->type = EVENT_RATING;
        return true;
    }
    for (size_t i = 0; i < sizeof bought / sizeof *bought; i++) {
        TRY(convert_value(c, v, bought[i], &value, f));
        if (value.n > 0) {
            r->type = EVENT_PURCHASE;
            return true;
        }
    }
    return fault_set(f, REASON_MISSING_VALUE, EVENTS_TYPE,
                     "nothing says what happened (type, rating, order, paid ...)");
}

static bool convert_type(converter *c, const row_view *v, event_record *r, value_fault *f)
{
    char words[SHOWN_BYTES];
    text value;
    if (c->binding->fields[EVENTS_TYPE].n_pieces == 0) return guess_type(c, v, r, f);
    TRY(convert_value(c, v, EVENTS_TYPE, &value, f));
    if (!memo_holds(&c->type, value)) {
        const event_word *word = event_word_find(value);
        if (value.n == 0)
            return fault_set(f, REASON_MISSING_VALUE, EVENTS_TYPE, "the value is blank");
        if (word == NULL)
            return fault_set(
                f, REASON_BAD_WORD, EVENTS_TYPE,
                "'%s' is no event we know; translate it with 'values' in the "
                "mapping, or leave such rows out with 'where'",
                shown(value, words));
        memo_keep(&c->type, value, (int)word->type, word->channel);
        r->type = word->type;
        r->channel = word->channel;
        return true;
    }
    r->type = (event_type)c->type.value;
    r->channel = c->type.channel;
    return true;
}

static bool convert_channel(converter *c, const row_view *v, event_record *r,
                            value_fault *f)
{
    char words[SHOWN_BYTES];
    text value;
    TRY(convert_value(c, v, EVENTS_CHANNEL, &value, f));
    if (value.n == 0) return true;
    if (!memo_holds(&c->channel, value)) {
        const channel ch = channel_parse(value);
        if (ch == CHANNEL_NONE)
            return fault_set(f, REASON_BAD_WORD, EVENTS_CHANNEL,
                             "'%s' is no channel (push, email, sms, site, wechat, mail)",
                             shown(value, words));
        memo_keep(&c->channel, value, (int)ch, ch);
    }
    r->channel = c->channel.n > 0 ? c->channel.channel : channel_parse(value);
    return true;
}

/* --- to whom, with what ----------------------------------------------------------- */

static bool convert_references(converter *c, const row_view *v, event_record *r,
                               value_fault *f)
{
    const bool anonymous = c->binding->table->missing_shopper == MISSING_ANONYMOUS;
    TRY(convert_text(c, v, EVENTS_ID, LIMIT_ID_BYTES, &r->id, f));
    TRY(convert_text(c, v, EVENTS_SHOPPER, LIMIT_ID_BYTES, &r->shopper, f));
    TRY(convert_text(c, v, EVENTS_PRODUCT, LIMIT_ID_BYTES, &r->product, f));
    TRY(convert_text(c, v, EVENTS_PROMOTION, LIMIT_ID_BYTES, &r->promotion, f));
    TRY(convert_text(c, v, EVENTS_CAMPAIGN, LIMIT_ID_BYTES, &r->campaign, f));
    TRY(convert_text(c, v, EVENTS_ORDER, LIMIT_ID_BYTES, &r->order, f));
    TRY(convert_text(c, v, EVENTS_DECISION, LIMIT_ID_BYTES, &r->decision, f));
    if (r->shopper.n == 0 && !anonymous)
        return fault_set(
            f, REASON_MISSING_VALUE, EVENTS_SHOPPER,
            "no shopper; where that is right, say missing_shopper: anonymous");
    return true;
}

/* What an event of each type cannot be without. */
static bool check_objects(const event_record *r, value_fault *f)
{
    const char *name = event_type_name(r->type);
    switch (r->type) {
    case EVENT_VIEW:
    case EVENT_ADD_TO_CART:
    case EVENT_PURCHASE:
    case EVENT_RETURN:
    case EVENT_RATING:
        return r->product.n > 0 || fault_set(f, REASON_MISSING_VALUE, EVENTS_PRODUCT,
                                             "a %s needs a product", name);
    case EVENT_EXPOSURE:
        return r->promotion.n + r->campaign.n + r->decision.n > 0 ||
               fault_set(f, REASON_MISSING_VALUE, EVENTS_PROMOTION,
                         "an exposure needs a promotion or a campaign");
    case EVENT_REDEMPTION:
        return r->promotion.n + r->decision.n > 0 ||
               fault_set(f, REASON_MISSING_VALUE, EVENTS_PROMOTION,
                         "a redemption needs a promotion");
    case EVENT_CLICK:
    case EVENT_DISMISSAL:
        return r->product.n + r->promotion.n + r->campaign.n + r->decision.n > 0 ||
               fault_set(f, REASON_MISSING_VALUE, EVENTS_PROMOTION,
                         "a %s needs a product, a promotion or a campaign", name);
    default: return true;
    }
}

/* --- how much --------------------------------------------------------------------- */

/* Bought and given back: amounts are positive either way, the type tells them apart. */
static bool turn_into_return(converter *c, event_record *r, value_fault *f)
{
    if (r->type == EVENT_PURCHASE &&
        c->binding->table->returns == RETURNS_NEGATIVE_QUANTITY)
        r->type = EVENT_RETURN;
    if (r->type != EVENT_RETURN)
        return fault_set(f, REASON_OUT_OF_RANGE, EVENTS_QUANTITY,
                         "%.15g is negative; where that means a return, say returns: "
                         "negative_quantity",
                         r->quantity);
    r->quantity = -r->quantity;
    if (r->paid_minor != MONEY_ABSENT && r->paid_minor < 0)
        r->paid_minor = -r->paid_minor;
    return true;
}

static bool convert_paid(converter *c, const row_view *v, text quantity, event_record *r,
                         value_fault *f)
{
    text paid, unit_price;
    TRY(convert_value(c, v, EVENTS_PAID, &paid, f));
    if (paid.n > 0)
        return check_signed_amount(paid, &c->rules, EVENTS_PAID, &r->paid_minor, f);
    TRY(convert_value(c, v, EVENTS_UNIT_PRICE, &unit_price, f));
    if (unit_price.n == 0) return true;
    return check_line_amount(unit_price, quantity, &c->rules, EVENTS_UNIT_PRICE,
                             EVENTS_QUANTITY, &r->paid_minor, f);
}

static bool convert_amounts(converter *c, const row_view *v, event_record *r,
                            value_fault *f)
{
    char words[SHOWN_BYTES];
    text quantity;
    TRY(convert_currency(c, v, EVENTS_CURRENCY, f));
    TRY(convert_value(c, v, EVENTS_QUANTITY, &quantity, f));
    if (quantity.n > 0)
        TRY(check_number(quantity, &c->rules, EVENTS_QUANTITY, &r->quantity, f));
    if (fabs(r->quantity) > LIMIT_QUANTITY)
        return fault_set(f, REASON_OUT_OF_RANGE, EVENTS_QUANTITY,
                         "%s is larger than a billion", shown(quantity, words));
    TRY(convert_paid(c, v, quantity, r, f));
    if (r->quantity < 0) TRY(turn_into_return(c, r, f));
    if (r->paid_minor != MONEY_ABSENT && r->paid_minor < 0)
        return fault_set(f, REASON_OUT_OF_RANGE,
                         c->binding->fields[EVENTS_PAID].n_pieces > 0 ? EVENTS_PAID
                                                                      : EVENTS_UNIT_PRICE,
                         "the amount is negative and the quantity is not");
    TRY(convert_amount(c, v, EVENTS_DISCOUNT, &r->discount_minor, f));
    return convert_amount(c, v, EVENTS_COUPON, &r->coupon_minor, f);
}

static bool convert_opinions(converter *c, const row_view *v, event_record *r,
                             value_fault *f)
{
    char words[SHOWN_BYTES];
    text value;
    double number;
    TRY(convert_value(c, v, EVENTS_RATING, &value, f));
    if (value.n > 0) {
        TRY(check_number(value, &c->rules, EVENTS_RATING, &number, f));
        if (fabs(number) > 1e6)
            return fault_set(f, REASON_OUT_OF_RANGE, EVENTS_RATING,
                             "%s is no rating: it is larger than a million",
                             shown(value, words));
        r->rating = (float)number;
    } else if (r->type == EVENT_RATING) {
        return fault_set(f, REASON_MISSING_VALUE, EVENTS_RATING, "the value is blank");
    }
    TRY(convert_value(c, v, EVENTS_PROPENSITY, &value, f));
    if (value.n == 0) return true;
    TRY(check_number(value, &c->rules, EVENTS_PROPENSITY, &number, f));
    if (!(number > 0 && number <= 1) || (float)number <= 0)
        return fault_set(f, REASON_OUT_OF_RANGE, EVENTS_PROPENSITY,
                         "%s is no probability above 0 and up to 1", shown(value, words));
    r->propensity = (float)number;
    return true;
}

bool convert_event(converter *c, const row_view *v, event_record *r, value_fault *f)
{
    text time;
    *r = (event_record){.quantity = 1,
                        .paid_minor = MONEY_ABSENT,
                        .discount_minor = MONEY_ABSENT,
                        .coupon_minor = MONEY_ABSENT,
                        .rating = NAN,
                        .propensity = NAN};
    TRY(convert_type(c, v, r, f));
    TRY(convert_needed(c, v, EVENTS_TIME, LIMIT_ID_BYTES, &time, f));
    TRY(check_time(time, &c->rules, EVENTS_TIME, &r->time_us, &r->date_only, f));
    TRY(convert_references(c, v, r, f));
    TRY(check_objects(r, f));
    TRY(convert_channel(c, v, r, f));
    TRY(convert_amounts(c, v, r, f));
    TRY(convert_opinions(c, v, r, f));
    return convert_attributes(c, v, EVENTS_ATTRIBUTES, &r->attributes, f);
}
