/* on_tape.c: a context and a tape for each test, and what a tape refuses. */
#include "on_tape.h"

washi *w;
washi_tape *t;

void open_tape(void)
{
    w = open_counted();
    t = washi_tape_new(w);
    ck_assert_ptr_nonnull(t);
}

void close_tape(void)
{
    washi_tape_free(t);
    washi_close(w);
    ck_assert_uint_eq(heap.blocks, 0);
    ck_assert_uint_eq(heap.bytes, 0);
}

void new_tape(void)
{
    washi_tape_free(t);
    t = washi_tape_new(w);
    ck_assert_ptr_nonnull(t);
}

void fails(washi_status status, washi_status wanted, const char *message)
{
    ck_assert_str_eq(washi_message(), message);
    ck_assert_str_eq(washi_status_name(status), washi_status_name(wanted));
}

void failed(washi_status status, washi_status wanted, const char *message)
{
    fails(status, wanted, message);
    ck_assert_int_eq(washi_tape_status(t), wanted);
    new_tape();
}

void refuses(washi_status status, const char *text, const washi_tensor *y)
{
    ck_assert_msg(!y, "made, where the message should be: %s", text);
    failed(washi_tape_status(t), status, text);
}

washi_program *compiled(int n, washi_tensor *const outputs[])
{
    washi_program *p = washi_compile(t, n, outputs);
    ck_assert_msg(p, "%s", washi_message());
    return p;
}

double element(const washi_tensor *y, int64_t i)
{
    ck_assert_ptr_nonnull(washi_data(y));
    return get(washi_dtype_of(y), washi_data(y), (size_t)i);
}
