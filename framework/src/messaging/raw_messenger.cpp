// Bare datagrams as a messenger: what a transport can do when nothing is added. Nothing is
// retransmitted or confirmed. Equal-sized messages to one peer leave as trains.
#include <array>
#include <cstring>
#include <stdexcept>

#include "mdp/messaging/factory.hpp"

namespace mdp::messaging {
namespace {

constexpr std::size_t peers_max = 4096;
// Messages lie side by side in blocks as large as a train, so that the kernel copies a train in one
// piece: in pieces of a message it takes half as long again.
constexpr std::size_t tx_block_bytes = 65536;
constexpr std::size_t tx_blocks = 256;

// Bare datagrams have no confirmations, no order and no timers.
bool asks_for_protocol(const send_options& o) noexcept {
  return o.want != confirm::none || o.priority != default_priority || o.channel != 0 ||
         o.lifetime != duration{} || o.received_timeout != duration{} ||
         o.delivered_timeout != duration{};
}

class raw_messenger final : public messenger {
 public:
  explicit raw_messenger(const messenger_options& options)
      : caps_(options.fabric->caps()),
        tx_pool_({tx_block_bytes, tx_blocks, buffer::sharing::one_thread, !caps_.virtual_time}),
        rx_pool_({std::max<std::size_t>(caps_.rx_block_bytes, 2048), rx_blocks(),
                  buffer::sharing::one_thread, !caps_.virtual_time}),
        spin_(options.spin) {
    transport::open_options open;
    open.local = options.local;
    open.name = options.name;
    open.rx_pool = &rx_pool_;
    transport_ = options.fabric->open(open);
    caps_ = transport_->caps();
    ready_.reserve(peers_max);
  }

  time_point now() noexcept override { return transport_->now(); }
  endpoint_address local_address() const noexcept override { return transport_->local_address(); }
  std::size_t message_bytes_max() const noexcept override { return caps_.datagram_bytes_max; }
  bool reliable() const noexcept override { return false; }

  result<peer_id, std::string> connect(const endpoint_address& to) override {
    const peer_id id = peer_of(to);
    if (id == no_peer)
      return failure("cannot connect to " + to_string(to) + ": the raw messenger's table is full");
    ready_.push_back(id);
    return id;
  }

  result<message_id, refusal> submit(peer_id to, std::span<const std::byte> payload,
                                     const send_options& options) noexcept override {
    if (to.value >= peers_.size()) return failure(refusal::unknown_peer);
    if (payload.size() > caps_.datagram_bytes_max) return failure(refusal::too_large);
    if (asks_for_protocol(options)) return failure(refusal::not_supported);
    const auto size = static_cast<std::uint32_t>(payload.size());
    if (!train_fits(to, size) && !finish_train()) return failure(refusal::queue_full);
    if (batch_.full() || batch_.parts_free() == 0) return failure(refusal::queue_full);
    if (size > block_.size() - used_ || !block_) {
      block_ = buffer::slice::acquire(tx_pool_);
      used_ = 0;
      if (!block_) return failure(refusal::queue_full);
    }
    if (size > 0) std::memcpy(block_.data() + used_, payload.data(), size);
    batch_.add_part(block_.subslice(used_, size));
    used_ += size;
    train_peer_ = to;
    if (train_count_++ == 0) train_segment_ = size;
    if (size < train_segment_ || size == 0) static_cast<void>(finish_train());
    return message_id{next_id_++};
  }

  std::size_t poll(std::span<event> out, time_point deadline) noexcept override {
    flush();
    std::size_t n = 0;
    for (; n < out.size() && !ready_.empty(); ++n) {
      out[n] = event{};
      out[n].kind = event_kind::peer_up;
      out[n].peer = ready_.back();
      ready_.pop_back();
    }
    if (received_first_ == received_count_) receive(n > 0 ? now() : deadline);
    const time_point time = received_first_ < received_count_ ? now() : time_point{};
    while (n < out.size() && received_first_ < received_count_) {
      buffer::rx_datagrams& item = received_[received_first_];
      const std::uint32_t step = item.segment_bytes ? item.segment_bytes : item.data.size();
      event& e = out[n++];
      e.kind = event_kind::message;
      e.peer = peer_of(item.from);
      e.id = message_id{received_messages_++};
      e.context = 0;
      e.time = time;
      e.payload = item.data.subslice(offset_, std::min(step, item.data.size() - offset_));
      e.reason = nullptr;
      offset_ += step;
      if (offset_ < item.data.size()) continue;
      item.data.reset();
      ++received_first_;
      offset_ = 0;
    }
    return n;
  }

  bool idle() const noexcept override { return batch_.empty() && train_count_ == 0; }
  statistics stats() const override {
    const transport::counters& c = transport_->counts();
    return {{"packets_sent", c.tx_datagrams}, {"packets_received", c.rx_datagrams},
            {"wire_bytes_sent", c.tx_bytes},  {"wire_bytes_received", c.rx_bytes},
            {"messages_sent", next_id_},      {"messages_received", received_messages_}};
  }
  transport::counters transport_counts() const override { return transport_->counts(); }

 private:
  std::size_t rx_blocks() const noexcept {
    return std::max<std::size_t>((std::size_t{32} << 20) / std::max(caps_.rx_block_bytes, 2048u),
                                 64);
  }
  // Strangers get a number too, as far as the table goes: there is no session to ask for.
  peer_id peer_of(const endpoint_address& address) noexcept {
    if (last_ < peers_.size() && peers_[last_] == address)
      return peer_id{static_cast<std::uint32_t>(last_)};
    for (std::size_t i = 0; i < peers_.size(); ++i) {
      if (peers_[i] == address) {
        last_ = i;
        return peer_id{static_cast<std::uint32_t>(i)};
      }
    }
    if (peers_.size() == peers_max) return no_peer;
    peers_.push_back(address);
    last_ = peers_.size() - 1;
    return peer_id{static_cast<std::uint32_t>(last_)};
  }
  bool train_fits(peer_id to, std::uint32_t size) const noexcept {
    return train_count_ == 0 || (to == train_peer_ && size <= train_segment_ && size > 0 &&
                                 train_count_ < caps_.segments_max &&
                                 batch_.open_bytes() + size <= caps_.train_bytes_max);
  }
  bool finish_train() noexcept {
    if (train_count_ == 0) return true;
    if (batch_.full()) return false;
    batch_.finish_item(peers_[train_peer_.value], train_count_ > 1
                                                      ? static_cast<std::uint16_t>(train_segment_)
                                                      : std::uint16_t{0});
    train_count_ = 0;
    return true;
  }
  void flush() noexcept {
    static_cast<void>(finish_train());
    if (const auto pending = batch_.pending(); !pending.empty())
      batch_.consume(transport_->send(pending));
  }
  void receive(time_point deadline) noexcept {
    transport::wait_limits wait;
    wait.deadline = batch_.empty() ? deadline : now();
    wait.spin = spin_;
    received_first_ = 0;
    offset_ = 0;
    received_count_ = transport_->poll(received_, wait);
  }

  transport::capabilities caps_;
  buffer::block_pool tx_pool_;
  buffer::block_pool rx_pool_;
  std::unique_ptr<transport::transport> transport_;
  duration spin_;
  std::vector<endpoint_address> peers_;
  std::vector<peer_id> ready_;
  std::size_t last_ = 0;
  buffer::tx_batch batch_;
  buffer::slice block_;
  std::uint32_t used_ = 0;
  peer_id train_peer_ = no_peer;
  std::uint32_t train_segment_ = 0;
  std::uint32_t train_count_ = 0;
  std::uint64_t next_id_ = 0;
  std::uint64_t received_messages_ = 0;
  std::array<buffer::rx_datagrams, 64> received_;
  std::size_t received_first_ = 0;
  std::size_t received_count_ = 0;
  std::uint32_t offset_ = 0;
};

}  // namespace

std::unique_ptr<messenger> make_raw_messenger(const messenger_options& options) {
  if (!options.fabric) throw std::runtime_error("a messenger needs a fabric");
  if (!options.config.empty())
    throw std::runtime_error("protocol raw has no keys; '" + options.config.front().first +
                             "' belongs to mdp");
  if (options.threads.layout != thread_layout::inline_)
    throw std::runtime_error("protocol raw runs with threads: \"inline\" only");
  return std::make_unique<raw_messenger>(options);
}

}  // namespace mdp::messaging
