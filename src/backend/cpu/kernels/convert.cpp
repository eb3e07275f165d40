// Moving rows and changing their type: f16 and bf16 to f32 and back, embedding rows, pooling of packed rows.
#include "backend/cpu/kernels/functions.h"
#include "backend/cpu/kernels/math.h"

namespace gamut::cpu::GAMUT_ISA_NAMESPACE {
namespace {

/// Round to nearest even; NaN keeps its sign and becomes quiet.
uint16_t f32_to_f16(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  const uint32_t sign = (bits >> 16) & 0x8000u, magnitude = bits & 0x7fffffffu;
  if (magnitude > 0x7f800000u) return static_cast<uint16_t>(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
  if (magnitude >= 0x477ff000u) return static_cast<uint16_t>(sign | 0x7c00u);  // from 65520 on: infinity
  if (magnitude < 0x38800000u) {  // subnormal: adding 0.5 puts the result's last place at 2^-24
    float m;
    __builtin_memcpy(&m, &magnitude, 4);
    const float shifted = m + 0.5f;
    uint32_t low;
    __builtin_memcpy(&low, &shifted, 4);
    return static_cast<uint16_t>(sign | (low - 0x3f000000u));
  }
  const uint32_t rounded = magnitude + 0xfffu + ((magnitude >> 13) & 1u) - 0x38000000u;
  return static_cast<uint16_t>(sign | (rounded >> 13));
}

uint16_t f32_to_bf16(float x) {
  uint32_t bits;
  __builtin_memcpy(&bits, &x, 4);
  if ((bits & 0x7fffffffu) > 0x7f800000u) return static_cast<uint16_t>((bits >> 16) | 0x40u);
  return static_cast<uint16_t>((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}

void widen_f16(const uint16_t* x, float* y, int64_t n) {
  int64_t i = 0;
#if defined(GAMUT_ISA_AVX512) || defined(GAMUT_ISA_AVX2)
  for (; i + kWidth <= n; i += kWidth) store(y + i, load_f16(x + i));
#endif
  for (; i < n; ++i) y[i] = f16_to_f32(x[i]);
}

void widen_bf16(const uint16_t* x, float* y, int64_t n) {
  int64_t i = 0;
#if defined(GAMUT_ISA_AVX512) || defined(GAMUT_ISA_AVX2)
  for (; i + kWidth <= n; i += kWidth) store(y + i, load_bf16(x + i));
#endif
  for (; i < n; ++i) y[i] = bf16_to_f32(x[i]);
}

void copy(const float* x, float* y, int64_t n) {
  for_vectors(n, [&](int64_t i, int count) GAMUT_INLINE_LAMBDA { store_some(y + i, load_some(x + i, count), count); });
}

void fill_zero(float* y, int64_t n) {
  for_vectors(n, [&](int64_t i, int count) GAMUT_INLINE_LAMBDA { store_some(y + i, zero(), count); });
}

}  // namespace

void widen(Source type, const void* x, float* y, int64_t n) noexcept {
  switch (type) {
    case Source::kF32: return copy(static_cast<const float*>(x), y, n);
    case Source::kF16: return widen_f16(static_cast<const uint16_t*>(x), y, n);
    case Source::kBf16: return widen_bf16(static_cast<const uint16_t*>(x), y, n);
  }
}

void narrow(Source type, const float* x, void* y, int64_t n) noexcept {
  if (type == Source::kF32) return copy(x, static_cast<float*>(y), n);
  uint16_t* out = static_cast<uint16_t*>(y);
  int64_t i = 0;
  if (type == Source::kF16) {
#if defined(GAMUT_ISA_AVX512) || defined(GAMUT_ISA_AVX2)
    for (; i + kWidth <= n; i += kWidth) store_f16(out + i, load(x + i));
#endif
    for (; i < n; ++i) out[i] = f32_to_f16(x[i]);
    return;
  }
#if defined(GAMUT_ISA_AVX512)
  for (; i + kWidth <= n; i += kWidth) {
    const I bits = as_int(load(x + i));
    const I high = (bits >> 16) & 0xffff;
    // The sum may pass INT32_MAX, which wraps for vectors as it should: shifted down, only its low half is stored.
    const I rounded = (I)_mm512_add_epi32((__m512i)bits, (__m512i)(0x7fff + (high & 1))) >> 16;
    store_low_halves(out + i, (bits & INT32_MAX) > 0x7f800000 ? high | 0x40 : rounded);
  }
#endif
  for (; i < n; ++i) out[i] = f32_to_bf16(x[i]);
}

bool gather_rows(const GatherArgs& args, int64_t row0, int64_t row1) noexcept {
  bool valid = true;
  const int64_t bytes = args.type == Source::kF32 ? 4 : 2;
  for (int64_t r = row0; r < row1; ++r) {
    float* y = args.y + r * args.y_stride;
    const int64_t id = args.ids[r];
    if (id < 0 || id >= args.table_rows) {
      valid = false;
      fill_zero(y, args.cols);
      continue;
    }
    widen(args.type, static_cast<const char*>(args.table) + id * args.table_stride * bytes, y, args.cols);
  }
  return valid;
}

void segment_pool(const SegmentPoolArgs& args, int64_t segment0, int64_t segment1) noexcept {
  for (int64_t s = segment0; s < segment1; ++s) {
    const int64_t begin = args.offsets[s], end = args.offsets[s + 1];
    float* y = args.y + s * args.y_stride;
    if (begin >= end) {
      fill_zero(y, args.cols);
      continue;
    }
    const float* first = args.x + begin * args.x_stride;
    if (args.kind == Pooling::kFirst || args.kind == Pooling::kLast) {
      copy(args.kind == Pooling::kFirst ? first : args.x + (end - 1) * args.x_stride, y, args.cols);
      continue;
    }
    const V factor = set1(args.kind == Pooling::kMean ? 1.0f / static_cast<float>(end - begin) : 1.0f);
    for_vectors(args.cols, [&](int64_t i, int count) GAMUT_INLINE_LAMBDA {
      V total = load_some(first + i, count);
      for (int64_t t = 1; t < end - begin; ++t) {
        const V v = load_some(first + t * args.x_stride + i, count);
        total = args.kind == Pooling::kMax ? (total != total ? total : (v > total || v != v ? v : total)) : total + v;
      }
      store_some(y + i, total * factor, count);
    });
  }
}

}  // namespace gamut::cpu::GAMUT_ISA_NAMESPACE
