// Replays the corpus of fuzz_operations, and 200 generated inputs, as an ordinary test.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <vector>

#include "mdp/base/random.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

TEST(fuzz_operations, the_corpus_keeps_the_model) {
  for (const auto& entry :
       std::filesystem::directory_iterator(MDP_SOURCE_DIR "/tests/fuzz/corpus/operations")) {
    std::ifstream file(entry.path(), std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
    EXPECT_EQ(
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()),
        0)
        << entry.path();
  }
}

TEST(fuzz_operations, random_bytes_keep_the_model) {
  mdp::seeded_random random(33);
  for (int i = 0; i < 200; ++i) {
    std::vector<std::uint8_t> input(200 + random.next() % 1000);
    for (std::uint8_t& byte : input) byte = static_cast<std::uint8_t>(random.next());
    ASSERT_EQ(LLVMFuzzerTestOneInput(input.data(), input.size()), 0) << "input " << i;
  }
}
