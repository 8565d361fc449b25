#include "mdp/scenario/loader.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "test_context.hpp"

namespace mdp::scenario {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

class loader : public ::testing::Test {
 protected:
  loader() : folder_(fs::temp_directory_path() / ("mdp-loader-" + std::to_string(::getpid()))) {
    fs::create_directories(folder_);
    options_.context = testing::fixed_context();
  }
  ~loader() override {
    std::error_code ignored;
    fs::remove_all(folder_, ignored);
  }
  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return (folder_ / name).string();
  }
  // A scenario with these further members.
  std::string scenario(const std::string& members) {
    return write("s.json", R"({"schema": "mdp-scenario/1", "name": "s", "description": "d",
      "transports": {"default": {"plugin": "socket"}},
      "peers": {"a": {}, "b": {"count": 2}},
      "flows": [{"from": "a", "to": "b", "pattern": "stream", "size_bytes": "${size}",
                 "load": {"mode": "closed", "in_flight": 3}}],)" +
                               members + "}");
  }
  scenario_spec load(const std::string& members) {
    return load_scenario(scenario(members), options_);
  }
  std::string error_of(const std::string& path) {
    try {
      static_cast<void>(load_scenario(path, options_));
    } catch (const scenario_error& e) {
      return e.what();
    }
    return "accepted";
  }
  fs::path folder_;
  load_options options_;
};

TEST_F(loader, a_variable_keeps_its_type_and_is_embedded_in_texts) {
  options_.set = {"description=literal $${w} and ${w}"};
  const scenario_spec spec = load(R"("vars": {"size": {"64": 3, "1024": 1}, "w": "x"})");
  ASSERT_EQ(spec.points.size(), 1u);
  const flow_spec& flow = spec.points[0].flows.at(0);
  ASSERT_EQ(flow.sizes.size(), 2u);
  EXPECT_EQ(flow.sizes[0].first, 64u);
  EXPECT_DOUBLE_EQ(flow.sizes[0].second, 0.75);
  EXPECT_EQ(flow.load.in_flight, 3u);
  EXPECT_EQ(flow.pattern, flow_pattern::stream);
  EXPECT_EQ(spec.description, "literal ${w} and x");
}

TEST_F(loader, a_sweep_is_the_cross_product_with_distinct_stable_ids) {
  const std::string members = R"("vars": {"size": 1, "n": 1},
    "protocol": {"spin_us": "${n}"},
    "sweep": {"size": [64, 1024], "n": {"from": 10, "to": 1000, "points": 3, "scale": "log"}})";
  const scenario_spec spec = load(members);
  ASSERT_EQ(spec.points.size(), 6u);
  std::set<std::string> ids;
  for (const point_spec& p : spec.points) {
    EXPECT_EQ(p.id.size(), 12u);
    ids.insert(p.id);
  }
  EXPECT_EQ(ids.size(), 6u);
  EXPECT_EQ(spec.points[1].vars.at("size"), "64");
  EXPECT_EQ(spec.points[1].vars.at("n"), "100");
  EXPECT_DOUBLE_EQ(spec.points[5].protocol.spin_us, 1000);
  const scenario_spec again = load(members);
  EXPECT_EQ(again.points[3].id, spec.points[3].id);
}

TEST_F(loader, a_bidirectional_stream_is_two_flows_and_a_group_may_send_to_itself) {
  options_.set = {"flows.0.pattern=bidirectional_stream"};
  const scenario_spec both = load(R"("vars": {"size": 64})");
  ASSERT_EQ(both.points.at(0).flows.size(), 2u);
  EXPECT_EQ(both.points[0].flows[1].from, "b");
  EXPECT_EQ(both.points[0].flows[1].to, "a");
  EXPECT_EQ(both.points[0].flows[1].pattern, flow_pattern::stream);
  options_.set = {"flows.0.from=b"};
  const scenario_spec mesh = load(R"("vars": {"size": 64})");
  EXPECT_EQ(mesh.points.at(0).flows.size(), 1u);
}

TEST_F(loader, arrivals_take_their_own_keys_only) {
  const std::string open = R"(flows.0.load={"mode":"open","rate_per_s":10,)";
  options_.set = {open + R"("arrivals":"bursty","burst_messages":9})"};
  EXPECT_EQ(load(R"("vars": {"size": 64})").points.at(0).flows.at(0).load.burst_messages, 9u);
  options_.set = {open + R"("arrivals":"ramp","rate_end_per_s":90})"};
  EXPECT_DOUBLE_EQ(load(R"("vars": {"size": 64})").points.at(0).flows.at(0).load.rate_end_per_s,
                   90);
  const std::string file = scenario(R"("vars": {"size": 64})");
  options_.set = {open + R"("arrivals":"ramp"})"};
  EXPECT_THAT(error_of(file), HasSubstr("arrivals \"ramp\" need \"rate_end_per_s\""));
  options_.set = {open + R"("burst_messages":9})"};
  EXPECT_THAT(error_of(file), HasSubstr("has no meaning for constant arrivals"));
}

TEST_F(loader, the_seed_changes_the_id_and_keeps_64_bits) {
  const std::string file = scenario(R"("vars": {"size": 1}, "seed": 18446744073709551615)");
  const scenario_spec spec = load_scenario(file, options_);
  EXPECT_EQ(spec.points[0].seed, 18446744073709551615ull);
  options_.seed = 7;
  const scenario_spec other = load_scenario(file, options_);
  EXPECT_EQ(other.points[0].seed, 7u);
  EXPECT_NE(other.points[0].id, spec.points[0].id);
}

TEST_F(loader, extends_merges_objects_replaces_lists_and_null_removes) {
  write("base.json", R"({"schema": "mdp-scenario/1", "description": "base", "name": "base",
    "transports": {"default": {"plugin": "socket", "bind": "[::1]:0"}},
    "peers": {"a": {}, "b": {}, "c": {}}, "run": {"measure_s": 9, "warmup_s": 3}})");
  const std::string file = write("s.json", R"({"extends": "base.json", "name": "derived",
    "peers": {"c": null}, "run": {"measure_s": 2},
    "transports": {"default": {"plugin": "io_uring"}},
    "flows": [{"from": "a", "to": "b", "pattern": "stream", "size_bytes": 1,
               "load": {"mode": "open", "rate_per_s": 10}}]})");
  const point_spec point = load_scenario(file, options_).points.at(0);
  EXPECT_EQ(point.transport.plugin, "io_uring");
  EXPECT_EQ(point.transport.bind, "[::1]:0");
  EXPECT_EQ(point.peers.size(), 2u);
  EXPECT_DOUBLE_EQ(point.run.measure_s, 2);
  EXPECT_DOUBLE_EQ(point.run.warmup_s, 3);
}

TEST_F(loader, a_mistake_in_the_base_is_reported_in_the_base) {
  write("base.json", "{\"schema\": \"mdp-scenario/1\",\n \"run\": {\"warmup\": 3}}");
  const std::string file = write("s.json", R"({"extends": "base.json", "name": "s",
    "description": "d", "transports": {"default": {"plugin": "socket"}},
    "peers": {}, "flows": []})");
  EXPECT_THAT(error_of(file), HasSubstr("base.json:2:10: /run/warmup: unknown key \"warmup\"; "
                                        "did you mean \"warmup_s\"?"));
}

TEST_F(loader, settings_replace_values_and_end_a_sweep) {
  const std::string file = scenario(R"("vars": {"size": 1}, "sweep": {"size": [2, 3]})");
  options_.set = {"run.measure_s=0.25", "flows.0.load.in_flight=9", "vars.size=77",
                  "/protocol/name=raw"};
  const scenario_spec spec = load_scenario(file, options_);
  ASSERT_EQ(spec.points.size(), 1u);
  EXPECT_DOUBLE_EQ(spec.points[0].run.measure_s, 0.25);
  EXPECT_EQ(spec.points[0].flows[0].load.in_flight, 9u);
  EXPECT_EQ(spec.points[0].flows[0].sizes[0].first, 77u);
  EXPECT_EQ(spec.points[0].protocol.name, "raw");
}

TEST_F(loader, a_wrong_setting_is_named) {
  const std::string file = scenario(R"("vars": {"size": 1})");
  options_.set = {"run.measure_s=soon"};
  EXPECT_THAT(error_of(file), HasSubstr("--set run.measure_s=soon: /run/measure_s: must be"));
  options_.set = {"run.measure_s"};
  EXPECT_THAT(error_of(file), HasSubstr("write path=value"));
  options_.set = {"flows.7.to=b"};
  EXPECT_THAT(error_of(file), HasSubstr("items 0 to 0"));
}

TEST_F(loader, transports_restrict_or_create_the_sweep) {
  const std::string file = scenario(R"("vars": {"size": 1})");
  options_.transports = {"io_uring"};
  EXPECT_EQ(load_scenario(file, options_).points.at(0).transport.plugin, "io_uring");
  options_.transports = {"socket", "io_uring"};
  const scenario_spec two = load_scenario(file, options_);
  ASSERT_EQ(two.points.size(), 2u);
  EXPECT_EQ(two.points[1].transport.plugin, "io_uring");
  EXPECT_EQ(two.points[1].vars.at("transport"), "\"io_uring\"");
}

TEST_F(loader, the_simulator_gets_seed_links_and_nodes) {
  options_.transports = {"netsim"};
  options_.set = {"peers.a.link=wan", "peers.b.link=wan"};
  const scenario_spec spec = load(R"("vars": {"size": 1}, "seed": 5,
    "network": {"links": {"wan": {"delay_us": 25000, "loss_pct": 0.1}}})");
  EXPECT_EQ(spec.points.at(0).transport.options_json,
            R"({"seed":5,"links":{"wan":{"delay_us":25000,"loss_pct":0.1}},)"
            R"("nodes":{"a-0":"wan","b-0":"wan","b-1":"wan"}})");
}

TEST(json_value, dump_and_parse_are_inverse) {
  const std::string text = R"({"a":[1,-2,0.5,1e+300,true,null,"q\"\\\n\u0001ü"],)"
                           R"("b":{},"c":[],"d":18446744073709551615})";
  const json_value value = parse_json(text, "t");
  EXPECT_EQ(dump(value), text);
  EXPECT_EQ(dump(parse_json(dump(value, 2), "t")), text);
}

TEST(json_value, positions_count_lines_and_characters) {
  const json_value v = parse_json("{ // c\n \"ü\": [12,\n  true], /* x */ \"b\":3}", "t");
  const json_value& list = *v.find("ü");
  EXPECT_EQ(list.where.line, 2u);
  EXPECT_EQ(list.where.column, 7u);
  EXPECT_EQ(list.items[0].where.column, 8u);
  EXPECT_EQ(list.items[1].where.line, 3u);
  EXPECT_EQ(list.items[1].where.column, 3u);
  EXPECT_EQ(v.find("b")->where.column, 22u);
}

TEST(json_value, limits_hold) {
  EXPECT_THROW(static_cast<void>(parse_json("[[[1]]]", "t", {100, 100, 2})), scenario_error);
  EXPECT_THROW(static_cast<void>(parse_json("[1,2,3]", "t", {100, 3, 9})), scenario_error);
  EXPECT_THROW(static_cast<void>(parse_json("[1,2,3]", "t", {6, 100, 9})), scenario_error);
  EXPECT_NO_THROW(static_cast<void>(parse_json("[1,2,3]", "t", {7, 4, 1})));
}

TEST(json_value, the_nearest_name_is_offered_and_a_far_one_is_not) {
  EXPECT_EQ(did_you_mean("mesure_s", {"warmup_s", "measure_s"}), "; did you mean \"measure_s\"?");
  EXPECT_EQ(did_you_mean("rnu", {"run", "list"}), "; did you mean \"run\"?");
  EXPECT_EQ(did_you_mean("zzzzzz", {"run", "list"}), "");
}

}  // namespace
}  // namespace mdp::scenario
