// Compares a simulation that runs now with the event log of an earlier one, up to the first record
// in which they differ.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "event_log.hpp"

namespace mdp::trace {

struct difference {
  std::uint64_t number = 0;         // of the record, from 1; places and the end are not counted
  std::string recorded;             // text_of() of the log's record
  std::string now;                  // of this run's
  std::vector<std::string> before;  // the last records that were the same, oldest first
};

class replay_check final : public record_stream {
 public:
  // Throws what log_reader throws.
  explicit replay_check(const std::string& log_file);
  // The run is over. Throws std::runtime_error when the log turned out to be damaged.
  void close();
  // Events and checkpoints that were the same.
  [[nodiscard]] std::uint64_t same() const noexcept { return same_; }
  [[nodiscard]] const std::optional<difference>& first_difference() const noexcept {
    return difference_;
  }

 private:
  explicit replay_check(log_reader&& log);
  void put(const record& now) noexcept override;
  void compare(const record& now);
  [[nodiscard]] std::string own_name(std::uint32_t place) const;

  static constexpr std::size_t before_max = 3;
  log_reader log_;
  std::vector<std::string> names_;
  std::array<record, before_max> last_;  // place of record n: n modulo before_max
  std::uint64_t same_ = 0;
  std::optional<difference> difference_;
  std::string error_;
};

}  // namespace mdp::trace
