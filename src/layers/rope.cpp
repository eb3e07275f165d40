#include "layers/rope.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace gamut {

Config rope_object(const Config& config, const std::string& layer_type) {
  Config empty = Config::parse("{}", config.source());
  const bool has_old = config.given("rope_scaling") && config.has("rope_scaling");
  const char* const field = has_old ? "rope_scaling" : "rope_parameters";
  if (!config.has(field)) return empty;
  Config rope = config.sub(field);
  return !layer_type.empty() && rope.has(layer_type) ? rope.sub(layer_type) : rope;
}

namespace {

/// What all types start from.
struct Base {
  const Config& config;  // of the model
  Config rope;           // the object that says how
  std::string type;
  double theta;
  int64_t head_dim, width;  // numbers of a head, and those that turn

  /// A field of the rope object, else of the config, which must have it.
  double num(const char* name) const { return rope.has(name) ? rope.num(name) : config.num(name); }
  /// A positive field of the rope object.
  double positive(const char* name) const { return rope.num(name, {.min = 1e-9, .max = 1e12}); }
  double context() const { return static_cast<double>(config.i("max_position_embeddings")); }
  /// transformers moves the config's own field into the rope object, over what is there.
  double original_context() const {
    const char* const name = "original_max_position_embeddings";
    if (config.has(name)) return static_cast<double>(config.i(name));
    return rope.has(name) ? static_cast<double>(rope.i(name)) : context();
  }
};

/// theta^(2i / width) as torch computes it: the exponent in f32.
std::vector<double> wavelengths(double theta, int64_t count, int64_t width) {
  std::vector<double> values;
  for (int64_t i = 0; i < count; ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(width);
    values.push_back(static_cast<float>(std::pow(theta, static_cast<double>(exponent))));
  }
  return values;
}

std::vector<float> plain(double theta, int64_t width) {
  std::vector<float> frequencies;
  for (double wavelength : wavelengths(theta, width / 2, width)) {
    frequencies.push_back(1.0f / static_cast<float>(wavelength));
  }
  return frequencies;
}

std::vector<float> linear(const Base& base) {
  std::vector<float> frequencies = plain(base.theta, base.width);
  for (float& f : frequencies) f /= static_cast<float>(base.positive("factor"));
  return frequencies;
}

std::vector<float> proportional(const Base& base, double share) {
  const auto turning = static_cast<int64_t>(share * static_cast<double>(base.head_dim)) / 2;
  std::vector<float> frequencies;
  for (double wavelength : wavelengths(base.theta, turning, base.head_dim)) {
    frequencies.push_back(1.0f / static_cast<float>(wavelength));
  }
  frequencies.resize(static_cast<size_t>(base.head_dim / 2), 0.0f);
  const float factor = base.rope.has("factor") ? static_cast<float>(base.positive("factor")) : 1.0f;
  for (float& f : frequencies) f /= factor;
  return frequencies;
}

std::vector<float> llama3(const Base& base) {
  const double factor = base.positive("factor"), low = base.positive("low_freq_factor");
  const double high = base.positive("high_freq_factor"), context = base.original_context();
  if (high == low) {
    fail(ErrorCode::kInvalidFile, "{}: high_freq_factor equals low_freq_factor, {}", base.rope.source(), low);
  }
  std::vector<float> frequencies = plain(base.theta, base.width);
  for (float& f : frequencies) {
    const double wavelength = 2 * std::numbers::pi / f;
    if (wavelength < context / high) continue;
    if (wavelength > context / low) {
      f = static_cast<float>(f / factor);
      continue;
    }
    const double smooth = (context / wavelength - low) / (high - low);
    f = static_cast<float>((1 - smooth) * f / factor + smooth * f);
  }
  return frequencies;
}

/// YaRN's scale of attention for a context that is `factor` times the original one.
double yarn_scale(double factor, double weight = 1) { return factor <= 1 ? 1 : 0.1 * weight * std::log(factor) + 1; }

double yarn_factor(const Base& base) {
  return base.rope.has("factor") ? base.positive("factor") : base.context() / base.original_context();
}

float yarn_attention(const Base& base) {
  if (base.rope.has("attention_factor")) return static_cast<float>(base.rope.num("attention_factor"));
  const double factor = yarn_factor(base);
  const double weight = base.rope.num_or("mscale", 0), all = base.rope.num_or("mscale_all_dim", 0);
  if (weight != 0 && all != 0) return static_cast<float>(yarn_scale(factor, weight) / yarn_scale(factor, all));
  return static_cast<float>(yarn_scale(factor));
}

std::vector<float> yarn(const Base& base) {
  const double factor = yarn_factor(base), context = base.original_context();
  auto rotations = [&](const char* name, double fallback) {
    const double given = base.rope.num_or(name, fallback);
    return given == 0 ? fallback : given;
  };
  // The pair that turns so often within the original context.
  auto pair_of = [&](double turns) {
    return static_cast<double>(base.width) * std::log(context / (turns * 2 * std::numbers::pi)) /
           (2 * std::log(base.theta));
  };
  double low = pair_of(rotations("beta_fast", 32)), high = pair_of(rotations("beta_slow", 1));
  if (base.rope.b_or("truncate", true)) low = std::floor(low), high = std::ceil(high);
  low = std::max(low, 0.0), high = std::min(high, static_cast<double>(base.width - 1));
  if (low == high) high += 0.001;
  std::vector<float> frequencies;
  const std::vector<double> all = wavelengths(base.theta, base.width / 2, base.width);
  for (size_t i = 0; i < all.size(); ++i) {
    const auto ramp = static_cast<float>(std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0));
    const auto kept = 1.0f / static_cast<float>(all[i]), stretched = 1.0f / static_cast<float>(factor * all[i]);
    frequencies.push_back(stretched * ramp + kept * (1 - ramp));
  }
  return frequencies;
}

/// NTK scaling that grows with the row.
std::vector<float> dynamic(double theta, double factor, double context, int64_t width, int64_t length) {
  const double longest = std::max(static_cast<double>(length), context);
  const double exponent = static_cast<double>(width) / static_cast<double>(width - 2);
  return plain(theta * std::pow(factor * longest / context - (factor - 1), exponent), width);
}

Rope dynamic_rope(const Base& base) {
  const double theta = base.theta, factor = base.positive("factor"), context = base.context();
  const int64_t width = base.width;
  if (width <= 2) fail(ErrorCode::kInvalidFile, "{}: dynamic RoPE of {} numbers", base.rope.source(), width);
  Rope rope;
  rope.frequencies = [=](int64_t length) { return dynamic(theta, factor, context, width, length); };
  rope.length_class = [=](int64_t length) { return std::max(length, static_cast<int64_t>(context)); };
  return rope;
}

Rope long_rope(const Base& base) {
  const auto pairs = static_cast<size_t>(base.width / 2);
  auto factors = [&](const char* name) {
    std::vector<double> values = base.rope.nums(name, {.min = 1e-9, .max = 1e12});
    if (values.size() == pairs) return values;
    fail(ErrorCode::kInvalidFile, "{}: {} has {} numbers, expected {}", base.rope.source(), name, values.size(), pairs);
  };
  const std::vector<double> all = wavelengths(base.theta, base.width / 2, base.width);
  auto scaled = [&](const std::vector<double>& by) {
    std::vector<float> frequencies;
    for (size_t i = 0; i < pairs; ++i) {
      frequencies.push_back(1.0f / (static_cast<float>(by[i]) * static_cast<float>(all[i])));
    }
    return frequencies;
  };
  const auto original = static_cast<int64_t>(base.original_context());
  const std::vector<float> near = scaled(factors("short_factor")), far = scaled(factors("long_factor"));
  Rope rope;
  rope.frequencies = [=](int64_t length) { return length > original ? far : near; };
  rope.length_class = [=](int64_t length) { return length > original ? 1 : 0; };
  const double factor = base.rope.has("factor") ? base.positive("factor") : base.context() / base.original_context();
  if (base.rope.has("attention_factor")) {
    rope.scale = static_cast<float>(base.rope.num("attention_factor"));
  } else if (factor > 1) {
    rope.scale = static_cast<float>(std::sqrt(1 + std::log(factor) / std::log(base.original_context())));
  }
  return rope;
}

struct Number {
  const char* name;      // in a rope object
  const char* old_name;  // in files without one
  double fallback;
  NumRange range;
};

/// A number of the rotations: as the file's rope object says it, the file itself, or the defaults of the model type.
double read_number(const Config& config, const RopeOptions& options, const Number& number) {
  auto gives = [&](const char* field) { return config.given(field) && config.has(field); };  // null gives nothing
  if (gives("rope_parameters") || gives("rope_scaling")) {
    const Config own = rope_object(config, options.layer_type);
    if (own.has(number.name)) return own.num(number.name, number.range);
  }
  if (gives(number.old_name)) return config.num(number.old_name, number.range);
  const Config usual = rope_object(config.defaults(), options.layer_type);
  if (usual.has(number.name)) return usual.num(number.name, number.range);
  return config.num_or(number.old_name, number.fallback, number.range);
}

Rope rope_of(const Base& base, double share) {
  Rope rope;
  if (base.type == "dynamic") return dynamic_rope(base);
  if (base.type == "longrope") return long_rope(base);
  std::vector<float> fixed;
  if (base.type == "default") {
    fixed = plain(base.theta, base.width);
  } else if (base.type == "linear") {
    fixed = linear(base);
  } else if (base.type == "llama3") {
    fixed = llama3(base);
  } else if (base.type == "yarn") {
    fixed = yarn(base), rope.scale = yarn_attention(base);
  } else if (base.type == "proportional") {
    fixed = proportional(base, share);
  } else {
    fail(ErrorCode::kUnsupported,
         "{}: rope_type \"{}\" is not supported; expected default, linear, dynamic, yarn, longrope, llama3 or "
         "proportional",
         base.rope.source(), base.type);
  }
  rope.frequencies = [fixed](int64_t) { return fixed; };
  return rope;
}

/// F32 [B,S,pairs] of `function` (cosine or sine) of the angles of all tokens; zeros on padding. Angles are rounded to
/// f32 as torch does: at a position of 100,000 that is more than the last place of the result.
Tensor angles(const Rope& rope, const Tensor& positions, const RowTable& rows, double (*function)(double)) {
  Tensor table = Tensor::allocate(DType::kF32, {rows.batch, rows.sequence, rope.pairs});
  auto values = table.mutable_f32();
  std::ranges::fill(values, 0.0f);
  for (const RowTable::Row& row : rows.rows) {
    const auto of_row = positions.i64().subspan(static_cast<size_t>(row.start), static_cast<size_t>(row.length));
    if (of_row.empty()) continue;
    const std::vector<float> frequencies = rope.frequencies(std::ranges::max(of_row) + 1);
    float* y = values.data() + row.start * rope.pairs;
    for (const int64_t position : of_row) {
      for (const float frequency : frequencies) {
        const float angle = static_cast<float>(position) * frequency;
        *y++ = static_cast<float>(function(angle)) * rope.scale;
      }
    }
  }
  return table;
}

}  // namespace

Rope read_rope(const Config& config, const RopeOptions& options) {
  const bool is_plain = options.plain_theta > 0;
  Config object = is_plain ? Config::parse("{}", config.source()) : rope_object(config, options.layer_type);
  std::string type = "default";
  for (const char* name : {"type", "rope_type"}) type = object.s_or(name, type);
  if (auto renamed = options.renamed_types.find(type); renamed != options.renamed_types.end()) type = renamed->second;
  double share = options.rotary_share;
  if (options.heeds_partial_factor || type != "default") {
    share = read_number(config, options, {"partial_rotary_factor", options.share_field, share, {.min = 0, .max = 1}});
  }
  const Number theta_number{"rope_theta", options.theta_field, options.theta, {.min = 1e-6, .max = 1e18}};
  const double theta = is_plain ? options.plain_theta : read_number(config, options, theta_number);
  const auto turning = static_cast<int64_t>(static_cast<double>(options.head_dim) * share);
  const int64_t width = type == "proportional" ? options.head_dim : turning;
  if (width < 2 || width % 2 != 0) {
    fail(ErrorCode::kInvalidFile, "{}: {} of a head's {} numbers turn, expected an even number of at least 2",
         config.source(), width, options.head_dim);
  }
  const Base base{config, std::move(object), std::move(type), theta, options.head_dim, width};
  Rope rope = rope_of(base, share);
  if (const double weight = base.rope.num_or("mscale_all_dim", 0); weight != 0 && base.type != "default") {
    rope.score_scale = std::pow(yarn_scale(base.positive("factor"), weight), 2);
  }
  rope.pairs = width / 2;
  return rope;
}

RopeTables add_rope_tables(Program& program, Graph& graph, const Rope& rope, const std::string& name) {
  auto add = [&](const std::string& input, double (*function)(double)) {
    ProgramInput declared{.name = input, .dtype = DType::kF32, .per_token = false};
    declared.fill = [rope, function](const NamedTensors& inputs, const RowTable& rows) {
      return angles(rope, inputs.at("position_ids"), rows, function);
    };
    program.inputs.push_back(std::move(declared));
    return graph.input(input, DType::kF32, {Extent::symbol(kBatch), Extent::symbol(kSequence), rope.pairs});
  };
  if (rope.length_class) program.length_class = rope.length_class;
  const Value cos = add(name + "_cos", [](double x) { return std::cos(x); });
  return {cos, add(name + "_sin", [](double x) { return std::sin(x); })};
}

}  // namespace gamut
