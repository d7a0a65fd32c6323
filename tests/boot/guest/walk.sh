# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# For guests that walk by themselves, boot by boot, from apply to purge: `. ../walk.sh`, then
# `walk DEVICES [TRIAL...]`. The scenario says `reboots = yes`. DEVICES, a list, is what the first trial adds and
# confirms. Each TRIAL after it, in which nobody confirms, is one of
#
#   nic     00:04.0, the only one
#   data    00:05.0, the disk of /srv
#   root    00:10.0, the disk of /
#
# The config is empty. What is said before the last boot is in /root/log.

# shellcheck source=tests/boot/guest/run.sh
. ../run.sh

# walk_state: what a trial has to put back.
walk_state() {
	snapshot | grep -v -e vfio-early/trial -e vfio-early/configs -e vfio-early/loader
	find /etc/vfio-early.conf /etc/vfio-early.conf.d -type f -exec sha256sum {} + | sort -k 2
}

# walk_line: the kernel's command line, without what the loader says of itself.
walk_line() {
	tr ' ' '\n' </proc/cmdline | grep -v -e ^BOOT_IMAGE -e ^root= -e ^initrd=
}

# walk_keep NAME, walk_as NAME WORD: this boot is to be compared with; what it is compared with.
walk_keep() {
	"$2" >"/root/$1.files"
	drivers >"/root/$1.drivers"
	walk_line >"/root/$1.line"
}

walk_as() {
	"$3" >/tmp/files
	! diff "/root/$1.files" /tmp/files || echo "$2: as before, byte for byte"
	drivers >/tmp/drivers
	! diff "/root/$1.drivers" /tmp/drivers || echo "$2: each with its driver of before"
	walk_line >/tmp/line
	! diff "/root/$1.line" /tmp/line || echo "$2: the command line of before"
}

# menu_FUNCTION: of the loader that this guest has.
#   make      its own program makes what the harness has put there
#   type      as if vfio_early=off was typed for the next boot: it alone has it
#   untype    in that boot: as if nothing was typed
#   lines     prints the kernel's line of each entry
entries=/boot/efi/loader/entries
menu=/boot/grub/grub.cfg

if [ -e "$menu" ]; then
	menu_make() {
		update-grub
	}
	menu_type() {
		cp -p "$menu" /root/menu
		sed -i '/^[[:space:]]*linux[[:space:]]/s/$/ vfio_early=off/' "$menu"
	}
	menu_untype() {
		cp -p /root/menu "$menu"
	}
	menu_lines() {
		grep -E '^[[:space:]]*linux[[:space:]]' "$menu"
	}
else
	menu_make() {
		for kernel in /boot/vmlinuz-*; do
			version=${kernel##*/vmlinuz-}
			kernel-install add "$version" "$kernel" "/boot/initrd.img-$version"
		done
	}
	menu_type() {
		cp -r "$entries" /root/entries
		sed -i '/^options/s/$/ vfio_early=off/' "$entries"/*.conf
	}
	menu_untype() {
		cp /root/entries/* "$entries"
	}
	menu_lines() {
		cat "$entries"/*.conf
	}
fi

# walk_more: what a scenario does besides, before the first reboot.
walk_more() {
	:
}

# walk_on STEP: the next boot that comes as far as this goes on there.
walk_on() {
	echo "$1" >/root/step
	sync
	: >/run/goes-on
}

walk_reboot() {
	walk_on "$1"
	systemctl reboot
}

# walk_try NAME ADDRESS MINUTES: the next boot is a trial, which nobody confirms. Where the boot ends as it
# should, there is time for the script to look at it.
walk_try() {
	run "add-$1" vfio-early add --force "$2"
	run "try-$1" vfio-early apply --try "$3"
	walk_reboot "$1"
}

# walk_next: the next trial, or the end of them.
walk_next() {
	read -r trials </root/trials || :
	trial=${trials%% *}
	case $trials in
	*' '*) echo "${trials#* }" ;;
	*) echo ;;
	esac >/root/trials
	case $trial in
	nic) walk_try nic 00:04.0 3 ;;
	data) walk_try data 00:05.0 1 ;;
	root) walk_try root 00:10.0 3 ;;
	*)
		menu_type
		walk_reboot off
		;;
	esac
}

# walk_is_back NAME: what was tried is taken back, what was confirmed before is not.
walk_is_back() {
	walk_as good "$1-back" walk_state
	run "$1-back" vfio-early status
	run "$1-verified" vfio-early verify
	walk_next
}

# network: is there a way out?
network() {
	if grep -q '[[:space:]]00000000[[:space:]]0202000A' /proc/net/route; then
		echo "$1: the network is there"
	else
		echo "$1: no network"
	fi
}

walk_step() {
	case $1 in
	first)
		menu_make
		walk_keep first snapshot
		echo "$trials" >/root/trials
		network first
		# shellcheck disable=SC2086 # a list
		run add vfio-early add $devices
		run dry-run vfio-early apply --dry-run
		snapshot >/tmp/files
		! diff /root/first.files /tmp/files || echo 'the dry run changed nothing'
		run try vfio-early apply --try
		walk_state >/tmp/files
		sha256sum /boot/initrd* >>/tmp/files
		run again vfio-early apply --try
		walk_state >/tmp/again
		sha256sum /boot/initrd* >>/tmp/again
		! diff /tmp/files /tmp/again || echo 'a second apply changed nothing'
		walk_more
		menu_lines | sed 's/^/menu: /'
		walk_reboot confirm
		;;
	confirm)
		run motd sh /etc/update-motd.d/60-vfio-early
		run trial vfio-early status
		run confirm vfio-early confirm
		sleep 3
		systemctl show -p ActiveState -p Result vfio-early-trial.service | sed 's/^/unit: /'
		walk_keep good walk_state
		sed 's/^/confirmed: /' /root/good.line /root/good.drivers
		run confirmed vfio-early status
		walk_next
		;;
	# A trial that came as far as this: nobody is there. The one without /srv does not.
	nic | root)
		[ -e "/root/$1.tried" ] || {
			: >"/root/$1.tried"
			network "$1"
			run "$1-log" cat /run/vfio-early/log
			walk_on "$1"
			return
		}
		network "$1-back"
		walk_is_back "$1"
		;;
	data) walk_is_back data ;;
	off)
		menu_untype
		drivers | sed 's/^/off: /'
		run off-log cat /run/vfio-early/log
		run off vfio-early status
		run undo vfio-early undo
		run undo-again vfio-early undo
		grep -rl vfio_early= /boot/grub/grub.cfg /boot/efi/loader /etc/default /etc/kernel \
			/var/lib/vfio-early 2>/dev/null || echo 'what was typed is nowhere'
		walk_reboot undone
		;;
	undone)
		walk_as first undone snapshot
		run undone vfio-early status
		run purge dpkg -P vfio-early
		lsinitramfs /boot/initrd.img-* | sed -n 's/.*vfio-early.*/purged: &/p'
		find / -xdev -path /root -prune -o -name '*vfio-early*' ! -name 'vfio-early-gather*' \
			-printf 'purged: %p\n'
		walk_reboot purged
		;;
	purged)
		walk_as first purged snapshot
		cat /root/log >&3
		;;
	esac
}

walk() {
	devices=$1
	shift
	trials=$*
	exec 3>&1 >>/root/log 2>&1
	trap '[ $? = 0 ] || cat /root/log >&3' EXIT
	walk_step "$(cat /root/step 2>/dev/null || echo first)"
}
