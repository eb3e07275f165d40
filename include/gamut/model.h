// Models: opening a checkpoint folder, running raw tensors through it, and saying what it is.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "gamut/error.h"
#include "gamut/tensor.h"

namespace gamut {

/// How a model is loaded.
struct LoadOptions {
  std::string backend = "cpu";     ///< one of backends()
  std::string device;              ///< of the backend: "CPU", "GPU", "NPU", "AUTO" of openvino; empty: its first
  std::string precision = "auto";  ///< "auto" (the checkpoint's own), "f32"; "bf16", "f16" where the device has them
  int threads = 0;                 ///< below 1: as many as the process may use
  std::string instruction_set;  ///< of the cpu backend: "baseline", "avx2", "avx512", "amx"; empty: the machine's best
  std::string head;             ///< the transformers class, "BertForMaskedLM"; empty: what config.json says
  bool strict = false;          ///< an unused tensor in the checkpoint is an error
  /// Where backends that take long to compile keep what they compiled; empty: nowhere.
  std::filesystem::path cache_folder;
};

/// Names of the backends of this build, the default first.
std::vector<std::string> backends();

/// A checkpoint ready to run. Copies share one state; every method may be called from several threads at once.
class Model {
 public:
  /// Opens a folder with config.json and weights. Throws Error that names the file, tensor or value that is wrong.
  static Model open(const std::filesystem::path& folder, const LoadOptions& options = {});

  /// The transformers class that runs: "BertModel".
  const std::string& head() const;
  /// Names and dtypes of the inputs that `forward` takes, attention_mask apart.
  std::vector<std::string> input_names() const;
  /// Ids of input `name` must be below this; 0: unlimited. Throws Error{kInvalidArgument} for an unknown name.
  int64_t input_limit(const std::string& name) const;
  /// What it computes in, as the device says: "f32", "bf16", "f16".
  std::string precision() const;
  /// The longest row of tokens that the model takes; 0: unlimited.
  int64_t max_length() const;

  /// Raw tensors in and out, named as the transformers class names them: integer inputs [batch, sequence] with
  /// attention_mask of 0 and 1 (all 1 when absent) and, when absent, token_type_ids 0 and position_ids counted per row
  /// over the mask. Results F32; masked places are zeros. Throws Error{kInvalidArgument} that names the input.
  NamedTensors forward(const NamedTensors& inputs) const;

  struct State;

 private:
  explicit Model(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

/// What `gamut info` says. Nothing is loaded to find it out but the checkpoint's header.
struct ModelInfo {
  std::string model_type;
  std::string head;
  std::vector<std::string> heads;  ///< all that the model type has
  std::vector<std::string> tasks;  ///< that `gamut run` can do with it
  std::string default_task;
  int64_t parameters = 0;
  int64_t file_bytes = 0;
  std::map<std::string, int64_t> dtypes;  ///< tensors by dtype
  int64_t max_length = 0;                 ///< the longest row that can be computed; 0: any
  int64_t context = 0;  ///< the longest text that a language model was made for; 0: the config says none
  int64_t vocabulary = 0;
  bool is_generator = false;       ///< keeps states between steps
  bool has_chat_template = false;  ///< `gamut chat` works
  int64_t token_state_bytes = 0;  ///< of a language model: memory that each token of a text takes while it is generated
  int64_t text_state_bytes = 0;   ///< and each text, however long: recurrent states, full windows
  std::string note;               ///< what of the model is not there; empty: all is
  bool packs_rows = false;        ///< ragged batches run without padding
  std::map<std::string, int64_t> memory_bytes;  ///< predicted peak by precision, for one row of `memory_tokens`
  int64_t memory_tokens = 0;
  int64_t available_bytes = 0;  ///< of this machine, control-group limit respected
  std::vector<std::string> unused_tensors;
  std::vector<std::string> warnings;
};

/// Describes a checkpoint folder. Throws what Model::open throws for its config and header.
ModelInfo inspect(const std::filesystem::path& folder, const LoadOptions& options = {});

/// A readable dump of the graphs that the folder's model records.
std::string dump_graphs(const std::filesystem::path& folder, const LoadOptions& options = {});

/// Reads all tensors of a safetensors file.
NamedTensors read_tensors(const std::filesystem::path& file);
/// Writes a safetensors file; it appears under its name only when complete.
void write_tensors(const std::filesystem::path& file, const NamedTensors& tensors);

/// One line of `gamut models`: a model type and head, and what the parity cases of this build's source showed.
struct SupportedModel {
  std::string model_type;
  std::string head;
  std::string note;  ///< what of the model is not there: "text part only"
  std::vector<std::string> tasks;
  int cases = 0;                              ///< parity cases that passed
  std::map<std::string, std::string> errors;  ///< by backend and precision ("cpu f32"): the largest error, as "<=1e-06"
};

/// Every architecture and head with its evidence; one without evidence is left out.
std::vector<SupportedModel> supported_models();

}  // namespace gamut
