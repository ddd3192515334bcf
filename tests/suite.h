/* suite.h: the end of a test's main: its cases run as one suite. */
#ifndef SUITE_H
#define SUITE_H

#include <check.h>

#include <stdlib.h>

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
