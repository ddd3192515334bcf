/* test_fusion.h: a tape with some inputs, and small programs of them, for the tests that look into
 * programs. */
#ifndef TEST_FUSION_H
#define TEST_FUSION_H

#define _POSIX_C_SOURCE 200809L
#include "suite.h"
#include "support.h"

#include "autodiff/fused.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 64, COLUMNS = 48 };

static washi *w;
static washi_tape *t;
static washi_tensor *a, *b, *row, *indices;

static inline void open_inputs(void)
{
    ok(washi_open(&w, &(washi_options){.threads = 1}));
    t = washi_tape_new(w);
    a = washi_input(t, WASHI_F32, SHAPE(ROWS, COLUMNS));
    b = washi_input(t, WASHI_F32, SHAPE(ROWS, COLUMNS));
    row = washi_input(t, WASHI_F32, SHAPE(COLUMNS));
    indices = washi_input(t, WASHI_I32, SHAPE(2 * ROWS));
}

static inline void close_inputs(void)
{
    washi_tape_free(t);
    washi_close(w);
}

static inline washi_program *compiled(int n, washi_tensor *const y[])
{
    washi_program *p = washi_compile(t, n, y);
    ck_assert_msg(p, "%s", washi_message());
    return p;
}

/* Fails unless the program of y is these steps, their ops as washi_dump names them, "; " between. */
static inline void is_made_of(int n, washi_tensor *const y[], const char *wanted)
{
    washi_program *p = compiled(n, y);
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);
    for (int i = 0; i < p->step_count; i++) {
        if (i) fputs("; ", file);
        wa_dump_ops(&p->steps[i], false, file);
    }
    fclose(file);
    ck_assert_str_eq(text, wanted);
    free(text);
    washi_program_free(p);
}

static inline void is_one_step(washi_tensor *y, const char *ops) { is_made_of(1, &y, ops); }

#endif
