// A real slapd in a folder of its own, on loopback, for as long as the object lives.
#pragma once

#include <sys/types.h>

#include <string>

#include "absl/strings/string_view.h"

namespace credcache {

// A folder below the system's temporary one, removed at destruction.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  std::string operator/(absl::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

void WriteFile(const std::string& path, absl::string_view text);

// Runs it by the shell; the test fails when it does, and shows its output.
void RunCommand(const std::string& command);

// Makes ca.pem (another's: other-ca.pem), server.pem and server.key for 127.0.0.1, and stray.pem and stray.key for
// another host, in `folder`.
void MakeCertificates(const TemporaryFolder& folder);

class Slapd {
 public:
  static constexpr char kSuffix[] = "dc=corp,dc=example";
  static constexpr char kReader[] = "cn=reader,dc=corp,dc=example";
  static constexpr char kReaderPassword[] = "reader-secret";

  struct Options {
    std::string people;       // LDIF of entries below ou=people
    std::string certificate;  // PEM files; empty: no TLS
    std::string private_key;
    std::string settings;  // lines of slapd.conf, before the database
  };
  // Loads the entries and starts.
  explicit Slapd(const Options& options);
  ~Slapd();
  Slapd(const Slapd&) = delete;
  Slapd& operator=(const Slapd&) = delete;

  std::string url() const;
  std::string ldaps_url() const;

  void Start();
  void Stop();    // in good order
  void Kill();    // as a power cut
  void Freeze();  // connections are accepted, and nothing is answered
  void Thaw();
  // Until something was sent to it that it has not read; for when it is frozen.
  void AwaitUnread() const;

  // How often its log since the first start holds `text`. Lines: `BIND dn="..." method=128`, `ACCEPT from`, `SRCH
  // base=`.
  int Logged(absl::string_view text) const;
  // Binds that it was asked for as `dn`, good or bad.
  int Binds(absl::string_view dn) const;

 private:
  void AwaitAnswer() const;
  void End(int signal);

  TemporaryFolder folder_;
  int port_;
  int tls_port_ = 0;
  pid_t pid_ = -1;
};

}  // namespace credcache
