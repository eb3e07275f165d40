#include "text/post_processor.h"

namespace gamut::text {
namespace {

TemplatePart sequence(TemplatePart::Kind kind, int64_t type_id) { return {kind, type_id, {}, {}}; }

TemplatePart with_type(TemplatePart part, int64_t type_id) {
  part.type_id = type_id;
  return part;
}

}  // namespace

TemplateProcessing plain_processing() {
  const TemplatePart first = sequence(TemplatePart::Kind::kFirst, 0);
  return {{first}, {first, sequence(TemplatePart::Kind::kSecond, 1)}};
}

TemplateProcessing bert_processing(const TemplatePart& cls, const TemplatePart& sep) {
  const TemplatePart first = sequence(TemplatePart::Kind::kFirst, 0);
  const TemplatePart second = sequence(TemplatePart::Kind::kSecond, 1);
  return {{cls, first, sep}, {cls, first, sep, second, with_type(sep, 1)}};
}

TemplateProcessing roberta_processing(const TemplatePart& cls, const TemplatePart& sep) {
  const TemplatePart first = sequence(TemplatePart::Kind::kFirst, 0);
  const TemplatePart second = sequence(TemplatePart::Kind::kSecond, 0);
  return {{cls, first, sep}, {cls, first, sep, sep, second, sep}};
}

const Template& template_for(const PostProcessor& processor, bool is_pair) {
  return is_pair ? processor.processing.pair : processor.processing.single;
}

size_t inserted_tokens(const Template& parts) {
  size_t count = 0;
  for (const TemplatePart& part : parts) count += part.ids.size();
  return count;
}

}  // namespace gamut::text
