/* grad.c: derivatives as the user asks for them, all made of reverse sweeps. */
#include "autodiff/sweep.h"

#include "autodiff/rules.h"

/* -- what is asked -- */

/* Checks n tensors of a call: there, real, on tape *t (found at the first). */
static washi_status check(const char *who, const char *name, int n, washi_tensor *const x[],
                          washi_tape **t)
{
    char text[WA_TENSOR_TEXT];
    if (n < 0) return washi_fail(*t, WASHI_MISUSE, "%s: %d tensors in %s", who, n, name);
    if (n && !x) return washi_fail(*t, WASHI_MISUSE, "%s: %s is NULL", who, name);
    for (int i = 0; i < n; i++) {
        if (x[i] && !*t) *t = x[i]->tape;
        if (*t && (*t)->status) return (*t)->status;
        if (!x[i]) return wa_missing(*t, "%s: %s[%d] is NULL", who, name, i);
        if (x[i]->tape != *t)
            return washi_fail(*t, WASHI_MISUSE, "%s: %s[%d] is on another tape", who, name, i);
        if (!wa_is_real(x[i]->type))
            return washi_fail(*t, WASHI_BAD_TYPE, "%s: %s[%d] is %s, and integers have no derivative",
                              who, name, i, wa_tensor_text(x[i], text));
    }
    return WASHI_OK;
}

static washi_status check_like(const char *who, int n, washi_tensor *const v[], washi_tensor *const y[])
{
    char a[WA_TENSOR_TEXT], b[WA_TENSOR_TEXT];
    for (int i = 0; i < n; i++)
        if (v[i]->type != y[i]->type || !wa_shape_equal(v[i]->shape, y[i]->shape))
            return washi_fail(v[i]->tape, WASHI_BAD_SHAPE, "%s: v[%d] is %s where %s is wanted", who, i,
                              wa_tensor_text(v[i], a), wa_tensor_text(y[i], b));
    return WASHI_OK;
}

static void clear(int n, washi_tensor *dx[])
{
    for (int i = 0; dx && i < n; i++) dx[i] = NULL;
}

/* n pointers on the tape; NULL after an error that sticks. */
static washi_tensor **new_list(washi_tape *t, size_t n)
{
    washi_tensor **list = wa_arena_new(&t->arena, n * sizeof *list, _Alignof(washi_tensor *));
    if (!list) washi_fail(t, WASHI_NO_MEMORY, "%s", washi_message());
    return list;
}

static washi_tensor *full_like(const washi_tensor *x, double value)
{
    return washi_full(x->tape, x->type, x->shape, value);
}

/* -- vjp and grad -- */

/* The sweep, with zeros where no gradient comes. */
static washi_status sweep_all(int ny, washi_tensor *const y[], washi_tensor *const v[], int nx,
                              washi_tensor *const x[], washi_tensor *dx[])
{
    clear(nx, dx);
    washi_status status = wa_sweep(ny, y, v, nx, x, dx);
    for (int i = 0; i < nx && !status; i++) {
        if (!dx[i]) dx[i] = full_like(x[i], 0);
        status = x[i]->tape->status;
    }
    if (status) clear(nx, dx);
    return status;
}

washi_status washi_vjp(int ny, washi_tensor *const y[], washi_tensor *const v[], int nx,
                       washi_tensor *const x[], washi_tensor *dx[])
{
    washi_tape *t = NULL;
    washi_status status;
    clear(nx, dx);
    if ((status = check("vjp", "y", ny, y, &t)) || (status = check("vjp", "v", ny, v, &t)) ||
        (status = check("vjp", "x", nx, x, &t)) || (status = check_like("vjp", ny, v, y)))
        return status;
    if (nx && !dx) return washi_fail(t, WASHI_MISUSE, "vjp: the place for the derivatives is NULL");
    return sweep_all(ny, y, v, nx, x, dx);
}

static washi_status check_grad(const char *who, washi_tensor *y, int n, washi_tensor *const x[],
                               washi_tensor *dx[])
{
    washi_tape *t = NULL;
    washi_status status;
    clear(n, dx);
    if ((status = check(who, "y", 1, &y, &t)) || (status = check(who, "x", n, x, &t))) return status;
    if (n && !dx) return washi_fail(t, WASHI_MISUSE, "%s: the place for the derivatives is NULL", who);
    return WASHI_OK;
}

washi_status washi_grad(washi_tensor *y, int n, washi_tensor *const x[], washi_tensor *dx[])
{
    washi_status status = check_grad("grad", y, n, x, dx);
    if (status || !n) return status;
    washi_tensor *one = full_like(y, 1);
    return one ? sweep_all(1, &y, &one, n, x, dx) : y->tape->status;
}

washi_status washi_grad_strict(washi_tensor *y, int n, washi_tensor *const x[], washi_tensor *dx[])
{
    char a[WA_TENSOR_TEXT], b[WA_TENSOR_TEXT];
    washi_status status = check_grad("grad_strict", y, n, x, dx);
    if (status || !n) return status;
    washi_tensor *one = full_like(y, 1);
    status = one ? wa_sweep(1, &y, &one, n, x, dx) : y->tape->status;
    for (int i = 0; i < n && !status; i++)
        if (!dx[i])
            status =
                washi_fail(y->tape, WASHI_BAD_VALUE, "grad_strict: no gradient of %s reaches x[%d], %s",
                           wa_tensor_text(y, a), i, wa_tensor_text(x[i], b));
    if (status) clear(n, dx);
    return status;
}

/* -- jvp and hvp -- */

/* The gradient is linear in v: its own gradient by v, with any direction, is the jvp. No value of v
 * matters; zeros will do. */
washi_status washi_jvp(int ny, washi_tensor *const y[], int nx, washi_tensor *const x[],
                       washi_tensor *const v[], washi_tensor *dy[])
{
    washi_tape *t = NULL;
    washi_status status;
    clear(ny, dy);
    if ((status = check("jvp", "y", ny, y, &t)) || (status = check("jvp", "x", nx, x, &t)) ||
        (status = check("jvp", "v", nx, v, &t)) || (status = check_like("jvp", nx, v, x)))
        return status;
    if (!ny) return WASHI_OK;
    if (!nx) return washi_fail(t, WASHI_MISUSE, "jvp: no x");
    if (!dy) return washi_fail(t, WASHI_MISUSE, "jvp: the place for the derivatives is NULL");
    washi_tensor **u = new_list(t, (size_t)ny + (size_t)nx);
    if (!u) return t->status;
    washi_tensor **back = u + ny;
    for (int j = 0; j < ny; j++)
        if (!(u[j] = full_like(y[j], 0))) return t->status;
    status = sweep_all(ny, y, u, nx, x, back);
    return status ? status : sweep_all(nx, back, v, ny, u, dy);
}

washi_status washi_hvp(washi_tensor *y, int n, washi_tensor *const x[], washi_tensor *const v[],
                       washi_tensor *hv[])
{
    washi_status status = check_grad("hvp", y, n, x, hv);
    if (status || !n) return status;
    washi_tape *t = y->tape;
    if ((status = check("hvp", "v", n, v, &t)) || (status = check_like("hvp", n, v, x))) return status;
    washi_tensor **g = new_list(t, (size_t)n), *one = full_like(y, 1);
    if (!g || !one || sweep_all(1, &y, &one, n, x, g)) return t->status;
    return sweep_all(n, g, v, n, x, hv); /* the Hessian is its own transpose */
}

/* -- jacobian and hessian -- */

enum { MOST_SWEEPS = 4096 };

/* The k-th of the unit tensors like x. */
static washi_tensor *unit(const washi_tensor *x, int64_t k)
{
    washi_tensor *at = washi_scalar(x->tape, WASHI_I32, (double)k);
    return washi_reshape(washi_one_hot(at, washi_size(x->shape), x->type), x->shape);
}

/* Row k is a sweep from the k-th element of y; column k the jvp along the k-th of x, which is a sweep
 * from the gradient `back` by its linear factor u. */
static washi_tensor *stack_sweeps(washi_tensor *from, washi_tensor *to, int axis)
{
    washi_tape *t = from->tape;
    const int count = (int)washi_size(from->shape);
    washi_shape line = {2, {washi_size(to->shape), washi_size(to->shape)}};
    line.dim[axis] = 1;
    washi_tensor **lines = new_list(t, (size_t)count);
    for (int k = 0; lines && k < count; k++) {
        washi_tensor *v = unit(from, k), *d;
        if (!v || sweep_all(1, &from, &v, 1, &to, &d) || !(lines[k] = washi_reshape(d, line)))
            return NULL;
    }
    return lines ? washi_concat(count, lines, axis) : NULL;
}

static washi_tensor *jacobian(const char *who, washi_tensor *y, washi_tensor *x)
{
    char a[WA_TENSOR_TEXT], b[WA_TENSOR_TEXT];
    washi_shape shape = y->shape;
    const int64_t m = washi_size(y->shape), n = washi_size(x->shape), sweeps = m < n ? m : n;
    if (shape.rank + x->shape.rank > WASHI_MAX_RANK || sweeps > MOST_SWEEPS) {
        washi_fail(y->tape, WASHI_BAD_SHAPE, "%s: %s by %s is more than %d %s", who,
                   wa_tensor_text(y, a), wa_tensor_text(x, b),
                   sweeps > MOST_SWEEPS ? MOST_SWEEPS : WASHI_MAX_RANK,
                   sweeps > MOST_SWEEPS ? "sweeps" : "axes");
        return NULL;
    }
    for (int i = 0; i < x->shape.rank; i++) shape.dim[shape.rank++] = x->shape.dim[i];
    if (!sweeps) return washi_full(y->tape, y->type, shape, 0);
    if (m <= n) {
        washi_tensor *rows = washi_reshape(stack_sweeps(y, x, 0), shape);
        return x->type == y->type ? rows : washi_cast(rows, y->type);
    }
    washi_tensor *u = full_like(y, 0), *back;
    if (!u || sweep_all(1, &y, &u, 1, &x, &back)) return NULL;
    return washi_reshape(stack_sweeps(back, u, 1), shape);
}

washi_tensor *washi_jacobian(washi_tensor *y, washi_tensor *x)
{
    washi_tensor *dx;
    return check_grad("jacobian", y, 1, &x, &dx) ? NULL : jacobian("jacobian", y, x);
}

washi_tensor *washi_hessian(washi_tensor *y, washi_tensor *x)
{
    washi_tensor *dx;
    if (check_grad("hessian", y, 1, &x, &dx) || washi_grad(y, 1, &x, &dx)) return NULL;
    return jacobian("hessian", dx, x);
}
