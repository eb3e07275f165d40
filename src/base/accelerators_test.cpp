#include "base/accelerators.h"

#include <gtest/gtest.h>

#include "base/fake_root.h"

namespace gamut {
namespace {

const std::string kPci = "sys/bus/pci/devices/";

/// A PCI device; without a driver when `driver` is empty.
void add_pci(test::FakeRoot& root, const std::string& address, const char* ids[3], const std::string& driver) {
  const std::string folder = kPci + address + "/";
  root.file(folder + "class", ids[0]).file(folder + "vendor", ids[1]).file(folder + "device", ids[2]);
  if (!driver.empty()) root.link(folder + "driver", "sys/bus/pci/drivers/" + driver);
}

const char* kIntelGpu[] = {"0x030000\n", "0x8086\n", "0x56a0\n"};
const char* kIntelNpu[] = {"0x120000\n", "0x8086\n", "0x7d1d\n"};
const char* kH200[] = {"0x030200\n", "0x10de\n", "0x2335\n"};
const char* kNetwork[] = {"0x020000\n", "0x8086\n", "0x1533\n"};

TEST(Accelerators, AreNoneOnAnEmptyMachine) {
  test::FakeRoot root;
  EXPECT_TRUE(find_accelerators(root.path()).empty());
  add_pci(root, "0000:00:01.0", kNetwork, "igb");
  EXPECT_TRUE(find_accelerators(root.path()).empty());
}

TEST(Accelerators, FindsAnIntelGpuAndNpu) {
  test::FakeRoot root;
  add_pci(root, "0000:00:0b.0", kIntelNpu, "intel_vpu");
  root.file(kPci + "0000:00:0b.0/accel/accel0/dev", "261:0").file("dev/accel/accel0", "");
  add_pci(root, "0000:03:00.0", kIntelGpu, "i915");
  root.file(kPci + "0000:03:00.0/drm/card1/dev", "226:1").file(kPci + "0000:03:00.0/drm/renderD129/dev", "226:129");
  root.file("dev/dri/renderD129", "");
  // The same two again, by their classes.
  root.link("sys/class/drm/card1/device", kPci + "0000:03:00.0");
  root.link("sys/class/accel/accel0/device", kPci + "0000:00:0b.0");
  const std::vector<AcceleratorReport> found = find_accelerators(root.path());
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].kind, AcceleratorKind::kGpu);
  EXPECT_EQ(found[0].vendor, "Intel");
  EXPECT_EQ(found[0].model, "0x56a0");
  EXPECT_EQ(found[0].address, "0000:03:00.0");
  EXPECT_EQ(found[0].driver, "i915");
  EXPECT_EQ(found[0].device, "/dev/dri/renderD129");
  EXPECT_EQ(found[0].problem, "");
  EXPECT_EQ(found[1].kind, AcceleratorKind::kNpu);
  EXPECT_EQ(found[1].device, "/dev/accel/accel0");
  EXPECT_EQ(found[1].problem, "");
}

TEST(Accelerators, SaysWhatKeepsADeviceFromUse) {
  test::FakeRoot root;
  add_pci(root, "0000:01:00.0", kH200, "");
  add_pci(root, "0000:03:00.0", kIntelGpu, "i915");
  root.file(kPci + "0000:03:00.0/drm/renderD128/dev", "226:128");
  add_pci(root, "0000:04:00.0", kIntelGpu, "ast");
  const std::vector<AcceleratorReport> found = find_accelerators(root.path());
  ASSERT_EQ(found.size(), 3u);
  EXPECT_EQ(found[0].problem, "no driver is bound to it");
  EXPECT_NE(found[0].hint.find("NVIDIA's driver"), std::string::npos);
  EXPECT_EQ(found[1].problem, "/dev/dri/renderD128 is not there");
  EXPECT_NE(found[1].hint.find("--device /dev/dri/renderD128"), std::string::npos);
  EXPECT_EQ(found[2].problem, "its driver ast offers no device for computing");
  EXPECT_EQ(found[2].hint, "") << "nothing to be done for a display";
}

TEST(Accelerators, SaysWhenTheUserMayNot) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may open everything";
  test::FakeRoot root;
  add_pci(root, "0000:03:00.0", kIntelGpu, "i915");
  root.file(kPci + "0000:03:00.0/drm/renderD128/dev", "226:128").file("dev/dri/renderD128", "");
  std::filesystem::permissions(root.path() / "dev/dri/renderD128", std::filesystem::perms::none);
  EXPECT_EQ(find_accelerators(root.path()).at(0).problem, "/dev/dri/renderD128 may not be opened by this user");
}

TEST(Accelerators, TakesTheModelFromNvidiasDriver) {
  test::FakeRoot root;
  add_pci(root, "0000:01:00.0", kH200, "nvidia");
  for (const char* gpu : {"0000:01:00.0", "0000:02:00.0"}) {  // the second is hidden from /sys
    root.file(std::string("proc/driver/nvidia/gpus/") + gpu + "/information",
              "Model: \t\t NVIDIA H200\nIRQ:   0\nBus Location: \t " + std::string(gpu) + "\nDevice Minor: \t " +
                  std::string(1, gpu[6]) + "\n");
  }
  root.file("dev/nvidia1", "");
  const std::vector<AcceleratorReport> found = find_accelerators(root.path());
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].model, "NVIDIA H200");
  EXPECT_EQ(found[0].device, "/dev/nvidia1");
  EXPECT_EQ(found[0].problem, "");
  EXPECT_EQ(found[1].vendor, "NVIDIA");
  EXPECT_EQ(found[1].address, "0000:02:00.0");
  EXPECT_EQ(found[1].problem, "/dev/nvidia2 is not there");
}

TEST(Accelerators, FindsGpusBesidePci) {
  test::FakeRoot root;
  root.link("sys/class/drm/card0/device", "sys/devices/platform/soc/gpu0");
  root.link("sys/class/drm/card0-HDMI-A-1/device", "sys/devices/platform/soc/hdmi");
  root.link("sys/devices/platform/soc/gpu0/driver", "sys/bus/platform/drivers/panfrost");
  root.file("sys/devices/platform/soc/gpu0/drm/renderD128/dev", "226:128").file("dev/dri/renderD128", "");
  const std::vector<AcceleratorReport> found = find_accelerators(root.path());
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].driver, "panfrost");
  EXPECT_EQ(found[0].address, "gpu0");
  EXPECT_EQ(found[0].problem, "");
}

TEST(Accelerators, SurvivesHostileContent) {
  for (const std::string& content : test::kHostile) {
    test::FakeRoot root;
    const char* ids[] = {"0x030000", content.c_str(), content.c_str()};
    add_pci(root, "a\nb\x1b", ids, "");
    root.file("proc/driver/nvidia/gpus/\xff\xfe/information", "Model: " + content + "\nDevice Minor: " + content);
    root.file("sys/class/drm/card0", content).file("sys/class/accel", content);
    for (const AcceleratorReport& found : find_accelerators(root.path())) {
      for (const std::string& text : {found.vendor, found.model, found.address, found.device, found.problem}) {
        EXPECT_EQ(text.find('\n'), text.npos);
        EXPECT_EQ(text.find('\x1b'), text.npos);
        EXPECT_LE(text.size(), 300u);
      }
    }
  }
}

}  // namespace
}  // namespace gamut
