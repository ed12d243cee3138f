#!/bin/sh
# npm.sh FOLDER - npm's bittorrent-tracker, which tests/interop runs as a client,
# into FOLDER/node_modules: exactly what tests/interop/npm/package-lock.json
# names, from whichever registry npm is set to. No script of a package is run.
#
# Nothing happens when it is there. Where it cannot be had a line says so, and
# the test that needs it is skipped (and fails where CI=true).
set -eu

from=$(dirname "$0")/../interop/npm
to=$1
lock=$from/package-lock.json
[ ! -e "$to/node_modules" ] || ! cmp -s "$lock" "$to/package-lock.json" ||
    exit 0
command -v npm >/dev/null || "$(dirname "$0")/deps.sh" nodejs npm || {
	echo "npm: not here, so npm's client is not tested"
	exit 0
}
mkdir -p "$to"
rm -rf "$to/node_modules" "$to/package-lock.json"
cp "$from/package.json" "$lock" "$to"
(cd "$to" && npm ci --ignore-scripts --omit=optional --omit=peer --no-audit \
    --no-fund --loglevel=error) || {
	rm -rf "$to/node_modules"
	echo "npm: its packages cannot be had, so npm's client is not tested"
}
