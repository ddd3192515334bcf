/* test_plan.c: programs: their memory is close to the most bytes that are alive at once, none is taken
 * once they run, and they are made in a time in proportion to their ops. */
#include "suite.h"
#include "support.h"

#include "autodiff/program.h"
#include "autodiff/slab.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCH = 64, SAMPLES = 200, MOST = 12, MOST_ROUNDS = 16000 };

static washi *open_heap(int threads)
{
    washi *w = NULL;
    heap = (struct heap){.fail_at = -1};
    ok(washi_open(&w, &(washi_options){.resize = counted, .threads = threads, .seed = 3}));
    return w;
}

/* -- models -- */

static washi_tensor *residual(washi_scope *s, washi_tensor *x, const void *config)
{
    const int64_t *units = config;
    washi_layer norm = washi_layer_layer_normalization(), wide = washi_layer_dense(*units, washi_gelu),
                narrow = washi_layer_dense(washi_shape_of(x).dim[1], NULL);
    washi_tensor *h = washi_layer_call(s, &norm, x);
    return washi_add(x, washi_layer_call(s, &narrow, washi_layer_call(s, &wide, h)));
}

static const int64_t wide = 96;

struct kind {
    const char *name;
    int layers;
    washi_layer layer[MOST];
    double momentum;
};

static int kinds(struct kind out[4])
{
    washi_layer residual_layer = washi_layer_custom("residual", residual, &wide),
                second_layer = washi_layer_custom("second", residual, &wide);
    const struct kind all[] = {
        {"classifier",
         5,
         {washi_layer_rescaling(1 / 255.0), washi_layer_flatten(), washi_layer_dense(64, washi_tanh),
          washi_layer_dense(64, washi_tanh), washi_layer_dense(10, washi_softmax)},
         0},
        {"momentum, dropout, normalization",
         8,
         {washi_layer_flatten(), washi_layer_rescaling(0.01), washi_layer_dense(100, washi_relu),
          washi_layer_dropout(0.5), washi_layer_batch_normalization(),
          washi_layer_dense(30, washi_sigmoid), washi_layer_layer_normalization(),
          washi_layer_dense(10, washi_softmax)},
         0.9},
        {"residual",
         6,
         {washi_layer_flatten(), washi_layer_rescaling(0.01), washi_layer_dense(40, NULL),
          residual_layer, second_layer, washi_layer_dense(10, washi_softmax)},
         0.9},
        {"deep",
         11,
         {washi_layer_flatten(), washi_layer_rescaling(0.01), washi_layer_dense(200, washi_tanh),
          washi_layer_dense(17, washi_relu), washi_layer_dense(130, washi_gelu),
          washi_layer_dense(64, washi_sigmoid), washi_layer_dense(5, washi_tanh),
          washi_layer_dense(90, washi_relu), washi_layer_dense(33, washi_tanh),
          washi_layer_dense(70, washi_tanh), washi_layer_dense(10, washi_softmax)},
         0},
    };
    memcpy(out, all, sizeof all);
    return (int)(sizeof all / sizeof *all);
}

static washi_model *model_of(washi *w, const struct kind *k)
{
    washi_model *m = washi_sequential(w, k->layers, k->layer);
    ck_assert_msg(m, "%s", washi_message());
    ok(washi_model_build(m, WASHI_U8, SHAPE(9, 7)));
    return m;
}

static washi_optimizer *optimizer_of(washi *w, const struct kind *k)
{
    washi_optimizer *o =
        washi_sgd(w, &(washi_sgd_options){.learning_rate = 0.01, .momentum = k->momentum});
    ck_assert_ptr_nonnull(o);
    return o;
}

/* -- the plan -- */

static void check_plan(const struct kind *k, int threads)
{
    washi *w = open_heap(threads);
    washi_model *m = model_of(w, k);
    washi_optimizer *o = optimizer_of(w, k);
    washi_tape *t = washi_tape_new(w);
    washi_tensor *x = washi_input(t, WASHI_U8, SHAPE(BATCH, 9, 7)),
                 *y = washi_input(t, WASHI_U8, SHAPE(BATCH));
    washi_tensor *prediction = washi_model_call(m, x, true);
    washi_tensor *loss = washi_sparse_categorical_crossentropy(y, prediction);
    washi_tensor *outputs[] = {loss, washi_accuracy(y, prediction), prediction};
    ok(washi_minimize(o, m, loss));
    washi_program *p = washi_compile(t, 3, outputs);
    ck_assert_ptr_nonnull(p);
    ck_assert_uint_gt(p->least_bytes, BATCH * 10 * sizeof(float));
    ck_assert_msg(10 * p->planned_bytes <= 11 * p->least_bytes,
                  "%s, %d threads: %zu bytes planned where %zu are alive at once", k->name, threads,
                  p->planned_bytes, p->least_bytes);
    static const uint8_t pixels[BATCH * 9 * 7], labels[BATCH];
    ok(washi_feed(x, pixels));
    ok(washi_feed(y, labels));
    ok(washi_run(p));
    const long calls = heap.calls;
    for (int i = 0; i < 10; i++) ok(washi_run(p));
    ck_assert_int_eq((int)(heap.calls - calls), 0);
    washi_program_free(p);
    washi_tape_free(t);
    washi_optimizer_free(o);
    washi_model_free(m);
    washi_close(w);
}

START_TEST(a_plan_is_little_more_than_what_is_alive)
{
    struct kind kind[4];
    const int n = kinds(kind);
    for (int i = 0; i < n; i++)
        for (int threads = 1; threads <= 4; threads++) check_plan(&kind[i], threads);
}
END_TEST

/* -- threads -- */

/* How many tasks the only step of f(x, x) is cut into, and how many threads have it. */
static void check_tasks(washi *w, washi_tensor *(*f)(washi_tensor *a, washi_tensor *b), int64_t rows,
                        int64_t columns, int wanted)
{
    washi_tape *t = washi_tape_new(w);
    washi_tensor *x = washi_input(t, WASHI_F32, SHAPE(rows, columns)), *y = f(x, x);
    washi_program *p = washi_compile(t, 1, &y);
    ck_assert_ptr_nonnull(p);
    ck_assert_int_eq(p->step_count, 1);
    ck_assert_msg((p->phases[0].bundles > 1) == (wanted > 1) && p->steps[0].tasks >= wanted,
                  "%s of [%d,%d]: %d tasks, %d threads", washi_op_name(y), (int)rows, (int)columns,
                  p->steps[0].tasks, p->phases[0].bundles);
    washi_program_free(p);
    washi_tape_free(t);
}

/* What an element costs counts, not how many there are: few of a function that takes long are shared
 * out, also along a row, and as many sums are not. */
START_TEST(costly_elements_are_shared_out)
{
    enum { ROWS = 4, COLUMNS = 1000 };
    washi *w = open_heap(2);
    check_tasks(w, washi_add, ROWS, COLUMNS, 1);
    check_tasks(w, washi_pow, ROWS, COLUMNS, 2);
    check_tasks(w, washi_polygamma, ROWS, COLUMNS, 2);
    check_tasks(w, washi_add, 1, 8 * COLUMNS, 1);
    check_tasks(w, washi_pow, 1, 8 * COLUMNS, 2);
    washi_close(w);
}
END_TEST

/* -- the slab -- */

struct piece {
    size_t at, size;
};

/* Where best fit puts a piece beside those that are there, in order of their places: looked for one gap
 * after the other. */
static size_t best_fit(const struct piece *there, int n, size_t top, size_t size)
{
    size_t best = SIZE_MAX, place = n ? there[n - 1].at + there[n - 1].size : 0, from = 0;
    for (int i = 0; i <= n; i++) {
        const size_t gap = (i < n ? there[i].at : top) - from;
        if (gap >= size && gap < best) best = gap, place = from;
        if (i < n) from = there[i].at + there[i].size;
    }
    return place;
}

START_TEST(pieces_go_where_they_fit_best)
{
    enum { PIECES = 200, TURNS = 20000 };
    struct piece there[PIECES];
    struct wa_slab slab;
    struct wa_arena arena = {.w = open_heap(1)};
    uint64_t random = 1;
    int n = 0;
    ck_assert(wa_slab_open(&slab, &arena, PIECES));
    for (int turn = 0; turn < TURNS; turn++) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        const int pick = (int)(random >> 40) % PIECES;
        if (pick < n) {
            wa_slab_give(&slab, there[pick].at, there[pick].size);
            memmove(&there[pick], &there[pick + 1], (size_t)(--n - pick) * sizeof *there);
        } else if (n < PIECES) {
            const size_t size = 64 * (1 + (random >> 33) % 7), at = best_fit(there, n, slab.top, size);
            ck_assert_uint_eq(wa_slab_take(&slab, size), at);
            ck_assert_uint_le(at + size, slab.top);
            int k = n++;
            for (; k > 0 && there[k - 1].at > at; k--) there[k] = there[k - 1];
            there[k] = (struct piece){at, size};
        }
    }
    washi *w = arena.w;
    wa_arena_free(&arena);
    washi_close(w);
}
END_TEST

/* -- fit -- */

/* What has been seen of a fit: steps and epochs, and the allocations that there were after the first
 * step.
 */
struct steps {
    const char *name;
    int steps, epochs;
    long calls;
};

static washi_status see_step(washi_fit_state *fit, void *user)
{
    struct steps *s = user;
    s->steps += fit->event == WASHI_BATCH_END;
    s->epochs += fit->event == WASHI_EPOCH_END; /* after the validation */
    if (s->steps == 1 && fit->event == WASHI_BATCH_END) s->calls = heap.calls;
    if (s->steps)
        ck_assert_msg(heap.calls == s->calls, "%s: %ld allocations by step %d of epoch %d", s->name,
                      heap.calls - s->calls, s->steps, s->epochs);
    return WASHI_OK;
}

static void check_fit(const struct kind *k, int threads, const washi_array *x, const washi_array *y)
{
    washi *w = open_heap(threads);
    washi_model *m = model_of(w, k);
    washi_optimizer *o = optimizer_of(w, k);
    struct steps seen = {.name = k->name};
    const washi_fit_options options = {.optimizer = o,
                                       .loss = washi_sparse_categorical_crossentropy,
                                       .metric = washi_accuracy,
                                       .epochs = 3,
                                       .batch_size = BATCH,
                                       .validation_x = x,
                                       .validation_y = y,
                                       .callback = &(washi_callback){see_step, &seen},
                                       .callbacks = 1};
    ok(washi_fit(m, x, y, &options, NULL));
    ck_assert_int_eq(seen.steps, 3 * (SAMPLES / BATCH + 1));
    ck_assert_int_eq(seen.epochs, 3);
    washi_optimizer_free(o);
    washi_model_free(m);
    washi_close(w);
}

/* None from the second step on: whole batches, the last, partial one, validation. */
START_TEST(steps_of_a_fit_take_no_memory)
{
    static uint8_t pixels[SAMPLES][9][7], labels[SAMPLES];
    for (int i = 0; i < SAMPLES; i++) labels[i] = (uint8_t)(i % 10);
    const washi_array x = {WASHI_U8, {3, {SAMPLES, 9, 7}}, pixels},
                      y = {WASHI_U8, {1, {SAMPLES}}, labels};
    struct kind kind[4];
    const int n = kinds(kind);
    for (int i = 0; i < n; i++)
        for (int threads = 1; threads <= 3; threads++) check_fit(&kind[i], threads, &x, &y);
}
END_TEST

/* -- how long it takes to compile -- */

/* Programs that make something of x, [8,8], in so many rounds. */
typedef washi_tensor *rounds_fn(washi_tensor *x, int count);

static washi_tensor *softmaxes(washi_tensor *x, int count)
{
    washi_tensor *y = x;
    for (int i = 1; i <= count; i++) y = washi_add(y, washi_softmax(washi_scale(x, 1.0 / i)));
    return y;
}

static washi_tensor *products(washi_tensor *x, int count)
{
    washi_tensor *y = x;
    for (int i = 0; i < count; i++) y = washi_tanh(washi_matmul(y, x));
    return y;
}

/* Each value goes over the one before, all in one phase. */
static washi_tensor *sums(washi_tensor *x, int count)
{
    washi_tensor *y = washi_reshape(x, (washi_shape){1, {64}});
    for (int i = 1; i <= count; i++)
        y = washi_add(y, washi_sum(washi_scale(y, 1.0 / i), WASHI_ALL, false));
    return y;
}

/* Steps that each have a phase alone, while others wait. */
static washi_tensor *large_sums(washi_tensor *x, int count)
{
    washi_tensor *large = washi_broadcast_to(washi_reshape(x, (washi_shape){3, {8, 8, 1}}),
                                             (washi_shape){3, {8, 8, 1000}}),
                 *y = NULL;
    for (int i = 1; i <= count / 4; i++) {
        washi_tensor *sum = washi_sum(washi_scale(large, 1.0 / i), 0, false);
        y = y ? washi_add(y, sum) : sum;
    }
    return y;
}

static washi_tensor *views(washi_tensor *x, int count)
{
    washi_tensor *y = washi_tanh(x);
    for (int i = 0; i < 8 * count; i++)
        y = washi_reshape(y, i % 2 ? (washi_shape){2, {8, 8}} : (washi_shape){1, {64}});
    return washi_tanh(y);
}

/* Rows picked by an input of each round's own, for themselves and for a product. */
static washi_tensor *picks(washi_tensor *x, int count)
{
    washi_tensor *y = NULL;
    for (int i = 0; i < count; i++) {
        washi_tensor *rows =
            washi_take(x, washi_input(washi_tape_of(x), WASHI_I32, (washi_shape){1, {8}}), 0);
        rows = i % 2 ? washi_matmul(rows, x) : washi_tanh(rows);
        y = y ? washi_add(y, rows) : rows;
    }
    return y;
}

/* Rows of numbers that are brought into slots. */
static washi_tensor *biases(washi_tensor *x, int count)
{
    static float bias[MOST_ROUNDS][8];
    washi_tensor *y = x;
    for (int i = 0; i < count; i++)
        y = washi_tanh(
            washi_add(y, washi_variable(washi_tape_of(x), WASHI_F32, (washi_shape){1, {8}}, bias[i])));
    return y;
}

/* Weights with what an optimiser remembers of them, all updated in one step. */
static washi_tensor *weights(washi_tensor *x, int count)
{
    static float memory[MOST_ROUNDS][2][8];
    static washi_tensor *weight[MOST_ROUNDS], *gradient[MOST_ROUNDS];
    const washi_shape shape = {1, {8}};
    washi_tape *t = washi_tape_of(x);
    washi_tensor *loss = washi_sum(x, WASHI_ALL, false);
    for (int i = 0; i < count; i++) {
        weight[i] = washi_variable(t, WASHI_F32, shape, memory[i][0]);
        loss = washi_add(loss, washi_sum(washi_square(washi_tanh(weight[i])), WASHI_ALL, false));
    }
    ok(washi_grad(loss, count, weight, gradient));
    for (int i = 0; i < count; i++) {
        washi_tensor *old = washi_variable(t, WASHI_F32, shape, memory[i][1]),
                     *v = washi_sub(washi_scale(old, 0.9), washi_scale(gradient[i], 0.1));
        ok(washi_assign(old, v));
        ok(washi_assign(weight[i], washi_add(weight[i], v)));
    }
    return loss;
}

/* Processor time to record and compile a program and its gradient. */
static double time_to_compile(washi *w, rounds_fn *rounds, int count)
{
    const clock_t start = clock();
    washi_tape *t = washi_tape_new(w);
    washi_tensor *x = washi_input(t, WASHI_F32, (washi_shape){2, {8, 8}}), *y = rounds(x, count), *dx;
    ok(washi_grad(y, 1, &x, &dx));
    washi_program *p = washi_compile(t, 2, (washi_tensor *[]){y, dx});
    ck_assert_msg(p != NULL, "%s", washi_message());
    washi_program_free(p);
    washi_tape_free(t);
    return (double)(clock() - start);
}

/* Not with their square: four times the ops may take nine times as long, for a busy machine's sake. */
START_TEST(many_ops_compile_in_proportion)
{
    static const struct {
        const char *name;
        rounds_fn *record;
    } kinds[] = {{"softmaxes", softmaxes},   {"products", products}, {"sums", sums},
                 {"large sums", large_sums}, {"views", views},       {"picks", picks},
                 {"biases", biases},         {"weights", weights}};
    const int few = getenv("WASHI_LEAN") ? MOST_ROUNDS / 64 : MOST_ROUNDS / 4;
    washi *w;
    ok(washi_open(&w, &(washi_options){.threads = 2}));
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        double first = 0, then = 0;
        bool good = false;
        for (int tries = 0; tries < 3 && !good; tries++) {
            first = time_to_compile(w, kinds[i].record, few);
            then = time_to_compile(w, kinds[i].record, 4 * few);
            good = then < 9 * first;
        }
        ck_assert_msg(good, "%s: %g, then %g", kinds[i].name, first, then);
    }
    washi_close(w);
}
END_TEST

int main(void)
{
    TCase *c = CASE("memory", NULL, NULL, a_plan_is_little_more_than_what_is_alive,
                    pieces_go_where_they_fit_best, costly_elements_are_shared_out,
                    steps_of_a_fit_take_no_memory, many_ops_compile_in_proportion);
    return RUN_SUITE("plan", c);
}
