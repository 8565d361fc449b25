// A fabric whose transports meet faults of the system below, by a schedule and a seed: a decorator
// around the fabric of any plugin, through the public interface only.
//
// Each datagram or train that is offered is one attempt of its transport, counted from 0; each one
// that comes is one arrival, counted the same way. What is injected is counted as a plugin counts
// it, in counts(), and in a tally by kind. Ownership: holds the inner fabric. Threading: as the
// inner fabric and its transports. Errors: open() throws what the inner one throws.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "mdp/transport/transport.hpp"

namespace mdp::test {

enum class system_fault : std::uint8_t {
  none,
  partial_batch,       // the batch ends after this item, which is taken
  would_block,         // EAGAIN: the batch ends before this item
  no_buffers,          // ENOBUFS: so does this batch, and the next two
  connection_refused,  // ECONNREFUSED of an earlier datagram; this one goes
  network_down,        // ENETDOWN: dropped
  too_long,            // EMSGSIZE: dropped
  not_permitted,       // EPERM: dropped
  truncated,           // the arrival did not fit its block: dropped
};
inline constexpr std::size_t system_faults = 9;

struct scheduled_fault {
  system_fault kind = system_fault::none;
  unsigned per_mille = 0;
  std::uint64_t from = 0;  // attempts, or arrivals for `truncated`
  std::uint64_t until = ~std::uint64_t{0};
};

struct fault_schedule {
  std::uint64_t seed = 1;
  std::vector<scheduled_fault> faults;  // the first that comes up is the one that happens
};

// How often each kind was injected, and how many datagrams that dropped. Any thread may read.
struct fault_tally {
  std::array<std::atomic<std::uint64_t>, system_faults> times{};
  std::atomic<std::uint64_t> datagrams_dropped{0};

  [[nodiscard]] std::uint64_t of(system_fault kind) const noexcept {
    return times[static_cast<std::size_t>(kind)];
  }
};

class faulty_fabric final : public transport::fabric {
 public:
  faulty_fabric(std::shared_ptr<transport::fabric> inner, fault_schedule schedule);

  [[nodiscard]] const transport::capabilities& caps() const noexcept override {
    return inner_->caps();
  }
  [[nodiscard]] std::unique_ptr<transport::transport> open(
      const transport::open_options& options) override;
  [[nodiscard]] std::int64_t advance(time_point limit) noexcept override {
    return inner_->advance(limit);
  }
  [[nodiscard]] transport::fabric_facts facts() const override { return inner_->facts(); }
  [[nodiscard]] const fault_tally& tally() const noexcept { return tally_; }

 private:
  std::shared_ptr<transport::fabric> inner_;
  fault_schedule schedule_;
  fault_tally tally_;
  std::uint64_t opened_ = 0;
};

}  // namespace mdp::test
