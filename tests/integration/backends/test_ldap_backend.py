"""The LDAP backend against a real slapd: the program of this folder, whose tests GoogleTest counts one by one."""

import pathlib
import subprocess

PROGRAM = pathlib.Path(__file__).parents[3] / "build" / "bin" / "ldap_backend_test"


def test_ldap_backend_against_a_real_slapd() -> None:
    result = subprocess.run([PROGRAM], capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout[-20000:] + result.stderr[-2000:]
    assert "[  PASSED  ]" in result.stdout
