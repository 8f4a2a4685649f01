// Plays a day against servers, and judges every answer.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "mail_day/agenda.h"
#include "mail_day/day.h"
#include "mail_day/directory.h"
#include "mail_day/event.h"
#include "mail_day/figures.h"
#include "mail_day/server.h"
#include "mail_day/truth.h"

namespace credcache::mail_day {

struct ReplayOptions {
  SiteParameters site;
  int hours = 24;  // from midnight, 1 to 24
  int servers = 1;
  Moment invalidate_delay = 0;  // from a change at the directory to its Invalidate
  CacheOptions cache;
  CachePolicy policy;
  ThrottlePolicy throttle;
  BudgetPolicy budget;
  Directory::Latency latency;
};

// Called now and then with what was done so far.
struct Progress {
  Moment now = 0;
  int64_t log_ons = 0;
};
using ReportProgress = std::function<void(const Progress&)>;

// Builds a server; tests give one that builds another kind.
using MakeServer = std::function<std::unique_ptr<Server>(const ServerOptions&, Agenda&, Directory&)>;

// One run: construct, Run, look at the figures. Not thread-safe.
class Replay {
 public:
  explicit Replay(const ReplayOptions& options, const MakeServer& make_server = MakeRealServer);

  Figures Run(const ReportProgress& report = [](const Progress&) {});

  static std::unique_ptr<Server> MakeRealServer(const ServerOptions& options, Agenda& agenda, Directory& directory);

 private:
  void PlanHousekeeping();
  void LogOn(const Event& event);
  void Answered(const Event& event, Order received, const absl::StatusOr<Verdict>& answer);
  // At all servers, as the journal will have it; `called` is when.
  void InvalidateEverywhere(int32_t user);
  void Conclude();

  const ReplayOptions options_;
  const Moment end_;
  Agenda agenda_;
  Directory directory_;
  std::vector<std::unique_ptr<Server>> servers_;
  Truth truth_;
  Order order_ = 0;
  size_t next_server_ = 0;
  std::vector<int32_t> log_ons_by_second_;
  Figures figures_;
};

}  // namespace credcache::mail_day
