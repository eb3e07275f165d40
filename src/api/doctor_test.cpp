#include "gamut/doctor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "gamut/model.h"

namespace gamut {
namespace {

using Keys = std::set<std::string>;

Keys keys_of(const nlohmann::json& object) {
  Keys keys;
  for (const auto& [key, value] : object.items()) keys.insert(key);
  return keys;
}

TEST(Doctor, FindsThisMachineHealthy) {
  const Diagnosis diagnosis = diagnose({.cache_folder = testing::TempDir()});
  EXPECT_TRUE(diagnosis.healthy()) << diagnosis.failures.at(0).message;
  EXPECT_FALSE(diagnosis.build.version.empty());
  EXPECT_FALSE(diagnosis.build.compiler.empty());
  EXPECT_FALSE(diagnosis.system.kernel.empty());
  EXPECT_GE(diagnosis.processor.cores, 1);
  EXPECT_GT(diagnosis.memory.total, 0);
  EXPECT_TRUE(diagnosis.cache.exists && diagnosis.cache.writable);
  std::vector<std::string> available;
  for (const BackendReport& backend : diagnosis.backends) {
    EXPECT_EQ(backend.works(), backend.available) << backend.name;
    EXPECT_EQ(backend.install.empty(), backend.available) << backend.name;
    EXPECT_EQ(backend.problem.empty(), backend.available) << backend.name;
    if (backend.available) available.push_back(backend.name);
  }
  EXPECT_EQ(available, backends());
  for (const DependencyReport& dependency : diagnosis.dependencies) {
    EXPECT_FALSE(dependency.enables.empty());
    EXPECT_NE(dependency.version.empty(), dependency.problem.empty()) << dependency.name;
    EXPECT_EQ(dependency.install.empty(), dependency.available) << dependency.name;
  }
}

TEST(Doctor, LooksAtTheCacheFolder) {
  EXPECT_EQ(diagnose().cache.folder, "");
  const CacheReport unmade = diagnose({.cache_folder = std::filesystem::path(testing::TempDir()) / "a/b/c"}).cache;
  EXPECT_TRUE(!unmade.exists && unmade.writable);
  const Diagnosis impossible = diagnose({.cache_folder = "/proc/self/cache"});
  EXPECT_TRUE(std::ranges::any_of(impossible.warnings,
                                  [](const Finding& finding) {
                                    return finding.message == "cache folder /proc/self/cache cannot be written";
                                  }) ||
              impossible.cache.writable);
  EXPECT_TRUE(impossible.healthy());
}

TEST(Doctor, KeepsItsKeys) {
  Diagnosis diagnosis = diagnose();
  diagnosis.gpus.push_back({});
  diagnosis.nvidia.devices.push_back({});
  diagnosis.warnings.push_back({"m", ""});
  const auto json = nlohmann::json::parse(to_json(diagnosis));
  EXPECT_EQ(keys_of(json), (Keys{"healthy", "failures", "warnings", "version", "build", "system", "processor", "memory",
                                 "gpus", "npus", "nvidia", "backends", "dependencies", "cache"}));
  EXPECT_EQ(keys_of(json["warnings"].back()), (Keys{"message", "hint"}));
  EXPECT_EQ(keys_of(json["build"]), (Keys{"compiler", "type", "flags", "sanitizers", "architecture"}));
  EXPECT_EQ(keys_of(json["system"]), (Keys{"name", "kernel", "libc"}));
  EXPECT_EQ(keys_of(json["processor"]), (Keys{"model", "instruction_set", "instruction_sets", "cores", "online",
                                              "affinity", "quota", "l1d_bytes", "l2_bytes", "l3_bytes"}));
  EXPECT_EQ(keys_of(json["memory"]),
            (Keys{"total_bytes", "available_bytes", "control_group_limit_bytes", "address_space_limit_bytes",
                  "swap_total_bytes", "swap_free_bytes", "huge_pages"}));
  EXPECT_EQ(keys_of(json["gpus"].back()),
            (Keys{"vendor", "model", "address", "driver", "device", "accessible", "problem", "hint"}));
  EXPECT_EQ(keys_of(json["nvidia"]), (Keys{"driver_version", "library", "cuda_version", "devices", "problem"}));
  EXPECT_EQ(keys_of(json["nvidia"]["devices"].back()), (Keys{"name", "compute_capability", "memory_bytes"}));
  for (const auto& backend : json["backends"]) {
    EXPECT_EQ(keys_of(backend),
              (Keys{"name", "available", "version", "devices", "self_test", "device_tests", "problem", "install"}));
    EXPECT_TRUE(backend["self_test"].is_string());
    EXPECT_EQ(backend["self_test"] == "ok", backend["available"].get<bool>());
    EXPECT_EQ(backend["devices"].size(), backend["device_tests"].size());
  }
  EXPECT_EQ(keys_of(json["backends"][0]["device_tests"][0]),
            (Keys{"device", "description", "self_test", "error", "ms"}));
  for (const auto& dependency : json["dependencies"]) {
    EXPECT_EQ(keys_of(dependency), (Keys{"name", "available", "version", "enables", "problem", "install"}));
  }
  EXPECT_EQ(keys_of(json["cache"]), (Keys{"folder", "exists", "writable", "free_bytes"}));
}

TEST(Doctor, WritesTextThatIsNoUtf8) {
  Diagnosis diagnosis;
  diagnosis.processor.model = "\xff\xfe";
  diagnosis.failures.push_back({"\x80", ""});
  const auto json = nlohmann::json::parse(to_json(diagnosis));
  EXPECT_EQ(json["healthy"], false);
  EXPECT_EQ(json["failures"][0]["message"], "\xef\xbf\xbd");
}

}  // namespace
}  // namespace gamut
