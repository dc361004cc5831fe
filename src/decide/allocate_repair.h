/*
 * From prices to an answer in integers. At the best prices a few shoppers are torn between
 * options of equal worth, and what is left of the caps decides. So shoppers take their best
 * in the order of how much they would lose by the next best; an option is taken only if
 * every cap still has room for it. What is left is spent on moves that raise the value,
 * the worthiest at the prices first. The same is tried at prices raised a little, and the
 * best answer kept; then, among the most torn shoppers, pairs of moves are tried together
 * (one gives room, the other takes it).
 */
#ifndef PROFFER_DECIDE_ALLOCATE_REPAIR_H
#define PROFFER_DECIDE_ALLOCATE_REPAIR_H

#include "decide/allocate_dual.h"

/* Fills value, used, taken and n_taken of out at the prices that d holds. improve false:
 * one pass in the shoppers' own order and nothing else. PF_NO_MEMORY. */
pf_status allocate_repair(dual *d, bool improve, allocate_result *out, pf_error *err);

#endif
