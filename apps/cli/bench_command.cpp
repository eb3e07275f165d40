// gamut bench: how fast a checkpoint runs here, one JSON line per measurement.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <span>

#include "commands.h"
#include "gamut/generate.h"
#include "gamut/model.h"
#include "gamut/tokenizer.h"

namespace gamut::cli {
namespace {

using Clock = std::chrono::steady_clock;
using OrderedJson = nlohmann::ordered_json;

struct BenchArguments {
  std::string model, text;
  int64_t batch = 1, tokens = 128, prefill = 0, decode = 0;
  std::vector<int64_t> lengths;  ///< of the rows of a ragged batch; empty: `batch` rows of `tokens`
  int runs = 10;
  bool without_error = false;
  LoadOptions load;
};

double milliseconds(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

void print(const OrderedJson& line) {
  std::printf("%s\n", line.dump().c_str());
  std::fflush(stdout);
}

/// Ids all over the vocabulary, the same in every process.
std::vector<int64_t> spread_ids(int64_t count, int64_t limit) {
  std::vector<int64_t> ids(static_cast<size_t>(count));
  uint64_t state = 1;
  for (int64_t& id : ids) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    id = static_cast<int64_t>((state >> 33) % static_cast<uint64_t>(limit));
  }
  return ids;
}

/// A ragged batch, padded at the end to its longest row, and the mask that says so.
NamedTensors make_inputs(const Model& model, const std::vector<int64_t>& lengths) {
  const int64_t rows = static_cast<int64_t>(lengths.size()), longest = *std::ranges::max_element(lengths);
  Tensor ids = Tensor::allocate(DType::kI64, {rows, longest});
  Tensor mask = Tensor::allocate(DType::kI64, {rows, longest});
  std::ranges::copy(spread_ids(rows * longest, model.input_limit("input_ids")), ids.mutable_i64().begin());
  const std::span<int64_t> places = mask.mutable_i64();
  for (int64_t place = 0; place < rows * longest; ++place) {
    places[static_cast<size_t>(place)] = place % longest < lengths[static_cast<size_t>(place / longest)] ? 1 : 0;
  }
  return {{"input_ids", ids}, {"attention_mask", mask}};
}

/// `batch` full rows; no mask, as all places count.
NamedTensors make_inputs(const Model& model, int64_t batch, int64_t tokens) {
  NamedTensors inputs = make_inputs(model, std::vector<int64_t>(static_cast<size_t>(batch), tokens));
  inputs.erase("attention_mask");
  return inputs;
}

/// Milliseconds of `runs` runs after two that are not counted.
template <typename Body>
std::vector<double> measure(int runs, Body body) {
  std::vector<double> times;
  for (int run = -2; run < runs; ++run) {
    const Clock::time_point start = Clock::now();
    body();
    if (run >= 0) times.push_back(milliseconds(Clock::now() - start));
  }
  return times;
}

/// How far results are from those of the same weights in f32: the largest difference, and the root mean square of all
/// relative to that of the f32 numbers.
void print_error(const NamedTensors& results, const NamedTensors& f32) {
  for (const auto& [name, expected] : f32) {
    if (expected.dtype() != DType::kF32) continue;
    const std::span<const float> a = results.at(name).f32(), b = expected.f32();
    double largest = 0, largest_value = 0, squares = 0, square_values = 0;
    for (size_t i = 0; i < b.size(); ++i) {
      const double difference = std::fabs(double{a[i]} - b[i]);
      largest = std::max(largest, difference), largest_value = std::max(largest_value, std::fabs(double{b[i]}));
      squares += difference * difference, square_values += double{b[i]} * b[i];
    }
    print({{"what", "error"},
           {"against", "f32"},
           {"output", name},
           {"largest", largest},
           {"largest_value", largest_value},
           {"relative_rms", square_values > 0 ? std::sqrt(squares / square_values) : 0.0}});
  }
}

bool wants_error(const BenchArguments& arguments, const std::string& precision) {
  return !arguments.without_error && precision != "f32";
}

LoadOptions in_f32(LoadOptions load) {
  load.precision = "f32";
  return load;
}

void print_peak_memory() {
  struct rusage usage;
  ::getrusage(RUSAGE_SELF, &usage);
  print({{"what", "peak_memory"}, {"bytes", static_cast<int64_t>(usage.ru_maxrss) * 1024}});
}

void bench_forward(const BenchArguments& arguments) {
  const Clock::time_point start = Clock::now();
  const Model model = Model::open(arguments.model, arguments.load);
  print({{"what", "load"}, {"ms", milliseconds(Clock::now() - start)}});
  const std::vector<int64_t>& lengths = arguments.lengths;
  const bool ragged = !lengths.empty();
  const NamedTensors inputs =
      ragged ? make_inputs(model, lengths) : make_inputs(model, arguments.batch, arguments.tokens);
  const int64_t total =
      ragged ? std::accumulate(lengths.begin(), lengths.end(), int64_t{0}) : arguments.batch * arguments.tokens;
  const std::vector<double> times = measure(arguments.runs, [&] { model.forward(inputs); });
  const double middle = median(times);
  OrderedJson line;
  line["what"] = "forward";
  if (ragged) {
    line["rows"] = lengths.size(), line["tokens"] = total;
  } else {
    line["batch"] = arguments.batch, line["tokens"] = arguments.tokens;
  }
  line.update({{"ms_min", *std::ranges::min_element(times)},
               {"ms_median", middle},
               {"tokens_per_s", static_cast<double>(total) / middle * 1000},
               {"runs", arguments.runs},
               {"precision", model.precision()},
               {"backend", arguments.load.backend}});
  print(line);
  print_peak_memory();
  if (!wants_error(arguments, model.precision())) return;
  print_error(model.forward(inputs), Model::open(arguments.model, in_f32(arguments.load)).forward(inputs));
}

void print_speed(const char* what, int64_t tokens, const std::vector<double>& times, const BenchArguments& arguments,
                 const std::string& precision) {
  const double middle = median(times), least = *std::ranges::min_element(times);
  print({{"what", what},
         {"tokens", tokens},
         {"ms_min", least},
         {"ms_median", middle},
         {"tokens_per_s", static_cast<double>(tokens) / middle * 1000},
         {"tokens_per_s_max", static_cast<double>(tokens) / least * 1000},
         {"runs", times.size()},
         {"precision", precision},
         {"backend", arguments.load.backend}});
}

/// A prompt up to its first new token, and the tokens behind it: what a longer text takes beyond the prompt alone.
void bench_generation(const BenchArguments& arguments) {
  const Clock::time_point start = Clock::now();
  const Generator generator = Generator::open(arguments.model, arguments.load);
  print({{"what", "load"}, {"ms", milliseconds(Clock::now() - start)}});
  const std::vector<std::vector<int64_t>> prompts{
      spread_ids(std::max<int64_t>(1, arguments.prefill), generator.vocabulary())};
  auto generate = [&](int64_t tokens) {
    GenerateOptions options{.max_new_tokens = tokens, .ignore_eos = true};
    const Clock::time_point begin = Clock::now();
    const std::vector<GeneratedText> results = generator.generate_ids(prompts, options);
    if (results[0].error) throw Error(*results[0].error);
    return milliseconds(Clock::now() - begin);
  };
  std::vector<double> prefill, decode;
  for (int run = -1; run < arguments.runs; ++run) {
    const double first = generate(1);
    const double rest = arguments.decode > 0 ? generate(1 + arguments.decode) - first : 0;
    if (run >= 0) prefill.push_back(first), decode.push_back(rest);
  }
  if (arguments.prefill > 0) print_speed("prefill", arguments.prefill, prefill, arguments, generator.precision());
  if (arguments.decode > 0) print_speed("decode", arguments.decode, decode, arguments, generator.precision());
  print_peak_memory();
  if (!wants_error(arguments, generator.precision())) return;
  Tensor ids = Tensor::allocate(DType::kI64, {1, static_cast<int64_t>(prompts[0].size())});
  std::ranges::copy(prompts[0], ids.mutable_i64().begin());
  const auto logits = [&](const Generator& from) {
    const GenerateOptions options{.max_new_tokens = 1, .ignore_eos = true};
    return NamedTensors{{"logits", from.generate_raw({{"input_ids", ids}}, options).at("logits")}};
  };
  print_error(logits(generator), logits(Generator::open(arguments.model, in_f32(arguments.load))));
}

void bench_text(const BenchArguments& arguments) {
  std::ifstream file(arguments.text, std::ios::binary);
  if (!file) throw Error(ErrorCode::kNotFound, arguments.text + ": cannot be read");
  std::vector<std::string> lines;
  size_t bytes = 0;
  for (std::string line; std::getline(file, line); lines.push_back(line)) bytes += line.size() + 1;
  if (file.bad()) throw Error(ErrorCode::kIo, arguments.text + ": cannot be read to its end");
  const Clock::time_point start = Clock::now();
  const Tokenizer tokenizer = Tokenizer::open(arguments.model);
  print({{"what", "open"}, {"ms", milliseconds(Clock::now() - start)}});
  std::vector<TextInput> inputs;
  for (const std::string& line : lines) inputs.push_back({line});
  size_t tokens = 0;
  const std::vector<double> times = measure(arguments.runs, [&] {
    const auto encodings = tokenizer.encode_batch(inputs, {}, static_cast<size_t>(arguments.load.threads));
    tokens = 0;
    for (const Encoding& encoding : encodings) tokens += encoding.ids.size();
  });
  const double seconds = median(times) / 1000;
  print({{"what", "tokenize"},
         {"bytes", bytes},
         {"tokens", tokens},
         {"mb_per_s", static_cast<double>(bytes) / 1e6 / seconds},
         {"tokens_per_s", static_cast<double>(tokens) / seconds},
         {"runs", arguments.runs},
         {"threads", arguments.load.threads}});
}

void bench(const BenchArguments& arguments) {
  if (!arguments.text.empty()) return bench_text(arguments);
  if (arguments.prefill > 0 || arguments.decode > 0) return bench_generation(arguments);
  bench_forward(arguments);
}

}  // namespace

void add_bench_command(CLI::App& app, CommonOptions& common) {
  Command command(app, "bench", "How fast a checkpoint runs here; one JSON line per measurement");
  auto arguments = std::make_shared<BenchArguments>();
  const NumberRange positive{1, 1 << 20};
  command.positional("MODEL", arguments->model, "Folder of the checkpoint");
  command.option("--batch", arguments->batch, "Rows in a batch", positive);
  command.option("--tokens", arguments->tokens, "Tokens in a row", positive);
  command.numbers("--lengths", arguments->lengths, "Tokens of each row of a ragged batch, in place of the two",
                  positive);
  command.option("--prefill", arguments->prefill, "Measure the prefill of that many tokens", positive);
  command.option("--decode", arguments->decode, "Measure the decoding of that many tokens, behind the prefill",
                 positive);
  command.option("--runs", arguments->runs, "Timed runs", positive);
  command.flag("--no-error", arguments->without_error,
               "Without the error against f32, for which the model is loaded a second time");
  command.option("--text", arguments->text, "Measure the tokenizer on the lines of this file");
  add_load_options(command, arguments->load);
  add_json_option(command, common);
  command.run([arguments] { bench(*arguments); });
}

}  // namespace gamut::cli
