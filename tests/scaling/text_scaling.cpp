// Whether tokenizing takes linear time for text of any one kind: the exponent e of time ~ bytes^e, from the times of
// 64 KiB and of 1 MiB, kind by kind.
//
//   text_scaling [BYTES]      exit status 1 when an exponent is above 1.2: linear is 1, quadratic 2, and what leaves
//   the
//                             caches between the two sizes lies between
//
// No test, since it measures: run it on a machine that is not busy.
#include <malloc.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "text/tokenizer_test_files.h"

namespace gamut {
namespace {

using Clock = std::chrono::steady_clock;

struct Kind {
  const char* name;
  std::string piece;
};

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all{
      {"one word", "a"},
      {"letters", "unaffable"},
      {"words", "hello world "},
      {"digits", "7"},
      {"spaces", " "},
      {"tabs and newlines", "\t\n"},
      {"punctuation", "!"},
      {"control characters", "\x01"},
      {"zero bytes", std::string(1, '\0')},
      {"invalid bytes", "\xff"},
      {"broken sequences", "\xe2\x82"},
      {"replacement characters", "\xef\xbf\xbd"},
      {"accented letters", "\xc3\xa9"},
      {"combining marks", "\xcc\x81"},
      {"marks of two classes", "\xcc\x81\xcc\xa3"},
      {"Hangul syllables", "\xea\xb0\x81"},
      {"Hangul letters", "\xe1\x84\x92\xe1\x85\xa1\xe1\x86\xab"},
      {"Chinese", "\xe4\xb8\xad"},
      {"Arabic", "\xd8\xb9"},
      {"Thai", "\xe0\xb8\xa3"},
      {"emoji", "\xf0\x9f\x98\x80"},
      {"zero-width joiners", "\xe2\x80\x8d"},
      {"no-break spaces", "\xc2\xa0"},
      {"capital sharp s", "\xe1\xba\x9e"},
      {"special tokens", "[MASK]"},
      {"begun special tokens", "[MAS"},
      {"spaces and special tokens", " [MASK] "},
      {"continuations", "##"},
  };
  return all;
}

struct Subject {
  const char* name;
  Tokenizer tokenizer;
};

std::vector<Subject> subjects() {
  const nlohmann::json plain = text::test_tokenizer_json();
  nlohmann::json endless = plain, blank = plain, bare = plain;
  endless["model"]["max_input_chars_per_word"] = int64_t{1} << 50;
  endless["model"]["vocab"]["a"] = 19;
  endless["model"]["vocab"]["##a"] = 41;
  endless["model"]["vocab"]["##aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"] = 42;
  for (const char* content : {" ", "\xc2\xa0", "a"}) {
    nlohmann::json token = plain["added_tokens"][0];
    token["content"] = content, token["lstrip"] = token["rstrip"] = true;
    blank["added_tokens"].push_back(token);
  }
  bare["normalizer"] = bare["pre_tokenizer"] = nullptr;
  return {{"BERT", text::open_json(plain)},
          {"words of any length", text::open_json(endless)},
          {"blank added tokens", text::open_json(blank)},
          {"no normalizer", text::open_json(bare)}};
}

std::string repeat(const std::string& piece, size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += piece;
  return text;
}

/// The shortest of some runs, in seconds.
double seconds(const Tokenizer& tokenizer, const std::string& text) {
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    const auto start = Clock::now();
    tokenizer.encode(text, {.ids_only = true});
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
    if (best > 5) break;
  }
  return best;
}

/// Prints a line for each kind; whether all are linear.
bool measure(size_t bytes) {
  // Pages that go back to the system and come again with the next run would be most of what is measured.
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  constexpr size_t kRatio = 16;
  bool linear = true;
  for (const Subject& subject : subjects()) {
    for (const Kind& kind : kinds()) {
      const double part = seconds(subject.tokenizer, repeat(kind.piece, bytes / kRatio));
      const double whole = seconds(subject.tokenizer, repeat(kind.piece, bytes));
      const double exponent = std::log(whole / part) / std::log(kRatio);
      const bool fits = exponent <= 1.2;
      linear = linear && fits;
      std::printf("%-20s %-26s %8.1f MB/s  %.2f%s\n", subject.name, kind.name, static_cast<double>(bytes) / whole / 1e6,
                  exponent, fits ? "" : "  TOO SLOW");
    }
  }
  return linear;
}

}  // namespace
}  // namespace gamut

int main(int argc, char** argv) {
  return gamut::measure(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : size_t{1} << 20) ? 0 : 1;
}
