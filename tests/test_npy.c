/* test_npy.c: npy files of every type, order and version, spelt as Python may spell them; truncated,
 * damaged and lying ones. */
#include "array_file.h"

#include <stdlib.h>
#include <string.h>

/* Magic, version and this header, as it is: no spaces are added. */
static struct bytes npy(int version, const char *header)
{
    struct bytes b = {0};
    append(&b, "\x93NUMPY", 6);
    append_number(&b, (uint64_t)version, 1, false);
    append_number(&b, 0, 1, false);
    append_number(&b, strlen(header), version == 1 ? 2 : 4, false);
    append_text(&b, header);
    return b;
}

static struct bytes npy_of(int version, const char *descr, bool fortran, const char *shape)
{
    char text[300];
    snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }\n", descr,
             fortran ? "True" : "False", shape);
    return npy(version, text);
}

/* -- good files -------------------------------------------------------------------------------- */

/* Three elements as a file has them, by their bits, and what they become. */
static const struct sample {
    const char *descr;
    int width;
    uint64_t file[3];
    washi_dtype type;
    uint64_t want[3];
} samples[] = {
    {"f4", 4, {0x3fc00000, 0x80000000, 0x7fa01234}, WASHI_F32, {0x3fc00000, 0x80000000, 0x7fa01234}},
    {"f8",
     8,
     {0x3ff8000000000000, 0xfff0000000000000, 1},
     WASHI_F64,
     {0x3ff8000000000000, 0xfff0000000000000, 1}},
    {"f2", 2, {0x3e00, 0x8000, 0x7d01}, WASHI_F32, {0x3fc00000, 0x80000000, 0x7fa02000}},
    {"f2", 2, {0x0001, 0x83ff, 0x0400}, WASHI_F32, {0x33800000, 0xb87fc000, 0x38800000}},
    {"f2", 2, {0x7bff, 0xfc00, 0x0200}, WASHI_F32, {0x477fe000, 0xff800000, 0x38000000}},
    {"i1", 1, {0x80, 0xff, 0x7f}, WASHI_I32, {0xffffff80, 0xffffffff, 0x7f}},
    {"i2", 2, {0x8000, 0xfffe, 0x1234}, WASHI_I32, {0xffff8000, 0xfffffffe, 0x1234}},
    {"i4", 4, {0x80000000, 0xffffffff, 0x12345678}, WASHI_I32, {0x80000000, 0xffffffff, 0x12345678}},
    {"i8",
     8,
     {UINT64_MAX << 31, UINT64_MAX, INT32_MAX},
     WASHI_I32,
     {0x80000000, 0xffffffff, INT32_MAX}},
    {"u1", 1, {0, 128, 255}, WASHI_U8, {0, 128, 255}},
    {"u2", 2, {0, 0x8000, 0xffff}, WASHI_I32, {0, 0x8000, 0xffff}},
    {"u4", 4, {0, 1, INT32_MAX}, WASHI_I32, {0, 1, INT32_MAX}},
    {"u8", 8, {0, 1, INT32_MAX}, WASHI_I32, {0, 1, INT32_MAX}},
    {"b1", 1, {1, 0, 1}, WASHI_U8, {1, 0, 1}},
};

START_TEST(reads_every_type_order_and_version)
{
    const struct sample *s = &samples[_i];
    struct bytes want = {0};
    for (int k = 0; k < 3; k++) append_number(&want, s->want[k], (int)washi_dtype_size(s->type), false);
    for (int version = 1; version <= 3; version++)
        for (const char *order = "<>|"; *order && (*order != '|' || s->width == 1); order++) {
            const char descr[] = {*order, s->descr[0], s->descr[1], 0};
            struct bytes b = npy_of(version, descr, false, "(3,)");
            for (int k = 0; k < 3; k++) append_number(&b, s->file[k], s->width, *order == '>');
            accepted_bytes(&b, s->type, SHAPE(3), want.at);
        }
}
END_TEST

/* Across the reader's chunks: long ones, of a type that is converted. */
START_TEST(reads_long_files)
{
    enum { N = 100003 };
    const struct bytes head = npy_of(1, ">i2", false, "(100003,)");
    unsigned char *all = malloc(head.size + 2 * N);
    int32_t *want = malloc(N * sizeof *want);
    memcpy(all, head.at, head.size);
    for (int i = 0; i < N; i++) {
        want[i] = i * 7919 % 65536 - 32768;
        all[head.size + 2 * (size_t)i] = (unsigned char)((unsigned)want[i] >> 8);
        all[head.size + 2 * (size_t)i + 1] = (unsigned char)want[i];
    }
    write_file(all, head.size + 2 * N);
    accepted(WASHI_I32, SHAPE(N), want);
    free(all);
    free(want);
}
END_TEST

/* Element [i,j,k] of shape [2,3,4] is 12 i + 4 j + k: in Fortran order it stands at i + 2 j + 6 k. */
START_TEST(reads_fortran_order)
{
    int32_t want[24];
    uint64_t at[24];
    for (int n = 0; n < 24; n++) want[n] = n, at[n / 12 + 2 * (n / 4 % 3) + 6 * (n % 4)] = (uint64_t)n;
    for (int width = 2; width <= 4; width += 2) { /* converted and as it is */
        struct bytes b = npy_of(1, width == 2 ? "<u2" : "<i4", true, "(2, 3, 4)");
        for (int n = 0; n < 24; n++) append_number(&b, at[n], width, false);
        accepted_bytes(&b, WASHI_I32, SHAPE(2, 3, 4), want);
    }
    struct bytes b = npy_of(1, "|u1", true, "(3,)");
    append(&b, "abc", 3);
    accepted_bytes(&b, WASHI_U8, SHAPE(3), "abc");
    b = npy_of(1, "|u1", true, "()");
    append(&b, "a", 1);
    accepted_bytes(&b, WASHI_U8, SCALAR, "a");
    b = npy_of(1, "|u1", true, "(3, 0, 2)");
    accepted_bytes(&b, WASHI_U8, SHAPE(3, 0, 2), "");
}
END_TEST

START_TEST(reads_what_python_may_write)
{
    static const char *const headers[] = {
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1), }",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (2, 1)}",
        "{'shape':(2,1,),'fortran_order':False,'descr':'<u1'}\n",
        "  {\"descr\" : \">u1\" ,\t'fortran_order' : False ,\n 'shape' : ( 2 , 1 ) , }   \n",
        "{'fortran_order': False, 'descr': '|u1', 'shape': (2L, 1L), }",
    };
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++) {
        struct bytes b = npy(1, headers[i]);
        append(&b, "xy", 2);
        accepted_bytes(&b, WASHI_U8, SHAPE(2, 1), "xy");
    }
}
END_TEST

/* -- bad files --------------------------------------------------------------------------------- */

/* Of an array that would be two bytes. */
static const struct {
    washi_status status;
    const char *header;
} other_headers[] = {
    {WASHI_BAD_FILE, ""},
    {WASHI_BAD_FILE, "{}"},
    {WASHI_BAD_FILE, "{'descr': '|u1', 'fortran_order': False, }"},
    {WASHI_BAD_FILE, "{'descr': '|u1', 'shape': (2,), }"},
    {WASHI_BAD_FILE, "{'fortran_order': False, 'shape': (2,), }"},
    {WASHI_BAD_FILE, "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), 'more': 1}"},
    {WASHI_BAD_FILE, "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), 'shape': (2,)}"},
    {WASHI_BAD_FILE, "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), } more"},
    {WASHI_BAD_FILE, "{'descr': '|u1', 'fortran_order': False, 'shape': (2,) "},
    {WASHI_BAD_FILE, "{'descr': '|u1' 'fortran_order': False, 'shape': (2,), }"},
    {WASHI_BAD_FILE, "{'descr' '|u1', 'fortran_order': False, 'shape': (2,), }"},
    {WASHI_BAD_FILE, "{'descr': '|u1', 'fortran_order': False,, 'shape': (2,), }"},
    {WASHI_BAD_TYPE, "{'descr': '|u1, 'fortran_order': False, 'shape': (2,), }"},
    {WASHI_BAD_FILE, "{'descr': |u1, 'fortran_order': False, 'shape': (2,), }"},
    {WASHI_BAD_FILE, "{'descr': '|u1', 'fortran_order': 0, 'shape': (2,), }"},
    {WASHI_BAD_FILE, "{'descr': '|u1', 'fortran_order': false, 'shape': (2,), }"},
    {WASHI_BAD_FILE, "{'descr': '|u1', 'fortran_order': False, 'shape': (2), }"},
    {WASHI_BAD_FILE, "{'descr': '|u1', 'fortran_order': False, 'shape': [2], }"},
    {WASHI_BAD_FILE, "{'descr': '|u1', 'fortran_order': False, 'shape': 2, }"},
    {WASHI_BAD_FILE, "{'descr': '|u1', 'fortran_order': False, 'shape': (,), }"},
    {WASHI_BAD_FILE, "{'descr': '|u1', 'fortran_order': False, 'shape': (2,,), }"},
    {WASHI_BAD_FILE, "{'descr': '|u1', 'fortran_order': False, 'shape': (2 1), }"},
    {WASHI_BAD_FILE, "{'descr': '|u1', 'fortran_order': False, 'shape': (-2,), }"},
    {WASHI_BAD_FILE, "{'descr': '|u1', 'fortran_order': False, 'shape': (+2,), }"},
    {WASHI_BAD_FILE, "{'descr': '|u1', 'fortran_order': False, 'shape': (02,), }"},
    {WASHI_BAD_FILE, "{'descr': '|u1', 'fortran_order': False, 'shape': (2.0,), }"},
    {WASHI_BAD_FILE, "{'descr': '|u1', 'fortran_order': False, 'shape': (0x2,), }"},
    {WASHI_BAD_FILE, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (2,), }"},
    {WASHI_BAD_TYPE, "{'descr': '<c8', 'fortran_order': False, 'shape': (2,), }"},
    {WASHI_BAD_TYPE, "{'descr': '<f16', 'fortran_order': False, 'shape': (2,), }"},
    {WASHI_BAD_TYPE, "{'descr': '|O', 'fortran_order': False, 'shape': (2,), }"},
    {WASHI_BAD_TYPE, "{'descr': '|S2', 'fortran_order': False, 'shape': (2,), }"},
    {WASHI_BAD_TYPE, "{'descr': '<U2', 'fortran_order': False, 'shape': (2,), }"},
    {WASHI_BAD_TYPE, "{'descr': '<M8[s]', 'fortran_order': False, 'shape': (2,), }"},
    {WASHI_BAD_TYPE, "{'descr': '|f4', 'fortran_order': False, 'shape': (2,), }"},
    {WASHI_BAD_TYPE, "{'descr': '<f3', 'fortran_order': False, 'shape': (2,), }"},
    {WASHI_BAD_TYPE, "{'descr': '<b2', 'fortran_order': False, 'shape': (2,), }"},
    {WASHI_BAD_TYPE, "{'descr': '<i0', 'fortran_order': False, 'shape': (2,), }"},
    {WASHI_BAD_TYPE, "{'descr': '<i/', 'fortran_order': False, 'shape': (2,), }"},
    {WASHI_BAD_TYPE, "{'descr': '=u1', 'fortran_order': False, 'shape': (2,), }"},
    {WASHI_BAD_TYPE, "{'descr': 'u1', 'fortran_order': False, 'shape': (2,), }"},
    {WASHI_BAD_TYPE, "{'descr': '', 'fortran_order': False, 'shape': (2,), }"},
    {WASHI_BAD_SHAPE, "{'descr': '|u1', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,2), }"},
};

START_TEST(refuses_other_headers)
{
    for (size_t i = 0; i < sizeof other_headers / sizeof *other_headers; i++)
        for (int version = 1; version <= 3; version++) {
            struct bytes b = npy(version, other_headers[i].header);
            append(&b, "xy", 2);
            refused_bytes(other_headers[i].status, &b, other_headers[i].header);
        }
}
END_TEST

START_TEST(refuses_other_formats)
{
    struct bytes good = npy_of(1, "|u1", false, "(2,)");
    append(&good, "xy", 2);
    for (size_t i = 0; i < 8; i++)
        for (int value = 0; value < 256; value++) {
            struct bytes b = good;
            if (b.at[i] == value || (i == 6 && value >= 1 && value <= 3)) continue;
            b.at[i] = (unsigned char)value;
            refused_bytes(WASHI_BAD_FILE, &b, "another magic or version");
        }
    struct bytes b = npy(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }*");
    b.at[b.size - 1] = 0;
    append(&b, "xy", 2);
    refused_bytes(WASHI_BAD_FILE, &b, "a 0 byte in the header");
    char spaces[10001] = "";
    memset(spaces, ' ', 5000);
    b = npy(2, spaces);
    b.at[8 + 1] = 0x27; /* says 10120 */
    refused_bytes(WASHI_BAD_FILE, &b, "a header too long");
}
END_TEST

START_TEST(refuses_every_other_length)
{
    for (int version = 1; version <= 3; version++) {
        struct bytes good = npy_of(version, "<i2", version == 2, "(2, 3)");
        append(&good, "abcdefghijkl", 12);
        for (size_t size = 0; size < good.size; size++) {
            struct bytes b = {0};
            append(&b, good.at, size);
            const long before = heap.calls;
            refused_bytes(WASHI_BAD_FILE, &b, "a truncated file");
            ck_assert_int_eq(heap.calls, before);
        }
        struct bytes b = good;
        append(&b, "m", 1);
        refused_bytes(WASHI_BAD_FILE, &b, "a trailing byte");
    }
}
END_TEST

START_TEST(refuses_lying_sizes_without_allocating)
{
    static const char *const shapes[] = {
        "(9223372036854775807,)",
        "(4294967296, 4294967296)",
        "(3037000500, 3037000500, 4)",
        "(18446744073709551618,)",
        "(0, 9223372036854775807, 9223372036854775807)",
        "(1000000000,)",
        "(99999999999999999999999999999999999999,)",
    };
    static const char *const types[] = {"|u1", "<f8", ">i8"};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
            struct bytes b = npy_of(1, types[k], false, shapes[i]);
            append(&b, "elements", 8);
            const long before = heap.calls;
            refused_bytes(WASHI_BAD_FILE, &b, shapes[i]);
            ck_assert_int_eq(heap.calls, before);
        }
}
END_TEST

START_TEST(refuses_values_no_type_holds)
{
    static const struct {
        const char *descr;
        int width;
        uint64_t value;
        washi_status status;
    } bad[] = {
        {"<u4", 4, 0x80000000, WASHI_BAD_VALUE},
        {">u4", 4, UINT32_MAX, WASHI_BAD_VALUE},
        {"<i8", 8, 0x80000000, WASHI_BAD_VALUE},
        {"<i8", 8, 0xffffffff7fffffff, WASHI_BAD_VALUE},
        {"<i8", 8, UINT64_C(1) << 63, WASHI_BAD_VALUE},
        {"<u8", 8, UINT64_MAX, WASHI_BAD_VALUE},
        {"<u8", 8, 0x100000000, WASHI_BAD_VALUE},
        {"|b1", 1, 2, WASHI_BAD_FILE},
        {"|b1", 1, 255, WASHI_BAD_FILE},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct bytes b = npy_of(1, bad[i].descr, false, "(2,)");
        append_number(&b, 1, bad[i].width, bad[i].descr[0] == '>');
        append_number(&b, bad[i].value, bad[i].width, bad[i].descr[0] == '>');
        refused_bytes(bad[i].status, &b, bad[i].descr);
        ck_assert_ptr_nonnull(strstr(washi_message(), "element 1 "));
    }
}
END_TEST

/* Every byte before the elements, in turn, damaged: refused, or a file that is fine all the
 * same. */
START_TEST(survives_every_damage)
{
    struct bytes good = npy_of(1, "<u2", true, "(2, 3)");
    append(&good, "abcdefghijkl", 12);
    int fine = 0;
    for (size_t i = 0; i < good.size - 12; i++)
        for (int k = 0; k < DAMAGES; k++) {
            struct bytes b = good;
            b.at[i] = damaged(b.at[i], k);
            write_file(b.at, b.size);
            const size_t live = heap.bytes;
            washi_array a;
            const washi_status status = washi_read_npy(w, file, &a);
            ck_assert(status == WASHI_OK || status == WASHI_BAD_FILE || status == WASHI_BAD_TYPE);
            if (status == WASHI_OK) {
                ck_assert_int_eq(washi_size(a.shape), 6);
                fine++;
            }
            washi_release(w, &a);
            ck_assert_uint_eq(heap.bytes, live);
        }
    ck_assert_int_lt(fine, 100); /* the same byte, another version, letter, space or quote */
}
END_TEST

START_TEST(survives_every_allocation_failing)
{
    struct bytes b = npy_of(1, "<u2", true, "(2, 3)");
    append(&b, "abcdefghijkl", 12);
    write_file(b.at, b.size);
    ck_assert_int_eq(each_allocation_fails(), 2);
}
END_TEST

START_TEST(reports_misuse) { reports_misuse_of_reader(); }
END_TEST

int main(void)
{
    read_array = washi_read_npy;
    TCase *all = CASE("npy", setup_files, teardown_files, reads_long_files, reads_fortran_order,
                      reads_what_python_may_write, refuses_other_headers, refuses_other_formats,
                      refuses_every_other_length, refuses_lying_sizes_without_allocating,
                      refuses_values_no_type_holds, survives_every_damage,
                      survives_every_allocation_failing, reports_misuse);
    tcase_add_loop_test(all, reads_every_type_order_and_version, 0, sizeof samples / sizeof *samples);
    return RUN_SUITE("npy", all);
}
