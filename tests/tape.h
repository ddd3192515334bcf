/* tape.h: what the tests of the tape share. */
#ifndef TEST_TAPE_H
#define TEST_TAPE_H

#include "support.h"

#include <check.h>

/* A context of one thread on the counting allocator, and a tape, made anew for each test. */
extern washi *w;
extern washi_tape *t;
void open_tape(void);
void close_tape(void); /* and fails when memory is left */
void new_tape(void);   /* in the place of t */

static inline void ok(washi_status status) { ck_assert_msg(!status, "%s", washi_message()); }

/* Fails unless the status is that, and the message. */
void fails(washi_status status, washi_status wanted, const char *message);

/* Inputs, constants and values in double. */
washi_tensor *number(double value);
washi_tensor *vector(int64_t n, const double x[]);
washi_tensor *matrix(int64_t rows, int64_t columns, const double x[]);
washi_tensor *fed(washi_shape shape, const void *data);
/* Element i of y, which was evaluated. */
double element(const washi_tensor *y, int64_t i);
/* How often washi_dump has the word: an op's name for each time it is computed, "assign" for a copy at
 * the end. */
int dumped(const washi_program *p, const char *word);

TCase *check_case(void);       /* tape_check.c */
TCase *checkpoint_case(void);  /* tape_checkpoint.c */
TCase *derivatives_case(void); /* tape_derivatives.c */
TCase *gradcheck_case(void);   /* tape_gradcheck.c */
TCase *higher_case(void);      /* tape_higher.c */
TCase *memory_case(void);      /* tape_memory.c */
TCase *own_case(void);         /* tape_own.c */
TCase *programs_case(void);    /* tape_programs.c */
TCase *random_case(void);      /* tape_random.c */
TCase *rows_case(void);        /* tape_rows.c */

#endif
