/* Inside a set of frames, for the files that fill one. */
#ifndef PROFFER_MESSAGE_FRAME_SET_H
#define PROFFER_MESSAGE_FRAME_SET_H

#include "base/arena.h"
#include "message/frame.h"

#define FRAME_ID_BYTES "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

struct frame_set {
    frame *frames; /* sorted by key; frames of one key in the order they were added */
    size_t n, capacity;
    arena memory;              /* texts and patterns */
    fingerprint_state content; /* of everything ever added */
};

/* Takes the frames of exactly this key out; key->promotion is not NULL. */
void frame_set_drop(frame_set *set, const frame_key *key);

#endif
