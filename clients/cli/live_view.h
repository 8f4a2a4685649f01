// A text that is drawn again and again in one place.
#pragma once

#include <cstddef>
#include <ostream>
#include <string>

#include "absl/strings/string_view.h"

namespace credcache::cli {

struct ScreenSize {
  size_t rows = 24;
  size_t columns = 80;
};

// The bytes that draw `text` from the screen's first line and wipe what was there before. Cut to the screen, since a
// screen that scrolls is not redrawn in place; a last line tells how many were cut.
std::string Frame(absl::string_view text, ScreenSize size);

// On a terminal, in place; elsewhere each text after the other with an empty line between. Not thread-safe.
class LiveView {
 public:
  LiveView(std::ostream& out, int descriptor);

  void Show(const std::string& text);

 private:
  std::ostream& out_;
  int descriptor_;
  bool terminal_;
  bool begun_ = false;
};

}  // namespace credcache::cli
