/* learning_rate.c: the derivative of a loss after some steps of gradient descent by the learning rate,
 * through the steps, and a learning rate that learns from it. */
#include "example.h"
#include "plot.h"

#include <math.h>

enum { POINTS = 32, UNITS = 8, WEIGHTS = 4, STEPS = 20, ROUNDS = 121, CURVE = 121 };

/* A network of one hidden layer, as a curve through points of a sine. */
struct network {
    double x[POINTS], y[POINTS];
    double first[UNITS], bias[UNITS], last[UNITS], offset[1];
};

static void make_network(washi *w, struct network *n)
{
    float normal[3 * UNITS];
    check(washi_fill_normal(w, 1, 0, 3 * UNITS, normal));
    for (int i = 0; i < POINTS; i++) {
        n->x[i] = 4.0 * i / (POINTS - 1) - 2;
        n->y[i] = sin(2 * n->x[i]);
    }
    for (int i = 0; i < UNITS; i++) {
        n->first[i] = (double)normal[i];
        n->bias[i] = (double)normal[UNITS + i];
        n->last[i] = 0.3 * (double)normal[2 * UNITS + i];
    }
    n->offset[0] = 0;
}

static washi_tensor *matrix(washi_tape *t, int64_t rows, int64_t columns, const double *data)
{
    return washi_constant(t, WASHI_F64, washi_shape_make(2, (int64_t[]){rows, columns}), data);
}

/* -- the steps, recorded -------------------------------------------------------------------------- */

static washi_tensor *loss_of(washi_tensor *x, washi_tensor *y, washi_tensor *const weight[WEIGHTS])
{
    washi_tensor *h = washi_tanh(washi_add(washi_matmul(x, weight[0]), weight[1]));
    washi_tensor *off = washi_sub(washi_add(washi_matmul(h, weight[2]), weight[3]), y);
    return washi_mean(washi_mul(off, off), WASHI_ALL, false);
}

/* The loss after all steps, as a function of the rate: a step is a formula like any other. */
static washi_tensor *loss_after(const struct network *n, washi_tensor *rate)
{
    washi_tape *t = washi_tape_of(rate);
    washi_tensor *x = matrix(t, POINTS, 1, n->x), *y = matrix(t, POINTS, 1, n->y);
    washi_tensor *weight[WEIGHTS] = {matrix(t, 1, UNITS, n->first), matrix(t, 1, UNITS, n->bias),
                                     matrix(t, UNITS, 1, n->last), matrix(t, 1, 1, n->offset)};
    for (int k = 0; k < STEPS; k++) {
        washi_tensor *gradient[WEIGHTS];
        check(washi_grad(loss_of(x, y, weight), WEIGHTS, weight, gradient));
        for (int i = 0; i < WEIGHTS; i++)
            weight[i] = washi_sub(weight[i], washi_mul(rate, gradient[i]));
    }
    return washi_name(loss_of(x, y, weight), "loss after the steps");
}

/* -- looking at it ------------------------------------------------------------------------------ */

/* Of the logarithm of the rate, which may be any number: the program reads it anew in every run. */
struct experiment {
    double log_rate;
    washi_tape *tape;
    washi_tensor *loss, *slope; /* by the logarithm */
    washi_program *look, *learn;
};

static void open_experiment(washi *w, const struct network *n, struct experiment *e)
{
    e->tape = checked(washi_tape_new(w));
    washi_tensor *log_rate =
        washi_variable(e->tape, WASHI_F64, washi_shape_make(0, NULL), &e->log_rate);
    e->loss = loss_after(n, washi_exp(log_rate));
    check(washi_grad_strict(e->loss, 1, &log_rate, &e->slope));
    washi_tensor *const outputs[2] = {e->loss, e->slope};
    e->look = checked(washi_compile(e->tape, 2, outputs));
    /* What is compiled from now on changes the rate, too. */
    check(washi_assign(log_rate, washi_sub(log_rate, washi_scale(e->slope, 0.5))));
    e->learn = checked(washi_compile(e->tape, 2, outputs));
}

static void close_experiment(struct experiment *e)
{
    washi_program_free(e->learn);
    washi_program_free(e->look);
    washi_tape_free(e->tape);
}

static double loss_at(struct experiment *e, double log_rate)
{
    e->log_rate = log_rate;
    check(washi_run(e->look));
    return *washi_f64(e->loss);
}

static void compare_with_differences(struct experiment *e)
{
    static const double rates[] = {0.01, 0.03, 0.1, 0.3};
    printf("after %d steps\n%8s %12s %16s %16s\n", STEPS, "rate", "loss", "d loss / d rate",
           "by differences");
    for (int i = 0; i < 4; i++) {
        const double rate = rates[i], h = 1e-5 * rate;
        const double differences = (loss_at(e, log(rate + h)) - loss_at(e, log(rate - h))) / (2 * h);
        const double loss = loss_at(e, log(rate)), slope = *washi_f64(e->slope) / rate;
        printf("%8.2f %12.8f %16.6f %16.6f\n", rate, loss, slope, differences);
        if (!(fabs(slope - differences) <= 1e-6 * fabs(slope)))
            fail("the derivative is wrong at %g", rate);
    }
}

/* -- a rate that learns --------------------------------------------------------------------------- */

/* Rate, loss, and the slope by the rate, at the beginning of each round. */
static void learn(struct experiment *e, double rounds[ROUNDS][3])
{
    e->log_rate = log(0.01);
    printf("a rate that learns\n%8s %12s %12s\n", "round", "rate", "loss");
    for (int k = 0; k < ROUNDS; k++) {
        rounds[k][0] = exp(e->log_rate);
        check(washi_run(e->learn));
        rounds[k][1] = *washi_f64(e->loss);
        rounds[k][2] = *washi_f64(e->slope) / rounds[k][0];
        if (k % 15 == 0) printf("%8d %12.6f %12.8f\n", k, rounds[k][0], rounds[k][1]);
    }
}

static void draw(const char *folder, struct experiment *e, double rounds[ROUNDS][3])
{
    double curve[CURVE][2], steps[ROUNDS][3];
    for (int i = 0; i < CURVE; i++) {
        curve[i][0] = 0.008 * pow(0.42 / 0.008, (double)i / (CURVE - 1));
        curve[i][1] = loss_at(e, log(curve[i][0]));
    }
    for (int k = 0; k < ROUNDS; k++) {
        steps[k][0] = k;
        steps[k][1] = rounds[k][0];
        steps[k][2] = rounds[k][1];
    }
    struct plot p = plot_begin(folder, "learning_rate", 1000, 460);
    plot_data(&p, "curve", CURVE, 2, curve[0]);
    plot_data(&p, "rounds", ROUNDS, 3, rounds[0]);
    plot_data(&p, "steps", ROUNDS, 3, steps[0]);
    fprintf(p.script,
            "set multiplot layout 1,2\n"
            "set title 'The loss after %d steps, by the learning rate'\n"
            "set logscale x; set xlabel 'learning rate'; set ylabel 'loss'; set key top right\n"
            "set xrange [0.008:0.45]; set yrange [0.2:0.6]\n"
            "plot $curve with lines lt 1 title 'loss', \\\n"
            "  $rounds every 9 using ($1 * 0.85):($2 - $3 * $1 * 0.15):($1 * 0.3):($3 * $1 * 0.3)"
            " with vectors nohead lt 2 lw 3 title 'its derivative', \\\n"
            "  $rounds with points lt 4 ps 0.6 title 'rounds'\n",
            STEPS);
    fputs("set title 'A learning rate that learns'\n"
          "unset logscale x; set xlabel 'round'; set ylabel 'learning rate'; set key left top\n"
          "set xrange [*:*]; set yrange [0:*]; set y2range [0:*]; set y2tics; set y2label 'loss'\n"
          "set border 11\n"
          "plot $steps using 1:2 with linespoints lt 4 ps 0.3 title 'rate', \\\n"
          "  $steps using 1:3 axes x1y2 with linespoints lt 1 ps 0.3 title 'loss (right)'\n"
          "unset multiplot\n",
          p.script);
    plot_end(&p);
}

int main(int argc, char **argv)
{
    struct network n;
    struct experiment e = {0};
    double rounds[ROUNDS][3];
    washi *w;
    check(washi_open(&w, &(washi_options){.seed = 1}));
    make_network(w, &n);
    open_experiment(w, &n, &e);
    compare_with_differences(&e);
    learn(&e, rounds);
    draw(argc > 1 ? argv[1] : "pictures", &e, rounds);
    close_experiment(&e);
    washi_close(w);
    return 0;
}
