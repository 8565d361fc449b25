#include "pcapng.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace mdp::trace {
namespace {

using transport::packet_event;
using transport::packet_fate;

constexpr std::uint32_t section_block = 0x0a0d0d0a;
constexpr std::uint32_t interface_block = 1;
constexpr std::uint32_t packet_block = 6;
constexpr std::uint32_t byte_order_magic = 0x1a2b3c4d;
constexpr std::uint16_t link_type_raw_ip = 101;
constexpr std::uint16_t option_end = 0;
constexpr std::uint16_t option_comment = 1;
constexpr std::uint16_t option_name = 2;
constexpr std::uint16_t option_time_resolution = 9;
constexpr std::uint32_t ipv4_bytes = 20;
constexpr std::uint32_t udp_bytes = 8;
constexpr std::size_t buffer_bytes = std::size_t{1} << 16;

template <class Int>
void add_little(std::string& out, Int value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(value >> 8 * i & 0xff);
}
void add_big16(std::string& out, std::uint32_t value) {
  out += static_cast<char>(value >> 8 & 0xff);
  out += static_cast<char>(value & 0xff);
}
void pad(std::string& out) {
  while (out.size() % 4 != 0) out += '\0';
}

void add_option(std::string& out, std::uint16_t code, std::string_view value) {
  add_little(out, code);
  add_little(out, static_cast<std::uint16_t>(value.size()));
  out += value;
  pad(out);
}

// Type and length, the body, the length again.
void add_block(std::string& out, std::uint32_t type, const std::string& body) {
  const auto length = static_cast<std::uint32_t>(body.size() + 12);
  add_little(out, type);
  add_little(out, length);
  out += body;
  add_little(out, length);
}

void add_address(std::string& out, std::uint32_t node) {
  out += static_cast<char>(10);
  out += static_cast<char>(node >> 16 & 0xff);
  add_big16(out, node);
}

std::uint32_t header_sum(const std::string& header) {
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < header.size(); i += 2) {
    sum += static_cast<std::uint32_t>(static_cast<unsigned char>(header[i]) << 8 |
                                      static_cast<unsigned char>(header[i + 1]));
  }
  while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}

// IPv4 (RFC 791) and UDP (RFC 768; its checksum 0: none).
std::string headers(const packet_event& e) {
  std::string ip("\x45\x00", 2);
  add_big16(ip, e.bytes + ipv4_bytes + udp_bytes);
  add_big16(ip, static_cast<std::uint32_t>(e.number));
  ip += std::string("\x40\x00\x40\x11\x00\x00", 6);  // do not fragment, 64 hops, UDP
  add_address(ip, e.from);
  add_address(ip, e.to);
  const std::uint32_t sum = header_sum(ip);
  ip[10] = static_cast<char>(sum >> 8);
  ip[11] = static_cast<char>(sum & 0xff);
  std::string udp;
  add_big16(udp, made_up_port);
  add_big16(udp, made_up_port);
  add_big16(udp, e.bytes + udp_bytes);
  add_big16(udp, 0);
  return ip + udp;
}

bool dropped(packet_fate fate) {
  return fate >= packet_fate::lost && fate <= packet_fate::closed;
}

std::string comment_of(const packet_event& e) {
  std::string out = fmt::format("{} #{}", to_string(e.fate), e.number);
  if (e.arrive_ns != e.time_ns) {
    out += fmt::format(", {} ns on the way, {} queued", e.arrive_ns - e.time_ns, e.queued);
  }
  return out;
}

}  // namespace

pcapng_writer::pcapng_writer(const std::string& file)
    : name_(file), file_(std::fopen(file.c_str(), "wbe")) {
  if (file_ == nullptr) throw std::runtime_error(fmt::format("{}: {}", file, std::strerror(errno)));
  std::string body;
  add_little(body, byte_order_magic);
  add_little(body, std::uint16_t{1});  // version 1.0
  add_little(body, std::uint16_t{0});
  add_little(body, ~std::uint64_t{0});  // the section's length is not known
  add_block(buffer_, section_block, body);
}

pcapng_writer::~pcapng_writer() {
  if (file_ != nullptr) std::fclose(file_);
}

void pcapng_writer::on_place(std::uint32_t place, std::string_view name) noexcept {
  if (place >= places_.size()) places_.resize(place + std::size_t{1});
  places_[place].name = name;
}

std::uint32_t pcapng_writer::interface_of(const packet_event& e) {
  place_state& p = places_[e.place];
  std::uint32_t& number = dropped(e.fate) ? p.dropped : p.passing;
  if (number != no_interface) return number;
  std::string body;
  add_little(body, link_type_raw_ip);
  add_little(body, std::uint16_t{0});
  add_little(body, std::uint32_t{0});  // packets are whole
  add_option(body, option_name, p.name + (dropped(e.fate) ? " dropped" : ""));
  add_option(body, option_time_resolution, "\x09");  // 10^-9 s
  add_option(body, option_end, "");
  add_block(buffer_, interface_block, body);
  return number = interfaces_++;
}

void pcapng_writer::begin_packet(const packet_event& e, std::span<const std::byte> first,
                                 std::span<const buffer::slice> rest) {
  const std::uint32_t number = interface_of(e);
  const auto time = static_cast<std::uint64_t>(e.time_ns);
  std::string data = headers(e);
  const auto add = [&data](std::span<const std::byte> bytes) {
    for (const std::byte b : bytes) data += static_cast<char>(b);
  };
  add(first);
  for (const buffer::slice& s : rest) add(s.bytes());
  add_little(packet_, number);
  add_little(packet_, static_cast<std::uint32_t>(time >> 32));
  add_little(packet_, static_cast<std::uint32_t>(time));
  add_little(packet_, static_cast<std::uint32_t>(data.size()));
  add_little(packet_, e.bytes + ipv4_bytes + udp_bytes);
  packet_ += data;
  pad(packet_);
  comment_ = comment_of(e);
}

void pcapng_writer::end_packet() {
  if (packet_.empty()) return;
  add_option(packet_, option_comment, comment_);
  add_option(packet_, option_end, "");
  add_block(buffer_, packet_block, packet_);
  packet_.clear();
  if (buffer_.size() >= buffer_bytes) flush();
}

void pcapng_writer::on_packet(const packet_event& e, std::span<const std::byte> first,
                              std::span<const buffer::slice> rest) noexcept {
  switch (e.fate) {
    case packet_fate::wake_up:
      return;
    case packet_fate::damaged:
      comment_ += ", damaged";
      return;
    case packet_fate::held:
      comment_ += fmt::format(", held back {} ns", e.arrive_ns - e.time_ns);
      return;
    default:
      break;
  }
  end_packet();
  begin_packet(e, first, rest);
}

void pcapng_writer::flush() {
  if (error_ == 0 && std::fwrite(buffer_.data(), 1, buffer_.size(), file_) < buffer_.size()) {
    error_ = errno;
  }
  buffer_.clear();
}

void pcapng_writer::close() {
  end_packet();
  flush();
  if (std::fclose(file_) != 0 && error_ == 0) error_ = errno;
  file_ = nullptr;
  if (error_ != 0) {
    throw std::runtime_error(
        fmt::format("{}: {}; is the disk full?", name_, std::strerror(error_)));
  }
}

}  // namespace mdp::trace
