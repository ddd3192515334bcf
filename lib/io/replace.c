/* replace.c: writes a file whole or not at all: a temporary file beside the target, its bytes on the
 * disk, then its name. */
#include "io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The folder of the target, ending in a slash, or nothing. */
static size_t folder_length(const char *target)
{
    const char *slash = strrchr(target, '/');
    return slash ? (size_t)(slash - target) + 1 : 0;
}

/* A name of its own in the target's folder, short, so that any name that can be a target's can be
 * replaced. Threads and processes that save at once each get another number. */
static washi_status open_temporary(struct wa_output *out, mode_t mode)
{
    const int folder = (int)folder_length(out->target);
    for (int i = 0; i < 1000; i++) {
        snprintf(out->temporary, sizeof out->temporary, "%.*s.washi-%ld-%d", folder, out->target,
                 (long)getpid(), i);
        out->fd = open(out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, mode);
        if (out->fd >= 0 || errno != EEXIST) break;
    }
    return out->fd >= 0 ? WASHI_OK : wa_io_error(out->path, errno);
}

washi_status wa_io_create(struct wa_output *out, const char *path)
{
    out->path = path;
    out->fd = -1;
    out->used = 0;
    if (!realpath(path, out->target)) {
        if (errno != ENOENT) return wa_io_error(path, errno);
        if (strlen(path) >= sizeof out->target) return wa_io_error(path, ENAMETOOLONG);
        strcpy(out->target, path);
        return open_temporary(out, 0666); /* less the umask */
    }
    struct stat old;
    if (stat(out->target, &old) != 0) return wa_io_error(path, errno);
    if (S_ISDIR(old.st_mode)) return wa_io_error(path, EISDIR);
    if (!S_ISREG(old.st_mode)) return wa_io_fail(path, WASHI_IO, "not a regular file");
    if (faccessat(AT_FDCWD, out->target, W_OK, AT_EACCESS) != 0)
        return wa_io_error(path, errno); /* rename would not ask */
    const washi_status status = open_temporary(out, 0600);
    if (status == WASHI_OK && fchmod(out->fd, old.st_mode & 07777) != 0)
        return wa_io_error(path, errno);
    return status;
}

static washi_status write_all(struct wa_output *out, const unsigned char *from, size_t n)
{
    while (n > 0) {
        const ssize_t k = write(out->fd, from, n < SSIZE_MAX ? n : SSIZE_MAX);
        if (k < 0 && errno != EINTR) return wa_io_error(out->path, errno);
        if (k > 0) from += k, n -= (size_t)k;
    }
    return WASHI_OK;
}

static washi_status flush(struct wa_output *out)
{
    const size_t n = out->used;
    out->used = 0;
    return write_all(out, out->buffer, n);
}

washi_status wa_io_put(struct wa_output *out, const void *from, size_t n)
{
    if (n > sizeof out->buffer - out->used) {
        const washi_status status = flush(out);
        if (status != WASHI_OK) return status;
    }
    if (n > sizeof out->buffer) return write_all(out, from, n);
    if (n > 0) memcpy(out->buffer + out->used, from, n);
    out->used += n;
    return WASHI_OK;
}

/* The new name itself is on the disk only when its folder is. By then the file is whole and in its
 * place, so a system that cannot do this makes no failure. */
static void sync_folder(const struct wa_output *out)
{
    char folder[PATH_MAX + 1];
    snprintf(folder, sizeof folder, "%.*s.", (int)folder_length(out->target), out->target);
    const int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return;
    fsync(fd);
    close(fd);
}

washi_status wa_io_finish(struct wa_output *out)
{
    const washi_status status = flush(out);
    if (status != WASHI_OK) return status;
    if (fsync(out->fd) != 0) return wa_io_error(out->path, errno);
    const int closed = close(out->fd);
    out->fd = -1;
    if (closed != 0 || rename(out->temporary, out->target) != 0) {
        const int error = errno;
        unlink(out->temporary);
        return wa_io_error(out->path, error);
    }
    sync_folder(out);
    return WASHI_OK;
}

void wa_io_discard(struct wa_output *out)
{
    if (out->fd < 0) return;
    close(out->fd);
    unlink(out->temporary);
    out->fd = -1;
}
