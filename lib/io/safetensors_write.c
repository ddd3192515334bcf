/* safetensors_write.c: writes safetensors files. The widest elements come first, so that every tensor
 * is aligned to its elements in the file, and else the tensors stand in the order they are given in. */
#include "io.h"

#include <inttypes.h>
#include <string.h>

/* Where the header goes: first only its length is wanted, then its bytes. */
struct header {
    struct wa_output *to; /* NULL: nowhere */
    uint64_t length;
    washi_status status; /* of the first put that failed */
};

static void put(struct header *h, const char *text, size_t n)
{
    h->length += n;
    if (h->to && h->status == WASHI_OK) h->status = wa_io_put(h->to, text, n);
}

static void put_text(struct header *h, const char *text) { put(h, text, strlen(text)); }

static void put_number(struct header *h, uint64_t x)
{
    char text[24];
    put(h, text, (size_t)snprintf(text, sizeof text, "%" PRIu64, x));
}

static void put_string(struct header *h, const char *s)
{
    put_text(h, "\"");
    for (; *s; s++) {
        char text[8] = {*s};
        if (*s == '"' || *s == '\\')
            snprintf(text, sizeof text, "\\%c", *s);
        else if ((unsigned char)*s < ' ')
            snprintf(text, sizeof text, "\\u%04x", (unsigned)*s);
        put_text(h, text);
    }
    put_text(h, "\"");
}

static size_t bytes_of(const washi_array *a)
{
    return (size_t)washi_size(a->shape) * washi_dtype_size(a->type);
}

/* The array that comes i-th in the file comes next after *at, which begins as -1. */
static const washi_named_array *next_array(const washi_safetensors *s, size_t *width, int *at)
{
    for (; *width > 0; *width /= 2, *at = -1)
        while (++*at < s->arrays)
            if (washi_dtype_size(s->array[*at].array.type) == *width) return &s->array[*at];
    return NULL;
}

static void put_tensor(struct header *h, const washi_named_array *a, uint64_t *place)
{
    static const char *const dtypes[] = {"F32", "F64", "I32", "U8"};
    put_string(h, a->name);
    put_text(h, ":{\"dtype\":\"");
    put_text(h, dtypes[a->array.type]);
    put_text(h, "\",\"shape\":[");
    for (int i = 0; i < a->array.shape.rank; i++) {
        if (i) put_text(h, ",");
        put_number(h, (uint64_t)a->array.shape.dim[i]);
    }
    put_text(h, "],\"data_offsets\":[");
    put_number(h, *place);
    put_text(h, ",");
    put_number(h, *place += bytes_of(&a->array));
    put_text(h, "]}");
}

/* The whole header, and spaces until the elements behind it are aligned. */
static void put_header(struct header *h, const washi_safetensors *s)
{
    const char *comma = "";
    put_text(h, "{");
    if (s->lines > 0) {
        put_text(h, "\"__metadata__\":{");
        for (int i = 0; i < s->lines; i++) {
            put_text(h, i ? "," : "");
            put_string(h, s->metadata[i].key);
            put_text(h, ":");
            put_string(h, s->metadata[i].value);
        }
        put_text(h, "}");
        comma = ",";
    }
    size_t width = sizeof(double);
    int at = -1;
    uint64_t place = 0;
    for (const washi_named_array *a; (a = next_array(s, &width, &at)); comma = ",") {
        put_text(h, comma);
        put_tensor(h, a, &place);
    }
    put_text(h, "}");
    while (h->length % 8 != 0) put_text(h, " ");
}

/* -- what is to be written ----------------------------------------------------------------------- */

static washi_status check_text(const char *path, const char *what, const char *text)
{
    if (!text) return wa_io_fail(path, WASHI_MISUSE, "%s is NULL", what);
    if (!wa_io_utf8(text, strlen(text)))
        return wa_io_fail(path, WASHI_BAD_VALUE, "%s is not UTF-8", what);
    return WASHI_OK;
}

static washi_status check_arrays(const char *path, const washi_safetensors *s, const char *names[])
{
    uint64_t all = 0;
    for (int i = 0; i < s->arrays; i++) {
        const washi_named_array *a = &s->array[i];
        char who[256];
        washi_status status = check_text(path, "an array's name", a->name);
        if (status != WASHI_OK) return status;
        if (strcmp(a->name, "__metadata__") == 0)
            return wa_io_fail(path, WASHI_BAD_VALUE, "no array may be named __metadata__");
        snprintf(who, sizeof who, "write_safetensors: %s", a->name);
        status = wa_io_check_array(who, &a->array);
        if (status != WASHI_OK) return status;
        if (bytes_of(&a->array) > INT64_MAX - all)
            return wa_io_fail(path, WASHI_BAD_SHAPE, "more bytes than a file can have");
        all += bytes_of(&a->array);
        names[i] = a->name;
    }
    const char *twice = wa_io_twice((size_t)s->arrays, names);
    return twice ? wa_io_fail(path, WASHI_BAD_VALUE, "two arrays are named %s", twice) : WASHI_OK;
}

static washi_status check_metadata(const char *path, const washi_safetensors *s, const char *names[])
{
    for (int i = 0; i < s->lines; i++) {
        washi_status status = check_text(path, "a key of the metadata", s->metadata[i].key);
        if (status == WASHI_OK) status = check_text(path, "the metadata", s->metadata[i].value);
        if (status != WASHI_OK) return status;
        names[i] = s->metadata[i].key;
    }
    const char *twice = wa_io_twice((size_t)s->lines, names);
    return twice ? wa_io_fail(path, WASHI_BAD_VALUE, "the metadata has %s twice", twice) : WASHI_OK;
}

static washi_status check(washi *w, const char *path, const washi_safetensors *s)
{
    if (!w || !path || !s || s->arrays < 0 || s->lines < 0 || (s->arrays > 0 && !s->array) ||
        (s->lines > 0 && !s->metadata))
        return washi_fail(NULL, WASHI_MISUSE,
                          "write_safetensors: an argument is NULL, or a count negative");
    if (!wa_io_little_endian())
        return wa_io_fail(path, WASHI_UNSUPPORTED,
                          "safetensors files are little-endian, this machine is not");
    const size_t n = (size_t)(s->arrays > s->lines ? s->arrays : s->lines);
    if (n == 0) return WASHI_OK;
    const char **names = washi_resize(w, NULL, 0, n * sizeof *names);
    if (!names) return WASHI_NO_MEMORY;
    washi_status status = check_arrays(path, s, names);
    if (status == WASHI_OK) status = check_metadata(path, s, names);
    washi_resize(w, names, n * sizeof *names, 0);
    return status;
}

/* -- the file ------------------------------------------------------------------------------------ */

static washi_status put_all(struct wa_output *o, const washi_safetensors *s, uint64_t length)
{
    unsigned char start[8];
    for (int i = 0; i < 8; i++) start[i] = (unsigned char)(length >> 8 * i);
    washi_status status = wa_io_put(o, start, sizeof start);
    if (status != WASHI_OK) return status;
    struct header h = {.to = o};
    put_header(&h, s);
    status = h.status;
    size_t width = sizeof(double);
    int at = -1;
    for (const washi_named_array *a; status == WASHI_OK && (a = next_array(s, &width, &at));)
        status = wa_io_put(o, a->array.data, bytes_of(&a->array));
    return status;
}

washi_status washi_write_safetensors(washi *w, const char *path, const washi_safetensors *s)
{
    washi_status status = check(w, path, s);
    if (status != WASHI_OK) return status;
    struct header h = {0};
    put_header(&h, s);
    if (h.length > WA_SAFETENSORS_HEADER)
        return wa_io_fail(path, WASHI_BAD_VALUE, "names and metadata take more than %d bytes",
                          WA_SAFETENSORS_HEADER);
    struct wa_output o;
    status = wa_io_create(&o, path);
    if (status == WASHI_OK) status = put_all(&o, s, h.length);
    if (status == WASHI_OK) status = wa_io_finish(&o);
    wa_io_discard(&o);
    return status;
}
