#include "checkpoint/pytorch/rebuilder.h"

#include <algorithm>

#include "base/checked.h"

namespace gamut {
namespace {

/// More values than any function here takes, and than a tensor has dimensions; what is copied at once stays this short.
constexpr size_t kMaxArguments = 64;

}  // namespace

PickleValue Rebuilder::call(const PickleValue& function, const PickleValue& arguments) {
  const Global global = global_of(function, "what REDUCE calls");
  const Items items = items_of(arguments, "the arguments");
  switch (global.kind) {
    case GlobalKind::kRebuildTensor:
    case GlobalKind::kRebuildTensorV2:
    case GlobalKind::kRebuildTensorV3:
    case GlobalKind::kRebuildParameter:
    case GlobalKind::kRebuildDeviceTensor: return call_rebuilder(global.kind, items);
    case GlobalKind::kRebuildFromType: return rebuild_from_type(items);
    default: return make_object(global, items);
  }
}

PickleValue Rebuilder::make(const PickleValue& type, const PickleValue& arguments) {
  const Global global = global_of(type, "the class of NEWOBJ");
  const Items items = items_of(arguments, "the arguments");
  switch (global.kind) {
    case GlobalKind::kOrderedDict:
    case GlobalKind::kParameter:
    case GlobalKind::kTensorClass:
    case GlobalKind::kSet:
    case GlobalKind::kSize: return make_object(global, items);
    default: machine_.refuse("NEWOBJ of something that is no class of tensors, dicts or sizes");
  }
}

PickleValue Rebuilder::call_rebuilder(GlobalKind kind, const Items& arguments) {
  switch (kind) {
    case GlobalKind::kRebuildTensor: expect_count(arguments, 4, 4); return rebuild_tensor(arguments, nullptr, 4);
    case GlobalKind::kRebuildTensorV2: expect_count(arguments, 6, 7); return rebuild_tensor(arguments, nullptr, 6);
    case GlobalKind::kRebuildTensorV3:
      expect_count(arguments, 7, 8);
      return rebuild_tensor(arguments, dtype_of(arguments[6]), 7);
    case GlobalKind::kRebuildParameter:
      expect_count(arguments, 3, 4);
      expect_hooks(arguments[2]);
      return make_parameter({arguments[0], arguments[1]});
    default: return rebuild_device_tensor(arguments);
  }
}

/// A class or a small function applied to arguments.
PickleValue Rebuilder::make_object(const Global& type, const Items& arguments) {
  switch (type.kind) {
    case GlobalKind::kOrderedDict: return make_dict(arguments);
    case GlobalKind::kParameter: return make_parameter(arguments);
    case GlobalKind::kTensorClass: {
      expect_count(arguments, 0, 0);
      PickledTensor tensor;
      tensor.type = type.type;
      return machine_.make_tensor(std::move(tensor));
    }
    case GlobalKind::kSize:
      expect_count(arguments, 1, 1);
      dims_of(arguments[0], "torch.Size");
      return arguments[0];
    case GlobalKind::kEncode: {
      expect_count(arguments, 1, 2);
      expect(arguments[0], PickleKind::kText, "what _codecs.encode takes");
      PickleValue bytes = arguments[0];
      bytes.kind = PickleKind::kBytes;
      return bytes;
    }
    case GlobalKind::kBytes:
    case GlobalKind::kSet:
    case GlobalKind::kOpaque: return {PickleKind::kOpaque};
    default: machine_.refuse("a call of a dtype or of a class of storages, expected one that makes a tensor");
  }
}

/// OrderedDict() or, as Python 2 writes it, OrderedDict([[key, value], …]).
PickleValue Rebuilder::make_dict(const Items& arguments) {
  expect_count(arguments, 0, 1);
  Items pairs;
  if (!arguments.empty()) {
    const bool is_dict = arguments[0].kind == PickleKind::kDict;
    if (!is_dict) expect(arguments[0], PickleKind::kList, "the items of a dict");
    for (const PickleValue& item : machine_.objects().items(arguments[0])) {
      if (is_dict) {
        pairs.push_back(item);
        continue;
      }
      const Items pair = items_of(item, "an item of a dict");
      expect_count(pair, 2, 2);
      pairs.insert(pairs.end(), pair.begin(), pair.end());
    }
  }
  const PickleValue dict = machine_.make_dict(true);
  machine_.fill(dict, std::move(pairs));
  return dict;
}

/// Parameter(tensor[, requires_grad]), or Parameter(), which is given its tensor by BUILD.
PickleValue Rebuilder::make_parameter(const Items& arguments) {
  expect_count(arguments, 0, 2);
  if (arguments.empty()) return machine_.make_tensor({});
  expect(arguments[0], PickleKind::kTensor, "a parameter's data");
  if (arguments.size() == 2) expect(arguments[1], PickleKind::kBool, "requires_grad");
  return arguments[0];
}

PickleValue Rebuilder::rebuild_tensor(const Items& arguments, const TorchType* type, size_t metadata) {
  PickledTensor tensor = describe(arguments, type);
  if (arguments.size() > 4) {
    expect(arguments[4], PickleKind::kBool, "requires_grad");
    expect_hooks(arguments[5]);
  }
  if (arguments.size() > metadata) check_metadata(arguments[metadata]);
  return machine_.make_tensor(std::move(tensor));
}

/// _rebuild_from_type_v2(function, type, arguments, state): a tensor with attributes of Python's own, which are left.
PickleValue Rebuilder::rebuild_from_type(const Items& arguments) {
  expect_count(arguments, 4, 4);
  const Global function = global_of(arguments[0], "a function");
  const Global type = global_of(arguments[1], "a class");
  if (type.kind != GlobalKind::kTensorClass && type.kind != GlobalKind::kParameter) {
    machine_.refuse("a tensor of another class, expected torch.Tensor or Parameter");
  }
  const Items inner = items_of(arguments[2], "the arguments of its function");
  switch (function.kind) {
    case GlobalKind::kRebuildTensor:
    case GlobalKind::kRebuildTensorV2:
    case GlobalKind::kRebuildTensorV3:
    case GlobalKind::kRebuildParameter: return call_rebuilder(function.kind, inner);
    default: machine_.refuse("a tensor made by another function, expected _rebuild_tensor and its like");
  }
}

PickleValue Rebuilder::rebuild_device_tensor(const Items& arguments) {
  expect_count(arguments, 4, 4);
  expect(arguments[0], PickleKind::kTensor, "the tensor of a device");
  const TorchType* type = machine_.objects().tensors[arguments[0].payload].type;
  if (dtype_of(arguments[1]) != type) machine_.refuse("the tensor of a device with another dtype than its data");
  return arguments[0];
}

void Rebuilder::set_state(const PickleValue& object, const PickleValue& state) {
  if (object.kind == PickleKind::kDict && object.size == 1) return expect(state, PickleKind::kDict, "a dict's state");
  expect(object, PickleKind::kTensor, "what BUILD changes");
  if (machine_.objects().tensors[object.payload].is_set) machine_.refuse("BUILD of a tensor that has its data already");
  const Items items = items_of(state, "the state of a tensor");
  PickledTensor data;
  if (items.size() == 5) {  // a variable: its data, three attributes, hooks
    expect(items[0], PickleKind::kTensor, "a parameter's data");
    data = machine_.objects().tensors[items[0].payload];
  } else {
    expect_count(items, 4, 4);
    data = describe(items, nullptr);
  }
  PickledTensor& tensor = machine_.objects().tensors[object.payload];
  if (tensor.type != nullptr && tensor.type != data.type) {
    machine_.refuse("a tensor of {} with data of {}", tensor.type->name,
                    data.type == nullptr ? "none" : data.type->name);
  }
  tensor = std::move(data);
}

PickledTensor Rebuilder::describe(const Items& arguments, const TorchType* type) const {
  expect(arguments[0], PickleKind::kStorage, "a tensor's storage");
  expect(arguments[1], PickleKind::kInt, "a tensor's offset");
  PickledTensor shape;
  shape.type = type;
  shape.dims = dims_of(arguments[2], "a tensor's size");
  shape.strides = dims_of(arguments[3], "a tensor's stride");
  return place(machine_.objects().views[arguments[0].payload], arguments[1].number(), std::move(shape));
}

PickleValue Rebuilder::view_tensor(const StorageView& view, int64_t offset, PickledTensor shape) {
  return machine_.make_tensor(place(view, offset, std::move(shape)));
}

PickledTensor Rebuilder::place(const StorageView& view, int64_t offset, PickledTensor shape) const {
  if (shape.type == nullptr) shape.type = view.type;
  const std::string dims = to_string(shape.dims), strides = to_string(shape.strides);
  if (shape.dims.size() != shape.strides.size()) {
    machine_.refuse("a tensor of {} with strides {}, expected one for each dimension", dims, strides);
  }
  Checked end(offset), count(1);
  for (size_t i = 0; i < shape.dims.size(); ++i) {
    count = count * shape.dims[i];
    end = end + Checked(shape.dims[i] - 1) * shape.strides[i];
  }
  const bool is_empty = std::ranges::find(shape.dims, 0) != shape.dims.end();
  // PyTorch gives a tensor without elements any offset.
  const Checked end_byte = is_empty ? Checked(0) : (end + 1) * shape.type->bytes;
  const Checked bytes = count * shape.type->bytes;
  if (offset < 0 || !bytes.valid() || !end_byte.valid() || *end_byte.value() > view.bytes) {
    machine_.refuse("a tensor of {} with strides {} from element {} on, but storage {} has {} elements of {}", dims,
                    strides, offset, in_quotes(machine_.objects().storages[view.storage].key),
                    view.bytes / shape.type->bytes, shape.type->name);
  }
  shape.storage = view.storage;
  shape.begin = view.begin + (is_empty ? 0 : offset * shape.type->bytes);
  shape.is_set = true;
  return shape;
}

/// Values that are stored conjugated or negated would be read as what they are not.
void Rebuilder::check_metadata(const PickleValue& metadata) const {
  if (metadata.kind == PickleKind::kNone) return;
  expect(metadata, PickleKind::kDict, "a tensor's metadata");
  const auto items = machine_.objects().items(metadata);
  if (items.size() > kMaxArguments) machine_.refuse("a tensor's metadata with {} entries", items.size() / 2);
  for (size_t i = 0; i + 1 < items.size(); i += 2) {
    expect(items[i], PickleKind::kText, "a key of a tensor's metadata");
    const std::string_view key = machine_.objects().text(items[i]);
    const bool is_false = items[i + 1].kind == PickleKind::kBool && items[i + 1].payload == 0;
    if (is_false) continue;
    machine_.refuse_as(ErrorCode::kUnsupported,
                       fmt::format("a tensor whose {} bit is set, expected its values as they are", in_quotes(key)));
  }
}

Rebuilder::Items Rebuilder::items_of(const PickleValue& tuple, const char* what) const {
  if (tuple.kind != PickleKind::kTuple && tuple.kind != PickleKind::kList) {
    machine_.refuse("{}: {}, expected a tuple", what, kind_name(tuple.kind));
  }
  const auto items = machine_.objects().items(tuple);
  if (items.size() > kMaxArguments) {
    machine_.refuse("{}: {} values, at most {} expected", what, items.size(), kMaxArguments);
  }
  return {items.begin(), items.end()};
}

const Global& Rebuilder::global_of(const PickleValue& value, const char* what) const {
  expect(value, PickleKind::kGlobal, what);
  return machine_.objects().globals[value.payload];
}

const TorchType* Rebuilder::dtype_of(const PickleValue& value) const {
  const Global& global = global_of(value, "a dtype");
  if (global.kind != GlobalKind::kType) machine_.refuse("a function or class, expected a dtype");
  return global.type;
}

/// Numbers from 0 to 2^63-1, as many as a tensor may have dimensions.
Dims Rebuilder::dims_of(const PickleValue& value, const char* what) const {
  const Items items = items_of(value, what);
  const size_t most = machine_.limits().max_rank;
  if (items.size() > most) machine_.refuse("{}: {} dimensions, at most {} expected", what, items.size(), most);
  Dims dims;
  for (const PickleValue& item : items) {
    expect(item, PickleKind::kInt, what);
    if (item.number() < 0) machine_.refuse("{}: {}, expected numbers from 0 on", what, item.number());
    dims.push_back(item.number());
  }
  return dims;
}

void Rebuilder::expect(const PickleValue& value, PickleKind kind, const char* what) const {
  if (value.kind != kind) machine_.refuse("{}: {}, expected {}", what, kind_name(value.kind), kind_name(kind));
}

void Rebuilder::expect_hooks(const PickleValue& value) const {
  if (value.kind != PickleKind::kNone) expect(value, PickleKind::kDict, "backward hooks");
}

void Rebuilder::expect_count(const Items& arguments, size_t least, size_t most) const {
  if (arguments.size() >= least && arguments.size() <= most) return;
  machine_.refuse("{} values, expected {} to {}", arguments.size(), least, most);
}

}  // namespace gamut
