/* tape.h: what the tests of the tape share. */
#ifndef TEST_TAPE_H
#define TEST_TAPE_H

#include "on_tape.h"

/* Inputs, constants and values in double. */
washi_tensor *number(double value);
washi_tensor *vector(int64_t n, const double x[]);
washi_tensor *matrix(int64_t rows, int64_t columns, const double x[]);
washi_tensor *fed(washi_shape shape, const void *data);
/* Fails unless v is wanted, to within tolerance (1 + |wanted|); unless element i of y is, to a
 * rounding. */
void near(double v, double wanted, double tolerance);
void is(const washi_tensor *y, int64_t i, double wanted);

TCase *assign_case(void);      /* tape_assign.c */
TCase *check_case(void);       /* tape_check.c */
TCase *checkpoint_case(void);  /* tape_checkpoint.c */
TCase *derivatives_case(void); /* tape_derivatives.c */
TCase *folds_case(void);       /* tape_folds.c */
TCase *gradcheck_case(void);   /* tape_gradcheck.c */
TCase *higher_case(void);      /* tape_higher.c */
TCase *memory_case(void);      /* tape_memory.c */
TCase *own_case(void);         /* tape_own.c */
TCase *products_case(void);    /* tape_products.c */
TCase *programs_case(void);    /* tape_programs.c */
TCase *random_case(void);      /* tape_random.c */
TCase *rows_case(void);        /* tape_rows.c */

#endif
