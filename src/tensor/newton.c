/* Newton's method and the small Cholesky it needs. */
#include "tensor/newton.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"

static const double tolerance = 1e-9;

size_t cholesky_solve(double *a, size_t n, double *x)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j <= i; j++) {
            double sum = a[i * n + j];
            for (size_t k = 0; k < j; k++)
                sum -= a[i * n + k] * a[j * n + k];
            if (i != j)
                a[i * n + j] = sum / a[j * n + j];
            else if (sum > 0)
                a[i * n + i] = sqrt(sum);
            else
                return i + 1;
        }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            x[i] -= a[i * n + k] * x[k];
        x[i] /= a[i * n + i];
    }
    for (size_t i = n; i-- > 0;) {
        for (size_t k = i + 1; k < n; k++)
            x[i] -= a[k * n + i] * x[k];
        x[i] /= a[i * n + i];
    }
    return 0;
}

/* Memory of one minimisation: gradient, step and trial of n, Hessian and its copy. */
typedef struct space {
    double *gradient, *step, *trial, *hessian, *factor;
} space;

/* H step = gradient; a pivot that is not positive gets a ridge a thousand times stronger,
 * a few times. */
static bool find_step(space *s, size_t n)
{
    double ridge = 0;
    for (int attempt = 0; attempt < 5; attempt++) {
        memcpy(s->factor, s->hessian, n * n * sizeof *s->factor);
        memcpy(s->step, s->gradient, n * sizeof *s->step);
        for (size_t i = 0; i < n; i++)
            s->factor[i * n + i] += ridge;
        if (cholesky_solve(s->factor, n, s->step) == 0) return true;
        ridge = ridge > 0 ? ridge * 1000 : 1e-9;
    }
    return false;
}

/* Moves b along the step, halved until the loss does not rise; returns how far the largest
 * parameter moved (0 = nowhere). */
static double move(newton_loss *loss, void *context, size_t n, double *b, space *s,
                   double now)
{
    double size = 1, largest = 0;
    for (int halvings = 0; halvings < 30; halvings++, size *= 0.5) {
        for (size_t i = 0; i < n; i++)
            s->trial[i] = b[i] - size * s->step[i];
        if (loss(context, s->trial, NULL, NULL) <= now + 1e-12 * fabs(now)) break;
        if (halvings == 29) return 0;
    }
    for (size_t i = 0; i < n; i++)
        largest = fmax(largest, fabs(s->trial[i] - b[i]));
    memcpy(b, s->trial, n * sizeof *b);
    return largest;
}

static pf_status iterate(newton_loss *loss, void *context, size_t n, double *b,
                         int iterations, space *s, pf_error *err)
{
    for (int i = 0; i < iterations; i++) {
        memset(s->gradient, 0, n * sizeof *s->gradient);
        memset(s->hessian, 0, n * n * sizeof *s->hessian);
        double now = loss(context, b, s->gradient, s->hessian);
        if (!isfinite(now))
            return error_set(err, PF_DATA,
                             "the loss is not finite: a feature is NaN or "
                             "infinite");
        if (!find_step(s, n))
            return error_set(err, PF_INTERNAL, "the curvature is not positive");
        if (move(loss, context, n, b, s, now) < tolerance) break;
    }
    return PF_OK;
}

pf_status newton_minimise(newton_loss *loss, void *context, size_t n, double *b,
                          int iterations, pf_error *err)
{
    double *memory = mem_alloc(3 * n + 2 * n * n, sizeof *memory);
    if (memory == NULL)
        return error_set(err, PF_NO_MEMORY, "out of memory for %zu parameters", n);
    space s = {memory, memory + n, memory + 2 * n, memory + 3 * n,
               memory + 3 * n + n * n};
    pf_status status = iterate(loss, context, n, b, iterations, &s, err);
    mem_free(memory);
    return status;
}
