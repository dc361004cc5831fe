/*
 * One large transaction that changes everything a store keeps, for the tests that break
 * it at every step. Afterwards the store is as before, or as after; never in between.
 */
#ifndef PROFFER_TESTS_STORE_CHANGE_H
#define PROFFER_TESTS_STORE_CHANGE_H

#include "store/event_model.h"

/* What the store holds before the change: events of many shoppers, a catalogue. */
void change_prepare(fixture *f);
/* The change, as a program would make it: on a failure rolled back, and the error
 * returned. */
pf_status change_everything(store *s, pf_error *err);

#endif
