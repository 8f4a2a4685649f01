// The composition root: the only file pair that knows every part. Builds the service from a configuration, keeps house,
// and takes a new configuration while running.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "config/config.h"

namespace credcache {

// Not thread-safe: main's thread alone calls it.
class App {
 public:
  // For the start of main: this program may have been started by itself, for a part of its work (factory.h). Then does
  // that, and returns the program's exit code.
  static std::optional<int> RunHelper(int argc, char** argv);

  // Starts everything, and listens. `config_path` is read again at each Reload. INVALID_ARGUMENT: something that the
  // configuration names is not usable; other codes: an address cannot be had.
  static absl::StatusOr<std::unique_ptr<App>> Start(std::string config_path, std::shared_ptr<const Config> config);
  // Like Stop, at once.
  ~App();

  // "credcached ready grpc=ADDR admin=ADDR", with the ports that were really taken.
  std::string ReadyLine() const;

  // Reads the configuration again and puts in force what can change while running. A mistake in it changes nothing.
  // What happened is logged.
  void Reload();

  // Answers what is under way, takes nothing new, and returns when all is ended, after 20 s at the latest.
  void Stop(absl::string_view reason);

 private:
  class Impl;
  explicit App(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace credcache
