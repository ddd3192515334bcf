/* op_reference_movement.c: what ops that move or convert elements should give: each one from its place.
 */
#include "ops.h"

#include <math.h>
#include <string.h>

static double same_order(const struct sample *s, const int64_t at[], int64_t i)
{
    (void)at;
    return get(s->x[0].type, s->x[0].data, (size_t)i);
}

static void r_reshape(const struct sample *s, struct answer *out)
{
    give(out, s->x[0].type, s->attr.shape);
    each(out, s, same_order);
}

static void r_stop_gradient(const struct sample *s, struct answer *out)
{
    give(out, s->x[0].type, s->x[0].shape);
    each(out, s, same_order);
}

static double permuted(const struct sample *s, const int64_t at[], int64_t i)
{
    int64_t from[WASHI_MAX_RANK];
    (void)i;
    for (int k = 0; k < s->x[0].shape.rank; k++) from[s->attr.shape.dim[k]] = at[k];
    return item(&s->x[0], from);
}

static void r_permute(const struct sample *s, struct answer *out)
{
    washi_shape y = s->x[0].shape;
    for (int k = 0; k < y.rank; k++) y.dim[k] = s->x[0].shape.dim[s->attr.shape.dim[k]];
    give(out, s->x[0].type, y);
    each(out, s, permuted);
}

static double broadcast(const struct sample *s, const int64_t at[], int64_t i)
{
    (void)i;
    return stretched(&s->x[0], s->attr.shape.rank, at);
}

static void r_broadcast_to(const struct sample *s, struct answer *out)
{
    give(out, s->x[0].type, s->attr.shape);
    each(out, s, broadcast);
}

static int64_t step_of(const struct sample *s) { return s->attr.step ? s->attr.step : 1; }

static double sliced(const struct sample *s, const int64_t at[], int64_t i)
{
    int64_t from[WASHI_MAX_RANK];
    (void)i;
    memcpy(from, at, sizeof from);
    from[s->attr.axis] = s->attr.begin + at[s->attr.axis] * step_of(s);
    return item(&s->x[0], from);
}

static double padded(const struct sample *s, const int64_t at[], int64_t i)
{
    int64_t from[WASHI_MAX_RANK];
    (void)i;
    memcpy(from, at, sizeof from);
    const int64_t past = at[s->attr.axis] - s->attr.begin;
    from[s->attr.axis] = past / step_of(s);
    if (past < 0 || past % step_of(s) || past / step_of(s) >= s->x[0].shape.dim[s->attr.axis]) return 0;
    return item(&s->x[0], from);
}

static void r_slice(const struct sample *s, struct answer *out)
{
    washi_shape y = s->x[0].shape;
    int64_t n = 0;
    for (int64_t i = s->attr.begin; step_of(s) > 0 ? i < s->attr.end : i > s->attr.end; i += step_of(s))
        n++;
    y.dim[s->attr.axis] = n;
    give(out, s->x[0].type, y);
    each(out, s, sliced);
}

static void r_pad(const struct sample *s, struct answer *out)
{
    washi_shape y = s->x[0].shape;
    int64_t *n = &y.dim[s->attr.axis];
    *n += s->attr.begin + s->attr.end + (*n ? (*n - 1) * (step_of(s) - 1) : 0);
    give(out, s->x[0].type, y);
    each(out, s, padded);
}

static double in_parts(const struct sample *s, const int64_t at[], int64_t i)
{
    int64_t from[WASHI_MAX_RANK];
    int part = 0;
    (void)i;
    memcpy(from, at, sizeof from);
    while (from[s->attr.axis] >= s->x[part].shape.dim[s->attr.axis])
        from[s->attr.axis] -= s->x[part++].shape.dim[s->attr.axis];
    return item(&s->x[part], from);
}

static void r_concat(const struct sample *s, struct answer *out)
{
    washi_shape y = s->x[0].shape;
    for (int k = 1; k < s->n; k++) y.dim[s->attr.axis] += s->x[k].shape.dim[s->attr.axis];
    give(out, s->x[0].type, y);
    each(out, s, in_parts);
}

static double converted(const struct sample *s, const int64_t at[], int64_t i)
{
    const double v = get(s->x[0].type, s->x[0].data, (size_t)i);
    (void)at;
    if (s->attr.type == WASHI_F32) return (double)(float)v;
    if (s->attr.type == WASHI_F64) return v;
    if (isnan(v)) return 0;
    const bool byte = s->attr.type == WASHI_U8;
    return fmin(fmax(trunc(v), byte ? 0 : INT32_MIN), byte ? UINT8_MAX : INT32_MAX);
}

static void r_cast(const struct sample *s, struct answer *out)
{
    give(out, s->attr.type, s->x[0].shape);
    each(out, s, converted);
}

const struct reference movement_references[] = {
    {"reshape", r_reshape}, {"stop_gradient", r_stop_gradient},
    {"permute", r_permute}, {"broadcast_to", r_broadcast_to},
    {"slice", r_slice},     {"pad", r_pad},
    {"concat", r_concat},   {"cast", r_cast},
    {NULL, NULL},
};
