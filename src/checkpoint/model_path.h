// Paths of a model folder: which files it may lead to.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace gamut {

/// Whether the directory entry exists, a dangling link included: that is a broken model, not a missing file.
bool entry_exists(const std::filesystem::path& path);

/// The real path of `dir`/`name`. Links may lead only into the folder itself or, when it is a snapshot of the Hub cache
/// (REPOSITORY/snapshots/REVISION), into REPOSITORY/blobs. Throws Error{kNotFound}, and Error{kInvalidFile} for a name
/// or link that leads elsewhere; `source` names the file that holds the name.
std::filesystem::path resolve_inside(const std::filesystem::path& dir, std::string_view name,
                                     const std::string& source);

}  // namespace gamut
