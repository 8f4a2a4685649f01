#include "rpc/own_invalidations.h"

#include <utility>

#include "rpc/invalidation_record.h"

namespace credcache {
namespace {

constexpr char kChanged[] = "changed in the directory";

class FeedListener final : public ChangeListener {
 public:
  FeedListener(OwnInvalidations& invalidations, std::string realm)
      : invalidations_(invalidations), realm_(std::move(realm)) {}

  void AccountsChanged(const std::vector<std::string>& usernames) override {
    for (const std::string& username : usernames) {
      invalidations_.User(realm_, username, InvalidationOrigin::kFeed, kChanged);
    }
  }
  void EverythingChanged() override { invalidations_.Realm(realm_, InvalidationOrigin::kFeed, kChanged); }

 private:
  OwnInvalidations& invalidations_;
  const std::string realm_;
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

std::shared_ptr<ChangeListener> OwnInvalidations::ListenerFor(std::string realm) {
  return std::make_shared<FeedListener>(*this, std::move(realm));
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
