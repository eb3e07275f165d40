#include <unordered_map>

#include "checkpoint/pytorch/torch_file.h"

namespace gamut {
namespace {

constexpr std::string_view kMagic = "\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19";  ///< 0x1950a86a20f9469cfc6c
constexpr int64_t kProtocol = 1001;
constexpr size_t kCountBytes = 8;

/// The pickle of plain values that begins at `*at`, which moves behind it.
std::pair<PickleObjects, PickleValue> plain(const FileRange& file, uint64_t* at) {
  PickleMachine machine(file, *at);
  const PickleValue value = machine.run();
  *at = machine.end();
  return {std::move(machine.objects()), value};
}

/// Magic number, protocol, and what the machine that wrote it was like; the byte behind them.
uint64_t check_preamble(const FileRange& file) {
  uint64_t at = 0;
  const auto [magic_objects, magic] = plain(file, &at);
  if (magic.kind != PickleKind::kLong || magic_objects.text(magic) != kMagic) {
    file.refuse(0, "a pickle without the magic number of torch.save, expected a checkpoint of PyTorch");
  }
  const uint64_t protocol_at = at;
  const auto [protocol_objects, protocol] = plain(file, &at);
  if (protocol.kind != PickleKind::kInt || protocol.number() != kProtocol) {
    file.refuse(protocol_at, "protocol {} of torch.save, expected {}", protocol.number(), kProtocol);
  }
  const uint64_t system_at = at;
  const auto [objects, system] = plain(file, &at);
  if (system.kind != PickleKind::kDict) file.refuse(system_at, "{}, expected a dict", kind_name(system.kind));
  const auto items = objects.items(system);
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    if (items[i].kind != PickleKind::kText || objects.text(items[i]) != "little_endian") continue;
    if (items[i + 1].kind == PickleKind::kBool && items[i + 1].payload == 1) continue;
    file.refuse_as(ErrorCode::kUnsupported, system_at, "written on a big-endian machine, expected a little-endian one");
  }
  return at;
}

/// The storages as they follow the pickles: the key of each stands in a list, its elements are counted before them.
std::vector<uint64_t> find_storages(const FileRange& file, uint64_t at, const PickleObjects& objects) {
  std::unordered_map<std::string_view, size_t> by_key;
  for (size_t i = 0; i < objects.storages.size(); ++i) by_key.emplace(objects.storages[i].key, i);
  const uint64_t list_at = at;
  const auto [list_objects, keys] = plain(file, &at);
  if (keys.kind != PickleKind::kList) {
    file.refuse(list_at, "{}, expected the list of the storages' keys", kind_name(keys.kind));
  }
  std::vector<uint64_t> offsets(objects.storages.size(), 0);
  for (const PickleValue& key : list_objects.items(keys)) {
    const std::string_view text = key.kind == PickleKind::kText ? list_objects.text(key) : std::string_view();
    const auto found = by_key.find(text);
    if (found == by_key.end()) file.refuse(list_at, "storage {} of the list is not in the pickle", in_quotes(text));
    const PickledStorage& storage = objects.storages[found->second];
    if (offsets[found->second] != 0) file.refuse(list_at, "storage {} is in the list twice", in_quotes(text));
    if (file.size() - at < kCountBytes) file.refuse(at, "the file ends here, expected storage {}", in_quotes(text));
    const uint64_t count = little_endian(file.text(at, kCountBytes).data(), kCountBytes);
    if (count != static_cast<uint64_t>(storage.count)) {
      file.refuse(at, "storage {}: {} elements, but the pickle at byte {} has {}", in_quotes(text), count, storage.at,
                  storage.count);
    }
    at += kCountBytes;
    if (file.size() - at < static_cast<uint64_t>(storage.bytes())) {
      file.refuse(at, "storage {}: expected {} bytes, but {} are left (truncated file?)", in_quotes(text),
                  storage.bytes(), file.size() - at);
    }
    offsets[found->second] = at;
    at += static_cast<uint64_t>(storage.bytes());
  }
  if (at != file.size()) file.refuse(at, "the last storage ends here, expected the end of the file at {}", file.size());
  return offsets;
}

}  // namespace

TorchContent read_torch_pickle(const FileRange& file) {
  PickleMachine machine(file, check_preamble(file), persistent_storage);
  const PickleValue root = machine.run();
  std::vector<uint64_t> offsets = find_storages(file, machine.end(), machine.objects());
  for (size_t i = 0; i < offsets.size(); ++i) {
    if (offsets[i] != 0) continue;
    const PickledStorage& storage = machine.objects().storages[i];
    file.refuse(storage.at, "storage {} is not in the list behind the pickle", in_quotes(storage.key));
  }
  return {file, std::move(machine.objects()), root, std::move(offsets), {}};
}

}  // namespace gamut
