# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC2154 # variables of tests/host/changes/run, status.sh
# verify, and the script that update-initramfs runs.

# The images themselves are those of status.sh: it goes by the same code.

begin "verify: an image as configured"
ready
run verify "$root/boot/initrd.img-$kernel"
status_is 0
no_err
sed -i 's/ *$//' "$work/out"
out_is <<-EOF
	$root/boot/initrd.img-$kernel: as configured (kernel $kernel, initramfs-tools)
	ADDRESS      ID        NAME             GROUP DRIVER NEXT
	0000:02:00.0 10de:1187 GK104               15        vfio-pci
	0000:02:00.1 10de:0e0a GK104 HDMI Audio    15        vfio-pci
	The next boot with it binds 2, refuses 0.
EOF

begin "verify: of all kernels, the newest first; one has no image"
ready
: >"$root/boot/vmlinuz-6.20.0-other"
run verify
status_is 1
no_err
grep -n : "$work/out" | grep -v '0000:' >"$work/have"
is "$work/have" <<-EOF
	1:/boot/initrd.img-6.20.0-other: MISSING
	2:  fix: vfio-early apply
	4:/boot/initrd.img-$kernel: as configured (kernel $kernel, initramfs-tools)
EOF

begin "verify: a file that is no image, and none at all: no apply would help"
ready
echo text >"$root/boot/notes"
for name in notes nothing; do
	run verify "$root/boot/$name"
	status_is 1
	out "  fix: name an image, such as /boot/initrd.img-VERSION"
	run verify -k "$kernel" "$root/boot/$name"
	status_is 1
	out "  fix: name an image, such as /boot/initrd.img-VERSION"
	no_out "vfio-early apply"
done
echo text >"$root/boot/initrd.img-$kernel"
run verify "$root/boot/initrd.img-$kernel"
status_is 1
out "  fix: vfio-early apply"

begin "verify -o CODE: remarks, functions, and the state of what has neither"
ready
: >"$root/boot/vmlinuz-6.20.0-other"
rm "$image/usr/lib/modules/$kernel/kernel/vfio-pci.ko"
pack zstd -q
config 'bind 02:00\nbind 01:00\nexcept 01:00.1\n'
run verify --raw -o IMAGE,STATE,LEVEL,SUBJECT,CODE
status_is 1
no_err
out "/boot/initrd.img-6.20.0-other missing blocks  missing"
out "/boot/initrd.img-$kernel wrong blocks  module-missing"
out "/boot/initrd.img-$kernel wrong blocks  plan-old"
out "/boot/initrd.img-$kernel wrong vfio-pci 0000:02:00.0 "
no_out "as configured"

begin "verify: wrong, and what it would do all the same"
ready
rm "$image/usr/lib/modules/$kernel/kernel/vfio-pci.ko"
pack zstd -q
run verify "$root/boot/initrd.img-$kernel"
status_is 1
out "$root/boot/initrd.img-$kernel: NOT AS CONFIGURED (kernel $kernel, initramfs-tools)"
out "  module /lib/modules/$kernel/kernel/vfio-pci is planned, but not in it"
out "  fix: vfio-early apply"
out "The next boot with it binds 2, refuses 0."

begin "verify: the plan in the image decides, not the config"
ready
config 'bind 01:00\n'
run verify "$root/boot/initrd.img-$kernel"
status_is 1
out "  the plan in it was made from an older config"
out_has "0000:02:00.0 10de:1187 GK104               15        vfio-pci"
no_out "0000:01:00.0"

begin "verify: a comment in the plan makes no other plan"
ready
sed -i '2i # facts-unknown: said in other words' "$image/usr/lib/vfio-early/plan"
pack gzip
run verify "$root/boot/initrd.img-$kernel"
status_is 0
no_out "a plan of today would differ"

begin "verify: a plan of today would differ, not in what is bound"
ready
sed -i 's/^deadline .*/deadline 21/' "$image/usr/lib/vfio-early/plan"
pack gzip
run verify "$root/boot/initrd.img-$kernel"
status_is 0
out "  a plan of today would differ in modules, pins or what this host needs, not in what is bound"

begin "verify --json"
ready
: >"$root/boot/vmlinuz-6.20.0-other"
run verify --json
status_is 1
# An empty array is one line or two, by the version of json-c.
grep -v '"name"' "$work/out" | sed '/\[$/{N;s/\[\n *\]/[]/}' >"$work/have"
is "$work/have" <<-EOF
	{
	  "schema": 2,
	  "good": false,
	  "images": [
	    {
	      "image": "/boot/initrd.img-6.20.0-other",
	      "state": "missing",
	      "kernel": "6.20.0-other",
	      "builder": null,
	      "wrong": [],
	      "notes": [],
	      "functions": []
	    },
	    {
	      "image": "/boot/initrd.img-$kernel",
	      "state": "good",
	      "kernel": "$kernel",
	      "builder": "initramfs-tools",
	      "wrong": [],
	      "notes": [],
	      "functions": [
	        {
	          "address": "0000:02:00.0",
	          "id": "10de:1187",
	          "group": 15,
	          "driver": null,
	          "next": "vfio-pci",
	          "code": null,
	          "why": null
	        },
	        {
	          "address": "0000:02:00.1",
	          "id": "10de:0e0a",
	          "group": 15,
	          "driver": null,
	          "next": "vfio-pci",
	          "code": null,
	          "why": null
	        }
	      ]
	    }
	  ]
	}
EOF

begin "verify: the kernel by the name, by the modules, by --kernel"
ready
cp "$root/boot/initrd.img-$kernel" "$work/initramfs-$kernel.img"
cp "$root/boot/initrd.img-$kernel" "$work/any"
for name in "initramfs-$kernel.img" any; do
	run verify "$work/$name"
	status_is 0
	out "$work/$name: as configured (kernel $kernel, initramfs-tools)"
done
run verify --kernel 6.20.0-other "$work/any"
status_is 1
out "  the plan in it is for kernel $kernel"
rm "$work/any" "$work/initramfs-$kernel.img"

begin "verify --quiet: nothing when all is well, else a line each"
ready
run verify --quiet "$root/boot/initrd.img-$kernel"
status_is 0
no_err
out_is </dev/null
rm "$image/scripts/init-top/00-vfio-early"
pack gzip
echo x >"$root/boot/initrd.img-bad"
run verify -q "$root/boot/initrd.img-$kernel" "$root/boot/initrd.img-bad" "$root/boot/none"
status_is 1
no_err
out_is <<-EOF
	$root/boot/initrd.img-$kernel: scripts/init-top/00-vfio-early is not in it
	$root/boot/initrd.img-bad: damaged: neither cpio nor gzip, zstd, xz, lz4, lzma or bzip2
	$root/boot/none: there is no such image
EOF

begin "verify, status, apply: an image that is compressed with lzop is not called damaged"
ready
# As the builder makes it with COMPRESS=lzop: microcode in front, uncompressed, is no matter.
cpio_of "$image" >"$work/plain"
if command -v lzop >"$work/out"; then
	lzop -c "$work/plain" >"$root/boot/initrd.img-$kernel"
else
	{ printf '\211LZO\0\r\n\032\n'; cat "$work/plain"; } >"$root/boot/initrd.img-$kernel"
fi
run verify
status_is 1
out "/boot/initrd.img-$kernel: CANNOT BE READ"
out "  compressed with lzop, which vfio-early cannot read"
out "  fix: COMPRESS=zstd in /etc/initramfs-tools/initramfs.conf, or compress=\"zstd\" in /etc/dracut.conf, then vfio-early apply"
no_out damaged
no_out DAMAGED
run verify --json
out_has '"state": "unsupported"'
run status
status_is 1
tr -s ' ' <"$work/out" | grep -q "^fail image $kernel: /boot/initrd.img-$kernel is compressed with lzop, which" ||
	problem "status does not say so"
no_out damaged

begin "verify: the config names nothing"
ready
config '# none\n'
run verify
status_is 1
out "  it still has a plan, although the config names nothing"
rm -r "$image/usr/lib/vfio-early" "$image/scripts/init-top/00-vfio-early"
pack gzip
run verify
status_is 0
out_is <<-EOF
	/boot/initrd.img-$kernel: as configured (kernel $kernel, initramfs-tools)
	  nothing of vfio-early in it, and the config names nothing
EOF

begin "verify: a wrong line of the config is said, and is why the image is not as configured"
ready
config 'bind 02:00\nbind 0x1\n'
contents 2>"$work/err"
pack gzip
run verify
status_is 1
out "  a line of the config is not in it: /etc/vfio-early.conf:2:6: write IDs and addresses without 0x"
grep -Fq '/etc/vfio-early.conf:2:6: error: write IDs' "$work/err" || problem "the line is not named"
run verify --quiet
status_is 1
no_err

begin "verify: in a chroot without /sys"
ready
mv "$root/sys" "$work/sys"
contents 2>"$work/err"
pack gzip
run verify "$root/boot/initrd.img-$kernel"
status_is 0
out "No PCI function is visible here: it is not known what this image would bind."
rm -rf "$work/sys"

begin "verify: in a chroot without /sys, of a host that has not told what it needs"
ready
rm -r "$root/sys" "$root/var"
contents 2>"$work/err"
pack gzip
run verify "$root/boot/initrd.img-$kernel"
status_is 1
out "  facts unknown: it was made where it could not be found out what this host needs; storage, network and USB controllers are bound only by a line with ID and path, or by bind!"
out "  fix: on the running host, not in a chroot or a container: vfio-early apply"
out "No PCI function is visible here: it is not known what this image would bind."
run verify --quiet "$root/boot/initrd.img-$kernel"
status_is 1
out_has "facts unknown: "
run verify --json "$root/boot/initrd.img-$kernel"
out_has '"code": "facts-unknown"'

begin "verify: an image that only root may read"
ready
if [ "$(id -u)" -ne 0 ] || ! command -v setpriv >/dev/null; then
	skip "not root"
else
	chmod -R go+rX "$work"
	chmod 600 "$root/boot/initrd.img-$kernel"
	setpriv --reuid 65534 --regid 65534 --clear-groups "$command" verify --root "$root" \
		>"$work/out" 2>"$work/err"
	status=$?
	if [ "$status" -eq 126 ]; then
		skip "the command cannot be run by another user"
	else
		status_is 3
		out "/boot/initrd.img-$kernel: CANNOT BE READ"
		out "  Permission denied"
	fi
fi

begin "verify: no kernel, a config that is not root's alone, usage"
ready
rm "$root/boot/vmlinuz-$kernel"
run verify
status_is 3
err "error: no kernel in $root/boot; fix: name an image"
chmod 666 "$root/etc/vfio-early.conf"
run verify "$root/boot/initrd.img-$kernel"
status_is 3
grep -Fq 'chmod go-w /etc/vfio-early.conf' "$work/err" || problem "no fix was named"
run verify --quiet "$root/boot/initrd.img-$kernel"
status_is 3
[ "$(grep -c . "$work/err")" -eq 1 ] || problem "not one line"
grep -Fq 'chmod go-w /etc/vfio-early.conf' "$work/err" || problem "no fix was named"
run verify --kernel 6.1
status_is 2
err "error: --kernel needs an image; fix: vfio-early verify --kernel VERSION IMAGE"

# --- after update-initramfs

# post_update VERSION IMAGE: as run-parts runs our script, with the command of this build.
post_update() {
	sed "s|^command=.*|command=$work/command|" "$top/hook/system/initramfs/post-update.d/vfio-early" \
		>"$work/post-update"
	printf '#!/bin/sh\nexec "%s" "$@" --root "%s"\n' "$command" "$root" >"$work/command"
	chmod +x "$work/command"
	sh "$work/post-update" "$@" >"$work/out" 2>"$work/err"
	status=$?
}

begin "post-update.d: silent when all is well, a warning for each thing that is not"
ready
post_update "$kernel" "$root/boot/initrd.img-$kernel"
status_is 0
no_err
rm "$image/usr/lib/vfio-early/plan"
pack gzip
post_update "$kernel" "$root/boot/initrd.img-$kernel"
status_is 0
out_is </dev/null
err_is <<-EOF
	W: vfio-early: $root/boot/initrd.img-$kernel: there is no plan in it
EOF
chmod 666 "$root/etc/vfio-early.conf"
post_update "$kernel" "$root/boot/initrd.img-$kernel"
status_is 0
grep -q '^W: vfio-early: error: .*chmod go-w' "$work/err" || problem "no warning of the config"

begin "post-update.d: never fails: no image, no command, no argument"
ready
post_update "$kernel" "$root/boot/none"
status_is 0
err_is <<-EOF
	W: vfio-early: $root/boot/none: there is no such image
EOF
post_update
status_is 0
no_err
sh "$top/hook/system/initramfs/post-update.d/vfio-early" "$kernel" "$root/boot/none" 2>"$work/err"
status=$?
status_is 0
[ -x /usr/sbin/vfio-early ] || no_err
