/* test_npy_write.c: npy files as NumPy writes them; what is written is read; a file that cannot be
 * written leaves what was there before. */
#define _XOPEN_SOURCE 700
#include "array_file.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

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
                accepted(a.type, shape, data);
            }
    const size_t n = 5000000; /* beyond all buffers */
    double *many = malloc(n * sizeof *many);
    for (size_t i = 0; i < n; i++) many[i] = (double)i / 3;
    const washi_shape shape = SHAPE((int64_t)n);
    ok(washi_write_npy(file, &(washi_array){WASHI_F64, shape, many}));
    accepted(WASHI_F64, shape, many);
    free(many);
}
END_TEST

static washi_status write_some(const char *path)
{
    static const float data[3000] = {1};
    return washi_write_npy(path, &(washi_array){WASHI_F32, SHAPE(3000), data});
}

START_TEST(leaves_the_target_when_it_cannot_write) { cannot_write(_i, write_some); }
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
    accepted(WASHI_U8, SHAPE(2), "xy");
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
    read_array = washi_read_npy;
    TCase *all = CASE("npy_write", setup_files, teardown_files, writes_what_numpy_writes,
                      reads_what_it_wrote, replaces_a_file_as_it_stood, reports_misuse);
    tcase_add_loop_test(all, leaves_the_target_when_it_cannot_write, 0, UNWRITABLE);
    return RUN_SUITE("npy_write", all);
}
