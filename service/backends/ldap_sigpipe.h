// libldap writes to sockets with write(2), which raises SIGPIPE where the server has gone. That would end a process
// that does not ignore the signal; whether it does is not for a library to decide.
#pragma once

#include <pthread.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigtimedwait is POSIX's

#include <ctime>

namespace credcache {

// Keeps SIGPIPE from the calling thread for as long as it lives, and takes away one that came meanwhile.
class LdapSigpipeGuard {
 public:
  LdapSigpipeGuard() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~LdapSigpipeGuard() {
    if (sigismember(&before_, SIGPIPE) == 1) return;
    const timespec now = {};
    sigtimedwait(&sigpipe_, nullptr, &now);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  LdapSigpipeGuard(const LdapSigpipeGuard&) = delete;
  LdapSigpipeGuard& operator=(const LdapSigpipeGuard&) = delete;

 private:
  sigset_t sigpipe_;
  sigset_t before_;
};

// The same for the rest of the calling thread's life, so that each call need not.
inline void KeepSigpipeFromThisThread() { static thread_local const LdapSigpipeGuard guard; }

}  // namespace credcache
