/*
 * The machine's peak: multiply-adds a second out of registers, measured. Every figure of speed
 * stands beside it, since neighbours and clocks differ from run to run.
 *
 *     double one = peak_gflops(kernels_choose(NULL)->name, TENSOR_FP32, 1);
 *
 * Twelve independent chains of multiply-adds keep every port busy; no memory is touched. A
 * thread's speed is that of its best round, each a tenth of a millisecond: short enough that
 * some of them are not disturbed by what else runs on the core. The threads run at once and
 * are added up.
 */
#ifndef PROFFER_BENCH_PEAK_H
#define PROFFER_BENCH_PEAK_H

#include "tensor/kernels.h"

/* GFLOP/s, a multiply-add counted as two, with the instructions of the kernel table `set`
 * (kernels.h). 0 when the set has no such instruction; threads in 1 .. 64. Takes some
 * tens of milliseconds. */
double peak_gflops(const char *set, tensor_precision p, unsigned threads);

#endif
