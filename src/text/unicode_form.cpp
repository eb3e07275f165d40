// The four Unicode normalization forms.
#include <algorithm>

#include "text/category.h"
#include "text/normalizer.h"
#include "text/unicode.h"

namespace gamut::text {
namespace {

/// One run of a form over one text: decomposes, reorders, composes.
class FormPass {
 public:
  FormPass(const UnicodeForm& form, TextView in, AlignedText& out) : form_(form), in_(in), writer_(in, out) {}

  void run() {
    const char* const end = in_.text.data() + in_.text.size();
    for (const char* p = in_.text.data(); p < end;) decompose(decode_utf8(p));
    release_ordered();
    if (has_composee_) emit(composee_);
    flush_blocked();
  }

 private:
  struct Ordered {
    Change change;
    uint8_t combining;
  };

  void decompose(char32_t c) {
    char32_t syllable[3];
    std::span<const char32_t> parts;
    if (c >= 128) {
      if (form_.compatible) parts = compatibility_decomposition(c);
      if (parts.empty() && (char_class(c).flags & kDecomposes)) parts = decomposition(c);
      if (const int count = decompose_hangul(c, syllable)) parts = {syllable, static_cast<size_t>(count)};
    }
    if (parts.empty()) return order({c, 0});
    for (size_t i = 0; i < parts.size(); ++i) order({parts[i], i > 0});
  }

  /// Combining characters wait for a starter, then go on in the order of their classes.
  void order(Change change) {
    const uint8_t combining = char_class(change.c).combining;
    if (combining == 0) {
      release_ordered();
      return pass({change, 0});
    }
    waiting_.push_back({change, combining});
  }

  void release_ordered() {
    std::stable_sort(waiting_.begin(), waiting_.end(),
                     [](const Ordered& a, const Ordered& b) { return a.combining < b.combining; });
    for (const Ordered& ordered : waiting_) pass(ordered);
    waiting_.clear();
  }

  void pass(const Ordered& next) {
    if (form_.composed) return compose_next(next);
    emit(next.change);
  }

  /// The starter `composee_` takes up what follows, unless something of at least its class stands between.
  void compose_next(const Ordered& next) {
    if (!has_composee_) {
      if (next.combining != 0) return emit(next.change);
      composee_ = next.change, has_composee_ = true;
      return;
    }
    const bool blocked = !blocked_.empty() && last_class_ >= next.combining;
    const char32_t whole = blocked ? 0 : compose(composee_.c, next.change.c);
    if (whole != 0) {
      composee_ = {whole, composee_.change + next.change.change - 1};
      return;
    }
    if (next.combining == 0) {
      emit(composee_);
      flush_blocked();
      composee_ = next.change;
      return;
    }
    blocked_.push_back(next.change);
    last_class_ = next.combining;
  }

  void flush_blocked() {
    for (const Change& change : blocked_) emit(change);
    blocked_.clear();
  }

  void emit(Change change) { writer_.write(change); }

  const UnicodeForm& form_;
  TextView in_;
  ChangeWriter writer_;
  std::vector<Ordered> waiting_;
  std::vector<Change> blocked_;
  Change composee_{};
  uint8_t last_class_ = 0;
  bool has_composee_ = false;
};

}  // namespace

void apply_normalizer(const UnicodeForm& normalizer, TextView in, NormalizerScratch&, AlignedText& out) {
  const bool ascii = std::all_of(in.text.begin(), in.text.end(), [](char c) { return static_cast<uint8_t>(c) < 0x80; });
  if (ascii) return copy_text(in, out);
  FormPass(normalizer, in, out).run();
}

}  // namespace gamut::text
