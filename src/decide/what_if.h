/*
 * What would have had to be otherwise: for every reason one sentence with the number that does
 * it, from the same facts as reason.h's sentence and beside it in English and Chinese.
 *
 *     reason_counterfactual(&outcome->why, &words, &buffer);
 *         // "It would be worth sending if its chance of being redeemed were at least 12.50 %
 *         //  (it is 8.00 %)."
 *
 * A sentence names one change, all else being as it was. With it the promotion is sent, or fails
 * for a reason that is asked later (the order of decide_reason): "it could be sent" promises the
 * next question, "it would be sent" the sending itself. Amounts are the smallest of their kind
 * that do. Where budgets bind, prices are taken as they were: a shopper among few may move them.
 */
#ifndef PROFFER_DECIDE_WHAT_IF_H
#define PROFFER_DECIDE_WHAT_IF_H

#include "decide/reason.h"

/* Appends one sentence. */
void reason_counterfactual(const reason_facts *f, const reason_words *words, buffer *into);

#endif
