# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# Without /etc/kernel/cmdline, loaders get /usr/lib/kernel/cmdline (kernel-install(8)) or, from
# proxmox-boot-tool, the command line of the running kernel, including what was typed for one boot.
# To keep that from becoming permanent, the file is made without it, and stays until a boot has none
# of it. Defines only.

# loader_inherits: does the loader make its entries from the command line of the running kernel if
# there is no /etc/kernel/cmdline?
loader_inherits() {
	case " $targets " in
	*' kernel '*) ;;
	*) return 1 ;;
	esac
	[ "$loader" = proxmox ] || [ ! -s "$root/usr/lib/kernel/cmdline" ]
}

# loader_cmdline_from: prints where loader_cmdline finds it.
loader_cmdline_from() {
	if ! loader_inherits; then
		echo /usr/lib/kernel/cmdline
	elif [ -n "$root" ] && [ -n "$(entry_line)" ]; then
		entry_line | cut -f 1
	else
		echo /proc/cmdline
	fi
}

# entry_line: prints "PLACE TAB LINE" of an entry of this system that the loader made from
# /etc/kernel/cmdline, or from its replacement: the next entry, else the first one.
entry_line() {
	entries_own "$entries" | awk -F '\t' '$1 == "kernel" {
		if (line == "" || $2 == "next")
			line = $5 "\t" $8
		if ($2 == "next")
			exit
	}
	END { if (line != "") print line }'
}

# one_boot OURS: prints the tokens of the running kernel that are, or may be, for this boot only:
# OURS, those that turn vfio-early off or stop the boot half way, and those that were typed, because
# no entry has them. A token that every entry has is not for one boot only. Never prints a token
# that finds the root.
one_boot() {
	RUNNING=$(running) OURS=$1 LINES=$(entries_own "$entries" | awk -F '\t' '$1 == "kernel" { print $8 }') \
		awk "$tokens_awk"'
	function stops(t) {
		return t ~ /^(single|[Ss1]|-b|emergency|rescue|recovery|break|rd\.break)$/ ||
			t ~ /^(init|rdinit|break|rd\.break|systemd\.unit|rd\.systemd\.unit)=/
	}
	function finds_root(t) {
		return t ~ /^(root|boot|resume|cryptdevice|zfs|bootfs|ip|nfsroot|nbdroot)=/ ||
			t ~ /^(root|rd\.|systemd\.machine_id=|r[ow]$)/
	}
	BEGIN {
		n = split(ENVIRON["OURS"], list, "\n")
		for (i = 1; i <= n; i++)
			ours[bare(list[i])] = list[i] != ""
		lines = split(ENVIRON["LINES"], line, "\n")
		for (l = 1; l <= lines; l++) {
			part(line[l])
			for (i = 1; i <= parts; i++) {
				t = bare(substr(line[l], from[i], to[i] - from[i] + 1))
				if (!((l, t) in there)) {
					there[l, t] = 1
					have[t]++
				}
			}
		}
		n = split(ENVIRON["RUNNING"], list, "\n")
		for (i = 1; i <= n; i++)
			if (bare(list[i]) ~ /^root=/ && (bare(list[i]) in have))
				is_theirs = 1
		for (i = 1; i <= n; i++) {
			t = bare(list[i])
			if (t == "" || t ~ /^(BOOT_IMAGE|initrd)=/)
				continue
			name = t
			sub(/=.*/, "", name)
			gsub(/-/, "_", name)
			if (ours[t] || name == "vfio_early" ||
			    (stops(t) && (!lines || have[t] < lines)) ||
			    (is_theirs && !(t in have) && !finds_root(t)))
				print list[i]
		}
	}'
}

# loader_cmdline: prints the command line that loaders use without /etc/kernel/cmdline, as the first
# text of that file; without OURS, and without what is for one boot only. Fails, after printing an
# error, if there is none.
loader_cmdline() {
	if ! loader_inherits; then
		cat "$root/usr/lib/kernel/cmdline"
		return
	fi
	_from=/proc/cmdline
	_line=''
	if [ -n "$root" ]; then
		_line=$(entry_line)
		_from=${_line%%	*}
		_line=$(printf '%s\n' "${_line#*	}" | tokens_split all)
		_line=$(tokens_without "$_line" "$1$nl$(tokens_name "$_line" vfio_early)")
	fi
	if [ -z "$_line" ]; then
		_from=/proc/cmdline
		_line=$(is_own_line && tokens_split all <"$root/proc/cmdline" | grep -v -e '^BOOT_IMAGE=' -e '^initrd=')
		_line=$(tokens_without "$_line" "$(one_boot "$1")")
	fi
	if [ -z "$_line" ]; then
		if is_own_line; then
			warn "/proc/cmdline is empty, so /etc/kernel/cmdline cannot be made from it; fix: write it by hand"
		else
			warn "no entry of this system can be seen, so /etc/kernel/cmdline cannot be made from it; fix: write it by hand"
		fi
		return 1
	elif { [ "$loader" = proxmox ] || [ -n "$root" ]; } && [ -z "$(tokens_name "$_line" root)" ]; then
		warn "$_from has no root=, so /etc/kernel/cmdline cannot be made from it; fix: write it by hand"
		return 1
	fi
	words "$_line"
	echo
}

# must_stay OURS: must /etc/kernel/cmdline exist even without our tokens? That is so if the loader
# would otherwise get something that is for one boot only, or if another system is running.
must_stay() {
	loader_inherits || return
	is_own_line || return 0
	[ -n "$(one_boot "$1")" ]
}
