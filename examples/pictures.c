/* pictures.c: image sets and a model's predictions, drawn. */
#include "pictures.h"

#include "plot.h"

const struct subject digits = {"MNIST",
                               {"Digit 0", "Digit 1", "Digit 2", "Digit 3", "Digit 4", "Digit 5",
                                "Digit 6", "Digit 7", "Digit 8", "Digit 9"}};
const struct subject fashion = {"Fashion-MNIST",
                                {"T-shirt", "Trousers", "Pullover", "Dress", "Coat", "Sandal", "Shirt",
                                 "Sneaker", "Bag", "Ankle boot"}};

int most_likely(const struct sample *s)
{
    int best = 0;
    for (int c = 1; c < CLASSES; c++)
        if (s->prediction[c] > s->prediction[best]) best = c;
    return best;
}

/* -- text --------------------------------------------------------------------------------------- */

void print_sample(const struct subject *about, const struct sample *s)
{
    static const char *const blocks[] = {" ", "▀", "▄", "█"}; /* ink above, below, both */
    const int ink = 96, top = 2, width = 30;
    const int likely = most_likely(s);
    printf("\n%s, predicted: %s%s\n", about->classes[s->label], about->classes[likely],
           likely == s->label ? "" : ": wrong");
    for (int line = 0; line < SIDE / 2; line++) {
        const uint8_t *above = s->image + 2 * line * SIDE, *below = above + SIDE;
        for (int x = 0; x < SIDE; x++) fputs(blocks[(above[x] > ink) + 2 * (below[x] > ink)], stdout);
        const int c = line - top;
        if (c >= 0 && c < CLASSES) {
            printf("   %d  %.4f ", c, (double)s->prediction[c]);
            for (int i = 0; i < (int)(s->prediction[c] * (float)width + 0.5f); i++) fputs("█", stdout);
        }
        putchar('\n');
    }
}

/* -- pictures ----------------------------------------------------------------------------------- */

/* Images as one matrix, so many beside each other with a gap of paper around each, the top row first.
 */
enum { GAP = 3, TILE = SIDE + 2 * GAP };

static void write_images(struct plot *p, const char *block, int n, int beside,
                         const struct sample samples[])
{
    const int rows = (n + beside - 1) / beside;
    fprintf(p->script, "$%s << END\n", block);
    for (int y = 0; y < rows * TILE; y++)
        for (int x = 0; x < beside * TILE; x++) {
            const int i = y / TILE * beside + x / TILE, row = y % TILE - GAP, column = x % TILE - GAP;
            const bool inside = i < n && row >= 0 && row < SIDE && column >= 0 && column < SIDE;
            fprintf(p->script, "%d%c", inside ? samples[i].image[row * SIDE + column] : 0,
                    x == beside * TILE - 1 ? '\n' : ' ');
        }
    fputs("END\n", p->script);
}

static const char of_images[] = "set palette defined (0 'white', 1 'black'); set cbrange [0:255]\n"
                                "unset colorbox; unset key\n";

void draw_images(const char *folder, const struct subject *about, int n, int beside,
                 const struct sample samples[])
{
    const int rows = (n + beside - 1) / beside;
    struct plot p = plot_begin(folder, "images", 140 * beside, 150 * rows + 40);
    write_images(&p, "images", n, beside, samples);
    fprintf(p.script,
            "%sunset border; unset tics; unset grid; set size ratio -1\n"
            "set lmargin 0; set rmargin 0; set bmargin 0; set tmargin 3\n"
            "set title 'Training images of %s'\nset xrange [-0.5:%d.5]; set yrange [%d.5:-2.5]\n",
            of_images, about->name, beside * TILE - 1, rows * TILE - 1);
    for (int i = 0; i < n; i++)
        fprintf(p.script, "set label '%s' at %d,%d center front\n", about->classes[samples[i].label],
                i % beside * TILE + TILE / 2, i / beside * TILE);
    fputs("plot $images matrix with image\n", p.script);
    plot_end(&p);
}

void draw_loss(const char *folder, const struct subject *about, int epochs, const double losses[],
               double test_loss)
{
    struct plot p = plot_begin(folder, "loss", 800, 500);
    fprintf(p.script,
            "set title '%s: training loss and epoch'\n"
            "set xlabel 'Epoch'\nset ylabel 'Cross-entropy loss'\n"
            "set xrange [0.5:%d.5]; set yrange [0:*]\nset xtics %s\nset key top right\n",
            about->name, epochs, epochs <= 20 ? "1" : "autofreq");
    plot_data(&p, "training", epochs, 1, losses);
    plot_data(&p, "test", 1, 2, (double[]){epochs, test_loss});
    fputs("plot $training using ($0 + 1):1 with linespoints lt 1 ps 0.7"
          " title 'training, mean over the epoch', \\\n"
          "  $test with points lt 2 pt 9 ps 1.4 title 'test, after the last'\n",
          p.script);
    plot_end(&p);
}

/* A row of the picture, bottom and height as shares of it. */
static void draw_prediction(struct plot *p, const struct subject *about, int i, const struct sample *s,
                            double bottom, double height)
{
    char block[32];
    double prediction[CLASSES];
    for (int c = 0; c < CLASSES; c++) prediction[c] = (double)s->prediction[c];
    snprintf(block, sizeof block, "image%d", i);
    write_images(p, block, 1, 1, s);
    snprintf(block, sizeof block, "prediction%d", i);
    plot_data(p, block, CLASSES, 1, prediction);
    fprintf(p->script,
            "set bmargin at screen %.4f; set tmargin at screen %.4f\n"
            "set lmargin at screen 0.05; set rmargin at screen 0.30\n"
            "unset xtics; unset ytics; unset xlabel; unset ylabel; unset key; unset grid\n"
            "set border 15 lc rgb '#a0a0a0'; set size ratio -1\n"
            "set title '%s' offset 0,-0.5\n"
            "set xrange [-0.5:%d.5]; set yrange [%d.5:-0.5]\nplot $image%d matrix with image\n",
            bottom + 0.25 * height, bottom + 0.87 * height, about->classes[s->label], TILE - 1,
            TILE - 1, i);
    fprintf(p->script,
            "set lmargin at screen 0.42; set rmargin at screen 0.97\n"
            "set border 3 lc rgb 'black'; set size noratio\n"
            "set title 'Categorical distribution, model prediction: %s'\n"
            "set xrange [-0.7:%d.7]; set yrange [0:1]; set grid ytics back lc rgb '#d0d0d0' lt 1 lw 1\n"
            "set xtics 1 out nomirror offset 0,0.4; set ytics 0.25 out nomirror\n"
            "set xlabel 'Class' offset 0,0.9; set ylabel 'Probability'\n%s"
            "plot $prediction%d using 0:($0 == %d ? 1/0 : $1) with boxes lt 1 title 'other classes', "
            "'' using 0:($0 == %d ? $1 : 1/0) with boxes lt 2 title 'the true class'\n",
            about->classes[most_likely(s)], CLASSES - 1,
            i == 0 ? "set key at screen 0.97,0.985 right top horizontal\n" : "unset key\n", i, s->label,
            s->label);
}

void draw_predictions(const char *folder, const struct subject *about, int n,
                      const struct sample samples[])
{
    struct plot p = plot_begin(folder, "predictions", 800, 40 + 250 * n);
    fprintf(p.script, "%sset boxwidth 0.7\nset style fill solid\nset multiplot\n", of_images);
    const double head = 40.0 / (40 + 250 * n), height = (1 - head) / n;
    for (int i = 0; i < n; i++)
        draw_prediction(&p, about, i, &samples[i], 1 - head - (i + 1) * height, height);
    fputs("unset multiplot\n", p.script);
    plot_end(&p);
}
