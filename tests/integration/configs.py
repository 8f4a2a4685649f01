"""Parts of credcached's configuration, as the tests combine them."""

import pathlib
import subprocess
from typing import Any

import kdc as mit
import postgres as database
import samba
import slapd

REALM = "corp.example"
# For tests that guess more than a guesser may, to see what the directory says.
UNTHROTTLED = {name: {"limit": 0} for name in ("account", "known_address", "address")} | {"budget": {"rejections": 0}}


def config(*realms: dict[str, Any], **parts: Any) -> dict[str, Any]:
    """A whole configuration on free loopback ports. `parts`: further top-level keys; `listen` is merged."""
    listen = {"grpc": "127.0.0.1:0", "admin": "127.0.0.1:0", **parts.pop("listen", {})}
    return {"listen": listen, **parts, "realms": list(realms)}


def realm(*validators: dict[str, Any], name: str = REALM, **more: Any) -> dict[str, Any]:
    """A realm; the one called `REALM` is the default."""
    return {"name": name, **({"default": True} if name == REALM else {}), **more, "validators": list(validators)}


def ldap(
    *directories: slapd.Slapd,
    folder: pathlib.Path,
    search: bool = True,
    ca: pathlib.Path | None = None,
    transport: str = "plain",
    **more: Any,
) -> dict[str, Any]:
    """An ldap validator of these servers, in order: search-then-bind by uid or mail, or a direct bind.

    `transport`: plain, start_tls or ldaps. `folder`: where the reader's password goes.
    """
    secret = folder / "reader.secret"
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_text(slapd.READER_PASSWORD + "\n")
    secret.chmod(0o600)
    keys: dict[str, Any] = {
        "urls": [directory.tls_url if transport == "ldaps" else directory.url for directory in directories],
        "bind_dn": slapd.READER,
        "bind_password_file": str(secret),
        "username": "uid",
        "groups": "memberOf",
        "attributes": ["mail"],
        "connections": 4,
        "timeout": "10s",
    }
    if search:
        keys |= {"base": slapd.PEOPLE, "filter": "(|(uid={username})(mail={username}))"}
    else:
        keys |= {"user_dn": "uid={username}," + slapd.PEOPLE}
    if transport == "start_tls":
        keys["start_tls"] = True
    if ca is not None:
        keys["ca"] = str(ca)
    return {"ldap": {**keys, **more}}


def active_directory(controller: samba.Samba, folder: pathlib.Path, search: bool = True, **more: Any) -> dict[str, Any]:
    """An ldap validator of a domain controller: search-then-bind by sAMAccountName, or a bind as user@domain."""
    secret = folder / "reader.secret"
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_text(samba.READER_PASSWORD + "\n")
    secret.chmod(0o600)
    keys: dict[str, Any] = {
        "urls": [controller.url],
        "start_tls": True,
        "ca": str(controller.ca),
        "username": "sAMAccountName",
        "attributes": ["mail"],
        "connections": 4,
        "timeout": "10s",
    }
    if search:
        keys |= {
            "bind_dn": samba.READER,
            "bind_password_file": str(secret),
            "base": samba.PEOPLE,
            "filter": "(&(objectClass=user)(sAMAccountName={username}))",
        }
    else:
        keys |= {"user_dn": f"{{username}}@{samba.REALM}", "base": samba.BASE}
    return {"ldap": {**keys, **more}}


def postgres(
    server: database.Postgres, folder: pathlib.Path, dsn: str = "", query: str = database.QUERY, **more: Any
) -> dict[str, Any]:
    """A postgres validator. `folder`: where the connection string goes; `dsn`: another than the server's own."""
    secret = folder / "dsn"
    secret.parent.mkdir(parents=True, exist_ok=True)
    secret.write_text((dsn or server.dsn) + "\n")
    secret.chmod(0o600)
    return {"postgres": {"dsn_file": str(secret), "query": query, "connections": 4, "timeout": "10s", **more}}


def kerberos(realm: mit.Kdc, **more: Any) -> dict[str, Any]:
    """A kerberos validator of this KDC, or of those that its krb5.conf names by now."""
    keys = {
        "realm": realm.realm,
        "keytab": str(realm.keytab),
        "service": mit.SERVICE,
        "krb5_conf": str(realm.krb5_conf),
    }
    return {"kerberos": {**keys, "workers": 4, "timeout": "5s", **more}}


def remote(address: str, **more: Any) -> dict[str, Any]:
    """A plug-in, with its change feed."""
    return {"remote": {"address": address, "timeout": "5s", "feed": True, **more}}


def users_file(path: pathlib.Path) -> dict[str, Any]:
    """A file validator."""
    return {"file": {"path": str(path)}}


def hashed(password: str) -> str:
    """A crypt(3) hash (SHA-512, few rounds: cheap), by a program that is not ours."""
    command = ["openssl", "passwd", "-5", "-stdin", "-salt", "rounds=1000$salt"]
    result = subprocess.run(command, input=password, capture_output=True, text=True, check=False, timeout=10)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def write_users(path: pathlib.Path, **passwords: str) -> pathlib.Path:
    """A users file of these, in clear; replaces what was there in one step."""
    return replace(path, "".join(f"{name}:{hashed(password)}\n" for name, password in passwords.items()))


def replace(path: pathlib.Path, text: str) -> pathlib.Path:
    """The file's text in one step, as an operator should."""
    temporary = path.with_suffix(".new")
    temporary.write_text(text)
    temporary.replace(path)
    return path
