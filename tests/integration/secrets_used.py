"""Every password that a test has sent, so that logs can be searched for all of them."""

import base64

# Shorter ones would be found by chance.
_SHORTEST = 6

_used: set[bytes] = set()


def note(password: bytes | str) -> bytes:
    """Remembers a password as sent, and returns it as bytes."""
    raw = password.encode() if isinstance(password, str) else password
    if len(raw) >= _SHORTEST and len(set(raw)) > 2:
        _used.add(raw)
    return raw


def found_in(text: bytes) -> list[bytes]:
    """Which passwords are in a text: as they are, or in base64 or hexadecimal."""
    folded = text.lower()
    return [
        secret
        for secret in _used
        if secret in text or base64.b64encode(secret).rstrip(b"=") in text or secret.hex().encode() in folded
    ]
