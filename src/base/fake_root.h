// For tests: a folder that stands for "/" with files under /proc, /sys and /dev as a machine might show them.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace gamut::test {

/// A folder of its own that goes away with this object.
class FakeRoot {
 public:
  FakeRoot() {
    std::string name = (std::filesystem::temp_directory_path() / "gamut-root-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) std::abort();
    path_ = name;
  }
  ~FakeRoot() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  FakeRoot(const FakeRoot&) = delete;
  FakeRoot& operator=(const FakeRoot&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// Writes the file `name`, "proc/meminfo", and the folders above it.
  FakeRoot& file(const std::string& name, const std::string& content) {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << content;
    return *this;
  }
  /// Makes the link `name`, to the place `target` under this root.
  FakeRoot& link(const std::string& name, const std::string& target) {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::filesystem::create_directories(path_ / target);
    std::filesystem::create_symlink(path_ / target, path_ / name);
    return *this;
  }

 private:
  std::filesystem::path path_;
};

/// Contents that no kernel writes and that nothing may stumble over.
inline const std::string kHostile[] = {"",
                                       "\n",
                                       "max",
                                       "-1",
                                       "0",
                                       "99999999999999999999999999",
                                       "9223372036854775807",
                                       "-9223372036854775808",
                                       "1e9",
                                       "0x10",
                                       std::string("1\0"
                                                   "2",
                                                   3),
                                       "\xff\xfe\x80",
                                       std::string(200000, '9'),
                                       std::string(200000, '/'),
                                       std::string(200000, ':'),
                                       std::string(200000, '\n'),
                                       "a:b:c:d\n::\n0::\n0::../..\n1:cpu:/../../..\n",
                                       "- 5,--,,3-1,1-,-"};

}  // namespace gamut::test
