// Tells ThreadSanitizer what Abseil's locks do.
//
// Debian's Abseil was built without ThreadSanitizer, which therefore sees no order in a mutex of it: every variable
// that one guards looks like a race. So the programs of a TSan build carry these definitions of Abseil's own functions.
// They come before the library's for everyone in the process, gRPC too; each marks what it does, and calls the
// library's. (Conditions are evaluated by whichever thread holds the lock, inside the marks, where TSan looks away.)
//
// Built without -fsanitize=thread itself.
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

#include <cstdio>
#include <cstdlib>

#include "absl/base/options.h"
#include "absl/synchronization/blocking_counter.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

namespace {

#define CREDCACHE_STRING(name) #name
#define CREDCACHE_EXPANDED_STRING(name) CREDCACHE_STRING(name)

constexpr char kInlineNamespace[] = CREDCACHE_EXPANDED_STRING(ABSL_OPTION_INLINE_NAMESPACE_NAME);

// The library's own function, by the mangled name that follows absl and its inline namespace.
template <typename Result, typename... Arguments>
class Original {
 public:
  explicit Original(const char* name) {
    char symbol[256];
    std::snprintf(symbol, sizeof(symbol), "_ZN%s4absl%zu%s%s", name[0] == 'K' ? "K" : "", sizeof(kInlineNamespace) - 1,
                  kInlineNamespace, name[0] == 'K' ? name + 1 : name);
    function_ = reinterpret_cast<Function>(dlsym(RTLD_NEXT, symbol));
    if (function_ == nullptr) {
      std::fprintf(stderr, "tsan_abseil: the Abseil of this system has no %s\n", symbol);
      std::abort();
    }
  }
  Result operator()(Arguments... arguments) const { return function_(arguments...); }

 private:
  using Function = Result (*)(Arguments...);
  Function function_;
};

constexpr unsigned kWrite = 0;
constexpr unsigned kRead = __tsan_mutex_read_lock;

// Runs `take`, which acquires the mutex.
template <typename Take>
void Taking(void* mutex, unsigned mode, const Take& take) {
  __tsan_mutex_pre_lock(mutex, mode);
  take();
  __tsan_mutex_post_lock(mutex, mode, 0);
}

// Runs `take`, which says whether it acquired the mutex.
template <typename Take>
bool Trying(void* mutex, unsigned mode, const Take& take) {
  mode |= __tsan_mutex_try_lock;
  __tsan_mutex_pre_lock(mutex, mode);
  const bool taken = take();
  __tsan_mutex_post_lock(mutex, taken ? mode : mode | __tsan_mutex_try_lock_failed, 0);
  return taken;
}

template <typename Give>
void Giving(void* mutex, unsigned mode, const Give& give) {
  __tsan_mutex_pre_unlock(mutex, mode);
  give();
  __tsan_mutex_post_unlock(mutex, mode);
}

// Runs `wait`, during which others may hold the mutex. Nobody here waits holding one for reading only.
template <typename Wait>
auto Waiting(void* mutex, const Wait& wait) {
  __tsan_mutex_pre_unlock(mutex, kWrite);
  __tsan_mutex_post_unlock(mutex, kWrite);
  __tsan_mutex_pre_lock(mutex, kWrite);
  struct Taken {
    void* mutex;
    ~Taken() { __tsan_mutex_post_lock(mutex, kWrite, 0); }
  } const taken{mutex};
  return wait();
}

// Where HasBeenNotified(), which is inline and so instrumented, reads: the flag behind the notification's mutex.
void* FlagOf(const absl::Notification* notification) {
  return const_cast<char*>(reinterpret_cast<const char*>(notification)) + sizeof(absl::Mutex);
}

}  // namespace

namespace absl {
ABSL_NAMESPACE_BEGIN

Mutex::~Mutex() {
  static const Original<void, Mutex*> original("5MutexD1Ev");
  original(this);
  __tsan_mutex_destroy(this, __tsan_mutex_not_static);
}

void Mutex::Lock() {
  static const Original<void, Mutex*> original("5Mutex4LockEv");
  Taking(this, kWrite, [&] { original(this); });
}

void Mutex::Unlock() {
  static const Original<void, Mutex*> original("5Mutex6UnlockEv");
  Giving(this, kWrite, [&] { original(this); });
}

bool Mutex::TryLock() {
  static const Original<bool, Mutex*> original("5Mutex7TryLockEv");
  return Trying(this, kWrite, [&] { return original(this); });
}

void Mutex::ReaderLock() {
  static const Original<void, Mutex*> original("5Mutex10ReaderLockEv");
  Taking(this, kRead, [&] { original(this); });
}

void Mutex::ReaderUnlock() {
  static const Original<void, Mutex*> original("5Mutex12ReaderUnlockEv");
  Giving(this, kRead, [&] { original(this); });
}

bool Mutex::ReaderTryLock() {
  static const Original<bool, Mutex*> original("5Mutex13ReaderTryLockEv");
  return Trying(this, kRead, [&] { return original(this); });
}

void Mutex::LockWhen(const Condition& condition) {
  static const Original<void, Mutex*, const Condition&> original("5Mutex8LockWhenERKNS0_9ConditionE");
  Taking(this, kWrite, [&] { original(this, condition); });
}

bool Mutex::LockWhenWithDeadline(const Condition& condition, Time deadline) {
  static const Original<bool, Mutex*, const Condition&, Time> original(
      "5Mutex20LockWhenWithDeadlineERKNS0_9ConditionENS0_4TimeE");
  bool met = false;
  Taking(this, kWrite, [&] { met = original(this, condition, deadline); });
  return met;
}

void Mutex::ReaderLockWhen(const Condition& condition) {
  static const Original<void, Mutex*, const Condition&> original("5Mutex14ReaderLockWhenERKNS0_9ConditionE");
  Taking(this, kRead, [&] { original(this, condition); });
}

void Mutex::Await(const Condition& condition) {
  static const Original<void, Mutex*, const Condition&> original("5Mutex5AwaitERKNS0_9ConditionE");
  Waiting(this, [&] { original(this, condition); });
}

bool Mutex::AwaitWithDeadline(const Condition& condition, Time deadline) {
  static const Original<bool, Mutex*, const Condition&, Time> original(
      "5Mutex17AwaitWithDeadlineERKNS0_9ConditionENS0_4TimeE");
  return Waiting(this, [&] { return original(this, condition, deadline); });
}

void CondVar::Wait(Mutex* mutex) {
  static const Original<void, CondVar*, Mutex*> original("7CondVar4WaitEPNS0_5MutexE");
  Waiting(mutex, [&] { original(this, mutex); });
}

bool CondVar::WaitWithDeadline(Mutex* mutex, Time deadline) {
  static const Original<bool, CondVar*, Mutex*, Time> original("7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE");
  return Waiting(mutex, [&] { return original(this, mutex, deadline); });
}

void Notification::Notify() {
  static const Original<void, Notification*> original("12Notification6NotifyEv");
  __tsan_release(FlagOf(this));
  original(this);
}

void Notification::WaitForNotification() const {
  static const Original<void, const Notification*> original("K12Notification19WaitForNotificationEv");
  original(this);
  __tsan_acquire(FlagOf(this));
}

bool Notification::WaitForNotificationWithTimeout(Duration timeout) const {
  static const Original<bool, const Notification*, Duration> original(
      "K12Notification30WaitForNotificationWithTimeoutENS0_8DurationE");
  const bool notified = original(this, timeout);
  if (notified) __tsan_acquire(FlagOf(this));
  return notified;
}

bool Notification::WaitForNotificationWithDeadline(Time deadline) const {
  static const Original<bool, const Notification*, Time> original(
      "K12Notification31WaitForNotificationWithDeadlineENS0_4TimeE");
  const bool notified = original(this, deadline);
  if (notified) __tsan_acquire(FlagOf(this));
  return notified;
}

bool BlockingCounter::DecrementCount() {
  static const Original<bool, BlockingCounter*> original("15BlockingCounter14DecrementCountEv");
  __tsan_release(this);
  return original(this);
}

void BlockingCounter::Wait() {
  static const Original<void, BlockingCounter*> original("15BlockingCounter4WaitEv");
  original(this);
  __tsan_acquire(this);
}

ABSL_NAMESPACE_END
}  // namespace absl
