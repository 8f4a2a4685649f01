#include "rpc/own_invalidations.h"

#include <cstdint>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "rpc/invalidation_record.h"

namespace credcache {
namespace {

constexpr char kChanged[] = "changed in the directory";

class FeedListener final : public ChangeListener {
 public:
  FeedListener(OwnInvalidations& invalidations, OwnInvalidations::Feed feed)
      : invalidations_(invalidations), feed_(std::move(feed)), number_(feed_.metrics.BeginFeed()) {}
  ~FeedListener() override { Set(FeedState::kNone); }

  void AccountsChanged(const std::vector<std::string>& usernames) override {
    for (const std::string& username : usernames) {
      invalidations_.User(feed_.realm, username, InvalidationOrigin::kFeed, kChanged);
    }
  }
  void EverythingChanged() override { invalidations_.Realm(feed_.realm, InvalidationOrigin::kFeed, kChanged); }

  void FeedUp() override {
    if (!Set(FeedState::kUp)) return;
    feed_.reporter.Report(Severity::kInfo, "feed_up",
                          absl::StrCat(feed_.realm, "/", feed_.backend, ": changes in the directory are heard of"));
  }
  void FeedDown(absl::string_view why) override {
    if (!Set(FeedState::kDown)) return;
    feed_.reporter.Report(Severity::kWarning, "feed_down",
                          absl::StrCat(feed_.realm, "/", feed_.backend, ": no change in the directory is heard of: ",
                                       why, "; feed_down_age_limit holds meanwhile"));
  }

 private:
  // Whether that is new.
  bool Set(FeedState state) {
    const absl::MutexLock lock(&mutex_);
    if (state == state_) return false;
    if (state == FeedState::kDown) feed_.feeds->CountDown();
    if (state_ == FeedState::kDown) feed_.feeds->CountUp();
    state_ = state;
    feed_.metrics.SetFeed(number_, state);
    return true;
  }

  OwnInvalidations& invalidations_;
  const OwnInvalidations::Feed feed_;
  const uint64_t number_;
  absl::Mutex mutex_;
  FeedState state_ ABSL_GUARDED_BY(mutex_) = FeedState::kNone;
};

}  // namespace

void OwnInvalidations::User(const std::string& realm, const std::string& username, InvalidationOrigin origin,
                            const std::string& reason) {
  Append({.target = Invalidation::Target::kUser, .realm = realm, .usernames = {username}, .reason = reason},
         InvalidationTarget::kUser, origin);
}

void OwnInvalidations::Realm(const std::string& realm, InvalidationOrigin origin, const std::string& reason) {
  Append({.target = Invalidation::Target::kRealm, .realm = realm, .reason = reason}, InvalidationTarget::kRealm,
         origin);
}

std::shared_ptr<ChangeListener> OwnInvalidations::ListenerFor(Feed feed) {
  return std::make_shared<FeedListener>(*this, std::move(feed));
}

void OwnInvalidations::Append(Invalidation invalidation, InvalidationTarget target, InvalidationOrigin origin) {
  const MonotonicTime began = clock_.Monotonic();
  journal_.Append(invalidation, [this, invalidation, target, origin, began](const absl::StatusOr<Appended>& appended) {
    InvalidationEvent event{.realm = invalidation.realm, .reason = invalidation.reason};
    if (!invalidation.usernames.empty()) event.username = invalidation.usernames.front();
    RecordInvalidation(metrics_, audit_, target, origin, clock_.Monotonic() - began, event, appended);
  });
}

}  // namespace credcache
