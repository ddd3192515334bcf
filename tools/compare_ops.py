#!/usr/bin/env python3
"""compare_ops.py: values, gradients and gradients of gradients of the ops beside PyTorch's, on random operands.

usage: compare_ops.py [build folder] [cases an op]     (build, 100)

In F64, and every other case in F32 against PyTorch's F64. Operands keep away from kinks but by chance: what
the derivatives are there is a matter of tests/test_closed_forms.c. PyTorch is Debian's python3-torch."""
import ctypes
import sys
from pathlib import Path

try:
    import numpy as np
    import torch
except ImportError:
    sys.exit("compare_ops: NumPy or PyTorch is not installed (Debian: apt install python3-torch); "
             "nothing was compared")

from washi_h import POINTER, Washi


class Random:
    """What operands are drawn from."""

    def __init__(self, seed):
        self.rng = np.random.RandomState(seed)

    def shape(self, least=0, most=4):
        return tuple(int(n) for n in self.rng.choice([1, 2, 3, 4, 5, 7], self.rng.randint(least, most + 1)))

    def reals(self, shape, low=-3, high=3):
        return np.asarray(self.rng.uniform(low, high, shape))

    def indices(self, shape, end):
        return np.asarray(self.rng.randint(0, end, shape), "i4")

    def whole(self, low, high):
        return int(self.rng.randint(low, high))

    def stretched(self, shape):
        """A shape that stretches to this one."""
        sizes = [1 if self.rng.rand() < 0.3 else n for n in shape]
        return tuple(sizes[self.whole(0, len(sizes) + 1) if self.rng.rand() < 0.4 else 0:])


# -- what is compared: by name, a function that draws a case: operands, ours and PyTorch's function --------------

CASES = {}


def case(function):
    CASES[function.__name__.rstrip("_")] = function
    return function


def elementwise():
    wide, positive, inside = (-4, 4), (0.1, 9), (-0.95, 0.95)
    domains = {"sqrt": positive, "rsqrt": positive, "log": positive, "log2": positive, "log10": positive,
               "log1p": (-0.9, 9), "asin": inside, "acos": inside, "atanh": inside, "acosh": (1.1, 9),
               "lgamma": (0.1, 20), "digamma": (0.1, 20), "tan": (-1.4, 1.4)}
    other = {"cbrt": lambda a: a.sign() * a.abs() ** (1 / 3), "linear": lambda a: a * 1,
             "softplus": lambda a: torch.logaddexp(a, torch.zeros_like(a)), "exponential": torch.exp,
             "log_sigmoid": torch.nn.functional.logsigmoid,
             "hard_sigmoid": lambda a: torch.clamp(a / 6 + 0.5, 0, 1),
             "leaky_relu": lambda a: torch.nn.functional.leaky_relu(a, 0.2),
             "hard_swish": lambda a: a * torch.clamp(a / 6 + 0.5, 0, 1), "hard_tanh": torch.nn.functional.hardtanh,
             "gelu_tanh": lambda a: a / 2 * (1 + torch.tanh((2 / np.pi) ** 0.5 * (a + 0.044715 * a ** 3))),
             "mish": lambda a: a * torch.tanh(torch.logaddexp(a, torch.zeros_like(a))),
             "abs": lambda a: a * a.detach().sign(), "swish": torch.nn.functional.silu}
    names = ("neg abs sign square sqrt rsqrt cbrt reciprocal exp exp2 expm1 log log2 log10 log1p sin cos tan asin "
             "acos atan sinh cosh tanh asinh acosh atanh erf erfc lgamma digamma sigmoid log_sigmoid softplus "
             "floor ceil round trunc linear relu leaky_relu relu6 elu selu celu gelu gelu_tanh silu swish mish softsign "
             "hard_sigmoid hard_swish hard_tanh exponential").split()
    for name in names:
        theirs = other.get(name) or getattr(torch, name, None) or getattr(torch.nn.functional, name)

        def draw(r, name=name, theirs=theirs):
            x = r.reals(r.shape(), *domains.get(name, wide))
            return [x], lambda w, a: getattr(w, name)(a), theirs
        CASES[name] = draw
    binary = {"add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "pow": torch.pow,
              "atan2": torch.atan2, "minimum": torch.minimum, "maximum": torch.maximum,
              "hypot": lambda a, b: (a * a + b * b).sqrt(),
              "fmod": lambda a, b: a - torch.trunc((a / b).detach()) * b}
    for name, theirs in binary.items():
        def draw(r, name=name, theirs=theirs):
            shape = r.shape()
            a, b = r.reals(r.stretched(shape)), r.reals(r.stretched(shape))
            a = np.abs(a) + 0.1 if name == "pow" else a
            b = b + 0.3 * np.sign(b) if name in ("div", "fmod") else b
            return [a, b], lambda w, a, b: getattr(w, name)(a, b), theirs
        CASES[name] = draw


def reductions():
    theirs = {"sum": lambda a: a.sum(-1), "mean": lambda a: a.mean(-1), "prod": lambda a: a.prod(-1),
              "max": lambda a: a.max(-1)[0], "min": lambda a: a.min(-1)[0], "norm": lambda a: a.norm(dim=-1),
              "var": lambda a: a.var(-1, unbiased=False), "std": lambda a: a.var(-1, unbiased=False).sqrt(),
              "logsumexp": lambda a: a.logsumexp(-1), "any": lambda a: (a != 0).any(-1) * 1.0,
              "all": lambda a: (a != 0).all(-1) * 1.0, "argmax": lambda a: a.argmax(-1),
              "argmin": lambda a: a.argmin(-1)}
    for name, function in theirs.items():
        def draw(r, name=name, function=function):
            shape = r.shape(1) + (3,)  # of fewer elements a deviation has derivatives of 0 but for rounding
            x, rank = r.reals(shape), len(shape)
            x = np.floor(x / 2) if name in ("any", "all") else x
            x = np.sign(x) * np.exp(x / 30) if name == "prod" else x
            axes = [rank - 1] + [int(i) for i in r.rng.permutation(rank - 1)[:r.whole(0, rank)]]
            rest = [i for i in range(rank) if i not in axes]
            keep = bool(r.whole(0, 2))
            kept = [1 if i in axes else shape[i] for i in range(rank) if keep or i not in axes]
            named = [i - rank if r.whole(0, 2) else i for i in axes]

            def mine(w, a):
                one = getattr(w.library, "washi_" + name)
                if len(axes) == 1:
                    return getattr(w, name)(a, named[0], keep)
                return w.over(ctypes.cast(one, POINTER), a, len(axes), named, keep)
            return [x], mine, lambda a: function(
                a.permute(rest + sorted(axes)).reshape([shape[i] for i in rest] + [-1])).reshape(kept)
        CASES[name] = draw


@case
def prod_with_zeros(r):
    a = r.reals((3, 4)) * (r.rng.rand(3, 4) < 0.7)
    return [a], lambda w, a: w.prod(a, 1, False), lambda a: a[:, 0] * a[:, 1] * a[:, 2] * a[:, 3]


def along(name, mine, theirs, zeros=0.0):
    def draw(r):
        shape = r.shape(1)
        axis = r.whole(-len(shape), len(shape))
        x = r.reals(shape) * (r.rng.rand(*shape) >= zeros)
        return [x], lambda w, a: mine(w, a, axis), lambda a: theirs(a, axis)
    CASES[name] = draw


along("cumsum", lambda w, a, i: w.cumsum(a, i), lambda a, i: a.cumsum(i))
along("cumprod", lambda w, a, i: w.cumprod(a, i), lambda a, i: a.cumprod(i), 0.2)
along("softmax", lambda w, a, i: w.softmax_along(a, i), lambda a, i: a.softmax(i))
along("log_softmax", lambda w, a, i: w.log_softmax_along(a, i), lambda a, i: a.log_softmax(i))
along("flip", lambda w, a, i: w.flip(a, i), lambda a, i: a.flip(i))
along("repeat", lambda w, a, i: w.repeat(a, 3, i), lambda a, i: a.repeat_interleave(3, i))
along("expand_dims", lambda w, a, i: w.expand_dims(a, i), lambda a, i: a.unsqueeze(i))


@case
def clip(r):
    return [r.reals(r.shape())], lambda w, a: w.clip(a, -1.5, 2), lambda a: a.clamp(-1.5, 2)


@case
def lerp(r):
    shape = r.shape()
    return [r.reals(r.stretched(shape)) for _ in range(3)], lambda w, a, b, t: w.lerp(a, b, t), \
        lambda a, b, t: a + t * (b - a)


@case
def where(r):
    shape = r.shape()
    condition = r.indices(r.stretched(shape), 2)
    return [condition, r.reals(r.stretched(shape)), r.reals(r.stretched(shape))], \
        lambda w, c, a, b: w.where(c, a, b), lambda c, a, b: torch.where(c != 0, a, b)


# -- movement ----------------------------------------------------------------------------------------------------

@case
def permute(r):
    shape = r.shape(1)
    axes = [int(i) for i in r.rng.permutation(len(shape))]
    return [r.reals(shape)], lambda w, a: w.permute(a, axes), lambda a: a.permute(axes)


@case
def broadcast_to(r):
    shape = r.shape()
    return [r.reals(r.stretched(shape))], lambda w, a: w.broadcast_to(a, shape), lambda a: a.broadcast_to(shape)


@case
def slice_step(r):
    shape = r.shape(1)
    axis = r.whole(0, len(shape))
    size, step = shape[axis], int(r.rng.choice([-3, -2, -1, 1, 2, 3]))
    begin = r.whole(0, size)
    end = r.whole(begin, size + 1) if step > 0 else r.whole(-1, begin + 1)
    taken = torch.tensor(list(range(begin, end, step)), dtype=torch.long)
    return [r.reals(shape)], lambda w, a: w.slice_step(a, axis, begin, end if end >= 0 else -size - 1, step), \
        lambda a: a.index_select(axis, taken)


@case
def pad(r):
    shape = r.shape(1)
    axis, before, after = r.whole(0, len(shape)), r.whole(0, 4), r.whole(0, 4)
    sides = [0] * (2 * (len(shape) - 1 - axis)) + [before, after]
    return [r.reals(shape)], lambda w, a: w.pad(a, axis, before, after), lambda a: torch.nn.functional.pad(a, sides)


@case
def concat(r):
    shape = list(r.shape(1))
    axis, parts = r.whole(0, len(shape)), []
    for _ in range(r.whole(1, 5)):
        shape[axis] = r.whole(1, 4)
        parts.append(r.reals(tuple(shape)))
    return parts, lambda w, *a: w.concat(len(a), list(a), axis), lambda *a: torch.cat(a, axis)


@case
def stack(r):
    shape = r.shape()
    axis = r.whole(-len(shape) - 1, len(shape) + 1)
    return [r.reals(shape) for _ in range(r.whole(1, 4))], lambda w, *a: w.stack(len(a), list(a), axis), \
        lambda *a: torch.stack(a, axis)


@case
def tile(r):
    shape = r.shape(1)
    times = [r.whole(1, 4) for _ in shape]
    return [r.reals(shape)], lambda w, a: w.tile(a, times), lambda a: a.repeat(times)


@case
def triangles(r):
    k, upper = r.whole(-9, 10), r.whole(0, 2)
    return [r.reals(r.shape(2))], lambda w, a: (w.triu if upper else w.tril)(a, k), \
        lambda a: a.triu(k) if upper else a.tril(k)


@case
def diag(r):
    shape = r.shape(1)
    return [r.reals(shape)], lambda w, a: w.diag(a), \
        lambda a: torch.diag(a) if a.dim() == 1 else a.diagonal(dim1=-2, dim2=-1)


# -- indices -----------------------------------------------------------------------------------------------------

def taken(a, axis, i):
    return a.index_select(axis, i.reshape(-1)).reshape(a.shape[:axis] + i.shape + a.shape[axis + 1:])


@case
def take(r):
    shape = r.shape(1)
    axis = r.whole(0, len(shape))
    return [r.reals(shape), r.indices(r.shape(0, 2), shape[axis])], lambda w, a, i: w.take(a, i, axis), \
        lambda a, i: taken(a, axis, i)


@case
def take_along(r):
    shape = list(r.shape(1))
    axis = r.whole(0, len(shape))
    size, shape[axis] = shape[axis], r.whole(1, 6)
    wide = shape[:axis] + [size] + shape[axis + 1:]
    return [r.reals(tuple(wide)), r.indices(shape, size)], lambda w, a, i: w.take_along(a, i, axis), \
        lambda a, i: a.gather(axis, i)


@case
def gather(r):
    shape, by = r.shape(1), r.shape(0, 2)
    axes = r.whole(1, len(shape) + 1)
    indices = np.stack([r.indices(by, n) for n in shape[:axes]], -1)
    return [r.reals(shape), indices], lambda w, a, i: w.gather(a, i), \
        lambda a, i: a[tuple(i[..., k] for k in range(axes))]


@case
def scatter_add(r):
    shape, by = r.shape(1), r.shape(0, 2)
    axis = r.whole(0, len(shape))
    updates = r.reals(shape[:axis] + by + shape[axis + 1:])
    return [r.reals(shape), r.indices(by, shape[axis]), updates], lambda w, a, i, u: w.scatter_add(a, i, u, axis), \
        lambda a, i, u: a.index_add(axis, i.reshape(-1), u.reshape(a.shape[:axis] + (-1,) + a.shape[axis + 1:]))


@case
def one_hot(r):
    return [r.indices(r.shape(0, 3), 5)], lambda w, i: w.one_hot(i, 5, 1), \
        lambda i: torch.nn.functional.one_hot(i, 5).double()


# -- products ----------------------------------------------------------------------------------------------------

@case
def matmul(r):
    batch = r.shape(0, 2)
    m, k, n = (int(s) for s in r.rng.choice([1, 2, 3, 8, 17, 40], 3))
    return [r.reals(r.stretched(batch) + (m, k)), r.reals(r.stretched(batch) + (k, n))], \
        lambda w, a, b: w.matmul(a, b), torch.matmul


@case
def outer(r):
    return [r.reals(r.shape(0, 3)), r.reals(r.shape(0, 3))], lambda w, a, b: w.outer(a, b), \
        lambda a, b: torch.tensordot(a, b, 0)


@case
def dot(r):
    n = r.whole(1, 9)
    b = r.reals((n,)) if r.whole(0, 2) else r.reals(r.shape(0, 2) + (n, 3))
    return [r.reals(r.shape(0, 2) + (n,)), b], lambda w, a, b: w.dot(a, b), \
        lambda a, b: torch.tensordot(a, b, ([a.dim() - 1], [max(0, b.dim() - 2)]))


@case
def tensordot(r):
    a = r.reals(r.shape(1, 4))
    n = r.whole(0, a.ndim + 1)
    of_a = [int(i) for i in r.rng.permutation(a.ndim)[:n]]
    sizes = [a.shape[i] for i in of_a] + list(r.shape(0, 2))
    order = [int(i) for i in r.rng.permutation(len(sizes))]
    of_b = [order.index(i) for i in range(n)]
    return [a, r.reals(tuple(sizes[i] for i in order))], lambda w, a, b: w.tensordot_axes(a, b, n, of_a, of_b), \
        lambda a, b: torch.tensordot(a, b, (of_a, of_b))


@case
def einsum(r):
    letters = list("abcde")[:r.whole(1, 6)]
    size = {c: r.whole(1, 5) for c in letters}
    terms = ["".join(r.rng.choice(letters, r.whole(0, 5))) for _ in range(r.whole(1, 3))]
    used = sorted(set("".join(terms)))
    formula = ",".join(terms) + "->" + "".join(r.rng.permutation(used)[:r.whole(0, len(used) + 1)] if used else [])
    return [r.reals(tuple(size[c] for c in t)) for t in terms], \
        lambda w, *a: w.einsum(formula, len(a), list(a)), lambda *a: torch.einsum(formula, *a)


# -- comparing ---------------------------------------------------------------------------------------------------

def difference(ours, theirs, tolerance):
    """What is wrong with ours, or None."""
    theirs = theirs.detach().double().numpy()
    if ours.shape != theirs.shape:
        return f"is {ours.shape}, not {theirs.shape}"
    if not np.array_equal(np.isfinite(ours), np.isfinite(theirs)):
        return "is not finite elsewhere"
    error = np.abs(ours - theirs)
    bad = error > tolerance * (np.abs(theirs) + 0.01 * np.abs(theirs).max(initial=0) + 1e-6)
    if not bad.any():
        return None
    at = tuple(np.argwhere(bad)[0])
    return f"has {ours[at]:.17g}, not {theirs[at]:.17g}, at {[int(i) for i in at]}"


def compare(w, context, draw, seed):
    """What is wrong with a case and its first and second derivatives along random directions, a sentence each."""
    r = Random(seed)
    real, tolerance = (np.dtype("f4"), 3e-3) if seed % 2 else (np.dtype("f8"), 1e-8)
    operands, mine, theirs = draw(r)
    operands = [x.astype(real) if x.dtype.kind == "f" else x for x in operands]
    reals = [i for i, x in enumerate(operands) if x.dtype.kind == "f"]

    def pair(array):
        array = np.asarray(array, array.dtype if array.dtype.kind == "i" else real)
        wide = torch.tensor(array.astype("f8" if array.dtype.kind == "f" else "i8"))
        return w.constant_of(tape, array), wide

    tape = w.tape_new(context)
    pairs = [pair(x) for x in operands]
    for i in reals:
        pairs[i][1].requires_grad_()
    x, tx = [pairs[i][0] for i in reals], [pairs[i][1] for i in reals]
    y, ty = mine(w, *[p[0] for p in pairs]), theirs(*[p[1] for p in pairs])
    named = [("the value", y, ty)]
    if ty.requires_grad:
        v, tv = pair(r.reals(tuple(ty.shape)))
        g = w.vjp_of([y], [v], x)
        tg = torch.autograd.grad(ty, tx, tv.requires_grad_(), create_graph=True, allow_unused=True)
        tg = [t + 0 * z if t is not None else 0 * z for t, z in zip(tg, tx)]
        u = [pair(r.reals(tuple(t.shape))) for t in tx]
        h = w.vjp_of(g, [p[0] for p in u], x + [v])
        th = torch.autograd.grad(sum((a * p[1]).sum() for a, p in zip(tg, u)), tx + [tv], allow_unused=True)
        th = [t if t is not None else torch.zeros_like(z) for t, z in zip(th, tx + [tv])]
        named += [("the gradient", a, b) for a, b in zip(g, tg)]
        named += [("the gradient of the gradient", a, b) for a, b in zip(h, th)]
    w.eval(len(named), [a for _, a, _ in named])
    wrong = [f"{what} {text}" for what, a, b in named if (text := difference(w.value_of(a), b, tolerance))]
    w.tape_free(tape)
    return wrong


def main():
    folder, count = (sys.argv[1:] + ["build", "100"][len(sys.argv) - 1:])[:2]
    if not (Path(folder) / "libwashi.so").exists():
        sys.exit(f"compare_ops: no libwashi.so in {folder}; nothing was compared")
    torch.set_num_threads(1)
    elementwise()
    reductions()
    w, context, failed = Washi(folder), POINTER(), 0
    w.open(ctypes.cast(ctypes.pointer(context), POINTER), None)
    for name, draw in CASES.items():
        for seed in range(int(count)):
            for text in compare(w, context, draw, seed):
                failed += 1
                print(f"{name}, case {seed}: {text}")
    w.close(context)
    print(f"{len(CASES)} ops, {count} cases each: {failed} differences")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
