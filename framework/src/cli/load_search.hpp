// Which load to try next, to find the highest that meets the goals: MLRsearch (RFC 9971): a load is
// a bound by what all its trials say together, so that one which passes or fails by luck moves
// nothing for good, and most of the way is gone with short trials. Pure: no clock, no files.
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace mdp::cli {

// What is sought. Loads have no unit here.
struct search_goal {
  double from = 1;  // 0 < from <= to
  double to = 1;
  bool whole = false;        // loads are whole numbers
  double width_pct = 5;      // goal width: the bounds may lie so far apart, of the lower one
  unsigned trials = 3;       // goal duration sum, in trials of full length: one bound rests on them
  double exceed_pct = 50;    // goal exceed ratio: share of that time which may fail at a load that
                             // passes, 0 to below 100
  double shortest_pct = 10;  // of a full trial: length of the first ones, above 0 to 100
};

enum class trial_outcome : std::uint8_t {
  good,    // every goal was met
  bad,     // one was not
  unknown  // too short to tell: good, but bad of a trial of full length
};

class load_search {
 public:
  explicit load_search(const search_goal& goal);

  struct trial {
    double load;
    double share;  // of a full trial's length, above 0 to 1
    trial_outcome outcome = trial_outcome::unknown;
  };
  // The trial to make (without outcome); nothing when the search is over.
  [[nodiscard]] std::optional<trial> next() const;
  // Of the trial that next() asked for.
  void tell(trial_outcome outcome);

  struct bound {
    double load;
    unsigned good;  // trials of full length
    unsigned bad;
  };
  // Relevant lower bound: the highest load that meets the goals, below every one that does not.
  // Nothing: not even `from` does.
  [[nodiscard]] std::optional<bound> passed() const;
  // Relevant upper bound: the lowest load that does not; nothing: `to` passes.
  [[nodiscard]] std::optional<bound> failed() const;
  // The bounds are as close as asked; false when `trials_max` ended the search before.
  [[nodiscard]] bool settled() const noexcept { return phase_ >= phases_.size(); }
  [[nodiscard]] const std::vector<trial>& trials() const noexcept { return trials_; }

  static constexpr std::size_t trials_max = 128;

 private:
  // A target of the search: coarse with short trials at first, the goal at last.
  struct phase {
    double share;  // length of its trials
    double sum;    // length of trials that decides
    double width;  // of the lower bound
  };
  enum class verdict : std::uint8_t { lower, upper, undecided };

  [[nodiscard]] verdict classify(double load, const phase& target) const;
  [[nodiscard]] bound count(double load) const;
  [[nodiscard]] bool touched(double load, const phase& target) const;
  [[nodiscard]] std::optional<double> lowest_upper(const phase& target) const;
  [[nodiscard]] std::optional<double> highest_lower(const phase& target,
                                                    std::optional<double> below) const;
  [[nodiscard]] std::optional<double> undecided(std::optional<double> low,
                                                std::optional<double> high) const;
  [[nodiscard]] std::optional<double> candidate() const;
  [[nodiscard]] double first() const;
  [[nodiscard]] double step_down(double high) const;
  [[nodiscard]] double step_up(double low) const;
  [[nodiscard]] std::optional<double> between(double low, double high) const;
  [[nodiscard]] double step(verdict of) const;

  search_goal goal_;
  std::vector<phase> phases_;
  std::size_t phase_ = 0;
  std::vector<trial> trials_;
};

}  // namespace mdp::cli
