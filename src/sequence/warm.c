/*
 * Warm starts (sequence/warm.h). Which rows belong to things is told by the shapes: an array
 * whose rows or columns grew exactly as the things (or the products) did.
 */
#include "sequence/warm.h"

#include <string.h>

/* Where rows of one array go: [products][promotions][others] in both networks. */
typedef struct growth {
    size_t products[2], promotions[2], others; /* [0] old, [1] new */
} growth;

static const parameter_shape *find(const parameters *p, const char *name, size_t *at)
{
    for (*at = 0; *at < parameters_count(p); (*at)++)
        if (!strcmp(parameters_shape(p, *at)->name, name)) return parameters_shape(p, *at);
    return NULL;
}

/* Rows (of numbers when there is one row) that an array has, as parts; false when the array did
 * not grow as the things did. */
static bool explain(size_t from, size_t to, const sequence_sizes *old, const sequence_sizes *new,
                    growth *g)
{
    size_t things_old = (size_t)old->V + old->P, things_new = (size_t)new->V + new->P;
    *g = (growth){{from, from}, {0, 0}, 0};
    if (from == to) return true;
    if (from >= things_old && to >= things_new && from - things_old == to - things_new) {
        *g = (growth){{old->V, new->V}, {old->P, new->P}, from - things_old};
        return true;
    }
    if (from >= old->V && to >= new->V && from - old->V == to - new->V) {
        *g = (growth){{old->V, new->V}, {0, 0}, from - old->V};
        return true;
    }
    return false;
}

static void copy_rows(const growth *g, size_t columns, const float *from, float *to)
{
    size_t row = columns * sizeof *from;
    memcpy(to, from, g->products[0] * row);
    from += g->products[0] * columns;
    to += g->products[1] * columns;
    memcpy(to, from, g->promotions[0] * row);
    from += g->promotions[0] * columns;
    to += g->promotions[1] * columns;
    memcpy(to, from, g->others * row);
}

/* One array; with to NULL it is only looked at. */
static bool warm_array(const parameter_shape *old, const parameter_shape *new,
                       const sequence_sizes *z_old, const sequence_sizes *z_new,
                       const float *from, float *to)
{
    growth g;
    size_t columns = new->columns, rows_old = old->rows, rows_new = new->rows;
    if (rows_old == 1 && rows_new == 1) { /* a vector: its numbers are the rows */
        rows_old = old->columns;
        rows_new = new->columns;
        columns = 1;
    } else if (old->columns != new->columns) {
        return false;
    }
    if (!explain(rows_old, rows_new, z_old, z_new, &g)) return false;
    if (to != NULL) copy_rows(&g, columns, from, to);
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
