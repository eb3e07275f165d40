#include "text/normalizer.h"

#include <algorithm>
#include <utility>

#include "text/unicode.h"

namespace gamut::text {
namespace {

/// One run of a BertNormalizer over one text. The four steps are applied character by character; only canonical
/// reordering needs to see several at once.
class BertPass {
 public:
  BertPass(const BertNormalizer& options, NormalizerScratch& scratch, AlignedText& out)
      : options_(options), pending_(scratch.pending), origins_(scratch.origins), out_(out) {
    pending_.clear();
    origins_.clear();
    for (char32_t c = 0; c < 128; ++c) {
      const uint16_t flags = char_class(c).flags;
      const bool letter = c >= 'A' && c <= 'Z';
      ascii_[c] = letter && options.lowercase ? static_cast<char>(c + ('a' - 'A')) : static_cast<char>(c);
      if (options.clean_text && (flags & kCleanSpace)) ascii_[c] = ' ';
      if (options.clean_text && (flags & kControl)) ascii_[c] = kDropped;
    }
  }

  void run(TextView in) {
    const char* const begin = in.text.data();
    const char* const end = begin + in.text.size();
    uint32_t counted = in.first;
    for (const char* p = begin; p < end;) {
      if (static_cast<uint8_t>(*p) < 0x80 && ascii_[static_cast<uint8_t>(*p)] == kDropped) {
        ++p;  // marks on both sides of it are reordered together
        ++counted;
        continue;
      }
      if (static_cast<uint8_t>(*p) < 0x80) {
        flush();
        out_.reserve_more(static_cast<size_t>(end - p));
        for (; p < end && static_cast<uint8_t>(*p) < 0x80; ++p, ++counted) {
          const char c = ascii_[static_cast<uint8_t>(*p)];
          if (c != kDropped) out_.push_byte(c, in.origin ? in.origin[p - begin] : counted);
        }
        continue;
      }
      const uint32_t origin = in.origin ? in.origin[p - begin] : counted;
      clean(decode_utf8(p), origin);
      ++counted;
    }
    flush();
  }

 private:
  // No ASCII character maps to this byte.
  static constexpr char kDropped = '\xFF';

  void clean(char32_t c, uint32_t origin) {
    const uint16_t flags = char_class(c).flags;
    if (options_.clean_text) {
      if (flags & kControl) return;
      if (flags & kCleanSpace) c = ' ';
    }
    if (options_.handle_chinese_chars && (flags & kChinese)) {
      decompose(' ', origin);
      decompose(c, origin);
      decompose(' ', origin);
    } else {
      decompose(c, origin);
    }
  }

  void decompose(char32_t c, uint32_t origin) {
    if (!options_.strip_accents) return lower(c, origin);
    const CharClass& cls = char_class(c);
    char32_t syllable[3];
    if (cls.flags & kDecomposes) {
      bool inserted = false;
      for (char32_t part : decomposition(c)) {
        reorder(part, char_class(part), origin, inserted);
        inserted = true;
      }
    } else if (int count = decompose_hangul(c, syllable)) {
      for (int i = 0; i < count; ++i) reorder(syllable[i], char_class(syllable[i]), origin, i > 0);
    } else {
      reorder(c, cls, origin, false);
    }
  }

  void reorder(char32_t c, const CharClass& cls, uint32_t origin, bool inserted) {
    const bool nonspacing = cls.flags & kNonspacingMark;
    if (cls.combining == 0) {
      flush();
      last_origin_ = origin;
      if (!nonspacing) lower(c, origin);
      return;
    }
    pending_.push_back({c, cls.combining, nonspacing, inserted});
    if (!inserted) origins_.push_back(origin);
  }

  /// Origins keep the order of the text while the characters move: the oracle's alignments are made that way.
  void flush() {
    if (pending_.empty()) return;
    std::stable_sort(pending_.begin(), pending_.end(),
                     [](const auto& a, const auto& b) { return a.combining < b.combining; });
    size_t next = 0;
    for (const auto& p : pending_) {
      if (!p.inserted) last_origin_ = origins_[next++];
      if (!p.nonspacing) lower(p.c, last_origin_);
    }
    pending_.clear();
    origins_.clear();
  }

  void lower(char32_t c, uint32_t origin) {
    if (!options_.lowercase || !(char_class(c).flags & kLowercases)) return out_.push(c, origin);
    for (char32_t part : lowercase(c)) out_.push(part, origin);
  }

  const BertNormalizer& options_;
  std::vector<NormalizerScratch::Pending>& pending_;
  std::vector<uint32_t>& origins_;
  AlignedText& out_;
  uint32_t last_origin_ = 0;
  std::array<char, 128> ascii_;
};

}  // namespace

void apply_normalizer(const BertNormalizer& normalizer, TextView in, NormalizerScratch& scratch, AlignedText& out) {
  BertPass(normalizer, scratch, out).run(in);
}

void copy_text(TextView in, AlignedText& out) {
  out.reserve_more(in.text.size());
  uint32_t counted = in.first;
  for (size_t i = 0; i < in.text.size(); ++i) {
    if (i > 0 && !is_utf8_tail(in.text[i])) ++counted;
    out.push_byte(in.text[i], in.origin ? in.origin[i] : counted);
  }
}

void normalize(const std::vector<Normalizer>& normalizers, TextView in, NormalizerScratch& scratch, AlignedText& out) {
  out.clear();
  if (normalizers.empty()) return copy_text(in, out);
  bool first = true;
  for (const Normalizer& normalizer : normalizers) {
    if (!first) {
      std::swap(out, scratch.other);
      out.clear();
      in = scratch.other.view({0, scratch.other.size()});
    }
    std::visit([&](const auto& n) { apply_normalizer(n, in, scratch, out); }, normalizer);
    first = false;
  }
}

}  // namespace gamut::text
