/* safetensors_read.c: safetensors files: eight bytes, little-endian, say how long the header is; the
 * header is a JSON object that gives each tensor's type, shape and place in the bytes behind it,
 *
 *     {"__metadata__":{"any":"text"},"dense/kernel":{"dtype":"F32","shape":[4,3],"data_offsets":[0,48]}}
 *
 * The checks are those of the format's reference implementation, and no key may be there twice. */
#include "io.h"
#include "json.h"

#include <string.h>

/* The object, a tensor's, its shape. */
enum { DEPTH = 3 };

/* What the header says of one tensor. */
struct entry {
    const char *name;
    struct wa_kind kind;
    washi_shape shape;
    int64_t begin, end;
};

/* A file being read; entries are in the header's order. */
struct reader {
    washi *w;
    struct wa_input in;
    struct wa_json json;
    struct entry *entry;
    const void **scratch; /* for sorting: as many pointers as the header has keys */
    size_t room, entries;
    bool metadata_seen;
    washi_safetensors *out;
};

static const char *const dtypes[] = {"BOOL", "U8",  "I8",  "I16", "U16", "F16", "BF16",
                                     "I32",  "U32", "F32", "I64", "U64", "F64"};
static const struct wa_kind kinds[] = {{'?', 1}, {'u', 1}, {'i', 1}, {'i', 2}, {'u', 2},
                                       {'f', 2}, {'b', 2}, {'i', 4}, {'u', 4}, {'f', 4},
                                       {'i', 8}, {'u', 8}, {'f', 8}};

static washi_status bad(const struct reader *r, const char *name, const char *what)
{
    return wa_io_fail(r->in.path, WASHI_BAD_FILE, "tensor %s: %s", name, what);
}

/* -- a tensor's fields: each reads the value at token i ------------------------------------------- */

static washi_status read_dtype(struct reader *r, unsigned i, struct entry *e)
{
    const char *name = wa_json_string(&r->json, i);
    if (!name) return bad(r, e->name, "its dtype is no string");
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        e->kind = kinds[k];
        if (strcmp(dtypes[k], name) == 0) return WASHI_OK;
    }
    return wa_io_fail(r->in.path, WASHI_BAD_TYPE, "tensor %s: no type holds %s", e->name, name);
}

static washi_status read_shape(struct reader *r, unsigned i, struct entry *e)
{
    const jsmntok_t *t = &r->json.token[i];
    if (t->type != JSMN_ARRAY) return bad(r, e->name, "its shape is no array");
    if (t->size > WASHI_MAX_RANK)
        return wa_io_fail(r->in.path, WASHI_BAD_SHAPE, "tensor %s: it has %d axes, more than %d",
                          e->name, t->size, WASHI_MAX_RANK);
    e->shape.rank = t->size;
    for (int k = 0; k < t->size; k++)
        if (!wa_json_whole(&r->json, i + 1 + (unsigned)k, &e->shape.dim[k]))
            return bad(r, e->name, "its shape is not of whole numbers below 2^63");
    return WASHI_OK;
}

static washi_status read_offsets(struct reader *r, unsigned i, struct entry *e)
{
    const jsmntok_t *t = &r->json.token[i];
    if (t->type != JSMN_ARRAY || t->size != 2 || !wa_json_whole(&r->json, i + 1, &e->begin) ||
        !wa_json_whole(&r->json, i + 2, &e->end))
        return bad(r, e->name, "its data_offsets are not two whole numbers below 2^63");
    return WASHI_OK;
}

/* The token behind the value at i. Values stand in order, so it is the first that begins after its end.
 */
static unsigned behind(const struct wa_json *j, unsigned i)
{
    const int end = j->token[i].end;
    do i++;
    while (i < j->tokens && j->token[i].start < end);
    return i;
}

static washi_status read_entry(struct reader *r, unsigned i, struct entry *e)
{
    static const struct field {
        const char *name;
        washi_status (*read)(struct reader *, unsigned, struct entry *);
    } fields[] = {{"dtype", read_dtype}, {"shape", read_shape}, {"data_offsets", read_offsets}};
    enum { FIELDS = sizeof fields / sizeof *fields };
    bool seen[FIELDS] = {false};
    const jsmntok_t *t = &r->json.token[i];
    if (t->type != JSMN_OBJECT || t->size != FIELDS)
        return bad(r, e->name, "not an object of dtype, shape and data_offsets");
    unsigned key = i + 1;
    for (int k = 0; k < FIELDS; k++, key = behind(&r->json, key + 1)) {
        const char *name = wa_json_string(&r->json, key);
        int f = 0;
        while (name && f < FIELDS && strcmp(fields[f].name, name) != 0) f++;
        if (!name || f == FIELDS || seen[f])
            return bad(r, e->name, "not an object of dtype, shape and data_offsets");
        seen[f] = true;
        const washi_status status = fields[f].read(r, key + 1, e);
        if (status != WASHI_OK) return status;
    }
    return WASHI_OK;
}

/* -- the header ---------------------------------------------------------------------------------- */

static washi_status read_metadata(struct reader *r, unsigned i)
{
    const jsmntok_t *t = &r->json.token[i];
    if (r->metadata_seen) return bad(r, "__metadata__", "there twice");
    r->metadata_seen = true;
    if (t->type != JSMN_OBJECT) return bad(r, "__metadata__", "not an object of strings");
    if (t->size == 0) return WASHI_OK;
    washi_metadata *line = washi_resize(r->w, NULL, 0, (size_t)t->size * sizeof *line);
    if (!line) return WASHI_NO_MEMORY;
    r->out->metadata = line;
    r->out->lines = t->size;
    for (int k = 0; k < t->size; k++) {
        const unsigned key = i + 1 + 2 * (unsigned)k; /* as long as every value is a string */
        line[k].key = wa_json_string(&r->json, key);
        line[k].value = wa_json_string(&r->json, key + 1);
        if (!line[k].key || !line[k].value) return bad(r, "__metadata__", "not an object of strings");
        r->scratch[k] = line[k].key;
    }
    const char *twice = wa_io_twice((size_t)t->size, (const char **)r->scratch);
    if (twice) return wa_io_fail(r->in.path, WASHI_BAD_FILE, "__metadata__: %s is there twice", twice);
    return WASHI_OK;
}

static washi_status read_entries(struct reader *r)
{
    const struct wa_json *j = &r->json;
    for (unsigned key = 1; key < j->tokens; key = behind(j, key + 1)) {
        const char *name = wa_json_string(&r->json, key);
        if (!name)
            return wa_io_fail(r->in.path, WASHI_BAD_FILE, "a tensor's name is no text without 0");
        washi_status status;
        if (strcmp(name, "__metadata__") == 0) {
            status = read_metadata(r, key + 1);
        } else {
            struct entry *e = &r->entry[r->entries++];
            *e = (struct entry){.name = name};
            status = read_entry(r, key + 1, e);
        }
        if (status != WASHI_OK) return status;
    }
    for (size_t i = 0; i < r->entries; i++) r->scratch[i] = r->entry[i].name;
    const char *twice = wa_io_twice(r->entries, (const char **)r->scratch);
    return twice ? bad(r, twice, "there twice") : WASHI_OK;
}

static washi_status read_header(struct reader *r)
{
    unsigned char start[8];
    if (r->in.bytes < sizeof start)
        return wa_io_fail(r->in.path, WASHI_BAD_FILE, "not a safetensors file: it has %d bytes",
                          (int)r->in.bytes);
    washi_status status = wa_io_read_all(&r->in, start, sizeof start);
    if (status != WASHI_OK) return status;
    unsigned long long length = 0;
    for (int i = 7; i >= 0; i--) length = length << 8 | start[i];
    if (length > WA_SAFETENSORS_HEADER)
        return wa_io_fail(r->in.path, WASHI_BAD_FILE, "its header has %llu bytes, more than %d", length,
                          WA_SAFETENSORS_HEADER);
    if (length > r->in.bytes - sizeof start)
        return wa_io_fail(r->in.path, WASHI_BAD_FILE, "too short: its header has %llu bytes", length);
    r->out->text_bytes = (size_t)length + 1;
    r->out->text = washi_resize(r->w, NULL, 0, r->out->text_bytes);
    if (!r->out->text) return WASHI_NO_MEMORY;
    r->out->text[length] = 0;
    r->json = (struct wa_json){.w = r->w, .path = r->in.path, .text = r->out->text};
    status = wa_io_read_all(&r->in, r->out->text, (size_t)length);
    return status == WASHI_OK ? wa_json_parse(&r->json, (size_t)length, DEPTH) : status;
}

/* -- the tensors --------------------------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->begin != y->begin) return x->begin < y->begin ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end);
}

/* Whether the tensors, in the order of their places, fill the rest of the file without a hole or an
 * overlap, each with as many bytes as it has. Before this is known, no memory is asked for them. */
static washi_status check_places(struct reader *r)
{
    const uint64_t rest = r->in.bytes - 8 - (r->out->text_bytes - 1);
    int64_t at = 0;
    for (size_t i = 0; i < r->entries; i++) r->scratch[i] = &r->entry[i];
    wa_io_sort(r->entries, r->scratch, by_place);
    for (size_t i = 0; i < r->entries; i++) {
        const struct entry *e = r->scratch[i];
        const int64_t n = washi_size(e->shape), width = e->kind.width;
        if (e->begin != at || e->end < e->begin)
            return bad(r, e->name, "its data_offsets leave a hole, overlap or run backwards");
        if (n < 0 || n > INT64_MAX / width || n * width != e->end - e->begin)
            return bad(r, e->name, "its data_offsets are not those of its dtype and shape");
        if ((uint64_t)e->end > rest) return bad(r, e->name, "too short: its bytes go beyond the file");
        at = e->end;
    }
    if ((uint64_t)at == rest) return WASHI_OK;
    return wa_io_fail(r->in.path, WASHI_BAD_FILE, "too long: %llu bytes follow the last tensor",
                      (unsigned long long)(rest - (uint64_t)at));
}

static washi_status read_arrays(struct reader *r)
{
    washi_named_array *array = washi_resize(r->w, NULL, 0, r->entries * sizeof *array);
    if (!array) return WASHI_NO_MEMORY;
    memset(array, 0, r->entries * sizeof *array);
    r->out->array = array;
    r->out->arrays = (int)r->entries;
    for (size_t i = 0; i < r->entries; i++) {
        const struct entry *e = r->scratch[i];
        char name[128];
        snprintf(name, sizeof name, "tensor %s", e->name);
        const struct wa_elements elements = {r->in.path, name, e->kind, false, wa_io_read, &r->in};
        washi_named_array *a = &array[e - r->entry];
        washi_dtype type;
        wa_io_type(e->kind, &type);
        a->name = e->name;
        washi_status status = washi_array_new(r->w, type, e->shape, &a->array);
        if (status == WASHI_OK)
            status = wa_io_elements(&elements, (size_t)washi_size(e->shape),
                                    (void *)(uintptr_t)a->array.data);
        if (status != WASHI_OK) return status;
    }
    return WASHI_OK;
}

static washi_status read_all(struct reader *r)
{
    washi_status status = read_header(r);
    if (status != WASHI_OK) return status;
    for (unsigned i = 0; i < r->json.tokens; i++) r->room += r->json.token[i].type == JSMN_STRING;
    if (r->room > 0) {
        r->scratch = washi_resize(r->w, NULL, 0, r->room * sizeof *r->scratch);
        r->entry = washi_resize(r->w, NULL, 0, (size_t)r->json.token[0].size * sizeof *r->entry);
        if (!r->scratch || !r->entry) return WASHI_NO_MEMORY;
    }
    status = read_entries(r);
    if (status == WASHI_OK) status = check_places(r);
    if (status == WASHI_OK && r->entries > 0) status = read_arrays(r);
    return status;
}

washi_status washi_read_safetensors(washi *w, const char *path, washi_safetensors *out)
{
    if (out) *out = (washi_safetensors){0};
    if (!w || !path || !out)
        return washi_fail(NULL, WASHI_MISUSE, "read_safetensors: an argument is NULL");
    struct reader r = {.w = w, .out = out};
    washi_status status = wa_io_open(&r.in, path);
    if (status == WASHI_OK) status = read_all(&r);
    if (r.entry) washi_resize(w, r.entry, (size_t)r.json.token[0].size * sizeof *r.entry, 0);
    if (r.scratch) washi_resize(w, r.scratch, r.room * sizeof *r.scratch, 0);
    wa_json_free(&r.json);
    wa_io_close(&r.in);
    if (status != WASHI_OK) washi_safetensors_free(w, out);
    return status;
}

void washi_safetensors_free(washi *w, washi_safetensors *s)
{
    if (!s) return;
    for (int i = 0; i < s->arrays; i++) washi_release(w, &s->array[i].array);
    if (s->array) washi_resize(w, s->array, (size_t)s->arrays * sizeof *s->array, 0);
    if (s->metadata) washi_resize(w, s->metadata, (size_t)s->lines * sizeof *s->metadata, 0);
    if (s->text) washi_resize(w, s->text, s->text_bytes, 0);
    *s = (washi_safetensors){0};
}
