#include "option_tree.hpp"

#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>

namespace mdp::netsim {
namespace {

constexpr std::size_t depth_max = 16;

// Called by the parser; open objects and arrays form a stack.
class tree_builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  option_value root;

  bool null() override { return add({}); }
  bool boolean(bool value) override {
    return add({.kind = option_kind::boolean, .boolean = value, .text = {}, .members = {}});
  }
  bool number_integer(number_integer_t value) override { return add_number(std::to_string(value)); }
  bool number_unsigned(number_unsigned_t value) override {
    return add_number(std::to_string(value));
  }
  bool number_float(number_float_t, const string_t& written) override {
    return add_number(written);
  }
  bool string(string_t& value) override {
    return add({.kind = option_kind::string, .boolean = false, .text = value, .members = {}});
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(option_kind::object); }
  bool start_array(std::size_t) override { return open(option_kind::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    for (const option_member& m : open_.back().value.members) {
      if (m.name == name) throw options_error(fmt::format("{}: given twice", pointer(name)));
    }
    key_ = name;
    return true;
  }
  bool parse_error(std::size_t position, const std::string& token,
                   const nlohmann::json::exception&) override {
    throw options_error(fmt::format("/: the options are no JSON: error at byte {} near '{}'",
                                    position, token.substr(0, 40)));
  }

 private:
  bool add_number(const std::string& written) {
    return add({.kind = option_kind::number, .boolean = false, .text = written, .members = {}});
  }
  bool add(option_value value) {
    if (open_.empty()) {
      root = std::move(value);
    } else {
      open_.back().value.members.push_back({key_, std::move(value)});
    }
    return true;
  }
  bool open(option_kind kind) {
    if (open_.size() == depth_max) throw options_error("/: the options are nested too deeply");
    open_.push_back({key_, {.kind = kind, .boolean = false, .text = {}, .members = {}}});
    return true;
  }
  bool close() {
    option_member done = std::move(open_.back());
    open_.pop_back();
    key_ = done.name;
    return add(std::move(done.value));
  }
  [[nodiscard]] std::string pointer(const std::string& name) const {
    std::string path;
    for (std::size_t i = 1; i < open_.size(); ++i) path = child(path, open_[i].name);
    return child(path, name);
  }

  std::vector<option_member> open_;
  std::string key_;
};

}  // namespace

const char* to_string(option_kind kind) noexcept {
  switch (kind) {
    case option_kind::null:
      return "null";
    case option_kind::boolean:
      return "a boolean";
    case option_kind::number:
      return "a number";
    case option_kind::string:
      return "a string";
    case option_kind::array:
      return "an array";
    case option_kind::object:
      return "an object";
  }
  return "nothing";
}

option_value parse_option_tree(const char* json_text) {
  if (json_text == nullptr || *json_text == '\0') json_text = "{}";
  tree_builder builder;
  static_cast<void>(nlohmann::json::sax_parse(std::string_view(json_text), &builder));
  return std::move(builder.root);
}

std::uint64_t seed_of(const option_value& v, const std::string& pointer) {
  std::uint64_t seed = 0;
  const char* end = v.text.data() + v.text.size();
  const auto [stop, error] = std::from_chars(v.text.data(), end, seed);
  if (v.kind != option_kind::number || error != std::errc{} || stop != end) {
    throw options_error(fmt::format("{}: expected a whole number from 0 to 2^64 - 1", pointer));
  }
  return seed;
}

std::string child(const std::string& parent, const std::string& name) {
  std::string escaped = parent;
  escaped += '/';
  for (const char c : name) {
    if (c == '~') {
      escaped += "~0";
    } else if (c == '/') {
      escaped += "~1";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

}  // namespace mdp::netsim
