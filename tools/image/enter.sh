#!/bin/sh
# Runs a command in a folder that lay.sh has laid down, as `docker run --read-only` would: `enter.sh FOLDER COMMAND…`.
# The folder is the root, and read-only; /data and /tmp are writable; system libraries and Node.js (the one in the
# variable NODE) are this machine's. It needs root. ENTER_AS (user:group, in numbers) starts the command as another user.
# The command takes this process over, so that signals reach it.
set -eu
if [ -z "${IN_NAMESPACE:-}" ]; then
  IN_NAMESPACE=1 exec unshare --mount --propagation private sh "$0" "$@"
fi
root=$1
shift
system="usr lib lib64 bin sbin etc dev proc sys"
for folder in $system; do
  [ ! -e "/$folder" ] || mkdir -p "$root/$folder"
done
mkdir -p "$root/tmp"
touch "$root/node"

mount --bind "$root" "$root"
for folder in $system; do
  [ ! -e "/$folder" ] || mount --rbind "/$folder" "$root/$folder"
done
mount --bind "$NODE" "$root/node"
mount --bind "$root/data" "$root/data"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -o remount,bind,ro "$root"

unset IN_NAMESPACE
if [ -n "${ENTER_AS:-}" ]; then exec chroot --userspec="$ENTER_AS" "$root" "$@"; fi
exec chroot "$root" "$@"
