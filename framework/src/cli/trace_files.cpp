#include "trace_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "mdp/scenario/json_value.hpp"
#include "trace/event_log.hpp"
#include "trace/pcapng.hpp"

namespace mdp::cli {
namespace {

namespace fs = std::filesystem;

bool has(const std::vector<std::string>& kinds, std::string_view kind) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

// Which run a log is of.
std::string manifest(const scenario::point_spec& point, std::uint32_t repetition,
                     std::uint64_t seed) {
  scenario::json_value out = scenario::make_object();
  out.set("id", scenario::make_string(point.id));
  out.set("run", scenario::make_unsigned(repetition));
  out.set("seed", scenario::make_unsigned(seed));
  out.set("build", scenario::parse_json(scenario::build_text(), "build"));
  return scenario::dump(out);
}

class trace_files final : public scenario::run_observer {
 public:
  trace_files(const fs::path& folder, const std::vector<std::string>& kinds,
              const scenario::point_spec& point, std::uint32_t repetition, std::uint64_t seed) {
    const trace::detail what =
        has(kinds, "events") ? trace::detail::events : trace::detail::checkpoints;
    if (has(kinds, "events") || has(kinds, "checkpoints")) {
      log_.emplace(event_log_file(folder, point.id, repetition).string(),
                   trace::log_head{what, manifest(point, repetition, seed)});
    }
    if (has(kinds, "pcapng")) {
      capture_ = std::make_unique<trace::pcapng_writer>(
          (folder / fmt::format("{}.run{}.pcapng", point.id, repetition)).string());
    }
  }
  void on_place(std::uint32_t place, std::string_view name) noexcept override {
    if (log_) log_->on_place(place, name);
    if (capture_) capture_->on_place(place, name);
  }
  void on_packet(const transport::packet_event& event, std::span<const std::byte> first,
                 std::span<const buffer::slice> rest) noexcept override {
    if (log_) log_->on_packet(event, first, rest);
    if (capture_) capture_->on_packet(event, first, rest);
  }
  void on_end(const transport::fabric_facts&) override {
    if (log_) log_->close();
    if (capture_) capture_->close();
  }

 private:
  std::optional<trace::log_recorder> log_;
  std::unique_ptr<trace::pcapng_writer> capture_;
};

}  // namespace

fs::path event_log_file(const fs::path& folder, const std::string& point_id,
                        std::uint64_t repetition) {
  return folder / fmt::format("{}.run{}.events", point_id, repetition);
}

std::unique_ptr<scenario::run_observer> trace_writer(const fs::path& folder,
                                                     const std::vector<std::string>& kinds,
                                                     const scenario::point_spec& point,
                                                     std::uint32_t repetition, std::uint64_t seed) {
  if (kinds.empty() || point.transport.plugin != "netsim") return nullptr;
  return std::make_unique<trace_files>(folder, kinds, point, repetition, seed);
}

void remove_traces(const fs::path& folder, const std::string& point_id) {
  std::error_code error;
  for (const fs::directory_entry& e : fs::directory_iterator(folder, error)) {
    if (e.path().filename().string().starts_with(point_id + ".run")) fs::remove(e.path(), error);
  }
}

}  // namespace mdp::cli
