#include "cli/live_view.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "cli/table.h"

namespace credcache::cli {
namespace {

// ECMA-48: cursor to the first place; erase to the line's end; erase to the screen's end; erase the screen.
constexpr absl::string_view kHome = "\x1b[H";
constexpr absl::string_view kEraseLine = "\x1b[K";
constexpr absl::string_view kEraseBelow = "\x1b[J";
constexpr absl::string_view kEraseScreen = "\x1b[2J";

ScreenSize SizeOf(int terminal) {
  winsize size{};
  if (ioctl(terminal, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return {};
  return {size.ws_row, size.ws_col};
}

}  // namespace

std::string Frame(absl::string_view text, ScreenSize size) {
  std::vector<absl::string_view> lines = absl::StrSplit(text, '\n');
  if (!lines.empty() && lines.back().empty()) lines.pop_back();
  // The cursor stands on a line of its own below.
  const size_t room = size.rows > 1 ? size.rows - 1 : 1;
  std::string cut;
  if (lines.size() > room) {
    cut = absl::StrCat("(", lines.size() - room + 1, " more lines)");
    lines.resize(room - 1);
    lines.emplace_back(cut);
  }
  std::string frame(kHome);
  for (const absl::string_view line : lines) absl::StrAppend(&frame, CutTo(line, size.columns), kEraseLine, "\n");
  absl::StrAppend(&frame, kEraseBelow);
  return frame;
}

LiveView::LiveView(std::ostream& out, int descriptor)
    : out_(out), descriptor_(descriptor), terminal_(descriptor >= 0 && isatty(descriptor) == 1) {}

void LiveView::Show(const std::string& text) {
  if (terminal_) {
    if (!begun_) out_ << kEraseScreen;
    out_ << Frame(text, SizeOf(descriptor_));
  } else {
    if (begun_) out_ << "\n";
    out_ << text;
  }
  out_ << std::flush;
  begun_ = true;
}

}  // namespace credcache::cli
