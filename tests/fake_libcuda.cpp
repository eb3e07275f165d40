// For the test of base/nvidia_driver: the part of libcuda that is asked, with two GPUs. GAMUT_FAKE_LIBCUDA_ERROR is
// what cuInit returns.
#include <cstddef>
#include <cstdio>
#include <cstdlib>

#define EXPORTED extern "C" __attribute__((visibility("default")))

EXPORTED int cuDriverGetVersion(int* version) { return *version = 13010, 0; }
EXPORTED int cuInit(unsigned) {
  const char* error = std::getenv("GAMUT_FAKE_LIBCUDA_ERROR");
  return error != nullptr ? std::atoi(error) : 0;
}
EXPORTED int cuDeviceGetCount(int* count) { return *count = 2, 0; }
EXPORTED int cuDeviceGet(int* device, int ordinal) { return *device = ordinal + 7, 0; }
EXPORTED int cuDeviceGetName(char* name, int length, int device) {
  return std::snprintf(name, static_cast<size_t>(length), "Fake GPU %d", device - 7), 0;
}
EXPORTED int cuDeviceTotalMem_v2(size_t* bytes, int) { return *bytes = size_t{80} << 30, 0; }
EXPORTED int cuDeviceGetAttribute(int* value, int attribute, int) {
  return *value = attribute == 75 ? 9 : 0, attribute == 75 || attribute == 76 ? 0 : 1;
}
EXPORTED int cuGetErrorName(int, const char** name) { return *name = "CUDA_ERROR_UNKNOWN", 0; }
