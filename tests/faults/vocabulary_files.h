// Small vocabularies of every kind, as checkpoints without a tokenizer.json have them, and one with it.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

namespace gamut::faults {

struct VocabularyFile {
  std::string name;                                        ///< of the folder
  std::vector<std::pair<std::string, std::string>> files;  ///< name and content
};

const std::vector<VocabularyFile>& vocabulary_files();

/// Writes the files to a folder of their own.
void write_vocabulary(const std::filesystem::path& folder, const VocabularyFile& kind);

}  // namespace gamut::faults
