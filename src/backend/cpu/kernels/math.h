// Elementary functions on a vector, in f32. Errors are the largest found by elementwise_test.cpp against double
// precision.
//
// Polynomials are Chebyshev fits made with 50 digits (mpmath.chebyfit) on the interval named beside each. NaN gives
// NaN.
#pragma once

#include "backend/cpu/kernels/simd.h"

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {

constexpr float kInfinity = __builtin_inff();
constexpr float kNan = __builtin_nanf("");

/// Horner's rule, highest coefficient first.
template <int N>
GAMUT_INLINE V poly(V x, const float (&c)[N]) {
  V r = set1(c[0]);
#pragma GCC unroll 16
  for (int i = 1; i < N; ++i) r = fma(r, x, set1(c[i]));
  return r;
}

/// x * 2^n for integral n in [-252, 254], subnormal results included: in two steps, because 2^n alone may not be a
/// float.
GAMUT_INLINE V scale_by_power(V x, V n) {
#if defined(GAMUT_ISA_AVX512)
  return _mm512_scalef_ps(x, n);
#else
  const I whole = to_int(n);
  const I half = whole >> 1;
  const V a = as_float((half + 127) << 23), b = as_float((whole - half + 127) << 23);
  return x * a * b;
#endif
}

// ln 2 in two parts; the first has few bits, so that n * kLn2High is exact also without FMA.
constexpr float kLog2E = 1.44269504089f, kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;
// (e^r - 1 - r) / r^2 on |r| <= ln(2)/2
constexpr float kExpPoly[] = {0.001392625083f, 0.008363232884f, 0.04166655421f, 0.1666657667f, 0.5f};

/// Splits x = n ln 2 + r and returns e^r - 1.
GAMUT_INLINE V exp_reduced(V x, V* n) {
  *n = round_even(x * kLog2E);
  V r = fnma(*n, set1(kLn2High), x);
  r = fnma(*n, set1(kLn2Low), r);
  return fma(poly(r, kExpPoly), r * r, r);
}

/// e^x within 2 ulp; subnormal results within 1 unit of the last place there.
GAMUT_INLINE V exp(V x) {
  // Bounds as second operand would lose NaN; as first they keep it.
  const V clamped = min(set1(89.0f), max(set1(-104.0f), x));
  V n;
  const V e = exp_reduced(clamped, &n);
  return scale_by_power(e + 1.0f, n);
}

/// e^x for x <= 0, likewise.
GAMUT_INLINE V exp_nonpositive(V x) {
  V n;
  const V e = exp_reduced(max(set1(-104.0f), x), &n);
  return scale_by_power(e + 1.0f, n);
}

/// e^x - 1 within 3 ulp.
GAMUT_INLINE V expm1(V x) {
  const V clamped = min(set1(88.0f), max(set1(-30.0f), x));
  V n;
  const V e = exp_reduced(clamped, &n);
  const V power = scale_by_power(set1(1.0f), n);
  const V result = fma(e, power, power - 1.0f);
  const V signed_zero = x == 0.0f ? x : result;
  return x > 88.0f ? exp(x) : signed_zero;
}

// (log(1+f) - f + f^2/2) / f^3 on sqrt(1/2) <= 1+f <= sqrt(2)
constexpr float kLogPoly[] = {0.06971611471f, -0.1147973385f, 0.1168541992f,  -0.1242568733f, 0.1424905765f,
                              -0.1666780232f, 0.2000071575f,  -0.2499999696f, 0.3333333118f};

/// log(2^e * (1+f)) for f as above.
GAMUT_INLINE V log_reduced(V f, V e) {
  const V square = f * f;
  V r = poly(f, kLogPoly) * f * square;
  r = fma(e, set1(kLn2Low), r);
  r = fma(square, set1(-0.5f), r);
  return fma(e, set1(kLn2High), f + r);
}

/// Splits a positive x into 2^e * (1+f) with sqrt(1/2) <= 1+f < sqrt(2).
GAMUT_INLINE V split_power(V x, V* e) {
  const I tiny = x < 1.17549435e-38f;
  // Without the sign, so that the difference fits also for a negative x, whose result nobody uses.
  const I bits = as_int(select(tiny, x * 8388608.0f, x)) & 0x7fffffff;
  const I shifted = bits - 0x3f3504f3;  // sqrt(1/2)
  const I exponent = shifted >> 23;
  *e = to_float(exponent) - select(tiny, set1(23.0f), zero());
  return as_float(bits - (exponent << 23)) - 1.0f;
}

/// log x within 2 ulp; of 0: -inf; of a negative number: NaN.
GAMUT_INLINE V log(V x) {
  V e;
  const V f = split_power(x, &e);
  V r = log_reduced(f, e);
  r = x == kInfinity ? x : r;
  r = x == 0.0f ? set1(-kInfinity) : r;
  return x >= 0.0f ? r : set1(kNan);
}

/// log(1+x) within 3 ulp.
GAMUT_INLINE V log1p(V x) {
  const V u = x + 1.0f;
  V e;
  const V f = split_power(u, &e);
  // What rounding 1+x lost, relative to u. For large x the lost part is x's own low end.
  const V lost = select(abs_of(x) > 1.0f, 1.0f - (u - x), x - (u - 1.0f));
  V r = log_reduced(f, e) + lost / u;
  r = x == kInfinity ? x : r;
  r = u == 0.0f ? set1(-kInfinity) : r;
  r = abs_of(x) < 5.9604645e-8f ? x : r;
  return u >= 0.0f ? r : set1(kNan);
}

// (tanh(s) - s) / s^3 in s^2 on |s| <= 0.63
constexpr float kTanhPoly[] = {0.002277154837f, -0.008330076704f, 0.02176464921f,
                               -0.05395873069f, 0.1333330131f,    -0.3333333316f};

/// tanh x within 2 ulp.
GAMUT_INLINE V tanh(V x) {
  const V a = abs_of(x);
  const V square = x * x;
  const V small = fma(poly(square, kTanhPoly) * square, x, x);
  const V e = exp(2.0f * min(set1(20.0f), a)) + 1.0f;
  const V large = as_float(as_int(1.0f - 2.0f * reciprocal(e)) | sign_of(x));
  return a < 0.625f ? small : large;
}

// erf(s) / s in s^2 on |s| <= 1
constexpr float kErfPoly[] = {-9.667044571e-6f, 0.0001126595903f, -0.0008484080406f, 0.005221031808f,
                              -0.02686543073f,  0.112837825f,     -0.3761263847f,    1.128379167f};
// e^(s^2) erfc(s) in t = 1 / (1 + s/2) on 0.9 <= s <= 10.2
constexpr float kErfcPoly[] = {-0.07451491031f, 0.3525370241f, -0.6146519055f, 0.4113357783f, -0.1119396888f,
                               0.2372301927f,   0.2342899159f, 0.2837375466f,  0.2819709632f, 4.082567143e-6f};

/// erfc(a) for a >= 0.9, relative error below 1e-6.
GAMUT_INLINE V erfc_tail(V a) {
  const V s = min(set1(10.2f), a);
  const V t = reciprocal(fma(s, set1(0.5f), set1(1.0f)));
  const V square = s * s;
  // The rounding error of s^2 is put back: e^-(square + low) = e^-square (1 - low).
  const I high_bits = as_int(s) & ~0xfff;
  const V high = as_float(high_bits), rest = s - high;
  const V low = ((high * high - square) + 2.0f * high * rest) + rest * rest;
  const V e = exp(-square);
  return fnma(e, low, e) * poly(t, kErfcPoly);
}

/// erf x within 3 ulp.
GAMUT_INLINE V erf(V x) {
  const V a = abs_of(x);
  const V small = x * poly(x * x, kErfPoly);
  const V large = as_float(as_int(1.0f - erfc_tail(a)) | sign_of(x));
  return a < 1.0f ? small : large;
}

// e^(s^2) erfc(s) in t = 1 / (1 + 0.4 s) on 0 <= s <= 10.2
constexpr float kGeluPoly[] = {0.0184176545f, -0.02075498312f, -0.1860378234f, 0.4323627366f, -0.1929513889f,
                               0.3320896252f, 0.1566794363f,   0.2355336836f,  0.2246121257f, 4.894211315e-5f};

/// x (1 + erf(x / sqrt 2)) / 2 within 20 ulp or 1e-8, whichever is larger. One formula for all x: 1 + erf is erfc of
/// the other side, which keeps its accuracy in the left tail.
GAMUT_INLINE V gelu_erf(V x) {
  const V s = min(set1(10.2f), abs_of(x) * 0.707106781f);
  const V t = reciprocal(fma(s, set1(0.4f), set1(1.0f)));
  const V tail = exp_nonpositive(-s * s) * poly(t, kGeluPoly);
  const V y = 0.5f * x * select(x > 0.0f, 2.0f - tail, tail);
  // -inf times 0 is no number, but the limit is 0.
  return x == -kInfinity ? zero() : y;
}

/// 1 / (1 + e^-x) within 3 ulp.
GAMUT_INLINE V sigmoid(V x) { return 1.0f / (1.0f + exp(-x)); }

/// x / (1 + e^-(scale x)) within 4 ulp for scale = 1; the limit 0 at -inf.
GAMUT_INLINE V swish(V x, V scaled) {
  const V y = x / (1.0f + exp(-scaled));
  return x == -kInfinity ? zero() : y;
}

/// x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) / 2 within 12 ulp or 1e-8; as a sigmoid, which cancels nothing in the
/// left tail.
GAMUT_INLINE V gelu_tanh(V x) { return swish(x, 1.595769122f * fma(x * x * 0.044715f, x, x)); }

/// log(1 + e^x) within 3 ulp.
GAMUT_INLINE V softplus(V x) {
  const V y = max(zero(), x) + log1p(exp(-abs_of(x)));
  return x == x ? y : x;
}

// (sin s - s) / s^3 and (cos s - 1 + s^2/2) / s^4 in s^2 on |s| <= pi/4
constexpr float kSinPoly[] = {2.724686872e-6f, -0.0001984006304f, 0.008333331831f, -0.1666666666f};
constexpr float kCosPoly[] = {-2.729840765e-7f, 2.48005806e-5f, -0.001388888764f, 0.04166666666f};

/// Beyond this |x| the three-part pi/2 below runs out of bits.
constexpr float kLargestAngle = 8192.0f;

/// sin (shift 0) or cos (shift 1) of |x| <= kLargestAngle, absolute error below 2^-23.
GAMUT_INLINE V sin_shifted(V x, int shift) {
  const V n = round_even(x * 0.636619772f);
  // pi/2 in parts of 11, 11 and 11 bits and a rest: the products with |n| < 2^13 are exact without FMA too.
  V r = fnma(n, set1(1.5703125f), x);
  r = fnma(n, set1(4.837512969970703125e-4f), r);
  r = fnma(n, set1(7.549789954892e-8f), r);
  const V square = r * r;
  const V s = fma(poly(square, kSinPoly) * square, r, r);
  const V c = fma(poly(square, kCosPoly) * square, square, fma(square, set1(-0.5f), set1(1.0f)));
  const I quadrant = to_int(n) + shift;
  const V y = select((quadrant & 1) != 0, c, s);
  return as_float(as_int(y) ^ ((quadrant & 2) << 30));
}

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
