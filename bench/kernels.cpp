// bench_kernels [--isa baseline|avx2|avx512|amx] [--threads T] [--only GROUP]: the CPU kernels against the multiply-add
// peak measured in the same run.
//
// Every figure is the best of several short runs, and the peak is measured anew beside each: on a shared machine only
// the ratio says something.
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "backend/cpu/attention.h"
#include "backend/cpu/experts.h"
#include "backend/cpu/kernel_table.h"
#include "backend/cpu/matmul.h"
#include "base/cpu_info.h"
#include "base/thread_pool.h"

namespace gamut::cpu {
namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/// A buffer of floats on a 64-byte boundary, filled with small numbers of both signs.
class Buffer {
 public:
  explicit Buffer(int64_t count) : data_(static_cast<float*>(std::aligned_alloc(64, bytes(count)))) {
    uint32_t state = 12345;
    for (int64_t i = 0; i < count; ++i) {
      state = state * 1664525u + 1013904223u;
      data_.get()[i] = static_cast<float>(static_cast<int32_t>(state)) * 0x1p-32f;
    }
  }
  float* get() { return data_.get(); }

 private:
  static size_t bytes(int64_t count) { return (static_cast<size_t>(count) * 4 + 127) / 64 * 64; }
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  std::unique_ptr<float[], Free> data_;
};

/// GF/s of `threads` threads running the peak loop at the same time. A processor that sleeps needs milliseconds to come
/// in a virtual machine, and until then the caller runs all tasks.
double measure_peak(const KernelTable& kernels, ThreadPool& pool) {
  double best = 0;
  for (const double end = now() + 0.02; now() < end;) {
    std::vector<double> operations(static_cast<size_t>(pool.size()));
    const double start = now();
    pool.run(pool.size(), [&](int64_t task, int) { operations[static_cast<size_t>(task)] = kernels.peak_loop(2000); });
    const double seconds = now() - start;
    double sum = 0;
    for (double o : operations) sum += o;
    best = std::max(best, sum / seconds * 1e-9);
  }
  return best;
}

/// The shortest time of one call, over at least 0.3 s.
double best_seconds(const std::function<void()>& call) {
  call();
  double best = 1e9;
  for (double total = 0; total < 0.3;) {
    const double start = now();
    call();
    const double seconds = now() - start;
    best = std::min(best, seconds);
    total += seconds;
  }
  return best;
}

struct Context {
  const KernelTable& kernels;
  ThreadPool& pool;
};

struct Product {
  int64_t m, n, k;
};

void bench_matmul(const Context& c, const Product& size, Unary activation, bool packed) {
  const auto& [m, n, k] = size;
  const MatmulKernel& kernel = c.kernels.matmul_f32;
  Buffer a(m * k), w(n * k), out(m * n), bias(n),
      scratch(static_cast<int64_t>(matmul_scratch_bytes(kernel, c.pool.size()) / 4));
  Buffer panels(static_cast<int64_t>(kernel.packed_bytes(n, k) / 4));
  pack_weight(c.pool, kernel, {.n = n, .k = k, .data = w.get(), .n_stride = k, .k_stride = 1, .packed = panels.get()});
  MatmulArgs args{.m = m, .n = n, .k = k, .a = a.get(), .a_stride = k, .c = out.get(), .c_stride = n};
  if (packed) {
    args.packed = panels.get();
  } else {
    args.w = w.get(), args.w_n_stride = k, args.w_k_stride = 1;
  }
  args.epilogue = {.bias = bias.get(), .activation = activation};
  const double before = measure_peak(c.kernels, c.pool);
  const double seconds = best_seconds([&] { matmul(c.pool, kernel, args, scratch.get()); });
  const double peak = std::max(before, measure_peak(c.kernels, c.pool));
  const double rate = 2e-9 * static_cast<double>(m * n * k) / seconds;
  fmt::print("matmul {} M={} N={} K={}{}: {:.3f} ms, {:.1f} GF/s, {:.1f} % of {:.1f}, weights {:.1f} GB/s\n",
             packed ? "packed" : "dynamic", m, n, k, activation == Unary::kGeluErf ? " gelu" : "", seconds * 1e3, rate,
             100 * rate / peak, peak, 4e-9 * static_cast<double>(n * k) / seconds);
}

struct Sequences {
  int64_t rows, length, heads, dim;
};

void bench_attention(const Context& c, const Sequences& size, bool causal) {
  const auto& [rows, length, heads, dim] = size;
  const int64_t tokens = rows * length, width = heads * dim;
  Buffer qkv(tokens * width * 3), out(tokens * width);
  Buffer scratch(static_cast<int64_t>(attention_scratch_bytes(c.kernels, dim, dim, c.pool.size()) / 4));
  std::vector<int64_t> offsets;
  for (int64_t r = 0; r <= rows; ++r) offsets.push_back(r * length);
  AttentionArgs args{.q = qkv.get(), .k = qkv.get() + width, .v = qkv.get() + 2 * width, .out = out.get()};
  args.q_token_stride = args.k_token_stride = args.v_token_stride = 3 * width, args.out_token_stride = width;
  args.q_head_stride = args.k_head_stride = args.v_head_stride = args.out_head_stride = dim;
  args.heads = args.kv_heads = heads, args.head_dim = args.value_dim = dim, args.scale = 0.125f;
  args.rows = rows, args.q_offsets = args.kv_offsets = offsets.data(), args.window_right = causal ? 0 : -1;
  const double seconds = best_seconds([&] { attention(c.pool, c.kernels, args, scratch.get()); });
  const double peak = measure_peak(c.kernels, c.pool);
  const double rate = 4e-9 * static_cast<double>(rows * heads * length * length * dim) / seconds / (causal ? 2 : 1);
  fmt::print("attention rows={} S={} heads={} D={}{}: {:.3f} ms, {:.1f} GF/s, {:.1f} % of {:.1f}\n", rows, length,
             heads, dim, causal ? " causal" : "", seconds * 1e3, rate, 100 * rate / peak, peak);
}

struct MixtureSize {
  int64_t tokens, experts, width, inner;
};

/// Two experts for each token, evenly; without the router.
void bench_experts(const Context& c, const MixtureSize& size) {
  const auto& [tokens, count, width, inner] = size;
  const MatmulKernel& kernel = c.kernels.matmul_f32;
  Buffer x(tokens * width), y(tokens * width), w(inner * width);
  Buffer scratch(static_cast<int64_t>(matmul_scratch_bytes(kernel, c.pool.size()) / 4));
  std::vector<Buffer> packed;
  auto pack = [&](int64_t n, int64_t k) {
    Buffer& to = packed.emplace_back(static_cast<int64_t>(kernel.packed_bytes(n, k) / 4));
    pack_weight(c.pool, kernel, {.n = n, .k = k, .data = w.get(), .n_stride = k, .k_stride = 1, .packed = to.get()});
    return MatmulArgs{.n = n, .k = k, .packed = to.get()};
  };
  std::vector<ExpertProducts> products;
  for (int64_t e = 0; e < count; ++e) products.push_back({pack(inner, width), pack(inner, width), pack(width, inner)});
  std::vector<float> shares(static_cast<size_t>(tokens * count), 0.0f);
  for (int64_t t = 0; t < tokens; ++t) {
    for (int64_t n : {0, 1}) shares[static_cast<size_t>(t * count + (t + n * (1 + t % 3)) % count)] = 0.5f;
  }
  ExpertsArgs args{.tokens = tokens, .experts = count, .width = width, .inner = inner, .x = x.get()};
  args.shares = shares.data(), args.y = y.get(), args.scratch = scratch.get(), args.kernel = &kernel;
  ExpertsBuffers buffers;
  const double seconds = best_seconds([&] {
    experts(
        c.pool, c.kernels, args, [&](int64_t e) { return products[static_cast<size_t>(e)]; }, &buffers);
  });
  fmt::print("experts tokens={} E={} D={} I={}: {:.3f} ms, {:.1f} GF/s\n", tokens, count, width, inner, seconds * 1e3,
             12e-9 * static_cast<double>(tokens * width * inner) / seconds);
}

void bench_rows(const Context& c, int64_t rows, int64_t cols) {
  Buffer x(rows * cols), r(rows * cols), y(rows * cols), w(cols), b(cols);
  const NormArgs norm{.cols = cols,
                      .x = x.get(),
                      .x_stride = cols,
                      .weight = w.get(),
                      .bias = b.get(),
                      .y = y.get(),
                      .y_stride = cols,
                      .eps = 1e-5f};
  const auto report = [&](const char* what, double bytes, const std::function<void()>& call) {
    const double seconds = best_seconds(call);
    fmt::print("{} [{}, {}]: {:.1f} us, {:.1f} GB/s, {:.2f} ns/element\n", what, rows, cols, seconds * 1e6,
               bytes * 1e-9 / seconds, seconds * 1e9 / static_cast<double>(rows * cols));
  };
  const double size = 4.0 * static_cast<double>(rows * cols);
  const auto ranges = [&](auto&& f) { c.pool.run_ranges(rows, 8, f); };
  report("layer_norm", 2 * size, [&] { ranges([&](int64_t i, int64_t j) { c.kernels.layer_norm(norm, i, j); }); });
  NormArgs with = norm;
  with.residual = r.get(), with.residual_stride = cols;
  report("layer_norm + residual", 3 * size,
         [&] { ranges([&](int64_t i, int64_t j) { c.kernels.layer_norm(with, i, j); }); });
  report("rms_norm", 2 * size, [&] { ranges([&](int64_t i, int64_t j) { c.kernels.rms_norm(norm, i, j); }); });
  const SoftmaxArgs soft{.cols = cols, .x = x.get(), .x_stride = cols, .y = y.get(), .y_stride = cols};
  report("softmax", 2 * size, [&] { ranges([&](int64_t i, int64_t j) { c.kernels.softmax(soft, i, j); }); });
  for (auto [name, kind] : std::initializer_list<std::pair<const char*, Unary>>{{"exp", Unary::kExp},
                                                                                {"tanh", Unary::kTanh},
                                                                                {"gelu_erf", Unary::kGeluErf},
                                                                                {"gelu_tanh", Unary::kGeluTanh},
                                                                                {"silu", Unary::kSilu}}) {
    report(name, 2 * size, [&, kind = kind] {
      ranges(
          [&](int64_t i, int64_t j) { c.kernels.unary(kind, x.get() + i * cols, y.get() + i * cols, (j - i) * cols); });
    });
  }
}

void bench_fork_join(ThreadPool& pool) {
  constexpr int kCalls = 2000;
  double best = 1e9;
  for (int run = 0; run < 20; ++run) {
    const double start = now();
    for (int i = 0; i < kCalls; ++i) pool.run(pool.size(), [](int64_t, int) {});
    best = std::min(best, (now() - start) / kCalls);
  }
  fmt::print("empty loop of {} tasks: {:.2f} us\n", pool.size(), best * 1e6);
  // The caller alone may finish empty tasks before a worker wakes; here every thread has to come.
  std::vector<double> times;
  for (int run = 0; run < kCalls; ++run) {
    std::atomic<int> arrived{0};
    const double start = now();
    pool.run(pool.size(), [&](int64_t, int) {
      ++arrived;
      while (arrived.load() < pool.size()) {
      }
    });
    times.push_back(now() - start);
  }
  std::sort(times.begin(), times.end());
  fmt::print("fork/join in which all {} threads meet: {:.2f} us least, {:.2f} us median\n", pool.size(), times[0] * 1e6,
             times[times.size() / 2] * 1e6);
}

int run(std::span<char*> arguments) {
  Isa isa = best_isa();
  int threads = 0;
  std::string_view only;
  for (size_t i = 1; i + 1 < arguments.size(); i += 2) {
    const std::string_view name = arguments[i], value = arguments[i + 1];
    if (name == "--only") only = value;
    if (name == "--threads") threads = std::atoi(arguments[i + 1]);
    for (Isa candidate : {Isa::kBaseline, Isa::kAvx2, Isa::kAvx512, Isa::kAmx}) {
      if (name == "--isa" && value == isa_name(candidate)) isa = candidate;
    }
  }
  ThreadPool pool(threads);
  const Context c{kernel_table(isa), pool};
  fmt::print("{}, {} threads of {} cores, peak {:.1f} GF/s\n", isa_name(isa), pool.size(), cpu_info().cores,
             measure_peak(c.kernels, pool));
  const auto wanted = [&](std::string_view group) { return only.empty() || only == group; };
  if (wanted("fork_join")) bench_fork_join(pool);
  if (wanted("large")) {
    bench_matmul(c, {512, 3072, 768}, Unary::kIdentity, true);
    bench_matmul(c, {128, 768, 768}, Unary::kIdentity, true);
    bench_matmul(c, {128, 2304, 768}, Unary::kIdentity, true);
    bench_matmul(c, {128, 3072, 768}, Unary::kIdentity, true);
    bench_matmul(c, {128, 3072, 768}, Unary::kGeluErf, true);
    bench_matmul(c, {128, 768, 3072}, Unary::kIdentity, true);
  }
  if (wanted("long")) {
    bench_matmul(c, {8192, 384, 384}, Unary::kIdentity, true);
    bench_matmul(c, {8192, 1536, 384}, Unary::kGeluErf, true);
    bench_matmul(c, {8192, 384, 1536}, Unary::kIdentity, true);
  }
  for (int64_t m : {32, 16, 8, 4, 2, 1}) {
    if (!wanted("small")) break;
    bench_matmul(c, {m, 768, 768}, Unary::kIdentity, true);
    bench_matmul(c, {m, 3072, 768}, Unary::kIdentity, true);
    bench_matmul(c, {m, 768, 3072}, Unary::kIdentity, true);
  }
  if (wanted("dynamic")) {
    bench_matmul(c, {128, 768, 768}, Unary::kIdentity, false);
    bench_matmul(c, {512, 512, 64}, Unary::kIdentity, false);
  }
  if (wanted("attention")) {
    bench_attention(c, {1, 128, 12, 64}, false);
    bench_attention(c, {8, 128, 12, 64}, false);
    bench_attention(c, {32, 20, 12, 32}, false);
    bench_attention(c, {32, 180, 12, 32}, false);
    bench_attention(c, {1, 2048, 12, 64}, false);
    bench_attention(c, {1, 2048, 12, 64}, true);
  }
  for (int64_t tokens : {128, 1}) {
    if (wanted("experts")) bench_experts(c, {tokens, 8, 1024, 2048});
  }
  if (wanted("rows")) bench_rows(c, 128, 768);
  return 0;
}

}  // namespace
}  // namespace gamut::cpu

int main(int argc, char** argv) { return gamut::cpu::run({argv, static_cast<size_t>(argc)}); }
