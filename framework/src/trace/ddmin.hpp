// Delta debugging (Zeller and Hildebrandt 2002, ddmin): which few of many causes suffice.
#pragma once
#include <algorithm>
#include <cstddef>
#include <functional>
#include <vector>

namespace mdp::trace {

template <class Item>
struct minimised {
  std::vector<Item> items;
  std::size_t tests = 0;  // how often `fails` was asked
  bool minimal = false;   // leaving out any single item makes the failure go; false: tests_max came
};

// A subset of `items`, in their order, for which `fails` holds, as it does for all of them. Asks
// `fails` at most `tests_max` times.
template <class Item>
[[nodiscard]] minimised<Item> ddmin(std::vector<Item> items,
                                    const std::function<bool(const std::vector<Item>&)>& fails,
                                    std::size_t tests_max) {
  minimised<Item> out{std::move(items), 0, false};
  const auto try_subset = [&](const std::vector<Item>& subset) {
    ++out.tests;
    if (!fails(subset)) return false;
    out.items = subset;
    return true;
  };
  if (!out.items.empty() && try_subset({})) {
    out.minimal = true;
    return out;
  }
  for (std::size_t parts = 2; out.items.size() > 1;) {
    const std::size_t size = out.items.size();
    bool smaller = false;
    for (const bool complement : {false, true}) {
      if (complement && parts == 2) break;  // the other half was tried
      for (std::size_t i = 0; i < parts && !smaller; ++i) {
        if (out.tests == tests_max) return out;
        const auto from = out.items.begin() + static_cast<std::ptrdiff_t>(i * size / parts);
        const auto to = out.items.begin() + static_cast<std::ptrdiff_t>((i + 1) * size / parts);
        std::vector<Item> subset;
        if (complement) {
          subset.assign(out.items.begin(), from);
          subset.insert(subset.end(), to, out.items.end());
        } else {
          subset.assign(from, to);
        }
        smaller = try_subset(subset);
      }
      if (!smaller) continue;
      parts = complement ? std::max<std::size_t>(parts - 1, 2) : 2;
      break;
    }
    if (smaller) continue;
    if (parts == size) break;
    parts = std::min(parts * 2, size);
  }
  out.minimal = true;
  return out;
}

}  // namespace mdp::trace
