# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=dash disable=SC2154 # variables of tests/hook/run
# Part of tests/hook/run. For any lines of modprobe.d the plan has what `modprobe --show-depends` (its -n -v,
# also of what is loaded already) has of the same folder, in that order, less ids= of vfio-pci, options that
# the module's parmtype rejects, what is behind "--", install commands, and modules that only a softdep
# brings and that are not vfio's; and each of these is named. SEED=N repeats a run.

seed=${SEED:-$(od -An -N3 -tu4 /dev/urandom | tr -d ' ')}
rounds=${ROUNDS:-100}
per_round=10

# generate SEED: so many random lines of modprobe.d.
generate() {
	awk -v seed="$1" -v lines=$per_round '
	function pick(list,   n, one) { n = split(list, one, "|"); return one[1 + int(rand() * n)] }
	function word() {
		return pick("ids=10de:1187|ids=10de:1187,10de:0e0a|\"ids=10de:1187\"|ids=\"10de:1187, 10de:0e0a\"|" \
			"ids=10de:1187, 10de:0e0a|ids|ids=|ids=\"|vfio-pci.ids=10de:1187|IDS=1:2|" \
			"disable_vga=1|disable-vga|disable_vga=maybe|disable_vga=|disable_idle_d3=on|" \
			"disable_idle_d3=off|disable_idle_d3=o|\"disable_idle_d3=y\"|disable_vga=\"n\"|" \
			"number=12|number=-12|number=0x1f|number=12x|number|number=4294967296|number=08|number=+7|" \
			"octet=255|octet=256|octet=-1|text=a|text|text=\"a b\"|text=a\"b c\"d|text=\"a=b\"|\"text=a b\"|" \
			"list=1,2,3|list=1,,3|list=65536|list|list=-1|" \
			"allow_unsafe_interrupts=1|allow-unsafe-interrupts=true|allow_unsafe_interrupts=9|" \
			"dma_entry_limit=65535|dma_entry_limit=many|enable_unsafe_noiommu_mode=Y|" \
			"unknown=1|unknown|=x|a=b=c|# my card|--|\"|\\\\\"x y\\\\\"|a\\\\ b|c\\\\d")
	}
	function blank() { return pick(" | |  |\t| \\\n |\\\n ") }
	function words(   s, n) {
		for (n = 1 + int(rand() * 4); n; n--)
			s = s blank() word()
		return s
	}
	BEGIN {
		srand(seed)
		for (i = 0; i < lines; i++) {
			r = rand()
			if (r < 0.75)
				print pick("|| |\t") "options" blank() \
					pick("vfio-pci|vfio_pci|vfio-pci|vfio_iommu_type1|vfio|vfio-pci-core") words() \
					pick("|| |\r")
			else if (r < 0.88)
				print "softdep " pick("vfio-pci|vfio|vfio_iommu_type1|irqbypass") \
					pick(" pre: | post: |  pre:\t") pick("many1|many2 many3|vfio-many4|vfio_many5 many6") \
					pick("| post: many7| pre: vfio-many4")
			else if (r < 0.93)
				print "install " pick("vfio-pci|vfio|irqbypass|many1") pick(" /bin/true| /bin/false a  b")
			else
				print pick("blacklist vfio-pci|# options vfio-pci number=1|Options vfio-pci number=2|#\\\n|options|options vfio-pci|install vfio-pci|")
		}
	}'
}

# expected <OUTPUT OF MODPROBE: the module lines of the plan; what is not in them goes to the file "named".
expected() {
	LC_ALL=C awk -v top="$root" -v named="$work/named" '
	function is_refused(name, has, value,   n, one, i) {
		gsub(/-/, "_", name)
		if (name ~ /^(disable_vga|disable_idle_d3)$/ && mod == "vfio-pci" ||
		    name ~ /^(allow_unsafe_interrupts|disable_hugepages)$/ && mod == "vfio_iommu_type1" ||
		    name == "enable_unsafe_noiommu_mode" && mod == "vfio")
			return has && value !~ /^([1yYtT0nNfF]|[oO][nNfF])/
		if (name == "dma_entry_limit" && mod == "vfio_iommu_type1")
			return !has || value !~ /^[0-9]+$/
		if (mod != "vfio-pci")
			return 0
		if (name == "number")
			return !has || value !~ /^([-+]?[1-9][0-9]*|0x[0-9a-f]+)$/ || value + 0 > 2147483647
		if (name == "octet")
			return !has || value !~ /^[0-9]+$/ || value + 0 > 255
		if (name == "text")
			return !has
		if (name == "list") {
			if (!has || value == "")
				return 1
			n = split(value, one, ",")
			for (i = 1; i <= n; i++)
				if (one[i] !~ /^[0-9]+$/ || one[i] + 0 > 65535)
					return 1
		}
		return 0
	}
	# One parameter: what the kernel makes of it, by the letter of lib/cmdline.c.
	function judge(word,   name, value, at, has, body) {
		body = word
		quoted = sub(/^"/, "", body)
		at = index(substr(body, 2), "=")
		has = at > 0
		name = has ? substr(body, 1, at) : body
		value = has ? substr(body, at + 2) : ""
		if (value ~ /^"/) {
			value = substr(value, 2)
			if (sub(/"$/, "", value) || body ~ /"$/)
				quoted = 0
		}
		if (quoted && has)
			sub(/"$/, "", value)
		if (quoted && !has)
			sub(/"$/, "", name)
		if (!has && name == "--")
			return "end"
		if (mod == "vfio-pci" && name == "ids")
			return value ~ /^ *$/ ? "no ids" : "ids"
		return is_refused(name, has, value) ? "refused" : "passed"
	}
	function options(text,   i, c, open, word, out, what, done, ids) {
		for (i = 1; i <= length(text) + 1 && !done; i++) {
			c = i <= length(text) ? substr(text, i, 1) : " "
			if (i > length(text) || (!open && c ~ /[ \t\r\v\f\n]/)) {
				if (word != "") {
					what = judge(word)
					if (what == "passed")
						out = out " " word
					else if (what == "refused")
						print "`" word "` is left out" >named
					else if (what ~ /ids$/)
						ids = what
					else {
						print "behind -- are left out" >named
						done = 1
					}
				}
				word = ""
				continue
			}
			if (c == "\"")
				open = !open
			word = word c
		}
		# The last one counts, and an empty one takes nothing.
		if (ids == "ids")
			print "ids= of modprobe.d left out" >named
		return out
	}
	$1 == "insmod" {
		path = $2
		sub(top, "", path)
		sub(/\.ko$/, "", path)
		mod = path
		sub(/.*\//, "", mod)
		if (mod in seen)
			next
		seen[mod] = 1
		if (mod !~ /^(vfio|irqbypass)/) {
			print "on " mod " is left out" >named
			next
		}
		sub(/^insmod +[^ ]+ ?/, "")
		print "module " path options($0)
	}'
}

# try SEED: one folder of random lines.
try() {
	: >"$work/named"
	generate "$1" >"$root/etc/modprobe.d/a.conf"
	mkdir -p "$work/no-install"
	# What an install command replaces, and its options, only a folder without it says.
	grep -v '^install ' "$root/etc/modprobe.d/a.conf" >"$work/no-install/a.conf"
	for name in vfio_iommu_type1 vfio_pci; do
		modprobe -d "$root" -S "$kernel" -C "$work/no-install" -D "$name" 2>/dev/null
		# Blanks at the end of a line are no part of a plan: they count in a quote that never ends.
	done | expected | sed 's/ *$//' >"$work/expected"
	modprobe -C "$root/etc/modprobe.d" --showconfig 2>/dev/null |
		sed -n 's/^install \(vfio[^ ]*\|irqbypass\) .*/`& is left out/p' |
		sed 's/ is left out$/` is left out/' >"$work/installs"
	# Of several for one module the first counts.
	sort -s -u -k 2,2 "$work/installs" >>"$work/named"
	plan
	[ "$status" -eq 0 ] || problem "exit status $status"
	sed -n 's/ *$//; /^module/p' "$work/out" >"$work/have"
	diff "$work/expected" "$work/have" >"$work/diff" ||
		problem "seed $1: $(cat "$work/diff")" "$(cat "$root/etc/modprobe.d/a.conf")"
	while read -r line; do
		grep -Fq -e "$line" "$work/out" || problem "seed $1: not named: $line"
	done <"$work/named"
}

begin "the plan passes what modprobe would: $((rounds * per_round)) lines, seed $seed"
for i in 1 2 3 6 7; do
	cp "$work/modules/many$i.ko" "$root/lib/modules/$kernel/kernel/"
done
for i in 4 5; do
	cp "$work/modules/many$i.ko" "$root/lib/modules/$kernel/kernel/vfio-many$i.ko"
done
index
i=0
while [ $i -lt "$rounds" ] && [ -z "$problems" ]; do
	try $((seed + i))
	i=$((i + 1))
done
