#include "metrics/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include <cstdint>
#include <fstream>
#include <iterator>
#include <limits>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "metrics/exposition.h"
#include "metrics/metric_families.h"

namespace credcache {
namespace {

std::string ReadWhole(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// A field of /proc/self/stat, numbered from 1 as proc(5) does. The second, the program's name, may hold blanks and
// parentheses: fields are counted from its end.
std::optional<double> StatField(absl::string_view stat, size_t number) {
  const size_t name_end = stat.rfind(')');
  if (name_end == absl::string_view::npos) return std::nullopt;
  const std::vector<absl::string_view> fields = absl::StrSplit(stat.substr(name_end + 1), ' ', absl::SkipWhitespace());
  double value = 0;
  if (number - 3 >= fields.size() || !absl::SimpleAtod(fields[number - 3], &value)) return std::nullopt;
  return value;
}

std::optional<double> BootTime() {
  const std::string stat = ReadWhole("/proc/stat");
  for (const absl::string_view line : absl::StrSplit(stat, '\n')) {
    const std::pair<absl::string_view, absl::string_view> word = absl::StrSplit(line, absl::MaxSplits(' ', 1));
    double value = 0;
    if (word.first == "btime" && absl::SimpleAtod(word.second, &value)) return value;
  }
  return std::nullopt;
}

std::optional<double> OpenFiles() {
  struct Close {
    void operator()(DIR* folder) const { closedir(folder); }
  };
  const std::unique_ptr<DIR, Close> folder(opendir("/proc/self/fd"));
  if (folder == nullptr) return std::nullopt;
  int64_t entries = 0;
  while (readdir(folder.get()) != nullptr) ++entries;
  return static_cast<double>(entries - 3);  // ".", "..", and the folder itself
}

void AppendOne(const FamilySpec& spec, std::optional<double> value, std::vector<prometheus::MetricFamily>& out) {
  if (!value.has_value()) return;
  FamilyBuilder family(spec);
  family.Add({}, *value);
  std::move(family).AppendTo(out);
}

}  // namespace

void AppendProcessMetrics(std::vector<prometheus::MetricFamily>& out) {
  const std::string stat = ReadWhole("/proc/self/stat");

  std::optional<double> cpu_seconds;
  rusage usage;
  if (getrusage(RUSAGE_SELF, &usage) == 0) {
    const auto seconds = [](const timeval& time) {
      return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  }
  AppendOne(families::kProcessCpu, cpu_seconds, out);
  AppendOne(families::kProcessOpenFds, OpenFiles(), out);

  std::optional<double> max_files;
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    max_files =
        limit.rlim_cur == RLIM_INFINITY ? std::numeric_limits<double>::infinity() : static_cast<double>(limit.rlim_cur);
  }
  AppendOne(families::kProcessMaxFds, max_files, out);
  AppendOne(families::kProcessVirtualMemory, StatField(stat, 23), out);

  std::optional<double> resident_bytes = StatField(stat, 24);
  if (resident_bytes.has_value()) *resident_bytes *= static_cast<double>(sysconf(_SC_PAGESIZE));
  AppendOne(families::kProcessResidentMemory, resident_bytes, out);

  std::optional<double> start_time = BootTime();
  const std::optional<double> ticks_after_boot = StatField(stat, 22);
  if (start_time.has_value() && ticks_after_boot.has_value()) {
    *start_time += *ticks_after_boot / static_cast<double>(sysconf(_SC_CLK_TCK));
    AppendOne(families::kProcessStartTime, start_time, out);
  }
  AppendOne(families::kProcessThreads, StatField(stat, 20), out);
}

}  // namespace credcache
