/* The table of reasons and the filling of its sentences; see reason.h. */
#include "decide/reason.h"

#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"

typedef struct reason_row {
    const char *code;
    const char *sentence[LANGUAGE_COUNT];
} reason_row;

/* {name} stands for a number of reason_facts, see fill(). */
static const reason_row rows[REASON_COUNT] = {
    [REASON_CHOSEN] =
        {"chosen",
         {"Chosen by {channel}{drawn}: expected gain {gain}, expected cost {cost}.",
          "已选中（{channel}{drawn}）：预期收益{gain}，预期成本{cost}。"}},
    [REASON_UNKNOWN_SHOPPER] = {"unknown_shopper",
                                {"The shopper is not known, or was forgotten.",
                                 "该顾客不存在，或已被遗忘。"}},
    [REASON_NOT_LIVE] = {"not_live",
                         {"Not live at the time of sending: it {when}.",
                          "发送时不在有效期内：{when}。"}},
    [REASON_NOTHING_IN_STOCK] = {"nothing_in_stock",
                                 {"Nothing that it covers is in stock.",
                                  "其适用商品均无库存。"}},
    [REASON_REDEMPTION_LIMIT] = {"redemption_limit_reached",
                                 {"Redeemed {seen} times in all; the limit is {limit}.",
                                  "已累计核销{seen}次，上限为{limit}次。"}},
    [REASON_NOT_IN_AUDIENCE] = {"not_in_audience",
                                {"The shopper is not in its audience.",
                                 "该顾客不在目标人群内。"}},
    [REASON_SHOPPER_LIMIT] =
        {"shopper_limit_reached",
         {"The shopper redeemed it {seen} times; the limit is {limit}.",
          "该顾客已核销{seen}次，每人上限为{limit}次。"}},
    [REASON_CHANNEL_NOT_ALLOWED] = {"channel_not_allowed",
                                    {"It has no channel that the policy allows.",
                                     "没有策略允许的发送渠道。"}},
    [REASON_CONSENT_REFUSED] = {"consent_refused",
                                {"The shopper refused every channel it could take.",
                                 "该顾客拒绝了所有可用渠道。"}},
    [REASON_NO_CONSENT] = {"no_consent",
                           {"The shopper has not consented to a channel it could take.",
                            "该顾客尚未同意任何可用渠道。"}},
    [REASON_NO_MESSAGE] = {"no_message",
                           {"There are no words for it in the shopper's language.",
                            "没有该顾客语言的文案。"}},
    [REASON_EXPOSURE_CAP] = {"exposure_cap_reached",
                             {"The shopper got {seen} messages in {days}; the cap is "
                              "{limit}.",
                              "该顾客{days}内已收到{seen}条消息，上限为{limit}条。"}},
    [REASON_TAG_CAP] = {"tag_cap_reached",
                        {"The shopper got {seen} messages about {tag} in {days}; the cap "
                         "is {limit}.",
                         "该顾客{days}内已收到{seen}条关于{tag}的消息，上限为{limit}条。"}},
    [REASON_HOLDOUT] =
        {"holdout",
         {"The shopper is in a holdout, which does not get this promotion so that "
          "its effect can be measured.",
          "该顾客属于对照组，不接收此促销，以便衡量效果。"}},
    [REASON_QUIET_HOURS] = {"quiet_hours",
                            {"It ends before the shopper's quiet hours do ({time}).",
                             "在该顾客的免打扰时段结束（{time}）之前，促销已到期。"}},
    [REASON_COST_UNKNOWN] =
        {"cost_unknown",
         {"What it gives away is not known, and the policy assumes nothing.",
          "优惠金额未知，且策略未作假设。"}},
    [REASON_VALUE_BELOW_ZERO] = {"value_below_zero",
                                 {"Expected gain {gain} below the cost {cost}{harm}.",
                                  "预期收益{gain}低于成本{cost}{harm}。"}},
    [REASON_STACKING] = {"stacking_group",
                         {"It cannot be combined with {other}, which is worth more.",
                          "不能与更优的{other}同时使用。"}},
    [REASON_LOWER_VALUE] =
        {"lower_value_than_chosen",
         {"Worth {net} after the price of the budgets, less than {other}.",
          "扣除预算价格后价值{net}，低于{other}。"}},
    [REASON_BUDGET_EXHAUSTED] =
        {"budget_exhausted",
         {"The {cap} has better uses: one more unit of it is worth "
          "{price}; this would bring {value} for a cost of {cost}.",
          "{cap}有更好的用途：每多一单位值{price}；此项以成本{cost}"
          "带来{value}。"}},
    [REASON_NOT_DRAWN] =
        {"not_drawn",
         {"While nobody is sure what works best, lots are drawn: this had a chance of {chance}, "
          "and the lot fell on {lot}.",
          "在尚无定论时由抽签在较优选项中决定：此项的概率为{chance}，抽中的是{lot}。"}},
};

typedef struct cap_row {
    const char *code;
    const char *name[LANGUAGE_COUNT];
} cap_row;

static const cap_row caps[DECIDE_CAP_KINDS] = {
    [DECIDE_CAP_NONE] = {"", {"", ""}},
    [DECIDE_CAP_BUDGET] = {"total_budget", {"total budget", "总预算"}},
    [DECIDE_CAP_MESSAGES] = {"total_messages", {"number of messages", "消息总数"}},
    [DECIDE_CAP_PROMOTION_BUDGET] = {"promotion_budget",
                                     {"budget of {promotion}", "{promotion}的预算"}},
    [DECIDE_CAP_PROMOTION_REDEMPTIONS] = {"promotion_redemptions",
                                          {"redemption limit of {promotion}",
                                           "{promotion}的核销上限"}},
    [DECIDE_CAP_CHANNEL_BUDGET] = {"channel_budget",
                                   {"budget for {channel}", "{channel}渠道的预算"}},
    [DECIDE_CAP_CHANNEL_MESSAGES] = {"channel_messages",
                                     {"number of messages by {channel}",
                                      "{channel}渠道的消息数"}},
};

static const char *const levers[LEVER_COUNT] = {
    [LEVER_NONE] = "",
    [LEVER_REDEEM] = "p_redeem",
    [LEVER_LIFT] = "lift",
    [LEVER_GAIN] = "gain",
    [LEVER_SCORES] = "scores",
    [LEVER_UNKNOWN_VALUE] = "unknown_value",
    [LEVER_LARGEST_DISCOUNT] = "largest_discount",
    [LEVER_BOTH_DISCOUNTS] = "unknown_value_and_largest_discount",
};

const char *reason_code(decide_reason reason)
{
    return reason < REASON_COUNT ? rows[reason].code : "";
}

decide_reason reason_parse(const char *code)
{
    int i = 0;
    while (i < REASON_COUNT && strcmp(rows[i].code, code) != 0)
        i++;
    return (decide_reason)i;
}

const char *cap_code(decide_cap_kind kind)
{
    return kind < DECIDE_CAP_KINDS ? caps[kind].code : "";
}

decide_cap_kind cap_parse(const char *code)
{
    for (int i = 0; i < DECIDE_CAP_KINDS; i++)
        if (strcmp(caps[i].code, code) == 0) return (decide_cap_kind)i;
    return DECIDE_CAP_NONE;
}

const char *lever_code(reason_lever lever)
{
    return lever < LEVER_COUNT ? levers[lever] : "";
}

reason_lever lever_parse(const char *code)
{
    for (int i = 0; i < LEVER_COUNT; i++)
        if (strcmp(levers[i], code) == 0) return (reason_lever)i;
    return LEVER_NONE;
}

/* --- filling ---------------------------------------------------------------------- */

/* Expected money, to the nearest minor unit: a sentence, not an account. */
static void add_money(double minor, const reason_words *w, buffer *into)
{
    char amount[MONEY_TEXT_BYTES];
    double most = (double)LIMIT_MONEY_MINOR;
    double whole = isfinite(minor) ? round(fmin(fmax(minor, -most), most)) : 0;
    money_format((int64_t)whole, &w->catalogue->currency, amount);
    buffer_append_text(into, amount);
}

bool cap_is_money(decide_cap_kind kind)
{
    return kind == DECIDE_CAP_BUDGET || kind == DECIDE_CAP_PROMOTION_BUDGET ||
           kind == DECIDE_CAP_CHANNEL_BUDGET;
}

/* Of a budget, money for money: a plain ratio. Of a number of messages, money for one. */
static void add_price(const reason_facts *f, const reason_words *w, buffer *into)
{
    if (cap_is_money(f->cap))
        buffer_printf(into, "%.2f", f->price);
    else
        add_money(f->price, w, into);
}

static void add_promotion(uint32_t number, const reason_words *w, buffer *into)
{
    const shop_catalogue *c = w->catalogue;
    if (number == 0 || number > c->n_promotions) {
        buffer_append_text(into,
                           w->language == LANGUAGE_ZH ? "另一促销" : "another promotion");
        return;
    }
    const promotion *p = &c->promotions[number];
    const char *title = p->title != NULL && p->title[0] != '\0' ? p->title : p->id;
    buffer_printf(into, w->language == LANGUAGE_ZH ? "“%s”" : "\"%s\"", title);
}

static void add_when(const reason_facts *f, const reason_words *w, buffer *into)
{
    char date[TIME_TEXT_BYTES];
    bool starts = f->seen != 0; /* set by the rule: it has not begun */
    const char *word = w->language == LANGUAGE_ZH
                           ? (starts ? "开始于" : "已结束于")
                           : (starts ? "starts on " : "ended before ");
    buffer_append_text(into, word);
    buffer_append_text(into, date_format(f->time_us, w->zone, date));
}

static void add_days(uint32_t days, const reason_words *w, buffer *into)
{
    if (w->language == LANGUAGE_ZH)
        buffer_printf(into, "%u天", days);
    else
        buffer_printf(into, days == 1 ? "a day" : "%u days", days);
}

/* The moment to the minute, in the shop's own time. */
static void add_time(int64_t time_us, const reason_words *w, buffer *into)
{
    char date[TIME_TEXT_BYTES];
    calendar_time t = calendar_from_us(time_us, w->zone);
    buffer_printf(into, "%s %02d:%02d", date_format(time_us, w->zone, date), (int)t.hour,
                  (int)t.minute);
}

static void add_tag(uint32_t tag, const reason_words *w, buffer *into)
{
    bool known = tag > 0 && tag <= w->catalogue->n_tags;
    buffer_printf(into, "'%s'", known ? w->catalogue->tags[tag] : "?");
}

/* What chance had a part in: above nothing, and not certain. */
static void add_drawn(const reason_facts *f, const reason_words *w, buffer *into)
{
    if (!(f->propensity > 0 && f->propensity < 1)) return;
    buffer_printf(into,
                  w->language == LANGUAGE_ZH ? "，抽签概率%.3g %%"
                                             : " and by lot, at a chance of %.3g %%",
                  100 * f->propensity);
}

static void add_harm(const reason_facts *f, const reason_words *w, buffer *into)
{
    if (f->fatigue_minor <= 0) return;
    buffer_append_text(into, w->language == LANGUAGE_ZH ? "及多发一条消息的损害"
                                                        : " and the harm of one message more, ");
    add_money(f->fatigue_minor, w, into);
}

static void add_lot(const reason_facts *f, const reason_words *w, buffer *into)
{
    if (f->other != 0)
        add_promotion(f->other, w, into);
    else
        buffer_append_text(into, w->language == LANGUAGE_ZH ? "不发送" : "sending nothing");
}

/* The smallest amount above an expectation. */
static void add_money_above(double minor, const reason_words *w, buffer *into)
{
    add_money(floor(minor) + 1, w, into);
}

static void add_share(double share, buffer *into)
{
    buffer_printf(into, "%.2f %%", 100 * share);
}

static void add_needed(const reason_facts *f, const reason_words *w, buffer *into)
{
    if (f->lever == LEVER_REDEEM)
        add_share((floor(f->needed * 10000) + 1) / 10000, into);
    else
        add_money_above(f->needed, w, into);
}

static void add_actual(const reason_facts *f, const reason_words *w, buffer *into)
{
    if (f->lever == LEVER_REDEEM)
        add_share(f->actual, into);
    else
        add_money(f->actual, w, into);
}

static void add_more(const reason_facts *f, const reason_words *w, buffer *into)
{
    if (cap_is_money(f->cap))
        add_money(ceil(f->more), w, into);
    else if (f->cap == DECIDE_CAP_PROMOTION_REDEMPTIONS)
        buffer_printf(into, "%.2f", ceil(f->more * 100) / 100);
    else
        buffer_printf(into, "%.0f", ceil(f->more));
}

/* "email or sms". */
static void add_channels(const reason_facts *f, const reason_words *w, buffer *into)
{
    channel_set left = f->channels & CHANNEL_SET_ALL;
    for (int by = 1; by < CHANNEL_COUNT; by++) {
        if (!(left & 1u << by)) continue;
        left &= ~(1u << by);
        buffer_append_text(into, channel_name((channel)by));
        if (left == 0) continue;
        bool last = (left & (left - 1)) == 0;
        if (w->language == LANGUAGE_ZH)
            buffer_append_text(into, last ? "或" : "、");
        else
            buffer_append_text(into, last ? " or " : ", ");
    }
}

static void add_has(const reason_facts *f, const reason_words *w, buffer *into)
{
    const char *unknown = w->language == LANGUAGE_ZH ? "未知" : "not known";
    buffer_append_text(into, f->has != NULL ? f->has : unknown);
}

static bool fill_amount(text name, const reason_facts *f, const reason_words *w, buffer *into)
{
    if (text_is(name, "gain"))
        add_money(f->gain_minor, w, into);
    else if (text_is(name, "cost"))
        add_money((double)money_from_expectation(f->cost_minor), w, into);
    else if (text_is(name, "least"))
        add_money((double)money_from_expectation(f->cost_minor + f->fatigue_minor), w, into);
    else if (text_is(name, "value"))
        add_money(f->value_minor, w, into);
    else if (text_is(name, "net"))
        add_money(f->net_minor, w, into);
    else if (text_is(name, "price"))
        add_price(f, w, into);
    else if (text_is(name, "drawn"))
        add_drawn(f, w, into);
    else if (text_is(name, "harm"))
        add_harm(f, w, into);
    else if (text_is(name, "needed"))
        add_needed(f, w, into);
    else if (text_is(name, "actual"))
        add_actual(f, w, into);
    else if (text_is(name, "more"))
        add_more(f, w, into);
    else
        return false;
    return true;
}

static bool fill_count(text name, const reason_facts *f, const reason_words *w, buffer *into)
{
    if (text_is(name, "seen"))
        buffer_printf(into, "%u", f->seen);
    else if (text_is(name, "enough"))
        buffer_printf(into, "%u", f->seen + 1);
    else if (text_is(name, "limit"))
        buffer_printf(into, "%u", f->limit);
    else if (text_is(name, "days"))
        add_days(f->days, w, into);
    else if (text_is(name, "chance"))
        buffer_printf(into, "%.3g %%", 100 * f->propensity);
    else if (text_is(name, "when"))
        add_when(f, w, into);
    else if (text_is(name, "time"))
        add_time(f->time_us, w, into);
    else if (text_is(name, "from"))
        add_time(f->from_us, w, into);
    else if (text_is(name, "until"))
        add_time(f->until_us, w, into);
    else
        return false;
    return true;
}

static void fill_name(text name, const reason_facts *f, const reason_words *w, buffer *into)
{
    if (text_is(name, "cap"))
        cap_describe(f->cap, f->other, f->cap_channel, w, into);
    else if (text_is(name, "other") || text_is(name, "promotion"))
        add_promotion(f->other, w, into);
    else if (text_is(name, "lot"))
        add_lot(f, w, into);
    else if (text_is(name, "channel"))
        buffer_append_text(into, channel_name(f->channel));
    else if (text_is(name, "channels"))
        add_channels(f, w, into);
    else if (text_is(name, "tag"))
        add_tag(f->tag, w, into);
    else if (text_is(name, "wants"))
        buffer_append_text(into, f->wants);
    else if (text_is(name, "has"))
        add_has(f, w, into);
}

static void fill(text name, const reason_facts *f, const reason_words *w, buffer *into)
{
    if (fill_amount(name, f, w, into) || fill_count(name, f, w, into)) return;
    fill_name(name, f, w, into);
}

void reason_expand(const char *sentence, const reason_facts *f, const reason_words *w,
                   buffer *into)
{
    for (const char *p = sentence; *p != '\0';) {
        const char *open = strchr(p, '{');
        const char *close = open != NULL ? strchr(open, '}') : NULL;
        if (close == NULL) {
            buffer_append_text(into, p);
            return;
        }
        buffer_append(into, p, (size_t)(open - p));
        fill((text){open + 1, (size_t)(close - open) - 1}, f, w, into);
        p = close + 1;
    }
}

void reason_explain(const reason_facts *f, const reason_words *w, buffer *into)
{
    if (f->reason < REASON_COUNT)
        reason_expand(rows[f->reason].sentence[w->language], f, w, into);
}

void cap_describe(decide_cap_kind kind, uint32_t number, channel by,
                  const reason_words *w, buffer *into)
{
    reason_facts f = {.other = number, .channel = by};
    if (kind < DECIDE_CAP_KINDS) reason_expand(caps[kind].name[w->language], &f, w, into);
}
