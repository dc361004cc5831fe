/* A linear model as five tensors, every number checked on the way back. */
#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "tensor/linear.h"

pf_status linear_save(const linear_model *m, const char *prefix, safetensors_writer *file,
                      pf_error *err)
{
    char name[SAFETENSORS_NAME_BYTES];
    uint64_t features = m->features;
    pf_status s = PF_OK;
    const struct {
        const char *part;
        const double *data;
        uint64_t n;
    } parts[] = {{"mean", m->mean, features},
                 {"scale", m->scale, features},
                 {"weight", m->weight, features},
                 {"clip", &m->clip, 1},
                 {"intercept", &m->intercept, 1}};
    for (size_t i = 0; s == PF_OK && i < sizeof parts / sizeof parts[0]; i++) {
        safetensors_join_name(name, prefix, parts[i].part);
        s = safetensors_add(file, name, TENSOR_F64, parts[i].data, 1, &parts[i].n, err);
    }
    return s;
}

static pf_status read_part(const safetensors *file, const char *prefix, const char *part,
                           size_t n, double *into, pf_error *err)
{
    char name[SAFETENSORS_NAME_BYTES];
    const tensor_view *t = NULL;
    safetensors_join_name(name, prefix, part);
    pf_status s = safetensors_find(file, name, TENSOR_F64, 1, n, &t, err);
    if (s != PF_OK) return s;
    memcpy(into, t->data, n * sizeof *into);
    for (size_t i = 0; i < n; i++)
        if (!isfinite(into[i]))
            return error_set_at(err, PF_DATA, safetensors_path(file), 0, 0,
                                "the tensor '%s' is damaged; train again", name);
    return PF_OK;
}

pf_status linear_load(linear_model *m, const char *prefix, size_t features,
                      const safetensors *file, pf_error *err)
{
    *m = (linear_model){.features = features};
    m->mean = mem_alloc_zero(3 * features, sizeof *m->mean);
    if (m->mean == NULL) return error_set(err, PF_NO_MEMORY, "out of memory for a model");
    m->scale = m->mean + features;
    m->weight = m->scale + features;
    pf_status s = read_part(file, prefix, "mean", features, m->mean, err);
    if (s == PF_OK) s = read_part(file, prefix, "scale", features, m->scale, err);
    if (s == PF_OK) s = read_part(file, prefix, "weight", features, m->weight, err);
    if (s == PF_OK) s = read_part(file, prefix, "clip", 1, &m->clip, err);
    if (s == PF_OK) s = read_part(file, prefix, "intercept", 1, &m->intercept, err);
    if (s != PF_OK) linear_free(m);
    return s;
}
