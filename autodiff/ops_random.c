/* ops_random.c: random numbers on the tape: a value depends on the context's seed, the stream, the draw
 * and its index alone. Draw d begins at element d * 2^32 of the stream, so washi_fill_uniform can tell
 * what it gives. */
#include "autodiff/step.h"

#include "autodiff/rules.h"

enum { BLOCK = 1024 }; /* elements: what tasks share out */

static bool draw_is_i32(washi_tensor *y)
{
    char text[WA_SHAPE_TEXT];
    if (A->type == WASHI_I32 && washi_size(A->shape) == 1) return true;
    return wa_op_error(y, WASHI_BAD_TYPE, "draw %s of type %s: one i32 wanted",
                       wa_shape_text(A->shape, text), washi_dtype_name(A->type));
}

static uint64_t first_of(const struct wa_step *s)
{
    return (uint64_t) * (const uint32_t *)s->x[0].data << 32;
}

static uint64_t seed_of(const struct wa_step *s) { return s->node->tape->arena.w->seed; }

/* -- uniform and normal -- */

static bool infer_random(washi_tensor *y)
{
    char text[WA_SHAPE_TEXT];
    if (!draw_is_i32(y)) return false;
    y->type = y->attr.type;
    y->shape = y->attr.shape;
    if (!wa_is_real(y->type))
        return wa_op_error(y, WASHI_BAD_TYPE, "result of type %s: f32 or f64 wanted",
                           washi_dtype_name(y->type));
    if (washi_size(y->shape) > (int64_t)1 << 32)
        return wa_op_error(y, WASHI_BAD_SHAPE, "%s has more than 2^32 elements",
                           wa_shape_text(y->shape, text));
    return true;
}

static bool plan_random(struct wa_step *s)
{
    s->tasks = wa_tasks(s, wa_shape_bytes(s->y.shape, s->y.type), WA_GRAIN);
    return true;
}

static void run_random(const struct wa_step *s, int task)
{
    size_t n = (size_t)washi_size(s->y.shape), size = washi_dtype_size(s->y.type), begin, end;
    int kernel = s->op->kernel;
    if (s->y.type == WASHI_F64)
        kernel = kernel == WA_RANDOM_normal ? WA_RANDOM_normal_f64 : WA_RANDOM_uniform_f64;
    wa_share((n + BLOCK - 1) / BLOCK, s->tasks, task, &begin, &end);
    begin *= BLOCK;
    end = end * BLOCK < n ? end * BLOCK : n;
    if (begin < end)
        s->simd->random[kernel](seed_of(s), (uint64_t)s->node->attr.begin, first_of(s) + begin,
                                end - begin, (char *)s->y.data + begin * size);
}

#define RANDOM(word, text)                                                                             \
    .name = #word, .doc = text, .arity = 1, .infer = infer_random, .plan = plan_random,                \
    .run = run_random, .kernel = WA_RANDOM_##word,                                                     \
    .sample = {.attr = {.type = WASHI_F64, .shape = SHAPE(3, 5), .begin = 7}, .index_end = 1000}

const struct wa_op wa_op_uniform = {
    RANDOM(uniform, "uniform random numbers in [0, 1), of the stream's draw a")};

const struct wa_op wa_op_normal = {
    RANDOM(normal, "random numbers of the standard normal distribution, of the stream's draw a")};

/* -- permutation -- */

static bool infer_permutation(washi_tensor *y)
{
    if (!draw_is_i32(y)) return false;
    if (y->attr.end < 0 || y->attr.end > INT32_MAX)
        return wa_op_error(y, WASHI_BAD_VALUE, "%lld numbers", (long long)y->attr.end);
    y->type = WASHI_I32;
    y->shape = (washi_shape)SHAPE(y->attr.end);
    return true;
}

static bool plan_permutation(struct wa_step *s)
{
    s->tasks = 1;
    return true;
}

/* The words of the draw, one after the other. */
struct words {
    const struct wa_step *step;
    uint64_t next; /* the first that is not in word yet */
    size_t used;
    uint32_t word[256];
};

static uint32_t next_word(struct words *w)
{
    enum { WORDS = sizeof w->word / sizeof *w->word };
    if (w->used == WORDS) {
        const struct wa_step *s = w->step;
        s->simd->random[WA_RANDOM_bits](seed_of(s), (uint64_t)s->node->attr.begin, w->next, WORDS,
                                        w->word);
        w->next += WORDS;
        w->used = 0;
    }
    return w->word[w->used++];
}

/* A whole number in 0 ... n-1, each as likely (Lemire, "Fast random integer generation in an interval",
 * ACM TOMACS 29, 2019). */
static uint32_t below(struct words *w, uint32_t n)
{
    uint64_t product = (uint64_t)next_word(w) * n;
    if ((uint32_t)product < n) {
        uint32_t short_of = (UINT32_MAX - n + 1) % n;
        while ((uint32_t)product < short_of) product = (uint64_t)next_word(w) * n;
    }
    return (uint32_t)(product >> 32);
}

static void run_permutation(const struct wa_step *s, int task)
{
    int32_t *y = s->y.data;
    struct words w = {.step = s, .next = first_of(s), .used = sizeof w.word / sizeof *w.word};
    (void)task;
    for (int64_t i = 0; i < s->node->attr.end; i++) { /* Fisher and Yates, inside out */
        uint32_t j = below(&w, (uint32_t)i + 1);
        y[i] = y[j];
        y[j] = (int32_t)i;
    }
}

const struct wa_op wa_op_permutation = {
    .name = "permutation",
    .doc = "0 ... n-1 in random order, of the stream's draw a",
    .arity = 1,
    .infer = infer_permutation,
    .plan = plan_permutation,
    .run = run_permutation,
    .sample = {.attr = {.end = 7, .begin = 7}, .index_end = 1000},
};

/* -- the public forms -- */

static washi_tensor *drawn(washi_tape *t, const struct wa_op *op, struct wa_attr attr,
                           washi_tensor *draw)
{
    if (!t) {
        wa_error(WASHI_MISUSE, "%s: the tape is NULL", op->name);
        return NULL;
    }
    if (draw && draw->tape != t) {
        washi_fail(t, WASHI_MISUSE, "%s: the draw is on another tape", op->name);
        return NULL;
    }
    return record1(op, draw ? draw : washi_scalar(t, WASHI_I32, 0), attr);
}

washi_tensor *washi_uniform(washi_tape *t, washi_dtype type, washi_shape shape, uint64_t stream,
                            washi_tensor *draw)
{
    return drawn(t, &wa_op_uniform,
                 (struct wa_attr){.type = type, .shape = shape, .begin = (int64_t)stream}, draw);
}

washi_tensor *washi_normal(washi_tape *t, washi_dtype type, washi_shape shape, uint64_t stream,
                           washi_tensor *draw)
{
    return drawn(t, &wa_op_normal,
                 (struct wa_attr){.type = type, .shape = shape, .begin = (int64_t)stream}, draw);
}

washi_tensor *washi_bernoulli(washi_tape *t, washi_dtype type, washi_shape shape, double probability,
                              uint64_t stream, washi_tensor *draw)
{
    if (!(probability >= 0 && probability <= 1)) {
        washi_fail(t, WASHI_BAD_VALUE, "bernoulli: the probability is %g", probability);
        return NULL;
    }
    washi_tensor *u = washi_uniform(t, type, shape, stream, draw);
    if (!u) return NULL;
    return washi_less(u, washi_scalar(t, type, probability));
}

washi_tensor *washi_permutation(washi_tape *t, int64_t n, uint64_t stream, washi_tensor *draw)
{
    return drawn(t, &wa_op_permutation, (struct wa_attr){.end = n, .begin = (int64_t)stream}, draw);
}
