#!/usr/bin/env bash
# Builds a container image of the Debian package, with Debian's own tools and from Debian's own
# packages: mmdebstrap fills an empty folder, buildah makes an image of it. No image is pulled from
# anywhere, and nothing is kept but the archive, which podman, skopeo, containerd and kind read.
#   tools/image.sh [--deb FILE] [--name NAME[:TAG]] [--out FILE.tar] [--mirror URL|FILE]
#     --deb     package to put in (default: tools/package.sh builds it)
#     --name    of the image (default: winnow:VERSION of the package)
#     --out     archive to write, as OCI says (default: build/NAME-TAG.tar)
#     --mirror  where Debian's packages come from, as mmdebstrap takes it; may be given again
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
die() {
  printf 'image: %s\n' "$*" >&2
  exit 2
}

deb='' name='' out='' mirrors=()
while [ $# -gt 0 ]; do
  [ $# -gt 1 ] || set -- --help
  case $1 in
    --deb) deb=$(realpath "$2") ;;
    --name) name=$2 ;;
    --out) out=$(realpath -m "$2") ;;
    --mirror) mirrors+=("$2") ;;
    *)
      sed -n '2,9s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
      exit 2
      ;;
  esac
  shift 2
done

missing=()
for tool in dpkg-deb mmdebstrap buildah; do
  command -v "$tool" > /dev/null || missing+=("$tool")
done
[ ${#missing[@]} -eq 0 ] ||
  die "not installed here: ${missing[*]}; on Debian, tools/setup.sh image installs what is missing"

[ -n "$deb" ] || deb=$("$root/tools/package.sh")
version=$(dpkg-deb --field "$deb" Version)
name=${name:-winnow:$version}
case ${name##*/} in *:*) ;; *) name=$name:$version ;; esac
file=${name##*/}
out=${out:-$root/build/${file/:/-}.tar}
mkdir -p "$(dirname "$out")"

# What was linked against this Debian's libraries runs with them.
suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
[ -n "$suite" ] || die "/etc/os-release names no release of Debian"
depends=$(dpkg-deb --field "$deb" Depends | sed 's/([^)]*)//g; s/|[^,]*//g; s/[[:space:]]//g')

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$deb" "$work/winnow.deb"

printf 'image: Debian %s with %s\n' "$suite" "$depends" >&2
mmdebstrap --quiet --variant=essential --include="$depends" \
  --dpkgopt='path-exclude=/usr/share/man/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-include=/usr/share/doc/*/copyright' \
  --customize-hook="copy-in $work/winnow.deb /" \
  --chrooted-customize-hook='dpkg --install /winnow.deb && rm /winnow.deb' \
  --chrooted-customize-hook='install -d -o 10001 -g 10001 -m 700 /var/lib/winnow' \
  "$suite" "$work/root.tar" ${mirrors[@]+"${mirrors[@]}"}

printf 'image: %s\n' "$name" >&2
in_store() {
  local command=$1
  shift
  buildah --root "$work/store" --runroot "$work/run" --storage-driver vfs "$command" "$@"
}
container=$(in_store from scratch)
in_store add --quiet "$container" "$work/root.tar" /
# Whoever runs it as another user, or with a root that is read only, mounts a home of his own.
in_store config --entrypoint '["winnow"]' --cmd '["--help"]' --user 10001:10001 \
  --env PATH=/usr/sbin:/usr/bin:/sbin:/bin --env WINNOW_HOME=/var/lib/winnow \
  --workingdir /var/lib/winnow --port 7700 \
  --label org.opencontainers.image.title=winnow \
  --label org.opencontainers.image.version="$version" "$container"
in_store commit --quiet "$container" "$name" > /dev/null
rm -f "$out"
in_store push --quiet "$name" "oci-archive:$out:$name"
echo "$out"
