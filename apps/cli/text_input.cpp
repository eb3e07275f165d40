#include "text_input.h"

#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <iostream>

#include "gamut/error.h"

namespace gamut::cli {

void for_each_chunk(const TextSource& source, size_t chunk,
                    const std::function<void(std::span<const std::string>)>& body) {
  if (!source.arguments.empty()) {
    for (size_t begin = 0; begin < source.arguments.size(); begin += chunk) {
      body(std::span(source.arguments).subspan(begin, std::min(chunk, source.arguments.size() - begin)));
    }
    return;
  }
  std::ifstream file;
  if (!source.file.empty()) {
    file.open(source.file);
    if (!file) throw Error(ErrorCode::kNotFound, source.file + ": cannot be read");
  } else if (::isatty(STDIN_FILENO)) {
    std::fprintf(stderr, "Type one text per line; end with Ctrl-D.\n");
  }
  std::istream& in = source.file.empty() ? std::cin : file;
  std::vector<std::string> texts;
  std::string line;
  while (std::getline(in, line)) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    texts.push_back(std::move(line));
    if (texts.size() == chunk) {
      body(texts);
      texts.clear();
    }
  }
  if (!texts.empty()) body(texts);
}

std::vector<std::string> read_all(const TextSource& source) {
  std::vector<std::string> all;
  for_each_chunk(source, 4096,
                 [&](std::span<const std::string> texts) { all.insert(all.end(), texts.begin(), texts.end()); });
  return all;
}

Progress::Progress() : visible_(::isatty(STDERR_FILENO) != 0) {}

Progress::~Progress() {
  if (visible_ && done_ > 0) std::fprintf(stderr, "\r\033[K");
}

void Progress::add(size_t texts) {
  done_ += texts;
  if (visible_) std::fprintf(stderr, "\r%zu texts", done_);
}

}  // namespace gamut::cli
