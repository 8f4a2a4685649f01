// One connection to a peer, and how log-ons travel on it. The load is a closed loop of blocking lanes, one a thread:
// what the peers' own clients do, and the least that a client can weigh.
//
// A lane belongs to one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "workload/credentials.h"

namespace credcache::peers {

// What became of the log-on that was asked as `id`.
struct Answer {
  uint32_t id = 0;
  bool accepted = false;
};

class Lane {
 public:
  virtual ~Lane() = default;

  // Connects. UNAVAILABLE when nobody listens, INVALID_ARGUMENT when the address is none.
  virtual absl::Status Open() = 0;

  // Takes a log-on in, to be sent by Wait. There are never more unanswered than `depth`; one user may be asked for
  // twice.
  virtual void Ask(uint32_t id, const workload::Credentials& credentials) = 0;

  // Sends what is unsent, blocks until there is an answer, and appends what has come. UNAVAILABLE when the peer is
  // gone, says that it cannot tell, or says nothing for ten seconds; INTERNAL when it says what it should not.
  virtual absl::Status Wait(std::vector<Answer>* answers) = 0;

  // How many log-ons may be unanswered at once.
  virtual uint32_t depth() const { return 1; }
};

struct SaslauthdOptions {
  std::string address;  // unix:PATH
  std::string service = "imap";
};
// A connection for each log-on, as the protocol is.
std::unique_ptr<Lane> NewSaslauthdLane(const SaslauthdOptions& options);

struct DovecotOptions {
  std::string address;  // unix:PATH or HOST:PORT
  std::string service = "imap";
  uint32_t depth = 1;
  uint32_t client_id = 1;  // Dovecot wants another one from each connection
};
// The auth client protocol, PLAIN, pipelined.
std::unique_ptr<Lane> NewDovecotLane(const DovecotOptions& options);

struct HttpOptions {
  std::string address;  // HOST:PORT or unix:PATH
  std::string path = "/";
};
// Basic credentials over one kept connection.
std::unique_ptr<Lane> NewHttpLane(const HttpOptions& options);

struct LdapOptions {
  std::string url;  // ldap://HOST:PORT or ldaps://HOST:PORT
  std::string dn = "uid={username},ou=people,dc=corp,dc=example";
  std::string ca;
  bool start_tls = false;
};
// Simple binds by libldap, again and again over one kept connection.
std::unique_ptr<Lane> NewLdapLane(const LdapOptions& options);

// Makes the lane with that number.
using LaneFactory = std::function<std::unique_ptr<Lane>(uint32_t number)>;

}  // namespace credcache::peers
