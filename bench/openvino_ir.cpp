// A model in OpenVINO's own format, from its file to the first result, as a program that uses OpenVINO does it: what
// the openvino backend's start and memory are measured against.
//
//   bench_openvino_ir MODEL.xml IDS ROWS THREADS PRECISION OUTPUT [CACHE]
//
// IDS holds I64 token ids of ROWS equal rows, OUTPUT gets the first output in F32, both as plain bytes; all places
// count. CACHE: OpenVINO's folder for compiled models. Prints a line when OUTPUT is written.
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <openvino/runtime/core.hpp>
#include <openvino/runtime/properties.hpp>

namespace {

std::vector<int64_t> read_ids(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  const auto* begin = reinterpret_cast<const int64_t*>(bytes.data());
  return {begin, begin + bytes.size() / sizeof(int64_t)};
}

void run(char** arguments, const char* cache) {
  std::vector<int64_t> ids = read_ids(arguments[2]);
  const size_t rows = std::stoul(arguments[3]);
  const ov::Shape shape{rows, ids.size() / rows};
  ov::Core core;
  if (cache != nullptr) core.set_property(ov::cache_dir(cache));
  ov::CompiledModel model =
      core.compile_model(arguments[1], "CPU", ov::hint::inference_precision(ov::element::Type(arguments[5])),
                         ov::hint::performance_mode(ov::hint::PerformanceMode::LATENCY), ov::num_streams(1),
                         ov::inference_num_threads(std::stoi(arguments[4])));
  ov::InferRequest request = model.create_infer_request();
  std::vector<int64_t> mask(ids.size(), 1);
  request.set_tensor("input_ids", {ov::element::i64, shape, ids.data()});
  request.set_tensor("attention_mask", {ov::element::i64, shape, mask.data()});
  request.infer();
  const ov::Tensor output = request.get_output_tensor(0);
  std::ofstream(arguments[6], std::ios::binary)
      .write(static_cast<const char*>(output.data()), static_cast<std::streamsize>(output.get_byte_size()));
  std::puts("done");
}

}  // namespace

int main(int count, char** arguments) {
  try {
    if (count < 7) throw std::runtime_error("see the head of this file for its arguments");
    run(arguments, count > 7 ? arguments[7] : nullptr);
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_openvino_ir: %s\n", error.what());
    return 1;
  }
}
