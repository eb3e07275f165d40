// Files damaged one bit or one byte at a time, and folders with strange names: through the public interface each opens
// and runs, or ends in one clear Error.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "faults/model_folder.h"
#include "gamut/model.h"
#include "gamut/task.h"

namespace gamut::faults {
namespace {

namespace fs = std::filesystem;

class Damage : public testing::Test {
 protected:
  void SetUp() override { write_model(folder_, "BertModel"); }
  void TearDown() override { fs::remove_all(folder_); }

  std::string content(const std::string& name) const {
    std::ifstream in(folder_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  /// Writes one byte in place.
  void put(const std::string& name, size_t at, char byte) const {
    std::fstream file(folder_ / name, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(at));
    file.put(byte);
    ASSERT_TRUE(file.good());
  }

  /// Whether opening and embedding work; an Error has to name the folder's file or say what does not fit.
  static bool works(const fs::path& folder) {
    try {
      const auto embedder = SentenceEmbedder::open(folder, {.threads = 1});
      const std::vector<std::string> texts{"a b the."};
      return embedder.embed(texts).size() == 1;
    } catch (const Error& error) {
      EXPECT_NE(error.code(), ErrorCode::kInternal) << error.message();
      EXPECT_NE(error.code(), ErrorCode::kInvalidArgument) << error.message();
      EXPECT_FALSE(error.message().empty());
      return false;
    }
  }

  /// Flips every `step`th bit of the first `bytes` bytes, one at a time; the number of flips that were no mistake.
  size_t flip_bits(const std::string& name, size_t bytes, size_t step) const {
    if (std::getenv("GAMUT_EVERY_FAULT") != nullptr) step = 1;
    const std::string whole = content(name);
    size_t accepted = 0;
    for (size_t bit = 0; bit < bytes * 8 && !HasFailure(); bit += step) {
      SCOPED_TRACE(name + " bit " + std::to_string(bit));
      put(name, bit / 8, static_cast<char>(whole[bit / 8] ^ (1 << bit % 8)));
      if (works(folder_)) ++accepted;
      put(name, bit / 8, whole[bit / 8]);
    }
    EXPECT_TRUE(works(folder_));
    return accepted;
  }

  fs::path folder_ = fs::temp_directory_path() / ("gamut-damage-" + std::to_string(::getpid()));
};

TEST_F(Damage, BitsOfTheHeader) {
  const std::string whole = content("model.safetensors");
  const size_t header = 8 + static_cast<unsigned char>(whole[0]) + 256u * static_cast<unsigned char>(whole[1]);
  // Metadata and unused tensors aside, a flip is a mistake.
  EXPECT_LT(flip_bits("model.safetensors", header, 7), header * 8 / 7 / 4);
}

TEST_F(Damage, BitsOfTheTextFiles) {
  for (const char* name : {"config.json", "vocab.txt", "modules.json", "1_Pooling/config.json"}) {
    flip_bits(name, content(name).size(), 3);
  }
}

TEST_F(Damage, TruncationsOfTheTextFiles) {
  for (const char* name : {"config.json", "modules.json", "1_Pooling/config.json"}) {
    const std::string whole = content(name);
    for (size_t size = 0; size < whole.size(); ++size) {
      std::ofstream(folder_ / name, std::ios::binary) << whole.substr(0, size);
      EXPECT_FALSE(works(folder_)) << name << " of " << size << " bytes";
    }
    std::ofstream(folder_ / name, std::ios::binary) << whole;
  }
  EXPECT_TRUE(works(folder_));
}

TEST_F(Damage, AFolderMayHaveAnyName) {
  const std::vector<std::string> names{"\xff\xfe\x80", "new\nline", "größe 中文", std::string(255, 'x'), "-rf", "{}"};
  for (const std::string& name : names) {
    const fs::path strange = folder_ / name;
    std::error_code refused;
    fs::create_directory(strange, refused);
    if (refused) continue;  // a file system that takes only UTF-8
    EXPECT_FALSE(works(strange));
    for (const char* file : {"config.json", "model.safetensors", "vocab.txt"}) fs::copy(folder_ / file, strange / file);
    EXPECT_TRUE(works(strange)) << name;
    fs::remove_all(strange);
  }
  EXPECT_FALSE(works(folder_ / std::string(5000, 'x')));
  EXPECT_FALSE(works(folder_ / "config.json"));
}

TEST_F(Damage, AFileThatIsAFolder) {
  for (const char* name : {"config.json", "model.safetensors", "vocab.txt", "modules.json"}) {
    fs::rename(folder_ / name, folder_ / "away");
    fs::create_directory(folder_ / name);
    EXPECT_FALSE(works(folder_)) << name;
    fs::remove(folder_ / name);
    fs::rename(folder_ / "away", folder_ / name);
  }
  EXPECT_TRUE(works(folder_));
}

}  // namespace
}  // namespace gamut::faults
