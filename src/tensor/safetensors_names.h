/* The format's names of the number types; shared by its reader and writer only. */
#ifndef PROFFER_TENSOR_SAFETENSORS_NAMES_H
#define PROFFER_TENSOR_SAFETENSORS_NAMES_H

#include "base/text.h"
#include "tensor/safetensors.h"

const char *tensor_type_name(tensor_type type);
/* -1 when it is none we know. */
int tensor_type_parse(text name);

#endif
