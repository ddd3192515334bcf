/* test_safetensors_write.c: safetensors files as they are written, few tensors and many; what is
 * refused; a file that cannot be written leaves what was there before. */
#define _XOPEN_SOURCE 700
#include "files.h"

#include <string.h>
#include <unistd.h>

static const uint8_t eight[8] = {1, 2, 3, 4, 5, 6, 7, 8};

static washi_named_array named(const char *name, washi_dtype type, washi_shape shape, const void *data)
{
    return (washi_named_array){name, {type, shape, data}};
}

START_TEST(writes_the_format)
{
    washi_named_array arrays[] = {
        named("b", WASHI_U8, SHAPE(3), eight), named("i", WASHI_I32, SCALAR, eight),
        named("d", WASHI_F64, SHAPE(1, 1), eight), named("f", WASHI_F32, SHAPE(0, 7), NULL)};
    washi_metadata lines[] = {{"a\"\\\n", "\x7f\xc3\xa9"}};
    const washi_safetensors s = {.arrays = 4, .lines = 1, .array = arrays, .metadata = lines};
    static const char header[] = "{\"__metadata__\":{\"a\\\"\\\\\\u000a\":\"\x7f\xc3\xa9\"},"
                                 "\"d\":{\"dtype\":\"F64\",\"shape\":[1,1],\"data_offsets\":[0,8]},"
                                 "\"i\":{\"dtype\":\"I32\",\"shape\":[],\"data_offsets\":[8,12]},"
                                 "\"f\":{\"dtype\":\"F32\",\"shape\":[0,7],\"data_offsets\":[12,12]},"
                                 "\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[12,15]}}";
    ok(washi_write_safetensors(w, file, &s));
    struct bytes want = {0};
    append_number(&want, (strlen(header) + 7) / 8 * 8, 8, false);
    append_text(&want, header);
    while (want.size % 8) append(&want, " ", 1);
    append(&want, eight, 8);
    append(&want, eight, 4);
    append(&want, eight, 3);
    const struct bytes b = read_file();
    ck_assert_uint_eq(b.size, want.size);
    ck_assert_mem_eq(b.at, want.at, want.size);
    ck_assert_int_eq(files_in_folder(), 1);

    washi_safetensors back; /* and what is read can be written */
    ok(washi_read_safetensors(w, file, &back));
    unlink(file);
    ok(washi_write_safetensors(w, file, &back));
    washi_safetensors_free(w, &back);
    const struct bytes again = read_file();
    ck_assert_uint_eq(again.size, want.size);
    ck_assert_mem_eq(again.at, want.at, want.size);
    ok(washi_write_safetensors(w, file, &(washi_safetensors){0}));
    ok(washi_read_safetensors(w, file, &back));
    ck_assert_int_eq(back.arrays + back.lines, 0);
    washi_safetensors_free(w, &back);
}
END_TEST

/* Many names, sorted already, backwards or not, beyond the reader's and the writer's first buffers. */
START_TEST(reads_many_arrays)
{
    enum { N = 5000 };
    static char names[N][12];
    static float data[N];
    static washi_named_array arrays[N];
    for (int order = 0; order < 3; order++) {
        uint64_t state = 7;
        for (int i = 0; i < N; i++) {
            data[i] = (float)between(&state, -1, 1);
            snprintf(names[i], sizeof names[i], "%05d",
                     order == 0   ? i
                     : order == 1 ? N - i
                                  : (int)((int64_t)i * 7919 % N));
            arrays[i] = named(names[i], WASHI_F32, SHAPE(1), &data[i]);
        }
        washi_safetensors s = {.arrays = N, .array = arrays}, back;
        ok(washi_write_safetensors(w, file, &s));
        ok(washi_read_safetensors(w, file, &back));
        ck_assert_int_eq(back.arrays, N);
        for (int i = 0; i < N; i++) {
            ck_assert_str_eq(back.array[i].name, names[i]);
            ck_assert_mem_eq(back.array[i].array.data, &data[i], sizeof data[i]);
        }
        washi_safetensors_free(w, &back);
        memcpy(names[N / 2], names[N / 3], sizeof names[0]);
        said(WASHI_BAD_VALUE, washi_write_safetensors(w, file, &s), "a name twice");
        ck_assert_ptr_nonnull(strstr(washi_message(), names[N / 3]));
    }
}
END_TEST

START_TEST(refuses_to_write_what_is_wrong)
{
    const washi_shape two = SHAPE(2);
    washi_named_array arrays[2] = {named("a", WASHI_U8, two, eight)};
    washi_metadata lines[2] = {{"k", "v"}, {"l", "v"}};
    washi_safetensors s = {.arrays = 2, .lines = 2, .array = arrays, .metadata = lines};
    const struct {
        washi_named_array array;
        washi_status status;
    } bad[] = {
        {named(NULL, WASHI_U8, two, eight), WASHI_MISUSE},
        {named("a", WASHI_U8, two, eight), WASHI_BAD_VALUE},
        {named("__metadata__", WASHI_U8, two, eight), WASHI_BAD_VALUE},
        {named("\xff", WASHI_U8, two, eight), WASHI_BAD_VALUE},
        {named("b", (washi_dtype)9, two, eight), WASHI_BAD_TYPE},
        {named("b", WASHI_U8, SHAPE(-1), eight), WASHI_BAD_SHAPE},
        {named("b", WASHI_U8, two, NULL), WASHI_MISUSE},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        arrays[1] = bad[i].array;
        ck_assert_int_eq(washi_write_safetensors(w, file, &s), bad[i].status);
    }
    arrays[1] = named("b", WASHI_U8, two, eight);
    const washi_metadata bad_lines[] = {
        {NULL, "v"}, {"l", NULL}, {"k", "v"}, {"\xff", "v"}, {"l", "\xc3"}};
    for (size_t i = 0; i < sizeof bad_lines / sizeof *bad_lines; i++) {
        lines[1] = bad_lines[i];
        ck_assert_int_eq(washi_write_safetensors(w, file, &s), i < 2 ? WASHI_MISUSE : WASHI_BAD_VALUE);
    }
    ck_assert_int_eq(files_in_folder(), 0);
    lines[1] = (washi_metadata){"l", "v"};
    ok(washi_write_safetensors(w, file, &s));
}
END_TEST

START_TEST(reports_misuse)
{
    washi_named_array array = named("a", WASHI_U8, SHAPE(2), eight);
    washi_safetensors s = {.arrays = 1, .array = &array};
    ck_assert_int_eq(washi_write_safetensors(NULL, file, &s), WASHI_MISUSE);
    ck_assert_int_eq(washi_write_safetensors(w, NULL, &s), WASHI_MISUSE);
    ck_assert_int_eq(washi_write_safetensors(w, file, NULL), WASHI_MISUSE);
    s.arrays = -1;
    ck_assert_int_eq(washi_write_safetensors(w, file, &s), WASHI_MISUSE);
    s.arrays = 1;
    heap.fail_at = heap.calls;
    ck_assert_int_eq(washi_write_safetensors(w, file, &s), WASHI_NO_MEMORY);
    heap.fail_at = -1;
    ck_assert_int_eq(files_in_folder(), 0);
    ok(washi_write_safetensors(w, file, &s));
    ck_assert_int_eq(washi_read_safetensors(NULL, file, &s), WASHI_MISUSE);
    washi_safetensors_free(w, NULL);
}
END_TEST

static washi_status write_some(const char *path)
{
    static const float data[9000] = {1};
    washi_named_array array = named("a", WASHI_F32, SHAPE(9000), data);
    return washi_write_safetensors(w, path, &(washi_safetensors){.arrays = 1, .array = &array});
}

START_TEST(leaves_the_target_when_it_cannot_write) { cannot_write(_i, write_some); }
END_TEST

int main(void)
{
    TCase *all = CASE("safetensors_write", setup_files, teardown_files, writes_the_format,
                      reads_many_arrays, refuses_to_write_what_is_wrong, reports_misuse);
    tcase_add_loop_test(all, leaves_the_target_when_it_cannot_write, 0, UNWRITABLE);
    return RUN_SUITE("safetensors_write", all);
}
