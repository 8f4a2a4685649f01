#include "audit/log_output.h"

#include <gmock/gmock.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "audit/captured_output.h"

namespace credcache {
namespace {

using ::testing::ElementsAre;
using ::testing::SizeIs;

TEST(LineWriterTest, LinesComeWholeAndInOrder) {
  CapturedOutput captured;
  {
    LineWriter writer({.name = "test", .queue_size = 16}, captured.output());
    writer.Append("one {} %v");
    writer.Append(std::string(5000, 'x'));
    writer.Append("three");
  }
  EXPECT_THAT(captured.lines(), ElementsAre("one {} %v", std::string(5000, 'x'), "three"));
}

TEST(LineWriterTest, AFullQueueDropsTheOldestAndNeverWaits) {
  CapturedOutput captured;
  captured.Hold();
  {
    LineWriter writer({.name = "test", .queue_size = 4}, captured.output());
    writer.Append("0");
    captured.WaitForAWriter();  // "0" has left the queue
    for (int i = 1; i <= 10; ++i) writer.Append(absl::StrCat(i));
    EXPECT_EQ(writer.Dropped(), 6u);
    captured.Release();
  }
  EXPECT_THAT(captured.lines(), ElementsAre("0", "7", "8", "9", "10"));
}

TEST(LineWriterTest, LinesGatherWhenToldAndNeverPastHalfAQueue) {
  CapturedOutput captured;
  LineWriter writer({.name = "test", .queue_size = 8, .gather = absl::InfiniteDuration()}, captured.output());
  for (int i = 0; i < 3; ++i) writer.Append("line");
  EXPECT_THAT(captured.lines(), ::testing::IsEmpty());
  writer.Append("line");
  captured.WaitForLines(4);
  EXPECT_EQ(writer.Dropped(), 0u);
}

TEST(LineWriterTest, TwoWritersShareAnOutputLineByLine) {
  CapturedOutput captured;
  const std::shared_ptr<LogOutput> output = captured.output();
  {
    LineWriter a({.name = "a", .queue_size = 2048}, output);
    LineWriter b({.name = "b", .queue_size = 2048}, output);
    std::vector<std::thread> threads;
    for (LineWriter* writer : {&a, &b}) {
      for (int i = 0; i < 2; ++i) {
        threads.emplace_back([writer] {
          for (int n = 0; n < 500; ++n) writer->Append("line");
        });
      }
    }
    for (std::thread& thread : threads) thread.join();
  }
  EXPECT_THAT(captured.lines(), SizeIs(2000));
  EXPECT_THAT(captured.lines(), ::testing::Each("line"));
}

TEST(LineWriterTest, StandardErrorGetsTheLineAndANewline) {
  ::testing::internal::CaptureStderr();
  { LineWriter({.name = "test"}, LogOutput::StandardError()).Append("{\"a\":1}"); }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "{\"a\":1}\n");
}

}  // namespace
}  // namespace credcache
