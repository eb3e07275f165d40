#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <thread>
#include <vector>

#include "base/cpu_info.h"

namespace gamut {
namespace {

TEST(ThreadPool, RunsEachTaskOnce) {
  for (int threads : {1, 2, 3, 8}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.size(), threads);
    for (int64_t tasks : {0, 1, 2, 7, 100}) {
      for (int repeat = 0; repeat < 20; ++repeat) {
        std::vector<int> count(static_cast<size_t>(tasks));
        pool.run(tasks, [&](int64_t task, int worker) {
          EXPECT_GE(worker, 0);
          EXPECT_LT(worker, threads);
          ++count[static_cast<size_t>(task)];
        });
        for (int c : count) EXPECT_EQ(c, 1);
      }
    }
  }
}

TEST(ThreadPool, TakesTheMachinesCoresByDefault) { EXPECT_EQ(ThreadPool().size(), cpu_info().cores); }

TEST(ThreadPool, WorkersShareTheWork) {
  ThreadPool pool(2);
  // Each of two tasks waits for the other: this returns only when two threads run them.
  std::atomic<int> arrived{0};
  pool.run(2, [&](int64_t, int) {
    ++arrived;
    while (arrived.load() < 2) std::this_thread::yield();
  });
  EXPECT_EQ(arrived.load(), 2);
}

TEST(ThreadPool, NoTwoThreadsHaveOneWorkerNumber) {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> inside(4);
  for (int repeat = 0; repeat < 200; ++repeat) {
    pool.run(16, [&](int64_t, int worker) {
      EXPECT_EQ(inside[static_cast<size_t>(worker)].fetch_add(1), 0);
      inside[static_cast<size_t>(worker)].fetch_sub(1);
    });
  }
}

TEST(ThreadPool, SeveralCallersAtOnceAndNestedCalls) {
  ThreadPool pool(3);
  std::vector<std::thread> callers;
  std::atomic<int64_t> total{0};
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      for (int repeat = 0; repeat < 200; ++repeat) {
        std::vector<int64_t> parts(8);
        pool.run(8, [&](int64_t task, int) {
          int64_t sum = 0;
          pool.run(4, [&](int64_t inner, int) { sum += inner; });  // runs alone, so the plain sum is safe
          parts[static_cast<size_t>(task)] = sum + task;
        });
        for (int64_t part : parts) total += part;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(total.load(), 4 * 200 * (8 * 6 + 28));
}

TEST(ThreadPool, RangesCoverEverythingOnce) {
  ThreadPool pool(3);
  for (int64_t count : {0, 1, 5, 17, 1000}) {
    for (int64_t grain : {0, 1, 10, 5000}) {
      std::vector<int> seen(static_cast<size_t>(count));
      pool.run_ranges(count, grain, [&](int64_t begin, int64_t end) {
        EXPECT_LT(begin, end);
        for (int64_t i = begin; i < end; ++i) ++seen[static_cast<size_t>(i)];
      });
      for (int s : seen) EXPECT_EQ(s, 1);
    }
  }
}

TEST(ThreadPool, WakesUpAfterSleepAndUsesNoTimeMeanwhile) {
  ThreadPool pool(2);
  for (int repeat = 0; repeat < 3; ++repeat) {
    std::atomic<int> arrived{0};
    pool.run(2, [&](int64_t, int) {
      ++arrived;
      while (arrived.load() < 2) std::this_thread::yield();
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    const std::clock_t before = std::clock();
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    EXPECT_LT(static_cast<double>(std::clock() - before) / CLOCKS_PER_SEC, 0.02);
  }
}

TEST(ThreadPool, ComesAndGoes) {
  for (int repeat = 0; repeat < 50; ++repeat) {
    ThreadPool pool(3);
    std::atomic<int> count{0};
    pool.run(5, [&](int64_t, int) { ++count; });
    EXPECT_EQ(count.load(), 5);
  }
}

// A worker that looked for the end before it looked at what wakes it slept through the end, and the pool waited for it.
TEST(ThreadPool, EndsWhileItsWorkersComeFromALoop) {
  for (int repeat = 0; repeat < 5000; ++repeat) {
    ThreadPool pool(4);
    std::atomic<int> count{0};
    for (int loop = 0; loop < repeat % 4; ++loop) {
      pool.run(5 + repeat % 3, [&](int64_t, int) {
        for (int i = 0; i < repeat % 50; ++i) ++count;
      });
    }
  }
}

}  // namespace
}  // namespace gamut
