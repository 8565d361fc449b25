#include "link_options.hpp"

#include <fmt/format.h>

#include <array>

#include "mdp/netsim/link_models.hpp"
#include "netem_options.hpp"
#include "option_reader.hpp"
#include "queue_options.hpp"

namespace mdp::netsim {
namespace {

constexpr std::uint64_t count_max = 1'000'000'000;
constexpr std::uint64_t packet_number_max = 1'000'000'000'000;
constexpr std::uint64_t change_us_max = 30 * 86'400'000'000;  // a month

constexpr std::array<std::string_view, 4> shapes{"uniform", "normal", "lognormal", "pareto"};
constexpr std::array<std::string_view, 4> damages{"bit", "header", "payload", "checksum"};
constexpr std::array<std::string_view, 5> models{"gilbert_elliott", "four_state", "periodic",
                                                 "list", "pattern"};

// A link while it is read; models are made only when a key asks for them.
struct wire_draft {
  link_spec spec;
  link_models models;
  bool modelled = false;
};

std::uint32_t mtu_of(const option_value& v, const std::string& pointer) {
  const auto bytes = static_cast<std::uint32_t>(whole_number_of(v, pointer, 1, 65535));
  return bytes > mtu_bytes_max ? mtu_bytes_max : bytes;
}

void expect_key(const option_value& v, const std::string& pointer, std::string_view name) {
  for (const option_member& m : v.members) {
    if (m.name == name) return;
  }
  refuse(pointer, fmt::format("needs the key {}", name));
}

void expect_exclusive(const probability& p, const probability& q, const std::string& pointer,
                      const char* names) {
  const bool possible = p.certain   ? !q.possible()
                        : q.certain ? !p.possible()
                                    : p.threshold <= UINT64_MAX - q.threshold;
  if (!possible) refuse(pointer, fmt::format("{} are above 100 % together", names));
}

option_key percent(std::string_view name, probability& into) {
  return {name,
          [&into](const option_value& v, const std::string& p) { into = probability_of(v, p); }};
}

// The key `model` was read by the caller.
option_key model_key() {
  return {"model", [](const option_value&, const std::string&) {}};
}

gilbert_elliott read_gilbert_elliott(const option_value& v, const std::string& pointer) {
  gilbert_elliott m;
  m.bad_loss.certain = true;
  read_object(v, pointer,
              {model_key(), percent("to_bad_pct", m.to_bad), percent("to_good_pct", m.to_good),
               percent("good_loss_pct", m.good_loss), percent("bad_loss_pct", m.bad_loss)});
  expect_key(v, pointer, "to_bad_pct");
  expect_key(v, pointer, "to_good_pct");
  return m;
}

four_state read_four_state(const option_value& v, const std::string& pointer) {
  four_state m;
  read_object(v, pointer,
              {model_key(), percent("p13_pct", m.p13), percent("p31_pct", m.p31),
               percent("p32_pct", m.p32), percent("p23_pct", m.p23), percent("p14_pct", m.p14)});
  expect_key(v, pointer, "p13_pct");
  expect_key(v, pointer, "p31_pct");
  expect_exclusive(m.p13, m.p14, pointer, "p13_pct and p14_pct");
  expect_exclusive(m.p31, m.p32, pointer, "p31_pct and p32_pct");
  return m;
}

periodic_loss read_periodic(const option_value& v, const std::string& pointer) {
  periodic_loss m;
  read_object(v, pointer,
              {model_key(),
               {"every",
                [&m](const option_value& n, const std::string& p) {
                  m.every = whole_number_of(n, p, 1, packet_number_max);
                }},
               {"offset", [&m](const option_value& n, const std::string& p) {
                  m.offset = whole_number_of(n, p, 0, packet_number_max);
                }}});
  expect_key(v, pointer, "every");
  return m;
}

listed_loss read_list(const option_value& v, const std::string& pointer) {
  listed_loss m;
  const auto read = [&m](const option_value& list, const std::string& p) {
    expect(list, option_kind::array, p);
    for (std::size_t i = 0; i < list.members.size(); ++i) {
      const std::string at = child(p, std::to_string(i));
      const std::uint64_t number = whole_number_of(list.members[i].value, at, 0, packet_number_max);
      if (!m.numbers.empty() && number <= m.numbers.back()) {
        refuse(at, fmt::format("{} does not follow {}", number, m.numbers.back()));
      }
      m.numbers.push_back(number);
    }
  };
  read_object(v, pointer, {model_key(), {"packets", read}});
  expect_key(v, pointer, "packets");
  return m;
}

recorded_loss read_pattern(const option_value& v, const std::string& pointer) {
  recorded_loss m;
  const auto read = [&m](const option_value& text, const std::string& p) {
    expect(text, option_kind::string, p);
    for (const char c : text.text) {
      if (c != '0' && c != '1') refuse(p, "only 1 (passes) and 0 (lost) may stand here");
      m.passes.push_back(c == '1');
    }
    if (m.passes.empty()) refuse(p, "is empty");
  };
  read_object(v, pointer, {model_key(), {"pattern", read}});
  expect_key(v, pointer, "pattern");
  return m;
}

loss_model read_loss(const option_value& v, const std::string& pointer) {
  expect(v, option_kind::object, pointer);
  for (const option_member& m : v.members) {
    if (m.name != "model") continue;
    switch (choice_of(m.value, child(pointer, "model"), models)) {
      case 0:
        return read_gilbert_elliott(v, pointer);
      case 1:
        return read_four_state(v, pointer);
      case 2:
        return read_periodic(v, pointer);
      case 3:
        return read_list(v, pointer);
      default:
        return read_pattern(v, pointer);
    }
  }
  refuse(pointer, "needs the key model: " + listed(models));
}

link_change read_change(const option_value& v, const std::string& pointer) {
  link_change c;
  const auto time_into = [](std::optional<std::int64_t>& into) {
    return [&into](const option_value& n, const std::string& p) { into = time_of(n, p); };
  };
  read_object(
      v, pointer,
      {{"at_us", [&c](const option_value& n,
                      const std::string& p) { c.at_ns = time_of(n, p, change_us_max); }},
       {"carrier",
        [&c](const option_value& n, const std::string& p) { c.carrier = boolean_of(n, p); }},
       {"rate_mbps",
        [&c](const option_value& n, const std::string& p) {
          c.rate_bps = rate_of(n, p);
          if (*c.rate_bps == 0) refuse(p, "a change cannot take the rate away");
        }},
       {"delay_us", time_into(c.delay_ns)},
       {"jitter_us", time_into(c.jitter_ns)},
       {"loss_pct",
        [&c](const option_value& n, const std::string& p) { c.loss = probability_of(n, p); }},
       {"mtu_bytes",
        [&c](const option_value& n, const std::string& p) { c.mtu_bytes = mtu_of(n, p); }}});
  expect_key(v, pointer, "at_us");
  return c;
}

std::vector<link_change> read_changes(const option_value& v, const std::string& pointer) {
  expect(v, option_kind::array, pointer);
  std::vector<link_change> changes;
  for (std::size_t i = 0; i < v.members.size(); ++i) {
    const std::string at = child(pointer, std::to_string(i));
    changes.push_back(read_change(v.members[i].value, at));
    if (i > 0 && changes[i].at_ns < changes[i - 1].at_ns) {
      refuse(child(at, "at_us"), "is before the change that stands above");
    }
  }
  return changes;
}

template <probability link_models::*member>
void read_percent(wire_draft& w, const option_value& v, const std::string& pointer) {
  w.models.*member = probability_of(v, pointer);
}

template <probability draw_correlations::*member>
void read_correlation(wire_draft& w, const option_value& v, const std::string& pointer) {
  w.models.correlation.*member = probability_of(v, pointer);
}

struct link_key {
  std::string_view name;
  bool modelled;
  void (*read)(wire_draft&, const option_value&, const std::string& pointer);
};

constexpr link_key link_keys[] = {
    {"rate_mbps", false,
     [](wire_draft& w, const option_value& v, const std::string& p) {
       w.spec.rate_bps = rate_of(v, p);
     }},
    {"delay_us", false,
     [](wire_draft& w, const option_value& v, const std::string& p) {
       w.spec.delay_ns = time_of(v, p);
     }},
    {"jitter_us", false,
     [](wire_draft& w, const option_value& v, const std::string& p) {
       w.spec.jitter_ns = time_of(v, p);
     }},
    {"jitter_shape", false,
     [](wire_draft& w, const option_value& v, const std::string& p) {
       w.spec.shape = static_cast<jitter_shape>(choice_of(v, p, shapes));
     }},
    {"reorder", false,
     [](wire_draft& w, const option_value& v, const std::string& p) {
       w.spec.reorder = boolean_of(v, p);
     }},
    {"queue_packets", false,
     [](wire_draft& w, const option_value& v, const std::string& p) {
       w.spec.queue_packets = static_cast<std::uint32_t>(whole_number_of(v, p, 0, count_max));
     }},
    {"queue_bytes", false,
     [](wire_draft& w, const option_value& v, const std::string& p) {
       w.spec.queue_bytes = whole_number_of(v, p, 0, 1'000 * count_max);
     }},
    {"mark_packets", false,
     [](wire_draft& w, const option_value& v, const std::string& p) {
       w.spec.mark_packets = static_cast<std::uint32_t>(whole_number_of(v, p, 0, count_max));
     }},
    {"loss_pct", false,
     [](wire_draft& w, const option_value& v, const std::string& p) {
       w.spec.loss = probability_of(v, p);
     }},
    {"mtu_bytes", false,
     [](wire_draft& w, const option_value& v, const std::string& p) {
       w.spec.mtu_bytes = mtu_of(v, p);
     }},
    {"loss", true,
     [](wire_draft& w, const option_value& v, const std::string& p) {
       w.models.loss = read_loss(v, p);
     }},
    {"duplicate_pct", true, read_percent<&link_models::duplicate>},
    {"corrupt_pct", true, read_percent<&link_models::corrupt>},
    {"loss_correlation_pct", true, read_correlation<&draw_correlations::loss>},
    {"delay_correlation_pct", true, read_correlation<&draw_correlations::delay>},
    {"duplicate_correlation_pct", true, read_correlation<&draw_correlations::duplicate>},
    {"corrupt_correlation_pct", true, read_correlation<&draw_correlations::corrupt>},
    {"reorder_correlation_pct", true, read_correlation<&draw_correlations::early>},
    {"reorder_pct", true, read_percent<&link_models::early>},
    {"reorder_gap", true,
     [](wire_draft& w, const option_value& v, const std::string& p) {
       w.models.early_gap = static_cast<std::uint32_t>(whole_number_of(v, p, 1, count_max));
     }},
    {"deliveries_ms", true,
     [](wire_draft& w, const option_value& v, const std::string& p) {
       w.models.deliveries = read_deliveries(v, p);
     }},
    {"corrupt_kind", true,
     [](wire_draft& w, const option_value& v, const std::string& p) {
       w.models.corrupt_kind = static_cast<damage>(choice_of(v, p, damages) + 1);
     }},
    {"hold_pct", true, read_percent<&link_models::hold>},
    {"hold_us", true,
     [](wire_draft& w, const option_value& v, const std::string& p) {
       w.models.hold_ns = time_of(v, p);
     }},
    {"burst_bytes", true,
     [](wire_draft& w, const option_value& v, const std::string& p) {
       w.models.burst_bytes = whole_number_of(v, p, 0, count_max);
     }},
    {"peak_mbps", true,
     [](wire_draft& w, const option_value& v, const std::string& p) {
       w.models.peak_bps = rate_of(v, p);
     }},
    {"queue", true,
     [](wire_draft& w, const option_value& v, const std::string& p) {
       w.models.queue = read_queue(v, p);
     }},
    {"changes", true,
     [](wire_draft& w, const option_value& v, const std::string& p) {
       w.models.changes = read_changes(v, p);
     }},
};

std::string known_link_keys(bool down_too) {
  std::string all;
  for (const link_key& key : link_keys)
    all += fmt::format("{}{}", all.empty() ? "" : ", ", key.name);
  return down_too ? all + ", nat_timeout_us, down" : all;
}

// False when the key is none of a link's.
bool read_link_key(wire_draft& wire, const option_member& m, const std::string& pointer) {
  for (const link_key& key : link_keys) {
    if (m.name != key.name) continue;
    key.read(wire, m.value, pointer);
    wire.modelled = wire.modelled || key.modelled;
    return true;
  }
  return false;
}

// What no single key can tell.
link_spec finish(wire_draft wire, const std::string& pointer) {
  check_netem_keys(wire.spec, wire.models, pointer);
  if (!wire.models.deliveries.empty()) wire.spec.rate_bps = mean_rate_bps(wire.models.deliveries);
  for (std::size_t i = 0; i < wire.models.changes.size(); ++i) {
    if (!wire.models.changes[i].rate_bps || wire.spec.rate_bps != 0) continue;
    refuse(child(child(child(pointer, "changes"), std::to_string(i)), "rate_mbps"),
           "only a link that has a rate can change it");
  }
  if (wire.models.burst_bytes != 0 && wire.spec.rate_bps == 0) {
    refuse(child(pointer, "burst_bytes"), "only a link that has a rate fills a bucket");
  }
  if (wire.models.queue.kind != discipline::drop_tail && wire.spec.rate_bps == 0) {
    refuse(child(pointer, "queue"), "only a link that has a rate_mbps has a queue");
  }
  if (wire.models.queue.kind != discipline::drop_tail && wire.models.burst_bytes != 0) {
    refuse(child(pointer, "queue"), "a link with burst_bytes has a drop_tail queue");
  }
  if (wire.models.peak_bps != 0 &&
      (wire.models.burst_bytes == 0 || wire.models.peak_bps < wire.spec.rate_bps)) {
    refuse(child(pointer, "peak_mbps"), "needs burst_bytes, and is not below rate_mbps");
  }
  if (wire.modelled) wire.spec.models = std::make_shared<const link_models>(wire.models);
  return wire.spec;
}

}  // namespace

attachment read_attachment(const option_value& v, const std::string& pointer) {
  expect(v, option_kind::object, pointer);
  attachment wires;
  wire_draft up{.spec = wires.up, .models = {}};
  wire_draft down{.spec = wires.down, .models = {}};
  for (const option_member& m : v.members) {
    const std::string at = child(pointer, m.name);
    if (m.name == "down") {
      expect(m.value, option_kind::object, at);
      wires.has_down = true;
      for (const option_member& d : m.value.members) {
        const std::string below = child(at, d.name);
        if (!read_link_key(down, d, below)) {
          refuse(below, "unknown key; known: " + known_link_keys(false));
        }
      }
    } else if (m.name == "nat_timeout_us") {
      wires.nat = true;
      wires.nat_timeout_ns = time_of(m.value, at);
    } else if (!read_link_key(up, m, at)) {
      refuse(at, "unknown key; known: " + known_link_keys(true));
    }
  }
  wires.up = finish(std::move(up), pointer);
  wires.down = finish(std::move(down), child(pointer, "down"));
  return wires;
}

}  // namespace mdp::netsim
