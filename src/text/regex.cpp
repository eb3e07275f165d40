#include "text/regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/error.h"
#include "text/utf8.h"

namespace gamut::text {
namespace {

constexpr size_t kMostPatternBytes = 64u << 10;
constexpr uint32_t kMostSteps = 10'000'000;

std::string message_of(int code) {
  PCRE2_UCHAR buffer[256];
  pcre2_get_error_message(code, buffer, sizeof(buffer));
  return reinterpret_cast<const char*>(buffer);
}

/// What a match needs, for any pattern: only the place of the whole match is asked for.
struct MatchState {
  MatchState() : data(pcre2_match_data_create(1, nullptr)), context(pcre2_match_context_create(nullptr)) {
    if (data == nullptr || context == nullptr) {
      pcre2_match_data_free(data);
      pcre2_match_context_free(context);
      throw std::bad_alloc();
    }
    pcre2_set_match_limit(context, kMostSteps);
    pcre2_set_heap_limit(context, 64 * 1024);
  }
  ~MatchState() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
  }
  MatchState(const MatchState&) = delete;
  MatchState& operator=(const MatchState&) = delete;

  /// As pcre2_match. Compiled code has a small stack; where that is too small the interpreter has the heap.
  int match(const pcre2_code* code, std::string_view text, size_t from) const {
    auto run = [&](uint32_t options) {
      return pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), from,
                         PCRE2_NO_UTF_CHECK | options, data, context);
    };
    const int found = run(0);
    return found == PCRE2_ERROR_JIT_STACKLIMIT ? run(PCRE2_NO_JIT) : found;
  }

  pcre2_match_data* data;
  pcre2_match_context* context;
};

size_t next_character(std::string_view text, size_t at) {
  do ++at;
  while (at < text.size() && is_utf8_tail(text[at]));
  return at;
}

}  // namespace

Regex::Regex(const std::string& pattern, const std::string& where) : pattern_(pattern) {
  if (pattern.size() > kMostPatternBytes) {
    fail(ErrorCode::kResourceLimit, "{}: a pattern of {} bytes, at most {} expected", where, pattern.size(),
         kMostPatternBytes);
  }
  const std::string translated = translate_regex(pattern, where);
  int error = 0;
  size_t offset = 0;
  pcre2_code* code =
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                    PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error, &offset, nullptr);
  if (code == nullptr) {
    fail(ErrorCode::kInvalidFile, "{}: pattern \"{}\": {}", where,
         pattern.substr(0, valid_utf8_prefix(pattern.substr(0, 200))), message_of(error));
  }
  code_ = std::shared_ptr<const void>(
      code, [](const void* p) { pcre2_code_free(static_cast<pcre2_code*>(const_cast<void*>(p))); });
  pcre2_jit_compile(code, PCRE2_JIT_COMPLETE);  // without it the interpreter runs, slower
}

void Regex::find_all(std::string_view text, std::vector<ByteSpan>& matches) const {
  const auto* code = static_cast<const pcre2_code*>(code_.get());
  static thread_local const MatchState state;  // making one takes longer than most matches
  const size_t* place = pcre2_get_ovector_pointer(state.data);
  size_t from = 0, last_end = SIZE_MAX;
  while (from <= text.size()) {
    const int found = state.match(code, text, from);
    if (found == PCRE2_ERROR_NOMATCH) return;
    if (found < 0) {
      fail(ErrorCode::kResourceLimit, "pattern \"{}\" on a text of {} bytes: {}",
           pattern_.substr(0, valid_utf8_prefix(pattern_.substr(0, 200))), text.size(), message_of(found));
    }
    const ByteSpan match{place[0], place[1]};
    // No empty match right behind another match, and one step on instead of the same again.
    if (match.begin >= match.end && match.end == last_end) {
      from = next_character(text, from);
      continue;
    }
    from = last_end = match.end;
    if (match.begin <= match.end) matches.push_back(match);
  }
}

}  // namespace gamut::text
