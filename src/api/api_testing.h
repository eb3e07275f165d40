// For tests: a tiny BERT in a folder of its own, changed file by file, and what errors say about it.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "gamut/error.h"
#include "models/tiny_bert.h"
#include "models/tiny_llama.h"

namespace gamut::test {

/// A model folder that exists as long as the object.
class TinyFolder {
 public:
  explicit TinyFolder(const std::string& head = "BertModel") {
    std::string name = (std::filesystem::temp_directory_path() / "gamut-api-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
    write_tiny_bert(path_, head);
  }
  ~TinyFolder() { std::filesystem::remove_all(path_); }
  TinyFolder(const TinyFolder&) = delete;
  TinyFolder& operator=(const TinyFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  void write(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << content;
  }
  void write(const std::string& name, const Json& content) const { write(name, content.dump()); }
  void remove(const std::string& name) const { std::filesystem::remove(path_ / name); }

  /// modules.json with a pooling of those members, and perhaps a normalisation.
  void pool(const Json& pooling, bool normalize = false) const {
    Json modules = Json::array(
        {{{"idx", 0}, {"name", "0"}, {"path", ""}, {"type", "sentence_transformers.models.Transformer"}},
         {{"idx", 1}, {"name", "1"}, {"path", "1_Pooling"}, {"type", "sentence_transformers.models.Pooling"}}});
    if (normalize) {
      modules.push_back(
          {{"idx", 2}, {"name", "2"}, {"path", "2_Normalize"}, {"type", "sentence_transformers.models.Normalize"}});
    }
    write("modules.json", modules);
    write("1_Pooling/config.json", pooling);
  }

 private:
  std::filesystem::path path_;
};

/// A folder with the tiny Llama, a tokenizer of words and a chat template that says who speaks in one word.
class TinyChatFolder : public TinyFolder {
 public:
  TinyChatFolder() {
    write_tiny_llama(path());
    write("tokenizer_config.json", Json{{"tokenizer_class", "BertTokenizer"}});
    const std::string source =
        "{% for m in messages %}{{ {'system': 'paris', 'user': 'the', 'assistant': 'a'}[m.role] }} {{ m.content }} . "
        "{% endfor %}{% if add_generation_prompt %}a{% endif %}";
    write("chat_template.jinja", source);
  }
};

/// "code: message" of the error that `action` throws.
template <typename Action>
std::string refusal(Action action) {
  try {
    action();
  } catch (const Error& error) {
    return std::string(error_code_name(error.code())) + ": " + error.message();
  }
  return "no error";
}

inline void expect_part(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text << "\nexpected in it: " << part;
}

}  // namespace gamut::test
