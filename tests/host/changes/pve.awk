# SPDX-License-Identifier: GPL-2.0-or-later
#
# A model of how Proxmox VE reads the hostpci entries of a VM, from the documented grammar (qm.conf(5),
# hostpci[n]) and the checks that it makes before a VM starts.
#
#   awk -f pve.awk FUNCTIONS CONFIG
#
# FUNCTIONS: an address a line; CONFIG: the VM, current section, with "map NAME PATH" lines for the
# mappings of its node. Prints "hostpciN ADDRESS..." for each entry, in order, or "error: WHAT".

function fail(what) {
	print "error: " what
	failed = 1
	exit 1
}

# lspci(ID): all functions whose address begins with it.
function expand(id, entry, i, found) {
	if (id !~ /^([0-9a-f][0-9a-f][0-9a-f][0-9a-f]+:)?[0-9a-f][0-9a-f]:[0-9a-f][0-9a-f](\.[0-9a-f])?$/)
		fail(entry ": not an address: " id)
	if (id !~ /:.*:/)
		id = "0000:" id
	for (i = 1; i <= functions; i++)
		if (addr[i] == id || index(addr[i], id ".") == 1) {
			found = 1
			if (addr[i] in used)
				fail("device " addr[i] " assigned more than once")
			used[addr[i]] = entry
			given[entry] = given[entry] " " addr[i]
			count[entry]++
		}
	if (!found)
		fail("no PCI device found for " id)
}

function read_entry(entry, value, parts, part, i, key, text, prop, ids, n) {
	split("", prop)
	n = split(value, part, ",")
	for (i = 1; i <= n; i++) {
		if (part[i] == "")
			continue
		key = part[i]
		if (key ~ /=/) {
			text = substr(key, index(key, "=") + 1)
			key = substr(key, 1, index(key, "=") - 1)
		} else {
			text = key
			key = "host"
		}
		if (!(key in pattern) || text !~ ("^" pattern[key] "$"))
			fail(entry ": " key "=" text)
		if (key in prop)
			fail(entry ": duplicate key " key)
		prop[key] = text
	}
	if (("host" in prop) == ("mapping" in prop))
		fail(entry ": either host or mapping")
	if (prop["pcie"] == 1 && !q35)
		fail("q35 machine model is not enabled")
	if ("mapping" in prop && !(prop["mapping"] in map))
		fail("PCI device mapping not found for " prop["mapping"])
	n = split("mapping" in prop ? map[prop["mapping"]] : prop["host"], ids, ";")
	for (i = 1; i <= n; i++)
		expand(ids[i], entry)
	if ("mdev" in prop && count[entry] > 1)
		fail("cannot use mediated device with multifunction device")
	if (prop["legacy-igd"] == 1) {
		if (vga != "none")
			fail("legacy IGD requires VGA none")
		if (prop["rombar"] == "0" || prop["x-vga"] == 1 || "mdev" in prop || q35 || count[entry] > 1 ||
		    given[entry] !~ /02\.0$/)
			fail("legacy IGD with what it does not go with")
	}
}

BEGIN {
	boolean = "(0|1)"
	hex = "0x[0-9a-fA-F][0-9a-fA-F][0-9a-fA-F][0-9a-fA-F]"
	pattern["host"] = "[0-9a-f:.;]+"
	pattern["mapping"] = "[A-Za-z][A-Za-z0-9_-]+"
	pattern["rombar"] = pattern["pcie"] = pattern["x-vga"] = pattern["legacy-igd"] = boolean
	pattern["romfile"] = "[^,;]+"
	pattern["mdev"] = "[^/.:]+"
	pattern["driver"] = "(keep|vfio)"
	pattern["vendor-id"] = pattern["device-id"] = pattern["sub-vendor-id"] = pattern["sub-device-id"] = hex
}
FNR == NR {
	addr[++functions] = $1
	next
}
$1 == "map" {
	map[$2] = $3
	next
}
{
	key = substr($0, 1, index($0, ":") - 1)
	value = substr($0, index($0, ":") + 2)
	if (key == "machine")
		q35 = value ~ /q35/
	if (key == "vga")
		vga = value
	if (key ~ /^hostpci([0-9]|1[0-5])$/)
		entry[substr(key, 8)] = value
	else if (key ~ /^hostpci/)
		fail("no such option: " key)
}
END {
	if (failed)
		exit 1
	for (number = 0; number < 16; number++) {
		if (!(number in entry))
			continue
		read_entry("hostpci" number, entry[number])
		print "hostpci" number given["hostpci" number]
	}
}
