// The pickle of a PyTorch checkpoint: the input is one pickle, as the zip form has it, with storages of any size.
#include <algorithm>

#include "checkpoint/pytorch/pickle_machine.h"
#include "checkpoint/pytorch/state_dict.h"
#include "checkpoint/pytorch/torch_file.h"
#include "fuzz.h"

namespace gamut::fuzz {
namespace {

void check(std::string_view text) {
  const FileRange source(text, "f");
  PickleMachine machine(source, 0, persistent_storage);
  const PickleValue root = machine.run();
  require(machine.end() <= text.size(), "a pickle that ends behind its file");
  const PickleObjects& objects = machine.objects();
  for (const PickledTensor& tensor : objects.tensors) {
    if (!tensor.is_set) continue;
    require(tensor.dims.size() == tensor.strides.size(), "a tensor without a stride for each dimension");
    const PickledStorage& storage = objects.storages.at(tensor.storage);
    __int128 end = tensor.begin, count = 1;
    for (size_t i = 0; i < tensor.dims.size(); ++i) {
      require(tensor.dims[i] >= 0 && tensor.strides[i] >= 0, "a negative dimension or stride");
      end += static_cast<__int128>(tensor.dims[i] - 1) * tensor.strides[i] * tensor.type->bytes;
      count = count * tensor.dims[i] == 0 ? 0 : std::min<__int128>(count * tensor.dims[i], INT64_MAX);
    }
    if (count > 0) end += tensor.type->bytes;
    require(tensor.begin >= 0 && tensor.begin <= storage.bytes(), "a tensor that begins outside of its storage");
    require(count == 0 || end <= storage.bytes(), "a tensor that reaches beyond its storage");
  }
  const StateDict state = read_state_dict(source, objects, root);
  for (const StateDict::Item& item : state.items) {
    require(objects.tensors.at(item.tensor).is_set, "a weight without its data");
    require(text::valid_utf8_prefix(item.name) == item.name.size(), "a name that is not UTF-8");
  }
}

}  // namespace
}  // namespace gamut::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  gamut::fuzz::works([&] { gamut::fuzz::check(gamut::fuzz::as_text(data, size)); });
  return 0;
}
