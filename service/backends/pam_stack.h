// One log-on through a PAM stack (pam(3), pam.conf(5)), by libpam. For helper processes (pam_helper.h): modules may do
// to their process whatever they like.
#pragma once

#include <string>

#include "backends/pam_messages.h"
#include "base/secret.h"

namespace credcache {

struct PamStack {
  std::string service;        // without path, in lower case, as libpam has it
  std::string config_folder;  // of service files; empty: the system's
  bool system_users = true;   // who is let in is looked up in the system's databases
};

// Authenticates, and if that is well asks the account phase; no session is opened, no credentials are set. Blocks for
// as long as the modules do, but not for PAM_FAIL_DELAY.
//
// A module that asks for what was typed hidden is given the password; one that asks for anything else, or in the
// account phase, is refused, and then nobody is let in or rejected (PAM_CONV_ERR). What it wants to have shown goes
// nowhere.
//
// Leaves the answer's number.
PamAnswer RunPamStack(const PamStack& stack, const PamQuestion& question);

}  // namespace credcache
