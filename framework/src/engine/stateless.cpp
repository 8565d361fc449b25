#include "stateless.hpp"

#include <algorithm>
#include <new>

#include "address_map.hpp"

namespace mdp::engine {
namespace {

// One word of a MAC: `purpose` keeps words of different meaning apart under one key.
std::uint64_t mac(const siphash_key& key, std::uint64_t purpose, const endpoint_address& address,
                  std::uint64_t value) noexcept {
  const std::array<std::uint64_t, 3> words{purpose, hash_of(key, address), value};
  std::array<std::uint8_t, sizeof words> bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<std::uint8_t>(words[i / 8] >> (i % 8 * 8));
  return siphash(key, bytes);
}

}  // namespace

rate_limit::rate_limit(std::uint32_t per_second) noexcept
    : spacing_(std::chrono::nanoseconds(1'000'000'000 / std::max(per_second, 1u))),
      burst_(spacing_ * std::max(per_second / 10, 1u)) {}

bool rate_limit::allows(time_point now) noexcept {
  due_ = std::max(due_, now - burst_);
  if (due_ >= now) return false;
  due_ += spacing_;
  return true;
}

stateless_replies::stateless_replies(const siphash_key& node_key, const siphash_key& cookie_key,
                                     std::uint32_t resets_per_second, stats& counts) noexcept
    : node_key_(node_key), cookie_key_(cookie_key), resets_(resets_per_second), counts_(counts) {}

wire::reset_token stateless_replies::token_of(std::uint32_t connection,
                                              const endpoint_address& to) const noexcept {
  if ((node_key_.k0 | node_key_.k1) == 0) return {};
  return {mac(node_key_, 1, to, connection), mac(node_key_, 2, to, connection)};
}

std::uint64_t stateless_replies::cookie_of(std::int64_t period, const endpoint_address& to,
                                           std::uint64_t nonce) const noexcept {
  // Zero means "no cookie" on the wire.
  return mac(cookie_key_, static_cast<std::uint64_t>(period), to, nonce) | 1;
}

std::uint64_t stateless_replies::return_cookie_of(std::int64_t period,
                                                  const endpoint_address& to) const noexcept {
  // Periods of the two kinds of cookie are told apart by the sign.
  return mac(cookie_key_, static_cast<std::uint64_t>(-1 - period), to, 0) | 1;
}

bool stateless_replies::returns(time_point now, const endpoint_address& from,
                                const wire::hello& hello) const noexcept {
  const std::int64_t period = ns_of(now) / return_period.count();
  return hello.cookie != 0 && (hello.cookie == return_cookie_of(period, from) ||
                               hello.cookie == return_cookie_of(period - 1, from));
}

bool stateless_replies::cookie_valid(time_point now, const endpoint_address& from,
                                     const wire::hello& hello) const noexcept {
  if (returns(now, from, hello)) return true;
  const std::int64_t period = ns_of(now) / cookie_period.count();
  return hello.cookie != 0 && (hello.cookie == cookie_of(period, from, hello.nonce) ||
                               hello.cookie == cookie_of(period - 1, from, hello.nonce));
}

stateless_replies::reply* stateless_replies::add() noexcept {
  if (!queue_) queue_.reset(new (std::nothrow) std::array<reply, queue_max>);
  if (!queue_ || count_ == queue_max) {
    ++counts_.replies_suppressed;
    return nullptr;
  }
  return &(*queue_)[(first_ + count_++) % queue_max];
}

void stateless_replies::forgotten(time_point now, const endpoint_address& to,
                                  const wire::packet_header& trigger) noexcept {
  const wire::reset_token token = token_of(trigger.connection, to);
  const bool proven = token != wire::reset_token{};
  // Never as long as its trigger: whatever goes back and forth dies out (RFC 9000 section 10.3.3).
  if (trigger.length <= (proven ? wire::reset_bytes : wire::unknown_bytes)) return;
  if (!resets_.allows(now)) {
    ++counts_.replies_suppressed;
    return;
  }
  if (reply* r = add()) {
    r->to = to;
    r->header = {proven ? wire::packet_type::reset : wire::packet_type::unknown,
                 0,
                 0,
                 trigger.connection,
                 trigger.number,
                 0};
    r->body = token;
    ++counts_.resets_sent;
  }
}

void stateless_replies::retry(time_point now, const endpoint_address& to,
                              const wire::hello& hello) noexcept {
  if (reply* r = add()) {
    r->to = to;
    r->header = {wire::packet_type::retry, 0, 0, hello.connection, 0, 0};
    r->body = {hello.nonce, cookie_of(ns_of(now) / cookie_period.count(), to, hello.nonce)};
    ++counts_.retries_sent;
  }
}

void stateless_replies::flush(buffer::block_pool& blocks, buffer::tx_batch& batch) noexcept {
  while (count_ > 0 && !batch.full()) {
    buffer::slice block = buffer::slice::acquire(blocks);
    if (!block) return;
    const reply& r = (*queue_)[first_];
    const bool bare = r.header.type == wire::packet_type::unknown;
    const std::size_t size = bare ? wire::unknown_bytes : wire::retry_bytes;
    if (!bare) {
      wire::store(block.data() + wire::header_bytes, r.body[0]);
      wire::store(block.data() + wire::header_bytes + 8, r.body[1]);
    }
    wire::seal_packet({block.data(), size}, r.header, wire::hello_crc_seed);
    batch.add_part(block.subslice(0, static_cast<std::uint32_t>(size)));
    batch.finish_item(r.to, 0);
    ++counts_.packets_sent;
    counts_.wire_bytes_sent += size;
    first_ = (first_ + 1) % queue_max;
    --count_;
  }
}

}  // namespace mdp::engine
