#!/usr/bin/env bash
# Makes store_v1.tar.gz and store_v1.txt anew: tests/store/golden/make.sh BUILD_DIR. Only for a
# format that no release has written yet: what is kept here must stay readable for ever.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
tests=$1/tests/store/winnow_test_store
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$tests" --child golden "$folder/store_v1"
"$tests" --child describe "$folder/store_v1" > "$here/store_v1.txt"
# RocksDB's own words and older options are no part of a store.
rm -f "$folder"/store_v1/LOG* "$folder"/store_v1/LOCK
find "$folder/store_v1" -name 'OPTIONS-*' | sort | head -n -1 | xargs -r rm -f
tar -C "$folder" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -czf \
  "$here/store_v1.tar.gz" store_v1
