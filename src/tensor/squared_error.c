/* Mean squared error. See losses.h. */
#include "tensor/losses.h"

double squared_error(size_t R, const float *y, const float *t, float scale, float *dy)
{
    double loss = 0;
    for (size_t r = 0; r < R; r++) {
        const float away = y[r] - t[r];
        loss += (double)away * (double)away;
        dy[r] = 2 * scale * away;
    }
    return loss;
}
