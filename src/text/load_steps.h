// Reading the steps around the model from tokenizer.json.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "text/decoder.h"
#include "text/normalizer.h"
#include "text/post_processor.h"
#include "text/pre_tokenizer.h"

namespace gamut::text {

/// Each appends what `value` describes, nothing for null; `where` is its place in the file for messages. All throw
/// Error{kInvalidFile} for wrong content and Error{kUnsupported} for a type that does not exist here.
void read_normalizer(const Json& value, const std::string& where, std::vector<Normalizer>& out);
void read_pre_tokenizer(const Json& value, const std::string& where, std::vector<PreTokenizer>& out);
void read_decoder(const Json& value, const std::string& where, Decoder& out);
PostProcessor read_post_processor(const Json& value, const std::string& where);

}  // namespace gamut::text
