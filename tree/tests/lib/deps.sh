#!/bin/sh
# deps.sh PACKAGE... - install the Debian packages that are missing.
#
# Asks dpkg first, so nothing happens and no right is needed when all is
# there. DEPS=no lists what is missing and leaves it to the user (exit 1).
# Without root it asks sudo.
set -eu

missing=
for p in "$@"; do
	case $(dpkg-query -W -f '${Status}' "$p" 2>/dev/null || :) in
	"install ok installed") ;;
	*) missing="$missing $p" ;;
	esac
done
[ -n "$missing" ] || exit 0
if [ "${DEPS:-yes}" = no ]; then
	echo "missing packages:$missing"
	exit 1
fi
root=
if [ "$(id -u)" -ne 0 ]; then
	command -v sudo >/dev/null || {
		echo "deps: not root and no sudo; as root run:" >&2
		echo "    apt-get install$missing" >&2
		exit 1
	}
	root=sudo
fi
echo "installing:$missing"
apt() {
	$root env DEBIAN_FRONTEND=noninteractive apt-get -qq \
	    -o Dpkg::Use-Pty=0 "$@"
}
# A mirror may have moved on since the lists were read: read them first.
apt update
# shellcheck disable=SC2086
apt install -y --no-install-recommends $missing >/dev/null
