/*
 * Warm starts (sequence/warm.h). The id vectors have a row a thing, products first; BERT4Rec's
 * bias has one a product (net.c); everything else has the same shape whatever the catalogue.
 */
#include "sequence/warm.h"

#include <string.h>

static const parameter_shape *find(const parameters *p, const char *name, size_t *at)
{
    for (*at = 0; *at < parameters_count(p); (*at)++)
        if (!strcmp(parameters_shape(p, *at)->name, name)) return parameters_shape(p, *at);
    return NULL;
}

/* Copies n rows; the rest of `to` keeps its own. */
static void copy_rows(const float *from, float *to, size_t n, size_t columns)
{
    memcpy(to, from, n * columns * sizeof *from);
}

/* One array; with to NULL it is only looked at. */
static bool warm_array(const parameter_shape *was, const parameter_shape *is,
                       const sequence_sizes *old, const sequence_sizes *new, const float *from,
                       float *to)
{
    size_t columns = is->columns;
    bool things = !strcmp(is->name, "id"), products = !strcmp(is->name, "bias");
    if (was->columns != columns) return false;
    if (!things && !products && was->rows != is->rows) return false;
    if (to == NULL) return true;
    if (things) {
        copy_rows(from, to, old->V, columns);
        copy_rows(from + old->V * columns, to + new->V * columns, old->P, columns);
    } else {
        copy_rows(from, to, was->rows, columns);
    }
    return true;
}

static pf_status warm_all(sequence_net *net, const sequence_model *from, bool only_look,
                          pf_error *err)
{
    const parameters *old = sequence_model_parameters(from);
    parameters *new = sequence_net_parameters(net);
    for (size_t i = 0, at = 0; i < parameters_count(new); i++) {
        const parameter_shape *shape = parameters_shape(new, i);
        const parameter_shape *was = find(old, shape->name, &at);
        bool fits = was != NULL &&
                    warm_array(was, shape, sequence_model_sizes(from), sequence_net_sizes(net),
                               parameters_at(old, at), only_look ? NULL : parameters_at(new, i));
        if (!fits)
            return error_set(err, PF_DATA,
                             "the earlier model cannot be built upon: its '%s' is %s; train from "
                             "the start, or with the settings it was trained with",
                             shape->name, was != NULL ? "of another shape" : "missing");
    }
    return PF_OK;
}

pf_status sequence_warm_start(sequence_net *net, const sequence_model *from, pf_error *err)
{
    const sequence_sizes *old = sequence_model_sizes(from), *new = sequence_net_sizes(net);
    if (old->V > new->V || old->P > new->P)
        return error_set(err, PF_DATA,
                         "the earlier model knows %u products and %u promotions, the data only "
                         "%u and %u: it is of another catalogue",
                         old->V, old->P, new->V, new->P);
    if (sequence_model_settings(from)->architecture !=
        sequence_net_settings(net)->architecture)
        return error_set(err, PF_DATA, "the earlier model is of another architecture");
    pf_status status = warm_all(net, from, true, err);
    return status == PF_OK ? warm_all(net, from, false, err) : status;
}
