// Fuzzes what applications do: bytes as a sequence of calls and faults among three engines, held
// against the model of tests/support/model_world.hpp. libFuzzer's entry; without libFuzzer the
// corpus is replayed by operations_replay.cpp. Input: a byte of seed, then two bytes a draw.
#include <cstdio>
#include <cstdlib>

#include "tests/support/model_world.hpp"

namespace {

// Draws from the input; when it is used up, zeros.
class byte_source final : public mdp::random_source {
 public:
  byte_source(const std::uint8_t* data, std::size_t size) noexcept : data_(data), size_(size) {}
  [[nodiscard]] std::uint64_t next() noexcept override {
    std::uint64_t value = 0;
    for (int i = 0; i < 2 && at_ < size_; ++i) value = value << 8 | data_[at_++];
    return value;
  }
  [[nodiscard]] bool used_up() const noexcept { return at_ == size_; }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
  std::size_t at_ = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 8) return 0;
  byte_source choices(data + 1, size - 1);
  mdp::test::model_world world(choices, data[0]);
  for (int acts = 0; acts < 500 && !choices.used_up(); ++acts) world.act();
  world.finish();
  if (world.violation().empty()) return 0;
  std::fprintf(stderr, "the model is broken: %s\n", world.violation().c_str());
  std::abort();
}
