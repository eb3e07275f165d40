// A small model folder on disk, with all that loading and running can touch.
#pragma once

#include <filesystem>
#include <string>

namespace gamut::faults {

/// A BERT of two layers that embeds sentences; its table of words is large enough to stay in its file. Made once,
/// removed at exit; every call returns the same folder.
const std::filesystem::path& model_folder();

/// The same as a masked language model with a head, for tests that change its weights: a fresh copy in `folder`.
void write_model(const std::filesystem::path& folder, const std::string& head);

}  // namespace gamut::faults
