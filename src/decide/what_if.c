/* The table of what would have to be otherwise; see what_if.h. */
#include "decide/what_if.h"

#include "shop/record.h"

/* A row holds in a case of its reason; of several the first is taken. */
typedef bool what_if_case(const reason_facts *f);

typedef struct what_if_row {
    decide_reason reason;
    what_if_case *holds; /* NULL: always */
    const char *sentence[LANGUAGE_COUNT];
} what_if_row;

static bool has_lot(const reason_facts *f)
{
    return f->propensity > 0 && f->propensity < 1;
}

static bool starts(const reason_facts *f)
{
    return f->from_us != TIME_ABSENT && f->from_us != 0;
}

static bool ends(const reason_facts *f)
{
    return f->until_us != TIME_ABSENT && f->until_us != 0;
}

static bool starts_and_ends(const reason_facts *f)
{
    return starts(f) && ends(f);
}

/* Of what was logged without both: what the rule itself said. */
static bool is_early(const reason_facts *f)
{
    return f->seen != 0;
}

static bool has_comparison(const reason_facts *f)
{
    return f->wants != NULL;
}

static bool wants_scores(const reason_facts *f)
{
    return f->lever == LEVER_SCORES;
}

static bool wants_bound(const reason_facts *f)
{
    return f->lever == LEVER_LARGEST_DISCOUNT;
}

static bool wants_both(const reason_facts *f)
{
    return f->lever == LEVER_BOTH_DISCOUNTS;
}

static bool by_redeem(const reason_facts *f)
{
    return f->lever == LEVER_REDEEM;
}

static bool by_lift(const reason_facts *f)
{
    return f->lever == LEVER_LIFT;
}

static bool by_gain(const reason_facts *f)
{
    return f->lever == LEVER_GAIN;
}

static bool by_gain_or_more(const reason_facts *f)
{
    return f->lever == LEVER_GAIN && f->more > 0;
}

static bool by_more(const reason_facts *f)
{
    return f->more > 0;
}

static const what_if_row rows[] = {
    {REASON_CHOSEN,
     has_lot,
     {"Another lot could have fallen otherwise: {chance} of them send it.",
      "换一次抽签结果可能不同：{chance}的签会发送它。"}},
    {REASON_CHOSEN,
     NULL,
     {"It would not be sent by {channel} if its expected gain were below {least} (it is {gain}).",
      "若预期收益低于{least}（现为{gain}），则不会通过{channel}发送。"}},
    {REASON_UNKNOWN_SHOPPER,
     NULL,
     {"It could be sent if the shopper were known.", "若有该顾客的资料，则可发送。"}},
    {REASON_NOT_LIVE,
     starts_and_ends,
     {"It could be sent from {from} until {until}.", "可在{from}至{until}之间发送。"}},
    {REASON_NOT_LIVE,
     starts,
     {"It could be sent from {from} on.", "自{from}起可发送。"}},
    {REASON_NOT_LIVE,
     ends,
     {"It could have been sent before {until}.", "在{until}之前可发送。"}},
    {REASON_NOT_LIVE,
     is_early,
     {"It could be sent from {time} on.", "自{time}起可发送。"}},
    {REASON_NOT_LIVE,
     NULL,
     {"It could have been sent before {time}.", "在{time}之前可发送。"}},
    {REASON_NOTHING_IN_STOCK,
     NULL,
     {"It could be sent if one of the products that it covers were in stock.",
      "若其适用商品中有一件有库存，则可发送。"}},
    {REASON_REDEMPTION_LIMIT,
     NULL,
     {"It could be sent with a limit of at least {enough} redemptions.",
      "若核销上限至少为{enough}次，则可发送。"}},
    {REASON_NOT_IN_AUDIENCE,
     has_comparison,
     {"It could be sent if this held: {wants} (the value is {has}).",
      "若满足{wants}（现值为{has}），则可发送。"}},
    {REASON_NOT_IN_AUDIENCE,
     NULL,
     {"It could be sent if the shopper were in its audience.",
      "若该顾客在目标人群内，则可发送。"}},
    {REASON_SHOPPER_LIMIT,
     NULL,
     {"It could be sent with a limit of at least {enough} for each shopper.",
      "若每人上限至少为{enough}次，则可发送。"}},
    {REASON_CHANNEL_NOT_ALLOWED,
     wants_scores,
     {"It could be sent if it were scored for {channels}.",
      "若对{channels}有评分，则可发送。"}},
    {REASON_CHANNEL_NOT_ALLOWED,
     NULL,
     {"It could be sent if the policy allowed {channels}.",
      "若策略允许{channels}，则可发送。"}},
    {REASON_CONSENT_REFUSED,
     NULL,
     {"It could be sent if the shopper had not refused {channels}.",
      "若该顾客未拒绝{channels}，则可发送。"}},
    {REASON_NO_CONSENT,
     NULL,
     {"It could be sent if the shopper consented to {channels}.",
      "若该顾客同意{channels}，则可发送。"}},
    {REASON_NO_MESSAGE,
     NULL,
     {"It could be sent if there were words for it in the shopper's language for {channels}.",
      "若{channels}有该顾客语言的文案，则可发送。"}},
    {REASON_EXPOSURE_CAP,
     NULL,
     {"It could be sent from {time} on, if nothing else is sent before.",
      "若此前不再发送其他消息，则自{time}起可发送。"}},
    {REASON_TAG_CAP,
     NULL,
     {"It could be sent from {time} on, if nothing else of its tags is sent before.",
      "若此前不再发送同标签的消息，则自{time}起可发送。"}},
    {REASON_HOLDOUT,
     NULL,
     {"It would be decided on as for others if the shopper were not in the holdout, which stays "
      "the same for as long as decide.holdout_salt does.",
      "若该顾客不在对照组，则会照常决定；只要decide.holdout_salt不变，对照组就不变。"}},
    {REASON_QUIET_HOURS,
     NULL,
     {"It could be sent if it ended after {time}, or if quiet hours ended earlier.",
      "若促销在{time}之后才结束，或免打扰时段更早结束，则可发送。"}},
    {REASON_COST_UNKNOWN,
     wants_both,
     {"It could be sent if its value were given, or if the policy assumed and bounded one "
      "(decide.unknown_value and decide.largest_discount).",
      "若给出优惠金额，或策略同时设定decide.unknown_value和decide.largest_discount，"
      "则可发送。"}},
    {REASON_COST_UNKNOWN,
     wants_bound,
     {"It could be sent if the policy bounded what a redemption gives away "
      "(decide.largest_discount).",
      "若策略设定单次优惠的上限（decide.largest_discount），则可发送。"}},
    {REASON_COST_UNKNOWN,
     NULL,
     {"It could be sent if its value were given, or if the policy assumed one "
      "(decide.unknown_value).",
      "若给出优惠金额，或策略设定其假设值（decide.unknown_value），则可发送。"}},
    {REASON_VALUE_BELOW_ZERO,
     by_redeem,
     {"It would be worth sending if its chance of being redeemed were at least {needed} (it is "
      "{actual}).",
      "若核销概率至少为{needed}（现为{actual}），则值得发送。"}},
    {REASON_VALUE_BELOW_ZERO,
     by_lift,
     {"It would be worth sending if the spend that it adds were at least {needed} (it is "
      "{actual}).",
      "若其增加的消费至少为{needed}（现为{actual}），则值得发送。"}},
    {REASON_VALUE_BELOW_ZERO,
     NULL,
     {"It would be worth sending if its expected gain were above {least} (it is {gain}).",
      "若预期收益高于{least}（现为{gain}），则值得发送。"}},
    {REASON_STACKING,
     by_gain,
     {"It would be sent if its expected gain were at least {needed} (it is {actual}), or if "
      "{other}, and what else is worth more, were not offered.",
      "若预期收益至少为{needed}（现为{actual}），或不提供{other}及其他更优促销，"
      "则会发送。"}},
    {REASON_STACKING,
     NULL,
     {"It could be sent if {other}, and what else is worth more, were not offered.",
      "若不提供{other}及其他更优促销，则可发送。"}},
    {REASON_LOWER_VALUE,
     by_gain,
     {"It would be sent if its expected gain were at least {needed} (it is {actual}), or if "
      "{other}, and what else is worth more, were not offered.",
      "若预期收益至少为{needed}（现为{actual}），或不提供{other}及其他更优促销，"
      "则会发送。"}},
    {REASON_LOWER_VALUE,
     NULL,
     {"It could be sent if {other}, and what else is worth more, were not offered.",
      "若不提供{other}及其他更优促销，则可发送。"}},
    {REASON_BUDGET_EXHAUSTED,
     by_gain_or_more,
     {"It would be sent if its expected gain were at least {needed} (it is {actual}), or if "
      "better uses left {more} more of the {cap}.",
      "若预期收益至少为{needed}（现为{actual}），或更优用途为{cap}多留出{more}，"
      "则会发送。"}},
    {REASON_BUDGET_EXHAUSTED,
     by_more,
     {"It would be sent if better uses left {more} more of the {cap}.",
      "若更优用途为{cap}多留出{more}，则会发送。"}},
    {REASON_BUDGET_EXHAUSTED,
     by_gain,
     {"It would be sent if its expected gain were at least {needed} (it is {actual}).",
      "若预期收益至少为{needed}（现为{actual}），则会发送。"}},
    {REASON_BUDGET_EXHAUSTED,
     NULL,
     {"It would be sent if better uses left more of the {cap}.",
      "若更优用途为{cap}留出更多，则会发送。"}},
    {REASON_NOT_DRAWN,
     has_lot,
     {"Another lot would have sent it: {chance} of them do.",
      "换一次抽签可能会发送它：{chance}的签会发送。"}},
    {REASON_NOT_DRAWN,
     NULL,
     {"No lot sends it; with a least chance for everything (decide.explore_floor) some would.",
      "没有签会发送它；若设定最低概率（decide.explore_floor），则有的会。"}},
};

void reason_counterfactual(const reason_facts *f, const reason_words *w, buffer *into)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (rows[i].reason != f->reason || (rows[i].holds != NULL && !rows[i].holds(f)))
            continue;
        reason_expand(rows[i].sentence[w->language], f, w, into);
        return;
    }
}
