/* idx.c: IDX files, plain and gzip: the format of the MNIST database (LeCun, Cortes and Burges). All
 * numbers are big-endian: two zero bytes, a byte for the element type, a byte for the rank, each axis'
 * size in 32 bits, then the elements, and nothing after them. */
#include "io.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

/* The most bytes that one byte of deflate data can stand for: two bits for a copy of 258. */
enum { MAX_DEFLATE_RATIO = 1032 };

/* A file being read: its bytes as they are, or as gzip gives them. */
struct source {
    washi *w;
    struct wa_input in;
    bool gzip;
    bool between; /* gzip: a member has ended, with its checksum right, and no other has begun */
    z_stream z;
    unsigned char input[16384];
};

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

static washi_status open_source(struct source *s, const char *path)
{
    washi_status status = wa_io_open(&s->in, path);
    if (status != WASHI_OK) return status;
    unsigned char magic[2] = {0};
    if (pread(s->in.fd, magic, sizeof magic, 0) < 0) return wa_io_error(path, errno);
    if (magic[0] != 0x1f || magic[1] != 0x8b) return WASHI_OK;
    s->z = (z_stream){.zalloc = take_block, .zfree = give_block, .opaque = s->w};
    const int result = inflateInit2(&s->z, MAX_WBITS + 16); /* + 16: the gzip format, and no other */
    if (result == Z_MEM_ERROR) return WASHI_NO_MEMORY;
    if (result != Z_OK) return wa_io_fail(path, WASHI_UNSUPPORTED, "zlib cannot begin");
    s->gzip = true;
    return WASHI_OK;
}

static void close_source(struct source *s)
{
    if (s->gzip) inflateEnd(&s->z);
    wa_io_close(&s->in);
}

/* Gives inflate something to read; *more is false at the end of the file, between two members. */
static washi_status refill(struct source *s, bool *more)
{
    *more = true;
    if (s->z.avail_in == 0) {
        size_t got;
        washi_status status = wa_io_read(&s->in, s->input, sizeof s->input, &got);
        if (status != WASHI_OK) return status;
        if (got == 0) {
            *more = false;
            return s->between ? WASHI_OK
                              : wa_io_fail(s->in.path, WASHI_BAD_FILE, "its gzip data is cut off");
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
            return wa_io_fail(s->in.path, WASHI_BAD_FILE, "its gzip data is damaged: %s",
                              s->z.msg ? s->z.msg : "no reason given");
    }
    *got = (size_t)(s->z.next_out - (unsigned char *)to);
    return WASHI_OK;
}

/* A wa_pull. */
static washi_status pull(void *source, void *to, size_t n, size_t *got)
{
    struct source *s = source;
    if (!s->gzip) return wa_io_read(&s->in, to, n, got);
    *got = 0;
    while (*got < n) {
        size_t k;
        const washi_status status = inflate_some(s, (unsigned char *)to + *got, n - *got, &k);
        if (status != WASHI_OK) return status;
        if (k == 0) break;
        *got += k;
    }
    return WASHI_OK;
}

/* -- the format ---------------------------------------------------------------------------------- */

/* By the code of the element type; width 0: none has it. */
static const struct wa_kind kinds[] = {[0x08] = {'u', 1}, [0x09] = {'i', 1}, [0x0b] = {'i', 2},
                                       [0x0c] = {'i', 4}, [0x0d] = {'f', 4}, [0x0e] = {'f', 8}};

/* What a file says of itself. */
struct header {
    struct wa_kind kind;
    washi_shape shape;
};

static int64_t four_bytes(const unsigned char *x)
{
    return (int64_t)x[0] << 24 | x[1] << 16 | x[2] << 8 | x[3];
}

static washi_status read_header(struct source *s, struct header *h)
{
    unsigned char magic[4], sizes[4 * WASHI_MAX_RANK];
    size_t got;
    washi_status status = pull(s, magic, 4, &got);
    if (status != WASHI_OK) return status;
    if (got < 4)
        return wa_io_fail(s->in.path, WASHI_BAD_FILE, "not an IDX file: its header is cut off");
    if (magic[0] != 0 || magic[1] != 0)
        return wa_io_fail(s->in.path, WASHI_BAD_FILE,
                          "not an IDX file: it begins with %02x %02x, not 00 00", magic[0], magic[1]);
    if (magic[2] < sizeof kinds / sizeof *kinds) h->kind = kinds[magic[2]];
    if (h->kind.width == 0)
        return wa_io_fail(s->in.path, WASHI_BAD_FILE, "an IDX file has no element type %02x", magic[2]);
    if (magic[3] < 1 || magic[3] > WASHI_MAX_RANK)
        return wa_io_fail(s->in.path, WASHI_BAD_FILE, "its rank is %d, not 1 to %d", magic[3],
                          WASHI_MAX_RANK);

    status = pull(s, sizes, 4u * magic[3], &got);
    if (status != WASHI_OK) return status;
    if (got < 4u * magic[3]) return wa_io_fail(s->in.path, WASHI_BAD_FILE, "its header is cut off");
    h->shape.rank = magic[3];
    for (int i = 0; i < h->shape.rank; i++) h->shape.dim[i] = four_bytes(sizes + 4 * i);
    return WASHI_OK;
}

/* Whether the file can hold what its header promises: before this is known, no memory is asked for.
 * A gzip file's true length is only known at its end. */
static washi_status check_length(const struct source *s, const struct header *h)
{
    const uint64_t header = 4 + 4 * (uint64_t)h->shape.rank;
    const int64_t n = washi_size(h->shape);
    if (n < 0 || (uint64_t)n > (SIZE_MAX - header) / h->kind.width)
        return wa_io_fail(s->in.path, WASHI_BAD_FILE, "its sizes are more than memory can hold");
    const unsigned long long all = header + (uint64_t)n * h->kind.width, file = s->in.bytes;
    if (s->gzip ? all / MAX_DEFLATE_RATIO > file : all > file)
        return wa_io_fail(s->in.path, WASHI_BAD_FILE,
                          "too short: its header promises %llu bytes, and %llu%s cannot hold them", all,
                          file, s->gzip ? " of gzip" : "");
    if (!s->gzip && all < file)
        return wa_io_fail(s->in.path, WASHI_BAD_FILE,
                          "too long: its header promises %llu bytes, and it has %llu", all, file);
    return WASHI_OK;
}

/* The elements, into memory of their own; *out is set even on failure, to be released. */
static washi_status read_elements(struct source *s, const struct header *h, washi_array *out)
{
    const struct wa_elements elements = {s->in.path, "its elements", h->kind, true, pull, s};
    washi_dtype type;
    wa_io_type(h->kind, &type);
    washi_status status = washi_array_new(s->w, type, h->shape, out);
    if (status != WASHI_OK) return status;
    /* ours until it is handed out */
    status = wa_io_elements(&elements, (size_t)washi_size(h->shape), (void *)(uintptr_t)out->data);
    if (status != WASHI_OK) return status;
    unsigned char after;
    size_t got;
    status = pull(s, &after, 1, &got); /* and reads a gzip file's checksum */
    if (status != WASHI_OK) return status;
    return got == 0 ? WASHI_OK
                    : wa_io_fail(s->in.path, WASHI_BAD_FILE, "too long: bytes follow its last element");
}

washi_status washi_read_idx(washi *w, const char *path, washi_array *out)
{
    if (out) *out = (washi_array){0};
    if (!w || !path || !out) return washi_fail(NULL, WASHI_MISUSE, "read_idx: an argument is NULL");
    struct source s = {.w = w};
    struct header h = {0};
    washi_status status = open_source(&s, path);
    if (status == WASHI_OK) status = read_header(&s, &h);
    if (status == WASHI_OK) status = check_length(&s, &h);
    if (status == WASHI_OK) status = read_elements(&s, &h, out);
    if (status != WASHI_OK) washi_release(w, out);
    close_source(&s);
    return status;
}
