#include "text/template/json_values.h"

#include <nlohmann/json.hpp>

#include "base/error.h"
#include "text/template/objects.h"

namespace gamut::jinja {
namespace {

class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Builder(Heap& heap, const std::string& source) : heap_(heap), source_(source) {}
  bool null() override { return add(Value::none()); }
  bool boolean(bool value) override { return add(Value::boolean(value)); }
  bool number_integer(number_integer_t value) override { return add(Value::integer(value)); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value <= INT64_MAX) return add(Value::integer(static_cast<int64_t>(value)));
    return add(heap_.make_value<BigInt>(24, *BigInteger::parse(std::to_string(value), 10)));
  }
  bool number_float(number_float_t value, const string_t& text) override {
    if (text.find_first_of(".eE") != std::string::npos) return add(Value::real(value));
    constexpr size_t kMostDigits = 4300;
    const bool negative = text.starts_with('-');
    if (text.size() > kMostDigits + 1)
      fail(ErrorCode::kInvalidArgument, "{}: an integer of {} digits, at most {} expected", source_, text.size(),
           kMostDigits);
    const BigInteger parsed = *BigInteger::parse(std::string_view(text).substr(negative ? 1 : 0), 10);
    return add(heap_.make_value<BigInt>(text.size(), negative ? -parsed : parsed));
  }
  bool string(string_t& value) override { return add(heap_.string(std::move(value))); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return push(heap_.make_value<Dict>(0)); }
  bool start_array(std::size_t) override { return push(Value::none()); }
  bool key(string_t& name) override {
    keys_.back() = heap_.string(std::move(name));
    if (open_.back().as<Dict>().find(keys_.back()) != nullptr) {
      fail(ErrorCode::kInvalidArgument, "{}: duplicate key \"{}\"", source_, text_of(keys_.back()).substr(0, 200));
    }
    return true;
  }
  bool end_object() override {
    Value done = open_.back();
    pop();
    return add(std::move(done));
  }
  bool end_array() override {
    Value done = heap_.list(std::move(items_.back()));
    pop();
    return add(std::move(done));
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception&) override {
    fail(ErrorCode::kInvalidArgument, "{}: invalid JSON at byte {}", source_, position);
  }
  Value root;

 private:
  bool add(Value value) {
    if (open_.empty()) root = std::move(value);
    else if (open_.back().is_none()) items_.back().push_back(std::move(value));
    else open_.back().as<Dict>().set(keys_.back(), std::move(value));
    return true;
  }
  bool push(Value container) {
    if (open_.size() >= 128) fail(ErrorCode::kInvalidArgument, "{}: nested deeper than 128 levels", source_);
    open_.push_back(std::move(container));
    keys_.emplace_back();
    items_.emplace_back();
    return true;
  }
  void pop() {
    open_.pop_back();
    keys_.pop_back();
    items_.pop_back();
  }
  Heap& heap_;
  const std::string& source_;
  std::vector<Value> open_, keys_;  // none stands for an array
  std::vector<std::vector<Value>> items_;
};

}  // namespace

Value parse_json_value(Heap& heap, std::string_view text, const std::string& source) {
  if (text.find('\0') != std::string_view::npos)
    fail(ErrorCode::kInvalidArgument, "{}: invalid JSON: a NUL byte", source);
  Builder builder(heap, source);
  nlohmann::json::sax_parse(text, &builder);
  return builder.root;
}

}  // namespace gamut::jinja
