#!/usr/bin/env bash
# run.sh: starts credcached with a sample user, logs the user on twice, and stays until Ctrl-C. What it writes is in build/run, or in
# the folder CREDCACHE_RUN.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
source "$(dirname "${BASH_SOURCE[0]}")/sample.sh"

FOLDER=${CREDCACHE_RUN:-$BUILD/run}
SHOWN=${FOLDER#"$ROOT"/}
LOG=$FOLDER/credcached.log
CTL=$BUILD/bin/credcachectl
port=${CREDCACHE_PORT:-50051}
admin_port=${CREDCACHE_ADMIN_PORT:-9090}
[[ $port != 0 ]] || admin_port=${CREDCACHE_ADMIN_PORT:-0}

# Says so before minutes are spent on building.
need_free_port() {
  if [[ $1 != 0 ]] && (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; then
    die "port $1 of 127.0.0.1 is in use; end what listens there, or take free ports: CREDCACHE_PORT=0 ./dev run"
  fi
}

# Starts credcached in the background, as $service, and waits for the line that says where it listens: $grpc, $admin.
start_service() {
  local line tries=300
  say "==> starting credcached"
  "$BUILD/bin/credcached" --config "$FOLDER/credcached.yaml" >"$LOG" 2>&1 </dev/null &
  service=$!
  trap 'stop_service' EXIT
  trap 'exit 0' INT TERM HUP
  until line=$(grep -m 1 '^credcached ready ' "$LOG"); do
    if ! kill -0 "$service" 2>/dev/null || ((--tries == 0)); then
      say "    it did not start; $SHOWN/credcached.log says:"
      sed 's/^/    | /' "$LOG"
      exit 1
    fi
    sleep 0.1
  done
  grpc=${line#* grpc=} grpc=${grpc%% *}
  admin=${line#* admin=} admin=${admin%% *}
  say "    ready: gRPC on $grpc, admin HTTP on $admin"
}

stop_service() {
  local status=0
  trap '' INT TERM HUP
  kill -TERM "$service" 2>/dev/null || true
  wait "$service" || status=$?
  say
  say "credcached ended with status $status"
}

log_on() {
  say
  say "==> $1"
  say "    \$ build/bin/credcachectl --address $grpc authenticate alice --password-file $SHOWN/alice.password"
  "$CTL" --address "$grpc" authenticate alice --password-file "$FOLDER/alice.password" | sed 's/^/    /'
}

show_what_next() {
  local ctl="build/bin/credcachectl --address $grpc"
  cat <<EOF

alice was validated against the password file once; from now on her log-ons are answered from memory. Try, in another terminal:

    $ctl stats
    $ctl stats --watch
    $ctl invalidate --user alice
    $ctl authenticate alice        (asks; her password is in $SHOWN/alice.password)
    curl http://$admin/metrics

The configuration is $SHOWN/credcached.yaml, the log $SHOWN/credcached.log. Ctrl-C ends the service.
EOF
}

need_free_port "$port"
need_free_port "$admin_port"
build_preset release credcached credcachectl
say "==> writing a sample user and a configuration into $SHOWN"
write_sample "$FOLDER" "$port" "$admin_port"
start_service
log_on "logging alice on: nothing is known of her yet, so the password file is asked"
log_on "logging her on again: the cache answers"
show_what_next
wait "$service"
