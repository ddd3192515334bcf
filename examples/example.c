/* example.c: one line on a mistake, time, and values as Keras prints them. */
#define _GNU_SOURCE /* program_invocation_short_name */
#include "example.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* -- mistakes ----------------------------------------------------------------------------------- */

void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fflush(stdout);
    fprintf(stderr, "%s: ", program_invocation_short_name);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(EXIT_FAILURE);
}

void check(washi_status status)
{
    if (status != WASHI_OK) fail("%s", washi_message());
}

void *checked(void *p)
{
    if (!p) fail("%s", washi_message());
    return p;
}

void *memory(size_t n, size_t size)
{
    void *p = calloc(n, size);
    if (!p) fail("out of memory");
    return p;
}

double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* -- values ------------------------------------------------------------------------------------- */

static const char *type_name(washi_dtype type)
{
    static const char *const name[] = {"float32", "float64", "int32", "uint8"};
    return name[type];
}

/* With six digits, or fewer if they give the number back, and a point. */
static void print_real(double x, bool is_float)
{
    char text[40];
    for (int digits = 1; digits <= 6; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (is_float ? strtof(text, NULL) == (float)x : strtod(text, NULL) == x) break;
    }
    printf("%s%s", text, strpbrk(text, ".en") ? "" : ".");
}

static void print_element(washi_dtype type, const void *data, int64_t i)
{
    switch (type) {
    case WASHI_F32: print_real((double)((const float *)data)[i], true); break;
    case WASHI_F64: print_real(((const double *)data)[i], false); break;
    case WASHI_I32: printf("%d", (int)((const int32_t *)data)[i]); break;
    case WASHI_U8: printf("%d", ((const uint8_t *)data)[i]); break;
    }
}

/* [[0.1 0.2]
 *  [0.3 0.4]] */
static void print_values(const washi_array *a)
{
    const washi_shape *s = &a->shape;
    const int64_t n = washi_size(*s);
    for (int64_t i = 0; i < n; i++) {
        int edges = 0; /* axes that begin here */
        for (int64_t span = 1; edges < s->rank && i % (span *= s->dim[s->rank - 1 - edges]) == 0;)
            edges++;
        if (i && edges) printf("\n%*s", s->rank - edges, "");
        if (i && !edges) putchar(' ');
        for (int k = 0; k < edges; k++) putchar('[');
        print_element(a->type, a->data, i);
        for (int64_t k = s->rank - 1, span = 1; k >= 0 && (i + 1) % (span *= s->dim[k]) == 0; k--)
            putchar(']');
    }
}

static void print_shape_and_type(const washi_array *a)
{
    printf("shape=(");
    for (int i = 0; i < a->shape.rank; i++) printf(i ? ", %lld" : "%lld", (long long)a->shape.dim[i]);
    printf("%s), dtype=%s", a->shape.rank == 1 ? "," : "", type_name(a->type));
}

void print_tensor(washi_tensor *x)
{
    check(washi_eval(1, &x));
    const washi_array a = {washi_dtype_of(x), washi_shape_of(x), washi_data(x)};
    printf("tensor(");
    print_values(&a);
    printf(", ");
    print_shape_and_type(&a);
    printf(")\n");
}

/* -- weights ------------------------------------------------------------------------------------ */

static void print_variable(const washi_weight_info *v)
{
    const washi_array a = {v->type, v->shape, v->data};
    printf("<Variable path=%s, ", v->name);
    print_shape_and_type(&a);
    printf(", value=");
    print_values(&a);
    putchar('>');
}

void print_weights(washi_model *m, int trainable)
{
    const char *before = "[";
    for (int i = 0; i < washi_model_weights(m); i++) {
        const washi_weight_info v = washi_model_weight(m, i);
        if (trainable >= 0 && v.trainable != trainable) continue;
        fputs(before, stdout);
        print_variable(&v);
        before = ",\n ";
    }
    puts(*before == '[' ? "[]" : "]");
}

washi_weight_info weight_named(washi_model *m, const char *name)
{
    for (int i = 0; i < washi_model_weights(m); i++) {
        const washi_weight_info v = washi_model_weight(m, i);
        if (strcmp(v.name, name) == 0) return v;
    }
    fail("there is no weight %s", name);
}

void print_weight(washi_model *m, const char *name)
{
    const washi_weight_info v = weight_named(m, name);
    print_variable(&v);
    putchar('\n');
}
