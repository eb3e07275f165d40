// Writes the tiny BERT of the tests into a folder, and the inputs of `gamut forward` beside it:
//   make_tiny_model FOLDER [HEAD]
// With the head LlamaForCausalLM the tiny Llama, which has no tokenizer.
#include <cstdio>

#include "gamut/error.h"
#include "models/tiny_bert.h"
#include "models/tiny_llama.h"

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: make_tiny_model FOLDER [HEAD]\n");
    return 2;
  }
  try {
    const std::filesystem::path folder = argv[1];
    std::filesystem::create_directories(folder);
    const std::string head = argc == 3 ? argv[2] : "BertModel";
    if (head == "LlamaForCausalLM") {
      gamut::test::write_tiny_llama(folder);
    } else {
      gamut::test::write_tiny_bert(folder, head);
    }
    const std::vector<int64_t> ids{2, 7, 13, 3, 2, 5, 3, 0}, mask{1, 1, 1, 1, 1, 1, 1, 0};
    gamut::write_safetensors(folder / "inputs.safetensors",
                             {{"input_ids", gamut::Tensor::from({2, 4}, std::span<const int64_t>(ids))},
                              {"attention_mask", gamut::Tensor::from({2, 4}, std::span<const int64_t>(mask))}});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "make_tiny_model: %s\n", error.what());
    return 1;
  }
  return 0;
}
