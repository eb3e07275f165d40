#include <unordered_map>

#include "checkpoint/pytorch/rebuilder.h"
#include "checkpoint/pytorch/torch_file.h"

namespace gamut {
namespace {

constexpr size_t kMaxItems = 1u << 18;

struct TarStorage {
  uint64_t at = 0;      ///< of its pickle in the member
  uint64_t offset = 0;  ///< of its bytes in the file
  const TorchType* type = nullptr;
  int64_t count = 0;
};

/// Elements of a storage under a name of their own.
struct TarView {
  std::string storage;
  int64_t offset = 0, count = 0;
};

struct TarTensor {
  std::string storage;
  int64_t offset = 0;
  Dims dims, strides;
};

/// Reads one member: pickles of plain values, and numbers and bytes between them.
class Member {
 public:
  Member(const FileRange& file, const std::vector<ArchiveMember>& members, const std::string& name)
      : range_(file.part(0, 0, name)) {
    for (const ArchiveMember& member : members) {
      if (member.name == name) range_ = file.part(member.offset, member.size, name), found_ = true;
    }
    if (!found_) file.refuse(0, "a tar archive without member {}, expected what torch.save wrote", in_quotes(name));
  }

  const FileRange& range() const { return range_; }
  uint64_t at() const { return at_; }
  const PickleObjects& objects() const { return objects_; }

  PickleValue pickle() {
    PickleMachine machine(range_, at_);
    const PickleValue value = machine.run();
    pickle_at_ = at_;
    at_ = machine.end();
    objects_ = std::move(machine.objects());
    return value;
  }
  /// A pickle that is a tuple of `count` values.
  std::vector<PickleValue> tuple(size_t count) { return items(pickle(), count); }
  std::vector<PickleValue> items(const PickleValue& value, size_t count) const {
    if (value.kind != PickleKind::kTuple || value.size != count) {
      refuse("{} of {} values, expected a tuple of {}", kind_name(value.kind), value.size, count);
    }
    return {objects_.items(value).begin(), objects_.items(value).end()};
  }
  /// A pickle that is a number of things to follow.
  size_t count(const char* what) {
    const PickleValue value = pickle();
    if (value.kind != PickleKind::kInt || value.number() < 0 || value.number() > static_cast<int64_t>(kMaxItems)) {
      refuse("{} {}, expected a number up to {}", value.number(), what, kMaxItems);
    }
    return static_cast<size_t>(value.number());
  }
  int64_t number(const PickleValue& value) const {
    if (value.kind != PickleKind::kInt) refuse("{}, expected an integer", kind_name(value.kind));
    return value.number();
  }
  /// A key, which is a number or a text.
  std::string key(const PickleValue& value) const {
    if (value.kind == PickleKind::kText) return std::string(objects_.text(value));
    return std::to_string(number(value));
  }
  const TorchType* type(const PickleValue& value, GlobalKind kind) const {
    if (value.kind != PickleKind::kGlobal || objects_.globals[value.payload].kind != kind) {
      refuse("{}, expected the class of a {}", kind_name(value.kind),
             kind == GlobalKind::kStorage ? "storage" : "tensor");
    }
    return objects_.globals[value.payload].type;
  }
  int64_t i64() { return static_cast<int64_t>(take(8)); }
  int64_t i32() { return static_cast<int32_t>(take(4)); }
  /// Leaves out bytes; where they begin in the file.
  uint64_t skip(uint64_t bytes) {
    if (range_.size() - at_ < bytes) {
      range_.refuse(at_, "the member ends at byte {}, expected {} more bytes", range_.size(), bytes);
    }
    at_ += bytes;
    return range_.begin() + at_ - bytes;
  }
  void expect_end() const {
    if (at_ != range_.size()) range_.refuse(at_, "data behind the last value, expected the member to end");
  }
  /// At the last pickle.
  template <typename... Args>
  [[noreturn]] void refuse(fmt::format_string<Args...> message, Args&&... args) const {
    range_.refuse(pickle_at_, "{}", fmt::format(message, std::forward<Args>(args)...));
  }

 private:
  uint64_t take(size_t bytes) {
    skip(bytes);
    return little_endian(range_.text(at_ - bytes, bytes).data(), bytes);
  }

  FileRange range_;
  bool found_ = false;
  PickleObjects objects_;
  uint64_t at_ = 0, pickle_at_ = 0;
};

/// What the members "storages" and "tensors" hold, by key.
struct Tables {
  std::unordered_map<std::string, TarStorage> storages;
  std::unordered_map<std::string, TarView> views;
  std::unordered_map<std::string, TarTensor> tensors;
};

void read_storages(Member member, Tables* tables) {
  const size_t count = member.count("storages");
  for (size_t i = 0; i < count; ++i) {
    TarStorage storage{.at = member.at()};
    const std::vector<PickleValue> items = member.tuple(3);
    const std::string key = member.key(items[0]);
    storage.type = member.type(items[2], GlobalKind::kStorage);
    storage.count = member.i64();
    if (storage.count < 0 || storage.count > INT64_MAX / 16) member.refuse("a storage of {} elements", storage.count);
    storage.offset = member.skip(static_cast<uint64_t>(storage.count) * storage.type->bytes);
    if (!tables->storages.emplace(key, storage).second) member.refuse("storage {} is there twice", in_quotes(key));
  }
  const PickleValue views = member.pickle();
  if (views.kind != PickleKind::kList) member.refuse("{}, expected a list of views", kind_name(views.kind));
  for (const PickleValue& view : member.objects().items(views)) {
    const std::vector<PickleValue> items = member.items(view, 4);
    const std::string key = member.key(items[0]);
    const TarView found{member.key(items[1]), member.number(items[2]), member.number(items[3])};
    const auto storage = tables->storages.find(found.storage);
    if (storage == tables->storages.end())
      member.refuse("a view of storage {}, which is not there", in_quotes(found.storage));
    const int64_t whole = storage->second.count;
    if (found.offset < 0 || found.count < 0 || found.offset > whole || found.count > whole - found.offset) {
      member.refuse("view {} of {} elements from {} on of a storage of {}", in_quotes(key), found.count, found.offset,
                    whole);
    }
    const bool is_new = tables->storages.count(key) == 0 && tables->views.emplace(key, found).second;
    if (!is_new) member.refuse("storage {} is there twice", in_quotes(key));
  }
  member.expect_end();
}

void read_tensors(Member member, const PickleLimits& limits, Tables* tables) {
  const size_t count = member.count("tensors");
  for (size_t i = 0; i < count; ++i) {
    const std::vector<PickleValue> items = member.tuple(3);
    const std::string key = member.key(items[0]);
    TarTensor tensor{.storage = member.key(items[1])};
    const TorchType* type = member.type(items[2], GlobalKind::kTensorClass);
    const auto view = tables->views.find(tensor.storage);
    const auto storage = tables->storages.find(view == tables->views.end() ? tensor.storage : view->second.storage);
    if (storage == tables->storages.end()) {
      member.refuse("tensor {}: storage {} is not there", in_quotes(key), in_quotes(tensor.storage));
    }
    if (storage->second.type != type) member.refuse("tensor {}: a class that is not its storage's", in_quotes(key));
    const int64_t rank = member.i32();
    if (rank < 0 || rank > static_cast<int64_t>(limits.max_rank)) {
      member.refuse("tensor {}: {} dimensions, at most {} expected", in_quotes(key), rank, limits.max_rank);
    }
    member.skip(4);  // the rank was written as 8 bytes
    for (Dims* dims : {&tensor.dims, &tensor.strides}) {
      for (int64_t axis = 0; axis < rank; ++axis) dims->push_back(member.i64());
    }
    tensor.offset = member.i64();
    for (const int64_t number : tensor.dims) {
      if (number < 0) member.refuse("tensor {} of {}", in_quotes(key), to_string(tensor.dims));
    }
    for (const int64_t number : tensor.strides) {
      if (number < 0) member.refuse("tensor {} with strides {}", in_quotes(key), to_string(tensor.strides));
    }
    if (!tables->tensors.emplace(key, tensor).second) member.refuse("tensor {} is there twice", in_quotes(key));
  }
  member.expect_end();
}

/// The view that `key` names, of a storage that the machine then knows.
PickleValue find_storage(PickleMachine& machine, const Tables& tables, const std::string& key) {
  const auto view = tables.views.find(key);
  const std::string& root = view == tables.views.end() ? key : view->second.storage;
  const auto storage = tables.storages.find(root);
  if (storage == tables.storages.end()) machine.refuse("a persistent id {}, which no member has", in_quotes(key));
  const PickleValue whole = machine.make_storage({root, storage->second.type, storage->second.count});
  if (view == tables.views.end()) return whole;
  StorageView part = machine.objects().views[whole.payload];
  part.begin = view->second.offset * part.type->bytes;
  part.bytes = view->second.count * part.type->bytes;
  return machine.make_view(part);
}

PickleValue find_persistent(PickleMachine& machine, const Tables& tables, const PickleValue& id) {
  if (id.kind != PickleKind::kText && id.kind != PickleKind::kInt) {
    machine.refuse("a persistent id that is {}, expected the key of a tensor", kind_name(id.kind));
  }
  const std::string key =
      id.kind == PickleKind::kInt ? std::to_string(id.number()) : std::string(machine.objects().text(id));
  const auto tensor = tables.tensors.find(key);
  if (tensor == tables.tensors.end()) return find_storage(machine, tables, key);
  const PickleValue storage = find_storage(machine, tables, tensor->second.storage);
  const StorageView view = machine.objects().views[storage.payload];
  PickledTensor shape;
  shape.dims = tensor->second.dims;
  shape.strides = tensor->second.strides;
  return Rebuilder(machine).view_tensor(view, tensor->second.offset, std::move(shape));
}

}  // namespace

TorchContent read_torch_tar(const FileRange& file) {
  const std::vector<ArchiveMember> members = read_tar(file);
  Tables tables;
  read_storages(Member(file, members, "storages"), &tables);
  read_tensors(Member(file, members, "tensors"), {}, &tables);
  const FileRange source = Member(file, members, "pickle").range();
  PickleMachine machine(source, 0, [&tables](PickleMachine& machine, const PickleValue& id) {
    return find_persistent(machine, tables, id);
  });
  const PickleValue root = machine.run();
  if (machine.end() != source.size()) {
    source.refuse(machine.end(), "the pickle ends here, expected it to end with its member at byte {}", source.size());
  }
  TorchContent content{source, std::move(machine.objects()), root, {}, {}};
  for (const PickledStorage& storage : content.objects.storages) {
    content.offsets.push_back(tables.storages.at(storage.key).offset);
  }
  return content;
}

}  // namespace gamut
