# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is wrong with the output of $command by vfio-early-json(5), a line each; nothing when it is right.
# Input: an array of all values that it printed (jq -s).

def is($types): type as $type | ($types | split(" ") | index($type)) != null;

# members({NAME: TYPES}): each of them is there, with one of its types.
def members($at; $wanted):
	. as $object
	| if type != "object" then "\($at): no object"
	  else $wanted | to_entries[]
		| .key as $key | .value as $types
		| if ($object | has($key) | not) then "\($at): no member \($key)"
		  elif ($object[$key] | is($types) | not) then
			"\($at).\($key): \($object[$key] | type), not \($types)"
		  else empty end
	  end;

def each($at; f): if type == "array" then .[] | f else "\($at): no array" end;

def code($at): if (.code | . == null or test("^[a-z0-9-]+$")) then empty else "\($at): code \(.code)" end;

def function($at): members($at; { address: "string", id: "string", name: "string null",
	group: "number null", driver: "string null", next: "string null", code: "string null",
	why: "string null" }), code($at);

def finding($at): members($at; { level: "string", stage: "string", code: "string",
	subject: "string null", text: "string", fix: "string null" }), code($at),
	(if (.level | IN("blocks", "idle", "warns", "notes", "unknown", "ok")) then empty
	 else "\($at): level \(.level)" end),
	(if (.stage | IN("config", "machine", "image", "boot", "device", "recipe", "vm")) then empty
	 else "\($at): stage \(.stage)" end);

def remark($at): members($at; { code: "string", text: "string" }), code($at);

def note($at): members($at; { level: "string" }), remark($at),
	(if (.level | IN("blocks", "notes")) then empty else "\($at): level \(.level)" end);

if length != 1 then "\(length) values, not one"
else .[0]
	| members($command; { schema: "number" }),
	  (if .schema == 2 then empty else "schema \(.schema)" end),
	  if $command == "list" then
		.functions | each("functions"; function("functions"), members("functions"; { vga: "boolean null" }))
	  elif $command == "groups" then
		.groups | each("groups"; members("groups"; { group: "number null", vm: "string null",
			code: "string null", why: "string null", asked: "string null",
			answer: "string null", functions: "array" }), code("groups"),
			(.functions | each("functions"; members("functions"; { address: "string",
				vm: "string null", code: "string null" }), code("functions"))))
	  elif $command == "check" then
		members("check"; { blocked: "boolean", kernel: "string null" }),
		(.functions | each("functions"; function("functions"))),
		(.findings | each("findings"; finding("findings")))
	  elif $command == "status" then
		members("status"; { version: "string", ready: "boolean", kernel: "string null",
			running: "string null", trial: "object null" }),
		(.trial // empty | members("trial"; { state: "string", minutes: "number", made: "number",
			left: "number null", tried: "string", good: "string" })),
		(.findings | each("findings"; finding("findings")))
	  elif $command == "verify" then
		members("verify"; { good: "boolean" }),
		(.images | each("images"; members("images"; { image: "string", state: "string",
			kernel: "string null", builder: "string null" }),
			(.wrong | each("wrong"; remark("wrong"))), (.notes | each("notes"; remark("notes"))),
			(.functions | each("functions"; function("functions")))))
	  elif $command == "detach" or $command == "reattach" then
		members($command; { dry_run: "boolean" }),
		(.functions | each("functions"; members("functions"; { address: "string", id: "string",
			group: "number null", was: "string null", driver: "string null", result: "string",
			code: "string null", why: "string null", fix: "string null" }), code("functions"))),
		(.users | each("users"; members("users"; { address: "string", code: "string",
			process: "string null", pid: "number null", what: "string null", forced: "boolean",
			text: "string", fix: "string null" }), code("users")))
	  elif $command == "vgpu" then
		.devices | each("devices"; members("devices"; { device: "string", kind: "string",
			name: "string null", total: "number null", used: "number null", free: "number null",
			driver: "string null", group: "number null", next: "string null" }))
	  elif $command == "log" then
		members("log"; { boot: "string null", source: "string null" }),
		(.lines | each("lines"; members("lines"; { usec: "number null", priority: "number null",
			message: "string" })))
	  elif $command == "vm" then
		members("vm"; { vmid: "number", refused: "boolean" }),
		(.calls | each("calls"; members("calls"; { words: "array" }),
			(.words | each("words"; if type == "string" then empty else "words: \(type)" end)))),
		(.notes | each("notes"; note("notes")))
	  elif $command == "add" then
		members("add"; { dry_run: "boolean", refused: "boolean", file: "string" }),
		(.lines | each("lines"; members("lines"; { line: "string" }))),
		(.findings | each("findings"; finding("findings")))
	  else "\($command): not known here" end
end
