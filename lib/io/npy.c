/* npy.c: NumPy's files of one array (NEP 1): "\x93NUMPY", a version, the length of a header, the
 * header, and the elements, with nothing after them. The header is a literal of Python's,
 *
 *     {'descr': '<f4', 'fortran_order': False, 'shape': (60000, 28), }
 */
#include "io.h"

#include <string.h>

/* Longer headers are of structured types, which no array here holds; NumPy too refuses them unless told
 * to trust the file. */
enum { MAX_HEADER = 10000 };

struct header {
    struct wa_kind kind;
    bool big_endian, fortran_order;
    washi_shape shape;
};

/* The header as it is read: text ends in a 0, which no rule below takes. */
struct cursor {
    const char *path, *at;
};

static washi_status bad(const struct cursor *c, const char *what)
{
    return wa_io_fail(c->path, WASHI_BAD_FILE, "its header %s at \"%.20s\"", what, c->at);
}

static void skip_spaces(struct cursor *c)
{
    while (*c->at == ' ' || *c->at == '\t' || *c->at == '\n') c->at++;
}

/* Takes a token, with the spaces before it, if it comes next. */
static bool take(struct cursor *c, const char *token)
{
    skip_spaces(c);
    const size_t n = strlen(token);
    if (strncmp(c->at, token, n) != 0) return false;
    c->at += n;
    return true;
}

/* A string without escapes, in either quotes; *length is its own. NULL if none comes next. */
static const char *take_string(struct cursor *c, size_t *length)
{
    skip_spaces(c);
    const char quote = *c->at;
    if (quote != '\'' && quote != '"') return NULL;
    const char *begin = c->at + 1, *end = begin;
    while (*end != quote && *end != '\\' && *end) end++;
    if (*end != quote) return NULL;
    c->at = end + 1;
    *length = (size_t)(end - begin);
    return begin;
}

/* '<f4': byte order, letter, width. */
static washi_status read_descr(struct cursor *c, struct header *h)
{
    const struct cursor begin = *c;
    size_t n;
    const char *s = take_string(c, &n);
    if (!s) return bad(&begin, "names no simple element type");
    const bool ordered = n == 3 && (s[0] == '<' || s[0] == '>' || (s[0] == '|' && s[2] == '1'));
    h->kind = (struct wa_kind){ordered ? s[1] : ' ', ordered ? (unsigned char)(s[2] - '0') : 0};
    if (h->kind.letter == 'b') h->kind.letter = '?'; /* NumPy writes |b1, and has no bfloat */
    washi_dtype type;
    if (!ordered || !wa_io_type(h->kind, &type))
        return wa_io_fail(c->path, WASHI_BAD_TYPE, "no type holds its elements, '%.*s'",
                          (int)(n < 20 ? n : 20), s);
    h->big_endian = s[0] == '>';
    return WASHI_OK;
}

static washi_status read_order(struct cursor *c, struct header *h)
{
    h->fortran_order = take(c, "True");
    return h->fortran_order || take(c, "False") ? WASHI_OK : bad(c, "says neither True nor False");
}

/* A size; Python 2 wrote an L behind long ones. */
static bool take_size(struct cursor *c, int64_t *size)
{
    skip_spaces(c);
    if (*c->at < '0' || *c->at > '9') return false;
    if (*c->at == '0' && c->at[1] >= '0' && c->at[1] <= '9') return false;
    for (*size = 0; *c->at >= '0' && *c->at <= '9'; c->at++) {
        if (*size > (INT64_MAX - 9) / 10) return false;
        *size = 10 * *size + (*c->at - '0');
    }
    if (*c->at == 'L') c->at++;
    return true;
}

/* A tuple: (), (3,), (3, 4), (3, 4,). */
static washi_status read_shape(struct cursor *c, struct header *h)
{
    h->shape = (washi_shape){0};
    if (!take(c, "(")) return bad(c, "has no shape");
    while (!take(c, ")")) {
        if (h->shape.rank == WASHI_MAX_RANK)
            return wa_io_fail(c->path, WASHI_BAD_SHAPE, "it has more than %d axes", WASHI_MAX_RANK);
        if (!take_size(c, &h->shape.dim[h->shape.rank])) return bad(c, "has no size");
        h->shape.rank++;
        if (take(c, ",")) continue;
        if (h->shape.rank == 1 || !take(c, ")")) return bad(c, "has no tuple");
        break;
    }
    return WASHI_OK;
}

static washi_status read_fields(struct cursor *c, struct header *h)
{
    static const struct field {
        const char *name;
        washi_status (*read)(struct cursor *, struct header *);
    } fields[] = {{"descr", read_descr}, {"fortran_order", read_order}, {"shape", read_shape}};
    enum { FIELDS = sizeof fields / sizeof *fields };
    bool seen[FIELDS] = {false};
    if (!take(c, "{")) return bad(c, "is no dictionary");
    while (!take(c, "}")) {
        const struct cursor begin = *c;
        size_t length;
        const char *name = take_string(c, &length);
        int i = 0;
        while (name && i < FIELDS &&
               (strlen(fields[i].name) != length || memcmp(fields[i].name, name, length) != 0))
            i++;
        if (!name || i == FIELDS || seen[i]) return bad(&begin, "has no new field");
        seen[i] = true;
        if (!take(c, ":")) return bad(c, "has no value");
        const washi_status status = fields[i].read(c, h);
        if (status != WASHI_OK) return status;
        if (take(c, ",")) continue;
        if (!take(c, "}")) return bad(c, "has no comma");
        break;
    }
    for (int i = 0; i < FIELDS; i++)
        if (!seen[i])
            return wa_io_fail(c->path, WASHI_BAD_FILE, "its header has no %s", fields[i].name);
    skip_spaces(c);
    return *c->at ? bad(c, "goes on after its dictionary") : WASHI_OK;
}

/* Reads magic, version and header; *used is how many bytes they took. */
static washi_status read_header(struct wa_input *in, struct header *h, size_t *used)
{
    unsigned char start[12];
    char text[MAX_HEADER + 1];
    size_t got;
    washi_status status = wa_io_read(in, start, 8, &got);
    if (status != WASHI_OK) return status;
    if (got < 8 || memcmp(start, "\x93NUMPY", 6) != 0)
        return wa_io_fail(in->path, WASHI_BAD_FILE, "not an npy file");
    if (start[6] < 1 || start[6] > 3 || start[7] != 0)
        return wa_io_fail(in->path, WASHI_BAD_FILE, "npy version %d.%d is not known", start[6],
                          start[7]);
    const size_t width = start[6] == 1 ? 2 : 4;
    status = wa_io_read(in, start + 8, width, &got);
    if (status != WASHI_OK) return status;
    if (got < width) return wa_io_fail(in->path, WASHI_BAD_FILE, "its header is cut off");
    size_t length = 0;
    for (size_t i = width; i-- > 0;) length = length << 8 | start[8 + i];
    if (length > MAX_HEADER)
        return wa_io_fail(in->path, WASHI_BAD_FILE, "its header has %zu bytes, more than %d", length,
                          MAX_HEADER);
    status = wa_io_read(in, text, length, &got);
    if (status != WASHI_OK) return status;
    if (got < length) return wa_io_fail(in->path, WASHI_BAD_FILE, "its header is cut off");
    text[length] = 0;
    *used = 8 + width + length;
    struct cursor c = {in->path, text};
    status = read_fields(&c, h);
    if (status == WASHI_OK && (size_t)(c.at - text) != length)
        return wa_io_fail(in->path, WASHI_BAD_FILE, "its header holds a 0 byte");
    return status;
}

/* Whether the file holds what its header promises, and nothing more: before this is known, no memory is
 * asked for. */
static washi_status check_length(const struct wa_input *in, const struct header *h, size_t used)
{
    const int64_t n = washi_size(h->shape);
    if (n < 0 || (uint64_t)n > (SIZE_MAX - used) / h->kind.width)
        return wa_io_fail(in->path, WASHI_BAD_FILE, "its sizes are more than memory can hold");
    const unsigned long long all = used + (uint64_t)n * h->kind.width, file = in->bytes;
    if (all == file) return WASHI_OK;
    return wa_io_fail(in->path, WASHI_BAD_FILE,
                      "too %s: its header promises %llu bytes, and it has %llu",
                      all > file ? "short" : "long", all, file);
}

/* Fills to, row-major, from the same elements with the first axis contiguous. */
static void to_row_major(const washi_array *a, size_t width, const unsigned char *from,
                         unsigned char *to)
{
    const int rank = a->shape.rank;
    const int64_t *dim = a->shape.dim, n = washi_size(a->shape);
    int64_t index[WASHI_MAX_RANK] = {0}, step[WASHI_MAX_RANK], at = 0, size = 1;
    for (int i = 0; i < rank; i++) step[i] = size, size *= dim[i];
    for (int64_t k = 0; k < n; k++) {
        memcpy(to + (size_t)k * width, from + (size_t)at * width, width);
        for (int i = rank - 1; i >= 0; i--) {
            at += step[i];
            if (++index[i] < dim[i]) break;
            at -= step[i] * dim[i];
            index[i] = 0;
        }
    }
}

static washi_status read_elements(washi *w, struct wa_input *in, const struct header *h,
                                  washi_array *out)
{
    const struct wa_elements elements = {in->path,      "its elements", h->kind,
                                         h->big_endian, wa_io_read,     in};
    washi_dtype type;
    wa_io_type(h->kind, &type);
    washi_array first = {0}, turned = {0};
    washi_status status = washi_array_new(w, type, h->shape, &first);
    if (status == WASHI_OK)
        status = wa_io_elements(&elements, (size_t)washi_size(h->shape), (void *)(uintptr_t)first.data);
    if (status == WASHI_OK && h->fortran_order && h->shape.rank > 1) {
        status = washi_array_new(w, type, h->shape, &turned);
        if (status == WASHI_OK) {
            to_row_major(&turned, washi_dtype_size(type), first.data, (void *)(uintptr_t)turned.data);
            washi_release(w, &first);
            first = turned;
        }
    }
    *out = first;
    return status;
}

washi_status washi_read_npy(washi *w, const char *path, washi_array *out)
{
    if (out) *out = (washi_array){0};
    if (!w || !path || !out) return washi_fail(NULL, WASHI_MISUSE, "read_npy: an argument is NULL");
    struct wa_input in;
    struct header h = {0};
    size_t used = 0;
    washi_status status = wa_io_open(&in, path);
    if (status == WASHI_OK) status = read_header(&in, &h, &used);
    if (status == WASHI_OK) status = check_length(&in, &h, used);
    if (status == WASHI_OK) status = read_elements(w, &in, &h, out);
    if (status != WASHI_OK) washi_release(w, out);
    wa_io_close(&in);
    return status;
}

/* Version 1.0, with the elements at a multiple of 64 bytes, as NumPy writes it. */
static washi_status put_header(struct wa_output *o, const washi_array *a)
{
    static const char *const descr[] = {"f4", "f8", "i4", "u1"};
    char text[512];
    const char order = a->type == WASHI_U8 ? '|' : wa_io_little_endian() ? '<' : '>';
    int n = snprintf(text, sizeof text, "{'descr': '%c%s', 'fortran_order': False, 'shape': (", order,
                     descr[a->type]);
    for (int i = 0; i < a->shape.rank; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, i ? ", %lld" : "%lld",
                      (long long)a->shape.dim[i]);
    n += snprintf(text + n, sizeof text - (size_t)n, a->shape.rank == 1 ? ",), }" : "), }");
    while ((10 + n + 1) % 64 != 0) text[n++] = ' ';
    text[n++] = '\n';
    const unsigned char start[10] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (unsigned char)(n & 255), (unsigned char)(n >> 8)};
    const washi_status status = wa_io_put(o, start, sizeof start);
    return status == WASHI_OK ? wa_io_put(o, text, (size_t)n) : status;
}

washi_status washi_write_npy(const char *path, const washi_array *a)
{
    if (!path || !a) return washi_fail(NULL, WASHI_MISUSE, "write_npy: an argument is NULL");
    washi_status status = wa_io_check_array("write_npy: the array", a);
    if (status != WASHI_OK) return status;
    struct wa_output o;
    status = wa_io_create(&o, path);
    if (status == WASHI_OK) status = put_header(&o, a);
    if (status == WASHI_OK)
        status = wa_io_put(&o, a->data, (size_t)washi_size(a->shape) * washi_dtype_size(a->type));
    if (status == WASHI_OK) status = wa_io_finish(&o);
    wa_io_discard(&o);
    return status;
}
