"""Changes to a directory, as LDIF (RFC 2849) and by OpenLDAP's ldapmodify."""

import base64
import contextlib
import subprocess
from collections.abc import Callable, Iterator


def line(attribute: str, value: str | bytes) -> str:
    """An attribute and its value, in base64 where the value asks for it."""
    if isinstance(value, str):
        if value.isascii() and value.isprintable() and value and value[0] not in " :<" and value[-1] != " ":
            return f"{attribute}: {value}"
        value = value.encode()
    return f"{attribute}:: {base64.b64encode(value).decode()}"


@contextlib.contextmanager
def modifier(command: list[str], environment: dict[str, str]) -> Iterator[Callable[[str, str, str | bytes], None]]:
    """A function that sets an attribute (DN, attribute, value) and returns when that is done, all over one connection:
    to change much in little time. `command`: ldapmodify, with how to reach the directory."""
    process = subprocess.Popen(
        ["stdbuf", "-oL", *command, "-v"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        bufsize=1,
        env=environment,
    )

    def modify(dn: str, attribute: str, value: str | bytes) -> None:
        lines = [line("dn", dn), "changetype: modify", f"replace: {attribute}", line(attribute, value)]
        process.stdin.write("\n".join(lines) + "\n\n")
        process.stdin.flush()
        for said in process.stdout:
            assert "ldap_modify" not in said, said
            if said.startswith("modify complete"):
                return
        raise AssertionError("ldapmodify ended")

    try:
        yield modify
    finally:
        process.stdin.close()
        process.wait(10)
        process.stdout.close()
