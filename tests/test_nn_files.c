/* test_nn_files.c: models saved and loaded: the same bits, in another context; weights that are
 * missing, too many or other ones; and, after every failure, the model as it was. */
#include "files.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static washi_tensor *shift_all(washi_scope *s, washi_tensor *x, const void *config)
{
    (void)config;
    return washi_add(
        x, washi_weight(s, "by", (washi_weight_options){.init = washi_random_normal, .frozen = true}));
}

static washi_model *model_new(washi *context)
{
    const washi_layer layers[] = {washi_layer_dense(4, washi_tanh),
                                  washi_layer_custom("shift", shift_all, NULL),
                                  washi_layer_dense(3, washi_softmax)};
    washi_model *m = washi_sequential(context, 3, layers);
    ck_assert_msg(m && washi_model_build(m, WASHI_F32, SHAPE(5)) == WASHI_OK, "%s", washi_message());
    ck_assert_int_eq(washi_model_weights(m), 5);
    return m;
}

/* All weights, one behind the other. */
static struct bytes weights_of(washi_model *m)
{
    struct bytes b = {0};
    for (int i = 0; i < washi_model_weights(m); i++) {
        const washi_weight_info v = washi_model_weight(m, i);
        append(&b, v.data, bytes_of(v.shape, v.type));
    }
    return b;
}

static bool same_weights(washi_model *m, const struct bytes *b)
{
    const struct bytes now = weights_of(m);
    return now.size == b->size && memcmp(now.at, b->at, b->size) == 0;
}

static void predict(washi_model *m, float out[6])
{
    const float x[10] = {1, 2, 3, 4, 5, -5, -4, -3, -2, -1};
    ok(washi_predict(m, &(washi_array){WASHI_F32, SHAPE(2, 5), x}, 2, out));
}

static void refused(washi_model *m, washi_status status, const char *part)
{
    const struct bytes before = weights_of(m);
    const size_t live = heap.bytes;
    said(status, washi_model_load(m, file), part);
    ck_assert_msg(strstr(washi_message(), part), "no %s in: %s", part, washi_message());
    ck_assert(same_weights(m, &before));
    ck_assert_uint_eq(heap.bytes, live);
}

START_TEST(loads_what_it_saved)
{
    washi_model *m = model_new(w);
    ((uint32_t *)washi_model_weight(m, 0).data)[3] = 0x7fa01234; /* a NaN with a payload */
    const struct bytes saved = weights_of(m);
    ok(washi_model_save(m, file));
    ck_assert(same_weights(m, &saved));
    const struct bytes first = read_file();

    washi *other;
    ok(washi_open(&other, &(washi_options){.threads = 1, .seed = 99}));
    washi_model *n = model_new(other);
    ck_assert(!same_weights(n, &saved));
    ok(washi_model_load(n, file));
    ck_assert(same_weights(n, &saved));
    ((float *)washi_model_weight(m, 0).data)[3] = 1;
    ((float *)washi_model_weight(n, 0).data)[3] = 1;
    float y[6], z[6];
    predict(m, y);
    predict(n, z);
    ck_assert_mem_eq(y, z, sizeof y);

    ok(washi_model_load(n, file));
    unlink(file);
    ok(washi_model_save(n, file));
    const struct bytes second = read_file();
    ck_assert_uint_eq(first.size, second.size);
    ck_assert_mem_eq(first.at, second.at, first.size);
    washi_model_free(m);
    washi_model_free(n);
    washi_close(other);
}
END_TEST

/* What a tool that knows nothing of Washi finds in the file. */
START_TEST(saves_by_name)
{
    washi_model *m = model_new(w);
    ok(washi_model_save(m, file));
    washi_safetensors s;
    ok(washi_read_safetensors(w, file, &s));
    static const struct {
        const char *name;
        washi_shape shape;
    } want[] = {{"dense/kernel", {2, {5, 4}}},
                {"dense/bias", {1, {4}}},
                {"shift/by", {0}},
                {"dense_1/kernel", {2, {4, 3}}},
                {"dense_1/bias", {1, {3}}}};
    ck_assert_int_eq(s.arrays, 5);
    for (int i = 0; i < 5; i++) {
        ck_assert_str_eq(s.array[i].name, want[i].name);
        ck_assert(same_shape(s.array[i].array.shape, want[i].shape));
        ck_assert_mem_eq(s.array[i].array.data, washi_model_weight(m, i).data,
                         bytes_of(want[i].shape, WASHI_F32));
    }
    ck_assert_str_eq(s.metadata[0].key, "format");
    ck_assert_str_eq(s.metadata[0].value, "washi");
    washi_safetensors_free(w, &s);
    washi_model_free(m);
}
END_TEST

/* The model's own weights as arrays, to be changed and written. */
static washi_safetensors contents(washi_model *m, washi_named_array array[6])
{
    washi_safetensors s = {.arrays = washi_model_weights(m), .array = array};
    for (int i = 0; i < s.arrays; i++) {
        const washi_weight_info v = washi_model_weight(m, i);
        array[i] = (washi_named_array){v.name, {v.type, v.shape, v.data}};
    }
    return s;
}

/* These in the file are refused, and the message says why. */
static void refused_contents(washi_model *m, const washi_safetensors *s, washi_status status,
                             const char *part)
{
    ok(washi_write_safetensors(w, file, s));
    refused(m, status, part);
}

static const double zeros[64];

/* Weight i of the source is missing, of another type, of another shape. */
static void refused_without(washi_model *m, washi_model *source, int i)
{
    const char *name = washi_model_weight(m, i).name;
    washi_named_array array[6];
    washi_safetensors s = contents(source, array);
    array[i] = array[--s.arrays];
    refused_contents(m, &s, WASHI_BAD_VALUE, name);

    s = contents(source, array);
    array[i].array.data = zeros;
    array[i].array.type = WASHI_F64;
    refused_contents(m, &s, WASHI_BAD_TYPE, name);
    array[i].array.type = WASHI_I32;
    refused_contents(m, &s, WASHI_BAD_TYPE, name);
    array[i].array.type = WASHI_F32;

    washi_shape *shape = &array[i].array.shape;
    shape->dim[shape->rank++] = 1;
    refused_contents(m, &s, WASHI_BAD_SHAPE, name);
    if (shape->rank < 3) return;
    *shape = SHAPE(shape->dim[1], shape->dim[0]);
    refused_contents(m, &s, WASHI_BAD_SHAPE,
                     i ? "[3,4], the model as [4,3]" : "[4,5], the model as [5,4]");
}

START_TEST(refuses_other_weights)
{
    washi_model *m = model_new(w), *source = model_new(w);
    for (int i = 0; i < washi_model_weights(source); i++) /* that a copied one would show */
        *(float *)washi_model_weight(source, i).data = (float)i + 100;
    for (int i = 0; i < 5; i++) refused_without(m, source, i);
    washi_named_array array[6];
    washi_safetensors s = contents(source, array);
    array[s.arrays++] = (washi_named_array){"one/more", {WASHI_F32, SHAPE(1), zeros}};
    refused_contents(m, &s, WASHI_BAD_VALUE, "one/more");
    array[5].name = "dense/kernel/";
    refused_contents(m, &s, WASHI_BAD_VALUE, "dense/kernel/");
    s.arrays = 5;
    ok(washi_write_safetensors(w, file, &s));
    ok(washi_model_load(m, file));
    ck_assert_float_eq(*(float *)washi_model_weight(m, 4).data, 104);
    washi_model_free(m);
    washi_model_free(source);
}
END_TEST

START_TEST(refuses_damaged_files)
{
    washi_model *m = model_new(w);
    ok(washi_model_save(m, file));
    const struct bytes whole = read_file(), before = weights_of(m);
    for (size_t size = 0; size < whole.size; size++) {
        write_file(whole.at, size);
        refused(m, WASHI_BAD_FILE, "");
    }
    const size_t header = whole.size - before.size;
    for (size_t i = 0; i < header; i++)
        for (int k = 0; k < DAMAGES; k++) {
            struct bytes b = whole;
            b.at[i] = damaged(b.at[i], k);
            for (size_t j = header; j < b.size; j++) b.at[j] = 0;
            write_file(b.at, b.size);
            if (washi_model_load(m, file) != WASHI_OK) {
                ck_assert_msg(same_weights(m, &before), "%s", washi_message());
                continue;
            }
            ck_assert(!same_weights(m, &before));
            write_file(whole.at, whole.size);
            ok(washi_model_load(m, file));
        }
    washi_model_free(m);
}
END_TEST

/* PyTorch's narrow types, by their bits: 1.5, -2 and the smallest denormal of half precision. */
START_TEST(widens_what_is_narrow)
{
    static const uint16_t half[] = {0x3e00, 0xc000, 0x0001}, brain[] = {0x3fc0, 0xc000, 0x3380};
    const float floats[] = {1.5f, -2, 0x1p-24f};
    for (int type = WASHI_F32; type <= WASHI_F64; type++)
        for (int k = 0; k < 3; k++) {
            const washi_layer layer = washi_layer_dense(1, NULL);
            washi_model *m = washi_sequential(w, 1, &layer);
            ok(washi_model_build(m, (washi_dtype)type, SHAPE(2)));
            struct bytes b = {0};
            char header[200];
            const int size = k == 2 ? 4 : 2;
            const char *dtype = k == 0 ? "F16" : k == 1 ? "BF16" : "F32";
            snprintf(header, sizeof header,
                     "{\"dense/kernel\":{\"dtype\":\"%s\",\"shape\":[2,1],\"data_offsets\":[0,%d]},"
                     "\"dense/bias\":{\"dtype\":\"%s\",\"shape\":[1],\"data_offsets\":[%d,%d]}}",
                     dtype, 2 * size, dtype, 2 * size, 3 * size);
            append_number(&b, strlen(header), 8, false);
            append_text(&b, header);
            append(&b,
                   k == 0   ? (const void *)half
                   : k == 1 ? (const void *)brain
                            : floats,
                   3 * (size_t)size);
            write_file(b.at, b.size);
            ok(washi_model_load(m, file));
            for (size_t i = 0; i < 3; i++)
                ck_assert_double_eq(get((washi_dtype)type, washi_model_weight(m, i == 2).data, i % 2),
                                    (double)floats[i]);
            washi_model_free(m);
        }
}
END_TEST

START_TEST(survives_every_allocation_failing)
{
    washi_model *m = model_new(w);
    const struct bytes before = weights_of(m);
    write_file("as it was", 9);
    heap.fail_at = heap.calls;
    ck_assert_int_eq(washi_model_save(m, file), WASHI_NO_MEMORY);
    heap.fail_at = heap.calls + 1;
    ck_assert_int_eq(washi_model_save(m, file), WASHI_NO_MEMORY);
    heap.fail_at = -1;
    ck_assert_uint_eq(read_file().size, 9);
    washi_model *other = model_new(w);
    *(float *)washi_model_weight(other, 0).data = 77;
    ok(washi_model_save(other, file));
    washi_model_free(other);
    washi_status status = WASHI_NO_MEMORY;
    int failures = -1;
    for (; status == WASHI_NO_MEMORY; failures++) {
        ck_assert(same_weights(m, &before));
        heap.fail_at = heap.calls + failures + 1;
        status = washi_model_load(m, file);
    }
    heap.fail_at = -1;
    ck_assert_int_eq(status, WASHI_OK);
    ck_assert_int_ge(failures, 10);
    ck_assert_float_eq(*(float *)washi_model_weight(m, 0).data, 77);
    washi_model_free(m);
}
END_TEST

START_TEST(reports_misuse)
{
    const washi_layer layer = washi_layer_dense(1, NULL), none = washi_layer_flatten();
    washi_model *m = washi_sequential(w, 1, &layer);
    ck_assert_int_eq(washi_model_save(NULL, file), WASHI_MISUSE);
    ck_assert_int_eq(washi_model_save(m, NULL), WASHI_MISUSE);
    ck_assert_int_eq(washi_model_load(NULL, file), WASHI_MISUSE);
    ck_assert_int_eq(washi_model_load(m, NULL), WASHI_MISUSE);
    ck_assert_int_eq(washi_model_save(m, file), WASHI_MISUSE);
    ck_assert_int_eq(washi_model_load(m, file), WASHI_MISUSE);
    ck_assert_ptr_nonnull(strstr(washi_message(), "not built"));
    ck_assert_int_eq(files_in_folder(), 0);
    ok(washi_model_build(m, WASHI_F32, SHAPE(2)));
    refused(m, WASHI_IO, "No such file");
    washi_model_free(m);

    m = washi_sequential(w, 1, &none); /* a model without weights can be saved too */
    ok(washi_model_build(m, WASHI_F32, SHAPE(2)));
    ok(washi_model_save(m, file));
    ok(washi_model_load(m, file));
    washi_model_free(m);
}
END_TEST

static washi_status save_a_model(const char *path)
{
    washi_model *m = model_new(w);
    const washi_status status = washi_model_save(m, path);
    washi_model_free(m);
    return status;
}

START_TEST(leaves_the_target_when_it_cannot_write) { cannot_write(_i, save_a_model); }
END_TEST

int main(void)
{
    TCase *all = CASE("nn_files", setup_files, teardown_files, loads_what_it_saved, saves_by_name,
                      refuses_other_weights, refuses_damaged_files, widens_what_is_narrow,
                      survives_every_allocation_failing, reports_misuse);
    tcase_add_loop_test(all, leaves_the_target_when_it_cannot_write, 0, UNWRITABLE);
    return RUN_SUITE("nn_files", all);
}
