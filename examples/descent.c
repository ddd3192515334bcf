/* descent.c: gradient descent and stochastic gradient descent on one loss, with a learning rate that
 * stays and one that falls: a line through points, whose two parameters walk over the contours of the
 * loss. */
#include "example.h"
#include "plot.h"

enum { POINTS = 256, BATCH = 8, STEPS = 200 };

/* The points (x, y), and the parameters of the line of least squares through them. */
static float x[POINTS], y[POINTS];
static double best[2];

/* mean((slope x + offset - y)^2) is a quadratic form of the parameters: its coefficients are means. */
struct moments {
    double x, y, xx, xy, yy;
};

static struct moments moments(void)
{
    struct moments m = {0};
    for (int i = 0; i < POINTS; i++) {
        const double a = (double)x[i], b = (double)y[i];
        m.x += a / POINTS;
        m.y += b / POINTS;
        m.xx += a * a / POINTS;
        m.xy += a * b / POINTS;
        m.yy += b * b / POINTS;
    }
    return m;
}

static double loss_at(const struct moments *m, double slope, double offset)
{
    return slope * slope * m->xx + 2 * slope * offset * m->x + offset * offset - 2 * slope * m->xy -
           2 * offset * m->y + m->yy;
}

/* y = 2 x - 1 and noise. */
static void make_points(washi *w)
{
    float noise[POINTS];
    check(washi_fill_uniform(w, 1, 0, POINTS, x));
    check(washi_fill_normal(w, 2, 0, POINTS, noise));
    for (int i = 0; i < POINTS; i++) {
        x[i] *= 2;
        y[i] = 2 * x[i] - 1 + 0.5f * noise[i];
    }
    const struct moments m = moments();
    best[0] = (m.xy - m.x * m.y) / (m.xx - m.x * m.x);
    best[1] = m.y - best[0] * m.x;
}

/* -- descent ------------------------------------------------------------------------------------ */

struct method {
    const char *name, *title;
    int batch;
    washi_schedule_fn *schedule; /* NULL: the learning rate stays */
    double path[STEPS + 1][2];
};

static const double start[2] = {-1, -1}, learning_rate = 0.2;
static const washi_exponential_decay_options decay = {
    .initial_learning_rate = 0.2, .decay_steps = 100, .decay_rate = 0.5};

static washi_tensor *column(washi_tape *t, const float *data, washi_tensor *rows)
{
    washi_tensor *all = washi_input(t, WASHI_F32, washi_shape_make(2, (int64_t[]){POINTS, 1}));
    check(washi_feed(all, data));
    return washi_take(all, rows, 0);
}

/* One step, recorded: the loss of a batch, and what the optimiser makes of its gradient. rows says
 * which points the batch is of. */
static washi_program *record(washi_model *line, washi_optimizer *sgd, int batch, washi_tape *t,
                             const int32_t *rows)
{
    washi_tensor *index = washi_input(t, WASHI_I32, washi_shape_make(1, (int64_t[]){batch}));
    check(washi_feed(index, rows));
    washi_tensor *prediction = washi_model_call(line, column(t, x, index), true);
    washi_tensor *loss = washi_mean_squared_error(column(t, y, index), prediction);
    check(washi_minimize(sgd, line, loss));
    return checked(washi_compile(t, 1, &loss));
}

static void descend(washi *w, struct method *how)
{
    const washi_layer dense = washi_layer_dense(1, NULL);
    washi_model *line = checked(washi_sequential(w, 1, &dense));
    check(washi_model_build(line, WASHI_F32, washi_shape_make(1, (int64_t[]){1})));
    float *slope = weight_named(line, "dense/kernel").data,
          *offset = weight_named(line, "dense/bias").data;
    *slope = (float)start[0];
    *offset = (float)start[1];

    const washi_sgd_options fixed = {.learning_rate = learning_rate};
    const washi_sgd_options scheduled = {.schedule = how->schedule, .schedule_config = &decay};
    washi_optimizer *sgd = checked(washi_sgd(w, how->schedule ? &scheduled : &fixed));
    int32_t rows[POINTS];
    washi_tape *t = checked(washi_tape_new(w));
    washi_program *step = record(line, sgd, how->batch, t, rows);
    for (int k = 0; k <= STEPS; k++) {
        how->path[k][0] = (double)*slope;
        how->path[k][1] = (double)*offset;
        uint32_t bits[POINTS]; /* a batch of all points is the points; else they are drawn */
        check(washi_fill_bits(w, 100 + (uint64_t)k, 0, POINTS, bits));
        for (int i = 0; i < how->batch; i++)
            rows[i] = how->batch == POINTS ? i : (int32_t)(bits[i] % POINTS);
        if (k < STEPS) check(washi_run(step));
    }
    washi_program_free(step);
    washi_tape_free(t);
    washi_optimizer_free(sgd);
    washi_model_free(line);
}

/* -- the picture -------------------------------------------------------------------------------- */

/* Two paths over the contours, in the left or the right half. */
static void draw_pair(struct plot *p, const char *title, const struct method *pair)
{
    fprintf(p->script, "set title '%s'\n", title);
    for (int i = 0; i < 2; i++) plot_data(p, pair[i].name, STEPS + 1, 2, pair[i].path[0]);
    fprintf(p->script,
            "plot $contours with lines lc rgb '" GREY "' lw 1 title 'contours of the loss', \\\n"
            "  $%s with lines lt 2 lw 1 title '%s', $%s with linespoints lt 1 ps 0.4 title '%s', \\\n"
            "  $best with points lc rgb 'black' pt 2 ps 1.5 lw 2 title 'least squares'\n",
            pair[1].name, pair[1].title, pair[0].name, pair[0].title);
}

static void draw(const char *folder, const struct method methods[4])
{
    const struct moments m = moments();
    struct plot p = plot_begin(folder, "descent", 1000, 520);
    fprintf(p.script,
            "loss(x, y) = x**2 * %.9g + 2 * x * y * %.9g + y**2 - 2 * x * %.9g - 2 * y * %.9g + %.9g\n"
            "set xrange [-1.5:3.5]; set yrange [-2:3]\nset isosamples 80\nset contour base\n"
            "set cntrparam levels discrete 0.3, 0.4, 0.6, 1, 2, 4, 8, 16\nunset surface\n"
            "set table $contours\nsplot loss(x, y)\nunset table\n"
            "set xlabel 'slope'; set ylabel 'offset'\nset key top right opaque\n",
            m.xx, m.x, m.xy, m.y, m.yy);
    plot_data(&p, "best", 1, 2, best);
    fputs("set multiplot layout 1,2\n", p.script);
    draw_pair(&p, "Learning rate 0.2", methods);
    draw_pair(&p, "Learning rate 0.2, halved in 100 steps", methods + 2);
    fputs("unset multiplot\n", p.script);
    plot_end(&p);
}

int main(int argc, char **argv)
{
    static struct method methods[] = {
        {.name = "gd", .title = "gradient descent", .batch = POINTS},
        {.name = "sgd", .title = "stochastic, batches of 8", .batch = BATCH},
        {.name = "gd_falling",
         .title = "gradient descent",
         .batch = POINTS,
         .schedule = washi_exponential_decay},
        {.name = "sgd_falling",
         .title = "stochastic, batches of 8",
         .batch = BATCH,
         .schedule = washi_exponential_decay},
    };
    washi *w;
    check(washi_open(&w, &(washi_options){.seed = 1}));
    make_points(w);
    const struct moments m = moments();
    printf("%-13s %-25s %10s %10s %10s\n", "rate", "after 200 steps", "slope", "offset", "loss");
    for (int i = 0; i < 4; i++) {
        struct method *how = &methods[i];
        descend(w, how);
        const double *end = how->path[STEPS];
        printf("%-13s %-25s %10.4f %10.4f %10.4f\n", how->schedule ? "falling" : "0.2", how->title,
               end[0], end[1], loss_at(&m, end[0], end[1]));
    }
    printf("%-13s %-25s %10.4f %10.4f %10.4f\n", "", "least squares", best[0], best[1],
           loss_at(&m, best[0], best[1]));
    draw(argc > 1 ? argv[1] : "pictures", methods);
    washi_close(w);
    return 0;
}
