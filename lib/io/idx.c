/* idx.c: IDX files, plain and gzip: the format of the MNIST database (LeCun, Cortes and Burges). All
 * numbers are big-endian: two zero bytes, a byte for the element type, a byte for the rank, each axis'
 * size in 32 bits, then the elements, and nothing after them. */
#define _POSIX_C_SOURCE 200809L
#include "washi.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* The most bytes that one byte of deflate data can stand for: two bits for a copy of 258. */
enum { MAX_DEFLATE_RATIO = 1032 };

/* A file being read: its bytes as they are, or as gzip gives them. */
struct source {
    washi *w;
    const char *path;
    int fd;
    uint64_t file_bytes;
    bool gzip;
    bool between; /* gzip: a member has ended, with its checksum right, and no other has begun */
    z_stream z;
    unsigned char input[16384];
};

static washi_status bad(const struct source *s, const char *format, ...) WASHI_PRINTF(2, 3);
static washi_status bad(const struct source *s, const char *format, ...)
{
    char text[160];
    va_list rest;
    va_start(rest, format);
    vsnprintf(text, sizeof text, format, rest);
    va_end(rest);
    return washi_fail(NULL, WASHI_BAD_FILE, "%s: %s", s->path, text);
}

static washi_status system_error(const struct source *s, int error)
{
    char text[128];
    if (strerror_r(error, text, sizeof text) != 0) snprintf(text, sizeof text, "error %d", error);
    return washi_fail(NULL, WASHI_IO, "%s: %s", s->path, text);
}

/* -- zlib on the context's memory: its free does not know the size, so a block begins with it ---- */

static const size_t prefix = 64; /* a size_t, and the alignment of what follows */

static voidpf take_block(voidpf w, uInt items, uInt size)
{
    if (size != 0 && items > (SIZE_MAX - prefix) / size) return Z_NULL;
    size_t bytes = prefix + (size_t)items * size;
    unsigned char *block = washi_resize(w, NULL, 0, bytes);
    if (!block) return Z_NULL;
    memcpy(block, &bytes, sizeof bytes);
    return block + prefix;
}

static void give_block(voidpf w, voidpf address)
{
    unsigned char *block = (unsigned char *)address - prefix;
    size_t bytes;
    memcpy(&bytes, block, sizeof bytes);
    washi_resize(w, block, bytes, 0);
}

/* -- bytes --------------------------------------------------------------------------------------- */

static washi_status open_source(struct source *s)
{
    /* Without O_NONBLOCK, a FIFO nobody writes to would never open. */
    s->fd = open(s->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    struct stat about;
    if (s->fd < 0 || fstat(s->fd, &about) != 0) return system_error(s, errno);
    if (S_ISDIR(about.st_mode)) return system_error(s, EISDIR);
    if (!S_ISREG(about.st_mode)) return washi_fail(NULL, WASHI_IO, "%s: not a regular file", s->path);
    s->file_bytes = (uint64_t)about.st_size;

    unsigned char magic[2] = {0};
    if (pread(s->fd, magic, sizeof magic, 0) < 0) return system_error(s, errno);
    if (magic[0] != 0x1f || magic[1] != 0x8b) return WASHI_OK;
    s->z = (z_stream){.zalloc = take_block, .zfree = give_block, .opaque = s->w};
    const int result = inflateInit2(&s->z, MAX_WBITS + 16); /* + 16: the gzip format, and no other */
    if (result == Z_MEM_ERROR) return WASHI_NO_MEMORY;
    if (result != Z_OK) return washi_fail(NULL, WASHI_UNSUPPORTED, "%s: zlib cannot begin", s->path);
    s->gzip = true;
    return WASHI_OK;
}

static void close_source(struct source *s)
{
    if (s->gzip) inflateEnd(&s->z);
    if (s->fd >= 0) close(s->fd);
}

/* Up to n bytes as they stand in the file; *got is 0 at its end and on failure. */
static washi_status read_some(struct source *s, void *to, size_t n, size_t *got)
{
    ssize_t k;
    *got = 0;
    do k = read(s->fd, to, n < SSIZE_MAX ? n : SSIZE_MAX);
    while (k < 0 && errno == EINTR);
    if (k < 0) return system_error(s, errno);
    *got = (size_t)k;
    return WASHI_OK;
}

/* Gives inflate something to read; *more is false at the end of the file, between two members. */
static washi_status refill(struct source *s, bool *more)
{
    *more = true;
    if (s->z.avail_in == 0) {
        size_t got;
        washi_status status = read_some(s, s->input, sizeof s->input, &got);
        if (status != WASHI_OK) return status;
        if (got == 0) {
            *more = false;
            return s->between ? WASHI_OK : bad(s, "its gzip data is cut off");
        }
        s->z.next_in = s->input;
        s->z.avail_in = (uInt)got;
    }
    if (s->between) inflateReset(&s->z);
    s->between = false;
    return WASHI_OK;
}

/* Up to n inflated bytes; *got as above. */
static washi_status inflate_some(struct source *s, void *to, size_t n, size_t *got)
{
    const uInt most = 1u << 30;
    *got = 0;
    s->z.next_out = to;
    s->z.avail_out = n < most ? (uInt)n : most;
    while (s->z.next_out == to) {
        bool more;
        washi_status status = refill(s, &more);
        if (status != WASHI_OK) return status;
        if (!more) break;
        const int result = inflate(&s->z, Z_NO_FLUSH);
        s->between = result == Z_STREAM_END;
        if (result == Z_MEM_ERROR) return WASHI_NO_MEMORY;
        if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
            return bad(s, "its gzip data is damaged: %s", s->z.msg ? s->z.msg : "no reason given");
    }
    *got = (size_t)(s->z.next_out - (unsigned char *)to);
    return WASHI_OK;
}

/* n bytes, or what there is of them. */
static washi_status pull(struct source *s, void *to, size_t n, size_t *got)
{
    *got = 0;
    while (*got < n) {
        size_t k;
        unsigned char *at = (unsigned char *)to + *got;
        washi_status status =
            s->gzip ? inflate_some(s, at, n - *got, &k) : read_some(s, at, n - *got, &k);
        if (status != WASHI_OK) return status;
        if (k == 0) break;
        *got += k;
    }
    return WASHI_OK;
}

/* -- the format ---------------------------------------------------------------------------------- */

struct kind {
    unsigned char code, width; /* width: bytes of an element in the file */
    washi_dtype type;
};

static const struct kind kinds[] = {
    {0x08, 1, WASHI_U8},  {0x09, 1, WASHI_I32}, {0x0b, 2, WASHI_I32},
    {0x0c, 4, WASHI_I32}, {0x0d, 4, WASHI_F32}, {0x0e, 8, WASHI_F64},
};

static const struct kind *find_kind(unsigned char code)
{
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (kinds[i].code == code) return &kinds[i];
    return NULL;
}

static uint64_t big_endian(const unsigned char *from, size_t width)
{
    uint64_t x = 0;
    for (size_t i = 0; i < width; i++) x = x << 8 | from[i];
    return x;
}

/* What a file says of itself. */
struct header {
    const struct kind *kind;
    washi_shape shape;
    size_t bytes; /* of all elements in the file */
};

static washi_status read_header(struct source *s, struct header *h)
{
    unsigned char magic[4], sizes[4 * WASHI_MAX_RANK];
    size_t got;
    washi_status status = pull(s, magic, 4, &got);
    if (status != WASHI_OK) return status;
    if (got < 4) return bad(s, "not an IDX file: its header is cut off");
    if (magic[0] != 0 || magic[1] != 0)
        return bad(s, "not an IDX file: it begins with %02x %02x, not 00 00", magic[0], magic[1]);
    h->kind = find_kind(magic[2]);
    if (!h->kind) return bad(s, "an IDX file has no element type %02x", magic[2]);
    if (magic[3] < 1 || magic[3] > WASHI_MAX_RANK)
        return bad(s, "its rank is %d, not 1 to %d", magic[3], WASHI_MAX_RANK);

    status = pull(s, sizes, 4u * magic[3], &got);
    if (status != WASHI_OK) return status;
    if (got < 4u * magic[3]) return bad(s, "its header is cut off");
    h->shape.rank = magic[3];
    for (int i = 0; i < h->shape.rank; i++) h->shape.dim[i] = (int64_t)big_endian(sizes + 4 * i, 4);
    return WASHI_OK;
}

/* Whether the file can hold what its header promises: before this is known, no memory is asked for.
 * A gzip file's true length is only known at its end. */
static washi_status check_length(const struct source *s, struct header *h)
{
    const uint64_t header = 4 + 4 * (uint64_t)h->shape.rank;
    const int64_t n = washi_size(h->shape);
    if (n < 0 || (uint64_t)n > (SIZE_MAX - header) / h->kind->width)
        return bad(s, "its sizes are more than memory can hold");
    h->bytes = (size_t)n * h->kind->width;
    const unsigned long long all = header + h->bytes, file = s->file_bytes;
    if (s->gzip ? all / MAX_DEFLATE_RATIO > file : all > file)
        return bad(s, "too short: its header promises %llu bytes, and %llu%s cannot hold them", all,
                   file, s->gzip ? " of gzip" : "");
    if (!s->gzip && all < file)
        return bad(s, "too long: its header promises %llu bytes, and it has %llu", all, file);
    return WASHI_OK;
}

/* From the file's elements to this machine's, forwards in place: an element never grows into one
 * that is not yet read, because from ends where to ends. */
static void convert(const struct kind *kind, size_t n, const unsigned char *from, void *to)
{
    const size_t width = kind->width;
    for (size_t i = 0; i < n; i++, from += width) {
        const uint64_t x = big_endian(from, width);
        const uint32_t low = (uint32_t)x;
        if (width == 8) {
            memcpy((double *)to + i, &x, sizeof x);
        } else if (width == 4) {
            memcpy((uint32_t *)to + i, &low, sizeof low);
        } else {
            const int32_t sign = 1 << (8 * width - 1);
            ((int32_t *)to)[i] = ((int32_t)low ^ sign) - sign;
        }
    }
}

/* The elements, into memory of their own; *out is set even on failure, to be released. */
static washi_status read_elements(struct source *s, const struct header *h, washi_array *out)
{
    washi_status status = washi_array_new(s->w, h->kind->type, h->shape, out);
    if (status != WASHI_OK) return status;
    unsigned char *to = (unsigned char *)(uintptr_t)out->data; /* ours until it is handed out */
    const size_t n = h->bytes / h->kind->width;
    unsigned char *from = to + (n * washi_dtype_size(h->kind->type) - h->bytes), after;
    size_t got;
    status = pull(s, from, h->bytes, &got);
    if (status != WASHI_OK) return status;
    if (got < h->bytes)
        return bad(s, "too short: %zu of its %zu bytes of elements are there", got, h->bytes);
    status = pull(s, &after, 1, &got); /* and reads a gzip file's checksum */
    if (status != WASHI_OK) return status;
    if (got != 0) return bad(s, "too long: bytes follow its last element");
    if (h->kind->type != WASHI_U8) convert(h->kind, n, from, to);
    return WASHI_OK;
}

washi_status washi_read_idx(washi *w, const char *path, washi_array *out)
{
    if (out) *out = (washi_array){0};
    if (!w || !path || !out) return washi_fail(NULL, WASHI_MISUSE, "read_idx: an argument is NULL");
    struct source s = {.w = w, .path = path, .fd = -1};
    struct header h = {0};
    washi_status status = open_source(&s);
    if (status == WASHI_OK) status = read_header(&s, &h);
    if (status == WASHI_OK) status = check_length(&s, &h);
    if (status == WASHI_OK) status = read_elements(&s, &h, out);
    if (status != WASHI_OK) washi_release(w, out);
    close_source(&s);
    return status;
}
