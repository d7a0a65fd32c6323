# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# The next boot: its kernel, and every parameter with its place and whether it counts. The entry
# that boots next decides; the files from which it is made tell where each parameter is set, and
# what else is set and does not reach it. Runs no other program of ours. Below --root it sources and
# runs nothing; on the host itself it sources GRUB's files if they do more than assign (grub.sh).
# Defines only.

# file_tokens TARGET: prints the tokens of its files, joined as by the loader: "TOKEN TAB FILE:LINE
# TAB CODE" lines, with the code "set" for those that reach the loader. TOKEN is "*" for a file that
# does more than assign.
file_tokens() {
	case $1 in
	grub) grub_tokens ;;
	kernel) kernel_tokens ;;
	esac
}

grub_tokens() {
	_text=''
	if slurp "$(target_file grub)" 2>/dev/null; then
		_text=${present:+=$content}
	else
		printf '*\t%s:1\tnot-known\n' /etc/default/grub.d/vfio-early.cfg
	fi
	grub_unread "$(grub_files '')" | while read -r _file; do
		printf '*\t%s:1\tnot-known\n' "${_file#"$root"}"
	done
	# Without the entries, it is not known whether these files are in force.
	if [ -e "$root/boot/grub/grub.cfg" ] && [ ! -r "$root/boot/grub/grub.cfg" ]; then
		printf '*\t%s:1\tnot-known\n' /boot/grub/grub.cfg
	fi
	_parsed=$(grub_parse "$_text" origins)
	case $_parsed in
	*"$nl*	"* | '*	'*) ;;
	*)
		[ -z "$_parsed" ] || printf '%s\n' "$_parsed"
		return
		;;
	esac
	if [ -n "$root" ]; then
		printf '%s\n' "$_parsed"
		return
	fi
	# The files of this system itself may be run.
	grub_values "$_text" | while read -r _token; do
		_place=$(locate grub "$_token")
		printf '%s\t%s\tset\n' "$_token" "${_place:-/etc/default/grub:1}"
	done
	printf '%s\n' "$_parsed" | grep -e '	lost$' -e '	other-entry$'
}

# proxmox-boot-tool reads only one line, kernel-install joins all of them.
kernel_tokens() {
	for _file in /etc/kernel/cmdline /usr/lib/kernel/cmdline; do
		if [ -f "$root$_file" ] || [ -h "$root$_file" ]; then
			[ -z "$root" ] || [ ! -h "$root$_file" ] || return 0
			ONE=$loader NAME=$_file awk "$tokens_awk"'{
				if (NR > 1 && /^[ \t]*#/ && ENVIRON["ONE"] == "proxmox")
					next
				part($0)
				for (i = 1; i <= parts; i++) {
					t = substr($0, from[i], to[i] - from[i] + 1)
					if (t == "--") {
						dashes = 1
						continue
					}
					code = dashes ? "after-dashes" : "set"
					if (NR != 1 && ENVIRON["ONE"] == "proxmox")
						code = "not-first-line"
					printf "%s\t%s:%d\t%s\n", t, ENVIRON["NAME"], NR, code
				}
			}' <"$root$_file" 2>/dev/null
			return 0
		fi
		[ "$loader" != proxmox ] || return 0
	done
}

# Files of boot loaders that are not supported here: a shell pattern, a tab, and the text before the
# parameters of a line, in lower case, as a regular expression.
unkept_files='boot/limine.conf	^[ \t]*(kernel_)?cmdline:
boot/limine/limine.conf	^[ \t]*(kernel_)?cmdline:
boot/limine.cfg	^[ \t]*(kernel_)?cmdline=
boot/limine/limine.cfg	^[ \t]*(kernel_)?cmdline=
boot/efi/limine.conf	^[ \t]*(kernel_)?cmdline:
boot/efi/limine/limine.conf	^[ \t]*(kernel_)?cmdline:
boot/efi/EFI/*/limine.conf	^[ \t]*(kernel_)?cmdline:
etc/default/limine	^[ \t]*kernel_cmdline(\[[^]]*\])?[+]?=
boot/refind_linux.conf	^[ \t]*"[^"]*"[ \t]+
boot/refind.conf	^[ \t]*(add_)?options[ \t]+
boot/efi/EFI/*/refind.conf	^[ \t]*(add_)?options[ \t]+
boot/extlinux/extlinux.conf	^[ \t]*append[ \t]+
boot/syslinux/syslinux.cfg	^[ \t]*append[ \t]+
etc/lilo.conf	^[ \t]*(append|addappend)[ \t]*=[ \t]*
etc/default/u-boot	^[ \t]*u_boot_parameters=
etc/default/flash-kernel	^[ \t]*linux_kernel_cmdline(_defaults)?=
boot/firmware/cmdline.txt	^
boot/cmdline.txt	^
etc/kernel/uki.conf	^[ \t]*cmdline[ \t]*=[ \t]*'

# The same for files that no loader reads: names that are almost right, and names of other
# distributions. /etc/cmdline.d may become a part of a unified kernel image (dracut, mkinitcpio).
unread_files='etc/default/grub.d/*	^[ \t]*(export[ \t]+)?grub_cmdline_linux(_default)?[+]?=
etc/default/grub.d/.*	^[ \t]*(export[ \t]+)?grub_cmdline_linux(_default)?[+]?=
etc/default/grub.conf	^[ \t]*(export[ \t]+)?grub_cmdline_linux(_default)?[+]?=
etc/default/grub.cfg	^[ \t]*(export[ \t]+)?grub_cmdline_linux(_default)?[+]?=
etc/sysconfig/grub	^[ \t]*(export[ \t]+)?grub_cmdline_linux(_default)?[+]?=
etc/cmdline	^
etc/cmdline.d/*.conf	^
etc/kernel/cmdline.d/*	^'

# is_unread NAME: does nothing read a file with this name? Does not count files that somebody has
# put aside.
is_unread() {
	case ${1##*/} in
	README* | *~ | *.bak* | *.backup* | *.old* | *.orig* | *.save* | *.disabl* | *.off | *.inactiv* | *.rej | \
		*.sw? | *.sample* | *.example* | *.dpkg-* | *.ucf-* | *.rpm* | *.vfio-early-*)
		return 1 ;;
	.*) return 0 ;;
	esac
	case $1 in
	etc/default/grub.d/*.cfg) return 1 ;;
	esac
}

# is_own_entry NAME: is this entry of systemd-boot for this system?
is_own_entry() {
	_id=''
	read -r _id 2>/dev/null <etc/machine-id || [ -n "$_id" ] || return
	case $1 in
	*"$_id"*) ;;
	*) grep -q "^machine-id[[:blank:]]*$_id" "$1" 2>/dev/null ;;
	esac
}

# unkept_lines: prints "B TAB REGULAR EXPRESSION TAB CODE", then "FILE:LINE:TEXT" of each file for
# which it is meant. Below a root it follows no links. CODE: set, no-reader
unkept_lines() (
	cd "$root/" 2>/dev/null && set +f || return
	unkept_each set <<-EOT
	$unkept_files
	EOT
	unkept_each no-reader <<-EOT
	$unread_files
	EOT
	case $loader in
	other | grub)
		unkept_each set <<-'EOT'
		efi/loader/entries/*.conf	^[ \t]*options[ \t]+
		boot/loader/entries/*.conf	^[ \t]*options[ \t]+
		boot/efi/loader/entries/*.conf	^[ \t]*options[ \t]+
		EOT
		;;
	esac
)

# unkept_each CODE <LIST: does this for one of the lists above.
unkept_each() {
	while IFS='	' read -r _pattern _before; do
		for _name in $_pattern; do
			[ -f "$_name" ] || continue
			[ -z "$root" ] || [ ! -h "$_name" ] || continue
			[ "$1" != no-reader ] || is_unread "$_name" || continue
			case $loader:$_pattern in
			grub:*/entries/*) is_own_entry "$_name" || continue ;;
			esac
			printf 'B\t%s\t%s\n' "$_before" "$1"
			grep -Hn '' "$_name" 2>/dev/null
		done
	done
}

# unkept_tokens: prints their tokens in the form of next_facts; if no loader is known, also those of
# entries of systemd-boot.
unkept_tokens() {
	unkept_lines | awk "$tokens_awk"'
	/^B\t/ {
		split($0, is, "\t")
		before = is[2]
		code = is[3]
		next
	}
	{
		file = substr($0, 1, index($0, ":") - 1)
		text = substr($0, length(file) + 2)
		number = text + 0
		text = substr(text, index(text, ":") + 1)
		if (text ~ /^[ \t]*#/ || !match(tolower(text), before))
			next
		text = substr(text, RLENGTH + 1)
		sub(/[ \t\r]+$/, "", text)
		# A text in quotes as a whole.
		quote = substr(text, 1, 1)
		if (quote == "\"" || quote == "\047") {
			end = index(substr(text, 2), quote)
			if (end && substr(text, end + 2) ~ /^[ \t]+#/)
				text = substr(text, 2, end - 1)
			else if (substr(text, length(text)) == quote)
				text = substr(text, 2, length(text) - 2)
		}
		part(text)
		for (i = 1; i <= parts; i++) {
			t = substr(text, from[i], to[i] - from[i] + 1)
			# In a file of GRUB, a variable stands for the former value.
			if (t != "--" && t !~ /^\$/)
				printf "O\t%s\t/%s:%d\t%s\n", t, file, number, code
		}
	}'
}

# next_facts: prints the input of next_tokens, lines with a letter before a tab: "F" a token in a
# file of the loader, "O" a token in a file that this loader does not read, "R" a token of the
# running kernel, "B" a token for one boot that a refresh would keep, "E" the line of an entry that
# is next, "U" that it is a unified kernel image, which contains its parameters, "A" one of our
# tokens that no loader has got yet.
next_facts() {
	for _target in grub kernel; do
		case " $targets " in
		*" $_target "*) _kind=F ;;
		*) _kind=O ;;
		esac
		file_tokens "$_target" | sed "s/^/$_kind	/"
	done
	unkept_tokens
	printf '%s\n' "$entries" | awk -F '\t' '
		$2 == "next" { print "E\t" $5 "\t" $8 }
		$2 == "next" && $3 == "foreign" && $5 ~ /\.[eE][fF][iI]:1$/ { print "U\t" $5 }'
	if [ -z "$targets" ]; then
		booted_with | sed 's/^/R	/'
	elif loader_inherits && [ ! -e "$root/etc/kernel/cmdline" ]; then
		record_read kernel 2>/dev/null
		one_boot "$(tokens_of "$ours")$nl$inherited" | sed 's/^/B	/'
		[ -n "$entries" ] || booted_with | sed 's/^/R	/'
	fi
	if is_refresh_due; then
		for _target in $targets; do
			record_read "$_target" 2>/dev/null && tokens_of "$ours" | sed 's/^/A	/'
		done
	fi
}

# next_tokens: prints "TOKEN TAB FILE:LINE TAB CODE" lines, in the order of the command line; then
# what is set and does not count. vfio-early-cmdline(8) explains the codes.
next_tokens() {
	next_facts | KNOWN=$loader awk -F '\t' "$tokens_awk"'
	function say(t, place, code) {
		if (!((t, place, code) in said)) {
			said[t, place, code] = 1
			printf "%s\t%s\t%s\n", t, place, code
		}
	}
	$1 == "F" || $1 == "O" {
		n++
		kind[n] = $1
		token[n] = $2
		at[n] = $3
		code[n] = $4
		next
	}
	$1 == "R" { running[++runs] = $2; runs_with[bare($2)] = 1 }
	$1 == "B" { typed[bare($2)] = 1; typed_list[++types] = $2 }
	$1 == "A" { late[bare($2)] = 1 }
	$1 == "U" { is_uki = 1 }
	$1 == "E" {
		entry_place[++es] = $2
		s = $0
		sub(/^E\t[^\t]*\t/, "", s)
		part(s)
		for (i = 1; i <= parts; i++) {
			t = substr(s, from[i], to[i] - from[i] + 1)
			if (t == "--") {
				for (i++; i <= parts; i++)
					behind[es, ++behinds[es]] = substr(s, from[i], to[i] - from[i] + 1)
				break
			}
			# An entry of GRUB is a line for its shell.
			if (t ~ /^\$/)
				continue
			list[es, ++counts[es]] = t
			if (!((es, bare(t)) in has)) {
				has[es, bare(t)] = 1
				have[bare(t)]++
			}
		}
	}
	# Why a token does not count that only an unsupported loader, or no loader, reads.
	function unread(place, code) {
		if (code == "no-reader" && !(ENVIRON["KNOWN"] ~ /^(other|uki|stub)$/ && place ~ /cmdline/))
			return code
		if (ENVIRON["KNOWN"] == "other" ||
		    (ENVIRON["KNOWN"] ~ /^(uki|stub)$/ && place !~ /^\/etc\/default\/grub/))
			return "not-known"
		return "other-loader"
	}
	# Where a token of an entry is set: in a file that the loader reads, else in the entry.
	function origin(e, t,   i) {
		for (i = n; i > 0; i--)
			if (kind[i] == "F" && code[i] == "set" && bare(token[i]) == bare(t))
				return at[i]
		return entry_place[e]
	}
	END {
		for (e = 1; e <= es; e++)
			for (i = 1; i <= counts[e]; i++) {
				t = list[e, i]
				if (e > 1 && have[bare(t)] == es)
					continue
				say(t, origin(e, t), have[bare(t)] == es ? "in-force" : "some-esps")
			}
		for (e = 1; e <= es; e++)
			for (i = 1; i <= behinds[e]; i++)
				say(behind[e, i], entry_place[e], "after-dashes")
		for (i = 1; i <= runs; i++)
			if (!(bare(running[i]) in typed) && bare(running[i]) !~ /^(BOOT_IMAGE|initrd)=/)
				say(running[i], "/proc/cmdline:1", "in-force")
		for (i = 1; i <= n; i++) {
			t = bare(token[i])
			if (kind[i] == "O") {
				if (token[i] == "*" ? ENVIRON["KNOWN"] == "other" : !have[t] && !(t in runs_with))
					say(token[i], at[i], unread(at[i], code[i]))
			} else if (code[i] == "other-entry") {
				if (!have[t])
					say(token[i], at[i], code[i])
			} else if (code[i] != "set")
				say(token[i], at[i], code[i])
			else if (!es)
				say(token[i], at[i], t in late ? "not-refreshed" : "in-force")
			else if (!have[t])
				say(token[i], at[i], is_uki ? "not-known" : "not-refreshed")
		}
		for (i = 1; i <= types; i++)
			if (!have[bare(typed_list[i])])
				say(typed_list[i], "/proc/cmdline:1", "this-boot")
	}'
}

# pinned: prints "VERSION TAB FILE TAB HOW" of the kernel that proxmox-boot-tool was told to boot.
pinned() {
	for _file in next-boot-pin proxmox-boot-pin; do
		_version=''
		[ ! -r "$root/etc/kernel/$_file" ] || read -r _version <"$root/etc/kernel/$_file" || :
		if [ -n "$_version" ]; then
			case $_file in
			next-boot-pin) _how=next-boot-pin ;;
			*) _how=pin ;;
			esac
			printf '%s\t/etc/kernel/%s:1\t%s\n' "$_version" "$_file" "$_how"
			return
		fi
	done
}

# next_loader: prints "loader TAB STATE TAB TEXT TAB FIX", for whoever asked for it in the
# environment. FIX is empty, or part of what is known of this loader. STATE:
#   kept        this program keeps its command line
#   by-hand     it was updated by hand, and no image has changed since
#   unkept      it must be updated by hand, then: refresh --by-hand
#   two         it is not known which one boots this machine; FIX says what to do
#   no-esp      proxmox-boot-tool has no ESP that can boot this machine
next_loader() {
	[ -n "${VFIO_EARLY_LOADER-}" ] || return 0
	_fix=''
	case $loader_text in
	*'; fix: '*) _fix=${loader_text#*; fix: } ;;
	esac
	if [ -n "$targets" ]; then
		_state=kept
	elif [ "$loader" = proxmox ]; then
		_state=no-esp
	elif hand_is_current; then
		_state=by-hand
	elif [ -n "$_fix" ]; then
		_state=two
	else
		_state=unkept
	fi
	printf 'loader\t%s\t%s\t%s\n' "$_state" "${loader_text%%; fix: *}" "$_fix"
}

# next_kernel: prints "VERSION TAB IMAGE TAB PLACE TAB HOW" lines: the kernel that boots next, its
# image as the loader names it, if known, and the reason. There are several lines if the ESPs of a
# machine differ. If no entry can be read, it is the kernel that the loader was told to boot, else
# the newest one.
next_kernel() {
	_pin=''
	[ "$loader" != proxmox ] || _pin=$(pinned)
	_kernels=$(printf '%s\n' "$entries" | PIN=$_pin awk -F '\t' '
		BEGIN { split(ENVIRON["PIN"], pin, "\t") }
		$2 == "next" {
			how = $7
			place = $5
			if ($4 == pin[1] && how != "one-shot") {
				how = pin[3]
				place = pin[2]
			}
			if (!seen[$4 "\t" $6]++)
				printf "%s\t%s\t%s\t%s\n", $4, $6, place, how
		}')
	if [ -n "$_kernels" ]; then
		printf '%s\n' "$_kernels"
		return
	fi
	_version=${_pin%%	*}
	if [ -n "$_pin" ]; then
		_place=${_pin#*	}
		_how=${_place#*	}
		_place=${_place%	*}
	else
		_version=$(printf '%s\n' "$kernels" | sort -V | tail -n 1)
		_place=- _how=newest
		[ -n "$targets" ] || _how=not-known
		if [ "$loader" = uki ] || [ "$loader" = stub ]; then
			_version=$(cat "$root/proc/sys/kernel/osrelease" 2>/dev/null)
		fi
	fi
	[ -n "$_version" ] || _version=-
	_image=$(kernel_image "$_version")
	printf '%s\t%s\t%s\t%s\n' "$_version" "${_image:--}" "$_place" "$_how"
}
