#include "mail_day/figures.h"

#include <nlohmann/json.hpp>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace credcache::mail_day {
namespace {

double RatioOf(int64_t part, int64_t whole) {
  return whole == 0 ? 1.0 : static_cast<double>(part) / static_cast<double>(whole);
}

// "12,345,678".
std::string Grouped(int64_t number) {
  std::string digits = absl::StrCat(number);
  for (auto at = static_cast<int64_t>(digits.size()) - 3; at > 0; at -= 3)
    digits.insert(static_cast<size_t>(at), 1, ',');
  return digits;
}

std::string Percent(double ratio) { return absl::StrFormat("%.2f %%", 100.0 * ratio); }

std::string Line(absl::string_view name, absl::string_view value, absl::string_view remark = {}) {
  const std::string line = absl::StrFormat("  %-36s %14s", name, value);
  return remark.empty() ? absl::StrCat(line, "\n") : absl::StrCat(line, "   ", remark, "\n");
}

}  // namespace

double Answers::Ratio() const { return RatioOf(without_backend, log_ons); }

Answers& Answers::operator+=(const Answers& other) {
  log_ons += other.log_ons;
  without_backend += other.without_backend;
  return *this;
}

Answers Figures::People() const {
  Answers people;
  for (int sender = 0; sender < kSenders; ++sender) {
    const bool attack = Sender{static_cast<uint8_t>(sender)} == Sender::kSpray ||
                        Sender{static_cast<uint8_t>(sender)} == Sender::kGuessing;
    if (!attack) people += by_sender[static_cast<size_t>(sender)];
  }
  return people;
}

double Figures::SavedRatio() const { return 1.0 - RatioOf(backend_calls, all.log_ons); }

std::string ToJson(const Figures& figures) {
  nlohmann::ordered_json json = {
      {"tool", "credcache-mail-day"},
      {"servers", figures.servers},
      {"users", figures.users},
      {"seed", figures.seed},
      {"simulated_hours", figures.hours},
      {"log_ons", figures.all.log_ons},
      {"without_backend", figures.all.without_backend},
      {"without_backend_ratio", figures.all.Ratio()},
      {"people_without_backend_ratio", figures.People().Ratio()},
      {"backend_calls", figures.backend_calls},
      {"backend_calls_saved_ratio", figures.SavedRatio()},
      {"searches", figures.searches},
      {"refreshes", figures.refreshes},
      {"hits", figures.hits},
      {"coalesced", figures.coalesced},
      {"negative_hits", figures.negative_hits},
      {"throttled", figures.throttled},
      {"throttled_though_right", figures.throttled_though_right},
      {"evictions", figures.evictions},
      {"most_entries", figures.most_entries},
      {"invalidations", figures.invalidations},
      {"errors", figures.errors},
      {"wrong_answers", figures.wrong_answers},
      {"stale_window_answers", figures.stale_window_answers},
      {"peak_backend_calls_per_second", {{"with", figures.peak_backend_calls}, {"without", figures.peak_log_ons}}},
      {"real_seconds", figures.real_seconds},
  };
  auto& misses = json["misses"] = nlohmann::ordered_json::object();
  for (int reason = 0; reason < kMissReasons; ++reason) {
    misses[std::string(credcache::Name(MissReason{static_cast<uint8_t>(reason)}))] =
        figures.misses[static_cast<size_t>(reason)];
  }
  auto& senders = json["senders"] = nlohmann::ordered_json::array();
  for (int sender = 0; sender < kSenders; ++sender) {
    const Answers& answers = figures.by_sender[static_cast<size_t>(sender)];
    senders.push_back({{"sender", std::string(Name(Sender{static_cast<uint8_t>(sender)}))},
                       {"log_ons", answers.log_ons},
                       {"without_backend", answers.without_backend}});
  }
  auto& hours = json["hours"] = nlohmann::ordered_json::array();
  for (size_t hour = 0; hour < figures.by_hour.size(); ++hour) {
    const Figures::Hour& of_hour = figures.by_hour[hour];
    hours.push_back({{"hour", hour},
                     {"log_ons", of_hour.answers.log_ons},
                     {"without_backend", of_hour.answers.without_backend},
                     {"backend_calls", {{"with", of_hour.backend_calls}, {"without", of_hour.answers.log_ons}}}});
  }
  return json.dump();
}

std::string ToText(const Figures& figures) {
  std::string text = absl::StrFormat("%d server%s, %s users, %d h, seed %d (%.0f s)\n", figures.servers,
                                     figures.servers == 1 ? "" : "s, round robin", Grouped(figures.users),
                                     figures.hours, figures.seed, figures.real_seconds);
  const Answers people = figures.People();
  absl::StrAppend(
      &text, Line("log-ons", Grouped(figures.all.log_ons)),
      Line("answered without the backend", Grouped(figures.all.without_backend),
           absl::StrCat(Percent(figures.all.Ratio()), "; attacks left out: ", Percent(people.Ratio()))),
      Line("  from the cache, accepted", Grouped(figures.hits)),
      Line("  from the cache, rejected", Grouped(figures.negative_hits)),
      Line("  with another's validation", Grouped(figures.coalesced)),
      Line("  throttled", Grouped(figures.throttled),
           absl::StrCat("of them right: ", Grouped(figures.throttled_though_right))),
      Line("backend calls", Grouped(figures.backend_calls), absl::StrCat(Percent(figures.SavedRatio()), " saved")),
      Line("  of them refreshes behind a hit", Grouped(figures.refreshes)),
      Line("  most in a second", Grouped(figures.peak_backend_calls),
           absl::StrCat("without a cache ", Grouped(figures.peak_log_ons))),
      Line("evictions", Grouped(figures.evictions),
           absl::StrCat("at most ", Grouped(figures.most_entries), " entries in a cache")),
      Line("invalidations", Grouped(figures.invalidations)), Line("errors", Grouped(figures.errors)),
      Line("wrong answers", Grouped(figures.wrong_answers)),
      Line("answers in the stale window", Grouped(figures.stale_window_answers)));
  absl::StrAppend(&text, "  misses by reason:");
  for (int reason = 0; reason < kMissReasons; ++reason) {
    const int64_t misses = figures.misses[static_cast<size_t>(reason)];
    if (misses > 0)
      absl::StrAppend(&text, "  ", credcache::Name(MissReason{static_cast<uint8_t>(reason)}), " ", Grouped(misses));
  }
  absl::StrAppend(&text, "\n");
  for (const std::string& example : figures.examples) absl::StrAppend(&text, "    ", example, "\n");
  absl::StrAppendFormat(&text, "\n  %-14s %14s %16s\n", "sender", "log-ons", "without backend");
  for (int sender = 0; sender < kSenders; ++sender) {
    const Answers& answers = figures.by_sender[static_cast<size_t>(sender)];
    absl::StrAppendFormat(&text, "  %-14s %14s %16s\n", Name(Sender{static_cast<uint8_t>(sender)}),
                          Grouped(answers.log_ons), Percent(answers.Ratio()));
  }
  absl::StrAppendFormat(&text, "\n  %-5s %14s %16s %22s\n", "hour", "log-ons", "without backend",
                        "backend calls an hour");
  for (size_t hour = 0; hour < figures.by_hour.size(); ++hour) {
    const Figures::Hour& of_hour = figures.by_hour[hour];
    absl::StrAppendFormat(&text, "  %02d    %14s %16s %22s\n", hour, Grouped(of_hour.answers.log_ons),
                          Percent(of_hour.answers.Ratio()), Grouped(of_hour.backend_calls));
  }
  return text;
}

std::string Compare(const std::vector<Figures>& runs) {
  if (runs.size() != 2) return {};
  const Figures& one = runs[0];
  const Figures& many = runs[1];
  return absl::StrFormat(
      "Round robin over %d servers instead of one: %.2f times the backend calls (%s against %s), in the busiest second "
      "%.2f times; answered without the backend %s against %s.\nHome replicas (one validating server an account) are "
      "not built yet; each of the %d caches here learns every user for itself.\n",
      many.servers, RatioOf(many.backend_calls, one.backend_calls), Grouped(many.backend_calls),
      Grouped(one.backend_calls), RatioOf(many.peak_backend_calls, one.peak_backend_calls), Percent(many.all.Ratio()),
      Percent(one.all.Ratio()), many.servers);
}

}  // namespace credcache::mail_day
