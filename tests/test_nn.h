/* test_nn.h: what the tests of lib/nn share: a context on an allocator that counts and can fail. */
#ifndef TEST_NN_H
#define TEST_NN_H

#include <washi.h>

#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct {
    size_t live;         /* bytes */
    long calls, fail_at; /* allocations so far; which of them fails, -1: none */
} memory = {0, 0, -1};

static void *counted(void *user, void *block, size_t old_size, size_t new_size)
{
    (void)user;
    const size_t head = 64;
    unsigned char *real = block ? (unsigned char *)block - head : NULL;
    if (real) ck_assert_mem_eq(real, &old_size, sizeof old_size);
    if (new_size == 0) {
        if (real) memory.live -= old_size;
        free(real);
        return NULL;
    }
    if (memory.calls++ == memory.fail_at) return NULL;
    unsigned char *grown = realloc(real, head + new_size);
    if (!grown) return NULL;
    memory.live += new_size - (real ? old_size : 0);
    memcpy(grown, &new_size, sizeof new_size);
    return grown + head;
}

static washi *w;

static inline washi *context(uint64_t seed, int threads)
{
    washi *c = NULL;
    washi_options options = {.resize = counted, .threads = threads, .seed = seed};
    ck_assert_msg(washi_open(&c, &options) == WASHI_OK, "%s", washi_message());
    return c;
}

static inline void setup(void)
{
    memory.fail_at = -1;
    w = context(1, 1);
}

static inline void teardown(void)
{
    washi_close(w);
    ck_assert_uint_eq(memory.live, 0);
}

static inline void ok(washi_status status) { ck_assert_msg(status == WASHI_OK, "%s", washi_message()); }

/* The status, and a message that holds this text. */
static inline void fails(washi_status status, washi_status expected, const char *text)
{
    ck_assert_msg(status == expected, "%s instead of %s: %s", washi_status_name(status),
                  washi_status_name(expected), washi_message());
    ck_assert_msg(strstr(washi_message(), text) != NULL, "\"%s\" lacks \"%s\"", washi_message(), text);
}

static inline washi_shape shape_of_2(int64_t a, int64_t b) { return (washi_shape){2, {a, b}}; }

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

static int run_cases(const char *name, void (*before)(void), void (*after)(void),
                     const TTest *const cases[], size_t n)
{
    Suite *suite = suite_create(name);
    TCase *all = tcase_create(name);
    tcase_add_checked_fixture(all, before, after);
    tcase_set_timeout(all, 120);
    for (size_t i = 0; i < n; i++) tcase_add_test(all, cases[i]);
    suite_add_tcase(suite, all);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

#define RUN(name, cases) run_cases(name, setup, teardown, cases, sizeof(cases) / sizeof *(cases))

#endif
