// Post-processors: where the special tokens go around a text or a pair, and which type each part has.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace gamut::text {

/// A part of a template: one of the two texts, or tokens to insert.
struct TemplatePart {
  enum class Kind { kFirst, kSecond, kSpecial };
  Kind kind = Kind::kFirst;
  int64_t type_id = 0;
  std::vector<int64_t> ids;         ///< of kSpecial
  std::vector<std::string> tokens;  ///< of kSpecial, as many
};

using Template = std::vector<TemplatePart>;

/// Also what BertProcessing is, and what happens without a post-processor.
struct TemplateProcessing {
  Template single;
  Template pair;
};

/// Takes the whitespace at the ends of each token out of its offsets.
struct OffsetTrim {
  bool add_prefix_space = true;  ///< the first space of a text is not of the text
};

/// Every post-processor that can run.
struct PostProcessor {
  TemplateProcessing processing;
  std::vector<OffsetTrim> trims = {};
  /// What truncation cuts off keeps type 0 for a text and 1 for its pair, whatever the template says.
  bool windows_keep_types = false;
};

/// The text with type 0, its pair with type 1, nothing inserted.
TemplateProcessing plain_processing();

/// `cls` text `sep`, and for a pair the pair and `sep` once more with type 1.
TemplateProcessing bert_processing(const TemplatePart& cls, const TemplatePart& sep);

/// `cls` text `sep`, and for a pair `sep` pair `sep` behind it; all of type 0.
TemplateProcessing roberta_processing(const TemplatePart& cls, const TemplatePart& sep);

/// The template for one text or a pair.
const Template& template_for(const PostProcessor& processor, bool is_pair);

/// How many tokens a template inserts.
size_t inserted_tokens(const Template& parts);

}  // namespace gamut::text
