#include "backends/slapd.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "backends/ldap_connection.h"

namespace credcache {
namespace {

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), size) != 0) std::abort();
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  close(fd);
  return ntohs(address.sin_port);
}

std::string ReadFile(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

TemporaryFolder::TemporaryFolder() : path_((std::filesystem::temp_directory_path() / "credcache-XXXXXX").string()) {
  if (mkdtemp(path_.data()) == nullptr) std::abort();
}

TemporaryFolder::~TemporaryFolder() { std::filesystem::remove_all(path_); }

void WriteFile(const std::string& path, absl::string_view text) { std::ofstream(path) << text; }

void RunCommand(const std::string& command) {
  TemporaryFolder folder;
  const std::string output = folder / "output";
  const int status = std::system(absl::StrCat("(", command, ") >", output, " 2>&1").c_str());
  ASSERT_EQ(status, 0) << command << ":\n" << ReadFile(output);
}

void MakeCertificates(const TemporaryFolder& folder) {
  const std::string key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc";
  for (const absl::string_view name : {"ca", "other-ca"}) {
    RunCommand(absl::StrCat("openssl req -x509 ", key, " -days 2 -subj /CN=", name, " -keyout ",
                            folder / absl::StrCat(name, ".key"), " -out ", folder / absl::StrCat(name, ".pem"),
                            " -addext basicConstraints=critical,CA:TRUE"));
  }
  struct Leaf {
    absl::string_view name;
    absl::string_view alternative;
  };
  for (const Leaf& leaf : {Leaf{"server", "IP:127.0.0.1"}, Leaf{"stray", "DNS:elsewhere.example"}}) {
    const std::string stem = folder / leaf.name;
    WriteFile(stem + ".ext", absl::StrCat("subjectAltName=", leaf.alternative, "\n"));
    RunCommand(absl::StrCat("openssl req ", key, " -subj /CN=", leaf.name, " -keyout ", stem, ".key -out ", stem,
                            ".csr && openssl x509 -req -days 2 -in ", stem, ".csr -CA ", folder / "ca.pem", " -CAkey ",
                            folder / "ca.key", " -CAcreateserial -extfile ", stem, ".ext -out ", stem, ".pem"));
  }
}

Slapd::Slapd(const Options& options) : port_(FreePort()) {
  std::string tls;
  if (!options.certificate.empty()) {
    tls_port_ = FreePort();
    tls =
        absl::StrCat("TLSCertificateFile ", options.certificate, "\nTLSCertificateKeyFile ", options.private_key, "\n");
  }
  std::filesystem::create_directory(folder_ / "data");
  WriteFile(folder_ / "slapd.conf", absl::StrCat(R"(
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
pidfile )",
                                                 folder_ / "slapd.pid", "\nthreads 4\n", tls, options.settings, R"(
database mdb
suffix "dc=corp,dc=example"
rootdn "cn=admin,dc=corp,dc=example"
rootpw admin-secret
directory )",
                                                 folder_ / "data", R"(
maxsize 67108864
dbnosync
index uid,mail eq
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="cn=reader,dc=corp,dc=example" read by self read by * none
overlay ppolicy
ppolicy_use_lockout
)"));
  WriteFile(folder_ / "load.ldif", absl::StrCat(R"(dn: dc=corp,dc=example
objectClass: domain
dc: corp

dn: ou=people,dc=corp,dc=example
objectClass: organizationalUnit
ou: people

dn: cn=reader,dc=corp,dc=example
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: reader-secret

dn: cn=lock,dc=corp,dc=example
objectClass: device
objectClass: pwdPolicy
cn: lock
pwdAttribute: userPassword
pwdLockout: TRUE
pwdMaxFailure: 3

dn: cn=age,dc=corp,dc=example
objectClass: device
objectClass: pwdPolicy
cn: age
pwdAttribute: userPassword
pwdMaxAge: 3600

dn: cn=change,dc=corp,dc=example
objectClass: device
objectClass: pwdPolicy
cn: change
pwdAttribute: userPassword
pwdMustChange: TRUE

)",
                                                options.people));
  RunCommand(absl::StrCat("/usr/sbin/slapadd -q -f ", folder_ / "slapd.conf", " -l ", folder_ / "load.ldif"));
  Start();
}

Slapd::~Slapd() { End(SIGKILL); }

std::string Slapd::url() const { return absl::StrCat("ldap://127.0.0.1:", port_); }
std::string Slapd::ldaps_url() const { return absl::StrCat("ldaps://127.0.0.1:", tls_port_); }

void Slapd::Start() {
  const std::string urls = absl::StrCat(url(), "/", tls_port_ == 0 ? "" : absl::StrCat(" ", ldaps_url(), "/"));
  const std::string configuration = folder_ / "slapd.conf";
  const std::string log = folder_ / "log";
  pid_ = fork();
  ASSERT_GE(pid_, 0);
  if (pid_ == 0) {
    const int fd = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(fd, STDOUT_FILENO);
    dup2(fd, STDERR_FILENO);
    // 256, "stats": a line for each operation.
    execl("/usr/sbin/slapd", "slapd", "-d", "256", "-f", configuration.c_str(), "-h", urls.c_str(), nullptr);
    _exit(127);
  }
  AwaitAnswer();
}

void Slapd::AwaitAnswer() const {
  SystemClock clock;
  const MonotonicTime deadline = clock.Monotonic() + absl::Seconds(20);
  while (clock.Monotonic() < deadline) {
    auto connection = LdapConnection::Open(url(), {}, clock, deadline);
    if (connection.ok() &&
        (*connection)
            ->Search({.scope = LDAP_SCOPE_BASE, .filter = "(objectClass=*)", .attributes = {"1.1"}}, deadline)
            .ok()) {
      return;
    }
    absl::SleepFor(absl::Milliseconds(10));
  }
  FAIL() << "slapd does not answer: " << ReadFile(folder_ / "log");
}

void Slapd::Stop() { End(SIGTERM); }
void Slapd::Kill() { End(SIGKILL); }

void Slapd::Freeze() {
  ASSERT_GT(pid_, 0);  // -1 would be everybody
  kill(pid_, SIGSTOP);
  // It goes on for a moment: until its first thread has heard of the signal.
  waitpid(pid_, nullptr, WUNTRACED);
}

void Slapd::AwaitUnread() const {
  SystemClock clock;
  const MonotonicTime deadline = clock.Monotonic() + absl::Seconds(20);
  while (clock.Monotonic() < deadline) {
    // proc(5): `sl local_address rem_address st tx_queue:rx_queue ...`, in hexadecimal; state 01 is ESTABLISHED.
    std::ifstream table("/proc/net/tcp");
    for (std::string line; std::getline(table, line);) {
      unsigned port = 0;
      unsigned unread = 0;
      if (std::sscanf(line.c_str(), " %*d: %*8x:%x %*8x:%*x 01 %*8x:%x", &port, &unread) == 2 &&
          port == static_cast<unsigned>(port_) && unread > 0) {
        return;
      }
    }
    absl::SleepFor(absl::Milliseconds(1));
  }
  FAIL() << "nothing was sent to slapd";
}

void Slapd::Thaw() {
  ASSERT_GT(pid_, 0);
  kill(pid_, SIGCONT);
}

void Slapd::End(int signal) {
  if (pid_ <= 0) return;
  kill(pid_, signal);
  kill(pid_, SIGCONT);
  waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

int Slapd::Logged(absl::string_view text) const {
  const std::string log = ReadFile(folder_ / "log");
  int count = 0;
  for (size_t at = log.find(text.data(), 0, text.size()); at != std::string::npos;
       at = log.find(text.data(), at + 1, text.size())) {
    ++count;
  }
  return count;
}

int Slapd::Binds(absl::string_view dn) const { return Logged(absl::StrCat("BIND dn=\"", dn, "\" method=128")); }

}  // namespace credcache
