// A log-linear histogram of nanoseconds with the semantics of HdrHistogram (G. Tene): three
// significant digits everywhere, fixed memory, constant-time recording, mergeable, percentiles
// never averaged. Values from 1 ns to about 4.8 hours; larger ones count in the last bucket and in
// `saturated()`. One owner, no threads. Allocates at construction only, and takes no more memory
// than the pages of the buckets that were counted in, unless prefault() touched all.
#pragma once
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mdp::metrics {

class histogram {
 public:
  histogram();

  // Touches all 280 KiB, so that no record() is the first to need a page.
  void prefault() noexcept;
  void record(std::int64_t ns, std::uint64_t count = 1) noexcept;
  void merge(const histogram& other) noexcept;
  void clear() noexcept;

  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t saturated() const noexcept { return saturated_; }
  [[nodiscard]] std::int64_t min() const noexcept { return count_ ? min_ : 0; }
  [[nodiscard]] std::int64_t max() const noexcept { return max_; }
  [[nodiscard]] double mean() const noexcept;
  // Highest value of the bucket that holds the p-th percentile (0 < p <= 100); nothing when fewer
  // than `beyond_min` samples lie at or above it: such a figure would be one of the extremes, not a
  // percentile.
  [[nodiscard]] std::optional<std::int64_t> percentile(
      double p, std::uint64_t beyond_min = 10) const noexcept;

  // What the buckets do not tell exactly.
  struct exact_figures {
    std::int64_t min = INT64_MAX;
    std::int64_t max = 0;
    double sum = 0;
    std::uint64_t saturated = 0;
  };
  [[nodiscard]] exact_figures exact() const noexcept { return {min_, max_, sum_, saturated_}; }
  // After record() of all its buckets this is again the histogram that they and `figures` are of.
  void restore(const exact_figures& figures) noexcept;

  // visit(value, count) for every non-empty bucket, ascending; record(value, count) rebuilds it.
  template <class Visit>
  void for_each_bucket(Visit&& visit) const {
    const auto [first, end] = counted();
    for (std::size_t i = first; i < end; ++i)
      if (counts_[i] > 0) visit(highest_of(i), counts_[i]);
  }
  // The percentile distribution as HdrHistogram prints it (.hgrm), values in `unit_ns`.
  [[nodiscard]] std::string hgrm(double unit_ns = 1000.0) const;

 private:
  // 2,048 linear buckets, then 1,024 to each doubling: a bucket is at most 1/1,024 of its value
  // wide.
  static constexpr unsigned linear_bits = 11;
  static constexpr unsigned doublings = 33;
  [[nodiscard]] static std::size_t index_of(std::uint64_t value) noexcept {
    if (value < (1u << linear_bits)) return static_cast<std::size_t>(value);
    const auto shift = static_cast<unsigned>(std::bit_width(value)) - linear_bits;
    return (static_cast<std::size_t>(shift) << (linear_bits - 1)) +
           static_cast<std::size_t>(value >> shift);
  }
  [[nodiscard]] static std::int64_t highest_of(std::size_t index) noexcept;
  // All buckets that are not zero lie in [first, second).
  [[nodiscard]] std::pair<std::size_t, std::size_t> counted() const noexcept;

  // Zeros of the kernel, which take no memory until they are written to.
  struct zero_pages {
    using value_type = std::uint64_t;
    template <class>
    struct rebind {
      using other = zero_pages;
    };
    [[nodiscard]] std::uint64_t* allocate(std::size_t n) {
      if (void* p = std::calloc(n, sizeof(std::uint64_t))) return static_cast<std::uint64_t*>(p);
      throw std::bad_alloc();
    }
    void deallocate(std::uint64_t* p, std::size_t) noexcept { std::free(p); }
    void construct(std::uint64_t*) noexcept {}  // zero as it is
    void construct(std::uint64_t* p, std::uint64_t value) noexcept { *p = value; }
    friend bool operator==(zero_pages, zero_pages) noexcept { return true; }
  };

  std::vector<std::uint64_t, zero_pages> counts_;
  std::uint64_t count_ = 0;
  std::uint64_t saturated_ = 0;
  std::int64_t min_ = INT64_MAX;
  std::int64_t max_ = 0;
  double sum_ = 0;
};

}  // namespace mdp::metrics
