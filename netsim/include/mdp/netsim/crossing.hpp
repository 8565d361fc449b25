// Packets that go from one partition of a network to another, and their payloads there.
//
// An outbox has one writer, then one reader; never both at once. Payloads are copied out of the
// sender's blocks, whose reference counts belong to the sender's thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "mdp/netsim/link.hpp"
#include "mdp/netsim/packet.hpp"

namespace mdp::netsim {

struct crossing {
  packet what;              // without payload
  std::uint32_t link = 0;   // that it comes out of, at what.arrive
  std::uint32_t order = 0;  // of that link, among events of one instant
};

// What one partition has for another. Allocates only when more crosses at once than ever before.
class outbox {
 public:
  void add(const packet_slab& slab, std::uint32_t index, std::uint32_t link, std::uint32_t order);
  void clear() noexcept {
    packets_.clear();
    bytes_.clear();
    earliest_ = no_event;
  }
  [[nodiscard]] const std::vector<crossing>& packets() const noexcept { return packets_; }
  // Payloads, one after the other.
  [[nodiscard]] const std::vector<std::byte>& bytes() const noexcept { return bytes_; }
  // When the first of them comes out of its link; no_event: there is none.
  [[nodiscard]] std::int64_t earliest() const noexcept { return earliest_; }

 private:
  std::vector<crossing> packets_;
  std::vector<std::byte> bytes_;
  std::int64_t earliest_ = no_event;
};

// Blocks for payloads that came from elsewhere; as many as it takes.
class payload_store {
 public:
  explicit payload_store(std::uint32_t block_bytes) : block_bytes_(block_bytes) {}
  [[nodiscard]] buffer::slice copy_of(const std::byte* data, std::uint32_t bytes);

 private:
  std::uint32_t block_bytes_;
  std::vector<std::unique_ptr<buffer::block_pool>> pools_;  // the one that had room last is last
};

// Packets that came from other partitions, by the time that they come out of their links, then by
// the links' order, then as they came.
class arrivals {
 public:
  struct entry {
    std::int64_t time = 0;
    std::uint32_t order = 0;
    std::uint32_t link = 0;
    std::uint64_t sequence = 0;
    std::uint32_t index = no_packet;
  };
  [[nodiscard]] bool empty() const noexcept { return heap_.empty(); }
  [[nodiscard]] const entry& top() const noexcept { return heap_.front(); }
  void push(entry e);
  [[nodiscard]] entry pop() noexcept;

 private:
  std::vector<entry> heap_;
  std::uint64_t pushed_ = 0;
};

}  // namespace mdp::netsim
