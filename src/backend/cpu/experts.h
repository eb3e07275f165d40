// Mixtures of experts: sorts tokens by expert, multiplies each expert's tokens only, adds up what each token gets.
#pragma once

#include <cstdint>
#include <vector>

#include "backend/cpu/kernel_table.h"
#include "backend/cpu/matmul.h"
#include "base/huge_memory.h"

namespace gamut::cpu {

/// The products of one expert but for A, C and rows: gate and up [I,D], down [D,I].
struct ExpertProducts {
  MatmulArgs gate, up, down;
};

/// y [tokens,D] = sum over the experts e, rising, of shares[t,e] * expert(x [tokens,D]); see op::experts.
struct ExpertsArgs {
  int64_t tokens = 0, experts = 0, width = 0, inner = 0;
  const float* x = nullptr;
  const float* shares = nullptr;  ///< [tokens, experts]; experts whose share is 0 do not run
  float* y = nullptr;
  Unary activation = Unary::kSilu;
  float limit = 0, gain = 1;             ///< see ExpertsForm
  const MatmulKernel* kernel = nullptr;  ///< that the products are packed for
  void* scratch = nullptr;               ///< matmul_scratch_bytes of it
};

/// What one call works in; reused by later ones.
struct ExpertsBuffers {
  struct Slot {
    int64_t index;
    float share;
  };
  std::vector<int64_t> begins;             // of each expert among the slots, and the end of the last
  std::vector<int64_t> tokens;             // of each slot
  std::vector<Slot> slots;                 // token by token, experts rising
  std::vector<int64_t> firsts;             // of each token among `slots`, and the end of the last
  std::vector<MatmulArgs> gate, up, down;  // of the experts that are worked on
  HugeVector<float> lines, gates, ups;     // of the slots that are worked on: [D], [I], [I]
};

/// The same bits for any number of threads, and for a token whatever the others are. `products` gives those of an
/// expert.
void experts(ThreadPool& pool, const KernelTable& kernels, const ExpertsArgs& args,
             FunctionRef<ExpertProducts(int64_t expert)> products, ExpertsBuffers* buffers);

}  // namespace gamut::cpu
