/* activations.c: Keras' activations that are not primitives, composed of ops:
 * keras.io/api/layers/activations.
 *
 * Functions of two halves are a sum, relu(x) and something of min(x, 0): no branch that is not taken
 * sees a number that could make it infinite, so the derivatives are finite with the values. */
#include "washi.h"

static washi_tensor *number(washi_tensor *x, double value)
{
    return x ? washi_scalar(washi_tape_of(x), washi_dtype_of(x), value) : NULL;
}

/* Whether x is real, or NULL, which the ops refuse; if not, an error in the name of who. */
static bool real(washi_tensor *x, const char *who)
{
    const washi_dtype type = washi_dtype_of(x);
    if (type == WASHI_F32 || type == WASHI_F64 || washi_tape_status(washi_tape_of(x))) return true;
    washi_fail(washi_tape_of(x), WASHI_BAD_TYPE,
               "%s: an operand of type %s: f32 or f64 wanted, cast it first", who,
               washi_dtype_name(type));
    return false;
}

static washi_tensor *lower_half(washi_tensor *x) { return washi_minimum(x, number(x, 0)); }

/* -- piecewise linear -- */

washi_tensor *washi_linear(washi_tensor *x) { return x; }

washi_tensor *washi_leaky_relu_with(washi_tensor *x, double slope)
{
    if (!real(x, "leaky_relu")) return NULL;
    return washi_add(washi_relu(x), washi_scale(lower_half(x), slope));
}

washi_tensor *washi_leaky_relu(washi_tensor *x) { return washi_leaky_relu_with(x, 0.2); }
washi_tensor *washi_relu6(washi_tensor *x)
{
    washi_tensor *y = real(x, "relu6") ? washi_relu(x) : NULL;
    return y ? washi_minimum(y, number(y, 6)) : NULL;
}

washi_tensor *washi_hard_tanh(washi_tensor *x)
{
    return real(x, "hard_tanh") ? washi_clip(x, -1, 1) : NULL;
}

washi_tensor *washi_hard_sigmoid(washi_tensor *x)
{
    if (!real(x, "hard_sigmoid")) return NULL;
    return washi_scale(washi_clip(washi_shift(x, 3), 0, 6), 1.0 / 6);
}

washi_tensor *washi_hard_swish(washi_tensor *x)
{
    return real(x, "hard_swish") ? washi_mul(x, washi_hard_sigmoid(x)) : NULL;
}

/* -- exponential below 0 -- */

washi_tensor *washi_elu_with(washi_tensor *x, double alpha)
{
    if (!real(x, "elu")) return NULL;
    return washi_add(washi_relu(x), washi_scale(washi_expm1(lower_half(x)), alpha));
}

washi_tensor *washi_elu(washi_tensor *x) { return washi_elu_with(x, 1); }

/* Constants of Klambauer et al., "Self-normalizing neural networks", 2017. */
washi_tensor *washi_selu(washi_tensor *x)
{
    if (!real(x, "selu")) return NULL;
    return washi_scale(washi_elu_with(x, 1.67326324235437728482), 1.05070098735548049342);
}

washi_tensor *washi_celu_with(washi_tensor *x, double alpha)
{
    if (x && !(alpha < 0) && !(alpha > 0)) {
        washi_fail(washi_tape_of(x), WASHI_BAD_VALUE, "celu: alpha is %g", alpha);
        return NULL;
    }
    if (!real(x, "celu")) return NULL;
    washi_tensor *low = washi_expm1(washi_scale(lower_half(x), 1 / alpha));
    return washi_add(washi_relu(x), washi_scale(low, alpha));
}

washi_tensor *washi_celu(washi_tensor *x) { return washi_celu_with(x, 1); }

/* -- x times a probability -- */

washi_tensor *washi_silu(washi_tensor *x)
{
    return real(x, "silu") ? washi_mul(x, washi_sigmoid(x)) : NULL;
}

washi_tensor *washi_swish(washi_tensor *x) { return washi_silu(x); }

/* erfc(-t) for 1 + erf(t), whose digits cancel for x < 0. */
washi_tensor *washi_gelu(washi_tensor *x)
{
    const double root_of_half = 0.707106781186547524401;
    if (!real(x, "gelu")) return NULL;
    return washi_mul(washi_scale(x, 0.5), washi_erfc(washi_scale(x, -root_of_half)));
}

/* sigmoid(2 t) for (1 + tanh(t)) / 2, as above. From 30 on it is 1, and below -30 it is 0, in double
 * too: the clip keeps the cube from infinity and changes nothing. */
washi_tensor *washi_gelu_tanh(washi_tensor *x)
{
    const double twice_root_of_2_by_pi = 1.59576912160573071176;
    if (!real(x, "gelu_tanh")) return NULL;
    washi_tensor *c = washi_clip(x, -30, 30);
    washi_tensor *cubic = washi_add(c, washi_scale(washi_mul(c, washi_square(c)), 0.044715));
    return washi_mul(x, washi_sigmoid(washi_scale(cubic, twice_root_of_2_by_pi)));
}

washi_tensor *washi_mish(washi_tensor *x)
{
    return real(x, "mish") ? washi_mul(x, washi_tanh(washi_softplus(x))) : NULL;
}

/* -- others -- */

washi_tensor *washi_softsign(washi_tensor *x)
{
    return real(x, "softsign") ? washi_div(x, washi_shift(washi_abs(x), 1)) : NULL;
}

washi_tensor *washi_exponential(washi_tensor *x) { return washi_exp(x); }
