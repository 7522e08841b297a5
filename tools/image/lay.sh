#!/bin/sh
# Lays a folder down as the image's own root, without Docker: `lay.sh FOLDER`. What the image takes from Alpine comes
# from this machine when it is entered (enter.sh).
set -eu
root=$1
cd "$(dirname "$0")/../.."
mkdir -p "$root/opt/pawline" "$root/data"
chmod 755 "$root"
node tools/bundle.mjs "$root/opt/pawline/pawline.mjs"
cp tools/image/start.mjs tools/image/healthcheck.sh "$root/opt/pawline/"
