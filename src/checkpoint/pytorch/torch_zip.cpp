#include <unordered_map>

#include "checkpoint/pytorch/torch_file.h"

namespace gamut {
namespace {

constexpr size_t kMaxByteOrder = 16;

/// The members of an archive by the name behind the folder that they are all in.
class Members {
 public:
  Members(const FileRange& file, std::vector<ArchiveMember> members) : file_(file), members_(std::move(members)) {
    if (members_.empty()) file.refuse(0, "a zip archive without members, expected those of torch.save");
    folder_ = members_.front().name.substr(0, members_.front().name.find('/') + 1);
    for (const ArchiveMember& member : members_) {
      if (folder_.empty() || !member.name.starts_with(folder_)) {
        file.refuse(member.offset, "member {}: outside of the folder {} of the others", in_quotes(member.name),
                    in_quotes(folder_));
      }
      by_name_.emplace(std::string_view(member.name).substr(folder_.size()), &member);
    }
  }

  const ArchiveMember* find(const std::string& name) const {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
  }
  FileRange range(const ArchiveMember& member) const { return file_.part(member.offset, member.size, member.name); }
  const std::string& folder() const { return folder_; }

 private:
  const FileRange& file_;
  std::vector<ArchiveMember> members_;
  std::string folder_;
  std::unordered_map<std::string_view, const ArchiveMember*> by_name_;
};

void check_byte_order(const FileRange& file, const Members& members) {
  const ArchiveMember* member = members.find("byteorder");
  if (member == nullptr) return;  // before PyTorch 2.0
  check_crc(file, *member);
  const FileRange range = members.range(*member);
  const std::string order = range.text(0, static_cast<size_t>(std::min<uint64_t>(range.size(), kMaxByteOrder)));
  if (order == "little") return;
  range.refuse_as(ErrorCode::kUnsupported, 0, fmt::format("byte order {}, expected \"little\"", in_quotes(order)));
}

/// The member of a storage, which has the size that the pickle says.
const ArchiveMember& storage_member(const FileRange& pickle, const Members& members, const PickledStorage& storage) {
  const std::string name = "data/" + storage.key;
  const ArchiveMember* member = members.find(name);
  if (member == nullptr) {
    pickle.refuse(storage.at, "storage {}: no member {} in the archive", in_quotes(storage.key),
                  in_quotes(members.folder() + name));
  }
  // Bytes of which only whole elements were used are saved whole.
  if (member->size / storage.type->bytes != static_cast<uint64_t>(storage.count)) {
    pickle.refuse(storage.at, "storage {}: {} elements of {}, but member {} has {} bytes", in_quotes(storage.key),
                  storage.count, storage.type->name, in_quotes(member->name), member->size);
  }
  return *member;
}

}  // namespace

TorchContent read_torch_zip(const FileRange& file) {
  const Members members(file, read_zip(file));
  const ArchiveMember* pickle = members.find("data.pkl");
  if (pickle == nullptr) {
    file.refuse(0, "a zip archive without {}, expected what torch.save writes",
                in_quotes(members.folder() + "data.pkl"));
  }
  const FileRange source = members.range(*pickle);
  if (members.find("constants.pkl") != nullptr) {
    source.refuse_as(ErrorCode::kUnsupported, 0, "a TorchScript program, expected a state dict",
                     "Save the state dict of its module with torch.save.");
  }
  check_byte_order(file, members);
  check_crc(file, *pickle);
  PickleMachine machine(source, 0, persistent_storage);
  const PickleValue root = machine.run();
  if (machine.end() != source.size()) {
    source.refuse(machine.end(), "the pickle ends here, expected it to end with its member at byte {}", source.size());
  }
  TorchContent content{source, std::move(machine.objects()), root, {}, {}};
  for (const PickledStorage& storage : content.objects.storages) {
    const ArchiveMember& member = storage_member(source, members, storage);
    content.offsets.push_back(member.offset);
    content.members.push_back(member);
  }
  return content;
}

}  // namespace gamut
