// How to ask a PAM stack (api.md, section 2, `pam`).
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "base/limits.h"
#include "base/names.h"

namespace credcache {

struct PamBackendOptions {
  std::string service;        // the stack's name: a file in the configuration folder
  std::string config_folder;  // of service files; empty: the system's, /etc/pam.d as a rule
  bool system_users = true;   // users are the system's: its user database tells their ids and groups
  std::string realm;          // for the subject of who is none of those: REALM/USERNAME
  CaseRule case_rule = CaseRule::kFold;
  int workers = 4;                            // threads, each with a helper process
  absl::Duration timeout = absl::Seconds(5);  // of one question, from when it was asked to its answer
  size_t max_queue = kMaxBackendQueue;
  // What runs a helper, to which its arguments are added (pam_helper.h): this program, unless a test knows better.
  std::vector<std::string> program = {"/proc/self/exe"};
};

}  // namespace credcache
