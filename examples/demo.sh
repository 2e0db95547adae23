#!/bin/sh
# SPDX-License-Identifier: MIT
# Starts the simulator on a free port, runs examples/demo.lua, or with "web" or "nginx" a live page, against it and stops
# it again. `make demo` sets the environment up; LUA_BIN is the interpreter.
set -eu
folder=$(mktemp -d)
simulator= demo=
stop() {
  status=$?
  trap - EXIT
  for child in $demo $simulator; do
    kill "$child" 2>/dev/null || :
    wait "$child" 2>/dev/null || :
  done
  rm -rf "$folder"
  exit $status
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

chainlink-streams simulate --exit-with-parent --certificate-dir "$folder" --env-file "$folder/env" >"$folder/log" 2>&1 &
simulator=$!
tries=0
until [ -e "$folder/env" ]; do
  tries=$((tries + 1))
  if [ $tries -gt 100 ] || ! kill -0 "$simulator" 2>/dev/null; then
    echo "The simulator did not start:" >&2
    cat "$folder/log" >&2
    exit 1
  fi
  sleep 0.1
done
. "$folder/env"
echo "A local Data Streams service listens on $CHAINLINK_STREAMS_REST_URL"
if [ -t 1 ]; then
  export DEMO_LIVE=1
fi

start_nginx() {
  PATH=$PATH:/usr/sbin
  port=$("$LUA_BIN" -e 'local core = require "chainlink.core" local free = core.web_open("127.0.0.1", 0)
    print(core.web_port(free)) core.web_close(free)')
  modules=$(nginx -V 2>&1 | sed -n 's/.*--modules-path=\([^ ]*\).*/\1/p')
  mkdir "$folder/nginx"
  [ "$(id -u)" -ne 0 ] || echo "user root;" >"$folder/nginx.conf" # another one may not read this folder
  sed "s|127.0.0.1:8080|127.0.0.1:$port|; s|/usr/lib/nginx/modules|$modules|" "$(dirname "$0")/nginx/nginx.conf" \
    >>"$folder/nginx.conf"
  nginx -e error.log -p "$folder/nginx" -c "$folder/nginx.conf" -g "daemon off;" &
  demo=$!
  while [ ! -s "$folder/nginx/nginx.pid" ] && kill -0 "$demo" 2>/dev/null; do sleep 0.1; done
  echo "The page is on http://127.0.0.1:$port/  (Ctrl-C ends it)"
}

# In the background, as a shell attends to signals only between the commands it waits for.
case ${1:-} in
  nginx) start_nginx ;;
  web) chainlink-streams serve ETH/USD BTC/USD EUR/USD XAU/USD --listen 127.0.0.1:0 & ;;
  *) "${LUA_BIN:-lua5.4}" "$(dirname "$0")/demo.lua" & ;;
esac
demo=$!
wait "$demo"
