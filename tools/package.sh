#!/usr/bin/env bash
# Builds the Debian package of this checkout and says where it is: tools/package.sh [FOLDER]
# (default: build/release/package). Needs neither root nor network once winnow can be built.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
case ${1:-} in
  -*)
    sed -n '2,3s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
folder=$(realpath -m "${1:-$root/build/release/package}")
"$root/tools/build.sh" release winnow >&2
cd "$root/build/release"
cpack -G DEB -B "$folder" >&2
rm -rf "$folder/_CPack_Packages"
# The newest, should there be older versions.
find "$folder" -maxdepth 1 -name 'winnow_*.deb' -printf '%T@ %p\n' | sort -n | tail -n 1 |
  cut -d ' ' -f 2-
