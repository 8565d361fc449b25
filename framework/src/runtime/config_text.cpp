// A node's configuration as JSON and as `key=value` text.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "mdp/runtime/config.hpp"

namespace mdp {
namespace {

using pairs = std::vector<std::pair<std::string, std::string>>;

result<node_config, std::string> made_of(const pairs& values) {
  node_config config;
  if (auto set = config.set_all(values); !set) return failure(std::move(set.error()));
  return config;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(blank);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(blank) - first + 1);
}

// Collects the members of one flat object; a document that is anything else is refused. Unlike a
// tree it also sees keys that come twice.
class flat_object final : public nlohmann::json_sax<nlohmann::json> {
 public:
  pairs values;
  std::string error;

  bool null() override { return wrong("null"); }
  bool boolean(bool) override { return wrong("a boolean"); }
  bool number_integer(number_integer_t v) override { return value(std::to_string(v)); }
  bool number_unsigned(number_unsigned_t v) override { return value(std::to_string(v)); }
  bool number_float(number_float_t, const string_t& text) override { return value(text); }
  bool string(string_t& text) override { return value(text); }
  bool binary(binary_t&) override { return wrong("binary"); }
  bool start_object(std::size_t) override { return depth_++ == 0 || wrong("an object"); }
  bool key(string_t& name) override {
    key_ = name;
    return true;
  }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return wrong("an array"); }
  bool end_array() override { return true; }
  bool parse_error(std::size_t at, const std::string&, const nlohmann::json::exception&) override {
    error = fmt::format("not valid JSON at byte {}", at);
    return false;
  }

 private:
  bool value(std::string text) {
    if (depth_ == 0) return wrong("a single value");
    values.emplace_back(key_, std::move(text));
    return true;
  }
  bool wrong(const char* what) {
    error = depth_ == 0 ? "a configuration is one JSON object"
                        : fmt::format("{}: {} is neither a number nor a word", key_, what);
    return false;
  }
  std::string key_;
  int depth_ = 0;
};

}  // namespace

result<node_config, std::string> node_config::from_json(std::string_view object) {
  flat_object parsed;
  if (!nlohmann::json::sax_parse(object, &parsed)) return failure(parsed.error);
  return made_of(parsed.values);
}

result<node_config, std::string> node_config::from_text(std::string_view text) {
  pairs values;
  for (std::string_view rest = trimmed(text); !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view item = rest.substr(0, comma);
    const std::size_t equals = item.find('=');
    if (equals == item.npos)
      return failure(fmt::format("'{}' is not of the form key=value", trimmed(item)));
    values.emplace_back(trimmed(item.substr(0, equals)), trimmed(item.substr(equals + 1)));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return made_of(values);
}

std::string node_config::to_json() const {
  nlohmann::ordered_json object;
  for (const messaging::config_key& k : config_keys()) {
    // Through its text, so that whole numbers look like whole numbers.
    const std::string value = get(k.name);
    object[k.name] =
        k.choices.empty() ? nlohmann::ordered_json::parse(value) : nlohmann::ordered_json(value);
  }
  return object.dump();
}

std::string node_config::to_text() const {
  std::string text;
  for (const messaging::config_key& k : config_keys()) {
    if (!text.empty()) text += ",";
    text += std::string(k.name) + "=" + get(k.name);
  }
  return text;
}

}  // namespace mdp
