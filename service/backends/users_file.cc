#include "backends/users_file.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "absl/time/civil_time.h"
#include "backends/scram_verifier.h"

namespace credcache {
namespace {

absl::Status Bad(absl::string_view what) { return absl::InvalidArgumentError(what); }

// The first moment of YYYY-MM-DD, UTC.
absl::StatusOr<absl::Time> ParseDay(absl::string_view text) {
  constexpr absl::string_view kShape = "0000-00-00";
  bool good = text.size() == kShape.size();
  for (size_t i = 0; good && i < kShape.size(); ++i) {
    good = kShape[i] == '-' ? text[i] == '-' : absl::ascii_isdigit(static_cast<unsigned char>(text[i]));
  }
  int year = 0;
  int month = 0;
  int day = 0;
  if (!good || !absl::SimpleAtoi(text.substr(0, 4), &year) || !absl::SimpleAtoi(text.substr(5, 2), &month) ||
      !absl::SimpleAtoi(text.substr(8, 2), &day)) {
    return Bad("expires= is not YYYY-MM-DD");
  }
  const absl::CivilDay civil(year, month, day);
  // CivilDay takes February 30th for March 1st or 2nd.
  if (civil.month() != month || civil.day() != day) return Bad("expires= is no day of the calendar");
  return absl::FromCivil(civil, absl::UTCTimeZone());
}

class Parser {
 public:
  explicit Parser(CaseRule case_rule) : case_rule_(case_rule) {}

  absl::StatusOr<UsersFile> Parse(absl::string_view text) {
    if (text.size() > kMaxUsersFileSize) return Bad("is larger than 64 MiB");
    for (const absl::string_view line : absl::StrSplit(text, '\n')) {
      ++line_number_;
      ParseLine(absl::StripTrailingAsciiWhitespace(line));
      if (file_.users.size() > kMaxUsersFileUsers) return Bad("has more than 1,000,000 users");
    }
    ChooseCommonest();
    return std::move(file_);
  }

 private:
  void ParseLine(absl::string_view line) {
    const absl::string_view content = absl::StripLeadingAsciiWhitespace(line);
    if (content.empty() || content.front() == '#') return;
    const size_t name_end = line.find(':');
    if (name_end == absl::string_view::npos) return Report(Bad("has no ':' after the name"));
    const auto name = Username::Normalize(line.substr(0, name_end), case_rule_);
    if (!name.ok()) return Report(Bad(absl::StrCat("the name ", name.status().message())));

    // From here on the name is known, and a bad line must not make it a free one for the next validator of a chain.
    const auto [user, inserted] = file_.users.try_emplace(std::string(name->view()));
    if (!inserted) {
      user->second = User();
      return Report(Bad("the name is in an earlier line too; neither counts"));
    }
    auto parsed = ParseUser(line.substr(name_end + 1));
    if (!parsed.ok()) return Report(parsed.status());
    user->second = *std::move(parsed);
  }

  absl::StatusOr<User> ParseUser(absl::string_view rest) {
    if (rest.size() > kMaxUsersFileLineSize) return Bad("is longer than 64 KiB");
    // PostgreSQL's verifiers have colons of their own.
    const size_t hash_size = std::min(rest.find(':', PostgresVerifierSize(rest)), rest.size());
    auto hash = PasswordHash::Parse(rest.substr(0, hash_size));
    if (!hash.ok()) return hash.status();
    User user = {.hash = *std::move(hash)};
    const absl::string_view options = rest.substr(std::min(hash_size + 1, rest.size()));
    if (options.empty()) return user;
    std::vector<absl::string_view> seen;
    for (const absl::string_view option : absl::StrSplit(options, ',')) {
      const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(option, absl::MaxSplits('=', 1));
      if (std::find(seen.begin(), seen.end(), parts.first) != seen.end()) return Bad("has a key twice");
      seen.push_back(parts.first);
      if (option == "disabled") {
        user.disabled = true;
      } else if (parts.first == "expires") {
        const auto day = ParseDay(parts.second);
        if (!day.ok()) return day.status();
        user.expires = *day;
      } else if (parts.first == "groups") {
        auto details = ParseGroups(parts.second);
        if (!details.ok()) return details.status();
        user.details = *std::move(details);
      } else {
        return Bad("has a key other than groups=, disabled, expires=");
      }
    }
    return user;
  }

  absl::StatusOr<Shared<IdentityDetails>> ParseGroups(absl::string_view text) {
    const auto known = groups_.find(text);
    if (known != groups_.end()) return known->second;
    IdentityDetails details;
    for (const absl::string_view group : absl::StrSplit(text, ';')) {
      // What may be in a user's name may be in a group's.
      const auto valid = Username::Normalize(group, CaseRule::kSensitive);
      if (!valid.ok()) return Bad(absl::StrCat("a group ", valid.status().message()));
      details.groups.emplace_back(group);
    }
    if (details.groups.size() > kMaxGroups) return Bad("has more than 4096 groups");
    return groups_.try_emplace(std::string(text), Shared<IdentityDetails>(std::move(details))).first->second;
  }

  void Report(const absl::Status& status) {
    ++file_.bad_lines;
    if (file_.errors.size() < kMaxUsersFileErrors) {
      file_.errors.push_back({.line = line_number_, .text = std::string(status.message())});
    }
  }

  void ChooseCommonest() {
    absl::flat_hash_map<absl::string_view, size_t> counts;
    const PasswordHash* best = nullptr;
    size_t best_count = 0;
    for (const auto& [name, user] : file_.users) {
      if (!user.hash) continue;
      const size_t count = ++counts[user.hash->cost()];
      // Of equally common ones the greatest text, so that the choice is the same at each reading.
      if (count > best_count || (count == best_count && user.hash->cost() > best->cost())) {
        best = &*user.hash;
        best_count = count;
      }
    }
    if (best != nullptr) file_.commonest = *best;
  }

  const CaseRule case_rule_;
  UsersFile file_;
  size_t line_number_ = 0;
  absl::flat_hash_map<std::string, Shared<IdentityDetails>> groups_;
};

}  // namespace

bool operator==(const User& a, const User& b) {
  const bool same_details = a.details.get() == b.details.get() ||
                            (a.details.get() != nullptr && b.details.get() != nullptr && *a.details == *b.details);
  return same_details && a.hash == b.hash && a.disabled == b.disabled && a.expires == b.expires;
}

std::vector<std::string> ChangedUsers(const UsersFile& before, const UsersFile& after) {
  std::vector<std::string> changed;
  for (const auto& [name, user] : before.users) {
    const auto now = after.users.find(name);
    if (now == after.users.end() || !(now->second == user)) changed.push_back(name);
  }
  for (const auto& [name, user] : after.users) {
    if (!before.users.contains(name)) changed.push_back(name);
  }
  return changed;
}

const User* UsersFile::Find(const Username& name) const {
  const auto found = users.find(name.view());
  return found == users.end() ? nullptr : &found->second;
}

absl::StatusOr<UsersFile> ParseUsersFile(absl::string_view text, CaseRule case_rule) {
  return Parser(case_rule).Parse(text);
}

}  // namespace credcache
