// The contract of a backend: whole graphs are compiled against a checkpoint and run with bound inputs.
#pragma once

#include <memory>
#include <string>

#include "checkpoint/checkpoint.h"
#include "graph/graph.h"

namespace gamut {

/// What weights and matmul inputs are rounded to; accumulation is always f32.
enum class Precision { kAuto, kF32 };

/// "auto", "f32". Throws Error{kUnsupported} for another name, with the list.
Precision parse_precision(const std::string& name);
const char* precision_name(Precision precision);

struct CompileOptions {
  Precision precision = Precision::kAuto;
  /// Threads that a run may use, the caller's included; below 1: as many as the process may use.
  int threads = 0;
  /// The instruction set of the CPU kernels ("baseline", "avx2", "avx512"); empty: the best of the machine.
  std::string instruction_set;
};

/// A compiled graph. `run` may be called from several threads at once.
class Executable {
 public:
  virtual ~Executable() = default;

  /// Runs the graph. `inputs` by name, with the declared dtypes and shapes; the result holds the graph's outputs.
  /// Throws Error{kInvalidArgument} when they do not fit, before any work.
  virtual NamedTensors run(const NamedTensors& inputs) const = 0;

  /// Bytes of intermediate values in a run with these symbols.
  virtual size_t planned_bytes(const SymbolValues& symbols) const = 0;

  /// Bytes of weights that the executable holds beside the checkpoint's map.
  virtual size_t weight_bytes() const = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;

  virtual std::string name() const = 0;
  /// True when the backend runs the node directly; composed nodes that it does not are decomposed.
  virtual bool supports(const Node& node) const = 0;
  /// Compiles a graph whose weights come from `checkpoint`, which must outlive nothing: what is needed is kept.
  /// Throws Error{kUnsupported} that names an operator it cannot run even after decomposition.
  virtual std::unique_ptr<Executable> compile(const Graph& graph, std::shared_ptr<const Checkpoint> checkpoint,
                                              const CompileOptions& options) const = 0;
};

/// The backends of this build, the default first.
std::vector<std::string> backend_names();
/// Throws Error{kUnsupported} with the list when there is none of that name.
const Backend& find_backend(const std::string& name);

}  // namespace gamut
