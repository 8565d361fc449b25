// Queues of many producers and many consumers, without locks (moodycamel::ConcurrentQueue). They
// have no bound of their own: whoever puts in has one before that. They allocate until the working
// set has been seen.
#pragma once
#include <atomic>
#include <thread>

#if defined(__SANITIZE_THREAD__)
// ThreadSanitizer does not see the fences that the queue relies on. With its relaxed operations
// made stronger it sees the same order without them, and what is wrong around the queue.
#include <algorithm>
#include <array>
#include <limits>
#include <type_traits>
#include <utility>
#define memory_order_relaxed memory_order_seq_cst
#include <concurrentqueue/concurrentqueue.h>
#undef memory_order_relaxed
#else
#include <concurrentqueue/concurrentqueue.h>
#endif

namespace mdp::runtime {

template <class T>
using shared_queue = moodycamel::ConcurrentQueue<T>;
using producer_token = moodycamel::ProducerToken;

// What was promised to go through does go through: with no memory left it waits for some.
template <class Put>
void put_surely(const Put& put) noexcept {
  while (!put()) std::this_thread::yield();
}

}  // namespace mdp::runtime
