// SentencePiece's .model files: the pieces and the few settings of a model, out of its protobuf.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gamut::text {

/// What a .model file says, with the defaults of its schema.
struct SentencePieceModel {
  enum class Kind : int64_t { kUnigram = 1, kBpe = 2, kWord = 3, kCharacter = 4 };
  enum class PieceType : int64_t { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };
  struct Piece {
    std::string text;
    float score = 0;
    PieceType type = PieceType::kNormal;
  };

  std::vector<Piece> pieces;  ///< in the order of their ids
  Kind kind = Kind::kUnigram;
  bool byte_fallback = false;
  int64_t unk_id = 0, bos_id = 1, eos_id = 2;
  std::string unk_piece = "<unk>", bos_piece = "<s>", eos_piece = "</s>";
  std::string char_map;  ///< precompiled_charsmap, as CharMap takes it; empty where there is none
};

/// Reads the protobuf `bytes`; `source` names the file in messages. Throws Error{kInvalidFile} with the byte offset for
/// what is no such protobuf, no pieces, or text that is not UTF-8, and Error{kResourceLimit} for more than 4 million
/// pieces.
SentencePieceModel read_sentencepiece(std::string_view bytes, const std::string& source);

}  // namespace gamut::text
