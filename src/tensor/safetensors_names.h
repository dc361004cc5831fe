/* What the format's reader and writer share: names of number types, the checksum. */
#ifndef PROFFER_TENSOR_SAFETENSORS_NAMES_H
#define PROFFER_TENSOR_SAFETENSORS_NAMES_H

#include "base/hash.h"
#include "base/text.h"
#include "tensor/safetensors.h"

const char *tensor_type_name(tensor_type type);
/* -1 when it is none we know. */
int tensor_type_parse(text name);

/* The note that holds the checksum: notes in their order without it, then tensors in theirs. */
#define SAFETENSORS_CHECKSUM "checksum"
void checksum_note(fingerprint_state *s, const char *key, const char *value);
void checksum_tensor(fingerprint_state *s, const tensor_view *t);

#endif
