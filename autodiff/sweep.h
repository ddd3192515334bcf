/* sweep.h: the reverse sweep. */
#ifndef WA_SWEEP_H
#define WA_SWEEP_H

#include "autodiff/tape.h"

/* Records the gradients of the sum of <y[j], v[j]> by x[0] ... x[nx-1], all real and on one tape in
 * order, and adds them to dx[i], where NULL is zero: it stays where none reaches x[i]. On error all are
 * NULL. */
washi_status wa_sweep(int ny, washi_tensor *const y[], washi_tensor *const v[], int nx,
                      washi_tensor *const x[], washi_tensor *dx[]);

/* Undoes broadcasting: sums g over the axes along which a tensor of this shape was stretched. */
washi_tensor *wa_sum_to(washi_tensor *g, washi_shape shape);

#endif
