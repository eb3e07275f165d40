#include "runtime/session.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "graph/op_schema.h"
#include "graph/verifier.h"

namespace gamut {
namespace {

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

/// The rows of a grid [B,S,…] end to end: [T,…]. A packed grid is that already.
Tensor flatten(const Tensor& grid, const RowTable& rows) {
  Dims dims(grid.dims().begin() + 1, grid.dims().end());
  dims[0] = 0;
  for (const RowTable::Row& row : rows.rows) dims[0] += row.length;
  if (dims[0] == rows.tokens()) return grid.reshaped(dims);
  Tensor flat = Tensor::allocate(grid.dtype(), dims);
  const size_t token = grid.bytes() / static_cast<size_t>(rows.tokens());
  char* to = static_cast<char*>(flat.mutable_data());
  for (const RowTable::Row& row : rows.rows) {
    const size_t bytes = static_cast<size_t>(row.length) * token;
    if (bytes > 0)
      std::memcpy(to, static_cast<const char*>(grid.data()) + static_cast<size_t>(row.start) * token, bytes);
    to += bytes;
  }
  return flat;
}

/// The place of each row's last token.
Tensor last_places(const RowTable& rows) {
  Tensor places = Tensor::allocate(DType::kI64, {static_cast<int64_t>(rows.rows.size())});
  for (size_t n = 0; n < rows.rows.size(); ++n) {
    places.mutable_i64()[n] = rows.rows[n].start + rows.rows[n].length - 1;
  }
  return places;
}

/// The element of a [B or 1, S or 1] tensor at (b, s).
int64_t at(const Tensor& tensor, int64_t b, int64_t s) {
  return tensor.i64()[(tensor.dim(0) == 1 ? 0 : b) * tensor.dim(1) + (tensor.dim(1) == 1 ? 0 : s)];
}

bool is_per_token(const Program& program, const std::string& output) {
  return std::ranges::any_of(
      program.outputs, [&](const ProgramOutput& known) { return known.name == output && known.lines != Lines::kRows; });
}

}  // namespace

/// A ragged batch: token inputs as flat vectors in row order, before they are laid out on a grid.
struct Session::Request {
  std::vector<int64_t> lengths;
  std::map<std::string, std::vector<int64_t>> tokens;
  /// Where each token stands in the caller's [batch, sequence]; empty when the caller gave rows.
  std::vector<std::pair<int64_t, int64_t>> places;
  int64_t batch = 0, sequence = 0;
  /// Of a step: what the rows go on from, and how many tokens each has already.
  StateRun states;
  std::vector<int64_t> pasts;
  bool only_last = false;  // results of each row's last token

  int64_t past(size_t row) const { return row < pasts.size() ? pasts[row] : 0; }
};

Session::Session(Program program, std::shared_ptr<const Checkpoint> checkpoint, const Backend& backend,
                 const CompileOptions& options, RowLayout layout)
    : program_(std::move(program)) {
  const Graph& graph = program_.only_graph();
  const bool wanted = layout == RowLayout::kAuto ? backend.prefers_packed_rows() : layout == RowLayout::kPacked;
  can_pack_ = why_not_packable(graph).empty();
  packed_ = wanted && can_pack_;
  backend_ = &backend;
  if (packed_) tokens_per_run_ = backend.tokens_per_run();
  executable_ = backend.compile(graph, std::move(checkpoint), options);
}

/// Where to cut rows into runs of about as many tokens as the backend wants: the first row of each run, and the end.
std::vector<size_t> Session::cut(const std::vector<int64_t>& lengths) const {
  const int64_t tokens = std::accumulate(lengths.begin(), lengths.end(), int64_t{0});
  // Runs of equal size; up to one and a half times what is wanted stays one.
  const int64_t runs =
      tokens_per_run_ == 0 ? 1 : std::max<int64_t>(1, (tokens + tokens_per_run_ / 2) / tokens_per_run_);
  std::vector<size_t> cuts{0};
  int64_t before = 0;
  for (size_t n = 0; n < lengths.size(); ++n) {
    const int64_t run = static_cast<int64_t>(cuts.size());
    // A row goes to the run in which its middle lies.
    if (run < runs && n > cuts.back() && before + lengths[n] / 2 >= tokens / runs * run) cuts.push_back(n);
    before += lengths[n];
  }
  cuts.push_back(lengths.size());
  return cuts;
}

size_t Session::planned_bytes(int64_t rows, int64_t length) const {
  const std::vector<int64_t> lengths(static_cast<size_t>(rows), length);
  if (!packed_) return executable_->planned_bytes(forward_symbols(RowTable::padded(lengths)));
  size_t most = 0;  // rows of one run
  const std::vector<size_t> cuts = cut(lengths);
  for (size_t i = 1; i < cuts.size(); ++i) most = std::max(most, cuts[i] - cuts[i - 1]);
  return executable_->planned_bytes(forward_symbols(RowTable::packed(std::vector<int64_t>(most, length))));
}

/// Every id below its limit, every row within the model's length.
void Session::check(const Request& request) const {
  for (size_t n = 0; n < request.lengths.size(); ++n) {
    const int64_t length = request.past(n) + request.lengths[n];
    if (program_.max_length > 0 && length > program_.max_length && request.tokens.count("position_ids") == 0) {
      fail(ErrorCode::kInvalidArgument, "row {} has {} tokens, the model takes at most {}", n, length,
           program_.max_length);
    }
  }
  for (const ProgramInput& input : program_.inputs) {
    auto given = request.tokens.find(input.name);
    if (given == request.tokens.end() || input.limit == 0) continue;
    for (size_t i = 0; i < given->second.size(); ++i) {
      const int64_t id = given->second[i];
      if (id >= 0 && id < input.limit) continue;
      const std::string place = request.places.empty()
                                    ? fmt::format("token {}", i)
                                    : fmt::format("[{},{}]", request.places[i].first, request.places[i].second);
      fail(ErrorCode::kInvalidArgument, "input {}: {} at {} is outside [0, {})", input.name, id, place, input.limit);
    }
  }
}

/// The graph's inputs: what the request has, on the grid of its rows, and what host functions make of it.
NamedTensors Session::bind(const Request& request, const RowTable& rows) const {
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
  if (request.only_last) bound[kTakenTokens] = last_places(rows);
  for (const ProgramInput& input : program_.inputs) {
    if (bound.count(input.name) > 0) continue;
    if (!input.fill) fail(ErrorCode::kInvalidArgument, "input {} is missing", input.name);
    bound[input.name] = input.fill(bound, rows);
  }
  return bound;
}

/// Runs rows together; results per token come as [T,…] in row order.
NamedTensors Session::run_part(const Request& request) const {
  // States of a backend that packs take rows without gaps, whatever the layout of other runs.
  const bool packed = request.states.state != nullptr ? can_pack_ && backend_->prefers_packed_rows() : packed_;
  RowTable rows = packed ? RowTable::packed(request.lengths) : RowTable::padded(request.lengths);
  for (size_t n = 0; n < rows.rows.size(); ++n) rows.rows[n].past = request.past(n);
  NamedTensors results = executable_->run(bind(request, rows), request.states);
  for (const ProgramOutput& output : program_.outputs) {
    if (output.lines == Lines::kTokens) results[output.name] = flatten(results.at(output.name), rows);
  }
  return results;
}

/// The same for any number of rows, in several runs where the backend wants that.
NamedTensors Session::run(const Request& request) const {
  check(request);
  const std::vector<size_t> cuts = cut(request.lengths);
  // Steps are as long as their caller wants them.
  if (cuts.size() == 2 || request.states.state != nullptr) return run_part(request);
  const int64_t tokens = std::accumulate(request.lengths.begin(), request.lengths.end(), int64_t{0});
  NamedTensors joined;
  int64_t tokens_before = 0;
  for (size_t i = 1; i < cuts.size(); ++i) {
    Request part;
    part.lengths.assign(request.lengths.begin() + static_cast<std::ptrdiff_t>(cuts[i - 1]),
                        request.lengths.begin() + static_cast<std::ptrdiff_t>(cuts[i]));
    const int64_t count = std::accumulate(part.lengths.begin(), part.lengths.end(), int64_t{0});
    for (const auto& [name, values] : request.tokens) {
      part.tokens[name].assign(values.begin() + tokens_before, values.begin() + tokens_before + count);
    }
    for (auto& [name, tensor] : run_part(part)) {
      const bool per_token = is_per_token(program_, name);
      Dims dims = tensor.dims();
      const int64_t lines = dims[0];
      dims[0] = per_token ? tokens : static_cast<int64_t>(request.lengths.size());
      if (joined.count(name) == 0) joined[name] = Tensor::allocate(tensor.dtype(), dims);
      if (lines == 0 || tensor.bytes() == 0) continue;
      const size_t before = static_cast<size_t>(per_token ? tokens_before : static_cast<int64_t>(cuts[i - 1]));
      std::memcpy(
          static_cast<char*>(joined[name].mutable_data()) + before * (tensor.bytes() / static_cast<size_t>(lines)),
          tensor.data(), tensor.bytes());
    }
    tokens_before += count;
  }
  return joined;
}

/// Refuses a name that is neither an input per token nor `also`.
void Session::require_known(const std::string& name, const std::string& also) const {
  if (!also.empty() && name == also) return;
  std::string known = also;
  for (const ProgramInput& input : program_.inputs) {
    if (!input.per_token) continue;
    if (input.name == name) return;
    known += (known.empty() ? "" : ", ") + input.name;
  }
  fail(ErrorCode::kInvalidArgument, "input {} is unknown to {}; expected some of: {}", name, program_.head, known);
}

NamedTensors Session::run_rows(const std::map<std::string, std::vector<std::vector<int64_t>>>& inputs) const {
  Request request;
  bool is_first = true;
  for (const auto& [name, rows] : inputs) {
    require_known(name, {});
    std::vector<int64_t>& flat = request.tokens[name];
    std::vector<int64_t> lengths;
    for (const std::vector<int64_t>& row : rows) {
      flat.insert(flat.end(), row.begin(), row.end());
      lengths.push_back(static_cast<int64_t>(row.size()));
    }
    if (std::exchange(is_first, false)) request.lengths = lengths;
    if (lengths != request.lengths) fail(ErrorCode::kInvalidArgument, "input {}: its rows have other lengths", name);
  }
  return run(request);
}

/// The caller's tensors as I64, each [batch or 1, sequence or 1] of input_ids.
NamedTensors Session::read_inputs(const NamedTensors& inputs) const {
  NamedTensors given;
  for (const auto& [name, tensor] : inputs) {
    require_known(name, kMask);
    if (tensor.dims().size() != 2) {
      fail(ErrorCode::kInvalidArgument, "input {}: shape {}, expected [batch, sequence]", name,
           to_string(tensor.dims()));
    }
    given[name] = to_i64(name, tensor);
  }
  if (given.count("input_ids") == 0) fail(ErrorCode::kInvalidArgument, "input input_ids is missing");
  const Dims wanted = given["input_ids"].dims();
  for (const auto& [name, tensor] : given) {
    if ((tensor.dim(0) != wanted[0] && tensor.dim(0) != 1) || (tensor.dim(1) != wanted[1] && tensor.dim(1) != 1)) {
      fail(ErrorCode::kInvalidArgument, "input {}: shape {}, expected {} as input_ids has", name,
           to_string(tensor.dims()), to_string(wanted));
    }
  }
  return given;
}

/// Masked places leave: what runs is each row's tokens alone.
Session::Request Session::compact(const NamedTensors& given) const {
  Request request;
  request.batch = given.at("input_ids").dim(0), request.sequence = given.at("input_ids").dim(1);
  request.lengths.assign(static_cast<size_t>(request.batch), 0);
  auto mask = given.find(kMask);
  for (int64_t b = 0; b < request.batch; ++b) {
    for (int64_t s = 0; s < request.sequence; ++s) {
      const int64_t visible = mask == given.end() ? 1 : at(mask->second, b, s);
      if (visible != 0 && visible != 1) {
        fail(ErrorCode::kInvalidArgument, "input attention_mask: {} at [{},{}], expected 0 or 1", visible, b, s);
      }
      if (visible == 0) continue;
      request.places.emplace_back(b, s);
      ++request.lengths[static_cast<size_t>(b)];
    }
  }
  for (const ProgramInput& input : program_.inputs) {
    auto tensor = given.find(input.name);
    if (tensor == given.end()) continue;
    std::vector<int64_t>& flat = request.tokens[input.name];
    flat.reserve(request.places.size());
    for (const auto& [b, s] : request.places) flat.push_back(at(tensor->second, b, s));
  }
  return request;
}

NamedTensors Session::forward(const NamedTensors& inputs) const {
  const Request request = compact(read_inputs(inputs));
  NamedTensors results = run(request);
  for (const ProgramOutput& output : program_.outputs) {
    if (output.lines == Lines::kRows) continue;
    const Tensor flat = results.at(output.name);
    Dims dims{request.batch, request.sequence};
    dims.insert(dims.end(), flat.dims().begin() + 1, flat.dims().end());
    if (flat.dim(0) == request.batch * request.sequence) {  // nothing is masked
      results[output.name] = flat.reshaped(dims);
      continue;
    }
    Tensor grid = Tensor::allocate(flat.dtype(), dims);
    if (grid.bytes() > 0) std::memset(grid.mutable_data(), 0, grid.bytes());
    const size_t token = request.places.empty() ? 0 : flat.bytes() / request.places.size();
    for (size_t i = 0; i < request.places.size(); ++i) {
      const auto [b, s] = request.places[i];
      std::memcpy(static_cast<char*>(grid.mutable_data()) + static_cast<size_t>(b * request.sequence + s) * token,
                  static_cast<const char*>(flat.data()) + i * token, token);
    }
    results[output.name] = grid;
  }
  return results;
}

Session::TokenRows Session::token_rows(const NamedTensors& inputs) const {
  const NamedTensors given = read_inputs(inputs);
  const Request request = compact(given);
  TokenRows result{given.at("input_ids"), {}};
  auto id = request.tokens.at("input_ids").begin();
  for (const int64_t length : request.lengths) {
    result.rows.emplace_back(id, id + length);
    id += length;
  }
  return result;
}

std::unique_ptr<State> Session::make_state(size_t budget) const {
  if (program_.states.empty()) {
    fail(ErrorCode::kUnsupported, "{} of model type {} keeps nothing between runs: it cannot generate", program_.head,
         program_.model_type);
  }
  return backend_->make_state(program_.states, budget);
}

NamedTensors Session::step(const std::vector<std::vector<int64_t>>& tokens, State& state,
                           std::span<const int64_t> sequences, Wanted wanted) const {
  Request request;
  if (tokens.size() != sequences.size()) {
    fail(ErrorCode::kInvalidArgument, "{} rows of tokens for {} sequences", tokens.size(), sequences.size());
  }
  std::vector<int64_t>& flat = request.tokens["input_ids"];
  for (size_t n = 0; n < tokens.size(); ++n) {
    if (tokens[n].empty()) fail(ErrorCode::kInvalidArgument, "row {} has no tokens", n);
    flat.insert(flat.end(), tokens[n].begin(), tokens[n].end());
    request.lengths.push_back(static_cast<int64_t>(tokens[n].size()));
    request.pasts.push_back(state.length(sequences[n]));
  }
  request.only_last = wanted == Wanted::kLast;
  for (size_t n = 0; n < tokens.size(); ++n) state.reserve(sequences[n], request.lengths[n]);
  request.states = {&state, sequences};
  NamedTensors results = run(request);
  for (size_t n = 0; n < tokens.size(); ++n) state.advance(sequences[n], request.lengths[n]);
  return results;
}

}  // namespace gamut
