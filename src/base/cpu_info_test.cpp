#include "base/cpu_info.h"

#include <gtest/gtest.h>

#include <cstring>

namespace gamut {
namespace {

TEST(CpuInfo, IsPlausible) {
  const CpuInfo& info = cpu_info();
  EXPECT_GE(info.cores, 1);
  EXPECT_TRUE(has_isa(Isa::kBaseline));
  EXPECT_TRUE(has_isa(info.best_isa));
  EXPECT_TRUE(!info.avx512_bf16 || info.best_isa >= Isa::kAvx512);
  EXPECT_STREQ(isa_name(Isa::kAvx512), "avx512");
}

TEST(CpuInfo, ReadsAQuotaInWholeCores) {
  EXPECT_EQ(parse_cpu_max("max 100000\n"), 0);
  EXPECT_EQ(parse_cpu_max("150000 100000\n"), 2);
  EXPECT_EQ(parse_cpu_max("200000 100000"), 2);
  EXPECT_EQ(parse_cpu_max("1000 100000"), 1);
  for (const char* text : {"", "x", "-1 100000", "5", "5 0"}) EXPECT_EQ(parse_cpu_max(text), 0) << text;
}

}  // namespace
}  // namespace gamut
