/* activations.c: the usual activation functions and, from the tape, their derivatives. */
#include "example.h"
#include "plot.h"

enum { POINTS = 100, FUNCTIONS = 7 };

static const struct activation {
    const char *name, *title;
    washi_unary_fn *function;
} activations[FUNCTIONS] = {
    {"sigmoid", "sigmoid", washi_sigmoid},
    {"relu", "ReLU: rectified linear unit", washi_relu},
    {"tanh", "tanh", washi_tanh},
    {"elu", "ELU: exponential linear unit", washi_elu},
    {"selu", "SELU: scaled ELU", washi_selu},
    {"softplus", "softplus", washi_softplus},
    {"swish", "swish", washi_swish},
};

/* x, the function there, and its derivative. */
typedef double rows[POINTS][3];

/* x = ops.linspace(-10, 10, 100); y = keras.activations.sigmoid(x) */
static void evaluate(washi *w, washi_unary_fn *function, rows out)
{
    washi_tape *t = checked(washi_tape_new(w));
    washi_tensor *x = washi_linspace(t, WASHI_F64, -10, 10, POINTS), *y[3] = {x, function(x)};
    check(washi_grad(y[1], 1, &x, &y[2]));
    check(washi_eval(3, y));
    for (int i = 0; i < POINTS; i++)
        for (int k = 0; k < 3; k++) out[i][k] = washi_f64(y[k])[i];
    washi_tape_free(t);
}

/* The points whose numbers are printed. */
static const int shown[] = {0, 40, 49, 50, 59, 99};

static void print_rows(const char *name, rows r)
{
    for (int d = 0; d < 2; d++) {
        char label[32];
        snprintf(label, sizeof label, "%s%s", name, d ? "'" : "");
        printf("%-10s", label);
        for (int i = 0; i < 6; i++) printf(" %10.6f", r[shown[i]][1 + d]);
        putchar('\n');
    }
}

/* Over all of an array, unlike the others. */
static void show_softmax(washi *w)
{
    washi_tape *t = checked(washi_tape_new(w));
    washi_tensor *a =
        washi_constant(t, WASHI_F32, washi_shape_make(1, (int64_t[]){4}), (float[]){1, 2, 3, 4});
    washi_tensor *p = washi_softmax(a);
    puts("\nsoftmax of 1, 2, 3, 4, and its sum");
    print_tensor(p);
    print_tensor(washi_sum(p, WASHI_ALL, false));
    washi_tape_free(t);
}

/* -- pictures ----------------------------------------------------------------------------------- */

static void draw_sigmoid(const char *folder, rows sigmoid)
{
    struct plot p = plot_begin(folder, "sigmoid", 640, 420);
    plot_data(&p, "sigmoid", POINTS, 3, sigmoid[0]);
    fputs("set title 'Sigmoid activation function'\nset xlabel 'x'; set ylabel 'sigmoid(x)'\n"
          "set key top left\nplot $sigmoid using 1:2 with lines lt 1 title 'sigmoid'\n",
          p.script);
    plot_end(&p);
}

static void draw_all(const char *folder, rows all[FUNCTIONS])
{
    struct plot p = plot_begin(folder, "activations", 1000, 1300);
    for (int i = 0; i < FUNCTIONS; i++) plot_data(&p, activations[i].name, POINTS, 3, all[i][0]);
    fputs("set multiplot layout 4,2\nset key top left\nset xlabel 'x'\nset ylabel 'y'\n"
          "set xrange [-5:5]; set yrange [-2:5]\nset ytics 1\n",
          p.script);
    for (int i = 0; i < FUNCTIONS; i++)
        fprintf(p.script,
                "set title '%s'\n"
                "plot $%s using 1:2 with lines lt 1 title '%s(x)', "
                "'' using 1:3 with lines lt 2 dt 2 title 'its derivative'\n",
                activations[i].title, activations[i].name, activations[i].name);
    fputs("unset multiplot\n", p.script);
    plot_end(&p);
}

int main(int argc, char **argv)
{
    static rows all[FUNCTIONS];
    const char *folder = argc > 1 ? argv[1] : "pictures";
    washi *w;
    check(washi_open(&w, NULL));
    for (int i = 0; i < FUNCTIONS; i++) evaluate(w, activations[i].function, all[i]);
    printf("%-10s", "x");
    for (int i = 0; i < 6; i++) printf(" %10.6f", all[0][shown[i]][0]);
    putchar('\n');
    for (int i = 0; i < FUNCTIONS; i++) print_rows(activations[i].name, all[i]);
    show_softmax(w);
    draw_sigmoid(folder, all[0]);
    draw_all(folder, all);
    washi_close(w);
    return 0;
}
