# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# For the scripts of a scenario with `host = yes`: `. /guest/host.sh`. Defines only.

# vfio_early ARGUMENT...: the host's command. It and the libraries that it is linked with are in /host.
vfio_early() {
	LD_LIBRARY_PATH=/host /host/ld-linux-*.so.* /host/vfio-early "$@"
}
