#include "fate_options.hpp"

#include <algorithm>
#include <array>

#include "option_reader.hpp"

namespace mdp::netsim {
namespace {

constexpr std::array<std::string_view, 5> action_names{"pass", "drop", "duplicate", "damage",
                                                       "hold"};

scripted_fate read_fate(const option_value& v, const std::string& pointer, std::string& link) {
  scripted_fate fate;
  bool has_packet = false;
  bool has_fate = false;
  read_object(v, pointer,
              {{"link",
                [&](const option_value& n, const std::string& p) {
                  expect(n, option_kind::string, p);
                  link = n.text;
                }},
               {"packet",
                [&](const option_value& n, const std::string& p) {
                  fate.packet = whole_number_of(n, p, 0, packet_numbers - 1);
                  has_packet = true;
                }},
               {"fate",
                [&](const option_value& n, const std::string& p) {
                  fate.action = static_cast<scripted_action>(choice_of(n, p, action_names));
                  has_fate = true;
                }},
               {"hold_us", [&](const option_value& n, const std::string& p) {
                  fate.hold_ns = time_of(n, p);
                }}});
  if (link.empty()) refuse(pointer, "the key \"link\" is missing");
  if (!has_packet) refuse(pointer, "the key \"packet\" is missing");
  if (!has_fate) refuse(pointer, "the key \"fate\" is missing");
  if ((fate.action == scripted_action::hold) != (fate.hold_ns > 0)) {
    refuse(pointer, "hold_us goes with the fate \"hold\", and with no other");
  }
  return fate;
}

}  // namespace

void read_fates(const option_value& v, network_options& options) {
  expect(v, option_kind::array, "/fates");
  for (std::size_t i = 0; i < v.members.size(); ++i) {
    std::string link;
    const scripted_fate fate =
        read_fate(v.members[i].value, child("/fates", std::to_string(i)), link);
    options.scripts[link].fates.push_back(fate);
  }
  for (auto& [link, script] : options.scripts) {
    std::stable_sort(script.fates.begin(), script.fates.end(),
                     [](const auto& a, const auto& b) { return a.packet < b.packet; });
  }
}

}  // namespace mdp::netsim
