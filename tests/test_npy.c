/* test_npy.c: npy files of every type, order and version, spelt as Python may spell them; truncated,
 * damaged and lying ones; and written ones, or what was there before. */
#define _XOPEN_SOURCE 700
#include "files.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void refused(washi_status status, const char *why)
{
    const size_t live = heap.bytes;
    washi_array a = {WASHI_U8, {1, {1}}, &a};
    said(status, washi_read_npy(w, file, &a), why);
    ck_assert_ptr_null(a.data);
    ck_assert_uint_eq(heap.bytes, live);
}

static void refused_bytes(washi_status status, const struct bytes *b, const char *why)
{
    write_file(b->at, b->size);
    refused(status, why);
}

static void accepted(const struct bytes *b, washi_dtype type, washi_shape shape, const void *data)
{
    washi_array a;
    if (b) write_file(b->at, b->size);
    ok(washi_read_npy(w, file, &a));
    ck_assert_int_eq(a.type, type);
    ck_assert_msg(same_shape(a.shape, shape), "%s, not %s", text_of(a.shape), text_of(shape));
    ck_assert_uint_eq((uintptr_t)a.data % 64, 0);
    if (bytes_of(shape, type)) ck_assert_mem_eq(a.data, data, bytes_of(shape, type));
    washi_release(w, &a);
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
            accepted(&b, s->type, SHAPE(3), want.at);
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
    accepted(NULL, WASHI_I32, SHAPE(N), want);
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
        accepted(&b, WASHI_I32, SHAPE(2, 3, 4), want);
    }
    struct bytes b = npy_of(1, "|u1", true, "(3,)");
    append(&b, "abc", 3);
    accepted(&b, WASHI_U8, SHAPE(3), "abc");
    b = npy_of(1, "|u1", true, "()");
    append(&b, "a", 1);
    accepted(&b, WASHI_U8, SCALAR, "a");
    b = npy_of(1, "|u1", true, "(3, 0, 2)");
    accepted(&b, WASHI_U8, SHAPE(3, 0, 2), "");
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
        accepted(&b, WASHI_U8, SHAPE(2, 1), "xy");
    }
}
END_TEST

/* -- bad files --------------------------------------------------------------------------------- */

START_TEST(refuses_other_headers)
{
    static const struct {
        washi_status status;
        const char *header;
    } bad[] = {
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
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (int version = 1; version <= 3; version++) {
            struct bytes b = npy(version, bad[i].header);
            append(&b, "xy", 2);
            refused_bytes(bad[i].status, &b, bad[i].header);
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
    for (int i = 0; i < 2; i++) {
        heap.fail_at = heap.calls + i;
        washi_array a;
        ck_assert_int_eq(washi_read_npy(w, file, &a), WASHI_NO_MEMORY);
        ck_assert_ptr_null(a.data);
    }
    heap.fail_at = -1;
    washi_array a;
    const long before = heap.calls;
    ok(washi_read_npy(w, file, &a));
    ck_assert_int_eq(heap.calls, before + 2);
    washi_release(w, &a);
}
END_TEST

/* -- writing ----------------------------------------------------------------------------------- */

START_TEST(writes_what_numpy_writes)
{
    const float data[] = {1, 2, 3, 4, 5, 6};
    static const struct {
        washi_shape shape;
        const char *text;
    } samples_of[] = {
        {{2, {2, 3}}, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }"},
        {{1, {6}}, "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }"},
        {{0}, "{'descr': '<f4', 'fortran_order': False, 'shape': (), }"},
    };
    for (int i = 0; i < 3; i++) {
        const washi_shape shape = samples_of[i].shape;
        ok(washi_write_npy(file, &(washi_array){WASHI_F32, shape, data}));
        struct bytes want = {0};
        append(&want, "\x93NUMPY\1\0\x76\0", 10);
        append_text(&want, samples_of[i].text);
        while (want.size < 127) append(&want, " ", 1);
        append(&want, "\n", 1);
        append(&want, data, bytes_of(shape, WASHI_F32));
        const struct bytes b = read_file();
        ck_assert_uint_eq(b.size, want.size);
        ck_assert_mem_eq(b.at, want.at, b.size);
    }
    ck_assert_int_eq(files_in_folder(), 1);
}
END_TEST

START_TEST(reads_what_it_wrote)
{
    unsigned char data[8 * 2 * 2 * 2 * 2 * 2 * 2 * 2 * 2];
    uint64_t state = 1;
    for (size_t i = 0; i < sizeof data; i++) data[i] = (unsigned char)next_bits(&state);
    static const int64_t other[] = {0, 1, INT64_C(1000000000000)};
    for (int type = WASHI_F32; type <= WASHI_U8; type++)
        for (int rank = 0; rank <= WASHI_MAX_RANK; rank++)
            for (int k = -1; k < 3; k++) {
                washi_shape shape = {rank, {2, 2, 2, 2, 2, 2, 2, 2}};
                if (k >= 0) shape.dim[rank / 2] = other[k];
                if (k == 2) shape.dim[0] = 0;
                const washi_array a = {(washi_dtype)type, shape, washi_size(shape) ? data : NULL};
                ok(washi_write_npy(file, &a));
                accepted(NULL, a.type, shape, data);
            }
    const size_t n = 5000000; /* beyond all buffers */
    double *many = malloc(n * sizeof *many);
    for (size_t i = 0; i < n; i++) many[i] = (double)i / 3;
    const washi_shape shape = SHAPE((int64_t)n);
    ok(washi_write_npy(file, &(washi_array){WASHI_F64, shape, many}));
    accepted(NULL, WASHI_F64, shape, many);
    free(many);
}
END_TEST

/* The process that is not allowed to write is a child of its own. */
START_TEST(leaves_the_target_when_it_cannot_write)
{
    const float data[3000] = {1};
    const washi_array a = {WASHI_F32, SHAPE(3000), data};
    write_file("as it was", 9);
    const pid_t child = fork();
    if (child == 0) {
        const char *path = prepare_unwritable(_i);
        const washi_status status = washi_write_npy(path, &a);
        _exit(status != WASHI_IO || !strstr(washi_message(), path) ||
              strstr(washi_message(), ".washi-"));
    }
    int result;
    ck_assert_int_eq(waitpid(child, &result, 0), child);
    ck_assert_int_eq(result, 0);
    const struct bytes b = read_file();
    ck_assert_uint_eq(b.size, 9);
    ck_assert_mem_eq(b.at, "as it was", 9);
    ck_assert_int_eq(files_in_folder(), 1);
}
END_TEST

START_TEST(replaces_a_file_as_it_stood)
{
    const washi_array a = {WASHI_U8, SHAPE(2), "xy"};
    char target[320];
    struct stat about;
    snprintf(target, sizeof target, "%s/target", folder);
    write_file("old", 3);
    ck_assert_int_eq(rename(file, target), 0);
    ck_assert_int_eq(chmod(target, 0640), 0);
    ck_assert_int_eq(symlink("target", file), 0);
    ok(washi_write_npy(file, &a));
    accepted(NULL, WASHI_U8, SHAPE(2), "xy");
    ck_assert(lstat(file, &about) == 0 && S_ISLNK(about.st_mode));
    ck_assert(lstat(target, &about) == 0 && (about.st_mode & 07777) == 0640);
    ck_assert_int_eq(files_in_folder(), 2);
    unlink(target);
    unlink(file);

    ck_assert_int_eq(mkdir(file, 0700), 0);
    said(WASHI_IO, washi_write_npy(file, &a), "a folder");
    ck_assert_int_eq(rmdir(file), 0);
    ck_assert_int_eq(mkfifo(file, 0600), 0);
    said(WASHI_IO, washi_write_npy(file, &a), "a pipe");
    ck_assert(lstat(file, &about) == 0 && S_ISFIFO(about.st_mode));
    ck_assert_int_eq(files_in_folder(), 1);
    unlink(file);
    const mode_t mask = umask(027);
    ok(washi_write_npy(file, &a));
    umask(mask);
    ck_assert(lstat(file, &about) == 0 && (about.st_mode & 07777) == 0640);
}
END_TEST

START_TEST(reports_misuse)
{
    washi_array a = {WASHI_U8, SHAPE(2), "xy"};
    ck_assert_int_eq(washi_read_npy(NULL, file, &a), WASHI_MISUSE);
    ck_assert_int_eq(washi_read_npy(w, NULL, &a), WASHI_MISUSE);
    ck_assert_int_eq(washi_read_npy(w, file, NULL), WASHI_MISUSE);
    refused(WASHI_IO, "a missing file");
    ck_assert_int_eq(washi_write_npy(NULL, &a), WASHI_MISUSE);
    ck_assert_int_eq(washi_write_npy(file, NULL), WASHI_MISUSE);
    a = (washi_array){(washi_dtype)77, SHAPE(2), "xy"};
    ck_assert_int_eq(washi_write_npy(file, &a), WASHI_BAD_TYPE);
    a = (washi_array){WASHI_U8, SHAPE(-2), "xy"};
    ck_assert_int_eq(washi_write_npy(file, &a), WASHI_BAD_SHAPE);
    a = (washi_array){WASHI_U8, SHAPE(2), NULL};
    ck_assert_int_eq(washi_write_npy(file, &a), WASHI_MISUSE);
    ck_assert_int_eq(files_in_folder(), 0);
}
END_TEST

int main(void)
{
    TCase *all = tcase_create("npy");
    tcase_add_loop_test(all, reads_every_type_order_and_version, 0, sizeof samples / sizeof *samples);
    tcase_add_test(all, reads_long_files);
    tcase_add_test(all, reads_fortran_order);
    tcase_add_test(all, reads_what_python_may_write);
    tcase_add_test(all, refuses_other_headers);
    tcase_add_test(all, refuses_other_formats);
    tcase_add_test(all, refuses_every_other_length);
    tcase_add_test(all, refuses_lying_sizes_without_allocating);
    tcase_add_test(all, refuses_values_no_type_holds);
    tcase_add_test(all, survives_every_damage);
    tcase_add_test(all, survives_every_allocation_failing);
    tcase_add_test(all, writes_what_numpy_writes);
    tcase_add_test(all, reads_what_it_wrote);
    tcase_add_loop_test(all, leaves_the_target_when_it_cannot_write, 0, UNWRITABLE);
    tcase_add_test(all, replaces_a_file_as_it_stood);
    tcase_add_test(all, reports_misuse);
    return run_case(all);
}
