"""Every password that a test has sent, so that logs can be searched for all of them."""

import base64

# Shorter ones would be found by chance.
_SHORTEST = 6
# From so many of one length on, one look at each place of a text costs less than one search for each.
_MANY = 200

_used: set[bytes] = set()


def note(password: bytes | str) -> bytes:
    """Remembers a password as sent, and returns it as bytes."""
    raw = password.encode() if isinstance(password, str) else password
    if len(raw) >= _SHORTEST and len(set(raw)) > 2:
        _used.add(raw)
    return raw


def found_in(text: bytes) -> list[bytes]:
    """Which passwords are in a text: as they are, or in base64 or hexadecimal."""
    found = _of_these({secret: secret for secret in _used}, text)
    found |= _of_these({base64.b64encode(secret).rstrip(b"="): secret for secret in _used}, text)
    found |= _of_these({secret.hex().encode(): secret for secret in _used}, text.lower())
    return sorted(found)


def _of_these(wanted: dict[bytes, bytes], text: bytes) -> set[bytes]:
    """Of the keys that are in the text, the values. One pass over the text for all keys of a length, where they are
    many: a test may use 50,000 passwords."""
    by_length: dict[int, list[bytes]] = {}
    for key in wanted:
        by_length.setdefault(len(key), []).append(key)
    found = set()
    for length, keys in by_length.items():
        if len(keys) < _MANY:
            found.update(wanted[key] for key in keys if key in text)
            continue
        places = (text[at : at + length] for at in range(len(text) - length + 1))
        found.update(wanted[place] for place in places if place in wanted)
    return found
