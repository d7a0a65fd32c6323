# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash
#
# The entries of the loader's own files: whose each one is, and which one is next. Reads
# "FILE:LINE:TEXT" lines that others have made; knows nothing about devices and mounts. An entry
# is a line of fields, separated by tabs:
#
#   TARGET   the files that feed its loader: "grub" or "kernel" (targets.sh)
#   NEXT     "next" for the one that boots without a key press, else "-"
#   WHOSE    "own", "recovery" (own, but gets no parameters from us), "foreign"
#   VERSION  the version of its kernel, or "-"
#   PLACE    the FILE:LINE of its command line
#   IMAGE    its initramfs, as named by the loader, or "-"
#   HOW      why it is next: one-shot, saved, default, newest; "-" for the others
#   LINE     its command line
#
# Defines only.

# Reads "FILE:LINE:TEXT" into file, number and text; a file name contains no colon.
# shellcheck disable=SC2016 # awk's
entries_awk='
function cut_line() {
	file = substr($0, 1, index($0, ":") - 1)
	text = substr($0, length(file) + 2)
	number = text + 0
	text = substr(text, index(text, ":") + 1)
	# Edited by another system: for both loaders, a CR also ends a line.
	sub(/\r$/, "", text)
}
# Compares versions, with numbers in them as numbers: -1, 0 or 1.
function compare(a, b,   x, y) {
	while (a != "" || b != "") {
		match(a, /^[^0-9]*/); x = substr(a, 1, RLENGTH); a = substr(a, RLENGTH + 1)
		match(b, /^[^0-9]*/); y = substr(b, 1, RLENGTH); b = substr(b, RLENGTH + 1)
		if (x != y) {
			# "~" sorts first, and a longer text after its own prefix.
			if (substr(x, 1, 1) == "~") return -1
			if (substr(y, 1, 1) == "~") return 1
			return x < y ? -1 : 1
		}
		match(a, /^[0-9]*/); x = substr(a, 1, RLENGTH); a = substr(a, RLENGTH + 1)
		match(b, /^[0-9]*/); y = substr(b, 1, RLENGTH); b = substr(b, RLENGTH + 1)
		if (x + 0 != y + 0)
			return x + 0 < y + 0 ? -1 : 1
	}
	return 0
}
function tell(chosen_entry, i) {
	printf "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", target, chosen_entry == i ? "next" : "-", whose[i],
		version[i] == "" ? "-" : version[i], place[i], image[i] == "" ? "-" : image[i],
		chosen_entry == i ? how : "-", line[i]
}'

# entries_grub <LINES: prints the entries of grub.cfg and grubenv. The next entry is chosen as in
# grub-core/normal/menu.c: by number, ID or title, with those of its submenus before it; the first
# entry if there is no such one. grub-mkconfig (00_header) turns GRUB_DEFAULT and grubenv into this.
# shellcheck disable=SC2016 # awk's
entries_grub() {
	awk "$entries_awk"'
	BEGIN { target = "grub" }
	# Sets word to the next word of s, without its quotes; returns the rest of s.
	function shift_word(s,   c) {
		sub(/^[ \t]+/, "", s)
		c = substr(s, 1, 1)
		if ((c == "\047" || c == "\"") && index(substr(s, 2), c)) {
			word = substr(s, 2, index(substr(s, 2), c) - 1)
			return substr(s, length(word) + 3)
		}
		match(s, /^[^ \t]*/)
		word = substr(s, 1, RLENGTH)
		return substr(s, RLENGTH + 1)
	}
	function open_block(kind,   s) {
		s = text
		sub(/^[ \t]*[a-z]+/, "", s)
		s = shift_word(s)
		depth++
		is[depth] = kind
		position[depth] = kind == "other" ? position[depth - 1] : count[depth - 1]++
		level_title[depth] = word
		level_id[depth] = ""
		count[depth] = 0
		while (s ~ /[^ \t{]/) {
			s = shift_word(s)
			if (word == "--id" || word ~ /menuentry_id_option/) {
				s = shift_word(s)
				level_id[depth] = word
			}
		}
		if (kind == "menuentry") {
			n++
			levels[n] = depth
			for (i = 1; i <= depth; i++) {
				at[n, i] = position[i]
				ids[n, i] = level_id[i]
				titles[n, i] = level_title[i]
			}
		}
	}
	function is_this(e, i, name) {
		return name ~ /^[0-9]+$/ ? at[e, i] == name + 0 : ids[e, i] == name || titles[e, i] == name
	}
	# The entry with this name, 0 if there is none. For a submenu, its first entry.
	function find(name,   e, i, names, part, good) {
		names = split(name, part, ">")
		for (e = 1; e <= n; e++) {
			good = names > 0
			for (i = 1; i <= levels[e] && good; i++)
				good = i <= names ? is_this(e, i, part[i]) : at[e, i] == 0
			if (good)
				return e
		}
		return 0
	}
	{ cut_line() }
	file ~ /grubenv$/ {
		if (text ~ /^[a-z_]+=/)
			env[substr(text, 1, index(text, "=") - 1)] = substr(text, index(text, "=") + 1)
		next
	}
	text ~ /^### BEGIN / { section = text; sections++ }
	text ~ /^### END / { section = "" }
	text ~ /^[ \t]*menuentry[ \t].*\{[ \t]*$/ { open_block("menuentry"); next }
	text ~ /^[ \t]*submenu[ \t].*\{[ \t]*$/ { open_block("submenu"); next }
	text ~ /\{[ \t]*$/ { open_block("other"); next }
	text ~ /^[ \t]*\}[ \t]*$/ { if (depth) depth--; next }
	!n && text ~ /^[ \t]*set[ \t]+default=/ {
		sub(/^[ \t]*set[ \t]+default=/, "", text)
		shift_word(text)
		if (word !~ /next_entry/)
			set_default = word
		next
	}
	depth && is[depth] == "menuentry" && text ~ /^[ \t]*linux(16|efi)?[ \t]/ {
		sub(/^[ \t]*linux(16|efi)?/, "", text)
		text = shift_word(text)
		place[n] = file ":" number
		version[n] = word ~ /vmlinu[xz]-/ ? word : ""
		sub(/.*vmlinu[xz]-/, "", version[n])
		sub(/^[ \t]+/, "", text)
		line[n] = text
		gsub(/\t/, " ", line[n])
		whose[n] = ids[n, levels[n]] ~ /-recovery-/ ? "recovery" : "own"
		if (sections ? section !~ /\/10_linux/ : ids[n, levels[n]] ~ /osprober/)
			whose[n] = "foreign"
		next
	}
	# A host of Xen: "module2 /boot/vmlinuz-VERSION placeholder PARAMETERS", then its initramfs.
	depth && is[depth] == "menuentry" && text ~ /^[ \t]*module2?[ \t]/ {
		sub(/^[ \t]*module2?/, "", text)
		text = shift_word(text)
		while (word ~ /^--/)
			text = shift_word(text)
		if (place[n] != "") {
			image[n] = word
			next
		}
		place[n] = file ":" number
		version[n] = word ~ /vmlinu[xz]-/ ? word : ""
		sub(/.*vmlinu[xz]-/, "", version[n])
		sub(/^[ \t]*placeholder/, "", text)
		sub(/^[ \t]+/, "", text)
		line[n] = text
		gsub(/\t/, " ", line[n])
		whose[n] = "foreign"
		next
	}
	depth && is[depth] == "menuentry" && text ~ /^[ \t]*initrd(16|efi)?[ \t]/ {
		sub(/^[ \t]*initrd(16|efi)?/, "", text)
		# The last one: microcode may be a separate image before it.
		while (text ~ /[^ \t]/)
			text = shift_word(text)
		image[n] = word
	}
	END {
		how = "newest"
		saved = env["prev_saved_entry"] != "" ? env["prev_saved_entry"] : env["saved_entry"]
		chosen = set_default
		if (set_default ~ /saved_entry/)
			chosen = saved
		default_entry = find(chosen)
		# The entry for the firmware setup boots nothing: the one after it does.
		one_shot = env["next_entry"] == "" ? 0 : find(env["next_entry"])
		if (one_shot && place[one_shot] != "") {
			default_entry = one_shot
			how = "one-shot"
		} else if (env["next_entry"] != "" && !one_shot)
			default_entry = 0
		else if (default_entry && set_default ~ /saved_entry/)
			how = "saved"
		else if (default_entry && chosen != "0")
			how = "default"
		if (!default_entry)
			default_entry = find("0")
		for (e = 1; e <= n; e++)
			if (place[e] != "")
				tell(default_entry, e)
	}'
}

# entries_bls <LINES: prints the entries of the Boot Loader Specification (type 1) and loader.conf,
# as systemd-boot reads them: sorted as by config_entry_compare() of src/boot/efi/boot.c. $kernels
# and $entry_tokens tell which ones are ours. $entry_one_shot, $entry_default and $entry_last are
# variables of the Boot Loader Interface; a pattern in loader.conf is one of fnmatch(3).
# shellcheck disable=SC2016 # awk's
entries_bls() {
	KERNELS=$kernels TOKENS=$entry_tokens ONE_SHOT=$entry_one_shot DEFAULT=$entry_default \
		LAST=$entry_last awk "$entries_awk"'
	BEGIN { target = "kernel" }
	function value() {
		sub(/^[^ \t]+[ \t]*/, "", text)
		sub(/[ \t]+$/, "", text)
		gsub(/\t/, " ", text)
		return text
	}
	function pattern(glob,   i, c, out) {
		for (i = 1; i <= length(glob); i++) {
			c = substr(glob, i, 1)
			if (c == "*")
				out = out ".*"
			else if (c == "?")
				out = out "."
			else if (c ~ /[][a-zA-Z0-9_-]/)
				out = out c
			else
				out = out "[" c "]"
		}
		return "^" out "$"
	}
	# The first entry in the order of the menu whose ID matches the pattern, 0 if there is none.
	function find(glob,   i) {
		if (glob == "")
			return 0
		for (i = 1; i <= n; i++)
			if (tolower(id[order[i]]) ~ pattern(tolower(glob)))
				return order[i]
		return 0
	}
	# Is entry a after entry b in the menu?
	function is_behind(a, b,   c) {
		if (is_bad[a] != is_bad[b])
			return is_bad[a]
		if ((sort_key[a] == "") != (sort_key[b] == ""))
			return sort_key[a] == ""
		if (sort_key[a] != "") {
			if (sort_key[a] != sort_key[b])
				return sort_key[a] > sort_key[b]
			if (machine[a] != machine[b])
				return machine[a] > machine[b]
			c = compare(version[a], version[b])
			if (c)
				return c < 0
		}
		return compare(id[a], id[b]) < 0
	}
	{ cut_line() }
	file ~ /loader\/loader\.conf$/ {
		if (text ~ /^[ \t]*default[ \t]/) {
			sub(/^[ \t]+/, "", text)
			chosen = value()
		}
		next
	}
	!(file in seen) {
		seen[file] = ++n
		name = file
		sub(/.*\//, "", name)
		is_bad[n] = name ~ /\+0(-[0-9]+)?\.(conf|efi)$/
		sub(/\+[0-9]+(-[0-9]+)?\.conf$/, ".conf", name)
		sub(/\+[0-9]+(-[0-9]+)?\.efi$/, ".efi", name)
		id[n] = name
		whose[n] = "own"
		place[n] = file ":1"
	}
	{ i = seen[file]; sub(/^[ \t]+/, "", text) }
	text ~ /^options[ \t]/ {
		if (line[i] == "")
			place[i] = file ":" number
		line[i] = line[i] (line[i] == "" ? "" : " ") value()
	}
	text ~ /^version[ \t]/ { version[i] = value() }
	text ~ /^sort-key[ \t]/ { sort_key[i] = value() }
	text ~ /^machine-id[ \t]/ { machine[i] = value() }
	text ~ /^initrd[ \t]/ { image[i] = value() }
	text ~ /^(efi|uki|uki-url)[ \t]/ { whose[i] = "foreign" }
	# The kernel and its parameters are inside the image.
	text ~ /^uki[ \t]/ && file ~ /\.[eE][fF][iI]$/ { is_uki[i] = 1 }
	END {
		tokens = split(ENVIRON["TOKENS"], token, "\n")
		installed = split(ENVIRON["KERNELS"], kernel, "\n")
		for (i = 1; i <= n; i++) {
			name = substr(id[i], 1, length(id[i]) - 5)
			mine = !tokens
			for (t = 1; t <= tokens; t++)
				if (index(name, token[t] "-") == 1 || (machine[i] != "" && machine[i] == token[t]))
					mine = 1
			if (!mine)
				whose[i] = "foreign"
			best = ""
			for (k = 1; k <= installed; k++)
				if (length(kernel[k]) > length(best) && length(name) > length(kernel[k]) &&
				    substr(name, length(name) - length(kernel[k])) == "-" kernel[k])
					best = kernel[k]
			if (version[i] == "")
				version[i] = best
		}
		for (i = 1; i <= n; i++) {
			for (j = i; j > 1 && is_behind(order[j - 1], i); j--)
				order[j] = order[j - 1]
			order[j] = i
		}
		if (chosen == "@saved")
			chosen = ENVIRON["LAST"]
		how = "one-shot"
		e = find(ENVIRON["ONE_SHOT"])
		if (!e) {
			how = "default"
			e = find(ENVIRON["DEFAULT"])
			if (!e)
				e = find(chosen)
			# A pattern for all of our entries selects just the first of them.
			if (e == order[1])
				how = "newest"
		}
		if (!e) {
			how = "newest"
			e = order[1]
		}
		for (i = 1; i <= n; i++)
			if (is_uki[i])
				version[i] = ""
		for (i = 1; i <= n; i++)
			tell(e, order[i])
	}'
}

# entries_own LIST: from a list of entries, those of this system for installed kernels, which must
# have our parameters.
entries_own() {
	printf '%s\n' "$1" | KERNELS=$kernels awk -F '\t' '
		BEGIN {
			n = split(ENVIRON["KERNELS"], list, "\n")
			for (i = 1; i <= n; i++)
				installed[list[i]] = 1
		}
		$3 == "own" && ($4 in installed || ($1 == "grub" && $4 == "-"))'
}
