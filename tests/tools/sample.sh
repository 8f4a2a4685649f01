# shellcheck shell=bash
# Sourced where the embedded default is needed: a password file with one user, and a journal in memory.

# write_sample FOLDER PORT ADMIN_PORT: writes credcached.yaml, users, and alice.password, the password of the only user.
write_sample() {
  local folder=$1 ctl=$BUILD/bin/credcachectl
  mkdir -p "$folder"
  (
    umask 077
    openssl rand -hex 8 | tr -d '\n' >"$folder/alice.password"
    {
      say "# username:hash[:key=value,...]; credcachectl hash writes the hash"
      say "alice:$("$ctl" hash --password-file "$folder/alice.password"):groups=staff;mail"
    } >"$folder/users"
    cat >"$folder/credcached.yaml" <<EOF
# The embedded default: a password file, and a journal in memory. service/docs explains every key.
listen:
  grpc: 127.0.0.1:$2
  admin: 127.0.0.1:$3
realms:
  - name: example.org
    default: true
    validators:
      - file: {path: users}
EOF
  )
}
