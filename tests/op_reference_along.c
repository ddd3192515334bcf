/* op_reference_along.c: what ops along an axis should give: elements at indices, recurrences. */
#include "ops.h"

#include <math.h>
#include <string.h>

/* `at` with the index that operand 1 has there in the place of the axis. */
static int64_t indexed(const struct sample *s, washi_shape whole, const int64_t at[])
{
    int64_t from[WASHI_MAX_RANK];
    memcpy(from, at, sizeof from);
    from[s->attr.axis] = (int64_t)item(&s->x[1], at);
    return ravel(whole, from);
}

static void r_take_along(const struct sample *s, struct answer *out)
{
    int64_t at[WASHI_MAX_RANK] = {0};
    give(out, s->x[0].type, s->x[1].shape);
    for (int64_t i = 0; i < washi_size(out->shape); i++) {
        unravel(out->shape, i, at);
        out->v[i] = get(s->x[0].type, s->x[0].data, (size_t)indexed(s, s->x[0].shape, at));
    }
}

static void r_put_along(const struct sample *s, struct answer *out)
{
    int64_t at[WASHI_MAX_RANK] = {0};
    washi_shape y = s->x[0].shape;
    y.dim[s->attr.axis] = s->attr.end;
    give(out, s->x[0].type, y);
    for (int64_t i = 0; i < washi_size(s->x[0].shape); i++) {
        unravel(s->x[0].shape, i, at);
        const int64_t to = indexed(s, y, at);
        out->v[to] += get(s->x[0].type, s->x[0].data, (size_t)i);
        out->size[to] += fabs(get(s->x[0].type, s->x[0].data, (size_t)i));
    }
}

static void r_ravel_index(const struct sample *s, struct answer *out)
{
    washi_shape y = s->x[0].shape;
    const int64_t n = y.dim[--y.rank];
    give(out, WASHI_I32, y);
    for (int64_t i = 0; i < washi_size(y); i++) {
        int64_t at[WASHI_MAX_RANK];
        for (int64_t k = 0; k < n; k++)
            at[k] = (int64_t)get(WASHI_I32, s->x[0].data, (size_t)(i * n + k));
        out->v[i] = (double)ravel(s->attr.shape, at);
    }
}

static void r_recurrence(const struct sample *s, struct answer *out)
{
    const washi_shape shape = s->x[1].shape;
    const int axis = s->attr.axis, step = s->attr.step < 0 ? -1 : 1;
    int64_t at[WASHI_MAX_RANK] = {0};
    give(out, s->x[1].type, shape);
    for (int64_t turn = 0; turn < shape.dim[axis]; turn++)
        for (int64_t i = 0; i < washi_size(shape); i++) {
            unravel(shape, i, at);
            if (at[axis] != (step > 0 ? turn : shape.dim[axis] - 1 - turn)) continue;
            const double a =
                s->x[0].shape.rank ? item(&s->x[0], at) : get(s->x[0].type, s->x[0].data, 0);
            out->v[i] = item(&s->x[1], at);
            out->size[i] = fabs(out->v[i]);
            if (!turn) continue;
            at[axis] -= step;
            const int64_t before = ravel(shape, at);
            out->v[i] += a * out->v[before];
            out->size[i] = fabs(a) * (out->size[before] + fabs(out->v[before])) + fabs(out->v[i]);
        }
}

const struct reference along_references[] = {{"take_along", r_take_along},
                                             {"put_along", r_put_along},
                                             {"ravel_index", r_ravel_index},
                                             {"recurrence", r_recurrence},
                                             {NULL, NULL}};
