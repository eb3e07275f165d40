// What the functions and classes of a checkpoint's pickle do here: they describe tensors, with every number checked.
#pragma once

#include <vector>

#include "checkpoint/pytorch/pickle_machine.h"

namespace gamut {

/// The effects of REDUCE, NEWOBJ and BUILD. Throws as PickleMachine does.
class Rebuilder {
 public:
  explicit Rebuilder(PickleMachine& machine) : machine_(machine) {}

  /// The value of `function` applied to the tuple `arguments`.
  PickleValue call(const PickleValue& function, const PickleValue& arguments);
  /// A new object of a class.
  PickleValue make(const PickleValue& type, const PickleValue& arguments);
  /// Gives an object its state: the data of a tensor of an old form, or attributes, which nobody asks for.
  void set_state(const PickleValue& object, const PickleValue& state);
  /// A tensor over elements of a view, from element `offset` on; of the view's type when that of `shape` is null.
  PickleValue view_tensor(const StorageView& view, int64_t offset, PickledTensor shape);

 private:
  using Items = std::vector<PickleValue>;

  PickleValue call_rebuilder(GlobalKind kind, const Items& arguments);
  PickleValue make_object(const Global& type, const Items& arguments);
  PickleValue make_dict(const Items& arguments);
  PickleValue make_parameter(const Items& arguments);
  PickleValue rebuild_tensor(const Items& arguments, const TorchType* type, size_t metadata);
  PickleValue rebuild_from_type(const Items& arguments);
  PickleValue rebuild_device_tensor(const Items& arguments);

  /// The tensor that arguments 0 to 3, storage, offset, size and stride, describe; of the storage's type when `type` is
  /// null.
  PickledTensor describe(const Items& arguments, const TorchType* type) const;
  /// Gives `shape`, which has dims and strides, its place; refuses one that reaches beyond its storage.
  PickledTensor place(const StorageView& view, int64_t offset, PickledTensor shape) const;
  void check_metadata(const PickleValue& metadata) const;

  Items items_of(const PickleValue& tuple, const char* what) const;
  const Global& global_of(const PickleValue& value, const char* what) const;
  const TorchType* dtype_of(const PickleValue& value) const;
  Dims dims_of(const PickleValue& value, const char* what) const;
  void expect(const PickleValue& value, PickleKind kind, const char* what) const;
  void expect_hooks(const PickleValue& value) const;
  void expect_count(const Items& arguments, size_t least, size_t most) const;

  PickleMachine& machine_;
};

}  // namespace gamut
