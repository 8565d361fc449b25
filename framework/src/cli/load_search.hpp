// Which load to try next, to find the highest that passes. Bounds are moved by single trials, as in
// RFC 2544's search and MLRsearch (draft-ietf-bmwg-mlrsearch); since a trial may pass or fail by
// luck, a load counts as passed only when it has passed twice. Pure; no threads.
#pragma once
#include <optional>
#include <vector>

namespace mdp::cli {

struct load_trial {
  double load = 0;
  bool pass = false;
};

class load_search {
 public:
  // 0 < from <= to. Ends when the bounds are `precision_pct` of the lower one apart, or after
  // `trials_max` trials. `whole`: loads are whole numbers.
  load_search(double from, double to, double precision_pct, bool whole);

  // The load to try; nothing when the search is over.
  [[nodiscard]] std::optional<double> next() const;
  // Of the trial that next() asked for.
  void tell(bool pass);

  // Highest load that has passed twice, with nothing lower failing since; nothing: not even `from`.
  [[nodiscard]] std::optional<double> passed() const;
  // Lowest load above it that failed; nothing when the limit `to` has passed.
  [[nodiscard]] std::optional<double> failed() const noexcept { return failed_; }
  [[nodiscard]] const std::vector<load_trial>& trials() const noexcept { return trials_; }

  static constexpr std::size_t trials_max = 64;

 private:
  struct tried {
    double load;
    unsigned passes;
  };

  double from_, to_, precision_;
  bool whole_;
  std::vector<tried> passed_;  // ascending
  std::optional<double> failed_;
  std::vector<load_trial> trials_;
};

}  // namespace mdp::cli
