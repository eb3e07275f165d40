// Every committed parity case on every target, and the digests of the recorded graphs.
#include <gtest/gtest.h>

#include <fstream>

#include "base/file.h"
#include "models/architecture.h"
#include "parity/compare.h"

namespace gamut::parity {
namespace {

const std::filesystem::path kFolder = GAMUT_PARITY_FOLDER;

class Parity : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(Parity, EqualsTransformers) {
  const Case parity_case = load_case(GetParam());
  for (const Target& target : all_targets()) {
    EXPECT_LE(compare(parity_case, target).share, 1) << parity_case.name << " on " << target.name();
  }
}

std::string test_name(const testing::TestParamInfo<std::filesystem::path>& param) {
  return param.param.parent_path().filename().string() + "_" + param.param.stem().string();
}

INSTANTIATE_TEST_SUITE_P(Cases, Parity, testing::ValuesIn(find_cases(kFolder / "cases")), test_name);

/// The cases of one model type together, where rounding has no luck.
class Bf16 : public testing::TestWithParam<std::string> {};

TEST_P(Bf16, RoundsAsLittleAsPyTorch) {
  for (const Target& target : all_targets()) {
    if (target.precision != Precision::kBf16) continue;
    SquaredErrors squared;
    for (const auto& path : find_cases(kFolder / "cases" / GetParam())) {
      squared.add(compare(load_case(path), target).squared);
    }
    EXPECT_LE(squared.ratio(), kBf16Factor) << target.name();
    EXPECT_GT(squared.ratio(), 0) << target.name();
    RecordProperty("ratio " + target.name(), std::to_string(squared.ratio()));
  }
}

std::vector<std::string> model_types() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder / "cases")) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  return names;
}

INSTANTIATE_TEST_SUITE_P(ModelTypes, Bf16, testing::ValuesIn(model_types()),
                         [](const auto& info) { return info.param; });

/// The digest of each case's graph, as committed: a change of a family shows here which architectures it touches.
/// `GAMUT_UPDATE_DIGESTS=1` writes the file anew.
TEST(Digests, AreThoseCommitted) {
  std::string digests;
  for (const auto& path : find_cases(kFolder / "cases")) {
    const Case parity_case = load_case(path);
    digests += parity_case.name + " " + graph_digest(parity_case) + "\n";
  }
  const auto file = kFolder / "graph_digests.txt";
  if (std::getenv("GAMUT_UPDATE_DIGESTS") != nullptr) std::ofstream(file) << digests;
  EXPECT_EQ(read_file(file, 1 << 20), digests) << "graphs changed; see " << file;
}

TEST(Coverage, EveryHeadOfEveryArchitectureHasCases) {
  std::set<std::string> covered;
  for (const auto& path : find_cases(kFolder / "cases")) {
    const Case parity_case = load_case(path);
    covered.insert(parity_case.model_type + " " + parity_case.head);
  }
  for (const Architecture& architecture : architectures()) {
    for (const std::string& head : architecture.heads) {
      EXPECT_EQ(covered.count(architecture.model_type + " " + head), 1u) << architecture.model_type << " " << head;
    }
  }
}

}  // namespace
}  // namespace gamut::parity
