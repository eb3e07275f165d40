#include "checkpoint/pytorch/torch_file.h"

#include <algorithm>

#include "base/checked.h"

namespace gamut {
namespace {

/// How much larger than its file the tensors of a checkpoint may be: tied weights are there once for each name, and
/// expanded ones take almost nothing in the file.
constexpr uint64_t kMaxGrowth = 16, kFreeBytes = 64u << 20;

constexpr std::string_view kZipMagic = "PK\x03\x04", kEmptyZipMagic = "PK\x05\x06", kTarMagic = "ustar";
constexpr size_t kTarMagicAt = 257;
constexpr char kPickleMagic = '\x80';

/// Whether the elements lie one after the other in row-major order.
bool is_contiguous(const PickledTensor& tensor) {
  int64_t expected = 1;
  for (size_t i = tensor.dims.size(); i-- > 0;) {
    if (tensor.dims[i] != 1 && tensor.strides[i] != expected) return false;
    expected *= tensor.dims[i];
  }
  return true;
}

TensorEntry entry_of(const StateDict::Item& item, const TorchContent& content) {
  const PickledTensor& tensor = content.objects.tensors[item.tensor];
  TensorEntry entry;
  entry.name = item.name;
  entry.dtype = *tensor.type->dtype;
  entry.dims = tensor.dims;
  entry.offset = content.offsets[tensor.storage] + static_cast<uint64_t>(tensor.begin);
  entry.bytes = tensor.type->bytes;
  for (const int64_t dim : tensor.dims) entry.bytes *= static_cast<uint64_t>(dim);
  if (entry.bytes > 0 && !is_contiguous(tensor)) entry.strides = tensor.strides;
  return entry;
}

}  // namespace

bool is_torch_file(std::string_view head) {
  // A safetensors file begins with the length of its header, which may look like anything, and then a brace.
  if (head.size() > 8 && head[8] == '{' && head[7] == 0) return false;
  const bool is_pickle = head.size() > 1 && head[0] == kPickleMagic && head[1] >= 2 && head[1] <= 5;
  return head.starts_with(kZipMagic) || head.starts_with(kEmptyZipMagic) || is_pickle ||
         (head.size() >= kTarMagicAt + kTarMagic.size() && head.substr(kTarMagicAt, kTarMagic.size()) == kTarMagic);
}

TorchFile read_torch_file(const FileRange& file) {
  const std::string head = file.text(0, static_cast<size_t>(std::min<uint64_t>(file.size(), kTorchHeadBytes)));
  const TorchContent content = head.starts_with("PK")           ? read_torch_zip(file)
                               : head.starts_with(kPickleMagic) ? read_torch_pickle(file)
                                                                : read_torch_tar(file);
  StateDict state = read_state_dict(content.source, content.objects, content.root);
  TorchFile result;
  result.warnings = std::move(state.warnings);
  uint64_t total = 0;
  const uint64_t most = file.size() * kMaxGrowth + kFreeBytes;
  for (const StateDict::Item& item : state.items) {
    TensorEntry entry = entry_of(item, content);
    total += entry.bytes;
    if (entry.bytes > most || total > most) {
      content.source.refuse_as(ErrorCode::kResourceLimit, content.objects.tensors[item.tensor].at,
                               fmt::format("tensor {} of {}: the tensors are more than {} bytes, of a file of {}",
                                           in_quotes(item.name), to_string(entry.dims), most, file.size()));
    }
    result.entries.push_back(std::move(entry));
  }
  std::ranges::stable_sort(result.entries, {}, &TensorEntry::offset);
  result.storages = content.members;
  return result;
}

PickleValue persistent_storage(PickleMachine& machine, const PickleValue& id) {
  const PickleObjects& objects = machine.objects();
  if (id.kind != PickleKind::kTuple || id.size < 5 || id.size > 6) {
    machine.refuse("a persistent id that is {}, expected a tuple of 5 or 6 values", kind_name(id.kind));
  }
  const std::vector<PickleValue> items(objects.items(id).begin(), objects.items(id).end());
  auto expect = [&](const PickleValue& value, PickleKind kind, const char* what) {
    if (value.kind != kind) machine.refuse("{}: {}, expected {}", what, kind_name(value.kind), kind_name(kind));
  };
  expect(items[0], PickleKind::kText, "the kind of a persistent id");
  if (objects.text(items[0]) != "storage") {
    machine.refuse("a persistent id of kind {}, expected \"storage\"", in_quotes(objects.text(items[0])));
  }
  expect(items[1], PickleKind::kGlobal, "the class of a storage");
  const Global& type = objects.globals[items[1].payload];
  if (type.kind != GlobalKind::kStorage) machine.refuse("a storage of another class, expected torch.FloatStorage …");
  expect(items[2], PickleKind::kText, "the key of a storage");
  expect(items[3], PickleKind::kText, "the device of a storage");
  expect(items[4], PickleKind::kInt, "the elements of a storage");
  const int64_t count = items[4].number();
  if (count < 0 || !(Checked(count) * type.type->bytes).valid()) {
    machine.refuse("a storage of {} elements, expected at most what 63 bits count", count);
  }
  const PickleValue storage = machine.make_storage({std::string(objects.text(items[2])), type.type, count});
  if (items.size() == 5 || items[5].kind == PickleKind::kNone) return storage;
  expect(items[5], PickleKind::kTuple, "the view of a storage");
  if (items[5].size != 3) machine.refuse("a view of a storage of {} values, expected 3", items[5].size);
  const PickleValue offset = objects.items(items[5])[1], size = objects.items(items[5])[2];
  expect(offset, PickleKind::kInt, "the offset of a view");
  expect(size, PickleKind::kInt, "the elements of a view");
  if (offset.number() < 0 || size.number() < 0 || offset.number() > count || size.number() > count - offset.number()) {
    machine.refuse("a view of {} elements from {} on of a storage of {}", size.number(), offset.number(), count);
  }
  StorageView view = objects.views[storage.payload];
  view.begin = offset.number() * view.type->bytes;
  view.bytes = size.number() * view.type->bytes;
  return machine.make_view(view);
}

}  // namespace gamut
