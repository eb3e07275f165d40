#include <algorithm>
#include <functional>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "base/json.h"
#include "base/pending_file.h"
#include "checkpoint/safetensors.h"
#include "checkpoint/safetensors_name.h"

namespace gamut {
namespace {

/// A tensor of a file is copied in pieces of this size.
constexpr size_t kPiece = 1u << 20;

/// `text` as a JSON string.
std::string json_string(const std::string& text) {
  try {
    return Json(text).dump();
  } catch (const Json::exception&) {
    fail(ErrorCode::kInvalidArgument, "{}: not valid UTF-8", shown_name(text));
  }
}

uint64_t bytes_of(const SafetensorsItem& item) {
  uint64_t bits = static_cast<uint64_t>(dtype_bits(item.dtype));
  for (const int64_t dim : item.dims) bits *= static_cast<uint64_t>(dim);
  return bits / 8;
}

/// The header for tensors laid out one after the other, padded so that the data begins at a multiple of 8.
std::string make_header(const std::vector<SafetensorsItem>& items, const std::map<std::string, std::string>& metadata) {
  std::string json = "{";
  if (!metadata.empty()) {
    json += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) json += json_string(key) + ":" + json_string(value) + ",";
    json.back() = '}';
    json += ',';
  }
  uint64_t offset = 0;
  for (const SafetensorsItem& item : items) {
    json += fmt::format("{}:{{\"dtype\":\"{}\",\"shape\":{},\"data_offsets\":[{},{}]}},", json_string(item.name),
                        dtype_name(item.dtype), to_string(item.dims), offset, offset + bytes_of(item));
    offset += bytes_of(item);
  }
  if (json.back() == ',') json.pop_back();
  json += '}';
  json.append((8 - json.size() % 8) % 8, ' ');
  return json;
}

void check_item(const SafetensorsItem& item) {
  if (item.name == "__metadata__" || !is_printable_name(item.name)) {
    fail(ErrorCode::kInvalidArgument, "{}: not a name for a tensor in a safetensors file", shown_name(item.name));
  }
  int64_t bits = dtype_bits(item.dtype);
  for (const int64_t dim : item.dims) bits *= dim;
  if (bits % 8 != 0) {
    fail(ErrorCode::kInvalidArgument, "{}: {} {} does not fill whole bytes", shown_name(item.name),
         dtype_name(item.dtype), to_string(item.dims));
  }
}

void write_tensor(PendingFile* file, const StoredTensor& tensor, std::vector<char>* piece) {
  if (tensor.data() != nullptr) return file->write(tensor.data(), tensor.bytes());
  piece->resize(kPiece);
  for (uint64_t done = 0; done < tensor.bytes(); done += kPiece) {
    const size_t count = static_cast<size_t>(std::min<uint64_t>(kPiece, tensor.bytes() - done));
    if (!tensor.try_read(done, count, piece->data())) tensor.refuse(done, count);
    file->write(piece->data(), count);
  }
}

}  // namespace

void stream_safetensors(const std::filesystem::path& path, std::vector<SafetensorsItem> items,
                        const std::map<std::string, std::string>& metadata) {
  for (const SafetensorsItem& item : items) check_item(item);
  std::ranges::sort(items, {}, &SafetensorsItem::name);
  std::ranges::stable_sort(items, std::ranges::greater(),
                           [](const SafetensorsItem& item) { return dtype_bits(item.dtype); });
  const std::string header = make_header(items, metadata);
  unsigned char length[8];
  for (int i = 0; i < 8; ++i) length[i] = static_cast<unsigned char>(uint64_t{header.size()} >> (8 * i));

  PendingFile file(path);
  file.write(length, sizeof length);
  file.write(header.data(), header.size());
  std::vector<char> piece;
  for (const SafetensorsItem& item : items) write_tensor(&file, item.open(), &piece);
  file.commit();
}

void write_safetensors(const std::filesystem::path& path, const NamedTensors& tensors,
                       const std::map<std::string, std::string>& metadata) {
  std::vector<SafetensorsItem> items;
  for (const auto& [name, tensor] : tensors) {
    if (tensor.empty())
      fail(ErrorCode::kInvalidArgument, "{}: an empty tensor has no bytes to write", shown_name(name));
    items.push_back({name, tensor.dtype(), tensor.dims(), [tensor = tensor] { return StoredTensor(tensor); }});
  }
  stream_safetensors(path, std::move(items), metadata);
}

}  // namespace gamut
