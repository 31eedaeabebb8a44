#!/usr/bin/env bash
# Installs the servers that the tests start for themselves: PostgreSQL 15 and Valkey 8, and libgomp1, which
# FalkorDB's module needs. Debian 12 or newer; needs root. Says what it did, and does nothing twice.
#
# FalkorDB's module itself comes from npm (`@falkordblite/linux-x64`, linux-x64 only). Its licence is the SSPL: it
# serves the tests, and is never shipped.
set -euo pipefail

say() { echo "install-servers: $*"; }
stop() {
  say "$*" >&2
  exit 1
}

has() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Valkey is part of Debian from 13 on; for 12 it is in the backports.
add_backports() {
  local release=$1 sources=/etc/apt/sources.list.d/loci-backports.sources mirror signed
  apt-cache policy | grep -q "a=stable-backports,n=${release}-backports\|n=${release}-backports" && return 0
  # The mirror that this machine's own sources use for the release, and the key that they trust.
  mirror=$(find /etc/apt/sources.list /etc/apt/sources.list.d \( -name '*.list' -o -name '*.sources' \) -exec cat {} + 2>/dev/null |
    sed -n -e 's/^URIs:[[:space:]]*\([^[:space:]]*\).*/\1/p' -e 's/^deb[[:space:]]\(\[[^]]*\][[:space:]]*\)\{0,1\}\([^[:space:]]*\)[[:space:]].*/\2/p' |
    grep -E '/debian/?$' | head -n 1 || true)
  mirror=${mirror:-http://deb.debian.org/debian}
  signed=/usr/share/keyrings/debian-archive-keyring.gpg
  {
    echo 'Types: deb'
    echo "URIs: ${mirror}"
    echo "Suites: ${release}-backports"
    echo 'Components: main'
    if [ -r "$signed" ]; then echo "Signed-By: ${signed}"; fi
  } >"$sources"
  say "added ${release}-backports in ${sources}"
}

[ -r /etc/os-release ] || stop 'this is no Debian: install PostgreSQL 15 and Valkey 8 yourself.'
# shellcheck disable=SC1091
. /etc/os-release
[ "${ID:-}" = debian ] || stop "this is ${ID:-unknown}, not Debian: install PostgreSQL 15 and Valkey 8 yourself."

case "${VERSION_CODENAME:-}" in
  bookworm) postgres=postgresql-15 ;;
  *) postgres=postgresql ;;
esac

missing=()
for package in "$postgres" valkey-server libgomp1; do
  has "$package" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  say "nothing to do: ${postgres}, valkey-server and libgomp1 are there."
  exit 0
fi
[ "$(id -u)" -eq 0 ] || stop "needs root to install ${missing[*]}."

log=$(mktemp)
trap 'rm -f "$log"' EXIT
quietly() {
  if ! "$@" >"$log" 2>&1; then
    cat "$log" >&2
    stop "this failed: $*"
  fi
}

export DEBIAN_FRONTEND=noninteractive
from=()
if [ "$VERSION_CODENAME" = bookworm ] && [[ " ${missing[*]} " == *' valkey-server '* ]]; then
  add_backports "$VERSION_CODENAME"
  from=(-t bookworm-backports)
fi
quietly apt-get update -q

# The packages would start a server of their own, on the usual port: the tests start theirs.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f "$log" "$policy"' EXIT
fi
mapfile -t debian < <(printf '%s\n' "${missing[@]}" | grep -vx valkey-server || true)
if [ ${#debian[@]} -gt 0 ]; then
  quietly apt-get install -y -q --no-install-recommends "${debian[@]}"
fi
if [[ " ${missing[*]} " == *' valkey-server '* ]]; then
  quietly apt-get install -y -q --no-install-recommends "${from[@]}" valkey-server
fi
for package in "${missing[@]}"; do
  say "installed ${package} $(dpkg-query -W -f '${Version}' "$package")."
done
