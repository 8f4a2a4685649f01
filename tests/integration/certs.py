"""Certificates of a throw-away authority, made with the openssl program."""

import dataclasses
import pathlib
import subprocess


@dataclasses.dataclass(frozen=True)
class Certificate:
    """PEM files: a certificate and its key."""

    certificate: pathlib.Path
    private_key: pathlib.Path


class CertificateAuthority:
    """Signs certificates that last a day. Its own certificate is `certificate`."""

    def __init__(self, folder: pathlib.Path, name: str = "Test Authority"):
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._serial = 0
        self.certificate = folder / "ca.pem"
        self._key = folder / "ca.key"
        _openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "1"),
            *("-keyout", self._key, "-out", self.certificate, "-subj", f"/CN={name}"),
            *("-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign"),
        )

    def issue(self, name: str, *alternative_names: str) -> Certificate:
        """A certificate with `DNS:…`, `IP:…` and `URI:…` names; without any, good for this machine's loopback."""
        names = alternative_names or ("DNS:localhost", "IP:127.0.0.1", "IP:::1")
        self._serial += 1
        stem = self._folder / f"{self._serial:02}-{name}"
        certificate, key, request, extensions = (
            stem.with_suffix(suffix) for suffix in (".pem", ".key", ".csr", ".ext")
        )
        _openssl(
            *("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc"),
            *("-keyout", key, "-out", request, "-subj", f"/CN={name}"),
        )
        extensions.write_text(
            f"subjectAltName={','.join(names)}\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n"
        )
        _openssl(
            *("x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", self._key, "-days", "1"),
            *("-set_serial", str(self._serial), "-extfile", extensions, "-out", certificate),
        )
        return Certificate(certificate, key)


def install(source: Certificate, target: Certificate) -> None:
    """Puts a certificate in the place of another, each file in one step, as rotation does."""
    for new, old in ((source.private_key, target.private_key), (source.certificate, target.certificate)):
        temporary = old.with_name(old.name + ".new")
        temporary.write_bytes(new.read_bytes())
        temporary.replace(old)


def _openssl(*arguments: object) -> None:
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=30)
