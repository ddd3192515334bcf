/* example.h: what the example programs share: a mistake is one line and exit 1, tensors and weights are
 * printed as Keras prints them; memory, and time. */
#ifndef EXAMPLE_H
#define EXAMPLE_H

#include <washi.h>

#if defined(__GNUC__)
#define EXAMPLE_PRINTF(text, rest) __attribute__((format(printf, text, rest)))
#else
#define EXAMPLE_PRINTF(text, rest)
#endif

/* The program's name and this sentence on stderr, then exit 1. */
_Noreturn void fail(const char *format, ...) EXAMPLE_PRINTF(1, 2);
/* Fails with washi_message unless the status is WASHI_OK. */
void check(washi_status status);
/* p; fails with washi_message if it is NULL. */
void *checked(void *p);
/* n * size bytes, zeroed. */
void *memory(size_t n, size_t size);
/* Seconds since some moment in the past. */
double now(void);

/* "tensor(1, shape=(), dtype=int32)" and a new line; evaluates x. */
void print_tensor(washi_tensor *x);

/* The weights of a model whose trainable is as wanted (-1: all) between [ and ], one a line:
 * "<Variable path=dense/bias, shape=(2,), dtype=float32, value=[0. 0.]>". */
void print_weights(washi_model *m, int trainable);
/* The weight of this name; fails when there is none. */
washi_weight_info weight_named(washi_model *m, const char *name);
/* It alone, as print_weights has it. */
void print_weight(washi_model *m, const char *name);

#endif
