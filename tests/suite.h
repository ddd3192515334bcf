/* suite.h: tests made a case, and cases run as one suite: the end of a test's main. */
#ifndef SUITE_H
#define SUITE_H

#include <check.h>

#include <stdlib.h>

/* A case of tests that follow, each between before and after, which may be NULL, and within two
 * minutes.
 */
#define CASE(name, before, after, ...)                                                                 \
    new_case(name, before, after, sizeof((const TTest *[]){__VA_ARGS__}) / sizeof(TTest *),            \
             (const TTest *[]){__VA_ARGS__})
static inline TCase *new_case(const char *name, void (*before)(void), void (*after)(void), size_t n,
                              const TTest *const tests[])
{
    TCase *c = tcase_create(name);
    tcase_add_checked_fixture(c, before, after);
    tcase_set_timeout(c, 120);
    for (size_t i = 0; i < n; i++) tcase_add_test(c, tests[i]);
    return c;
}

/* The exit status. When nothing ran that is no success: CK_RUN_CASE may name a case that is not there.
 */
static inline int run_suite(const char *name, size_t n, TCase *const cases[])
{
    Suite *suite = suite_create(name);
    for (size_t i = 0; i < n; i++) suite_add_tcase(suite, cases[i]);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    const int good = srunner_ntests_run(runner) > 0 && srunner_ntests_failed(runner) == 0;
    srunner_free(runner);
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The cases follow the name. */
#define RUN_SUITE(name, ...)                                                                           \
    run_suite(name, sizeof((TCase *[]){__VA_ARGS__}) / sizeof(TCase *), (TCase *[]){__VA_ARGS__})

#endif
