#include "audit/log_output.h"

#include <spdlog/async_logger.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <mutex>
#include <utility>

namespace credcache {
namespace {

// spdlog's lock, since two writers' threads share a sink.
class FunctionSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit FunctionSink(std::function<void(absl::string_view)> write) : write_(std::move(write)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    write_({message.payload.data(), message.payload.size()});
  }
  void flush_() override {}

  std::function<void(absl::string_view)> write_;
};

}  // namespace

struct LogOutput::Sink {
  spdlog::sink_ptr sink;
};

LogOutput::LogOutput(std::unique_ptr<Sink> sink) : sink_(std::move(sink)) {
  // Lines come whole; spdlog adds nothing but the newline. Set once here: setting it later would race with writing.
  sink_->sink->set_formatter(std::make_unique<spdlog::pattern_formatter>("%v", spdlog::pattern_time_type::utc, "\n"));
}
LogOutput::~LogOutput() = default;

std::shared_ptr<LogOutput> LogOutput::StandardError() {
  return std::make_shared<LogOutput>(std::make_unique<Sink>(std::make_shared<spdlog::sinks::stderr_sink_mt>()));
}

std::shared_ptr<LogOutput> LogOutput::To(std::function<void(absl::string_view line)> write) {
  return std::make_shared<LogOutput>(std::make_unique<Sink>(std::make_shared<FunctionSink>(std::move(write))));
}

class LineWriter::Impl {
 public:
  Impl(const std::string& name, size_t queue_size, std::shared_ptr<LogOutput> output)
      : output_(std::move(output)),
        pool_(std::make_shared<spdlog::details::thread_pool>(queue_size, 1)),
        logger_(std::make_shared<spdlog::async_logger>(name, output_->sink().sink, pool_,
                                                       spdlog::async_overflow_policy::overrun_oldest)) {}

  void Append(absl::string_view line) {
    logger_->log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
  }
  uint64_t Dropped() const { return pool_->overrun_counter(); }

 private:
  const std::shared_ptr<LogOutput> output_;
  // In this order: the pool's destructor, which writes what waits and joins the thread, comes after the logger's handle
  // here is gone; messages hold one of their own.
  const std::shared_ptr<spdlog::details::thread_pool> pool_;
  const std::shared_ptr<spdlog::async_logger> logger_;
};

LineWriter::LineWriter(const std::string& name, size_t queue_size, std::shared_ptr<LogOutput> output)
    : impl_(std::make_unique<Impl>(name, queue_size, std::move(output))) {}
LineWriter::~LineWriter() = default;

void LineWriter::Append(absl::string_view line) { impl_->Append(line); }
uint64_t LineWriter::Dropped() const { return impl_->Dropped(); }

}  // namespace credcache
