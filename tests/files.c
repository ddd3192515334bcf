/* files.c: folders, files made of bytes, and what cannot be written. */
#define _XOPEN_SOURCE 700
#include "files.h"

#include <dirent.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

char folder[256], file[300];

void setup_files(void)
{
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/washi-test-XXXXXX", base ? base : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(file, sizeof file, "%s/a file", folder);
    w = open_counted();
}

void teardown_files(void)
{
    washi_close(w);
    ck_assert_uint_eq(heap.bytes, 0);
    ck_assert_uint_eq(heap.blocks, 0);
    chmod(folder, 0700); /* a test may have taken the right to write */
    unlink(file);
    ck_assert_int_eq(rmdir(folder), 0);
}

void append(struct bytes *b, const void *from, size_t size)
{
    ck_assert_uint_le(b->size + size, sizeof b->at);
    memcpy(b->at + b->size, from, size);
    b->size += size;
}

void append_text(struct bytes *b, const char *text) { append(b, text, strlen(text)); }

void append_number(struct bytes *b, uint64_t x, int width, bool big_endian)
{
    for (int i = 0; i < width; i++)
        append(b, &(unsigned char){(unsigned char)(x >> 8 * (big_endian ? width - 1 - i : i))}, 1);
}

void write_file(const void *from, size_t size)
{
    unlink(file); /* some file systems wait for the disk when a file is cut and written anew */
    FILE *f = fopen(file, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(from, 1, size, f), size);
    ck_assert_int_eq(fclose(f), 0);
}

struct bytes read_file(void)
{
    struct bytes b;
    FILE *f = fopen(file, "rb");
    ck_assert_ptr_nonnull(f);
    b.size = fread(b.at, 1, sizeof b.at, f);
    ck_assert_int_eq(fclose(f), 0);
    return b;
}

int files_in_folder(void)
{
    int n = 0;
    DIR *d = opendir(folder);
    ck_assert_ptr_nonnull(d);
    for (struct dirent *e; (e = readdir(d));) n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
    closedir(d);
    return n;
}

unsigned char damaged(unsigned char byte, int i)
{
    static const char others[] = "\"'\\/{}[](),:;. \n\t019-+aeEufFTLx\x80\xff";
    return (unsigned char)(i < 8 ? byte ^ 1 << i : others[i - 8]);
}

void said(washi_status wanted, washi_status status, const char *why)
{
    ck_assert_msg(status == wanted, "%s: not %s but %s: %s", why, washi_status_name(wanted),
                  washi_status_name(status), washi_message());
    ck_assert_msg(strstr(washi_message(), file), "%s: no file in: %s", why, washi_message());
    ck_assert_ptr_null(strchr(washi_message(), '\n'));
}

/* A full disk is played by a limit on the size of files; root is not kept out of folders, so it steps
 * down. */
static const char *prepare_unwritable(int way)
{
    static char path[400];
    snprintf(path, sizeof path, "%s", file);
    switch (way) {
    case 0:
    case 1:
        signal(SIGXFSZ, SIG_IGN);
        ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &(struct rlimit){way ? 100 : 0, RLIM_INFINITY}), 0);
        break;
    case 2:
        ck_assert_int_eq(chmod(folder, 0555), 0);
        if (geteuid() == 0) ck_assert_int_eq(seteuid(65534), 0);
        break;
    case 3:
        ck_assert_int_eq(chmod(file, 0444), 0);
        if (geteuid() == 0) ck_assert_int_eq(chmod(folder, 0777) + seteuid(65534), 0);
        break;
    case 4: snprintf(path, sizeof path, "%s/nowhere/file", folder); break;
    case 5: snprintf(path, sizeof path, "%s/file", file); break;
    }
    return path;
}

void cannot_write(int way, washi_status (*write)(const char *path))
{
    write_file("as it was", 9);
    const pid_t child = fork();
    if (child == 0) {
        const char *path = prepare_unwritable(way);
        const washi_status status = write(path);
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
