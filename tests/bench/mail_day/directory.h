// A model of the slow place where passwords live, and a backend that asks it.
#pragma once

#include <cstdint>
#include <vector>

#include "mail_day/agenda.h"
#include "mail_day/event.h"
#include "validator/validator.h"

namespace credcache::mail_day {

// Users 0 to N-1 with their passwords of version 0, until they change. Counts what it is asked. It answers any number
// of questions at once: how long the directory of a real site would queue them is not the simulation's subject.
class Directory {
 public:
  // From the question to the answer; the directory decides half way, as it would on a network.
  struct Latency {
    Moment bind = 20;
    Moment search = 2;
  };

  Directory(int32_t users, const Latency& latency, Agenda& agenda)
      : versions_(static_cast<size_t>(users), 0),
        latency_(latency),
        agenda_(agenda),
        binds_by_second_(static_cast<size_t>(kDay / kSecond), 0) {}

  void ChangePassword(int32_t user) { ++versions_[static_cast<size_t>(user)]; }

  void Search(const Username& name, Validator::ResolveDone done);
  void Bind(const Username& name, SecretView password, Validator::ValidateDone done);

  int64_t searches() const { return searches_; }
  int64_t binds() const { return binds_; }
  const std::vector<int32_t>& binds_by_second() const { return binds_by_second_; }

 private:
  Decision Decide(const Username& name, SecretView password) const;

  std::vector<int32_t> versions_;
  const Latency latency_;
  Agenda& agenda_;
  int64_t searches_ = 0;
  int64_t binds_ = 0;
  std::vector<int32_t> binds_by_second_;
};

// A server's way to the directory, as a backend is: a search says which account a name stands for, a bind whether the
// password is right.
class DirectoryBackend final : public Validator {
 public:
  explicit DirectoryBackend(Directory& directory) : directory_(directory) {}

  void Resolve(const NameQuery& query, ResolveDone done) override { directory_.Search(query.name, std::move(done)); }
  void Validate(const LogOn& log_on, ValidateDone done) override {
    directory_.Bind(log_on.account != nullptr ? log_on.account->name : log_on.username, log_on.password,
                    std::move(done));
  }

 private:
  Directory& directory_;
};

}  // namespace credcache::mail_day
