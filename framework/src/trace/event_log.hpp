// Event logs, schema mdp-events/1: records in a file, about nine bytes an event. The format is in
// docs/event-log.md.
//
// A log is read and written from front to back, in constant memory. Errors: std::runtime_error with
// one line that begins with the file's name.
#pragma once
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "event_records.hpp"

namespace mdp::trace {

// What a log says about itself in its first line.
struct log_head {
  detail what = detail::events;
  std::string manifest;  // JSON object on one line: which run this is
};

struct close_file {
  void operator()(std::FILE* file) const noexcept { std::fclose(file); }
};
using file_handle = std::unique_ptr<std::FILE, close_file>;

// What both ends must remember to tell differences instead of values.
class record_memory {
 public:
  struct place_memory {
    std::uint64_t number = 0;
    std::string name;
  };
  [[nodiscard]] place_memory& at(std::uint32_t place) {
    if (place >= places_.size()) places_.resize(place + std::size_t{1});
    return places_[place];
  }
  [[nodiscard]] std::size_t count() const noexcept { return places_.size(); }
  std::int64_t time_ns = 0;

 private:
  std::vector<place_memory> places_;
};

class log_writer {
 public:
  log_writer(const std::string& file, const log_head& head);
  // After an error, nothing.
  void put(const record& r) noexcept;
  // Throws when any of it could not be written.
  void close();

 private:
  void flush() noexcept;

  std::string name_;
  file_handle file_;
  record_memory memory_;
  std::string buffer_;
  int error_ = 0;
};

class log_reader {
 public:
  explicit log_reader(const std::string& file);
  [[nodiscard]] const log_head& head() const noexcept { return head_; }
  // False after the end record. Throws for what is no log, is damaged, or ends early.
  bool next(record& r);
  // Of a place that a record named; "?" for others.
  [[nodiscard]] std::string name_of(std::uint32_t place);

 private:
  [[nodiscard]] std::uint8_t byte();
  [[nodiscard]] std::uint64_t varint();
  [[nodiscard]] std::uint64_t fixed64();
  [[nodiscard]] std::uint32_t place_number();
  void read_event(record& r, unsigned head);
  void read_place(record& r);
  [[noreturn]] void fail(const char* what) const;

  std::string name_;
  file_handle file_;
  log_head head_;
  record_memory memory_;
  std::uint64_t offset_ = 0;
  bool ended_ = false;
};

// Writes what it is told.
class log_recorder final : public record_stream {
 public:
  log_recorder(const std::string& file, const log_head& head)
      : record_stream(head.what), writer_(file, head) {}
  // Throws when any of it could not be written.
  void close() {
    finish_records();
    writer_.close();
  }

 private:
  void put(const record& r) noexcept override { writer_.put(r); }
  log_writer writer_;
};

}  // namespace mdp::trace
