#include "runtime/session.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "graph/op_schema.h"
#include "graph/verifier.h"

namespace gamut {
namespace {

constexpr const char* kEncode = "encode";
constexpr const char* kMask = "attention_mask";

/// An integer input of any integer dtype as I64.
Tensor to_i64(const std::string& name, const Tensor& tensor) {
  if (tensor.dtype() == DType::kI64) return tensor;
  Tensor out = Tensor::allocate(DType::kI64, tensor.dims());
  auto values = out.mutable_i64();
  auto convert = [&]<typename T>(const T* from) { std::copy_n(from, values.size(), values.begin()); };
  switch (tensor.dtype()) {
    case DType::kI32: convert(static_cast<const int32_t*>(tensor.data())); return out;
    case DType::kU8:
    case DType::kBool: convert(static_cast<const uint8_t*>(tensor.data())); return out;
    default: break;
  }
  fail(ErrorCode::kInvalidArgument, "input {}: dtype {}, expected I64 or I32", name, dtype_name(tensor.dtype()));
}

/// The element of a [B or 1, S or 1] tensor at (b, s).
int64_t at(const Tensor& tensor, int64_t b, int64_t s) {
  return tensor.i64()[(tensor.dim(0) == 1 ? 0 : b) * tensor.dim(1) + (tensor.dim(1) == 1 ? 0 : s)];
}

}  // namespace

/// Token inputs as flat vectors in row order, before they are laid out on a grid.
struct Session::Request {
  std::vector<int64_t> lengths;
  std::map<std::string, std::vector<int64_t>> tokens;
};

Session::Session(Program program, std::shared_ptr<const Checkpoint> checkpoint, const Backend& backend,
                 const CompileOptions& options, RowLayout layout)
    : program_(std::move(program)) {
  const Graph& graph = program_.graph(kEncode);
  packed_ = layout == RowLayout::kAuto && why_not_packable(graph).empty();
  executable_ = backend.compile(graph, std::move(checkpoint), options);
}

size_t Session::planned_bytes(int64_t rows, int64_t length) const {
  const std::vector<int64_t> lengths(static_cast<size_t>(rows), length);
  return executable_->planned_bytes((packed_ ? RowTable::packed(lengths) : RowTable::padded(lengths)).symbols());
}

/// Lays the request out, runs it, and returns results per token as [T,…] in row order.
NamedTensors Session::run(Request& request) const {
  for (size_t n = 0; n < request.lengths.size(); ++n) {
    if (program_.max_length > 0 && request.lengths[n] > program_.max_length &&
        request.tokens.count("position_ids") == 0) {
      fail(ErrorCode::kInvalidArgument, "row {} has {} tokens, the model takes at most {}", n, request.lengths[n],
           program_.max_length);
    }
  }
  const RowTable rows = packed_ ? RowTable::packed(request.lengths) : RowTable::padded(request.lengths);
  NamedTensors bound{{"rows", rows.to_tensor()}};
  for (const ProgramInput& input : program_.inputs) {
    auto given = request.tokens.find(input.name);
    if (given == request.tokens.end()) continue;
    Tensor grid = Tensor::allocate(DType::kI64, {rows.batch, rows.sequence});
    std::ranges::fill(grid.mutable_i64(), 0);
    const int64_t* from = given->second.data();
    for (const RowTable::Row& row : rows.rows) {
      std::copy_n(from, row.length, grid.mutable_i64().begin() + row.start);
      from += row.length;
    }
    bound[input.name] = grid;
  }
  for (const ProgramInput& input : program_.inputs) {
    if (bound.count(input.name) > 0) continue;
    if (!input.fill) fail(ErrorCode::kInvalidArgument, "input {} is missing", input.name);
    bound[input.name] = input.fill(bound, rows);
  }
  NamedTensors results = executable_->run(bound);
  if (packed_) {
    for (const ProgramOutput& output : program_.outputs) {
      if (!output.per_token) continue;
      Tensor& result = results.at(output.name);
      result = result.reshaped(Dims(result.dims().begin() + 1, result.dims().end()));
    }
    return results;
  }
  for (const ProgramOutput& output : program_.outputs) {
    if (!output.per_token) continue;
    const Tensor padded = results.at(output.name);
    Dims dims(padded.dims().begin() + 1, padded.dims().end());
    dims[0] = 0;
    for (int64_t length : request.lengths) dims[0] += length;
    Tensor flat = Tensor::allocate(padded.dtype(), dims);
    const size_t token = padded.count() == 0 ? 0 : padded.bytes() / static_cast<size_t>(rows.tokens());
    char* to = static_cast<char*>(flat.mutable_data());
    for (const RowTable::Row& row : rows.rows) {
      if (row.length == 0) continue;
      std::memcpy(to, static_cast<const char*>(padded.data()) + row.start * token, row.length * token);
      to += row.length * token;
    }
    results[output.name] = flat;
  }
  return results;
}

NamedTensors Session::run_rows(const std::map<std::string, std::vector<std::vector<int64_t>>>& inputs) const {
  Request request;
  for (const auto& [name, rows] : inputs) {
    std::vector<int64_t>& flat = request.tokens[name];
    for (const auto& row : rows) flat.insert(flat.end(), row.begin(), row.end());
    std::vector<int64_t> lengths;
    for (const auto& row : rows) lengths.push_back(static_cast<int64_t>(row.size()));
    if (request.lengths.empty()) request.lengths = lengths;
    if (lengths != request.lengths) fail(ErrorCode::kInvalidArgument, "input {}: its rows have other lengths", name);
  }
  for (const ProgramInput& input : program_.inputs) {
    auto given = request.tokens.find(input.name);
    if (given == request.tokens.end() || input.limit == 0) continue;
    for (int64_t id : given->second) {
      if (id < 0 || id >= input.limit) {
        fail(ErrorCode::kInvalidArgument, "input {}: {} is outside [0, {})", input.name, id, input.limit);
      }
    }
  }
  return run(request);
}

NamedTensors Session::forward(const NamedTensors& inputs) const {
  // Which inputs there are, and the batch they describe together.
  NamedTensors given;
  int64_t batch = 1, sequence = 1;
  std::string known = kMask;
  for (const ProgramInput& input : program_.inputs) {
    if (input.per_token) known += ", " + input.name;
  }
  for (const auto& [name, tensor] : inputs) {
    const bool is_input =
        std::ranges::any_of(program_.inputs, [&](const ProgramInput& i) { return i.per_token && i.name == name; });
    if (!is_input && name != kMask) {
      fail(ErrorCode::kInvalidArgument, "input {} is unknown to {}; expected some of: {}", name, program_.head, known);
    }
    if (tensor.dims().size() != 2) {
      fail(ErrorCode::kInvalidArgument, "input {}: shape {}, expected [batch, sequence]", name,
           to_string(tensor.dims()));
    }
    given[name] = to_i64(name, tensor);
  }
  if (given.count("input_ids") == 0) fail(ErrorCode::kInvalidArgument, "input input_ids is missing");
  batch = given["input_ids"].dim(0), sequence = given["input_ids"].dim(1);
  for (const auto& [name, tensor] : given) {
    if ((tensor.dim(0) != batch && tensor.dim(0) != 1) || (tensor.dim(1) != sequence && tensor.dim(1) != 1)) {
      fail(ErrorCode::kInvalidArgument, "input {}: shape {}, expected {} as input_ids has", name,
           to_string(tensor.dims()), to_string(Dims{batch, sequence}));
    }
  }
  // Masked places leave: what runs is each row's tokens alone.
  const bool has_mask = given.count(kMask) > 0;
  std::vector<std::pair<int64_t, int64_t>> places;
  Request request;
  request.lengths.assign(static_cast<size_t>(batch), 0);
  for (int64_t b = 0; b < batch; ++b) {
    for (int64_t s = 0; s < sequence; ++s) {
      const int64_t visible = has_mask ? at(given[kMask], b, s) : 1;
      if (visible != 0 && visible != 1) {
        fail(ErrorCode::kInvalidArgument, "input attention_mask: {} at [{},{}], expected 0 or 1", visible, b, s);
      }
      if (visible == 1) places.emplace_back(b, s), ++request.lengths[static_cast<size_t>(b)];
    }
  }
  for (const ProgramInput& input : program_.inputs) {
    auto tensor = given.find(input.name);
    if (tensor == given.end()) continue;
    std::vector<int64_t>& flat = request.tokens[input.name];
    flat.reserve(places.size());
    for (const auto& [b, s] : places) {
      const int64_t id = at(tensor->second, b, s);
      if (input.limit > 0 && (id < 0 || id >= input.limit)) {
        fail(ErrorCode::kInvalidArgument, "input {}: {} at [{},{}] is outside [0, {})", input.name, id, b, s,
             input.limit);
      }
      flat.push_back(id);
    }
  }
  NamedTensors results = run(request);
  for (const ProgramOutput& output : program_.outputs) {
    if (!output.per_token) continue;
    const Tensor flat = results.at(output.name);
    Dims dims{batch, sequence};
    dims.insert(dims.end(), flat.dims().begin() + 1, flat.dims().end());
    Tensor grid = Tensor::allocate(flat.dtype(), dims);
    if (grid.bytes() > 0) std::memset(grid.mutable_data(), 0, grid.bytes());
    const size_t token = places.empty() ? 0 : flat.bytes() / places.size();
    for (size_t i = 0; i < places.size(); ++i) {
      const auto [b, s] = places[i];
      std::memcpy(static_cast<char*>(grid.mutable_data()) + (b * sequence + s) * token,
                  static_cast<const char*>(flat.data()) + i * token, token);
    }
    results[output.name] = grid;
  }
  return results;
}

}  // namespace gamut
