#include "parity/compare.h"

#include <cmath>
#include <cstring>

#include "backend/cpu/kernel_table.h"
#include "base/cpu_info.h"
#include "base/error.h"
#include "graph/printer.h"
#include "models/architecture.h"

namespace gamut::parity {
namespace {

/// Row `b` of a case's tensor that has one line per row.
Tensor row_of(const Tensor& tensor, int64_t b) {
  Dims dims = tensor.dims();
  dims[0] = 1;
  Tensor row = Tensor::allocate(tensor.dtype(), dims);
  std::memcpy(row.mutable_data(), static_cast<const char*>(tensor.data()) + static_cast<size_t>(b) * row.bytes(),
              row.bytes());
  return row;
}

/// The largest |a-b| and |b|, and the sums of their squares.
struct Extremes {
  double difference = 0;
  double value = 0;
  double squared_difference = 0;
  double squared_value = 0;
  int64_t count = 0;
};

/// Of `actual` against `expected`; masked places do not count.
Extremes extremes_of(const Tensor& actual, const Tensor& expected, const Tensor* mask, const std::string& name) {
  if (actual.dims() != expected.dims() || actual.dtype() != DType::kF32) {
    fail(ErrorCode::kInternal, "output {}: shape {}, transformers has {}", name, to_string(actual.dims()),
         to_string(expected.dims()));
  }
  const bool per_token = mask != nullptr && expected.dims().size() >= 2 && expected.dim(0) == mask->dim(0) &&
                         expected.dim(1) == mask->dim(1);
  const int64_t places = per_token ? mask->count() : 1;
  const int64_t width = places == 0 ? 0 : expected.count() / places;
  Extremes largest;
  for (int64_t place = 0; place < places; ++place) {
    const bool is_masked = per_token && mask->i64()[place] == 0;
    for (int64_t i = place * width; i < (place + 1) * width; ++i) {
      const double a = actual.f32()[i], b = expected.f32()[i];
      if (is_masked) {
        if (a != 0) fail(ErrorCode::kInternal, "output {}: {} at a masked place, expected 0", name, a);
        continue;
      }
      largest.value = std::max(largest.value, std::fabs(b));
      // NaN compares false with everything: it must not pass for small.
      const double difference = std::fabs(a - b);
      largest.squared_difference += difference * difference, largest.squared_value += b * b, ++largest.count;
      if (!(difference <= largest.difference)) largest.difference = std::isnan(difference) ? INFINITY : difference;
    }
  }
  return largest;
}

/// What an output may differ in the precision.
double allowance(const Case& parity_case, const std::string& name, double largest_value, Precision precision) {
  if (precision == Precision::kF32) return kTolerance * std::max(1.0, largest_value);
  return kBf16Factor * parity_case.bf16_errors.at(name) + kBf16Tolerance * largest_value;
}

/// Both errors of an output relative to its root mean square, for as many numbers as were compared.
SquaredErrors squared_errors(const Extremes& found, double pytorch_rms) {
  if (found.count == 0) return {};
  const double count = static_cast<double>(found.count), mean = found.squared_value / count;
  return {found.squared_difference / mean, count * pytorch_rms * pytorch_rms / mean};
}

Difference compare(const Case& parity_case, const Session& session, const NamedTensors& inputs,
                   const NamedTensors& expected) {
  const NamedTensors actual = session.forward(inputs);
  auto mask = inputs.find("attention_mask");
  Difference all;
  for (const auto& [name, tensor] : expected) {
    auto found = actual.find(name);
    if (found == actual.end()) fail(ErrorCode::kInternal, "output {} is missing", name);
    const Extremes found_here =
        extremes_of(found->second, tensor, mask == inputs.end() ? nullptr : &mask->second, name);
    all.add({found_here.difference / std::max(1.0, found_here.value),
             found_here.difference / allowance(parity_case, name, found_here.value, session.precision()),
             session.precision() == Precision::kF32 ? SquaredErrors()
                                                    : squared_errors(found_here, parity_case.bf16_rms.at(name))});
  }
  return all;
}

Program record(const Case& parity_case) {
  return record_program(parity_case.config, *parity_case.checkpoint, {.head = parity_case.head, .strict = true})
      .program;
}

}  // namespace

std::string Target::name() const {
  std::string text = backend;
  if (!instruction_set.empty()) text += " " + instruction_set;
  if (precision != Precision::kF32) text += std::string(" ") + precision_name(precision);
  return layout == RowLayout::kPadded ? text + " padded" : text;
}

std::vector<Target> all_targets() {
  std::vector<Target> targets;
  for (const std::string& backend : backend_names()) {
    const std::vector<Precision> precisions = find_backend(backend).probe().precisions;
    const bool has_bf16 = std::ranges::count(precisions, Precision::kBf16) > 0;
    for (RowLayout layout : {RowLayout::kPacked, RowLayout::kPadded}) {
      if (has_bf16) targets.push_back({backend, "", layout, Precision::kBf16});
      if (backend != "cpu") {
        targets.push_back({backend, "", layout});
        continue;
      }
      for (int i = 0; i < kIsaCount; ++i) {
        const Isa isa = static_cast<Isa>(i);
        if (cpu::has_kernels(isa)) targets.push_back({backend, isa_name(isa), layout});
      }
    }
  }
  return targets;
}

Difference compare(const Case& parity_case, const Target& target) {
  const Session session(record(parity_case), parity_case.checkpoint, find_backend(target.backend),
                        {.precision = target.precision, .threads = 2, .instruction_set = target.instruction_set},
                        target.layout);
  if (session.precision() != target.precision)
    fail(ErrorCode::kInternal, "{}: runs in another precision", target.name());
  Difference all = compare(parity_case, session, parity_case.inputs, parity_case.outputs);
  const int64_t batch = parity_case.inputs.at("input_ids").dim(0);
  for (int64_t b = 0; b < batch; ++b) {
    NamedTensors inputs, expected;
    for (const auto& [name, tensor] : parity_case.inputs) inputs[name] = row_of(tensor, b);
    for (const auto& [name, tensor] : parity_case.outputs) expected[name] = row_of(tensor, b);
    all.add(compare(parity_case, session, inputs, expected));
  }
  if (target.precision == Precision::kF32) all.add(compare_generation(parity_case, session));
  return all;
}

std::string graph_digest(const Case& parity_case) {
  std::string text;
  for (const auto& [name, graph] : record(parity_case).graphs)
    text += (text.empty() ? "" : " ") + name + "=" + digest(graph);
  return text;
}

}  // namespace gamut::parity
