// The C interface over mdp::node. Nothing is thrown across it; each thread has its last error.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <stdexcept>

#include "capi_node.hpp"
#include "mdp/plugin/plugin_loader.hpp"

using mdp::endpoint_address;
using mdp::message_id;
using mdp::peer_id;

namespace mdp::capi {

mdp_status status_of(messaging::refusal why) noexcept {
  using from = messaging::refusal;
  switch (why) {
    case from::queue_full:
      return MDP_QUEUE_FULL;
    case from::too_large:
      return MDP_TOO_LARGE;
    case from::unknown_peer:
      return MDP_UNKNOWN_PEER;
    case from::unknown_message:
      return MDP_UNKNOWN_MESSAGE;
    case from::too_late:
      return MDP_TOO_LATE;
    case from::bad_option:
      return MDP_BAD_OPTION;
    case from::blacklisted:
      return MDP_BLACKLISTED;
    case from::not_supported:
      return MDP_NOT_SUPPORTED;
    case from::closed:
      return MDP_CLOSED;
  }
  return MDP_FAILED;
}

std::size_t copy_text(const std::string& text, char* out, std::size_t size) noexcept {
  if (out && size > 0) {
    const std::size_t n = std::min(text.size(), size - 1);
    std::memcpy(out, text.data(), n);
    out[n] = '\0';
  }
  return text.size() + 1;
}

std::string word(const char* text, const char* otherwise) {
  return text ? text : otherwise;
}

std::string& last_error() noexcept {
  thread_local std::string text;
  return text;
}

std::optional<endpoint_address> parse(const char* text) {
  auto address = parse_endpoint_address(word(text, ""));
  if (address) return *address;
  last_error() = word(text, "NULL");
  last_error().append(" is no address; write 127.0.0.1:4433 or [::1]:4433");
  return std::nullopt;
}

}  // namespace mdp::capi

namespace {

using mdp::capi::copy_text;
using mdp::capi::guarded;
using mdp::capi::last_error;
using mdp::capi::parse;
using mdp::capi::status_of;
using mdp::capi::word;

mdp::duration nanoseconds(std::uint64_t ns) noexcept {
  return mdp::duration(static_cast<std::int64_t>(std::min<std::uint64_t>(ns, INT64_MAX / 2)));
}

mdp::messaging::send_options options_of(const mdp_send_options* o) noexcept {
  mdp::messaging::send_options how;
  if (!o) return how;
  mdp_send_options known;
  mdp_send_options_init(&known, sizeof known);
  std::memcpy(&known, o, std::min(o->struct_size, sizeof known));
  how.want = static_cast<mdp::messaging::confirm>(known.wants & 3);
  how.context = known.context;
  how.priority = known.priority;
  how.channel = known.channel;
  how.idempotent = known.idempotent != 0;
  how.lifetime = nanoseconds(known.lifetime_ns);
  how.received_timeout = nanoseconds(known.received_timeout_ns);
  how.delivered_timeout = nanoseconds(known.delivered_timeout_ns);
  return how;
}

mdp::node_config config_of(const char* text) {
  const std::string all = word(text, "");
  const bool json = all.find_first_not_of(" \t\n") != std::string::npos &&
                    all[all.find_first_not_of(" \t\n")] == '{';
  auto config = json ? mdp::node_config::from_json(all) : mdp::node_config::from_text(all);
  if (!config) throw std::runtime_error(config.error());
  return *config;
}

std::vector<int> numbers_of(std::string_view text) {
  std::vector<int> all;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    int number = -1;
    const auto [at, error] = std::from_chars(text.data(), text.data() + end, number);
    if (error != std::errc() || at != text.data() + end || number < 0)
      throw std::invalid_argument("cpus: numbers from 0, separated by commas, as in \"0,1\"");
    all.push_back(number);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return all;
}

mdp::thread_plan threads_of(const mdp_options& o) {
  auto plan = mdp::parse_thread_plan(word(o.threads, "inline"));
  if (!plan) throw std::invalid_argument(plan.error());
  const auto idle = mdp::parse_idle_strategy(word(o.idle, "park"));
  if (!idle) throw std::invalid_argument(idle.error());
  plan->idle = *idle;
  plan->cpus = numbers_of(o.cpus ? o.cpus : "");
  return *plan;
}

// Addresses separated by commas.
void listen_at(std::string_view text, mdp::node_options& options) {
  std::vector<endpoint_address> locals;
  for (std::size_t end = 0; end != std::string_view::npos;) {
    end = text.find(',');
    const std::string one(text.substr(0, end));
    if (end != std::string_view::npos) text.remove_prefix(end + 1);
    const auto local = parse(one.c_str());
    if (!local) throw std::runtime_error(last_error());
    locals.push_back(*local);
  }
  options.local = locals.front();
  options.more_locals.assign(locals.begin() + 1, locals.end());
}

std::unique_ptr<mdp_node> open_node(const mdp_options& o) {
  auto made = std::make_unique<mdp_node>();
  std::vector<std::string> directories;
  if (o.plugin_directory) directories.emplace_back(o.plugin_directory);
  made->fabric = mdp::plugin::create_fabric(word(o.transport, "socket"),
                                            word(o.transport_options, "{}"), directories);
  mdp::node_options options;
  options.fabric = made->fabric.get();
  if (o.local) listen_at(o.local, options);
  options.seed = o.seed;
  options.spin = nanoseconds(o.spin_ns);
  options.threads = threads_of(o);
  if (o.confirm_on_request) options.confirm = mdp::confirm_mode::on_request;
  if (o.node_key) {
    const auto key = mdp::parse_node_key(o.node_key);
    if (!key) throw std::invalid_argument(key.error());
    options.node_key = *key;
  }
  options.config = config_of(o.config);
  made->node = mdp::make_node(options);
  return made;
}

// The event takes over the slice's reference; mdp_release() gives it back.
void hand_over(mdp::messaging::event& from, mdp_event& to) noexcept {
  to = {};
  to.kind = static_cast<mdp_event_kind>(from.kind);
  to.peer = from.peer.value;
  to.id = from.id.value;
  to.context = from.context;
  to.time_ns = static_cast<std::uint64_t>(mdp::ns_of(from.time));
  to.channel = from.channel;
  to.confirm = from.confirm ? 1 : 0;
  to.reason = from.reason;
  if (mdp::buffer::block* block = from.payload.owner()) {
    to.payload = from.payload.data();
    to.size = from.payload.size();
    block->owner->add_refs(*block);
    to.hold = block;
    from.payload.reset();
  }
}

}  // namespace

// The C enumerations are the C++ ones by number.
static_assert(static_cast<int>(mdp::messaging::event_kind::peer_moved) == MDP_PEER_MOVED);
static_assert(static_cast<int>(mdp::message_state::none) == MDP_STATE_NONE);
static_assert(static_cast<int>(mdp::peer_filter::connected) == MDP_PEERS_CONNECTED);

extern "C" {

const char* mdp_status_name(mdp_status status) {
  static constexpr const char* names[] = {
      "ok",         "queue full",  "too large",     "unknown peer", "unknown message", "too late",
      "bad option", "blacklisted", "not supported", "closed",       "invalid",         "failed"};
  const auto i = static_cast<std::size_t>(status);
  return i < std::size(names) ? names[i] : "?";
}

const char* mdp_state_name(mdp_state state) {
  return mdp::to_string(static_cast<mdp::message_state>(state));
}

const char* mdp_event_kind_name(mdp_event_kind kind) {
  return mdp::messaging::to_string(static_cast<mdp::messaging::event_kind>(kind));
}

void mdp_options_init(mdp_options* options, size_t struct_size) {
  std::memset(options, 0, struct_size);
  options->struct_size = struct_size;
}

void mdp_send_options_init(mdp_send_options* options, size_t struct_size) {
  std::memset(options, 0, struct_size);
  options->struct_size = struct_size;
  options->priority = mdp::messaging::default_priority;
}

mdp_node* mdp_open(const mdp_options* options, char* error, size_t error_size) {
  mdp_options known;
  mdp_options_init(&known, sizeof known);
  if (options) std::memcpy(&known, options, std::min(options->struct_size, sizeof known));
  try {
    return open_node(known).release();
  } catch (const std::exception& e) {
    const char* why = e.what();
    if (error && error_size > 0) {
      const std::size_t n = std::min(std::strlen(why), error_size - 1);
      std::memcpy(error, why, n);
      error[n] = '\0';
    }
  }
  return nullptr;
}

void mdp_close(mdp_node* node) {
  delete node;
}

const char* mdp_error(void) {
  return last_error().c_str();
}

uint64_t mdp_now(mdp_node* node) {
  return static_cast<std::uint64_t>(mdp::ns_of(node->node->now()));
}

mdp_status mdp_local_address(const mdp_node* node, char* text, size_t size) {
  return guarded([&] {
    std::string all;
    for (const endpoint_address& local : node->node->local_addresses())
      all.append(all.empty() ? "" : ",").append(mdp::to_string(local));
    static_cast<void>(copy_text(all, text, size));
    return MDP_OK;
  });
}

size_t mdp_message_bytes_max(const mdp_node* node) {
  return node->node->message_bytes_max();
}

int mdp_idle(const mdp_node* node) {
  return node->node->idle() ? 1 : 0;
}

mdp_status mdp_send(mdp_node* node, mdp_peer to, const void* payload, size_t size,
                    const mdp_send_options* options, mdp_message* id) {
  const auto sent = node->node->submit(peer_id{to}, {static_cast<const std::byte*>(payload), size},
                                       options_of(options));
  if (sent && id) *id = sent->value;
  return status_of(sent);
}

size_t mdp_send_batch(mdp_node* node, const mdp_item* items, size_t item_count, mdp_result* results,
                      size_t result_count) {
  return guarded([&]() -> std::size_t {
    std::vector<peer_id> to;
    std::vector<std::span<const std::byte>> parts;
    std::vector<mdp::submit_result> out;
    std::size_t written = 0;
    for (std::size_t i = 0; i < item_count && written < result_count; ++i) {
      const mdp_item& item = items[i];
      to.clear();
      parts.clear();
      for (std::size_t k = 0; k < item.to_count; ++k) to.push_back(peer_id{item.to[k]});
      for (std::size_t k = 0; k < item.part_count; ++k)
        parts.emplace_back(static_cast<const std::byte*>(item.parts[k].data), item.parts[k].size);
      out.assign(std::min(to.size(), result_count - written), mdp::submit_result(message_id{}));
      const mdp::submission one{to, parts, options_of(item.options)};
      const std::size_t n = node->node->submit_batch({&one, 1}, out);
      for (std::size_t k = 0; k < n; ++k, ++written)
        results[written] = {status_of(out[k]), out[k] ? out[k]->value : 0};
    }
    return written;
  });
}

mdp_status mdp_wait_writable(mdp_node* node, mdp_peer to, size_t size, uint64_t timeout_ns) {
  return status_of(
      node->node->wait_writable(peer_id{to}, size, node->node->now() + nanoseconds(timeout_ns)));
}

mdp_status mdp_cancel(mdp_node* node, mdp_peer to, mdp_message id) {
  return status_of(node->node->cancel(peer_id{to}, message_id{id}));
}

mdp_state mdp_message_state(mdp_node* node, mdp_peer to, mdp_message id) {
  return static_cast<mdp_state>(node->node->state(peer_id{to}, message_id{id}));
}

void mdp_message_states(mdp_node* node, mdp_peer to, const mdp_message* ids, size_t count,
                        mdp_state* out) {
  for (std::size_t i = 0; i < count; ++i) out[i] = mdp_message_state(node, to, ids[i]);
}

size_t mdp_unresolved(mdp_node* node, mdp_peer to, mdp_message* ids, mdp_state* states,
                      size_t count) {
  return guarded([&]() -> std::size_t {
    const auto all = node->node->unresolved(peer_id{to});
    for (std::size_t i = 0; i < std::min(count, all.size()); ++i) {
      ids[i] = all[i].id.value;
      if (states) states[i] = static_cast<mdp_state>(all[i].state);
    }
    return all.size();
  });
}

size_t mdp_poll(mdp_node* node, mdp_event* events, size_t count, uint64_t timeout_ns) {
  thread_local std::array<mdp::messaging::event, 64> polled;  // kept: they are dear to construct
  const std::span out(polled.data(), std::min(count, polled.size()));
  const std::size_t n = node->node->poll(out, node->node->now() + nanoseconds(timeout_ns));
  for (std::size_t i = 0; i < n; ++i) hand_over(out[i], events[i]);
  return n;
}

int mdp_shutdown(mdp_node* node, uint64_t timeout_ns) {
  return node->node->shutdown(node->node->now() + nanoseconds(timeout_ns)) ? 1 : 0;
}

void mdp_release(mdp_event* event) {
  if (!event->hold) return;
  auto* block = static_cast<mdp::buffer::block*>(event->hold);
  block->owner->release(*block);
  event->hold = nullptr;
  event->payload = nullptr;
  event->size = 0;
}

mdp_status mdp_confirm(mdp_node* node, mdp_peer from, mdp_message id) {
  return status_of(node->node->confirm(peer_id{from}, message_id{id}));
}

mdp_status mdp_reject(mdp_node* node, mdp_peer from, mdp_message id) {
  return status_of(node->node->reject(peer_id{from}, message_id{id}));
}

}  // extern "C"
