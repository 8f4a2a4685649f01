#include "backends/file_backend.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"
#include "backends/ask.h"
#include "backends/recording_listener.h"
#include "backends/recording_reporter.h"
#include "base/fake_clock.h"

namespace credcache {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Of "s3cret" and of "other".
constexpr absl::string_view kSha512 =
    "$6$rounds=1000$saltsalt$zcCvYcDM8j0aB28drG.Vwe4L4mnOkoRyg3Q.Bu7J9v6yK9aKDDPiDDlrOhF03cpnd3KFfSzTDNEBa0iVYm2H90";
constexpr absl::string_view kArgon2id =
    "$argon2id$v=19$m=8,t=2,p=1$c2FsdHNhbHQ$YrTwryPnEqPXu8NpdWhsO3Db/pjl+6yUCvM/V1A977k";
// Of some password, at half a second.
constexpr absl::string_view kSlow =
    "$6$rounds=1000000$saltsalt$zcCvYcDM8j0aB28drG.Vwe4L4mnOkoRyg3Q.Bu7J9v6yK9aKDDPiDDlrOhF03cpnd3KFfSzTDNEBa0iVYm2H90";

class FileBackendTest : public ::testing::Test {
 protected:
  FileBackendTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "credcache-XXXXXX").string();
    folder_ = mkdtemp(pattern.data());
    path_ = folder_ / "users";
  }
  ~FileBackendTest() override {
    backend_.reset();
    std::filesystem::remove_all(folder_);
  }

  // As an operator should: a new file renamed over the old one.
  void Replace(const std::string& text) {
    const std::filesystem::path other = folder_ / "users.new";
    std::ofstream(other) << text;
    std::filesystem::rename(other, path_);
  }

  FileBackend& Start(FileBackendOptions options = {}) {
    options.path = path_.string();
    options.realm = "corp.example";
    if (options.threads == 0) options.threads = 2;
    backend_ = std::make_unique<FileBackend>(options, clock_, reporter_);
    return *backend_;
  }

  // With its change feed.
  void StartAndListen() {
    backend_ = std::make_unique<FileBackend>(FileBackendOptions{.path = path_.string(), .realm = "corp.example"},
                                             clock_, reporter_, changes_);
  }

  // A second later, when the backend looks at the file again.
  void LetItLook() { clock_.Advance(absl::Seconds(1)); }

  absl::StatusOr<Verdict> Ask(absl::string_view name, absl::string_view password,
                              MonotonicTime deadline = MonotonicTime::InfiniteFuture()) {
    const Username username = *Username::Normalize(name, CaseRule::kFold);
    return AskAndWait(*backend_, {.username = username, .password = SecretView(password), .deadline = deadline});
  }

  Decision Decide(absl::string_view name, absl::string_view password) {
    const auto verdict = Ask(name, password);
    EXPECT_TRUE(verdict.ok()) << verdict.status();
    return verdict.ok() ? verdict->decision : Decision::kLocked;
  }

  absl::StatusOr<std::optional<Account>> Resolve(absl::string_view name) {
    return ResolveAndWait(*backend_, *Username::Normalize(name, CaseRule::kFold));
  }

  std::filesystem::path folder_;
  std::filesystem::path path_;
  FakeClock clock_;
  RecordingReporter reporter_;
  std::shared_ptr<RecordingListener> changes_ = std::make_shared<RecordingListener>();
  std::unique_ptr<FileBackend> backend_;
};

TEST_F(FileBackendTest, AcceptsTheRightPasswordWithIdentity) {
  Replace(absl::StrCat("alice:", kSha512, ":groups=staff;mail\n"));
  Start();
  const auto verdict = Ask("Alice", "s3cret");
  ASSERT_TRUE(verdict.ok()) << verdict.status();
  EXPECT_EQ(verdict->decision, Decision::kAccepted);
  EXPECT_EQ(verdict->identity.username(), "alice");
  EXPECT_EQ(verdict->identity.subject(), "corp.example/alice");
  EXPECT_THAT(verdict->identity.details().groups, ElementsAre("staff", "mail"));
}

TEST_F(FileBackendTest, TellsWrongFromUnknown) {
  Replace(absl::StrCat("alice:", kSha512, "\n"));
  Start();
  EXPECT_EQ(Decide("alice", "guess"), Decision::kWrongPassword);
  EXPECT_EQ(Decide("mallory", "s3cret"), Decision::kUnknownUser);
  EXPECT_EQ(Decide("alice", ""), Decision::kWrongPassword);
  EXPECT_TRUE(Ask("alice", "guess")->identity.empty());
}

TEST_F(FileBackendTest, ResolvesNamesWithoutAPassword) {
  Replace(absl::StrCat("alice:", kSha512, "\nbad:x\n"));
  Start();
  const auto alice = Resolve("ALICE");
  ASSERT_TRUE(alice.ok() && alice->has_value());
  EXPECT_EQ((*alice)->name.view(), "alice");
  EXPECT_EQ((*alice)->subject, "corp.example/alice");
  EXPECT_TRUE(Resolve("bad")->has_value());
  EXPECT_FALSE(Resolve("mallory")->has_value());
}

TEST_F(FileBackendTest, SaysWhatAnAccountIsOnlyAfterTheRightPassword) {
  Replace(absl::StrCat("off:", kSha512, ":disabled\nold:", kArgon2id, ":expires=2027-01-01\nboth:", kSha512,
                       ":disabled,expires=2020-01-01\n"));
  Start();  // the clock says 15 January 2027
  EXPECT_EQ(Decide("off", "s3cret"), Decision::kAccountDisabled);
  EXPECT_EQ(Decide("off", "guess"), Decision::kWrongPassword);
  EXPECT_EQ(Decide("old", "s3cret"), Decision::kPasswordExpired);
  EXPECT_EQ(Decide("old", "guess"), Decision::kWrongPassword);
  EXPECT_EQ(Decide("both", "s3cret"), Decision::kAccountDisabled);
}

TEST_F(FileBackendTest, ExpiresAtMidnightByTheClockGiven) {
  Replace(absl::StrCat("alice:", kSha512, ":expires=2027-01-16\n"));
  Start();  // 2027-01-15 08:00 UTC
  clock_.Advance(absl::Hours(16) - absl::Seconds(1));
  EXPECT_EQ(Decide("alice", "s3cret"), Decision::kAccepted);
  clock_.Advance(absl::Seconds(1));
  EXPECT_EQ(Decide("alice", "s3cret"), Decision::kPasswordExpired);
}

TEST_F(FileBackendTest, BadLinesRejectTheirUserAndServeTheOthers) {
  Replace(absl::StrCat("alice:", kSha512, "\nbob:{PLAIN}s3cret\ncarol:", kArgon2id, "\n"));
  Start();
  EXPECT_THAT(reporter_.Take(), ElementsAre(HasSubstr(absl::StrCat("users_file_line ", path_.string(), ":2: "))));
  EXPECT_EQ(Decide("alice", "s3cret"), Decision::kAccepted);
  EXPECT_EQ(Decide("carol", "s3cret"), Decision::kAccepted);
  EXPECT_EQ(Decide("bob", "s3cret"), Decision::kWrongPassword);
  EXPECT_EQ(Decide("bob", "{PLAIN}s3cret"), Decision::kWrongPassword);
}

TEST_F(FileBackendTest, SeesAReplacedFileWithinASecond) {
  Replace(absl::StrCat("alice:", kSha512, "\n"));
  Start();
  EXPECT_EQ(Decide("alice", "s3cret"), Decision::kAccepted);
  Replace(absl::StrCat("bob:", kSha512, "\n"));
  LetItLook();
  EXPECT_EQ(Decide("alice", "s3cret"), Decision::kUnknownUser);
  EXPECT_EQ(Decide("bob", "s3cret"), Decision::kAccepted);
  EXPECT_TRUE(Resolve("bob")->has_value());
  EXPECT_THAT(reporter_.Take(), IsEmpty());
}

TEST_F(FileBackendTest, SeesAChangeThatKeepsSizeAndModificationTime) {
  const std::string before = absl::StrCat("alice:", kSha512, "\n");
  Replace(before);
  timespec times[2] = {{.tv_sec = 1'700'000'000, .tv_nsec = 0}, {.tv_sec = 1'700'000'000, .tv_nsec = 0}};
  utimensat(AT_FDCWD, path_.c_str(), times, 0);
  Start();
  EXPECT_EQ(Decide("alice", "s3cret"), Decision::kAccepted);
  {
    std::fstream file(path_, std::ios::in | std::ios::out);
    file << "carol";
  }
  // The kernel's stamps have steps of some milliseconds; the change must be in a later one.
  struct stat before_change;
  stat(path_.c_str(), &before_change);
  struct stat now = before_change;
  while (now.st_ctim.tv_nsec == before_change.st_ctim.tv_nsec) {
    utimensat(AT_FDCWD, path_.c_str(), times, 0);
    stat(path_.c_str(), &now);
  }
  LetItLook();
  EXPECT_EQ(Decide("alice", "s3cret"), Decision::kUnknownUser);
  EXPECT_EQ(Decide("carol", "s3cret"), Decision::kAccepted);
}

TEST_F(FileBackendTest, AFileThatCannotBeReadIsAnErrorAndNoVerdict) {
  Replace(absl::StrCat("alice:", kSha512, "\n"));
  Start();
  EXPECT_EQ(Decide("alice", "s3cret"), Decision::kAccepted);

  std::filesystem::remove(path_);
  LetItLook();
  EXPECT_EQ(Ask("alice", "s3cret").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Ask("mallory", "s3cret").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Resolve("alice").status().code(), absl::StatusCode::kUnavailable);
  LetItLook();
  EXPECT_THAT(Ask("alice", "s3cret").status().message(), HasSubstr("No such file"));
  EXPECT_THAT(reporter_.Take(), ElementsAre(HasSubstr("users_file_unreadable")));  // once

  std::filesystem::create_directory(path_);
  LetItLook();
  EXPECT_THAT(Ask("alice", "s3cret").status().message(), HasSubstr("is no regular file"));
  std::filesystem::remove(path_);
  mkfifo(path_.c_str(), 0600);
  LetItLook();
  EXPECT_THAT(Ask("alice", "s3cret").status().message(), HasSubstr("is no regular file"));
  std::filesystem::remove(path_);
  reporter_.Take();

  Replace(absl::StrCat("alice:", kSha512, "\n"));
  LetItLook();
  EXPECT_EQ(Decide("alice", "s3cret"), Decision::kAccepted);
  EXPECT_THAT(reporter_.Take(), ElementsAre(HasSubstr("users_file_readable")));
}

TEST_F(FileBackendTest, StartsWithoutAFileAndServesOnceItIsThere) {
  Start();
  EXPECT_EQ(Ask("alice", "s3cret").status().code(), absl::StatusCode::kUnavailable);
  Replace(absl::StrCat("alice:", kSha512, "\n"));
  LetItLook();
  EXPECT_EQ(Decide("alice", "s3cret"), Decision::kAccepted);
}

TEST_F(FileBackendTest, ValidatesTheAccountThatWasResolved) {
  Replace(absl::StrCat("alice:", kSha512, "\n"));
  Start();
  const Account alice = **Resolve("alice");
  const Username alias = *Username::Normalize("al", CaseRule::kFold);
  absl::Notification answered;
  absl::StatusOr<Verdict> result;
  backend_->Validate({.username = alias, .password = SecretView("s3cret"), .account = &alice},
                     [&](absl::StatusOr<Verdict> verdict) {
                       result = std::move(verdict);
                       answered.Notify();
                     });
  answered.WaitForNotification();
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->decision, Decision::kAccepted);
  EXPECT_EQ(result->identity.username(), "alice");
}

TEST_F(FileBackendTest, NobodyWaitingMeansNoHash) {
  Replace(absl::StrCat("alice:", kSha512, "\n"));
  Start();
  EXPECT_EQ(Ask("alice", "s3cret", clock_.Monotonic()).status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(FileBackendTest, AFullQueueIsResourceExhaustedAndSlowHashesDoNotHoldUpLookUps) {
  Replace(absl::StrCat("slow:", kSlow, "\n"));
  Start({.threads = 1, .max_queue = 2});
  const Username slow = *Username::Normalize("slow", CaseRule::kFold);
  constexpr int kAsked = 8;
  std::vector<absl::Notification> answered(kAsked);
  std::vector<absl::StatusOr<Verdict>> results(kAsked);
  for (int i = 0; i < kAsked; ++i) {
    backend_->Validate({.username = slow, .password = SecretView("x")}, [&, i](absl::StatusOr<Verdict> verdict) {
      results[i] = std::move(verdict);
      answered[i].Notify();
    });
  }
  EXPECT_TRUE(Resolve("slow")->has_value());
  EXPECT_FALSE(answered[0].HasBeenNotified()) << "the look-up waited for a hash";
  int exhausted = 0;
  backend_.reset();  // what waits is answered at once
  for (int i = 0; i < kAsked; ++i) {
    answered[i].WaitForNotification();
    if (results[i].status().code() == absl::StatusCode::kResourceExhausted) ++exhausted;
  }
  EXPECT_GE(exhausted, kAsked - 3);  // one in work, two waiting
  EXPECT_EQ(results[2].status().code() == absl::StatusCode::kOk, false);
}

TEST_F(FileBackendTest, MadeUpNamesCostWhatWrongPasswordsDo) {
  Replace(absl::StrCat("slow:", kSlow, "\nbad:x\n"));
  Start();
  const auto cost = [this](absl::string_view name) {
    const absl::Time start = absl::Now();
    Decide(name, "guess");
    return absl::ToDoubleSeconds(absl::Now() - start);
  };
  cost("slow");  // warm
  const double wrong = cost("slow");
  // Orders of magnitude are meant: without the dummy hash it would be a thousandth.
  EXPECT_GT(cost("nobody"), wrong / 4);
  EXPECT_GT(cost("bad"), wrong / 4);
  const absl::Time start = absl::Now();
  EXPECT_EQ(Decide("slow", absl::string_view("a\0b", 3)), Decision::kWrongPassword);
  EXPECT_GT(absl::ToDoubleSeconds(absl::Now() - start), wrong / 4);
}

TEST_F(FileBackendTest, TellsWhoChangedAndAnswersThemFromTheNewFile) {
  Replace(absl::StrCat("alice:", kSha512, "\nbob:", kSha512, "\n"));
  StartAndListen();
  EXPECT_EQ(Decide("alice", "s3cret"), Decision::kAccepted);
  Replace(absl::StrCat("alice:", kSha512, ":disabled\nbob:", kSha512, "\n"));
  EXPECT_THAT(changes_->Wait(1), ElementsAre("alice"));
  // The clock stands still: nobody who asks has the file looked at.
  EXPECT_EQ(Decide("alice", "s3cret"), Decision::kAccountDisabled);
  Replace(absl::StrCat("alice:", kSha512, ":disabled\n"));
  EXPECT_THAT(changes_->Wait(1), ElementsAre("bob"));
  EXPECT_EQ(Decide("bob", "s3cret"), Decision::kUnknownUser);
}

TEST_F(FileBackendTest, TellsAfterwardsWhatChangedWhileTheFileWasAway) {
  Replace(absl::StrCat("alice:", kSha512, "\nbob:", kSha512, "\n"));
  StartAndListen();
  EXPECT_TRUE(changes_->WaitForFeed("up"));
  std::filesystem::remove(path_);
  LetItLook();
  EXPECT_EQ(Ask("alice", "s3cret").status().code(), absl::StatusCode::kUnavailable);
  EXPECT_TRUE(changes_->WaitForFeed("down"));
  Replace(absl::StrCat("alice:", kSha512, "\ncarol:", kSha512, "\n"));
  EXPECT_THAT(changes_->Wait(2), ::testing::UnorderedElementsAre("bob", "carol"));
  EXPECT_TRUE(changes_->WaitForFeed("up"));
}

TEST_F(FileBackendTest, NamesNobodyWhereNearlyAllChanged) {
  Replace(absl::StrCat("alice:", kSha512, "\n"));
  StartAndListen();
  std::string many;
  for (int i = 0; i < 10'001; ++i) absl::StrAppend(&many, "user", i, ":", kSha512, "\n");
  Replace(many);
  EXPECT_THAT(changes_->Wait(1), ElementsAre("everything"));
}

}  // namespace
}  // namespace credcache
