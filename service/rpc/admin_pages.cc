#include "rpc/admin_pages.h"

#include <algorithm>
#include <array>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "prometheus/text_serializer.h"

namespace credcache {
namespace {

// https://prometheus.io/docs/instrumenting/exposition_formats/
constexpr char kExpositionType[] = "text/plain; version=0.0.4; charset=utf-8";

bool IsVerbose(absl::string_view query) {
  for (const absl::string_view parameter : absl::StrSplit(query, '&')) {
    if (parameter == "verbose" || parameter == "verbose=true" || parameter == "verbose=1") return true;
  }
  return false;
}

AdminReply Metrics(const AdminRequest&, const AdminSources& sources) {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, sources.metrics.Collect());
  return {.content_type = kExpositionType, .body = text.str()};
}

// That this is answered is all there is to show.
AdminReply Liveness(const AdminRequest&, const AdminSources&) { return {.body = "ok\n"}; }

// As Kubernetes' own servers show their checks.
AdminReply Readiness(const AdminRequest& request, const AdminSources& sources) {
  const std::vector<ReadinessCheck> checks = sources.readiness ? sources.readiness() : std::vector<ReadinessCheck>();
  const bool ready = std::all_of(checks.begin(), checks.end(),
                                 [](const ReadinessCheck& check) { return check.ready || !check.required; });
  const bool verbose = IsVerbose(request.query);
  AdminReply reply = {.status = ready ? 200 : 503};
  for (const ReadinessCheck& check : checks) {
    if (!check.ready) {
      absl::StrAppend(&reply.body, check.required ? "[-] " : "[!] ", check.name, ": ", check.reason, "\n");
    } else if (verbose) {
      absl::StrAppend(&reply.body, "[+] ", check.name, ": ok\n");
    }
  }
  absl::StrAppend(&reply.body, ready ? "ok\n" : "not ready\n");
  return reply;
}

struct Page {
  absl::string_view path;
  AdminReply (*answer)(const AdminRequest&, const AdminSources&);
};
constexpr std::array<Page, 3> kPages = {{{"/metrics", Metrics}, {"/livez", Liveness}, {"/readyz", Readiness}}};

}  // namespace

AdminReply AnswerAdminRequest(const AdminRequest& request, const AdminSources& sources) {
  for (const Page& page : kPages) {
    if (page.path != request.path) continue;
    if (request.method != "GET" && request.method != "HEAD") {
      return {.status = 405, .body = "only GET and HEAD\n", .allow = "GET, HEAD"};
    }
    return page.answer(request, sources);
  }
  return {.status = 404, .body = "there are /metrics, /livez and /readyz\n"};
}

}  // namespace credcache
