#!/bin/sh
# The image's HEALTHCHECK: whether the process and its event loop are alive. It stays green while PetTracer or the
# broker are down: a restart would not bring them back, and would log in once more. wget is busybox's, a hundred times
# smaller than another Node.js.
unset http_proxy https_proxy
exec wget -q -t 1 -T 5 -O /dev/null "http://127.0.0.1:${PAWLINE_LIVE_PORT:-8099}/healthz"
