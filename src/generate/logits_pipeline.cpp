#include "generate/logits_pipeline.h"

#include <algorithm>
#include <map>

#include "generate/logits_processors.h"

namespace gamut {
namespace {

/// Of several biases of one sequence the last counts.
std::vector<SequenceBias> each_once(const std::vector<SequenceBias>& biases) {
  std::map<std::vector<int64_t>, double> by_ids;
  for (const SequenceBias& bias : biases) by_ids[bias.ids] = bias.bias;
  std::vector<SequenceBias> once;
  for (const auto& [ids, bias] : by_ids) once.push_back({ids, bias});
  return once;
}

bool has_penalties(const DecodingSettings& s) {
  return !s.sequence_bias.empty() || s.diversity_penalty != 0 || s.repetition_penalty != 1 ||
         s.frequency_penalty != 0 || s.presence_penalty != 0 || s.no_repeat_ngram_size > 0 || !s.bad_words_ids.empty();
}

}  // namespace

LogitsPipeline::LogitsPipeline(const DecodingSettings& settings, const std::vector<int64_t>& ends,
                               int64_t min_new_tokens)
    : settings_(settings), ends_(ends), min_new_tokens_(min_new_tokens) {
  std::ranges::sort(ends_);
  ends_.erase(std::unique(ends_.begin(), ends_.end()), ends_.end());
  settings_.sequence_bias = each_once(settings.sequence_bias);
  // A bad word that is an end of text alone is none.
  std::erase_if(settings_.bad_words_ids, [&](const std::vector<int64_t>& ids) {
    return ids.size() == 1 && std::ranges::binary_search(ends_, ids.front());
  });
  if (settings_.num_beam_groups == 1) settings_.diversity_penalty = 0;
  changes_everywhere_ = has_penalties(settings_) || settings_.remove_invalid_values ||
                        settings_.exponential_decay_length_penalty || !settings_.suppress_tokens.empty() ||
                        settings_.renormalize_logits;
}

bool LogitsPipeline::is_end_early(const TextPlace& place) const {
  if (ends_.empty()) return false;
  return place.history.made() < min_new_tokens_ || place.history.length() < settings_.min_length;
}

bool LogitsPipeline::is_begin(const TextPlace& place) const {
  if (settings_.begin_suppress_tokens.empty()) return false;
  // A forced first token is no begin of its own.
  const int64_t prompt = place.history.prompt_length();
  return place.history.length() == (prompt > 1 || !settings_.forced_bos_token_id ? prompt : prompt + 1);
}

bool LogitsPipeline::is_forced_begin(const TextPlace& place) const {
  return settings_.forced_bos_token_id && place.history.length() == 1;
}

bool LogitsPipeline::is_forced_end(const TextPlace& place) const {
  return !settings_.forced_eos_token_id.empty() && place.history.length() == place.greatest_length - 1;
}

bool LogitsPipeline::changes(const TextPlace& place) const {
  return changes_everywhere_ || is_end_early(place) || is_begin(place) || is_forced_begin(place) ||
         is_forced_end(place);
}

void LogitsPipeline::penalise(std::span<float> line, const TextPlace& place) const {
  const DecodingSettings& s = settings_;
  const std::vector<int64_t>& tokens = place.history.tokens();
  if (!s.sequence_bias.empty()) add_sequence_bias(line, tokens, s.sequence_bias);
  if (s.diversity_penalty != 0) penalise_chosen(line, place.chosen, s.diversity_penalty);
  if (s.repetition_penalty != 1) penalise_repetition(line, place.history, s.repetition_penalty);
  if (s.frequency_penalty != 0 || s.presence_penalty != 0) {
    penalise_use(line, place.history, s.frequency_penalty, s.presence_penalty);
  }
  if (s.no_repeat_ngram_size > 0) rule_out_repeated_ngrams(line, tokens, s.no_repeat_ngram_size);
  rule_out_sequences(line, tokens, s.bad_words_ids);
}

void LogitsPipeline::process(std::span<float> line, const TextPlace& place) const {
  const DecodingSettings& s = settings_;
  penalise(line, place);
  if (is_end_early(place)) rule_out(line, ends_);
  if (is_forced_begin(place)) force(line, {&*s.forced_bos_token_id, 1});
  if (is_forced_end(place)) force(line, s.forced_eos_token_id);
  if (s.remove_invalid_values) remove_invalid_values(line);
  if (s.exponential_decay_length_penalty) {
    favour_ends(line, ends_, *s.exponential_decay_length_penalty, place.history.made());
  }
  rule_out(line, s.suppress_tokens);
  if (is_begin(place)) rule_out(line, s.begin_suppress_tokens);
  if (s.renormalize_logits && !s.do_sample) log_softmax(line);
}

void LogitsPipeline::filter(Candidates* candidates) const {
  const DecodingSettings& s = settings_;
  // Beams go on although some of their continuations are ends.
  const size_t least = s.num_beams > 1 ? std::max<size_t>(ends_.size(), 1) + 1 : 1;
  if (s.temperature != 1) scale_by_temperature(candidates, s.temperature);
  if (s.top_h) keep_top_h(candidates, *s.top_h);
  if (s.top_k > 0) keep_top_k(candidates, std::max(static_cast<size_t>(s.top_k), least));
  if (s.top_p < 1) keep_top_p(candidates, s.top_p, least);
  if (s.min_p > 0) keep_min_p(candidates, s.min_p, least);
  if (s.typical_p < 1) keep_typical(candidates, s.typical_p, least);
  if (s.epsilon_cutoff > 0) keep_above(candidates, s.epsilon_cutoff, least);
  if (s.eta_cutoff > 0) keep_eta(candidates, s.eta_cutoff, least);
  if (s.renormalize_logits) log_softmax(candidates->logits);
}

}  // namespace gamut
