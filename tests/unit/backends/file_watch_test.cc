#include "backends/file_watch.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "rpc/temporary_folder.h"

namespace credcache {
namespace {

namespace fs = std::filesystem;

// Watches with an interval that no test lives to see: what is told comes from the kernel.
class FileWatchTest : public ::testing::Test {
 protected:
  // Returns when the watch has begun.
  void Watch(const fs::path& path, absl::Duration interval = absl::Hours(1)) {
    watch_ = std::make_unique<FileWatch>(
        path.string(),
        [this, path] {
          const absl::MutexLock lock(&mutex_);
          std::ifstream file(path);
          seen_.assign(std::istreambuf_iterator<char>(file), {});
          ++looks_;
        },
        interval);
    const absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(
        +[](int* looks) { return *looks > 0; }, &looks_));
  }

  bool Sees(const std::string& text) {
    const absl::MutexLock lock(&mutex_);
    const auto seen = [this, &text]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return seen_ == text; };
    return mutex_.AwaitWithTimeout(absl::Condition(&seen), absl::Seconds(20));
  }

  static void Write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

  TemporaryFolder temporary_;
  const fs::path folder_ = temporary_.path();
  absl::Mutex mutex_;
  int looks_ ABSL_GUARDED_BY(mutex_) = 0;
  std::string seen_ ABSL_GUARDED_BY(mutex_);
  std::unique_ptr<FileWatch> watch_;
};

TEST_F(FileWatchTest, TellsOfAFileThatIsReplacedWrittenRemovedAndMadeAgain) {
  const fs::path file = folder_ / "users";
  Write(file, "first");
  Watch(file);
  EXPECT_TRUE(Sees("first"));
  Write(folder_ / "users.new", "second");
  fs::rename(folder_ / "users.new", file);
  EXPECT_TRUE(Sees("second"));
  Write(file, "third");
  EXPECT_TRUE(Sees("third"));
  fs::remove(file);
  EXPECT_TRUE(Sees(""));
  Write(file, "fourth");
  EXPECT_TRUE(Sees("fourth"));
}

TEST_F(FileWatchTest, FollowsLinksAsKubernetesMakesThem) {
  fs::create_directory(folder_ / "..1");
  Write(folder_ / "..1" / "users", "first");
  fs::create_directory_symlink("..1", folder_ / "..data");
  fs::create_symlink("..data/users", folder_ / "users");
  Watch(folder_ / "users");
  EXPECT_TRUE(Sees("first"));
  for (int i = 2; i < 5; ++i) {
    const fs::path next = folder_ / (".." + std::to_string(i));
    fs::create_directory(next);
    Write(next / "users", "of " + std::to_string(i));
    fs::create_directory_symlink(next.filename(), folder_ / "..data_tmp");
    fs::rename(folder_ / "..data_tmp", folder_ / "..data");
    EXPECT_TRUE(Sees("of " + std::to_string(i)));
    fs::remove_all(folder_ / (".." + std::to_string(i - 1)));
  }
}

TEST_F(FileWatchTest, TellsOfAFileFarBehindALink) {
  fs::create_directories(folder_ / "a" / "b");
  Write(folder_ / "a" / "b" / "users", "first");
  fs::create_symlink(folder_ / "a" / "b" / "users", folder_ / "users");
  Watch(folder_ / "users");
  EXPECT_TRUE(Sees("first"));
  Write(folder_ / "a" / "b" / "users", "second");
  EXPECT_TRUE(Sees("second"));
}

TEST_F(FileWatchTest, LooksAgainWhereTheKernelTellsNothing) {
  const fs::path file = folder_ / "not-there-yet" / "users";
  Watch(file, absl::Milliseconds(10));
  EXPECT_TRUE(Sees(""));
  fs::create_directory(folder_ / "not-there-yet");
  Write(file, "first");
  EXPECT_TRUE(Sees("first"));
}

TEST_F(FileWatchTest, SurvivesLinksThatGoInCircles) {
  fs::create_symlink("b", folder_ / "a");
  fs::create_symlink("a", folder_ / "b");
  Watch(folder_ / "a");
  EXPECT_TRUE(Sees(""));
}

}  // namespace
}  // namespace credcache
