#include "text/sentencepiece.h"

#include <bit>
#include <cmath>

#include "base/error.h"
#include "text/utf8.h"

namespace gamut::text {
namespace {

constexpr size_t kMostPieces = size_t{1} << 22;

/// The fields of one protobuf message, one after another.
class Message {
 public:
  /// `base` is where `bytes` stand in the file.
  Message(std::string_view bytes, size_t base, const std::string& source)
      : bytes_(bytes), base_(base), source_(source) {}

  /// Moves to the next field; false at the end.
  bool next() {
    if (at_ == bytes_.size()) return false;
    const uint64_t tag = varint();
    field_ = tag >> 3;
    wire_ = static_cast<int>(tag & 7);
    if (field_ == 0 || field_ >= uint64_t{1} << 29) bad("a field number between 1 and 2^29");
    switch (wire_) {
      case 0: number_ = varint(); return true;
      case 1: content_ = take(8); return true;
      case 2: content_ = take(varint()); return true;
      case 5: content_ = take(4); return true;
      default: bad("a field of a known wire type");
    }
  }

  /// Whether this is field `number` in the wire form that it has to have; others are passed over, as protobuf does.
  bool is_number(uint64_t number) const { return field_ == number && wire_ == 0; }
  bool is_bytes(uint64_t number) const { return field_ == number && wire_ == 2; }
  bool is_float(uint64_t number) const { return field_ == number && wire_ == 5; }

  /// The value, sign included: enums and integers are 32 bits wide in the schema.
  int64_t number() const { return static_cast<int32_t>(number_); }
  bool boolean() const { return number_ != 0; }
  std::string_view bytes() const { return content_; }
  std::string text() const {
    if (valid_utf8_prefix(content_) != content_.size()) bad("text in UTF-8");
    return std::string(content_);
  }
  float real() const {
    uint32_t bits = 0;
    for (size_t i = 4; i-- > 0;) bits = bits << 8 | static_cast<uint8_t>(content_[i]);
    const auto value = std::bit_cast<float>(bits);
    if (!std::isfinite(value)) bad("a finite number");
    return value;
  }
  Message message() const { return {content_, base_ + at_ - content_.size(), source_}; }

 private:
  uint64_t varint() {
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ == bytes_.size()) bad("the rest of a number");
      const auto byte = static_cast<uint8_t>(bytes_[at_++]);
      value |= uint64_t{byte & 0x7Fu} << shift;
      if (byte < 0x80) return value;
    }
    bad("a number of at most 10 bytes");
  }

  std::string_view take(uint64_t length) {
    if (length > bytes_.size() - at_) bad("as many bytes as a length says");
    at_ += length;
    return bytes_.substr(at_ - length, length);
  }

  [[noreturn]] void bad(const char* expected) const {
    fail(ErrorCode::kInvalidFile, "{}: no SentencePiece model: expected {} at byte {}", source_, expected, base_ + at_);
  }

  std::string_view bytes_;
  size_t base_;
  const std::string& source_;
  size_t at_ = 0;
  uint64_t field_ = 0, number_ = 0;
  int wire_ = 0;
  std::string_view content_;
};

SentencePieceModel::Piece read_piece(Message message) {
  SentencePieceModel::Piece piece;
  while (message.next()) {
    if (message.is_bytes(1)) piece.text = message.text();
    if (message.is_float(2)) piece.score = message.real();
    if (message.is_number(3)) piece.type = static_cast<SentencePieceModel::PieceType>(message.number());
  }
  return piece;
}

void read_trainer(Message message, SentencePieceModel& model) {
  while (message.next()) {
    if (message.is_number(3)) model.kind = static_cast<SentencePieceModel::Kind>(message.number());
    if (message.is_number(35)) model.byte_fallback = message.boolean();
    if (message.is_number(40)) model.unk_id = message.number();
    if (message.is_number(41)) model.bos_id = message.number();
    if (message.is_number(42)) model.eos_id = message.number();
    if (message.is_bytes(45)) model.unk_piece = message.text();
    if (message.is_bytes(46)) model.bos_piece = message.text();
    if (message.is_bytes(47)) model.eos_piece = message.text();
  }
}

}  // namespace

SentencePieceModel read_sentencepiece(std::string_view bytes, const std::string& source) {
  SentencePieceModel model;
  Message message(bytes, 0, source);
  while (message.next()) {
    if (message.is_bytes(1)) {
      if (model.pieces.size() == kMostPieces) {
        fail(ErrorCode::kResourceLimit, "{}: more than {} pieces", source, kMostPieces);
      }
      model.pieces.push_back(read_piece(message.message()));
    } else if (message.is_bytes(2)) {
      read_trainer(message.message(), model);
    } else if (message.is_bytes(3)) {
      Message normalizer = message.message();
      while (normalizer.next()) {
        if (normalizer.is_bytes(2)) model.char_map = normalizer.bytes();
      }
    }
  }
  if (model.pieces.empty()) fail(ErrorCode::kInvalidFile, "{}: a SentencePiece model without pieces", source);
  return model;
}

}  // namespace gamut::text
