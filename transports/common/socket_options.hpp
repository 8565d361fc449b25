// Options of the transports over kernel UDP sockets, from their JSON object.
// Errors: parse_socket_options returns one sentence fit for a user. No state, no threads.
#pragma once
#include <cstdint>
#include <string>

#include "mdp/base/result.hpp"

namespace mdp::transport {

struct socket_options {
  std::uint32_t recv_buffer_bytes = 8u << 20;
  std::uint32_t send_buffer_bytes = 8u << 20;
  std::uint32_t busy_poll_us = 0;
  bool prefer_busy_poll = false;
  bool reuse_port = false;
  bool gso = true;
  bool gro = true;
};

[[nodiscard]] result<socket_options, std::string> parse_socket_options(const char* json);

// The schema of the above, as a plugin descriptor carries it.
inline constexpr const char* socket_options_schema =
    R"({"type":"object","additionalProperties":false,"properties":{)"
    R"("recv_buffer_bytes":{"type":"integer","minimum":4096,"maximum":1073741824,)"
    R"("default":8388608,"description":"kernel receive buffer asked for"},)"
    R"("send_buffer_bytes":{"type":"integer","minimum":4096,"maximum":1073741824,)"
    R"("default":8388608,"description":"kernel send buffer asked for"},)"
    R"("gso":{"type":"boolean","default":true,)"
    R"("description":"send trains with UDP_SEGMENT where the kernel has it"},)"
    R"("gro":{"type":"boolean","default":true,)"
    R"("description":"receive trains with UDP_GRO where the kernel has it"},)"
    R"("busy_poll_us":{"type":"integer","minimum":0,"maximum":1000000,"default":0,)"
    R"("description":"SO_BUSY_POLL: let the kernel poll the network card this long"},)"
    R"("prefer_busy_poll":{"type":"boolean","default":false,)"
    R"("description":"SO_PREFER_BUSY_POLL: put off the network card's interrupts while polling"},)"
    R"("reuse_port":{"type":"boolean","default":false,)"
    R"("description":"SO_REUSEPORT: several transports share one address and port"}}})";

}  // namespace mdp::transport
