/* perceptron.c: a linear classifier: the lecture's weights on random points, which gates it can be, and
 * the rule by which it learns (Rosenblatt 1958). No gradient at all. */
#include "example.h"
#include "plot.h"

#include <math.h>

enum { POINTS = 100 };

/* ops.greater_equal(ops.tensordot(x, weights, axes=1) + bias, 0.); columns of weights are several of
 * them */
static washi_tensor *perceptron(washi_tensor *x, washi_tensor *weights, washi_tensor *bias)
{
    washi_tensor *sum = washi_add(washi_tensordot(x, weights, 1), bias);
    return washi_greater_equal(sum, washi_scalar(washi_tape_of(x), washi_dtype_of(x), 0));
}

/* -- the lecture's points ----------------------------------------------------------------------- */

static void classify(washi *w, float points[POINTS][2], float classes[POINTS])
{
    check(washi_fill_normal(w, 1, 0, POINTS * 2, points[0]));
    washi_tape *t = checked(washi_tape_new(w));
    washi_tensor *x = washi_constant(t, WASHI_F32, washi_shape_make(2, (int64_t[]){POINTS, 2}), points);
    washi_tensor *weights =
        washi_constant(t, WASHI_F32, washi_shape_make(1, (int64_t[]){2}), (float[]){1, 0.5f});
    washi_tensor *y = perceptron(x, weights, washi_scalar(t, WASHI_F32, -0.5));
    check(washi_eval(1, &y));
    int positive = 0;
    for (int i = 0; i < POINTS; i++) {
        classes[i] = washi_f32(y)[i];
        positive += classes[i] > 0;
        if ((classes[i] > 0) != (points[i][0] + 0.5f * points[i][1] - 0.5f >= 0))
            fail("point %d is on the wrong side", i);
    }
    printf("weights (1, 0.5), bias -0.5: %d of %d points are positive\n", positive, POINTS);
    washi_tape_free(t);
}

/* -- gates -------------------------------------------------------------------------------------- */

/* A gate of one or two inputs: what it says of 0 and 1, or of 00, 01, 10 and 11. */
struct gate {
    const char *name;
    int inputs;
    float says[4];
};

enum { STEPS = 33, MOST = STEPS * STEPS * STEPS };

/* The numbers of each input, the last of which is 1, for the bias. */
static washi_tensor *gate_inputs(washi_tape *t, int inputs)
{
    float x[4 * 3];
    const int rows = 1 << inputs, columns = inputs + 1;
    for (int i = 0; i < rows; i++)
        for (int k = 0; k < columns; k++)
            x[i * columns + k] = k == inputs ? 1 : (float)(i >> (inputs - 1 - k) & 1);
    return washi_constant(t, WASHI_F32, washi_shape_make(2, (int64_t[]){rows, columns}), x);
}

/* Every choice of so many numbers from -4, -3.75 ... 4 as a column; returns how many there are. */
static int make_grid(int numbers, float *grid)
{
    int choices = 1;
    for (int k = 0; k < numbers; k++) choices *= STEPS;
    for (int c = 0; c < choices; c++)
        for (int k = 0, rest = c; k < numbers; k++, rest /= STEPS)
            grid[k * choices + c] = (float)(rest % STEPS) / 4 - 4;
    return choices;
}

/* Of all weights and biases on the grid, those that make the gate: how many, and the first. All of them
 * are tried in one product. */
static int search(washi *w, const struct gate *g, int *choices, float first[3])
{
    static float grid[3 * MOST];
    const int numbers = g->inputs + 1, rows = 1 << g->inputs, columns = make_grid(numbers, grid);
    washi_tape *t = checked(washi_tape_new(w));
    washi_tensor *weights =
        washi_constant(t, WASHI_F32, washi_shape_make(2, (int64_t[]){numbers, columns}), grid);
    washi_tensor *target =
        washi_constant(t, WASHI_F32, washi_shape_make(2, (int64_t[]){rows, 1}), g->says);
    washi_tensor *says = perceptron(gate_inputs(t, g->inputs), weights, washi_scalar(t, WASHI_F32, 0));
    washi_tensor *right = washi_all(washi_equal(says, target), 0, false);
    washi_tensor *results[2] = {washi_sum(right, WASHI_ALL, false), washi_argmax(right, 0, false)};
    check(washi_eval(2, results));
    const int found = (int)*washi_f32(results[0]), at = *(const int32_t *)washi_data(results[1]);
    for (int k = 0; k < numbers; k++) first[k] = grid[k * columns + at];
    *choices = columns;
    washi_tape_free(t);
    return found;
}

static void show_gates(washi *w)
{
    static const struct gate gates[] = {{"NOT", 1, {1, 0}},       {"AND", 2, {0, 0, 0, 1}},
                                        {"OR", 2, {0, 1, 1, 1}},  {"NAND", 2, {1, 1, 1, 0}},
                                        {"NOR", 2, {1, 0, 0, 0}}, {"XOR", 2, {0, 1, 1, 0}}};
    puts("\nWeights and biases in -4, -3.75 ... 4 that make a gate");
    for (int i = 0; i < 6; i++) {
        int choices;
        float first[3];
        const int found = search(w, &gates[i], &choices, first);
        printf("%-4s  %4d of %5d", gates[i].name, found, choices);
        if (found && gates[i].inputs == 1)
            printf(", such as %g x %+g >= 0", (double)first[0], (double)first[1]);
        else if (found)
            printf(", such as %g x1 %+g x2 %+g >= 0", (double)first[0], (double)first[1],
                   (double)first[2]);
        putchar('\n');
    }
    puts("XOR asks for\n"
         "    00:           b <  0\n"
         "    01:      w2 + b >= 0\n"
         "    10: w1      + b >= 0\n"
         "    11: w1 + w2 + b <  0\n"
         "The two in the middle add up to w1 + w2 + 2 b >= 0, so w1 + w2 + b >= -b, and the first says "
         "that\n"
         "-b > 0: the last cannot be. The four inequalities contradict each other, on the grid and off "
         "it.");
}

/* -- the learning rule -------------------------------------------------------------------------- */

/* One step on one point: what is wrong is added to the weights, times the input. The weights are the
 * host's memory, and the last of them is the bias, of an input that is 1. */
struct learner {
    float weights[3], input[3], target;
    washi_tape *tape;
    washi_tensor *error;
    washi_program *step;
};

static void open_learner(washi *w, struct learner *l)
{
    const washi_shape three = washi_shape_make(1, (int64_t[]){3});
    washi_tape *t = l->tape = checked(washi_tape_new(w));
    washi_tensor *weights = washi_variable(t, WASHI_F32, three, l->weights);
    washi_tensor *x = washi_input(t, WASHI_F32, three),
                 *y = washi_input(t, WASHI_F32, (washi_shape){0});
    check(washi_feed(x, l->input));
    check(washi_feed(y, &l->target));
    l->error = washi_sub(y, perceptron(x, weights, washi_scalar(t, WASHI_F32, 0)));
    check(washi_assign(weights, washi_add(weights, washi_mul(l->error, x))));
    l->step = checked(washi_compile(t, 1, &l->error));
}

/* Once through the points; returns how many were on the wrong side when they came. */
static int pass(struct learner *l, int n, float points[][2], const float classes[])
{
    int mistakes = 0;
    for (int i = 0; i < n; i++) {
        l->input[0] = points[i][0];
        l->input[1] = points[i][1];
        l->input[2] = 1;
        l->target = classes[i];
        check(washi_run(l->step));
        mistakes += *washi_f32(l->error) != 0;
    }
    return mistakes;
}

/* Novikoff's bound (1962): no more updates than the square of the longest input by the least distance
 * from a separating hyperplane, here the one the classes come from. */
static double bound(int n, float points[][2])
{
    double longest = 0, least = INFINITY;
    for (int i = 0; i < n; i++) {
        const double a = (double)points[i][0], b = (double)points[i][1];
        longest = fmax(longest, a * a + b * b + 1);
        least = fmin(least, fabs(a + 0.5 * b - 0.5) / sqrt(1 + 0.25 + 0.25));
    }
    return longest / (least * least);
}

static void learn(washi *w, float points[POINTS][2], const float classes[POINTS], float learned[3])
{
    struct learner l = {.target = 0};
    open_learner(w, &l);
    puts("\nThe learning rule, from weights of 0, on those points");
    int updates = 0, mistakes = 1;
    for (int i = 1; mistakes && i <= 1000; i++) {
        mistakes = pass(&l, POINTS, points, classes);
        updates += mistakes;
        if (i <= 5 || !mistakes) printf("pass %d: %d mistakes\n", i, mistakes);
    }
    const double most = bound(POINTS, points);
    printf("%d updates, and by Novikoff's theorem at most %.0f: %s\n", updates, most,
           !mistakes && updates <= most ? "converged" : "not converged");
    const double scale = (double)l.weights[0]; /* the line is the same for any multiple */
    printf("weights (1, %.3f), bias %.3f times %.3f\n", (double)l.weights[1] / scale,
           (double)l.weights[2] / scale, scale);
    for (int i = 0; i < 3; i++) learned[i] = l.weights[i];
    washi_program_free(l.step);
    washi_tape_free(l.tape);
}

/* -- the picture -------------------------------------------------------------------------------- */

static void draw(const char *folder, float points[POINTS][2], const float classes[POINTS],
                 const float learned[3])
{
    struct plot p = plot_begin(folder, "perceptron", 800, 560);
    double rows[POINTS][3];
    for (int i = 0; i < POINTS; i++) {
        rows[i][0] = (double)points[i][0];
        rows[i][1] = (double)points[i][1];
        rows[i][2] = (double)classes[i];
    }
    plot_data(&p, "points", POINTS, 3, rows[0]);
    fprintf(p.script,
            "set title 'Perceptron classifications'\nset xlabel 'x_1'; set ylabel 'x_2'\n"
            "set xrange [-3.5:3.5]; set yrange [-3.5:3.5]\nset key outside right top\n"
            "plot $points using 1:($3 > 0 ? $2 : 1/0) with points lt 1 ps 0.9 title 'positive', \\\n"
            "  $points using 1:($3 > 0 ? 1/0 : $2) with points lt 2 pt 9 ps 1.1 title 'negative', \\\n"
            "  1 - 2 * x with lines lt 7 title 'x_1 + 0.5 x_2 = 0.5', \\\n"
            "  (%.9g - %.9g * x) / %.9g with lines lt 3 dt 2 title 'learned'\n",
            (double)-learned[2], (double)learned[0], (double)learned[1]);
    plot_end(&p);
}

int main(int argc, char **argv)
{
    float points[POINTS][2], classes[POINTS], learned[3];
    washi *w;
    check(washi_open(&w, &(washi_options){.seed = 1}));
    classify(w, points, classes);
    show_gates(w);
    learn(w, points, classes, learned);
    draw(argc > 1 ? argv[1] : "pictures", points, classes, learned);
    washi_close(w);
    return 0;
}
