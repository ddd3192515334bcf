/* test_nn.h: what the tests of lib/nn share: a context on the counting allocator, statuses, numbers, a
 * model. */
#ifndef TEST_NN_H
#define TEST_NN_H

#include "suite.h"
#include "support.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static washi *w;

static inline washi *context(uint64_t seed, int threads)
{
    washi *c = NULL;
    washi_options options = {.resize = counted, .threads = threads, .seed = seed};
    ck_assert_msg(washi_open(&c, &options) == WASHI_OK, "%s", washi_message());
    return c;
}

static inline void setup(void) { w = open_counted(); }

static inline void teardown(void)
{
    washi_close(w);
    ck_assert_uint_eq(heap.bytes, 0);
}

/* The status, and a message that holds this text. */
static inline void fails(washi_status status, washi_status expected, const char *text)
{
    ck_assert_msg(status == expected, "%s instead of %s: %s", washi_status_name(status),
                  washi_status_name(expected), washi_message());
    ck_assert_msg(strstr(washi_message(), text) != NULL, "\"%s\" lacks \"%s\"", washi_message(), text);
}

static inline void near(double got, double expected, double tolerance)
{
    ck_assert_msg(fabs(got - expected) <= tolerance * fmax(1, fabs(expected)), "%.17g instead of %.17g",
                  got, expected);
}

/* The lecture's classifier. */
static inline washi_model *mnist(washi *c)
{
    washi_layer layers[] = {washi_layer_flatten(), washi_layer_dense(64, washi_tanh),
                            washi_layer_dense(64, washi_tanh), washi_layer_dense(10, washi_softmax)};
    washi_model *m = washi_sequential(c, 4, layers);
    ck_assert_ptr_nonnull(m);
    return m;
}

/* The exit status of these tests. */
#define RUN(name, ...) RUN_SUITE(name, CASE(name, setup, teardown, __VA_ARGS__))

#endif
