#include "audit/log_output.h"

#include <spdlog/details/null_mutex.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <deque>
#include <thread>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace credcache {
namespace {

class FunctionSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  explicit FunctionSink(std::function<void(absl::string_view)> write) : write_(std::move(write)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    const absl::MutexLock lock(&mutex_);  // two writers' threads share a sink
    write_({message.payload.data(), message.payload.size()});
  }
  void flush_() override {}

  absl::Mutex mutex_;
  const std::function<void(absl::string_view)> write_ ABSL_GUARDED_BY(mutex_);
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
  Impl(Options options, std::shared_ptr<LogOutput> output)
      : options_(std::move(options)),
        output_(std::move(output)),
        logger_(options_.name, output_->sink().sink),
        thread_([this] { Run(); }) {}

  ~Impl() {
    {
      const absl::MutexLock lock(&mutex_);
      stopping_ = true;
    }
    thread_.join();
  }

  void Append(std::string line) {
    std::string oldest;  // freed outside the lock
    const absl::MutexLock lock(&mutex_);
    if (queue_.size() >= options_.queue_size) {
      oldest = std::move(queue_.front());
      queue_.pop_front();
      ++dropped_;
    }
    queue_.push_back(std::move(line));
  }

  uint64_t Dropped() const {
    const absl::MutexLock lock(&mutex_);
    return dropped_;
  }

 private:
  bool HasWork() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return stopping_ || !queue_.empty(); }
  bool MustHurry() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    return stopping_ || queue_.size() >= options_.queue_size / 2;
  }

  void Run() {
    std::deque<std::string> lines;
    while (Take(lines)) {
      for (const std::string& line : lines) {
        logger_.log(spdlog::level::info, spdlog::string_view_t(line.data(), line.size()));
      }
      lines.clear();
    }
  }

  // Waits for lines and takes them all; false when there will be no more.
  bool Take(std::deque<std::string>& lines) {
    const absl::MutexLock lock(&mutex_);
    mutex_.Await(absl::Condition(this, &Impl::HasWork));
    if (options_.gather > absl::ZeroDuration()) {
      mutex_.AwaitWithTimeout(absl::Condition(this, &Impl::MustHurry), options_.gather);
    }
    lines.swap(queue_);
    return !lines.empty();
  }

  const Options options_;
  const std::shared_ptr<LogOutput> output_;
  spdlog::logger logger_;  // used by thread_ alone
  mutable absl::Mutex mutex_;
  std::deque<std::string> queue_ ABSL_GUARDED_BY(mutex_);
  uint64_t dropped_ ABSL_GUARDED_BY(mutex_) = 0;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;  // last: it uses all of the above
};

LineWriter::LineWriter(Options options, std::shared_ptr<LogOutput> output)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(output))) {}
LineWriter::~LineWriter() = default;

void LineWriter::Append(std::string line) { impl_->Append(std::move(line)); }
uint64_t LineWriter::Dropped() const { return impl_->Dropped(); }

}  // namespace credcache
