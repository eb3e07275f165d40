// Archives as torch.save writes them: members that are stored one after the other, found and checked, never extracted.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/pytorch/file_range.h"

namespace gamut {

/// A member of an archive, whose bytes lie in the file as they are.
struct ArchiveMember {
  std::string name;
  uint64_t offset = 0;  ///< of its first byte in the archive
  uint64_t size = 0;
  uint32_t crc = 0;  ///< CRC-32 of its bytes; 0: not stated (zip), or the format has none (tar)
};

/// Limits of an archive, enforced before the work.
struct ArchiveLimits {
  uint64_t max_directory_bytes = 64u << 20;
  uint64_t max_members = 1u << 18;
  size_t max_name = 1024;
};

/// The members of a zip archive in the order of their bytes. Accepted is exactly one reading of the file: members are
/// stored, have different plain relative names, are the same in their local header, the data behind it and the central
/// directory, and fill the file from its first to its last byte. Refused are, each by its name, compressed and
/// encrypted members, links, folders, several disks, comments, names that other fields override. Throws
/// Error{kInvalidFile}, Error{kUnsupported} or Error{kResourceLimit} with the byte and, where there is one, the member.
std::vector<ArchiveMember> read_zip(const FileRange& file, const ArchiveLimits& limits = {});

/// The same for a tar archive of regular files (the form before PyTorch 0.1.11), with their checksums.
std::vector<ArchiveMember> read_tar(const FileRange& file, const ArchiveLimits& limits = {});

/// Refuses a member's name unless it is a plain relative path. `at` is where the name stands.
void check_member_name(const FileRange& file, uint64_t at, const std::string& name, const ArchiveLimits& limits);
/// Refuses two members of one name.
void check_distinct_names(const FileRange& file, const std::vector<ArchiveMember>& members);

/// CRC-32 (IEEE 802.3, as zip has it) of `size` bytes, going on from `crc`, which is 0 at the beginning.
uint32_t crc32(uint32_t crc, const void* data, size_t size);
/// Refuses bytes of a member that do not have the CRC it states.
void check_crc(const FileRange& file, const ArchiveMember& member);

}  // namespace gamut
