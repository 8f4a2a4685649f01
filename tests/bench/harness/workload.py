"""The users that every benchmark knows. The C++ twin is tests/bench/workload/credentials.h: the two say the same.

A credential with its realm takes 51 bytes: 12 for the realm, 20 for the name, 19 for the password.
"""

REALM = "corp.example"
USERS = 1000
# Nobody knows the users from here up: asking for one is a miss.
FIRST_UNKNOWN_USER = 5_000_000


def username(number: int) -> str:
    return f"user-{number:07}.example"


def password(number: int) -> str:
    return f"secret-{number:07}-word"


def wrong_password(number: int) -> str:
    """As long as the right one."""
    return f"wrong!-{number:07}-word"
