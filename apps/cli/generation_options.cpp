#include "generation_options.h"

#include <charconv>
#include <cstdio>

namespace gamut::cli {
namespace {

SequenceBias parse_bias(const std::string& text) {
  const char* const end = text.data() + text.size();
  SequenceBias bias{.ids = {0}, .bias = 0};
  const auto [colon, id_error] = std::from_chars(text.data(), end, bias.ids.front());
  if (id_error == std::errc() && colon != end && *colon == ':') {
    const auto [rest, error] = std::from_chars(colon + 1, end, bias.bias);
    if (error == std::errc() && rest == end) return bias;
  }
  throw Error(ErrorCode::kInvalidArgument, "--logit-bias: '" + text + "' is not ID:BIAS, as 17:-2.5 or 17:-inf");
}

void add_filters(Command& command, GenerationArguments& arguments) {
  DecodingOptions& decoding = arguments.options.decoding;
  command
      .flag("--do-sample", arguments.do_sample,
            "Draw tokens (default: as generation_config.json says; each setting of drawing means it too)")
      .option("--temperature", decoding.temperature, "Logits are divided by it; above 0")
      .option("--top-h", decoding.top_h, "Likeliest tokens that have this share of the entropy")
      .option("--top-k", decoding.top_k, "Draw among so many likeliest tokens (default 50; 0: all)")
      .option("--top-p", decoding.top_p, "Draw among the likeliest tokens that have this probability together")
      .option("--min-p", decoding.min_p, "Draw among tokens at least so likely, as a share of the likeliest")
      .option("--typical-p", decoding.typical_p,
              "Draw among the most typical tokens that have this probability together")
      .option("--epsilon-cutoff", decoding.epsilon_cutoff, "Draw among tokens at least so likely")
      .option("--eta-cutoff", decoding.eta_cutoff, "The same, with a limit that falls with the entropy")
      .option("--seed", decoding.seed, "Of the random numbers: the same seed, the same text (default: a new one)");
}

void add_processors(Command& command, GenerationArguments& arguments) {
  DecodingOptions& decoding = arguments.options.decoding;
  command.option("--repetition-penalty", decoding.repetition_penalty, "Divides logits of tokens that are there already")
      .option("--presence-penalty", decoding.presence_penalty, "Taken off logits of new tokens that are there, -2 to 2")
      .option("--frequency-penalty", decoding.frequency_penalty, "The same for each time that they are there")
      .option("--no-repeat-ngram-size", decoding.no_repeat_ngram_size, "No group of so many tokens comes twice")
      .texts("--logit-bias", arguments.logit_bias, "ID:BIAS, added to the logit of the id; may be given several times")
      .texts("--bad-words", arguments.options.bad_words, "A text that does not come; may be given several times")
      .numbers("--suppress-tokens", arguments.suppress_tokens, "Ids that do not come")
      .numbers("--begin-suppress-tokens", arguments.begin_suppress_tokens, "Ids that do not come first")
      .flag("--renormalize-logits", arguments.renormalize_logits,
            "Scores are logarithms of probabilities again in the end");
}

void add_beams(Command& command, GenerationArguments& arguments) {
  DecodingOptions& decoding = arguments.options.decoding;
  command.option("--num-beams", decoding.num_beams, "Texts that are followed at once")
      .option("--num-beam-groups", decoding.num_beam_groups, "Groups of beams that search for different texts")
      .option("--diversity-penalty", decoding.diversity_penalty, "For a token that an earlier group has chosen")
      .option("--length-penalty", decoding.length_penalty, "Scores are divided by the length to this power (default 1)")
      .choice<std::string>("--early-stopping", arguments.early_stopping,
                           {{"true", "true"}, {"false", "false"}, {"never", "never"}},
                           "When a search with beams has enough: true, false or never")
      .option("--num-return-sequences", decoding.num_return_sequences, "Texts for each prompt")
      .option("--max-length", decoding.max_length, "At most so many tokens of prompt and text together")
      .option("--min-length", decoding.min_length, "No end of text before so many tokens of both together")
      .option("--logprobs", decoding.logprobs,
              "With --json: logarithms of probabilities, of so many likeliest tokens too");
}

}  // namespace

GenerateOptions GenerationArguments::resolved() const {
  GenerateOptions all = options;
  DecodingOptions& d = all.decoding;
  if (!logit_bias.empty()) d.sequence_bias.emplace();
  for (const std::string& text : logit_bias) d.sequence_bias->push_back(parse_bias(text));
  if (!suppress_tokens.empty()) d.suppress_tokens = suppress_tokens;
  if (!begin_suppress_tokens.empty()) d.begin_suppress_tokens = begin_suppress_tokens;
  if (renormalize_logits) d.renormalize_logits = true;
  if (!early_stopping.empty()) {
    d.early_stopping = early_stopping == "true"    ? EarlyStopping::kYes
                       : early_stopping == "never" ? EarlyStopping::kNever
                                                   : EarlyStopping::kNo;
  }
  const bool says_how =
      d.temperature || d.top_h || d.top_k || d.top_p || d.min_p || d.typical_p || d.epsilon_cutoff || d.eta_cutoff;
  if (do_sample || says_how) d.do_sample = true;
  if (greedy) d.do_sample = false, d.num_beams = 1;
  return all;
}

void add_generation_options(Command& command, GenerationArguments& arguments) {
  GenerateOptions& options = arguments.options;
  command
      .option("--max-new-tokens", options.max_new_tokens,
              "At most so many tokens (default: generation_config.json's, else 256)")
      .option("--min-new-tokens", options.min_new_tokens, "No end of text before so many tokens")
      .texts("--stop", options.stop, "A string that ends the text; may be given several times")
      .numbers("--stop-ids", options.stop_ids, "Ids that end the text, besides the checkpoint's own")
      .flag("--ignore-eos", options.ignore_eos, "The checkpoint's end-of-text ids end nothing")
      .flag("--greedy", arguments.greedy, "The likeliest token each time, with one beam")
      .option("--state-memory", arguments.state_mib, "MiB for keys and values (0: half of what is left)",
              {.max = int64_t{1} << 30});
  add_filters(command, arguments);
  add_processors(command, arguments);
  add_beams(command, arguments);
}

void print_warnings(const Generator& generator, const GenerationArguments&) {
  for (const std::string& warning : generator.warnings()) std::fprintf(stderr, "gamut: %s\n", warning.c_str());
}

bool write_piece(std::string_view piece) {
  return std::fwrite(piece.data(), 1, piece.size(), stdout) == piece.size() && std::fflush(stdout) == 0;
}

}  // namespace gamut::cli
