#include "queue_options.hpp"

#include <array>
#include <vector>

#include "option_reader.hpp"

namespace mdp::netsim {
namespace {

constexpr std::array<std::string_view, 4> disciplines{"drop_tail", "red", "codel", "fq_codel"};
constexpr std::uint64_t red_packets_max = 65'536;
constexpr std::uint64_t codel_us_max = 3'000'000;

}  // namespace

queue_spec read_queue(const option_value& v, const std::string& pointer) {
  queue_spec q;
  const auto count_into = [](std::uint32_t& into, std::uint64_t least, std::uint64_t most) {
    return [&into, least, most](const option_value& n, const std::string& p) {
      into = static_cast<std::uint32_t>(whole_number_of(n, p, least, most));
    };
  };
  const auto time_into = [](std::int64_t& into, std::uint64_t us_max) {
    return [&into, us_max](const option_value& n, const std::string& p) {
      into = time_of(n, p, us_max);
    };
  };
  expect(v, option_kind::object, pointer);
  std::vector<option_key> keys{
      {"discipline",
       [&q](const option_value& n, const std::string& p) {
         q.kind = static_cast<discipline>(choice_of(n, p, disciplines));
       }},
      {"ecn", [&q](const option_value& n, const std::string& p) { q.ecn = boolean_of(n, p); }}};
  // Keys of another discipline are unknown here: the choice comes first.
  bool chosen = false;
  for (const option_member& m : v.members) {
    if (m.name != "discipline") continue;
    keys[0].read(m.value, child(pointer, m.name));
    chosen = true;
  }
  if (!chosen) refuse(pointer, "needs the key discipline: " + listed(disciplines));
  if (q.kind == discipline::red) {
    keys.push_back({"min_packets", count_into(q.min_packets, 1, red_packets_max)});
    keys.push_back({"max_packets", count_into(q.max_packets, 2, red_packets_max)});
    keys.push_back({"max_pct", [&q](const option_value& n, const std::string& p) {
                      q.max = probability_of(n, p);
                    }});
    keys.push_back({"weight_shift", count_into(q.weight_shift, 1, 16)});
  }
  if (q.kind >= discipline::codel) {
    keys.push_back({"target_us", time_into(q.target_ns, codel_us_max)});
    keys.push_back({"interval_us", time_into(q.interval_ns, codel_us_max)});
  }
  if (q.kind == discipline::fq_codel) {
    keys.push_back({"flows", count_into(q.flows, 1, 65'536)});
    keys.push_back({"quantum_bytes", count_into(q.quantum_bytes, 1, 1'000'000)});
  }
  read_object(v, pointer, keys);
  if (q.kind == discipline::red && q.max_packets <= q.min_packets)
    refuse(child(pointer, "max_packets"), "is not above min_packets");
  if (q.interval_ns == 0) refuse(child(pointer, "interval_us"), "is 0: nothing could be measured");
  return q;
}

}  // namespace mdp::netsim
