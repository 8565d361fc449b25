#include "tests/support/faulty_fabric.hpp"

#include <utility>

#include "mdp/base/random.hpp"

namespace mdp::test {
namespace {

using transport::counters;

std::uint64_t datagrams_of(std::uint32_t bytes, std::uint16_t segment) {
  return segment == 0 || bytes <= segment ? 1 : (bytes + segment - 1u) / segment;
}

// Which fault attempt or arrival `number` meets.
class drawing {
 public:
  drawing(const fault_schedule& schedule, std::uint64_t seed) : random_(seed) {
    for (const scheduled_fault& f : schedule.faults)
      (f.kind == system_fault::truncated ? arrivals_ : attempts_).push_back(f);
  }
  [[nodiscard]] system_fault next_attempt() { return draw(attempts_, attempt_++); }
  [[nodiscard]] system_fault next_arrival() { return draw(arrivals_, arrival_++); }

 private:
  [[nodiscard]] system_fault draw(const std::vector<scheduled_fault>& from, std::uint64_t number) {
    for (const scheduled_fault& f : from)
      if (number >= f.from && number < f.until && random_.next() % 1000 < f.per_mille)
        return f.kind;
    return system_fault::none;
  }

  seeded_random random_;
  std::vector<scheduled_fault> attempts_;
  std::vector<scheduled_fault> arrivals_;
  std::uint64_t attempt_ = 0;
  std::uint64_t arrival_ = 0;
};

class faulty_transport final : public mdp::transport::transport {
 public:
  faulty_transport(std::unique_ptr<mdp::transport::transport> inner, drawing faults,
                   fault_tally& tally)
      : inner_(std::move(inner)), faults_(std::move(faults)), tally_(tally) {}

  [[nodiscard]] const mdp::transport::capabilities& caps() const noexcept override {
    return inner_->caps();
  }
  [[nodiscard]] endpoint_address local_address() const noexcept override {
    return inner_->local_address();
  }
  [[nodiscard]] time_point now() noexcept override { return inner_->now(); }
  [[nodiscard]] std::size_t send(std::span<const buffer::tx_datagrams> items) noexcept override;
  [[nodiscard]] std::size_t poll(std::span<buffer::rx_datagrams> out,
                                 const mdp::transport::wait_limits& limits) noexcept override;
  void wake() noexcept override { inner_->wake(); }
  [[nodiscard]] int native_fd() const noexcept override { return inner_->native_fd(); }
  [[nodiscard]] const counters& counts() const noexcept override;
  [[nodiscard]] const mdp::transport::transport& inner() const noexcept { return *inner_; }

 private:
  static constexpr unsigned shortage_batches = 2;
  // What becomes of an item at its turn.
  enum class turn : std::uint8_t { goes, goes_last, stays, is_dropped };

  [[nodiscard]] turn meet(system_fault fault) noexcept;
  void note(system_fault fault) noexcept { ++tally_.times[static_cast<std::size_t>(fault)]; }

  std::unique_ptr<mdp::transport::transport> inner_;
  drawing faults_;
  fault_tally& tally_;
  counters own_;     // added to those of inner_
  counters undone_;  // taken from them: arrivals that were dropped
  unsigned shortage_ = 0;
  mutable counters sum_;
};

faulty_transport::turn faulty_transport::meet(system_fault fault) noexcept {
  if (fault != system_fault::none) note(fault);
  switch (fault) {
    case system_fault::no_buffers:
      shortage_ = shortage_batches;
      [[fallthrough]];
    case system_fault::would_block:
      ++own_.tx_blocked;
      return turn::stays;
    case system_fault::partial_batch:
      ++own_.tx_blocked;
      return turn::goes_last;
    case system_fault::connection_refused:
      ++own_.path_errors;
      return turn::goes;
    case system_fault::network_down:
      ++own_.path_errors;
      return turn::is_dropped;
    case system_fault::too_long:
    case system_fault::not_permitted:
      return turn::is_dropped;
    case system_fault::none:
    case system_fault::truncated:
      break;
  }
  return turn::goes;
}

std::size_t faulty_transport::send(std::span<const buffer::tx_datagrams> items) noexcept {
  if (shortage_ > 0) {
    --shortage_;
    ++own_.tx_blocked;
    return 0;
  }
  for (std::size_t taken = 0; taken < items.size(); ++taken) {
    const turn what = meet(faults_.next_attempt());
    if (what == turn::stays) return taken;
    if (what == turn::is_dropped) {
      const auto lost = datagrams_of(items[taken].bytes, items[taken].segment_bytes);
      own_.tx_rejected += lost;
      tally_.datagrams_dropped += lost;
      continue;
    }
    if (inner_->send(items.subspan(taken, 1)) == 0) return taken;
    if (what == turn::goes_last) return taken + 1;
  }
  return items.size();
}

std::size_t faulty_transport::poll(std::span<buffer::rx_datagrams> out,
                                   const mdp::transport::wait_limits& limits) noexcept {
  const std::size_t come = inner_->poll(out, limits);
  std::size_t kept = 0;
  for (std::size_t i = 0; i < come; ++i) {
    if (faults_.next_arrival() == system_fault::truncated) {
      note(system_fault::truncated);
      ++own_.rx_truncated;
      undone_.rx_datagrams += datagrams_of(out[i].data.size(), out[i].segment_bytes);
      undone_.rx_bytes += out[i].data.size();
      out[i].data.reset();
      continue;
    }
    if (kept != i) out[kept] = std::move(out[i]);
    ++kept;
  }
  return kept;
}

const counters& faulty_transport::counts() const noexcept {
  sum_ = inner_->counts();
  for (const auto& [name, member] : mdp::transport::counter_names)
    sum_.*member += own_.*member - undone_.*member;
  return sum_;
}

}  // namespace

faulty_fabric::faulty_fabric(std::shared_ptr<transport::fabric> inner, fault_schedule schedule)
    : inner_(std::move(inner)), schedule_(std::move(schedule)) {}

std::unique_ptr<transport::transport> faulty_fabric::open(const transport::open_options& options) {
  transport::open_options passed = options;
  if (options.sends_for)
    passed.sends_for = &static_cast<const faulty_transport*>(options.sends_for)->inner();
  return std::make_unique<faulty_transport>(
      inner_->open(passed), drawing(schedule_, splitmix64(schedule_.seed + opened_++)), tally_);
}

}  // namespace mdp::test
