// The contract of a backend: whole graphs are compiled against a checkpoint and run with bound inputs.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "backend/state.h"
#include "checkpoint/checkpoint.h"
#include "graph/graph.h"

namespace gamut {

/// What weights and matmul inputs are rounded to; accumulation is always f32.
enum class Precision { kAuto, kF32, kBf16, kF16 };

/// "auto", "f32", "bf16", "f16". Throws Error{kUnsupported} for another name, with the list.
Precision parse_precision(const std::string& name);
const char* precision_name(Precision precision);

struct CompileOptions {
  /// What messages call the model; empty: the graph's name.
  std::string model;
  Precision precision = Precision::kAuto;
  /// Threads that a run may use, the caller's included; below 1: as many as the process may use.
  int threads = 0;
  /// The instruction set of the CPU kernels ("baseline", "avx2", "avx512"); empty: the best of the machine.
  std::string instruction_set;
  /// One of the backend's devices; empty: its first.
  std::string device;
  /// Where compiled graphs are kept from one process to the next, by backends that take long to compile; empty:
  /// nowhere.
  std::filesystem::path cache_folder;
};

/// What a backend is on this machine; every field is what a probe found.
struct BackendInfo {
  std::string version;
  std::vector<std::string> devices;       ///< names that CompileOptions::device takes, the default first
  std::vector<std::string> descriptions;  ///< of the devices, in the same order
  std::vector<Precision> precisions;      ///< that the first device computes in
};

/// A compiled graph. `run` may be called from several threads at once.
class Executable {
 public:
  virtual ~Executable() = default;

  /// Runs the graph. `inputs` by name, with the declared dtypes and shapes; the result holds the graph's outputs. With
  /// states, which Backend::make_state of the same backend made, operators that have one go on from it; whoever calls
  /// then advances the sequences. Throws Error{kInvalidArgument} when inputs do not fit, before any work.
  virtual NamedTensors run(const NamedTensors& inputs, const StateRun& states) const = 0;
  NamedTensors run(const NamedTensors& inputs) const { return run(inputs, {}); }

  /// What it computes in: kAuto has become one of the others.
  virtual Precision precision() const = 0;

  /// Bytes of intermediate values in a run with these symbols.
  virtual size_t planned_bytes(const SymbolValues& symbols) const = 0;

  /// Bytes of weights that the executable holds beside the checkpoint's map.
  virtual size_t weight_bytes() const = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::string name() const = 0;
  /// Asks the engine what it is and which devices it sees.
  virtual BackendInfo probe() const = 0;
  /// True when rows of different length run packed [1,T] without work between them; such runs then are packed where the
  /// graph allows it. False: padded runs cost less.
  virtual bool prefers_packed_rows() const = 0;
  /// About so many packed tokens are best computed at a time, many more as several runs; 0: as many as there are.
  virtual int64_t tokens_per_run() const { return 0; }
  /// True when the backend runs the node directly; composed nodes that it does not are decomposed.
  virtual bool supports(const Node& node) const = 0;
  /// Compiles a graph whose weights come from `checkpoint`, which must outlive nothing: what is needed is kept.
  /// Throws Error{kUnsupported} that names an operator it cannot run even after decomposition.
  virtual std::unique_ptr<Executable> compile(const Graph& graph, std::shared_ptr<const Checkpoint> checkpoint,
                                              const CompileOptions& options) const = 0;
  /// Memory for the states of a program's sequences, at most `budget` bytes. Throws Error{kUnsupported} where the
  /// backend has none.
  virtual std::unique_ptr<State> make_state(const std::vector<StateSpec>& specs, size_t budget) const = 0;
};

/// The backends that can be used here, the default first.
std::vector<std::string> backend_names();
/// Throws Error{kUnsupported} with the list when there is none of that name, or with the reason and a hint when there
/// is one that cannot be used here.
const Backend& find_backend(const std::string& name);

/// A backend that gamut knows, usable here or not.
struct BackendStatus {
  std::string name;
  const Backend* backend = nullptr;  ///< null when it cannot be used
  std::string problem;               ///< why not
  std::string install;               ///< what would make it usable
};
std::vector<BackendStatus> backend_statuses();

/// Throws Error{kUnsupported} when `options` ask for a device or a precision that the backend's probe does not name.
void require_plain_options(const Backend& backend, const CompileOptions& options);

}  // namespace gamut
