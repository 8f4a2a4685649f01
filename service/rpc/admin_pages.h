// What the admin port answers: /metrics for Prometheus, /livez and /readyz for Kubernetes. Pure functions; admin_http.h
// is the server around them.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "prometheus/collectable.h"

namespace credcache {

// One thing that must hold before requests may come, or, where it is not required, that an operator should hear of.
struct ReadinessCheck {
  std::string name;  // "grpc", "journal"
  bool ready = true;
  std::string reason;  // why not: "starting", "draining"
  bool required = true;
};

// Where the pages come from. Called from the server's threads, several at once.
struct AdminSources {
  const prometheus::Collectable& metrics;
  // Ready when all required checks are, and when there are none.
  std::function<std::vector<ReadinessCheck>()> readiness;
};

struct AdminRequest {
  absl::string_view method;  // "GET"
  absl::string_view path;    // without the query
  absl::string_view query;   // without the question mark
};

struct AdminReply {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;   // of a HEAD request too, where only its size is told
  std::string allow;  // the methods that there are, with 405
};

// 200; 503 from /readyz, with the reasons (a check that is not required and fails is told, and is no reason); 404 for
// other paths; 405 for methods other than GET and HEAD. `?verbose` makes the probes list every check.
AdminReply AnswerAdminRequest(const AdminRequest& request, const AdminSources& sources);

}  // namespace credcache
