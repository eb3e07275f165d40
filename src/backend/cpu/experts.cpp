#include "backend/cpu/experts.h"

#include <algorithm>

namespace gamut::cpu {
namespace {

/// One call at work.
struct Work {
  ThreadPool& pool;
  const KernelTable& kernels;
  const ExpertsArgs& args;
  ExpertsBuffers& buffers;

  void sort() const;
  int64_t group_end(int64_t first) const;
  void collect(int64_t slot0, int64_t slot1) const;
  void bind(int64_t expert, int64_t slot0, const ExpertProducts& products) const;
  void gate_line(float* gate, float* up, int64_t count) const;
  void multiply() const;
  void add(int64_t slot0, int64_t slot1) const;
};

/// Gives each pair of a token and one of its experts a slot: those of an expert lie together, tokens rising.
void Work::sort() const {
  std::vector<int64_t>& begins = buffers.begins;
  begins.assign(static_cast<size_t>(args.experts) + 1, 0);
  const auto share_of = [&](int64_t t, int64_t e) { return args.shares[t * args.experts + e]; };
  for (int64_t t = 0; t < args.tokens; ++t) {
    for (int64_t e = 0; e < args.experts; ++e) begins[static_cast<size_t>(e) + 1] += share_of(t, e) != 0 ? 1 : 0;
  }
  for (size_t e = 0; e < static_cast<size_t>(args.experts); ++e) begins[e + 1] += begins[e];
  buffers.tokens.resize(static_cast<size_t>(begins.back()));
  buffers.slots.clear();
  buffers.firsts.clear();
  std::vector<int64_t> cursor(begins.begin(), begins.end() - 1);
  for (int64_t t = 0; t < args.tokens; ++t) {
    buffers.firsts.push_back(static_cast<int64_t>(buffers.slots.size()));
    for (int64_t e = 0; e < args.experts; ++e) {
      if (share_of(t, e) == 0) continue;
      const int64_t slot = cursor[static_cast<size_t>(e)]++;
      buffers.tokens[static_cast<size_t>(slot)] = t;
      buffers.slots.push_back({slot, share_of(t, e)});
    }
    if (buffers.firsts.back() == static_cast<int64_t>(buffers.slots.size())) {
      std::fill_n(args.y + t * args.width, args.width, 0.0f);
    }
  }
  buffers.firsts.push_back(static_cast<int64_t>(buffers.slots.size()));
}

/// Experts [first, end) work together: as many as fit into a moderate amount of memory, and at least one.
int64_t Work::group_end(int64_t first) const {
  constexpr int64_t kGroupNumbers = int64_t{8} << 20;
  const int64_t most = std::max<int64_t>(1, kGroupNumbers / std::max<int64_t>(1, args.width + 2 * args.inner));
  const auto& begins = buffers.begins;
  int64_t end = first + 1;
  while (end < args.experts && begins[static_cast<size_t>(end) + 1] - begins[static_cast<size_t>(first)] <= most) ++end;
  return end;
}

/// The lines of x that slots [slot0, slot1) read.
void Work::collect(int64_t slot0, int64_t slot1) const {
  const auto grow = [](HugeVector<float>& to, int64_t count) {
    if (to.size() < static_cast<size_t>(count)) HugeVector<float>(static_cast<size_t>(count)).swap(to);
  };
  grow(buffers.lines, (slot1 - slot0) * args.width);
  grow(buffers.gates, (slot1 - slot0) * args.inner);
  grow(buffers.ups, (slot1 - slot0) * args.inner);
  pool.run_ranges(slot1 - slot0, std::max<int64_t>(1, 16384 / std::max<int64_t>(1, args.width)),
                  [&](int64_t begin, int64_t end) {
                    for (int64_t i = begin; i < end; ++i) {
                      const int64_t token = buffers.tokens[static_cast<size_t>(slot0 + i)];
                      std::copy_n(args.x + token * args.width, args.width, buffers.lines.data() + i * args.width);
                    }
                  });
}

/// Adds the products of one expert, whose slots are counted from `slot0`.
void Work::bind(int64_t expert, int64_t slot0, const ExpertProducts& products) const {
  const int64_t begin = buffers.begins[static_cast<size_t>(expert)] - slot0;
  const int64_t rows = buffers.begins[static_cast<size_t>(expert) + 1] - slot0 - begin;
  const auto add = [&](std::vector<MatmulArgs>& to, MatmulArgs product, const float* a, float* c) {
    product.m = rows;
    product.a = a + begin * product.k, product.a_stride = product.k;
    product.c = c + begin * product.n, product.c_stride = product.n;
    to.push_back(product);
  };
  float *lines = buffers.lines.data(), *gates = buffers.gates.data();
  add(buffers.gate, products.gate, lines, gates);
  add(buffers.up, products.up, lines, buffers.ups.data());
  add(buffers.down, products.down, gates, lines);  // x is no longer needed then
}

/// gate = activation(gate) * up, or the limited form; `up` is changed too.
void Work::gate_line(float* gate, float* up, int64_t count) const {
  const auto with = [&](Binary kind, float* a, const float& b) {
    kernels.binary(kind, {.cols = count, .a = a, .b = &b, .b_col_stride = 0, .y = a}, 0, 1);
  };
  const auto multiply = [&](float* a, const float* b) {
    kernels.binary(Binary::kMul, {.cols = count, .a = a, .b = b, .y = a}, 0, 1);
  };
  if (args.limit > 0) {
    with(Binary::kMin, gate, args.limit);
    with(Binary::kMin, up, args.limit), with(Binary::kMax, up, -args.limit), with(Binary::kAdd, up, 1.0f);
    multiply(up, gate);
    with(Binary::kMul, gate, args.gain);
    kernels.unary(Unary::kSigmoid, gate, gate, count);
  } else {
    kernels.unary(args.activation, gate, gate, count);
  }
  multiply(gate, up);
}

/// The products that are bound.
void Work::multiply() const {
  const MatmulKernel& kernel = *args.kernel;
  // Gate and up of a tile follow each other on one core, and meet while they are in its cache.
  share_tiles(pool, kernel, buffers.gate, args.scratch, [&](size_t product, const MatmulTile& tile, void* own) {
    MatmulTile second = tile;
    second.same_rows = true;
    kernel.run(buffers.gate[product], tile, own);
    kernel.run(buffers.up[product], second, own);
    for (int64_t row = tile.m0; row < tile.m1; ++row) {
      const int64_t at = row * args.inner + tile.n0;
      gate_line(buffers.gate[product].c + at, buffers.up[product].c + at, tile.n1 - tile.n0);
    }
  });
  share_tiles(pool, kernel, buffers.down, args.scratch,
              [&](size_t product, const MatmulTile& tile, void* own) { kernel.run(buffers.down[product], tile, own); });
}

/// Adds the lines of slots [slot0, slot1), each times its share, to their tokens.
void Work::add(int64_t slot0, int64_t slot1) const {
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, args.width));
  pool.run_ranges(args.tokens, grain, [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      const int64_t first = buffers.firsts[static_cast<size_t>(t)], last = buffers.firsts[static_cast<size_t>(t) + 1];
      float* const y = args.y + t * args.width;
      for (int64_t i = first; i < last; ++i) {
        const ExpertsBuffers::Slot& slot = buffers.slots[static_cast<size_t>(i)];
        if (slot.index < slot0 || slot.index >= slot1) continue;
        float* const line = buffers.lines.data() + (slot.index - slot0) * args.width;
        float* const product = i == first ? y : line;
        kernels.binary(Binary::kMul, {.cols = args.width, .a = line, .b = &slot.share, .b_col_stride = 0, .y = product},
                       0, 1);
        if (i != first) kernels.binary(Binary::kAdd, {.cols = args.width, .a = y, .b = line, .y = y}, 0, 1);
      }
    }
  });
}

}  // namespace

void experts(ThreadPool& pool, const KernelTable& kernels, const ExpertsArgs& args,
             FunctionRef<ExpertProducts(int64_t expert)> products, ExpertsBuffers* buffers) {
  const Work work{pool, kernels, args, *buffers};
  work.sort();
  for (int64_t expert = 0, end = 0; expert < args.experts; expert = end) {
    end = work.group_end(expert);
    const int64_t slot0 = buffers->begins[static_cast<size_t>(expert)];
    const int64_t slot1 = buffers->begins[static_cast<size_t>(end)];
    if (slot0 == slot1) continue;
    work.collect(slot0, slot1);
    buffers->gate.clear(), buffers->up.clear(), buffers->down.clear();
    for (int64_t e = expert; e < end; ++e) {
      const bool is_asked = buffers->begins[static_cast<size_t>(e)] < buffers->begins[static_cast<size_t>(e) + 1];
      if (is_asked) work.bind(e, slot0, products(e));
    }
    work.multiply();
    work.add(slot0, slot1);
  }
}

}  // namespace gamut::cpu
