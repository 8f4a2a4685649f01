#include "rpc/library_logs.h"

#include <grpc/support/log.h>

#include "absl/base/const_init.h"
#include "absl/base/thread_annotations.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "google/protobuf/stubs/logging.h"

namespace credcache {
namespace {

ABSL_CONST_INIT absl::Mutex mutex(absl::kConstInit);
Reporter* target ABSL_GUARDED_BY(mutex) = nullptr;

void Report(Severity severity, absl::string_view kind, absl::string_view text) {
  absl::ReaderMutexLock lock(&mutex);
  if (target != nullptr) target->Report(severity, kind, text);
}

void FromGrpc(gpr_log_func_args* args) {
  const Severity severity = args->severity == GPR_LOG_SEVERITY_ERROR ? Severity::kWarning : Severity::kInfo;
  Report(severity, "grpc", absl::StrCat(args->file, ":", args->line, ": ", args->message));
}

void FromProtobuf(google::protobuf::LogLevel level, const char* file, int line, const std::string& text) {
  // Of a message that does not parse, its sender is told; a flood of them must not be one of lines.
  if (level < google::protobuf::LOGLEVEL_FATAL) return;
  Report(Severity::kError, "protobuf", absl::StrCat(file, ":", line, ": ", text));
}

}  // namespace

void RouteLibraryLogs(Reporter* reporter) {
  {
    absl::MutexLock lock(&mutex);
    target = reporter;
  }
  gpr_set_log_function(FromGrpc);
  google::protobuf::SetLogHandler(FromProtobuf);
}

}  // namespace credcache
