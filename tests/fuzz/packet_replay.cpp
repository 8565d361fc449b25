// Replays the fuzzer's corpus, and 2,000 generated inputs, as an ordinary test.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "mdp/base/random.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

TEST(fuzz_packets, the_corpus_is_harmless) {
  std::size_t files = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(MDP_SOURCE_DIR "/tests/fuzz/corpus/packets")) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()),
        0)
        << entry.path();
    ++files;
  }
  EXPECT_GE(files, 5u);
}

TEST(fuzz_packets, frames_of_random_shape_are_harmless) {
  mdp::seeded_random random(2024);
  for (int i = 0; i < 2000; ++i) {
    std::vector<std::uint8_t> input{static_cast<std::uint8_t>(random.next())};
    for (std::uint64_t n = random.next() % 6; n > 0; --n) {
      std::vector<std::uint8_t> frames;
      for (std::uint64_t f = 1 + random.next() % 4; f > 0; --f) {
        const auto length = static_cast<std::uint8_t>(random.next() % 48);
        const std::uint8_t head[8] = {static_cast<std::uint8_t>(random.next() % 12),
                                      static_cast<std::uint8_t>(random.next() % 4),
                                      length,
                                      0,
                                      static_cast<std::uint8_t>(random.next() % 5),
                                      0,
                                      0,
                                      0};
        frames.insert(frames.end(), head, head + 8);
        for (int b = 0; b < (length + 7) / 8 * 8; ++b)
          frames.push_back(static_cast<std::uint8_t>(random.next() % 3 == 0 ? random.next() : 0));
      }
      input.push_back(static_cast<std::uint8_t>(frames.size() / 8));
      input.insert(input.end(), frames.begin(), frames.end());
    }
    ASSERT_EQ(LLVMFuzzerTestOneInput(input.data(), input.size()), 0) << "input " << i;
  }
}
