#include "checkpoint/pytorch/rebuilder.h"

#include "checkpoint/pytorch/torch_file.h"
#include "checkpoint/pytorch/torch_testing.h"

namespace gamut {
namespace {

using test::call;
using test::dict;
using test::global;
using test::integer;
using test::kNoHooks;
using test::numbers;
using test::program;
using test::storage;
using test::tensor;
using test::text;
using test::tuple;

const std::string kSix = storage("FloatStorage", "0", 6);
const std::string kV1 = global("torch._utils", "_rebuild_tensor"), kV2 = global("torch._utils", "_rebuild_tensor_v2");
const std::string kV3 = global("torch._utils", "_rebuild_tensor_v3");
const std::string kParameter = global("torch.nn.parameter", "Parameter");
const std::string kRebuildParameter = global("torch._utils", "_rebuild_parameter");
const std::string kFromType = global("torch._tensor", "_rebuild_from_type_v2");
const std::string kOnDevice = global("torch._utils", "_rebuild_device_tensor_from_cpu_tensor");
const std::string kTwo = numbers({2}), kOne = numbers({1});

/// The tensor that a pickle of `body` is.
PickledTensor made(const std::string& body) {
  const std::string pickle = program(body);
  PickleMachine machine(FileRange(pickle, "f"), 0, persistent_storage);
  const PickleValue value = machine.run();
  EXPECT_EQ(value.kind, PickleKind::kTensor);
  return machine.objects().tensors.at(value.payload);
}
void refuses(const std::string& body, const std::string& part) {
  SCOPED_TRACE(part);
  const std::string pickle = program(body);
  test::expect_refusal(
      [&] {
        PickleMachine machine(FileRange(pickle, "f"), 0, persistent_storage);
        machine.run();
      },
      part, "f: byte ");
}
void refuses_shape(int64_t offset, const std::vector<int64_t>& size, const std::vector<int64_t>& stride,
                   const std::string& part) {
  refuses(tensor(kSix, offset, size, stride), part);
}

TEST(Rebuilder, DescribesTensors) {
  const PickledTensor view = made(tensor(kSix, 1, {2, 2}, {3, 1}));
  EXPECT_EQ(view.dims, (Dims{2, 2}));
  EXPECT_EQ(view.strides, (Dims{3, 1}));
  EXPECT_EQ(view.begin, 4);
  EXPECT_EQ(view.type->name, "float32");
  EXPECT_EQ(made(tensor(kSix, 700, {0, 3}, {3, 1})).begin, 0);
  EXPECT_TRUE(made(tensor(kSix, 5, {}, {})).is_set);
  EXPECT_TRUE(made(tensor(kSix, 5, {1000}, {0})).is_set);
  const std::string bytes =
      tuple({text("storage"), global("torch.storage", "UntypedStorage"), text("0"), text("cpu"), "K\x06"}) + "Q";
  const PickledTensor v3 = made(call(kV3, {bytes, "K\1", kTwo, kOne, "\x89", "N", global("torch", "uint16")}));
  EXPECT_EQ(v3.begin, 2);
  EXPECT_EQ(v3.type->dtype, DType::kU16);
  EXPECT_EQ(made(call(kV1, {kSix, "K\2", call(global("torch", "Size"), {kTwo}), kOne})).begin, 8);
}

TEST(Rebuilder, RefusesForgedSizesAndStrides) {
  const std::string beyond = "but storage \"0\" has 6 elements of float32";
  refuses_shape(0, {7}, {1}, beyond);
  refuses_shape(1, {6}, {1}, beyond);
  refuses_shape(-1, {1}, {1}, beyond);
  refuses_shape(-1, {0}, {1}, beyond);
  refuses_shape(INT64_MAX, {1}, {1}, beyond);
  refuses_shape(0, {2, 3}, {4, 1}, beyond);
  refuses_shape(0, {2}, {INT64_MAX}, beyond);
  refuses_shape(0, {INT64_MAX, INT64_MAX}, {1, 1}, beyond);
  refuses_shape(0, {INT64_MAX, 2}, {0, 0}, beyond);
  refuses_shape(0, {INT64_MAX / 2}, {0}, beyond);
  refuses_shape(0, {INT64_MAX, INT64_MAX, 0}, {0, 0, 0}, beyond);
  refuses_shape(0, {2, 3}, {1}, "expected one for each dimension");
  refuses_shape(0, {-1}, {1}, "a tensor's size: -1, expected numbers from 0 on");
  refuses_shape(0, {2}, {-1}, "a tensor's stride: -1");
  refuses_shape(0, std::vector<int64_t>(17, 1), std::vector<int64_t>(17, 1), "17 dimensions, at most 16 expected");
  refuses_shape(0, std::vector<int64_t>(65, 1), {1}, "65 values, at most 64 expected");
  const std::string part = tuple({text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu"), "K\6",
                                  tuple({text("v"), "K\2", "K\2"})}) +
                           "Q";
  EXPECT_EQ(made(tensor(part, 1, {1}, {1})).begin, 12);
  refuses(tensor(part, 0, {3}, {1}), "has 2 elements");
}

TEST(Rebuilder, RefusesOtherArguments) {
  refuses(call(kV2, {"N", "K\0", kTwo, kOne, "\x89", kNoHooks}), "expected");
  refuses(call(kV2, {"N", integer(0), kTwo, kOne, "\x89", kNoHooks}), "a tensor's storage: None, expected a storage");
  refuses(call(kV2, {kSix, "N", kTwo, kOne, "\x89", kNoHooks}), "a tensor's offset: None, expected an integer");
  refuses(call(kV2, {kSix, integer(0), "N", kOne, "\x89", kNoHooks}), "a tensor's size: None, expected a tuple");
  refuses(call(kV2, {kSix, integer(0), tuple({"N"}), kOne, "\x89", kNoHooks}),
          "a tensor's size: None, expected an integer");
  refuses(call(kV2, {kSix, integer(0), kTwo, kOne, "N", kNoHooks}), "requires_grad: None");
  refuses(call(kV2, {kSix, integer(0), kTwo, kOne, "\x89", "K\1"}), "backward hooks: an integer");
  refuses(call(kV2, {kSix, integer(0), kTwo, kOne, "\x89"}), "5 values, expected 6 to 7");
  refuses(call(kV1, {kSix, integer(0), kTwo}), "3 values, expected 4 to 4");
  refuses(call(kV3, {kSix, integer(0), kTwo, kOne, "\x89", "N", "N"}), "a dtype: None");
  refuses(call(kV3, {kSix, integer(0), kTwo, kOne, "\x89", "N", kParameter}), "a function or class, expected a dtype");
  refuses(kV2 + "NR", "the arguments: None, expected a tuple");
  refuses("N)R", "what REDUCE calls: None");
  refuses(global("torch", "float32") + ")R", "a call of a dtype");
  refuses(global("torch", "FloatStorage") + ")R", "a call of a dtype or of a class of storages");
  refuses(kV2 + ")\x81", "NEWOBJ of something that is no class");
  refuses("N)\x81", "the class of NEWOBJ: None");
}

TEST(Rebuilder, ChecksMetadata) {
  auto with = [](const std::string& metadata) {
    return call(kV2, {kSix, integer(0), kTwo, kOne, "\x89", "N", metadata});
  };
  EXPECT_TRUE(made(with("N")).is_set);
  EXPECT_TRUE(made(with(dict({text("conj"), "\x89", text("neg"), "\x89"}))).is_set);
  refuses(with(dict({text("conj"), "\x88"})), "whose \"conj\" bit is set");
  refuses(with(dict({text("neg"), "\x88"})), "whose \"neg\" bit is set");
  refuses(with(dict({text("new"), "K\1"})), "whose \"new\" bit is set");
  refuses(with(dict({"N", "\x89"})), "a key of a tensor's metadata: None");
  refuses(with("K\1"), "a tensor's metadata: an integer");
  std::string many;
  for (int i = 0; i < 40; ++i) many += text("conj") + "\x89";
  refuses(with(dict({many})), "a tensor's metadata with 40 entries");
}

TEST(Rebuilder, MakesParameters) {
  const std::string data = tensor(kSix, 0, {2}, {1});
  EXPECT_TRUE(made(call(kRebuildParameter, {data, "\x88", kNoHooks})).is_set);
  EXPECT_TRUE(
      made(call(global("torch._utils", "_rebuild_parameter_with_state"), {data, "\x88", kNoHooks, "}"})).is_set);
  EXPECT_TRUE(made(call(kParameter, {data})).is_set);
  EXPECT_TRUE(made(kParameter + tuple({data, "\x88"}) + "\x81").is_set);
  refuses(call(kRebuildParameter, {"N", "\x88", kNoHooks}), "a parameter's data: None");
  refuses(call(kRebuildParameter, {data, "N", kNoHooks}), "requires_grad: None");
  refuses(call(kRebuildParameter, {data, "\x88", "K\1"}), "backward hooks");
  refuses(call(kRebuildParameter, {data}), "1 values, expected 3 to 4");
  refuses(call(kParameter, {data, "\x88", "N"}), "3 values, expected 0 to 2");
}

TEST(Rebuilder, MakesTensorsWithAttributes) {
  const std::string tensor_class = global("torch", "Tensor"), inner = tuple({kSix, integer(0), kTwo, kOne});
  EXPECT_TRUE(made(call(kFromType, {kV1, tensor_class, inner, "}"})).is_set);
  EXPECT_TRUE(
      made(call(kFromType, {kRebuildParameter, kParameter, tuple({tensor(kSix, 0, {2}, {1}), "\x88", "N"}), "}"}))
          .is_set);
  refuses(call(kFromType, {kV1, global("torch", "float32"), inner, "}"}), "a tensor of another class");
  refuses(call(kFromType, {kFromType, tensor_class, inner, "}"}), "a tensor made by another function");
  refuses(call(kFromType, {"N", tensor_class, inner, "}"}), "a function: None");
  refuses(call(kFromType, {kV1, tensor_class, "N", "}"}), "the arguments of its function: None");
  refuses(call(kFromType, {kV1, tensor_class, inner}), "3 values, expected 4");
  const std::string data = tensor(kSix, 0, {2}, {1}), cpu = text("cpu");
  EXPECT_TRUE(made(call(kOnDevice, {data, global("torch", "float32"), cpu, "\x89"})).is_set);
  refuses(call(kOnDevice, {data, global("torch", "float16"), cpu, "\x89"}), "another dtype than its data");
  refuses(call(kOnDevice, {"N", global("torch", "float16"), cpu, "\x89"}), "the tensor of a device: None");
  refuses(call(kOnDevice, {data}), "1 values, expected 4");
}

TEST(Rebuilder, GivesOldTensorsTheirData) {
  const std::string state = tuple({kSix, integer(1), kTwo, kOne}), floats = global("torch", "FloatTensor");
  EXPECT_EQ(made(floats + ")\x81" + state + "b").begin, 4);
  EXPECT_EQ(made(floats + ")R" + state + "b").begin, 4);
  EXPECT_FALSE(made(floats + ")\x81").is_set);
  EXPECT_EQ(made(kParameter + ")\x81" + state + "b").begin, 4);
  const std::string data = tensor(kSix, 2, {2}, {1});
  EXPECT_EQ(made(kParameter + ")\x81" + tuple({data, "N", "N", "\x88", "N"}) + "b").begin, 8);
  refuses(global("torch", "HalfTensor") + ")\x81" + state + "b", "a tensor of float16 with data of float32");
  refuses(floats + ")\x81" + tuple({kParameter + ")\x81", "N", "N", "N", "N"}) + "b", "with data of none");
  refuses(data + state + "b", "BUILD of a tensor that has its data already");
  refuses(floats + ")\x81" + tuple({"N", "N", "N", "N", "N"}) + "b", "a parameter's data: None");
  refuses(floats + ")\x81" + tuple({kSix}) + "b", "1 values, expected 4 to 4");
  refuses(floats +
              ")\x81"
              "Nb",
          "the state of a tensor: None");
  refuses(floats + "(Nt\x81", "1 values, expected 0 to 0");
  refuses("}}b", "what BUILD changes: a dict");
  refuses(kNoHooks + "Nb", "a dict's state: None");
  refuses("]}b", "what BUILD changes: a list");
}

TEST(Rebuilder, MakesDictsAndOtherValues) {
  auto kind = [](const std::string& body) {
    const std::string pickle = program(body);
    PickleMachine machine(FileRange(pickle, "f"), 0, persistent_storage);
    return machine.run().kind;
  };
  const std::string ordered = global("collections", "OrderedDict");
  EXPECT_EQ(kind(ordered + ")R}b"), PickleKind::kDict);
  EXPECT_EQ(kind(ordered + ")\x81"), PickleKind::kDict);
  EXPECT_EQ(kind(call(ordered, {"](](NNeNN\x86"
                                "e"})),
            PickleKind::kDict);
  EXPECT_EQ(kind(call(global("collections", "Counter"), {dict({text("a"), "K\1"})})), PickleKind::kDict);
  EXPECT_EQ(kind(call(global("_codecs", "encode"), {text("a"), text("latin1")})), PickleKind::kBytes);
  EXPECT_EQ(kind(call(global("builtins", "complex"), {"N", "N"})), PickleKind::kOpaque);
  EXPECT_EQ(kind(call(global("__builtin__", "bytearray"), {"N"})), PickleKind::kOpaque);
  EXPECT_EQ(kind(global("__builtin__", "set") + tuple({"]"}) + "\x81"), PickleKind::kOpaque);
  EXPECT_EQ(kind(call(global("torch", "device"), {text("cpu")})), PickleKind::kOpaque);
  EXPECT_EQ(kind(global("torch", "Size") + tuple({kTwo}) + "\x81"), PickleKind::kTuple);
  refuses(call(ordered, {"N"}), "the items of a dict: None");
  refuses(call(ordered, {"](](Nee"}), "1 values, expected 2 to 2");
  refuses(call(ordered, {"](Ne"}), "an item of a dict: None");
  refuses(call(ordered, {"]", "]"}), "2 values, expected 0 to 1");
  refuses(call(global("_codecs", "encode"), {"N"}), "what _codecs.encode takes: None");
  refuses(call(global("torch", "Size"), {"N"}), "torch.Size: None");
  refuses(call(global("torch", "Size"), {}), "0 values, expected 1 to 1");
}

}  // namespace
}  // namespace gamut
