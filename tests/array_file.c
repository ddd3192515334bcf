/* array_file.c: a file of one array, accepted or refused by the reader that main chose. */
#include "array_file.h"

washi_status (*read_array)(washi *w, const char *path, washi_array *out);

void refused(washi_status status, const char *why)
{
    const size_t live = heap.bytes;
    washi_array a = {WASHI_U8, {1, {1}}, &a};
    said(status, read_array(w, file, &a), why);
    ck_assert_ptr_null(a.data);
    ck_assert_uint_eq(heap.bytes, live);
}

void refused_bytes(washi_status status, const struct bytes *b, const char *why)
{
    write_file(b->at, b->size);
    refused(status, why);
}

void accepted(washi_dtype type, washi_shape shape, const void *data)
{
    washi_array a;
    ok(read_array(w, file, &a));
    ck_assert_int_eq(a.type, type);
    ck_assert_msg(same_shape(a.shape, shape), "%s, not %s", text_of(a.shape), text_of(shape));
    ck_assert_uint_eq((uintptr_t)a.data % 64, 0);
    if (bytes_of(shape, type)) ck_assert_mem_eq(a.data, data, bytes_of(shape, type));
    washi_release(w, &a);
    ck_assert_ptr_null(a.data);
}

void accepted_bytes(const struct bytes *b, washi_dtype type, washi_shape shape, const void *data)
{
    write_file(b->at, b->size);
    accepted(type, shape, data);
}

long each_allocation_fails(void)
{
    washi_array a;
    const long before = heap.calls;
    ok(read_array(w, file, &a));
    const long needed = heap.calls - before;
    washi_release(w, &a);
    for (long i = 0; i < needed; i++) {
        const size_t live = heap.bytes;
        a.data = &a;
        heap.fail_at = heap.calls + i;
        ck_assert_int_eq(read_array(w, file, &a), WASHI_NO_MEMORY);
        ck_assert_ptr_null(a.data);
        ck_assert_uint_eq(heap.bytes, live);
    }
    heap.fail_at = -1;
    return needed;
}

void reports_misuse_of_reader(void)
{
    washi_array a;
    ck_assert_int_eq(read_array(NULL, file, &a), WASHI_MISUSE);
    ck_assert_int_eq(read_array(w, NULL, &a), WASHI_MISUSE);
    ck_assert_int_eq(read_array(w, file, NULL), WASHI_MISUSE);
    refused(WASHI_IO, "a missing file");
    ck_assert_ptr_nonnull(strstr(washi_message(), "No such file"));
}
