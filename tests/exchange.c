/* exchange.c: shows and copies files that other programs wrote, for tools/test-files.sh. An array is
 * one line: its name, its type, its sizes, its bytes in hexadecimal.
 *
 *     exchange show FILE          FILE.npy or FILE.safetensors
 *     exchange copy FILE TO       reads and writes; both of one kind
 *     exchange model FILE TO      loads a model of 5 inputs, dense 4 and dense 3, and saves it */
#include <washi.h>

#include <stdlib.h>
#include <string.h>

static void check(washi_status status)
{
    if (status == WASHI_OK) return;
    fprintf(stderr, "exchange: %s\n", washi_message());
    exit(EXIT_FAILURE);
}

static bool ends_in(const char *path, const char *suffix)
{
    const size_t n = strlen(path), m = strlen(suffix);
    return n >= m && strcmp(path + n - m, suffix) == 0;
}

static void show(const char *name, const washi_array *a)
{
    const unsigned char *bytes = a->data;
    printf("%s %s [", name, washi_dtype_name(a->type));
    for (int i = 0; i < a->shape.rank; i++) printf(i ? ",%lld" : "%lld", (long long)a->shape.dim[i]);
    printf("] ");
    for (size_t i = 0; i < (size_t)washi_size(a->shape) * washi_dtype_size(a->type); i++)
        printf("%02x", bytes[i]);
    putchar('\n');
}

static void npy(washi *w, const char *path, const char *to)
{
    washi_array a;
    check(washi_read_npy(w, path, &a));
    if (to)
        check(washi_write_npy(to, &a));
    else
        show("array", &a);
    washi_release(w, &a);
}

static void safetensors(washi *w, const char *path, const char *to)
{
    washi_safetensors s;
    check(washi_read_safetensors(w, path, &s));
    if (to) check(washi_write_safetensors(w, to, &s));
    for (int i = 0; !to && i < s.arrays; i++) show(s.array[i].name, &s.array[i].array);
    washi_safetensors_free(w, &s);
}

static void model(washi *w, const char *path, const char *to)
{
    const washi_layer layers[] = {washi_layer_dense(4, washi_tanh),
                                  washi_layer_dense(3, washi_softmax)};
    washi_model *m = washi_sequential(w, 2, layers);
    check(m ? washi_model_build(m, WASHI_F32, washi_shape_make(1, (int64_t[]){5})) : WASHI_NO_MEMORY);
    check(washi_model_load(m, path));
    check(washi_model_save(m, to));
    washi_model_free(m);
}

int main(int argc, char **argv)
{
    const char *verb = argc > 2 ? argv[1] : "", *path = argc > 2 ? argv[2] : "",
               *to = argc > 3 ? argv[3] : NULL;
    const bool copy = strcmp(verb, "copy") == 0 && to, load = strcmp(verb, "model") == 0 && to;
    if (!copy && !load && (strcmp(verb, "show") != 0 || to)) {
        fputs("usage: exchange show FILE | copy FILE TO | model FILE TO\n", stderr);
        return EXIT_FAILURE;
    }
    washi *w;
    check(washi_open(&w, NULL));
    if (load)
        model(w, path, to);
    else if (ends_in(path, ".npy"))
        npy(w, path, to);
    else
        safetensors(w, path, to);
    washi_close(w);
    return EXIT_SUCCESS;
}
