#include "checkpoint/model_path.h"

#include <algorithm>
#include <new>

#include "base/error.h"
#include "base/file.h"

namespace gamut {
namespace {

namespace fs = std::filesystem;

bool is_inside(const fs::path& path, const fs::path& folder) {
  const auto [in_folder, in_path] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return in_folder == folder.end() && in_path != path.end();
}

}  // namespace

bool entry_exists(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

fs::path resolve_inside(const fs::path& dir, std::string_view name, const std::string& source) {
  const fs::path path = join_inside(dir, name, source);
  std::error_code error;
  const fs::path root = fs::canonical(dir, error);
  if (error == std::errc::not_enough_memory) throw std::bad_alloc();
  if (error) fail(ErrorCode::kNotFound, "{}: no such folder", dir.string());
  fs::path real = fs::canonical(path, error);
  if (error == std::errc::not_enough_memory) throw std::bad_alloc();
  if (error) {
    fail(ErrorCode::kNotFound, "{}: {} does not exist or is a broken link", source, path.string());
  }
  if (is_inside(real, root)) return real;
  const fs::path snapshots = root.parent_path();
  if (snapshots.filename() == "snapshots" && is_inside(real, snapshots.parent_path() / "blobs")) return real;
  fail_with_hint(ErrorCode::kInvalidFile,
                 fmt::format("{}: {} is a link to {}, expected a file inside the model folder", source, path.string(),
                             real.string()),
                 "Copy the file into the folder, or pass the folder that holds the file itself.");
}

}  // namespace gamut
