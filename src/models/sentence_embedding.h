// Sentence embeddings from any base model: pooling over tokens, joined and normalised.
#pragma once

#include "config/sentence_transformer.h"
#include "graph/program.h"

namespace gamut {

/// Adds the result "sentence_embedding" [N, D] to a program whose graph gives "last_hidden_state" [B,S,H], and drops
/// its other results.
void append_sentence_embedding(Program& program, const SentenceTransformer& modules);

}  // namespace gamut
