"""The backends that the suite runs against: one line here and one file beside it for each."""

from backend import Backend

from backends.active_directory import ActiveDirectoryBackend
from backends.file import FileBackend
from backends.kerberos import KerberosBackend
from backends.ldap import LdapBackend
from backends.pam import PamBackend
from backends.postgres import PostgresBackend
from backends.remote import RemoteBackend

BACKENDS: list[type[Backend]] = [
    FileBackend,
    KerberosBackend,
    LdapBackend,
    PamBackend,
    ActiveDirectoryBackend,
    PostgresBackend,
    RemoteBackend,
]
