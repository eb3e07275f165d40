// Files that another program makes shorter while gamut has them open; docs/decisions/shrinking-files.md.
#include <gtest/gtest.h>
#include <unistd.h>

#include <optional>

#include "faults/faults.h"
#include "faults/model_folder.h"
#include "gamut/model.h"
#include "gamut/task.h"

namespace gamut::faults {
namespace {

namespace fs = std::filesystem;

class Shrink : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("gamut-shrink-" + std::to_string(::getpid()));
    fs::remove_all(folder_);
    fs::copy(model_folder(), folder_, fs::copy_options::recursive);
    size_ = fs::file_size(weights());
  }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path weights() const { return folder_ / "model.safetensors"; }
  void restore() const {
    fs::copy_file(model_folder() / "model.safetensors", weights(), fs::copy_options::overwrite_existing);
  }

  /// The Error that `action` ends in, or nothing when it works.
  template <typename Action>
  std::optional<Error> error_of(Action action) const {
    try {
      action();
    } catch (const Error& error) {
      EXPECT_NE(error.message().find(weights().string()), std::string::npos) << error.message();
      return error;
    }
    return std::nullopt;
  }

  /// Cuts the file before each read of `action` in turn, to `size` bytes, until there is no such read. How often that
  /// was refused; else the bytes were not needed any more, and the result is right.
  template <typename Action>
  int cut_before_each_read(uintmax_t size, Action action) const {
    bool happened = true;
    int refused = 0;
    for (int64_t nth = 1; happened; ++nth) {
      restore();
      const Interruption interruption(nth, [&] { fs::resize_file(weights(), size); });
      const auto error = error_of(action);
      happened = Interruption::happened();
      if (!error) continue;
      ++refused;
      EXPECT_EQ(error->code(), ErrorCode::kIo) << error->message();
      EXPECT_NE(error->message().find("it became shorter"), std::string::npos) << error->message();
    }
    return refused;
  }

  fs::path folder_;
  uintmax_t size_ = 0;
};

const std::vector<std::string> kTexts{"a b the.", "c"};

TEST_F(Shrink, DuringLoadOrRun) {
  const std::vector<int64_t> ids{2, 39999};
  const NamedTensors inputs{{"input_ids", Tensor::from({1, 2}, std::span<const int64_t>(ids))}};
  for (const uintmax_t size : {uintmax_t{0}, uintmax_t{9}, size_ / 2, size_ - 1}) {
    const int embedding =
        cut_before_each_read(size, [&] { SentenceEmbedder::open(folder_, {.threads = 2}).embed(kTexts); });
    const int reference =
        cut_before_each_read(size, [&] { Model::open(folder_, {.backend = "reference"}).forward(inputs); });
    const int reading = cut_before_each_read(size, [&] { read_tensors(weights()); });
    EXPECT_GT(reading, 0) << size;
    // The last tensor is one that embedding does not use.
    EXPECT_EQ(embedding > 0, size != size_ - 1) << size;
    EXPECT_GT(reference, 0) << size;
  }
}

TEST_F(Shrink, BetweenRuns) {
  const auto embedder = SentenceEmbedder::open(folder_, {.threads = 2});
  const auto expected = embedder.embed(kTexts);
  fs::resize_file(weights(), 100);
  const auto error = error_of([&] { embedder.embed(kTexts); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), ErrorCode::kIo);
  EXPECT_EQ(error->message(), weights().string() + ": byte 100: the file ends here, expected byte " +
                                  std::to_string(size_) + " as when it was opened (it became shorter)");
  restore();
  EXPECT_EQ(embedder.embed(kTexts), expected);
}

TEST_F(Shrink, AFileThatIsReplacedDoesNotMatter) {
  const auto embedder = SentenceEmbedder::open(folder_);
  const auto expected = embedder.embed(kTexts);
  write_tensors(weights(), {});
  EXPECT_EQ(embedder.embed(kTexts), expected);
}

}  // namespace
}  // namespace gamut::faults
