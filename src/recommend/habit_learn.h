/*
 * What a shop's habits teach: a logistic regression over the rows of habit_rows.h, learnt
 * on the last 31 days. Everything before them is the past, and whether a candidate was
 * bought in them is the outcome; then the shop moves on to the present and the weights
 * stay.
 */
#ifndef PROFFER_RECOMMEND_HABIT_LEARN_H
#define PROFFER_RECOMMEND_HABIT_LEARN_H

#include "recommend/recommend.h"
#include "tensor/linear.h"

/* Above this many rows only every second (third, ...) shopper is learnt from. */
enum { HABIT_MAX_ROWS = 1000000 };

/* PF_UNAVAILABLE without times; PF_DATA without a past longer than the window, or when
 * nothing or everything was bought in it; PF_NO_MEMORY. The same for any number of
 * threads. */
pf_status habit_learn(const recommend_input *input, linear_model *out, pf_error *err);

/* The weights of a shop too young to learn from: the shopper's own frequency with a
 * half-life of 90 days, then what most shoppers buy. */
pf_status habit_unlearnt(linear_model *out, pf_error *err);

#endif
