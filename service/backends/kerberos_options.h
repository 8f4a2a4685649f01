// How to ask a Kerberos realm (api.md, section 2, `kerberos`).
#pragma once

#include <cstddef>
#include <string>

#include "absl/time/time.h"
#include "base/limits.h"

namespace credcache {

struct KerberosBackendOptions {
  std::string realm;                          // the Kerberos realm of all users
  std::string keytab;                         // a file with keys of `service`; read at each log-on
  std::string service;                        // whose ticket proves the KDC: "host/mail.corp.example", without a realm
  std::string krb5_conf;                      // names the KDCs; empty: the system's
  int workers = 8;                            // threads, each with a libkrb5 of its own
  absl::Duration timeout = absl::Seconds(3);  // of one question, from when it was asked to its answer
  size_t max_queue = kMaxBackendQueue;
};

}  // namespace credcache
