// A Reporter for where nothing that is reported is of use.
#pragma once

#include "absl/strings/string_view.h"
#include "base/reporter.h"

namespace credcache {

// Thread-safe.
class NoReporter final : public Reporter {
 public:
  void Report(Severity /*severity*/, absl::string_view /*kind*/, absl::string_view /*text*/) override {}
};

}  // namespace credcache
