/* file.c: regular files read in order, and how failures are said. */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

washi_status wa_io_fail(const char *path, washi_status status, const char *format, ...)
{
    char text[256];
    va_list rest;
    va_start(rest, format);
    vsnprintf(text, sizeof text, format, rest);
    va_end(rest);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127) *c = '?';
    return washi_fail(NULL, status, "%s: %s", path, text);
}

washi_status wa_io_error(const char *path, int error)
{
    char text[128];
    if (strerror_r(error, text, sizeof text) != 0) snprintf(text, sizeof text, "error %d", error);
    return wa_io_fail(path, WASHI_IO, "%s", text);
}

washi_status wa_io_open(struct wa_input *in, const char *path)
{
    /* Without O_NONBLOCK, a FIFO nobody writes to would never open. */
    *in = (struct wa_input){path, open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK), 0};
    struct stat about;
    if (in->fd < 0 || fstat(in->fd, &about) != 0) return wa_io_error(path, errno);
    if (S_ISDIR(about.st_mode)) return wa_io_error(path, EISDIR);
    if (!S_ISREG(about.st_mode)) return wa_io_fail(path, WASHI_IO, "not a regular file");
    in->bytes = (uint64_t)about.st_size;
    return WASHI_OK;
}

washi_status wa_io_read(void *source, void *to, size_t n, size_t *got)
{
    struct wa_input *in = source;
    *got = 0;
    while (*got < n) {
        const size_t rest = n - *got;
        const ssize_t k = read(in->fd, (unsigned char *)to + *got, rest < SSIZE_MAX ? rest : SSIZE_MAX);
        if (k < 0 && errno != EINTR) return wa_io_error(in->path, errno);
        if (k == 0) break;
        if (k > 0) *got += (size_t)k;
    }
    return WASHI_OK;
}

washi_status wa_io_read_all(struct wa_input *in, void *to, size_t n)
{
    size_t got;
    const washi_status status = wa_io_read(in, to, n, &got);
    if (status == WASHI_OK && got < n)
        return wa_io_fail(in->path, WASHI_BAD_FILE, "cut off while it was read");
    return status;
}

void wa_io_close(struct wa_input *in)
{
    if (in->fd >= 0) close(in->fd);
    in->fd = -1;
}
