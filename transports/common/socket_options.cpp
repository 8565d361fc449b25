#include "transports/common/socket_options.hpp"

#include <nlohmann/json.hpp>

namespace mdp::transport {
namespace {

using nlohmann::json;

constexpr std::uint32_t buffer_bytes_min = 4096;
constexpr std::uint32_t buffer_bytes_max = 1u << 30;
constexpr std::uint32_t busy_poll_us_max = 1'000'000;

// A nested value is not printed: it may be as deep as the user likes.
std::string shown(const json& value) {
  return value.is_structured() ? std::string("not a plain value") : value.dump();
}

std::string read_number(const json& value, const std::string& key, std::uint32_t low,
                        std::uint32_t high, std::uint32_t& target) {
  const bool fits = value.is_number_unsigned() && value.get<std::uint64_t>() >= low &&
                    value.get<std::uint64_t>() <= high;
  if (!fits) {
    return "option '" + key + "' is " + shown(value) + "; give a whole number from " +
           std::to_string(low) + " to " + std::to_string(high);
  }
  target = value.get<std::uint32_t>();
  return {};
}

std::string read_flag(const json& value, const std::string& key, bool& target) {
  if (!value.is_boolean())
    return "option '" + key + "' is " + shown(value) + "; give true or false";
  target = value.get<bool>();
  return {};
}

std::string read_option(const std::string& key, const json& value, socket_options& o) {
  if (key == "recv_buffer_bytes")
    return read_number(value, key, buffer_bytes_min, buffer_bytes_max, o.recv_buffer_bytes);
  if (key == "send_buffer_bytes")
    return read_number(value, key, buffer_bytes_min, buffer_bytes_max, o.send_buffer_bytes);
  if (key == "busy_poll_us") return read_number(value, key, 0, busy_poll_us_max, o.busy_poll_us);
  if (key == "prefer_busy_poll") return read_flag(value, key, o.prefer_busy_poll);
  if (key == "reuse_port") return read_flag(value, key, o.reuse_port);
  if (key == "gso") return read_flag(value, key, o.gso);
  if (key == "gro") return read_flag(value, key, o.gro);
  return "unknown option '" + key +
         "'; known: recv_buffer_bytes, send_buffer_bytes, busy_poll_us, prefer_busy_poll, "
         "reuse_port, gso, gro";
}

}  // namespace

result<socket_options, std::string> parse_socket_options(const char* text) {
  socket_options options;
  const json parsed = json::parse(text && *text ? text : "{}", nullptr, false);
  if (!parsed.is_object()) return failure(std::string("options are not a JSON object"));
  for (const auto& [key, value] : parsed.items()) {
    if (auto error = read_option(key, value, options); !error.empty()) {
      return failure(std::move(error));
    }
  }
  return options;
}

}  // namespace mdp::transport
