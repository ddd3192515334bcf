/* test_safetensors.h: what the tests of safetensors share: files made of a header and bytes, accepted
 * or refused. */
#ifndef TEST_SAFETENSORS_H
#define TEST_SAFETENSORS_H

#include "files.h"

#include <string.h>

/* The header's length, the header, and so many bytes of tensors: 0, 1, 2 ... */
static inline struct bytes tensors(const char *header, int bytes)
{
    struct bytes b = {0};
    append_number(&b, strlen(header), 8, false);
    append_text(&b, header);
    for (int i = 0; i < bytes; i++) append_number(&b, (uint64_t)i, 1, false);
    return b;
}

/* A header of two tensors in eight bytes, and two lines of metadata. */
static const char good[] = "{\"__metadata__\":{\"k\":\"v\",\"\":\"\"},"
                           "\"b\":{\"dtype\":\"U8\",\"shape\":[2,2],\"data_offsets\":[4,8]},"
                           "\"a\":{\"dtype\":\"I16\",\"shape\":[2],\"data_offsets\":[0,4]}}";

static inline void accepted_good(void)
{
    washi_safetensors s;
    ok(washi_read_safetensors(w, file, &s));
    ck_assert_int_eq(s.arrays, 2);
    ck_assert_str_eq(s.array[0].name, "b");
    ck_assert_int_eq(s.array[0].array.type, WASHI_U8);
    ck_assert(same_shape(s.array[0].array.shape, SHAPE(2, 2)));
    ck_assert_mem_eq(s.array[0].array.data, "\4\5\6\7", 4);
    ck_assert_str_eq(s.array[1].name, "a");
    ck_assert_int_eq(s.array[1].array.type, WASHI_I32);
    ck_assert_mem_eq(s.array[1].array.data, ((int32_t[]){0x100, 0x302}), 8);
    ck_assert_int_eq(s.lines, 2);
    ck_assert_str_eq(s.metadata[0].key, "k");
    ck_assert_str_eq(s.metadata[0].value, "v");
    ck_assert_str_eq(s.metadata[1].key, "");
    ck_assert_str_eq(s.metadata[1].value, "");
    washi_safetensors_free(w, &s);
    ck_assert_ptr_null(s.array);
}

static inline void refused(washi_status status, const char *why)
{
    const size_t live = heap.bytes;
    washi_safetensors s = {.arrays = 77, .text = file};
    said(status, washi_read_safetensors(w, file, &s), why);
    ck_assert(!s.arrays && !s.array && !s.lines && !s.metadata && !s.text);
    ck_assert_uint_eq(heap.bytes, live);
}

static inline void refused_bytes(washi_status status, const struct bytes *b, const char *why)
{
    write_file(b->at, b->size);
    refused(status, why);
}

#endif
