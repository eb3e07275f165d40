// A compiled program ready to run: fills and checks inputs, moves rows onto a grid and results back.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "backend/backend.h"
#include "graph/program.h"

namespace gamut {

/// How rows of different length share a run.
enum class RowLayout {
  kAuto,    // packed when the graph allows it and the backend prefers it
  kPacked,  // packed when the graph allows it
  kPadded,  // one grid line per row
};

/// A program compiled for one backend. All functions may be called from several threads at once.
class Session {
 public:
  /// Compiles every graph of the program. Throws what Backend::compile throws.
  Session(Program program, std::shared_ptr<const Checkpoint> checkpoint, const Backend& backend,
          const CompileOptions& options, RowLayout layout = RowLayout::kAuto);

  const Program& program() const { return program_; }

  /// Runs on tensors named as the transformers class names them: token inputs [B,S] (I64 or I32, B or S may be 1 to
  /// broadcast), attention_mask [B,S] of 0 and 1 with any layout of its ones. Masked places of the results are zeros.
  /// Throws Error{kInvalidArgument} that names the input for anything that does not fit.
  NamedTensors forward(const NamedTensors& inputs) const;

  /// Runs rows of tokens: each input as one vector per row, all rows of one index equally long. Results per token come
  /// as [T,…] with the rows end to end, results per row as [N,…]. Throws Error{kInvalidArgument} as `forward` does.
  NamedTensors run_rows(const std::map<std::string, std::vector<std::vector<int64_t>>>& inputs) const;

  /// The ids of a request as `forward` reads and checks it, as I64 [B,S] and as rows without the masked places.
  struct TokenRows {
    Tensor ids;
    std::vector<std::vector<int64_t>> rows;
  };
  TokenRows token_rows(const NamedTensors& inputs) const;

  /// Memory of at most `budget` bytes for the sequences of `step`. Throws Error{kUnsupported} for a program or a
  /// backend that keeps none.
  std::unique_ptr<State> make_state(size_t budget) const;

  /// Whose results `step` returns, of a program that can take them of some tokens only.
  enum class Wanted { kAll, kLast };

  /// Appends each row's tokens (ids, at least one) to its sequence of `state`, all of them different, and runs them
  /// there. Results as run_rows has them; of the last tokens alone: as [N,…]. Throws Error{kResourceLimit} when the
  /// state is full and Error{kInvalidArgument} for ids or lengths that do not fit: then nothing was appended.
  NamedTensors step(const std::vector<std::vector<int64_t>>& tokens, State& state, std::span<const int64_t> sequences,
                    Wanted wanted) const;

  /// Bytes of intermediate values for `rows` rows of `length` tokens.
  size_t planned_bytes(int64_t rows, int64_t length) const;
  /// What the program computes in.
  Precision precision() const { return executable_->precision(); }
  /// Bytes of weights held beside the checkpoint's map.
  size_t weight_bytes() const { return executable_->weight_bytes(); }

 private:
  struct Request;
  void require_known(const std::string& name, const std::string& also) const;
  NamedTensors read_inputs(const NamedTensors& inputs) const;
  Request compact(const NamedTensors& given) const;
  void check(const Request& request) const;
  NamedTensors bind(const Request& request, const RowTable& rows) const;
  std::vector<size_t> cut(const std::vector<int64_t>& lengths) const;
  NamedTensors run(const Request& request) const;
  NamedTensors run_part(const Request& request) const;

  Program program_;
  const Backend* backend_ = nullptr;
  std::unique_ptr<Executable> executable_;
  bool can_pack_ = false, packed_ = false;
  int64_t tokens_per_run_ = 0;  // 0: no limit
};

}  // namespace gamut
