"""Hashes of any password, for backends that store what they are given."""

import configs
import credcached


def hashed(password: bytes) -> str:
    """By a program that is not ours; but it takes only what fits on a short line, and crypt(3) no NUL."""
    if len(password) < 200 and password.isascii() and password.decode().isprintable():
        return configs.hashed(password.decode())
    result = credcached.run_ctl("hash", "--kind", "argon2id", stdin=password)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()
