// The normalizers that look at one character or match at a time.
#include <algorithm>

#include "text/byte_alphabet.h"
#include "text/normalizer.h"
#include "text/unicode.h"

namespace gamut::text {
namespace {

void lowercase_text(TextView in, ChangeWriter& writer) {
  const char* const end = in.text.data() + in.text.size();
  for (const char* p = in.text.data(); p < end;) {
    const char32_t c = decode_utf8(p);
    if (!(char_class(c).flags & kLowercases)) {
      writer.keep(c);
      continue;
    }
    int64_t inserted = 0;
    for (char32_t part : lowercase(c)) {
      writer.write({part, inserted});
      inserted = 1;
    }
  }
}

/// Leaves characters with a flag of `removed` out and makes those with one of `spaces` a space.
void filter_text(TextView in, uint16_t removed, uint16_t spaces, ChangeWriter& writer) {
  const char* const end = in.text.data() + in.text.size();
  for (const char* p = in.text.data(); p < end;) {
    const char32_t c = decode_utf8(p);
    const uint16_t flags = char_class(c).flags;
    if (flags & removed) {
      writer.remove(1);
    } else {
      writer.keep(flags & spaces ? U' ' : c);
    }
  }
}

void spell_bytes(TextView in, ChangeWriter& writer) {
  for (char byte : in.text) writer.write({kByteCharacters[static_cast<uint8_t>(byte)], is_utf8_tail(byte)});
}

size_t leading_space(std::string_view text) {
  const char* p = text.data();
  while (p < text.data() + text.size()) {
    const char* after = p;
    if (!(char_class(decode_utf8(after)).flags & kWhitespace)) break;
    p = after;
  }
  return static_cast<size_t>(p - text.data());
}

size_t trailing_space(std::string_view text) {
  size_t end = text.size();
  while (end > 0) {
    size_t at = end - 1;
    while (at > 0 && is_utf8_tail(text[at])) --at;
    const char* p = text.data() + at;
    if (!(char_class(decode_utf8(p)).flags & kWhitespace)) break;
    end = at;
  }
  return text.size() - end;
}

void map_part(const CharMap& map, std::string_view part, HugeVector<Change>& changes) {
  const auto found = map.find(part);
  const char* p = part.data();
  if (!found) return changes.push_back({decode_utf8(p), 0});
  const size_t before = changes.size();
  const char* const end = found->data() + found->size();
  for (const char* q = found->data(); q < end;) changes.push_back({decode_utf8(q), 0});
  const auto added = static_cast<int64_t>(changes.size() - before);
  const int64_t more = added - static_cast<int64_t>(count_characters(part));
  for (int64_t i = 0; i < more; ++i) changes[changes.size() - 1 - static_cast<size_t>(i)].change = 1;
  if (more < 0 && !changes.empty()) changes.back().change += more;
}

}  // namespace

void ChangeWriter::step() {
  const char* p = in_.text.data() + at_;
  before_ = in_.origin ? in_.origin[at_] : counted_;
  decode_utf8(p);
  at_ = static_cast<size_t>(p - in_.text.data());
  ++counted_;
}

void ChangeWriter::remove(int64_t count) {
  for (; count > 0 && at_ < in_.text.size(); --count) step();
}

void ChangeWriter::write(Change change) {
  if (change.change > 0) return out_.push(change.c, before_);
  if (at_ < in_.text.size()) step();
  out_.push(change.c, before_);
  remove(-change.change);
}

void apply_normalizer(const ReplaceNormalizer& normalizer, TextView in, NormalizerScratch& scratch, AlignedText& out) {
  scratch.matches.clear();
  find_all(normalizer.pattern, in.text, scratch.matches);
  if (scratch.matches.empty()) return copy_text(in, out);
  uint32_t counted = in.first;
  auto origin_at = [&](size_t i) { return in.origin ? in.origin[i] : counted; };
  size_t at = 0;
  out.reserve_more(in.text.size() + scratch.matches.size() * normalizer.content.size());
  uint32_t before = kNoOrigin;
  for (size_t i = 0; i <= scratch.matches.size(); ++i) {
    const ByteSpan match = i < scratch.matches.size() ? scratch.matches[i] : ByteSpan{in.text.size(), in.text.size()};
    for (; at < match.end; ++at) {
      if (at > 0 && !is_utf8_tail(in.text[at])) ++counted;
      before = origin_at(at);
      if (at < match.begin) out.push_byte(in.text[at], before);
    }
    if (i < scratch.matches.size()) out.append(normalizer.content, before);
  }
}

void apply_normalizer(const PrependNormalizer& normalizer, TextView in, NormalizerScratch&, AlignedText& out) {
  if (in.text.empty()) return;
  if (!normalizer.prepend.empty()) {
    out.append(normalizer.prepend, in.origin ? in.origin[0] : in.first);
    return copy_text(in, out);
  }
  // The package writes the first character again behind what is put in front of it, so it stands for nothing here.
  const char* after = in.text.data();
  decode_utf8(after);
  const auto first = static_cast<size_t>(after - in.text.data());
  out.append(in.text.substr(0, first), kNoOrigin);
  copy_text({in.text.substr(first), in.origin ? in.origin + first : nullptr, in.first + 1}, out);
}

void apply_normalizer(const StripNormalizer& normalizer, TextView in, NormalizerScratch&, AlignedText& out) {
  const size_t left = normalizer.left ? leading_space(in.text) : 0;
  const size_t right = normalizer.right ? trailing_space(in.text.substr(left)) : 0;
  in.first += static_cast<uint32_t>(count_characters(in.text.substr(0, left)));
  in.text = in.text.substr(left, in.text.size() - left - right);
  if (in.origin) in.origin += left;
  copy_text(in, out);
}

void apply_normalizer(const SimpleNormalizer& normalizer, TextView in, NormalizerScratch&, AlignedText& out) {
  ChangeWriter writer(in, out);
  switch (normalizer) {
    case SimpleNormalizer::kLowercase: return lowercase_text(in, writer);
    case SimpleNormalizer::kNmt: return filter_text(in, kNmtRemoved, kNmtSpace, writer);
    case SimpleNormalizer::kStripAccents: return filter_text(in, kMark, 0, writer);
    case SimpleNormalizer::kByteLevel: return spell_bytes(in, writer);
  }
}

void apply_normalizer(const PrecompiledNormalizer& normalizer, TextView in, NormalizerScratch& scratch,
                      AlignedText& out) {
  constexpr size_t kShort = 6;
  HugeVector<Change>& changes = scratch.changes;
  changes.clear();
  ChangeWriter writer(in, out);
  for (size_t at = 0; at < in.text.size();) {
    const size_t end = grapheme_end(in.text, at);
    const std::string_view cluster = in.text.substr(at, end - at);
    if (cluster.size() < kShort && normalizer.map->find(cluster)) {
      map_part(*normalizer.map, cluster, changes);
      at = end;
      continue;
    }
    for (size_t next = at; at < end; at = next) {
      do ++next;
      while (next < end && is_utf8_tail(in.text[next]));
      map_part(*normalizer.map, in.text.substr(at, next - at), changes);
    }
  }
  for (const Change& change : changes) writer.write(change);
}

}  // namespace gamut::text
