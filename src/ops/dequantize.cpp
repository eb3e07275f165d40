#include "ops/dequantize.h"

#include "graph/op_case_builder.h"
#include "ops/gather_rows.h"
#include "ops/linear.h"

namespace gamut::op {
namespace {

void infer(InferContext& c) {
  const int64_t bits = c.attributes().i("bits");
  if (bits != 4 && bits != 8) c.fail(fmt::format("codes of {} bits, expected 4 or 8", bits));
  if (c.dtype(0) != DType::kU8 && c.dtype(0) != DType::kI8) c.fail("expected codes in U8 or I8");
  c.require_dtype(1, DType::kF32);
  if (c.rank(0) < 1 || c.rank(0) != c.rank(1)) c.fail("expected codes [..., in] and scale [..., groups]");
  Shape out = c.shape(0);
  for (size_t axis = 0; axis + 1 < out.size(); ++axis) c.require_equal(c.shape(1)[axis], out[axis], "scale");
  const auto stored = out.back().constant(), groups = c.shape(1).back().constant();
  if (!stored || !groups) c.fail("the last axes of codes and scale are not constant");
  const int64_t in = bits == 4 ? 2 * *stored : *stored;
  if (*groups < 1 || in % *groups != 0) c.fail(fmt::format("{} numbers do not fall into {} groups", in, *groups));
  if (c.has(2)) {
    c.require_dtype(2, c.dtype(0));
    if (c.rank(2) != c.rank(1)) c.fail("the zero point has another rank than the scale");
    for (size_t axis = 0; axis < out.size(); ++axis) c.require_equal(c.shape(2)[axis], c.shape(1)[axis], "zero point");
  }
  out.back() = in;
  c.output(DType::kF32, std::move(out));
}

struct Quantised {
  Dims dims;  // [out, in]
  int64_t groups;
  int bits;
  DType dtype;
  bool has_zero_point;
};

/// A quantised weight of the case.
Value quantised(CaseBuilder& b, const Quantised& weight) {
  Dims codes = weight.dims, lines = weight.dims;
  if (weight.bits == 4) codes.back() /= 2;
  lines.back() = weight.groups;
  DequantizeOptions options{.bits = weight.bits};
  if (weight.has_zero_point) options.zero_point = b.codes("zero_point", lines, weight.dtype, weight.bits);
  return dequantize(b.codes("codes", codes, weight.dtype, 8), b.weight("scale", lines, 0.001f, 0.01f), options);
}

std::vector<OpCase> cases() {
  std::vector<OpCase> all;
  for (int bits : {8, 4}) {
    for (DType dtype : {DType::kU8, DType::kI8}) {
      for (int64_t groups : {1, 4}) {
        for (bool has_zero_point : {false, true}) {
          CaseBuilder b(fmt::format("dequantize_{}{}_{}_groups{}", dtype_name(dtype), bits, groups,
                                    has_zero_point ? "_zero_point" : ""));
          Value x = b.f32("x", {2, 5, 64}, -1, 1);
          all.push_back(b.finish(linear(x, quantised(b, {{24, 64}, groups, bits, dtype, has_zero_point}))));
        }
      }
    }
  }
  CaseBuilder t("dequantize_table");
  all.push_back(t.finish(gather_rows(quantised(t, {{9, 12}, 3, 8, DType::kI8, false}), t.ids("ids", {2, 5}, 9))));
  return all;
}

}  // namespace

const OpSchema kDequantize{.name = "dequantize", .min_inputs = 2, .max_inputs = 3, .infer = infer, .cases = cases};

Value dequantize(Value codes, Value scale, const DequantizeOptions& options) {
  std::vector<Value> inputs{codes, scale};
  if (options.zero_point) inputs.push_back(options.zero_point);
  return codes.graph->add(kDequantize, inputs, {{"bits", static_cast<int64_t>(options.bits)}});
}

}  // namespace gamut::op
