#include "mdp/runtime/node.hpp"

#include <array>
#include <charconv>

#include "inline_node.hpp"
#include "threaded_node.hpp"

namespace mdp {

message_state node::state(peer_id to, message_id id) noexcept {
  message_state one = message_state::none;
  static_cast<void>(states(to, {&id, 1}, {&one, 1}));
  return one;
}

const char* to_string(message_state s) noexcept {
  constexpr std::array names{
      "queued",    "sent",    "received",           "delivered",           "rejected",
      "cancelled", "expired", "timed_out_received", "timed_out_delivered", "unknown",
      "settled",   "none"};
  const auto i = static_cast<std::size_t>(s);
  return i < names.size() ? names[i] : "?";
}

std::unique_ptr<node> make_node(const node_options& options) {
  if (options.threads.layout == thread_layout::inline_)
    return std::make_unique<runtime::inline_node>(options, buffer::sharing::one_thread);
  return std::make_unique<runtime::threaded_node>(options);
}

result<siphash_key, std::string> parse_node_key(std::string_view text) {
  constexpr std::size_t half = 16;
  const auto read = [&](std::size_t from, std::uint64_t& out) {
    const char* const end = text.data() + from + half;
    const auto [at, error] = std::from_chars(text.data() + from, end, out, 16);
    return error == std::errc() && at == end;
  };
  siphash_key key;
  if (text.size() != 2 * half || !read(0, key.k0) || !read(half, key.k1))
    return failure(
        std::string("a node key is 32 hexadecimal digits, as `openssl rand -hex 16` "
                    "prints them"));
  if ((key.k0 | key.k1) == 0)
    return failure(std::string("a node key of zeros only means none: leave it out, or draw one"));
  return key;
}

}  // namespace mdp
