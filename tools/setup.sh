#!/usr/bin/env bash
# Installs the Debian packages that tools/packages.txt names for the given groups, and nothing that
# is there already: tools/setup.sh [build|test|services|lint|image|browser]...  (default: build)
# Daemons among what it installs are neither started nor enabled: whatever runs, a test runs.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
list=$here/packages.txt
[ $# -gt 0 ] || set -- build

die() {
  printf 'setup: %s\n' "$*" >&2
  exit 1
}

wanted=()
for group in "$@"; do
  count=${#wanted[@]}
  while read -r of package _; do
    [ "$of" = "$group" ] && wanted+=("$package")
  done < "$list"
  [ ${#wanted[@]} -gt "$count" ] || die "no package group '$group' in $list"
done

installed=
if command -v dpkg-query > /dev/null; then
  # dpkg-query exits with 1 when it does not know a package; its answer is still complete.
  # shellcheck disable=SC2016  # the dollar signs are dpkg-query's own
  format='${db:Status-Status} ${Package}\n'
  installed=$(dpkg-query -W -f "$format" "${wanted[@]}" 2> /dev/null || true)
fi
missing=()
for package in "${wanted[@]}"; do
  case $'\n'$installed$'\n' in
    *$'\n'"installed $package"$'\n'*) ;;
    *) missing+=("$package") ;;
  esac
done
[ ${#missing[@]} -gt 0 ] || exit 0

command -v apt-get > /dev/null ||
  die "this is not a Debian machine (no apt-get); install by its own means what these Debian 12" \
    "packages hold: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  sudo -n true 2> /dev/null ||
    die "needs root to install packages. As root, run: apt-get install ${missing[*]}"
  as_root=(sudo -n)
fi

# Debian asks this file whether a package that is being installed may start its daemon. One that is
# there already is somebody's decision and stays.
policy=${WINNOW_SETUP_POLICY:-/usr/sbin/policy-rc.d}  # elsewhere in the script's own test
policy_is_ours=
forbid_daemons() {
  [ ! -e "$policy" ] || return 0
  policy_is_ours=yes
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" > /dev/null
  "${as_root[@]}" chmod 755 "$policy"
}

# What a package enabled as it was installed would start with the machine.
disable_daemons() {
  local file name
  while IFS= read -r file; do
    name=${file##*/}
    case $file in
      */systemd/system/*@.*) ;;
      */systemd/system/*.service | */systemd/system/*.socket | */systemd/system/*.timer)
        ! command -v systemctl > /dev/null ||
          "${as_root[@]}" systemctl --quiet --no-reload disable "$name" 2> /dev/null || true
        ;;
      /etc/init.d/*)
        ! command -v update-rc.d > /dev/null ||
          "${as_root[@]}" update-rc.d "$name" disable > /dev/null 2>&1 || true
        ;;
    esac
  done < <(dpkg-query -L "$@" 2> /dev/null | sort -u)
}

apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -q \
    -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" < /dev/null
}

printf 'setup: installing %s\n' "${missing[*]}" >&2
trap '[ -z "$policy_is_ours" ] || "${as_root[@]}" rm -f "$policy"' EXIT
forbid_daemons
daemons=()
while read -r of package _; do
  case " ${missing[*]} " in *" $package "*) [ "$of" != services ] || daemons+=("$package") ;; esac
done < "$list"
for attempt in 1 2 3; do
  if apt update && apt install --no-install-recommends "${missing[@]}"; then
    [ ${#daemons[@]} -eq 0 ] || disable_daemons "${daemons[@]}"
    exit 0
  fi
  printf 'setup: attempt %s of 3 failed\n' "$attempt" >&2
  [ "$attempt" -eq 3 ] || sleep $((attempt * 10))
done
die "apt-get could not install: ${missing[*]}"
