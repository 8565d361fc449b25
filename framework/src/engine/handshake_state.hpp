// How far a peer and we are with opening, replacing or doubting a session. Written by the
// endpoint's handshake, and kept with the peer. Rules: docs/protocol.md R-SESS-*.
#pragma once
#include <cstdint>
#include <memory>

#include "mdp/base/time.hpp"
#include "mdp/wire/packet.hpp"

namespace mdp::engine {

struct handshake {
  std::uint64_t our_nonce = 0;
  std::uint64_t epoch = 0;  // of our present attempt
  wire::hello theirs;       // of the session in force
  struct proposal {
    std::uint64_t our_nonce = 0;
    wire::hello theirs;
  };
  std::unique_ptr<proposal> next;  // a session that the peer asks for while this one lives: it is
                                   // taken up when a packet of it comes
  bool answer_next = false;        // our HELLO_ACK is to that one
  bool early_taken = false;        // something came with their HELLO
  std::uint64_t cookie = 0;        // for our HELLO: from a RETRY, or the last HELLO_ACK
  std::uint64_t next_cookie = 0;   // from their HELLO_ACK, for our next HELLO
  std::uint64_t verify_nonce = 0;  // we ask whether the peer still has the session ...
  std::uint64_t verify_epoch = 0;
  bool verifying = false;     // ... because somebody says that it has not
  time_point verify_again{};  // not before this
  time_point retry = never;
  time_point give_up = never;
  bool send_hello = false;
  bool send_hello_ack = false;
  std::uint64_t vouch_for = 0;  // nonce of a HELLO that doubts the session in force; 0: none
  [[nodiscard]] bool due() const noexcept { return send_hello || send_hello_ack || vouch_for != 0; }
};

}  // namespace mdp::engine
