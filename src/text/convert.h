// Building a tokenizer out of a vocabulary and the settings beside it, as the tokenizer classes of transformers do.
#pragma once

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "text/classes.h"
#include "text/ranks.h"
#include "text/sentencepiece.h"
#include "text/settings.h"
#include "text/tokenizer_state.h"

namespace gamut::text {

/// A class that is being followed.
struct Conversion {
  OwnedJson description;
  ClassScope scope;
  TokenizerSettings settings;
  std::string source;  ///< the vocabulary's file, for messages
};

/// Reads the settings and makes the scope. `roles` stand in for those of the description where it has none of a name.
Conversion start_conversion(OwnedJson description, const SettingsFiles& files, const std::string& source,
                            const Json& roles = Json());

/// The steps of a class around a model that is still to come.
struct Steps {
  std::vector<Normalizer> normalizers;
  std::vector<PreTokenizer> pre_tokenizers;
  Decoder decoder;

  bool raw_bytes() const {
    return !pre_tokenizers.empty() && std::holds_alternative<ByteLevelPreTokenizer>(pre_tokenizers.back());
  }
  TokenizerParts with(Model model) && {
    TokenizerParts parts{std::move(normalizers), std::move(pre_tokenizers), std::move(model)};
    parts.decoder = std::move(decoder);
    return parts;
  }
};

/// The steps that the description says.
Steps read_steps(const Conversion& conversion);

/// The parts of a tokenizer of the class `name` with these files:
/// - vocab.json and merges.txt, by their content
TokenizerParts parts_from_merges(const std::string& name, const Json& vocabulary, std::string_view merges,
                                 const SettingsFiles& files);
/// - a SentencePiece model
TokenizerParts parts_from_sentencepiece(const std::string& name, const SentencePieceModel& model,
                                        const SettingsFiles& files, const std::string& source);
/// - a rank file or tekken.json
TokenizerParts parts_from_ranks(const std::string& name, RankedVocabulary vocabulary, const SettingsFiles& files,
                                const std::string& source);

/// - vocab.txt, one token per line, by its content
TokenizerParts parts_from_lines(const std::string& name, std::string_view vocabulary, const SettingsFiles& files);

/// - letters of a speech model, vocab.json
TokenizerParts parts_from_letters(const std::string& name, const Json& vocabulary, const SettingsFiles& files);
/// - none: bytes or characters are the tokens
TokenizerParts parts_from_characters(const std::string& name, const SettingsFiles& files);

/// The description of the class; throws Error{kUnsupported}, naming `source`, for a class without one.
OwnedJson require_description(const std::string& name, const std::string& source);
/// The entries of vocab.json.
RankedTokens read_token_ids(const Json& vocabulary, const std::string& source);

/// What they have in common. `model_first`: special tokens that join before those of the settings; `own`: tokens
/// that the vocabulary's file calls special, which a class may add to.
struct AddedTokenSources {
  std::vector<AddedToken> model_first = {};
  const std::vector<AddedToken>* own = nullptr;
};
void add_tokens(const Conversion& conversion, const AddedTokenSources& sources, TokenizerParts& parts);

/// The class's post-processor, or that of add_bos_token and add_eos_token.
void set_post_processor(const Conversion& conversion, const Json& config, TokenizerParts& parts);
/// Both, for parts that have a model and its steps.
TokenizerParts finish(const Conversion& conversion, const AddedTokenSources& sources, const SettingsFiles& files,
                      TokenizerParts parts);

}  // namespace gamut::text
