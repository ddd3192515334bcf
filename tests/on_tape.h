/* on_tape.h: a context and a tape, made anew for each test, and what is recorded there or refused. */
#ifndef ON_TAPE_H
#define ON_TAPE_H

#include "suite.h"
#include "support.h"

/* One thread, on the counting allocator. */
extern washi *w;
extern washi_tape *t;
void open_tape(void);
void close_tape(void); /* and fails when memory is left */
void new_tape(void);   /* in the place of t */

/* Fails unless the status is that, and the message. */
void fails(washi_status status, washi_status wanted, const char *message);
/* The same of a call whose failure sticks; then a new tape. */
void failed(washi_status status, washi_status wanted, const char *message);
/* Fails unless y is NULL, the tape has that status and the message is the text; then a new tape. */
void refuses(washi_status status, const char *text, const washi_tensor *y);

/* A program of these outputs, of which there is one. */
washi_program *compiled(int n, washi_tensor *const outputs[]);

/* Element i of y, which was evaluated, of any type. */
double element(const washi_tensor *y, int64_t i);

#endif
