#include "link_traces.hpp"

#include <fmt/format.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <string>

#include "schema.hpp"

namespace mdp::scenario {
namespace {

constexpr std::size_t lines_max = 100'000;
constexpr std::uint64_t ms_max = 3'600'000;

std::filesystem::path path_of(const json_value& name) {
  const std::filesystem::path given(name.text);
  if (given.is_absolute() || name.where.file == nullptr) return given;
  return std::filesystem::path(*name.where.file).parent_path() / given;
}

std::uint64_t number_in(const std::string& line) {
  std::uint64_t ms = ms_max + 1;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), ms);
  return error == std::errc{} && end == line.data() + line.size() ? ms : ms_max + 1;
}

json_value deliveries_in(const json_value& name, const std::string& pointer) {
  const std::string path = path_of(name).string();
  std::ifstream in(path);
  if (!in) fail(name, pointer, fmt::format("cannot read {}; check the path", path));
  json_value list;
  list.kind = json_kind::array;
  list.where = name.where;
  std::uint64_t last = 0;
  std::size_t number = 0;
  for (std::string line; std::getline(in, line);) {
    ++number;
    if (!line.empty() && line.back() == '\r') line.pop_back();
    const auto refuse = [&](const std::string& why) {
      fail(name, pointer, fmt::format("{}, line {}: {}", path, number, why));
    };
    const std::uint64_t ms = number_in(line);
    if (ms > ms_max)
      refuse(fmt::format("\"{}\" is no whole number of milliseconds, 0 to {}", line.substr(0, 40),
                         ms_max));
    if (ms < last) refuse(fmt::format("{} is before {}, which stands above", ms, last));
    if (number > lines_max) refuse(fmt::format("a trace has {} lines at most", lines_max));
    last = ms;
    list.items.push_back(make_unsigned(ms));
  }
  if (in.bad() || number == 0) fail(name, pointer, fmt::format("{} has no lines", path));
  if (last == 0) fail(name, pointer, fmt::format("{}: the last line must be above 0", path));
  return list;
}

void replace(json_value& wire, const std::string& pointer) {
  const json_value* name = wire.find("trace_file");
  if (name == nullptr) return;
  const std::string at = pointer_child(pointer, "trace_file");
  if (wire.find("deliveries_ms") != nullptr)
    fail(*name, at, "has no meaning with \"deliveries_ms\", which is such a file's content");
  json_value deliveries = deliveries_in(*name, at);
  wire.erase("trace_file");
  wire.set("deliveries_ms", std::move(deliveries));
}

}  // namespace

void read_link_traces(json_value& document) {
  json_value* network = document.find("network");
  json_value* links = network == nullptr ? nullptr : network->find("links");
  if (links == nullptr) return;
  for (json_member& link : links->members) {
    const std::string at = pointer_child("/network/links", link.name);
    replace(link.value, at);
    if (json_value* down = link.value.find("down")) replace(*down, at + "/down");
  }
}

}  // namespace mdp::scenario
