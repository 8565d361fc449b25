// The only file of the scenario component that includes nlohmann/json: its parser drives our
// handler. A counting iterator follows the characters it consumes and knows where the current token
// began.
#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <unordered_set>
#include <utility>

#include "mdp/scenario/json_value.hpp"

namespace mdp::scenario {
namespace {

// Follows the text just closely enough to know where a token starts.
class token_tracker {
 public:
  void consume(char c) noexcept {
    if (c == '\n') {
      ++line_;
      column_ = 0;
    } else if ((static_cast<unsigned char>(c) & 0xc0u) != 0x80u) {
      ++column_;  // columns count characters, not the bytes of a UTF-8 sequence
    }
    switch (state_) {
      case state::idle:
        start(c);
        break;
      case state::text:
        state_ = c == '"' ? state::idle : c == '\\' ? state::escape : state_;
        break;
      case state::escape:
        state_ = state::text;
        break;
      case state::slash:
        state_ = c == '*' ? state::block : c == '/' ? state::line : state::idle;
        break;
      case state::line:
        state_ = c == '\n' ? state::idle : state_;
        break;
      case state::block:
        state_ = c == '*' ? state::star : state_;
        break;
      case state::star:
        state_ = c == '/' ? state::idle : c == '*' ? state_ : state::block;
        break;
      case state::scalar:
        if (!is_scalar(c)) {
          state_ = state::idle;
          start(c);
        }
        break;
    }
  }
  // Start of the latest string, scalar, `{` or `[`.
  std::uint32_t token_line = 1;
  std::uint32_t token_column = 1;
  // Start of the latest token of any kind.
  std::uint32_t any_line = 1;
  std::uint32_t any_column = 1;

 private:
  enum class state : std::uint8_t { idle, text, escape, slash, line, block, star, scalar };
  static bool is_scalar(char c) noexcept {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '+' || c == '.' || c == '_';
  }
  void start(char c) noexcept {
    if (c == ' ' || c == '\t' || c == '\r' || c == '\n') return;
    if (c == '/') {
      state_ = state::slash;
      return;
    }
    any_line = line_;
    any_column = column_;
    if (c == '"') state_ = state::text;
    if (is_scalar(c)) state_ = state::scalar;
    if (c == '"' || c == '{' || c == '[' || state_ == state::scalar) {
      token_line = line_;
      token_column = column_;
    }
  }
  state state_ = state::idle;
  std::uint32_t line_ = 1;
  std::uint32_t column_ = 0;
};

class counting_iterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  counting_iterator(const char* at, token_tracker* tracker) noexcept : at_(at), tracker_(tracker) {}
  reference operator*() const noexcept { return *at_; }
  counting_iterator& operator++() noexcept {
    tracker_->consume(*at_);
    ++at_;
    return *this;
  }
  counting_iterator operator++(int) noexcept {
    counting_iterator old = *this;
    ++*this;
    return old;
  }
  bool operator==(const counting_iterator& other) const noexcept { return at_ == other.at_; }
  bool operator!=(const counting_iterator& other) const noexcept { return at_ != other.at_; }

 private:
  const char* at_;
  token_tracker* tracker_;
};

class document_builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  document_builder(const std::string& file, const json_limits& limits, const token_tracker& tracker)
      : file_(std::make_shared<const std::string>(file)), limits_(limits), tracker_(tracker) {}

  bool null() override { return add(json_value{}); }
  bool boolean(bool v) override { return add(make_boolean(v)); }
  bool number_integer(number_integer_t v) override {
    json_value out;
    out.kind = json_kind::integer;
    out.number = static_cast<double>(v);
    out.text = std::to_string(v);
    return add(std::move(out));
  }
  bool number_unsigned(number_unsigned_t v) override { return add(make_unsigned(v)); }
  bool number_float(number_float_t v, const string_t&) override {
    json_value out;
    out.kind = json_kind::real;
    out.number = v;
    out.text = fmt::format("{}", v);
    return add(std::move(out));
  }
  bool string(string_t& v) override { return add(make_string(v)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(json_kind::object); }
  bool start_array(std::size_t) override { return open(json_kind::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    frame& top = open_.back();
    top.key = name;
    top.key_where = here();
    if (!top.names.insert(name).second) {
      throw scenario_error(
          locate(top.key_where, pointer(), fmt::format("the key \"{}\" is given twice", name)));
    }
    return true;
  }
  bool parse_error(std::size_t, const std::string& token,
                   const nlohmann::detail::exception& e) override {
    std::string what = e.what();
    for (const char* lead : {"syntax error", "number overflow"}) {
      if (const auto at = what.find(lead); at != std::string::npos) what = what.substr(at);
    }
    static_cast<void>(token);
    what = what.substr(0, what.find("; last read:"));  // may be cut within a character
    source_position at{file_, tracker_.any_line, tracker_.any_column};
    throw scenario_error(locate(at, pointer(), what));
  }

  json_value root;

 private:
  struct frame {
    json_value value;
    std::string key;
    source_position key_where;
    std::unordered_set<std::string> names;
  };
  [[nodiscard]] source_position here() const {
    return {file_, tracker_.token_line, tracker_.token_column};
  }
  [[nodiscard]] std::string pointer() const {
    std::string out;
    for (const frame& f : open_) {
      if (f.value.is(json_kind::array)) {
        out += fmt::format("/{}", f.value.items.size());
      } else if (!f.names.empty()) {
        out = pointer_child(out, f.key);
      }
    }
    return out;
  }
  void count() {
    if (++values_ > limits_.values_max) {
      throw scenario_error(locate(
          here(), "", fmt::format("more than {} values in one document", limits_.values_max)));
    }
  }
  bool add(json_value v) {
    count();
    v.where = here();
    place(std::move(v));
    return true;
  }
  bool open(json_kind kind) {
    count();
    if (open_.size() >= limits_.depth_max) {
      throw scenario_error(
          locate(here(), "", fmt::format("nested deeper than {} levels", limits_.depth_max)));
    }
    frame f;
    f.value.kind = kind;
    f.value.where = here();
    open_.push_back(std::move(f));
    return true;
  }
  bool close() {
    json_value done = std::move(open_.back().value);
    open_.pop_back();
    place(std::move(done));
    return true;
  }
  void place(json_value v) {
    if (open_.empty()) {
      root = std::move(v);
    } else if (frame& top = open_.back(); top.value.is(json_kind::array)) {
      top.value.items.push_back(std::move(v));
    } else {
      top.value.members.push_back({top.key, top.key_where, std::move(v)});
    }
  }

  std::shared_ptr<const std::string> file_;
  json_limits limits_;
  const token_tracker& tracker_;
  std::vector<frame> open_;
  std::size_t values_ = 0;
};

}  // namespace

json_value parse_json(std::string_view text, const std::string& file_name,
                      const json_limits& limits) {
  if (text.size() > limits.bytes_max) {
    throw scenario_error(fmt::format("{}: {} bytes; at most {} are accepted", file_name,
                                     text.size(), limits.bytes_max));
  }
  token_tracker tracker;
  document_builder builder(file_name, limits, tracker);
  const char* const first = text.data();
  const bool done = nlohmann::json::sax_parse(
      counting_iterator(first, &tracker), counting_iterator(first + text.size(), &tracker),
      &builder, nlohmann::json::input_format_t::json, true, true);
  if (!done) throw scenario_error(fmt::format("{}: not a JSON document", file_name));
  return std::move(builder.root);
}

json_value parse_json_file(const std::string& path_or_dash, const json_limits& limits) {
  const bool from_stdin = path_or_dash == "-";
  const std::string name = from_stdin ? "<stdin>" : path_or_dash;
  std::ifstream file;
  if (!from_stdin) {
    file.open(path_or_dash, std::ios::binary);
    if (!file) {
      throw scenario_error(fmt::format("{}: cannot open the file; check the path", name));
    }
  }
  std::istream& in = from_stdin ? std::cin : file;
  std::string text;
  std::vector<char> chunk(64 * 1024);
  while (text.size() <= limits.bytes_max) {
    in.read(chunk.data(), static_cast<std::streamsize>(chunk.size()));
    if (in.gcount() <= 0) break;
    text.append(chunk.data(), static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad() || (text.empty() && !in.eof())) {
    throw scenario_error(fmt::format("{}: cannot be read; is it a regular file?", name));
  }
  return parse_json(text, name, limits);
}

}  // namespace mdp::scenario
