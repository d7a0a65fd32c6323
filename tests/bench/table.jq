# SPDX-License-Identifier: GPL-2.0-or-later
#
# bench.json to the rows of its table: what, ours, against what, theirs, ratio, target, verdict.

def round2: . * 100 | round / 100;
def ratio: if . < 0.1 then . * 10000 | round / 10000 else round2 end;
def ms: if . < 10 then round2 else . * 10 | round / 10 end | "\(.) ms";

# A row of times; target null: there is none.
def times($what; $ours; $against; $theirs; $target):
	select($ours and $theirs) | ($ours / $theirs) as $ratio |
	[$what, ($ours | ms), $against, ($theirs | ms), ($ratio | ratio),
	 (if $target then "<= \($target)" else "" end),
	 (if $target then (if $ratio <= $target then "met" else "MISSED" end) else "" end)];

# A row of one number.
def number($what; $n; $unit; $target):
	select($n != null) |
	[$what, "\($n | round2)\($unit)", "", "", "",
	 (if $target then "<= \($target)" else "" end),
	 (if $target then (if $n <= $target then "met" else "MISSED" end) else "" end)];

def boot: .boot // empty |
	times("start to verified bind"; .early_ms; "floor"; .floor_ms; 1.10),
	times("start to verified bind"; .early_ms; "recipe"; .recipe_ms; 0.65),
	times("start to verified bind"; .early_ms; "driverctl"; .driverctl_ms; null),
	times("of it reading and deciding (dry run)"; .dry_run_ms; "the whole run"; .early_ms; null);

def scan: .scan // [] | (.[0].address_ms) as $least | .[] |
	"\(.functions) functions" as $n |
	times("\($n), by ID"; .early_ms; "floor"; .floor_ms; 1.25),
	times("\($n), the scan alone"; .early_ms - .address_ms; "floor, too";
		.floor_ms - .empty_ms; 1.25),
	times("\($n), by ID"; .early_ms; "dash"; .dash_ms; null),
	times("\($n), by address"; .address_ms; "the fewest functions"; $least; null);

# What one function costs on the largest machine, and on a small one.
def growth: .scan // [] | map(select(.functions > 64)) | select(length > 1) |
	map(.us = (.early_ms - .address_ms) * 1000 / .functions) | .[0] as $few | .[-1] |
	["a function's scan, of \(.functions)", "\(.us | round2) us", "of \($few.functions)",
	 "\($few.us | round2) us", (.us / $few.us | round2), "", ""];

def calls: .calls_per_function // empty |
	number("calls a function: \(del(.getdents64) | keys | join(", "))";
		del(.getdents64) | add; ""; 3),
	number("calls a function: getdents64"; .getdents64; ""; null);

[boot], [scan], [growth],
[.list // empty | times("list, \(.functions) functions"; .early_ms; "lspci -nnk"; .lspci_ms; 0.5)],
[.vfs // empty | "\(.functions) virtual functions, write to verdict" as $what |
	times($what; .early_ms; "the writes alone"; .floor_ms; 1.3),
	times($what; .early_wall_ms; "on the clock"; .floor_wall_ms; null)],
[number("static binary"; .size_bytes; " B"; 20480)],
[number("peak memory"; .peak_kib; " KiB"; null)],
[calls],
[.image_bytes // {} | to_entries[] | number("added to an image of \(.key)"; .value; " B"; 24576)],
[.calls // empty | to_entries | sort_by(-.value) |
	["calls of a run on 64 functions, \(map(.value) | add): " +
	 (map("\(.key) \(.value)") | join(", "))]],
[select(.plan_ms) | times("plan, one kernel"; .plan_ms; "its whole image"; .image_build_ms; 0.01)] |
.[] | @tsv
