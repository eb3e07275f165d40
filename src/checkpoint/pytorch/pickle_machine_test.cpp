#include "checkpoint/pytorch/pickle_machine.h"

#include "checkpoint/pytorch/torch_file.h"
#include "checkpoint/pytorch/torch_testing.h"

namespace gamut {
namespace {

using test::call;
using test::global;
using test::integer;
using test::number;
using test::numbers;
using test::program;
using test::storage;
using test::tensor;
using test::text;
using test::tuple;

PickleValue run(const std::string& pickle, const PickleLimits& limits = {}) {
  PickleMachine machine(FileRange(pickle, "f"), 0, persistent_storage, limits);
  return machine.run();
}
void refuses(const std::string& pickle, const std::string& part, const PickleLimits& limits = {}) {
  SCOPED_TRACE(part);
  test::expect_refusal([&] { run(pickle, limits); }, part, "f: byte ");
}
void refuses_body(const std::string& body, const std::string& part) { refuses(program(body), part); }

TEST(PickleMachine, MakesPlainValues) {
  EXPECT_EQ(run("N.").kind, PickleKind::kNone);
  EXPECT_EQ(run("\x88.").payload, 1u);
  EXPECT_EQ(run("\x89.").payload, 0u);
  EXPECT_EQ(run("J\xff\xff\xff\xff.").number(), -1);
  EXPECT_EQ(run("K\xff.").number(), 255);
  EXPECT_EQ(run("M\xff\xff.").number(), 65535);
  EXPECT_EQ(run("G" + std::string(8, 'x') + ".").kind, PickleKind::kFloat);
  EXPECT_EQ(run(std::string("\x8a\x00.", 3)).number(), 0);
  EXPECT_EQ(run("\x8a\x01\xff.").number(), -1);
  EXPECT_EQ(run(std::string("\x8a\x02\xff\x00.", 5)).number(), 255);
  EXPECT_EQ(run(integer(INT64_MIN) + ".").number(), INT64_MIN);
  EXPECT_EQ(run("\x8a\x09" + std::string(9, 'x') + ".").kind, PickleKind::kLong);
  EXPECT_EQ(run("\x8f.").kind, PickleKind::kOpaque);
  EXPECT_EQ(run(").").size, 0u);
  EXPECT_EQ(run("NN\x86.").size, 2u);
  EXPECT_EQ(run("NNN\x87\x85.").size, 1u);
  EXPECT_EQ(run("]Na.").kind, PickleKind::kList);
  EXPECT_EQ(run("](NNe.").kind, PickleKind::kList);
  EXPECT_EQ(run("}NNs.").kind, PickleKind::kDict);
  EXPECT_EQ(run("}(NNNNu.").kind, PickleKind::kDict);
}

TEST(PickleMachine, KeepsTexts) {
  const std::string pickle = text("größe") + "q" + std::string(1, '\0') + std::string("U\x03") + "abc" + "\x86" + "h" +
                             std::string(1, '\0') + "\x86" + std::string("r\x01\0\0\0", 5) +
                             std::string("j\x01\0\0\0", 5) + "\x86.";
  PickleMachine machine(FileRange(pickle, "f"), 0);
  const PickleValue value = machine.run();
  const PickleValue inner = machine.objects().items(machine.objects().items(value)[1])[0];
  EXPECT_EQ(machine.objects().text(machine.objects().items(inner)[0]), "größe");
  EXPECT_EQ(machine.objects().text(machine.objects().items(inner)[1]), "abc");
  EXPECT_EQ(machine.end(), pickle.size());
}

TEST(PickleMachine, RefusesEveryOtherOpcode) {
  const std::string known =
      "\x80.c\x81R"
      "b"
      "aesu(t\x85\x86\x87N\x88\x89)]}\x8fJKMGXUQhjqr\x8a";
  ASSERT_EQ(known.size(), 34u);
  size_t refused = 0;
  for (int opcode = 0; opcode < 256; ++opcode) {
    if (known.find(static_cast<char>(opcode)) != known.npos) continue;
    char shown[16];
    std::snprintf(shown, sizeof shown, "(0x%02x)", opcode);
    refuses_body("NNN" + std::string(1, static_cast<char>(opcode)) + std::string(20, '\0'), shown);
    ++refused;
  }
  EXPECT_EQ(refused, 222u);
  for (const auto& [code, name] : {std::pair<char, const char*>{'i', "INST"},
                                   {'o', "OBJ"},
                                   {'\x93', "STACK_GLOBAL"},
                                   {'\x82', "EXT1"},
                                   {'\x92', "NEWOBJ_EX"}}) {
    refuses_body(std::string(1, code), std::string("byte 2: opcode ") + name);
  }
}

TEST(PickleMachine, RefusesEveryOtherGlobal) {
  for (const auto& [module, name] :
       std::vector<std::pair<std::string, std::string>>{{"os", "system"},
                                                        {"posix", "system"},
                                                        {"nt", "system"},
                                                        {"subprocess", "Popen"},
                                                        {"builtins", "eval"},
                                                        {"builtins", "exec"},
                                                        {"builtins", "getattr"},
                                                        {"__builtin__", "eval"},
                                                        {"sys", "modules"},
                                                        {"runpy", "run_path"},
                                                        {"torch", "load"},
                                                        {"torch", "FloatStorage.from_file"},
                                                        {"torch", "Storage"},
                                                        {"torch", "xStorage"},
                                                        {"torch.hub", "load"},
                                                        {"torch.jit", "load"},
                                                        {"torch._utils", "_rebuild_tensor_v4"},
                                                        {"torch.sparse", "Module"},
                                                        {"collections", "deque"},
                                                        {"numpy.core.multiarray", "_reconstruct"},
                                                        {"numpy", "dtype"},
                                                        {"torch.cuda", "float32"},
                                                        {"", ""},
                                                        {"torch", ""},
                                                        {"collections.OrderedDict", "__init__"},
                                                        {"torch\xff", "x\x01"}}) {
    refuses_body(global(module, name), "is not one that a state dict needs");
  }
  refuses_body(global("os", "system"), "byte 2: global \"os.system\"");
  for (const auto& [module, name] :
       std::vector<std::pair<std::string, std::string>>{{"torch._utils", "_rebuild_sparse_tensor"},
                                                        {"torch._utils", "_rebuild_qtensor"},
                                                        {"torch.sparse", "FloatTensor"},
                                                        {"torch.cuda.sparse", "HalfTensor"},
                                                        {"torch.storage", "TypedStorage"}}) {
    refuses_body(global(module, name), "sparse, quantised and wrapped tensors are not read");
  }
  refuses_body("c" + std::string(300, 'x'), "a name of more than 256 bytes");
}

TEST(PickleMachine, RefusesAStackThatDoesNotFit) {
  for (const char* body : {"a",    "s", "e",  "u",   "t", "\x85", "N\x86",  "NN\x87", "R",  "NR",
                           "\x81", "b", "Nb", "q\1", "Q", "(q\1", "N(\x85", "(e",     "(u", "N(NNa"}) {
    test::expect_refusal([&] { run(program(body)); }, "expected", "f: byte ");
  }
  refuses_body("", "nothing on the stack");
  refuses_body("NN", "STOP with 1 more values");
  refuses_body("N(", "STOP with 1 marks open");
  refuses_body("}Na", "a dict below the values, expected a list");
  refuses_body("]NNs", "a list below the values, expected a dict");
  refuses_body("N(Ne", "None below the values, expected a list");
  refuses_body("}(Nu", "1 keys and values, expected pairs");
  refuses_body("h\x07", "memo 7, which holds nothing");
  refuses_body(std::string("j\x07\0\0\0", 5), "memo 7, which holds nothing");
  refuses_body("NN\x86q\x02h\x01", "memo 1, which holds nothing");
  refuses_body("Nr\xff\xff\xff\xff", "memo 4294967295, more than the 3 bytes before it");
  refuses_body(std::string("\x80\x06N"), "pickle protocol 6");
}

TEST(PickleMachine, KeepsItsLimits) {
  refuses(program(std::string(11, 'N')), "more than 10 values on the stack", {.max_stack = 10});
  refuses(program(std::string(11, '(')), "more than 10 values inside each other", {.max_marks = 10});
  refuses(program("NNNN(NNNNNNNt"), "more than 5 values", {.max_values = 5});
  refuses(program("NNNNNq\x02"), "memo 2, at most 2 expected", {.max_memo = 2});
  refuses(program(std::string(100, 'N')), "a pickle of more than 50 bytes", {.max_bytes = 50});
  const std::string s = storage("FloatStorage", "0", 2), t = tensor(s, 0, {2}, {1});
  refuses(program("](" + t + t + "e"), "more than 1 tensors", {.max_tensors = 1});
  refuses(program("](" + s + s + s + "e"), "more than 2 views", {.max_tensors = 1});
  refuses("X\xff\xff\xff\xff.", "the pickle ends here");
}

TEST(PickleMachine, EveryTruncationIsRefused) {
  const std::string pickle = program(test::dict({text("a"), tensor(storage("FloatStorage", "0", 2), 0, {2}, {1})}));
  for (size_t size = 0; size < pickle.size(); ++size) {
    test::expect_refusal([&] { run(pickle.substr(0, size)); }, "expected", "f: byte ");
  }
  EXPECT_EQ(run(pickle).kind, PickleKind::kDict);
}

TEST(PickleMachine, ReadsPiecesOfALargePickle) {
  std::string body = "](";
  for (int i = 0; i < 3000; ++i) body += text("a text of some length");
  const std::string pickle = program(body + "e") + "data";
  PickleMachine machine(FileRange(pickle, "f"), 0);
  const PickleValue list = machine.run();
  EXPECT_EQ(machine.end(), pickle.size() - 4);
  EXPECT_EQ(machine.objects().items(list).size(), 3000u);
  EXPECT_EQ(machine.objects().text(machine.objects().items(list)[2999]), "a text of some length");
}

TEST(PickleMachine, NamesTheKindsOfValues) {
  refuses_body(
      "\x88N"
      "a",
      "a truth value below the values");
  refuses_body("\x8a\x09" + std::string(9, 'x') + "Na", "an integer of more than 64 bits below the values");
  refuses_body("G" + std::string(8, 'x') + "Na", "a float below the values");
  refuses_body(call(global("_codecs", "encode"), {text("a")}) + "Na", "bytes below the values");
  refuses_body(
      "\x8f"
      "Na",
      "another object below the values");
  refuses_body(")Na", "a tuple below the values");
  const std::string s = storage("FloatStorage", "0", 2);
  refuses_body(s + "Na", "a storage below the values");
  refuses_body(tensor(s, 0, {2}, {1}) + "Na", "a tensor below the values");
}

TEST(PickleMachine, NeedsSomebodyForPersistentIds) {
  test::expect_refusal(
      [] {
        PickleMachine machine(FileRange("NQ.", "f"), 0);
        machine.run();
      },
      "a persistent id, expected plain values");
}

TEST(PickleMachine, ChecksPersistentIds) {
  auto id = [](const std::vector<std::string>& items) { return tuple(items) + "Q"; };
  const std::string kind = global("torch", "FloatStorage"), word = text("storage"), key = text("0"), cpu = text("cpu");
  refuses_body("NQ", "a persistent id that is None");
  refuses_body(text("0") + "Q", "a persistent id that is a text");
  refuses_body(id({word, kind, key, cpu}), "expected a tuple of 5 or 6 values");
  refuses_body(id({text("module"), kind, key, cpu, "K\1"}), "of kind \"module\"");
  refuses_body(id({"N", kind, key, cpu, "K\1"}), "the kind of a persistent id: None");
  refuses_body(id({word, "N", key, cpu, "K\1"}), "the class of a storage: None");
  refuses_body(id({word, global("torch", "float32"), key, cpu, "K\1"}), "a storage of another class");
  refuses_body(id({word, kind, "K\1", cpu, "K\1"}), "the key of a storage: an integer");
  refuses_body(id({word, kind, key, "N", "K\1"}), "the device of a storage: None");
  refuses_body(id({word, kind, key, cpu, "N"}), "the elements of a storage: None");
  refuses_body(id({word, kind, key, cpu, integer(-1)}), "a storage of -1 elements");
  refuses_body(id({word, kind, key, cpu, integer(INT64_MAX / 2)}), "expected at most what 63 bits count");
  auto view = [&](const std::string& of) { return id({word, kind, key, cpu, integer(4), of}); };
  refuses_body(view("K\1"), "the view of a storage: an integer");
  refuses_body(view(numbers({1, 2})), "a view of a storage of 2 values");
  refuses_body(view(tuple({text("v"), "N", "K\1"})), "the offset of a view");
  refuses_body(view(tuple({text("v"), "K\1", "N"})), "the elements of a view");
  for (const auto& [offset, size] :
       {std::pair<int64_t, int64_t>{-1, 1}, {0, -1}, {5, 0}, {1, 4}, {INT64_MAX, INT64_MAX}}) {
    refuses_body(view(tuple({text("v"), integer(offset), integer(size)})), "of a storage of 4");
  }
  const std::string s = storage("FloatStorage", "0", 2);
  refuses_body(tuple({s, storage("FloatStorage", "0", 3)}), "storage \"0\" of 3 float32, but at byte");
  refuses_body(tuple({s, storage("IntStorage", "0", 2)}), "storage \"0\" of 2 int32, but at byte");
}

}  // namespace
}  // namespace gamut
