// Event logs give back what was written, and name what is wrong with them.
#include "trace/event_log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <stdexcept>

#include "tests/unit/trace/story.hpp"

namespace mdp::trace::test {
namespace {

std::vector<record> records_in(const std::string& file) {
  log_reader reader(file);
  std::vector<record> out;
  for (record r; reader.next(r);) out.push_back(r);
  return out;
}

void write_story(const std::string& file, detail what) {
  log_recorder recorder(file, {what, R"({"id":"x"})"});
  tell(recorder, story());
  recorder.close();
}

TEST(EventLog, GivesBackEveryEvent) {
  const scratch_file file("event_log");
  write_story(file.path, detail::events);
  EXPECT_EQ(log_reader(file.path).head().manifest, R"({"id":"x"})");
  std::vector<packet_event> events;
  for (const record& r : records_in(file.path)) {
    if (r.kind == record_kind::event) events.push_back(r.event);
  }
  const std::vector<packet_event> told = story();
  ASSERT_EQ(events.size(), told.size());
  for (std::size_t i = 0; i < told.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(events[i].fate, told[i].fate);
    EXPECT_EQ(events[i].time_ns, told[i].time_ns);
    EXPECT_EQ(events[i].place, told[i].place);
    EXPECT_EQ(events[i].number, told[i].number);
    EXPECT_EQ(events[i].bytes, told[i].bytes);
    EXPECT_EQ(events[i].arrive_ns, told[i].arrive_ns);
    EXPECT_EQ(events[i].queued, told[i].queued);
    if (told[i].fate == packet_fate::sent) {
      EXPECT_EQ(events[i].from, told[i].from);
      EXPECT_EQ(events[i].to, told[i].to);
    }
  }
}

// A checkpoint for each place that had events in a millisecond, with the last of its chains.
TEST(EventLog, CheckpointsHoldTheLastFingerprintOfEachMillisecond) {
  const scratch_file file("event_log");
  write_story(file.path, detail::checkpoints);
  std::vector<std::string> lines;
  log_reader reader(file.path);
  for (record r; reader.next(r);) {
    EXPECT_NE(r.kind, record_kind::event);
    if (r.kind == record_kind::checkpoint) {
      lines.push_back(std::to_string(r.event.time_ns / 1'000'000) + " " +
                      reader.name_of(r.event.place) + " " +
                      std::to_string(r.event.chain % 0x9e3779b97f4a7c15u));
    }
    if (r.kind == record_kind::end) {
      EXPECT_EQ(r.events, story().size());
    }
  }
  ASSERT_EQ(lines.size(), 8u);
  EXPECT_THAT(lines[0], testing::StartsWith("1 a "));
  EXPECT_THAT(lines[1], testing::StartsWith("1 a/up "));
  EXPECT_THAT(lines[2], testing::StartsWith("2 a/up "));
  EXPECT_THAT(lines[3], testing::StartsWith("10 b/up "));
  EXPECT_THAT(lines[4], testing::StartsWith("26 b "));
  EXPECT_THAT(lines[7], testing::StartsWith("3600001 a/up "));
}

TEST(EventLog, AnEventCostsAFewBytes) {
  const scratch_file file("event_log");
  log_recorder recorder(file.path, {detail::events, "{}"});
  std::vector<packet_event> events;
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    events.push_back({.time_ns = i * 100, .arrive_ns = i * 100 + 25'000'000, .number = i});
    events.back().bytes = 1200;
  }
  tell(recorder, events);
  recorder.close();
  EXPECT_LE(std::filesystem::file_size(file.path), 10'000u * 14);
}

std::string complaint_about(const std::string& file) {
  try {
    static_cast<void>(records_in(file));
  } catch (const std::runtime_error& e) {
    return e.what();
  }
  return "none";
}

TEST(EventLog, ALogThatEndsEarlyIsNamedWhereverItEnds) {
  const scratch_file whole("event_log");
  write_story(whole.path, detail::events);
  const std::string text = whole.text();
  const scratch_file cut("event_log_cut");
  for (std::size_t bytes = 0; bytes < text.size(); ++bytes) {
    cut.write(text.substr(0, bytes));
    ASSERT_THAT(complaint_about(cut.path), testing::StartsWith(cut.path + ": at byte "))
        << "of the first " << bytes;
  }
}

TEST(EventLog, WhatIsNoLogIsRefused) {
  const scratch_file file("event_log");
  EXPECT_THAT(complaint_about("/nowhere/x"), testing::HasSubstr("/nowhere/x: No such file"));
  file.write("{\"schema\": \"mdp-result/1\"}\n");
  EXPECT_THAT(complaint_about(file.path), testing::HasSubstr("not an event log"));
  const std::string head = "mdp-events/1 events {}\n";
  const std::pair<std::string, const char*> cases[] = {
      {"\x7f", "no record begins like this"},
      {std::string("\x01\x00\x05", 3), "a place without a name"},
      {std::string("\x20\x00\x00", 3), "no good name"},
      {"\x20\xff\xff\xff\xff\x7f", "numbered too high"},
      {std::string("\x22") + std::string(10, '\xff'), "more than 64 bits"},
  };
  for (const auto& [bytes, expected] : cases) {
    file.write(head + bytes);
    EXPECT_THAT(complaint_about(file.path), testing::HasSubstr(expected));
  }
}

// No byte of a log can make its reader do worse than complain.
TEST(EventLog, AnyByteMayBeWrong) {
  const scratch_file whole("event_log");
  write_story(whole.path, detail::events);
  const std::string text = whole.text();
  const scratch_file bad("event_log_bad");
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const int flip : {1, 64, 127}) {
      std::string changed = text;
      changed[at] = static_cast<char>(changed[at] ^ flip);
      bad.write(changed);
      static_cast<void>(complaint_about(bad.path));
    }
  }
  EXPECT_EQ(complaint_about(whole.path), "none");
}

TEST(EventLog, AFullDiskIsNoticed) {
  log_recorder recorder("/dev/full", {detail::events, "{}"});
  tell(recorder, story());
  EXPECT_THROW(recorder.close(), std::runtime_error);
  EXPECT_THROW(log_recorder("/nowhere/x", {}), std::runtime_error);
}

}  // namespace
}  // namespace mdp::trace::test
