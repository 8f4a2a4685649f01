#include "load/tally.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/strip.h"

namespace credcache::load {
namespace {

// The place of a number in an array whose last place is for the others.
template <typename Array>
uint64_t& At(Array& counts, int number) {
  return counts[number < 0 ? counts.size() - 1 : std::min(static_cast<size_t>(number), counts.size() - 1)];
}

std::string ShortName(absl::string_view name, absl::string_view prefix) {
  return name.empty() ? "unknown" : absl::AsciiStrToLower(absl::StripPrefix(name, prefix));
}

}  // namespace

absl::string_view WhyUnexpected(Kind kind, const v1::AuthenticateResponse& response) {
  const v1::Outcome outcome = response.outcome();
  if (outcome == v1::OUTCOME_UNSPECIFIED) return "an answer without an outcome";
  if (outcome == v1::OUTCOME_ACCEPTED && !response.has_identity()) return "an acceptance without an identity";
  if (kind == Kind::kHit && outcome != v1::OUTCOME_ACCEPTED) return "a right password was not accepted";
  if (kind == Kind::kWrong && outcome != v1::OUTCOME_REJECTED && outcome != v1::OUTCOME_THROTTLED) {
    return "a wrong password was taken for the right one";
  }
  return "";
}

void Tally::Count(Kind kind, const v1::AuthenticateResponse& response, uint64_t nanoseconds) {
  ++answers;
  ++At(outcomes, response.outcome());
  ++At(sources, response.source());
  latency.Record(nanoseconds);
  if (kind == Kind::kHit) hit_latency.Record(nanoseconds);
}

std::string OutcomeName(size_t outcome) {
  return ShortName(v1::Outcome_Name(static_cast<v1::Outcome>(outcome)), "OUTCOME_");
}

std::string SourceName(size_t source) { return ShortName(v1::Source_Name(static_cast<v1::Source>(source)), "SOURCE_"); }

}  // namespace credcache::load
