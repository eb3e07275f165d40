// Every allocation, read, write and thread that loading and running need fails once, and then with all after it: each
// time there is one clear Error or a right result, and afterwards the same works.
#include "faults/faults.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <iterator>

#include "base/thread_pool.h"
#include "faults/model_folder.h"
#include "faults/vocabulary_files.h"
#include "gamut/convert.h"
#include "gamut/model.h"
#include "gamut/task.h"
#include "gamut/tokenizer.h"

namespace gamut::faults {
namespace {

namespace fs = std::filesystem;
using Action = std::function<void()>;

/// What may be told when calls of that kind fail.
bool is_right(Kind kind, ErrorCode code) {
  return code == ErrorCode::kResourceLimit || (kind != Kind::kAllocations && code == ErrorCode::kIo);
}

/// Runs `action` with the nth call failing; false when there were fewer calls.
bool fail_once(Kind kind, int64_t nth, Mode mode, const Action& action) {
  std::string problem;
  bool happened = false;
  {
    const Faults faults(kind, nth, mode);
    try {
      action();
    } catch (const Error& error) {
      if (!is_right(kind, error.code())) problem = "an error of another kind";
    } catch (const std::exception&) {
      problem = "an exception that is no Error";
    }
    happened = Faults::happened();
  }
  EXPECT_EQ(problem, "") << "call " << nth << (mode == Mode::kOnce ? " alone" : " and all after it");
  return happened;
}

/// Calls 1, 1 + step, … until all succeed. With a step the points differ from one mode to the other; with
/// GAMUT_EVERY_FAULT set there is none.
void fail_each(Kind kind, const Action& action, int64_t step = 1) {
  if (std::getenv("GAMUT_EVERY_FAULT") != nullptr) step = 1;
  action();  // tables that are made once, and a right result to begin with
  for (const Mode mode : {Mode::kOnce, Mode::kFromOn}) {
    int64_t points = 0;
    for (int64_t nth = mode == Mode::kOnce ? 1 : 1 + step / 2; fail_once(kind, nth, mode, action); nth += step) {
      ++points;
      if (points % 64 == 0) action();
      if (testing::Test::HasFailure()) return;
    }
    EXPECT_GT(points, 0);
    action();
    std::printf("%lld points, %s\n", static_cast<long long>(points),
                mode == Mode::kOnce ? "each once" : "each and all after it");
  }
}

const std::vector<std::string> kTexts{"a b the.", "c", "bc [MASK] a"};

const std::string kHidden = "last_hidden_state";

NamedTensors some_inputs() {
  const std::vector<int64_t> ids{2, 39999, 3, 2, 5, 3};
  return {{"input_ids", Tensor::from({2, 3}, std::span<const int64_t>(ids))}};
}

void open_and_embed(int threads) {
  const auto embedder = SentenceEmbedder::open(model_folder(), {.threads = threads});
  const auto vectors = embedder.embed(kTexts);
  ASSERT_EQ(vectors.size(), kTexts.size());
  static const auto expected = vectors;
  ASSERT_EQ(vectors, expected);
}

TEST(Faults, AllocationsOfATokenizer) {
  fail_each(Kind::kAllocations, [] {
    const Tokenizer tokenizer = Tokenizer::open(model_folder());
    const Encoding e = tokenizer.encode("a b the.", "c", {.padding = Padding{.length = 20}});
    ASSERT_EQ(e.ids.size(), 20u);
    tokenizer.decode(e.ids);
  });
}

TEST(Faults, AllocationsOfEachKindOfVocabulary) {
  for (const VocabularyFile& kind : vocabulary_files()) {
    SCOPED_TRACE(kind.name);
    const fs::path folder = model_folder() / kind.name;
    write_vocabulary(folder, kind);
    fail_each(
        Kind::kAllocations,
        [&] {
          const Tokenizer tokenizer = Tokenizer::open(folder);
          const Encoding e = tokenizer.encode("a b ab", "b");
          ASSERT_FALSE(e.ids.empty());
          tokenizer.decode(e.ids);
        },
        5);
  }
}

TEST(Faults, AllocationsOfLoading) {
  fail_each(
      Kind::kAllocations, [] { Model::open(model_folder(), {.threads = 1}); }, 23);
}

TEST(Faults, AllocationsOfOpeningAnEmbedder) {
  fail_each(
      Kind::kAllocations, [] { open_and_embed(2); }, 29);
}

TEST(Faults, AllocationsOfForward) {
  const Model model = Model::open(model_folder(), {.threads = 2});
  const NamedTensors inputs = some_inputs();
  fail_each(Kind::kAllocations, [&] { ASSERT_EQ(model.forward(inputs).at(kHidden).count(), 48); });
}

TEST(Faults, AllocationsOfTheReference) {
  const Model model = Model::open(model_folder(), {.backend = "reference"});
  const NamedTensors inputs = some_inputs();
  fail_each(
      Kind::kAllocations, [&] { ASSERT_EQ(model.forward(inputs).at(kHidden).count(), 48); }, 7);
}

TEST(Faults, AllocationsOfEmbedding) {
  const auto embedder = SentenceEmbedder::open(model_folder(), {.threads = 2});
  fail_each(Kind::kAllocations, [&] { ASSERT_EQ(embedder.embed(kTexts).size(), 3u); });
}

TEST(Faults, AllocationsOfInfo) {
  fail_each(
      Kind::kAllocations, [] { ASSERT_EQ(inspect(model_folder()).model_type, "bert"); }, 31);
}

TEST(Faults, ReadsOfLoadingAndRunning) {
  fail_each(Kind::kReads, [] { open_and_embed(2); });
  fail_each(Kind::kReads, [] { Model::open(model_folder(), {.backend = "reference"}).forward(some_inputs()); });
  fail_each(Kind::kReads, [] { read_tensors(model_folder() / "model.safetensors"); });
}

/// Opens a checkpoint of PyTorch, makes its tensors contiguous, and writes them: a folder that exists gets whole files.
void fail_conversions(Kind kind, int64_t step) {
  for (const char* name : {"zip_views", "raw_old_functions", "tar_tensors"}) {
    SCOPED_TRACE(name);
    const fs::path in = model_folder() / name, out = model_folder() / "converted";
    const fs::path fixture =
        fs::path(GAMUT_PARITY_FOLDER).parent_path() / "checkpoint/fixtures" / (std::string(name) + ".bin");
    fs::create_directories(in);
    fs::copy_file(fixture, in / "pytorch_model.bin", fs::copy_options::overwrite_existing);
    fs::create_directories(out);
    fail_each(
        kind, [&] { ASSERT_EQ(convert(in, out, {.force = true}).files.size(), 1u); }, step);
    const NamedTensors expected = read_tensors(fs::path(fixture).replace_extension(".safetensors"));
    EXPECT_EQ(read_tensors(out / "model.safetensors").size(), expected.size());
  }
}

TEST(Faults, AllocationsOfConvertingPyTorchFiles) { fail_conversions(Kind::kAllocations, 5); }

TEST(Faults, ReadsAndWritesOfConvertingPyTorchFiles) {
  fail_conversions(Kind::kReads, 1);
  fail_conversions(Kind::kWrites, 1);
}

TEST(Faults, ThreadsAreRefused) {
  for (const Mode mode : {Mode::kOnce, Mode::kFromOn}) {
    for (int64_t nth = 1; nth < 5; ++nth) {
      const Faults faults(Kind::kThreads, nth, mode);
      open_and_embed(4);
      std::vector<TextInput> many(100, TextInput{"a b"});
      EXPECT_EQ(Tokenizer::open(model_folder()).encode_batch(many, {}, 4).size(), 100u);
    }
  }
  const Faults faults(Kind::kThreads, 1, Mode::kFromOn);
  EXPECT_EQ(ThreadPool(4).size(), 1);
}

std::string content(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// After each failure the folder holds the old file, whole, or the new one, whole, and nothing else.
void write_over(Kind kind) {
  const fs::path folder = model_folder() / "written";
  fs::create_directories(folder);
  const fs::path file = folder / "x.safetensors";
  const NamedTensors before{{"a", Tensor::from({2}, std::vector<float>{1, 2})}};
  const NamedTensors after{{"a", Tensor::from({3}, std::vector<float>{3, 4, 5})},
                           {"b", Tensor::from({1}, std::vector<float>{6})}};
  write_tensors(file, after);
  const std::string new_bytes = content(file);
  write_tensors(file, before);
  const std::string old_bytes = content(file);
  for (const Mode mode : {Mode::kOnce, Mode::kFromOn}) {
    bool happened = true;
    for (int64_t nth = 1; happened; ++nth) {
      happened = fail_once(kind, nth, mode, [&] { write_tensors(file, after); });
      const std::string found = content(file);
      EXPECT_TRUE(found == old_bytes || found == new_bytes) << nth;
      EXPECT_EQ(std::distance(fs::directory_iterator(folder), {}), 1) << nth;
      write_tensors(file, before);
    }
  }
}

TEST(Faults, WritesLeaveWholeFiles) { write_over(Kind::kWrites); }

TEST(Faults, AllocationsOfWritingLeaveWholeFiles) { write_over(Kind::kAllocations); }

}  // namespace
}  // namespace gamut::faults
