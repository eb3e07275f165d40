// Checkpoints of torch.save in all their forms (zip, plain pickle, tar): which tensors exist and where their bytes lie.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/pytorch/archive.h"
#include "checkpoint/pytorch/file_range.h"
#include "checkpoint/pytorch/pickle_machine.h"
#include "checkpoint/pytorch/state_dict.h"
#include "checkpoint/tensor_entry.h"

namespace gamut {

/// The content of one file.
struct TorchFile {
  std::vector<TensorEntry> entries;  ///< in the order of their bytes; tensors may share bytes
  std::vector<std::string> warnings;
  std::vector<ArchiveMember> storages;  ///< of the zip form the members that hold the entries' bytes
};

/// The first bytes of a file that tell its form.
constexpr size_t kTorchHeadBytes = 262;

/// Whether a file that begins with `head` is one of the forms, by its magic bytes.
bool is_torch_file(std::string_view head);

/// Reads all but the tensors' bytes and runs nothing: see pickle_machine.h, pickle_globals.h and archive.h for what is
/// refused, and state_dict.h for which tensors are taken. Throws Error{kInvalidFile}, Error{kUnsupported} or
/// Error{kResourceLimit} naming the file, the member, the byte and the reason.
TorchFile read_torch_file(const FileRange& file);

// The three forms, of which each says where the bytes of its storages lie.

/// A pickle's root value and, for each of its storages, the byte of the file where it begins.
struct TorchContent {
  FileRange source;  ///< where the pickle lies
  PickleObjects objects;
  PickleValue root;
  std::vector<uint64_t> offsets;       ///< parallel to objects.storages
  std::vector<ArchiveMember> members;  ///< likewise, of the zip form
};

/// torch.save since 1.6.
TorchContent read_torch_zip(const FileRange& file);
/// torch.save from 0.1.11 to 1.5: pickles one after the other, then the storages.
TorchContent read_torch_pickle(const FileRange& file);
/// torch.save before.
TorchContent read_torch_tar(const FileRange& file);

/// The storage that a persistent id ("storage", class, key, location, elements[, view]) names.
PickleValue persistent_storage(PickleMachine& machine, const PickleValue& id);

}  // namespace gamut
