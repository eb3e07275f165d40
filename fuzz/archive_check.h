// What the fuzzers of archives share.
#pragma once

#include <vector>

#include "checkpoint/pytorch/torch_file.h"
#include "fuzz.h"

namespace gamut::fuzz {

/// Members lie inside the file, one after the other, under names that lead nowhere else.
inline void check_members(const std::vector<ArchiveMember>& members, std::string_view file) {
  uint64_t end = 0;
  for (const ArchiveMember& member : members) {
    require(member.offset >= end, "members that overlap");
    require(member.offset <= file.size() && member.size <= file.size() - member.offset, "a member outside the file");
    require(!member.name.empty() && member.name.front() != '/', "a name that leads elsewhere");
    require(('/' + member.name + '/').find("/../") == std::string::npos, "a name that leads elsewhere");
    end = member.offset + member.size;
  }
}

/// As a checkpoint: tensors lie inside the file.
inline void check_checkpoint(std::string_view file) {
  for (const TensorEntry& entry : read_torch_file(FileRange(file, "f")).entries) {
    require(entry.offset <= file.size(), "a tensor that begins behind the file");
    uint64_t extent = entry.bytes;
    if (!entry.strides.empty()) {
      extent = static_cast<uint64_t>(dtype_bits(entry.dtype)) / 8;
      for (size_t i = 0; i < entry.dims.size(); ++i) {
        extent += static_cast<uint64_t>((entry.dims[i] - 1) * entry.strides[i] * dtype_bits(entry.dtype) / 8);
      }
    }
    require(extent <= file.size() - entry.offset, "a tensor that reaches behind the file");
  }
}

}  // namespace gamut::fuzz
