// Steps of mixtures of experts: the choice of experts, and their work.
#include <atomic>
#include <cmath>
#include <memory>
#include <optional>

#include "backend/cpu/experts.h"
#include "backend/cpu/lower.h"
#include "base/error.h"
#include "checkpoint/convert.h"
#include "graph/op_schema.h"
#include "ops/experts.h"

namespace gamut::cpu {
namespace {

/// 1 for the k greatest of a line and for NaN, 0 for the others; the first of equal ones counts as greater.
void choose(const float* x, float* y, int64_t count, int64_t k) {
  for (int64_t i = 0; i < count; ++i) y[i] = std::isnan(x[i]) ? 1.0f : 0.0f;
  for (int64_t round = 0; round < k; ++round) {
    int64_t best = -1;
    for (int64_t i = 0; i < count; ++i) {
      if (y[i] == 0 && (best < 0 || x[i] > x[best])) best = i;
    }
    if (best < 0) return;
    y[best] = 1.0f;
  }
}

/// Where a matrix [n,k] of an expert lies in its value, in elements.
struct Place {
  int value = -1;
  int64_t begin = 0, size = 0;  // of the expert's part of the value
  int64_t offset = 0;           // of the matrix in that part
  int64_t n = 0, k = 0, n_stride = 0, k_stride = 0;
};

struct Places {
  Place gate, up, down;
};

Places find_places(const Node& node, int64_t expert, int64_t width, int64_t inner) {
  const ExpertsForm form = experts_form(node);
  const ExpertMatrices own = expert_matrices(node, expert);
  if (!own.stacked) {
    const int64_t size = inner * width;
    return {{own.gate, 0, size, 0, inner, width, width, 1},
            {own.up, 0, size, 0, inner, width, width, 1},
            {own.down, 0, size, 0, width, inner, inner, 1}};
  }
  // From one output to the next and from one input to the next.
  const int64_t out = form.transposed ? 1 : width, in = form.transposed ? 2 * inner : 1;
  const int64_t size = 2 * inner * width, step = form.interleaved ? 2 * out : out;
  const int64_t up = form.interleaved ? out : inner * out;
  const int64_t down_out = form.transposed ? 1 : inner, down_in = form.transposed ? width : 1;
  return {{own.gate, expert * size, size, 0, inner, width, step, in},
          {own.up, expert * size, size, up, inner, width, step, in},
          {own.down, expert * size / 2, size / 2, 0, width, inner, down_out, down_in}};
}

/// Reads the parts of weights that belong to one expert, and packs its matrices.
class Packer {
 public:
  explicit Packer(Lowering& lowering) : lowering_(lowering) {}
  /// Nothing when the value is no weight.
  Tensor pack(const Place& place);

 private:
  const StoredTensor& stored(const Node& weight, int value);
  void read(const StoredTensor& from, const Place& place);

  Lowering& lowering_;
  int value_ = -1;  // whose part lies in `part_`
  int64_t begin_ = -1;
  std::optional<StoredTensor> stored_;
  Source type_ = Source::kF32;
  Tensor part_;
};

const StoredTensor& Packer::stored(const Node& weight, int value) {
  if (stored_ && value_ == value) return *stored_;
  stored_ =
      weight.op == &kConstant ? StoredTensor(weight.constant) : lowering_.weights.stored(weight.attributes.s("name"));
  if (!find_source(stored_->dtype(), &type_)) {
    stored_ = StoredTensor(to_f32(stored_->load()));
    type_ = Source::kF32;
  }
  value_ = value, begin_ = -1;
  return *stored_;
}

/// Brings the part of the value that `place` lies in to `part_`, with all threads.
void Packer::read(const StoredTensor& from, const Place& place) {
  if (begin_ == place.begin) return;
  const int64_t size = dtype_bits(from.dtype()) / 8, bytes = place.size * size;
  if (static_cast<int64_t>(part_.bytes()) < bytes) part_ = Tensor::allocate(DType::kU8, {bytes});
  char* const to = static_cast<char*>(part_.mutable_data());
  std::atomic<int64_t> unread{-1};
  lowering_.pool.run_ranges(bytes, 256 << 10, [&](int64_t begin, int64_t end) {
    const auto start = static_cast<uint64_t>(place.begin * size + begin);
    if (!from.try_read(start, static_cast<size_t>(end - begin), to + begin)) unread = end - 1;
  });
  if (unread >= 0) from.refuse(static_cast<uint64_t>(place.begin * size + unread), 1);
  begin_ = place.begin;
}

Tensor Packer::pack(const Place& place) {
  const Node* weight = lowering_.leaf(place.value);
  if (weight == nullptr) return {};
  const StoredTensor& from = stored(*weight, place.value);
  read(from, place);
  const MatmulKernel& kernel = lowering_.weight_kernel;
  const size_t bytes = kernel.packed_bytes(place.n, place.k);
  const HugeArena::Piece piece = lowering_.packed.allocate(bytes);
  PackArgs args{.n = place.n, .k = place.k, .type = type_, .n_stride = place.n_stride, .k_stride = place.k_stride};
  args.data = static_cast<const char*>(part_.data()) + place.offset * dtype_bits(from.dtype()) / 8;
  args.packed = piece.data;
  pack_weight(lowering_.pool, kernel, args);
  lowering_.packed_bytes += bytes;
  return Tensor(DType::kU8, {static_cast<int64_t>(bytes)}, piece.data, piece.owner);
}

struct Expert {
  Places places;
  Tensor gate, up, down;  // packed, where they are weights
};

/// The step of one node.
class ExpertsStep {
 public:
  ExpertsStep(Lowering& lowering, const Node& node);
  void operator()(Run& run) const;

 private:
  MatmulArgs product(const Run& run, const Place& place, const Tensor& packed) const;
  ExpertProducts products(const Run& run, int64_t expert) const;
  void split_bias(const Node& node, const float* bias);

  int x_, shares_, down_bias_, y_;
  ExpertsArgs fixed_;
  std::vector<Expert> experts_;
  std::vector<float> gate_bias_, up_bias_;  // [E,I], or empty
};

ExpertsStep::ExpertsStep(Lowering& lowering, const Node& node)
    : x_(node.inputs[0]), shares_(node.inputs[1]), down_bias_(input_or_none(node, 3)), y_(node.outputs[0]) {
  const ExpertsForm form = experts_form(node);
  check_internal(find_kernel(form.activation, &fixed_.activation), "experts: activation without a kernel");
  fixed_.limit = static_cast<float>(form.limit), fixed_.gain = static_cast<float>(form.gain);
  fixed_.width = *lowering.graph.info(x_).shape[2].constant();
  fixed_.experts = *lowering.graph.info(shares_).shape[2].constant();
  const ExpertMatrices first = expert_matrices(node, 0);
  const Shape& gate = lowering.graph.info(first.gate).shape;
  fixed_.inner = *gate[first.stacked && !form.transposed ? 1 : first.stacked ? 2 : 0].constant();
  if (first.stacked) fixed_.inner /= 2;
  for (int value : {x_, shares_, input_or_none(node, 2), down_bias_}) {
    if (value >= 0) lowering.make_resident(value);
  }
  if (const int bias = input_or_none(node, 2); bias >= 0) {
    if (lowering.leaf(bias) == nullptr) fail(ErrorCode::kUnsupported, "{}: biases that are no weights", node.label);
    split_bias(node, lowering.resident[static_cast<size_t>(bias)].f32().data());
  }
  fixed_.kernel = &lowering.weight_kernel;
  Packer packer(lowering);
  for (int64_t e = 0; e < fixed_.experts; ++e) {
    Expert& expert = experts_.emplace_back();
    expert.places = find_places(node, e, fixed_.width, fixed_.inner);
    expert.gate = packer.pack(expert.places.gate);
    expert.up = packer.pack(expert.places.up);
  }
  // Behind the others, so that each stacked weight is opened once.
  for (Expert& expert : experts_) expert.down = packer.pack(expert.places.down);
  lowering.need_scratch(matmul_scratch_bytes(lowering.weight_kernel, lowering.pool.size()));
}

void ExpertsStep::split_bias(const Node& node, const float* bias) {
  const bool interleaved = experts_form(node).interleaved;
  for (int64_t e = 0; e < fixed_.experts; ++e) {
    for (int64_t i = 0; i < fixed_.inner; ++i) {
      const float* own = bias + e * 2 * fixed_.inner;
      gate_bias_.push_back(own[interleaved ? 2 * i : i]);
      up_bias_.push_back(own[interleaved ? 2 * i + 1 : fixed_.inner + i]);
    }
  }
}

MatmulArgs ExpertsStep::product(const Run& run, const Place& place, const Tensor& packed) const {
  MatmulArgs args{.n = place.n, .k = place.k};
  args.packed = packed.empty() ? nullptr : packed.data();
  if (packed.empty()) args.w = run.f32(place.value) + place.begin + place.offset;
  args.w_n_stride = place.n_stride, args.w_k_stride = place.k_stride;
  return args;
}

ExpertProducts ExpertsStep::products(const Run& run, int64_t e) const {
  const Expert& expert = experts_[static_cast<size_t>(e)];
  ExpertProducts all{product(run, expert.places.gate, expert.gate), product(run, expert.places.up, expert.up),
                     product(run, expert.places.down, expert.down)};
  if (!gate_bias_.empty()) all.gate.epilogue.bias = gate_bias_.data() + e * fixed_.inner;
  if (!up_bias_.empty()) all.up.epilogue.bias = up_bias_.data() + e * fixed_.inner;
  if (down_bias_ >= 0) all.down.epilogue.bias = run.f32(down_bias_) + e * fixed_.width;
  return all;
}

void ExpertsStep::operator()(Run& run) const {
  ExpertsArgs args = fixed_;
  args.tokens = run.lines(x_);
  args.x = run.f32(x_), args.shares = run.f32(shares_), args.y = run.f32(y_);
  args.scratch = run.scratch();
  experts(
      run.pool, run.kernels, args, [&](int64_t expert) { return products(run, expert); }, &run.workspace.experts);
}

}  // namespace

Step lower_top_k_mask(Lowering& lowering, const Node& node) {
  const int x = node.inputs[0], y = node.outputs[0];
  lowering.make_resident(x);
  const int64_t k = node.attributes.i("k");
  return [=](Run& run) {
    const int64_t columns = run.columns(x);
    run.pool.run_ranges(run.lines(x), std::max<int64_t>(1, 16384 / (columns * k)), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) choose(run.f32(x) + i * columns, run.f32(y) + i * columns, columns, k);
    });
  };
}

Step lower_experts(Lowering& lowering, const Node& node) {
  const auto step = std::make_shared<const ExpertsStep>(lowering, node);
  return [step](Run& run) { (*step)(run); };
}

}  // namespace gamut::cpu
