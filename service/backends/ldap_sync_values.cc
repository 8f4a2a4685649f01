#include "backends/ldap_sync_values.h"

#include <lber.h>
#include <ldap.h>

#include <memory>

namespace credcache {
namespace {

constexpr size_t kUuidSize = 16;

struct FreeBer {
  void operator()(BerElement* ber) const { ber_free(ber, 1); }
};
using Ber = std::unique_ptr<BerElement, FreeBer>;

Ber Reader(absl::string_view value) {
  if (value.empty()) return nullptr;  // liblber would read it all the same
  berval bytes = {.bv_len = value.size(),
                  .bv_val = const_cast<char*>(value.data())};  // NOLINT(cppcoreguidelines-pro-type-const-cast): copied
  return Ber(ber_init(&bytes));
}

ber_tag_t Peek(BerElement* ber) {
  ber_len_t length = 0;
  return ber_peek_tag(ber, &length);
}

bool Failed(ber_tag_t tag) { return tag == LBER_ERROR; }

// What stands next, if it is a cookie.
bool ReadCookie(BerElement* ber, std::optional<std::string>& cookie) {
  if (Peek(ber) != LDAP_TAG_SYNC_COOKIE) return true;
  berval bytes = {};
  if (Failed(ber_scanf(ber, "m", &bytes))) return false;
  cookie.emplace(bytes.bv_val, bytes.bv_len);
  return true;
}

// What stands next, if it is a boolean; else it stays as it is.
bool ReadBoolean(BerElement* ber, bool& value) {
  if (Peek(ber) != LBER_BOOLEAN) return true;
  ber_int_t number = 0;
  if (Failed(ber_scanf(ber, "b", &number))) return false;
  value = number != 0;
  return true;
}

absl::Status Malformed(absl::string_view what) { return absl::UnavailableError(what); }

bool ReadUuids(BerElement* ber, std::vector<std::string>& uuids) {
  BerVarray set = nullptr;
  const bool read = !Failed(ber_scanf(ber, "[W]", &set));
  bool good = read;
  for (const berval* uuid = set; read && uuid != nullptr && uuid->bv_val != nullptr; ++uuid) {
    good = good && uuid->bv_len == kUuidSize;
    uuids.emplace_back(uuid->bv_val, uuid->bv_len);
  }
  ber_bvarray_free(set);
  return good;
}

}  // namespace

std::string SyncRequestValue(absl::string_view cookie) {
  const Ber ber(ber_alloc_t(LBER_USE_DER));
  const berval bytes = {.bv_len = cookie.size(),
                        .bv_val = const_cast<char*>(cookie.data())};  // NOLINT(cppcoreguidelines-pro-type-const-cast)
  if (cookie.empty()) {
    ber_printf(ber.get(), "{eb}", LDAP_SYNC_REFRESH_AND_PERSIST, 0);
  } else {
    ber_printf(ber.get(), "{eOb}", LDAP_SYNC_REFRESH_AND_PERSIST, &bytes, 0);
  }
  berval flat = {};
  std::string value;
  if (ber_flatten2(ber.get(), &flat, 0) == 0) value.assign(flat.bv_val, flat.bv_len);
  return value;
}

absl::StatusOr<SyncState> ParseSyncState(absl::string_view value) {
  const Ber ber = Reader(value);
  ber_int_t kind = -1;
  berval uuid = {};
  if (ber == nullptr || Failed(ber_scanf(ber.get(), "{em", &kind, &uuid)) || uuid.bv_len != kUuidSize) {
    return Malformed("the directory sent a malformed sync state");
  }
  SyncState state;
  switch (kind) {
    case LDAP_SYNC_PRESENT:
      state.kind = SyncState::Kind::kPresent;
      break;
    case LDAP_SYNC_ADD:
      state.kind = SyncState::Kind::kAdd;
      break;
    case LDAP_SYNC_MODIFY:
      state.kind = SyncState::Kind::kModify;
      break;
    case LDAP_SYNC_DELETE:
      state.kind = SyncState::Kind::kDelete;
      break;
    default:
      return Malformed("the directory sent an unknown sync state");
  }
  state.uuid.assign(uuid.bv_val, uuid.bv_len);
  if (!ReadCookie(ber.get(), state.cookie)) return Malformed("the directory sent a malformed sync state");
  return state;
}

absl::StatusOr<SyncInfo> ParseSyncInfo(absl::string_view value) {
  const absl::Status malformed = Malformed("the directory sent a malformed sync info");
  const Ber ber = Reader(value);
  if (ber == nullptr) return malformed;
  SyncInfo info;
  switch (Peek(ber.get())) {
    case LDAP_TAG_SYNC_NEW_COOKIE: {
      berval bytes = {};
      if (Failed(ber_scanf(ber.get(), "m", &bytes))) return malformed;
      info.cookie.emplace(bytes.bv_val, bytes.bv_len);
      return info;
    }
    case LDAP_TAG_SYNC_REFRESH_DELETE:
      info.kind = SyncInfo::Kind::kRefreshDelete;
      break;
    case LDAP_TAG_SYNC_REFRESH_PRESENT:
      info.kind = SyncInfo::Kind::kRefreshPresent;
      break;
    case LDAP_TAG_SYNC_ID_SET:
      info.kind = SyncInfo::Kind::kIdSet;
      break;
    default:
      return malformed;
  }
  if (Failed(ber_scanf(ber.get(), "{")) || !ReadCookie(ber.get(), info.cookie)) return malformed;
  if (info.kind == SyncInfo::Kind::kIdSet) {
    if (!ReadBoolean(ber.get(), info.refresh_deletes) || !ReadUuids(ber.get(), info.uuids)) return malformed;
  } else {
    info.refresh_done = true;  // by default
    if (!ReadBoolean(ber.get(), info.refresh_done)) return malformed;
  }
  return info;
}

}  // namespace credcache
