#include "mdp/runtime/node.hpp"

#include <array>
#include <charconv>
#include <new>

#include "inline_node.hpp"
#include "threaded_node.hpp"

namespace mdp {
namespace {

// One part is sent from where it lies. False: no memory.
bool join(std::span<const std::span<const std::byte>> parts, std::vector<std::byte>& joined,
          std::span<const std::byte>& whole) noexcept {
  whole = {};
  if (parts.size() == 1) whole = parts.front();
  if (parts.size() < 2) return true;
  joined.clear();
  try {
    for (const auto& part : parts) joined.insert(joined.end(), part.begin(), part.end());
  } catch (const std::bad_alloc&) {
    return false;
  }
  whole = joined;
  return true;
}

}  // namespace

std::size_t node::submit_batch(std::span<const submission> items,
                               std::span<submit_result> results) noexcept {
  std::size_t written = 0;
  for (const submission& item : items) {
    std::span<const std::byte> message;
    std::size_t bytes = 0;
    for (const auto& part : item.parts) bytes += part.size();
    const bool fits = bytes <= message_bytes_max();
    const bool joined = fits && join(item.parts, joined_, message);
    for (const peer_id to : item.to) {
      if (written == results.size()) return written;
      if (!fits) {
        results[written++] = failure(messaging::refusal::too_large);
      } else if (!joined) {
        results[written++] = failure(messaging::refusal::queue_full);
      } else {
        results[written++] = submit(to, message, item.options);
      }
    }
  }
  return written;
}

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
  if (options.layout == thread_layout::single)
    return std::make_unique<runtime::threaded_node>(options);
  return std::make_unique<runtime::inline_node>(options, buffer::sharing::one_thread);
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
