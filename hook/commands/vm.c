// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early vm: how to give a card to a virtual machine of Proxmox VE: what prevents it, the calls
 * of qm(1), which it prints or runs, and notes about the card.
 */
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands/candidate.h"
#include "commands/command.h"
#include "commands/guest.h"
#include "commands/guest_set.h"
#include "commands/qm.h"
#include "commands/vm.h"
#include "findings/findings.h"
#include "early/sysfs.h"
#include "host/host.h"
#include "host/naming.h"
#include "host/next_boot.h"
#include "host/slot.h"
#include "plan/plan.h"
#include "ui/options.h"
#include "ui/output.h"
#include "util/array.h"
#include "util/message.h"
#include "util/words.h"

/* --- notes */

static void add_note(struct vm *vm, struct vm_note item)
{
	for (size_t i = 0; i < vm->notes; i++) {
		if (strcmp(vm->note[i].text, item.text) != 0)
			continue;
		free(item.text);
		return;
	}
	if (array_append(&vm->note, &vm->notes, sizeof(item), &item)) {
		vm->no_memory = true;
		free(item.text);
	}
}

/* The last note is about what the host loses when the VM starts with an entry. */
static void note_loss(struct vm *vm, size_t from, int entry)
{
	if (vm->notes > from)
		vm->note[vm->notes - 1].entry = entry;
}

void vm_forget_losses(struct vm *vm, unsigned int number)
{
	size_t kept = 0;

	for (size_t i = 0; i < vm->notes; i++) {
		if (vm->note[i].entry == (int)number)
			free(vm->note[i].text);
		else
			vm->note[kept++] = vm->note[i];
	}
	vm->notes = kept;
}

void vm_note(struct vm *vm, const char *code, const char *fmt, ...)
{
	struct vm_note item = { .code = code, .entry = -1 };
	va_list args;
	int ret;

	va_start(args, fmt);
	ret = vasprintf(&item.text, fmt, args);
	va_end(args);
	if (ret < 0)
		vm->no_memory = true;
	else
		add_note(vm, item);
}

int vm_refuse(struct vm *vm, const char *code, const char *fmt, ...)
{
	struct vm_note item = { .code = code, .entry = -1, .refuses = true };
	va_list args;
	int ret;

	va_start(args, fmt);
	ret = vasprintf(&item.text, fmt, args);
	va_end(args);
	vm->is_refused = true;
	if (ret < 0) {
		vm->no_memory = true;
		return -EPERM;
	}
	message_error("%s", item.text);
	add_note(vm, item);
	return -EPERM;
}

void vm_call(struct vm *vm, const char *option, const char *value)
{
	const char *const words[] = { "qm", "set", vm->id, option, value };

	vm->no_memory |= qm_add(&vm->qm, words, sizeof(words) / sizeof(words[0])) != 0;
}

/* --- checks */

/* Only the IOMMU is missing. add accepts that too, because the next boot may have it. */
static bool is_for_later(const struct host *host, const struct host_function *fn)
{
	enum reason reason = fn->place == DECIDE_NO_INDEX ?
				     REASON_NONE :
				     host->decisions.verdict[fn->place].reason;

	return reason == REASON_NO_GROUP || reason == REASON_NO_IOMMU || reason == REASON_NOIOMMU;
}

bool vm_is_given(const struct vm *vm, const struct host_function *fn)
{
	return host_next(vm->host, fn) == HOST_NEXT_VFIO || is_for_later(vm->host, fn);
}

/* After `undo` the plan is empty: then it is the config as it is written that decides. */
static struct host *decided(struct vm *vm)
{
	if (!vm->host->is_undone || vm->written)
		return vm->written ? vm->written : vm->host;
	if (host_twin(vm->host, &vm->written))
		return vm->host;
	vm->written->undone = HOST_UNDONE_NO;
	vm->written->voice = PLAN_SAYS_NOTHING;
	host_decide(vm->written, NULL);
	return vm->written;
}

/* A virtual function that there will not be. Returns 0 if --force overrides that. */
static int refuse_not_made(struct vm *vm, const struct host *host, const struct host_function *fn)
{
	char addr[PCI_ADDRESS_SIZE], why[512], fix[NEXT_BOOT_FIX_SIZE];

	pci_address_format(&fn->pci.addr, addr);
	next_boot_why(host, fn, why, sizeof(why), fix, sizeof(fix));
	if (!vm->force)
		return vm_refuse(vm, NEXT_BOOT_NOT_MADE, "%s is not given to VMs: %s; fix: %s",
				 addr, why, fix);
	vm_note(vm, NEXT_BOOT_NOT_MADE, "%s: %s, so the VM does not start then; fix: %s", addr, why,
		fix);
	return 0;
}

/* The functions as bind lines; NULL without memory. */
static char *write_lines(const struct host *host, const struct pci_function *fn, size_t count)
{
	char *lines = NULL;
	size_t size;
	FILE *out = open_memstream(&lines, &size);

	for (size_t i = 0; out && i < count; i++)
		candidate_bind(host, &fn[i], "bind", out);
	if (out && !fclose(out))
		return lines;
	free(lines);
	return NULL;
}

/* Opens this host as if the config had lines for these functions, too. */
static int open_candidate(struct vm *vm, const struct pci_function *fn, size_t count,
			  struct host **candidate)
{
	char *compiled = NULL, *lines = write_lines(vm->host, fn, count);
	size_t size;
	int ret = lines ? plan_compile(&vm->host->root, NULL, &compiled, &size) :
			  message_errno(-ENOMEM, "cannot look at what is in use");

	if (!ret)
		ret = candidate_open(vm->host, compiled, lines, candidate);
	free(compiled);
	free(lines);
	return ret;
}

/* Instead of the fix for the config: the user asks for this function. */
static void fix_asked(const struct host *host, const struct host_function *fn, char *fix,
		      size_t size)
{
	enum reason reason = host->decisions.verdict[fn->place].reason;

	if (reason == REASON_BOOT_VGA)
		snprintf(fix, size, "boot-vga bind in the config");
	if (reason == REASON_EXCEPT)
		snprintf(fix, size, "remove it from the except line");
}

/* What `add` would refuse it for, in place of the advice to add it. */
static void why_not_added(struct vm *vm, const struct host_function *fn, char *why, size_t why_size,
			  char *fix, size_t fix_size)
{
	struct host *candidate = NULL;
	const struct host_function *there;
	char addr[PCI_ADDRESS_SIZE];
	size_t len;

	if (open_candidate(vm, &fn->pci, 1, &candidate))
		return;
	there = host_find(candidate, &fn->pci.addr);
	if (host_next(candidate, there) == HOST_NEXT_REFUSED && !host_protect(candidate, there)) {
		next_boot_why(candidate, there, why, why_size, fix, fix_size);
		fix_asked(candidate, there, fix, fix_size);
		len = strlen(fix);
		if (len)
			snprintf(fix + len, fix_size - len, ", then vfio-early add %s%s",
				 vm->only ? "--only " : "",
				 pci_address_format(&fn->pci.addr, addr));
	}
	host_close(candidate);
}

/* Refuses a function that the next boot does not bind. Returns 0 if --force overrides that. */
static int refuse_missing(struct vm *vm, const struct pci_address *address)
{
	const struct host *host = decided(vm);
	const struct host_function *fn = host_find(host, address);
	enum host_next next = host_next(host, fn);
	char addr[PCI_ADDRESS_SIZE], why[512], fix[NEXT_BOOT_FIX_SIZE];
	const char *protect = host_protect(host, fn), *code = "not-in-config";

	if (next == HOST_NEXT_NOT_MADE)
		return refuse_not_made(vm, host, fn);
	pci_address_format(address, addr);
	if (host != vm->host && (next == HOST_NEXT_VFIO || is_for_later(host, fn))) {
		code = "undone";
		snprintf(why, sizeof(why),
			 "vfio-early undo is in effect, so the next boot does not use the config");
		snprintf(fix, sizeof(fix), COMMAND_APPLY);
	} else if (next == HOST_NEXT_REFUSED || next == HOST_NEXT_HELD) {
		code = next_boot_code(host, fn);
		next_boot_why(host, fn, why, sizeof(why), fix, sizeof(fix));
		fix_asked(host, fn, fix, sizeof(fix));
	} else if (host_vfs(host, address)) {
		snprintf(why, sizeof(why), "the config makes %u virtual function%s of it",
			 host_vfs(host, address)->number,
			 host_vfs(host, address)->number == 1 ? "" : "s");
		snprintf(fix, sizeof(fix), "name one of those: vfio-early list shows them");
	} else {
		snprintf(why, sizeof(why), "no bind line names it");
		snprintf(fix, sizeof(fix), "vfio-early add %s%s", vm->only ? "--only " : "", addr);
		why_not_added(vm, fn, why, sizeof(why), fix, sizeof(fix));
	}
	if (vm->force) {
		vm_note(vm, "not-in-config",
			"the next boot does not bind %s (%s): its driver has it until the VM starts",
			addr, why);
		return 0;
	}
	if (protect)
		return vm_refuse(vm, code_name(REASON_PROTECTED),
				 "%s %s: this host needs it; --force gives it away all the same",
				 addr, protect);
	return vm_refuse(vm, code, "%s is not given to VMs: %s%s%s", addr, why,
			 *fix ? "; fix: " : "", fix);
}

/* No VM gets a bridge of the chipset, nor, while the host has it, what shares its group. */
static int refuse_bridge(struct vm *vm, const struct pci_function *fn)
{
	const struct host_function *bridge = next_boot_bridge(vm->host, fn->group);
	char addr[PCI_ADDRESS_SIZE], other[PCI_ADDRESS_SIZE];

	if (!bridge || vm->force || host_find(vm->host, &fn->addr) == bridge)
		return 0;
	/* A driver has it: check says so, with what else is in the way. */
	if (!host_is_viable_driver(bridge->pci.driver))
		return 0;
	return vm_refuse(
		vm, code_name(REASON_BRIDGE),
		"%s is in group %d with %s, a bridge of the chipset: no VM can have them once a "
		"driver takes that one; fix: name a device of another group; --force --only "
		"gives it all the same",
		pci_address_format(&fn->addr, addr), fn->group,
		pci_address_format(&bridge->pci.addr, other));
}

/* Checks every function, before any message about the VM. */
static int check_functions(struct vm *vm)
{
	int ret = 0;

	for (size_t i = 0; i < vm->slot.count; i++) {
		const struct host_function *fn = host_find(vm->host, &vm->slot.fn[i].addr);
		char addr[PCI_ADDRESS_SIZE];

		pci_address_format(&vm->slot.fn[i].addr, addr);
		if (!fn)
			return vm_refuse(vm, "function-unreadable", "%s cannot be read", addr);
		if (pci_is_bridge(&fn->pci) && !pci_is_port(&fn->pci))
			return vm_refuse(vm, code_name(REASON_BRIDGE),
					 "%s is a bridge of the chipset, in the slot or the group "
					 "of what is named: no VM gets it; fix: name a device of "
					 "another group%s",
					 addr,
					 next_boot_bridge(vm->host, vm->slot.fn[i].group) ?
						 "" :
						 ", or its function with --only");
		if (pci_is_bridge(&fn->pci))
			return vm_refuse(vm, code_name(REASON_BRIDGE),
					 "%s is a bridge; fix: name what is behind it", addr);
		if (refuse_bridge(vm, &vm->slot.fn[i]))
			return -EPERM;
		if (vm->slot.fn[i].group < 0)
			vm_note(vm, "no-group",
				"%s has no IOMMU group, so no VM gets it: vfio-early status says why",
				addr);
		if (host_next(vm->host, fn) != HOST_NEXT_VFIO && refuse_missing(vm, &fn->pci.addr))
			ret = -EPERM;
		else if (host_next(vm->host, fn) == HOST_NEXT_VFIO && host_protect(vm->host, fn))
			vm_note(vm, code_name(REASON_FORCED),
				"%s %s: this host needs it, and bind! in the config gives it away",
				addr, host_protect(vm->host, fn));
	}
	return ret;
}

static bool is_of_vm(const struct vm *vm, const struct finding *finding)
{
	return finding->vm && finding->vm == strtoul(vm->id, NULL, 10);
}

/* Is it about a function for the VM, its group, or something else that this VM takes? */
static bool is_ours(const struct vm *vm, const struct finding *finding)
{
	struct pci_address addr;

	if (is_of_vm(vm, finding))
		return true;
	for (size_t i = 0; i < vm->slot.count; i++)
		if (finding->group >= 0 && finding->group == vm->slot.fn[i].group)
			return true;
	return !pci_address_parse(finding->subject, &addr) && slot_has(&vm->slot, &addr);
}

/* A blocking finding refuses; what the host loses becomes a note. */
static int judge(struct vm *vm, const struct findings *findings)
{
	int ret = 0;

	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->list[i];
		size_t before = vm->notes;
		bool blocks = finding->level == FINDING_BLOCKS &&
			      (finding->stage == FINDING_STAGE_VM ||
			       finding->stage == FINDING_STAGE_DEVICE);

		if (!is_ours(vm, finding))
			continue;
		if (blocks && !vm->force) {
			ret = vm_refuse(vm, finding->code, "%s: %s%s%s", finding->subject,
					finding->text, *finding->fix ? "; fix: " : "",
					finding->fix);
		} else if (blocks || finding_is(finding, FINDING_DISK) ||
			   finding_is(finding, FINDING_ADDRESS) ||
			   finding_is(finding, FINDING_GROUP_IDLE) ||
			   (is_of_vm(vm, finding) &&
			    (finding_is(finding, FINDING_VM_TAKES) ||
			     finding_is(finding, FINDING_VM_ENTRY_NUMBER)))) {
			vm_note(vm, finding->code, "%s: %s%s%s", finding->subject, finding->text,
				*finding->fix ? "; fix: " : "", finding->fix);
			if (finding_is(finding, FINDING_VM_TAKES))
				note_loss(vm, before, finding->entry);
		}
	}
	return ret;
}

/* Checks as `check` does once the config has all of them. Returns -EPERM if something blocks. */
static int check_group(struct vm *vm)
{
	struct findings findings = { 0 };
	struct host *candidate = NULL;
	int ret = open_candidate(vm, vm->slot.fn, vm->slot.count, &candidate);

	if (!ret)
		ret = findings_collect_check(candidate, NULL, &findings);
	if (!ret)
		ret = judge(vm, &findings);
	findings_free(&findings);
	host_close(candidate);
	return ret;
}

/* Does this VM have a mediated device of the type already? Then it needs no further one. */
static bool has_mdev(const struct vm *vm, const struct pci_function *fn)
{
	char type[128];

	for (size_t i = 0; i < PVE_MAX_HOSTPCI; i++)
		if (vm->entry[i].flags && vm->entry[i].flags[vm_index(vm, fn)] & PVE_NAMED &&
		    pve_property(vm->entry[i].value, NULL, "mdev", type, sizeof(type)) &&
		    !strcmp(type, vm->mdev))
			return true;
	return false;
}

/* The number of further devices of the type: Documentation/driver-api/vfio-mediated-device.rst. */
static int check_instances(struct vm *vm, const struct pci_function *fn)
{
	char addr[PCI_ADDRESS_SIZE], path[SYSFS_PATH_MAX], name[160], text[32];

	snprintf(name, sizeof(name), "mdev_supported_types/%.90s/available_instances", vm->mdev);
	if (sysfs_read(vm->host->root.fd, pci_attribute(path, &fn->addr, name), text,
		       sizeof(text)) < 0 ||
	    strcmp(text, "0") != 0 || has_mdev(vm, fn))
		return 0;
	return vm_refuse(vm, "mdev-none-left",
			 "%s has no %s left: all are in use, or another type is; fix: stop a VM "
			 "that has one (vfio-early vgpu)",
			 pci_address_format(&fn->addr, addr), vm->mdev);
}

static bool is_nvidia_type(const struct vm *vm, const struct pci_function *fn)
{
	char path[SYSFS_PATH_MAX], text[32];

	return !strncmp(vm->mdev, "nvidia-", 7) &&
	       sysfs_read(vm->host->root.fd,
			  pci_attribute(path, &fn->addr, "nvidia/current_vgpu_type"), text,
			  sizeof(text)) >= 0 &&
	       strcmp(text, "0") != 0 && !strcmp(text, vm->mdev + 7);
}

/* What leaves a function that a line binds with its driver. */
static void fix_bound(const struct vm *vm, const struct host_function *fn, char fix[NAMING_SIZE])
{
	const struct verdict *verdict = &vm->host->decisions.verdict[fn->place];
	struct slot list = { 0 };
	char physfn[64];

	/* remove would take the line that makes them, too. */
	if (verdict->bind != DECIDE_NO_INDEX &&
	    vm->host->plan.bind[verdict->bind].sel.kind == SELECTOR_VF)
		snprintf(fix, NAMING_SIZE, "delete bind vf:%s in the config",
			 host_link(vm->host, fn, "physfn", physfn, sizeof(physfn)));
	else if (naming_add_one(vm->host, &fn->pci.addr, &list))
		fix[0] = '\0';
	else
		naming_remove(vm->host, &list, fix);
	slot_free(&list);
}

/* The host's driver makes a mediated device, so it must keep the function. */
static int check_mdev(struct vm *vm)
{
	const struct pci_function *fn = &vm->slot.fn[0];
	const struct host_function *mine = host_find(vm->host, &fn->addr);
	char addr[PCI_ADDRESS_SIZE], path[SYSFS_PATH_MAX], name[128], types[4096] = "";
	char fix[NAMING_SIZE];

	pci_address_format(&fn->addr, addr);
	if (vm->slot.count != 1)
		return vm_refuse(vm, "mdev-functions",
				 "a mediated device belongs to one function; fix: --only, "
				 "and its address with the function");
	if (host_next(vm->host, mine) == HOST_NEXT_NOT_MADE && refuse_not_made(vm, vm->host, mine))
		return -EPERM;
	if (host_next(vm->host, mine) != HOST_NEXT_NOT_MADE && !host_keeps_driver(vm->host, mine)) {
		fix_bound(vm, mine, fix);
		return vm_refuse(vm, "mdev-of-bound",
				 "%s is %s by the config, and offers no mediated device then; "
				 "fix: %s",
				 addr,
				 host_next(vm->host, mine) == HOST_NEXT_HELD ? "held" : "bound",
				 fix);
	}
	snprintf(name, sizeof(name), "mdev_supported_types/%.90s", vm->mdev);
	if (sysfs_exists(vm->host->root.fd, pci_attribute(path, &fn->addr, name)))
		return check_instances(vm, fn);
	/* NVIDIA since kernel 6.8: the current type, or "ID : NAME" lines. */
	if (is_nvidia_type(vm, fn))
		return 0;
	sysfs_read_whole(vm->host->root.fd,
			 pci_attribute(path, &fn->addr, "nvidia/creatable_vgpu_types"), types,
			 sizeof(types));
	for (const char *line = types; *line && !strncmp(vm->mdev, "nvidia-", 7);) {
		size_t len;

		line += strspn(line, " \t");
		len = strspn(line, "0123456789");
		if (len && len == strlen(vm->mdev + 7) && !strncmp(line, vm->mdev + 7, len))
			return 0;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return vm_refuse(vm, "mdev-not-offered",
			 "%s does not offer %s; fix: vfio-early vgpu lists what there is", addr,
			 vm->mdev);
}

/* --- further notes */

/* Other VMs that have any of the functions: "VM 101 (hostpci0), VM 102 (args)". */
static char *name_others(const struct vm *vm, size_t *count)
{
	unsigned int own = (unsigned int)strtoul(vm->id, NULL, 10);
	char *text = NULL, key[24];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < vm->pve.entries && out; i++) {
		const struct pve_entry *entry = &vm->pve.entry[i];
		bool has_any = false;

		for (size_t j = 0; j < vm->slot.count; j++)
			has_any |= entry->flags[vm_index(vm, &vm->slot.fn[j])] != 0;
		if (!has_any || entry->vm->id == own || entry->is_mdev)
			continue;
		snprintf(key, sizeof(key), "hostpci%u", entry->number);
		fprintf(out, "%sVM %u (%s)", (*count)++ ? ", " : "", entry->vm->id,
			entry->is_args ? "args" : key);
	}
	if (out && !fclose(out))
		return text;
	free(text);
	return NULL;
}

static void note_other_vms(struct vm *vm)
{
	unsigned int own = (unsigned int)strtoul(vm->id, NULL, 10);
	size_t count = 0;
	char *others = name_others(vm, &count);

	for (size_t i = 0; i < vm->slot.count; i++) {
		unsigned int user = pve_user(&vm->pve, &vm->slot.fn[i].addr);

		if (user && user != own)
			vm_note(vm, "in-use-by-vm", "VM %u runs with it now: stop that one first",
				user);
	}
	if (count)
		vm_note(vm, "shared-with-vm",
			"%s %s it too, or another function of its group: only one of them can run",
			others, count == 1 ? "has" : "have");
	vm->no_memory |= !others;
	free(others);
}

/* Notes the size of the largest BAR of a card with resizable BARs: "resource2_resize". */
static void note_bar(struct vm *vm, const struct pci_function *fn)
{
	char path[SYSFS_PATH_MAX], text[2048] = "", name[32], addr[PCI_ADDRESS_SIZE];
	unsigned long long largest = 0;
	const char *line = text;
	bool can_resize = false;

	sysfs_read_whole(vm->host->root.fd, pci_attribute(path, &fn->addr, "resource"), text,
			 sizeof(text));
	for (unsigned int i = 0; i < 6 && *line; i++) {
		unsigned long long start, end;

		if (sscanf(line, "%llx %llx", &start, &end) == 2 && end > start &&
		    end - start + 1 > largest)
			largest = end - start + 1;
		snprintf(name, sizeof(name), "resource%u_resize", i);
		can_resize |= sysfs_exists(vm->host->root.fd, pci_attribute(path, &fn->addr, name));
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	if (can_resize && largest)
		vm_note(vm, "bar-size",
			"the largest BAR of %s has %llu MiB now: a VM sees this size, and cannot "
			"change it",
			pci_address_format(&fn->addr, addr), largest >> 20);
}

static void note_card(struct vm *vm)
{
	bool is_apu = false;

	for (size_t i = 0; i < vm->slot.lefts; i++) {
		const struct slot_left *left = &vm->slot.left[i];
		const struct host_function *fn = host_find(vm->host, &left->addr);
		char addr[PCI_ADDRESS_SIZE], why[160];
		int number;

		if (slot_has(&vm->slot, &left->addr))
			continue;
		is_apu |= fn && fn->pci.id.vendor == 0x1022;
		slot_why_left(vm->host, left, why, sizeof(why));
		number = fn ? vm_find_entry(vm, (size_t)(fn - vm->host->fn)) : -1;
		pci_address_format(&left->addr, addr);
		if (number < 0)
			vm_note(vm, "not-of-card", "%s is left: %s", addr, why);
		else
			vm_note(vm, "not-of-card-given",
				"hostpci%d of VM %s gives it %s too: %s; fix: name the functions in the "
				"entry, not the slot",
				number, vm->id, addr, why);
	}
	for (size_t i = 0; i < vm->slot.count; i++) {
		const struct pci_function *fn = &vm->slot.fn[i];
		char addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE], set[PLAN_VALUE_SIZE];

		note_bar(vm, fn);
		for (const struct guest_hint *hint = guest_hints(fn); hint;
		     hint = guest_next(fn, hint))
			vm_note(vm, "guest-hint", "%s (%s), %s: %s",
				pci_address_format(&fn->addr, addr), pci_id_format(&fn->id, id),
				hint->name, hint->text);
		if (*guest_set(vm->host, host_find(vm->host, &fn->addr), set, sizeof(set)))
			vm_note(vm, "guest-set",
				"for every boot, in /etc/vfio-early.conf: set %s %s",
				pci_address_format(&fn->addr, addr), set);
		if (is_apu && fn->id.vendor == 0x1002 && fn->class >> 16 == 0x03 && !vm->romfile)
			vm_note(vm, "apu-rom",
				"the GPU of an APU has no ROM of its own: the guest needs --romfile with "
				"the VBIOS, which the table VFCT in /sys/firmware/acpi/tables holds, or the "
				"firmware update of this board");
	}
}

/* Is there a call that sets this option? */
static bool is_set(const struct vm *vm, const char *option)
{
	for (size_t i = 0; i < vm->qm.calls; i++)
		for (size_t j = 0; j < vm->qm.call[i].words; j++)
			if (!strcmp(vm->qm.call[i].word[j], option))
				return true;
	return false;
}

/* Of the machine, only what no call sets is left as it is, and only that can be added. */
static void note_unread(struct vm *vm)
{
	static const struct {
		const char *option, *what, *wish, *add;
	} parts[] = {
		{ "--machine", "machine", "q35", "--machine" },
		{ "--bios", "firmware", "OVMF", "--ovmf" },
		{ "--cpu", "CPU", NULL, NULL },
	};
	char left[64] = "", wish[32] = "", add[32] = "";
	size_t count = 0, missing = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && vm->slot.count; i++)
		missing += !is_set(vm, parts[i].option);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && missing; i++) {
		size_t left_len = strlen(left), wish_len = strlen(wish), add_len = strlen(add);

		if (is_set(vm, parts[i].option))
			continue;
		snprintf(left + left_len, sizeof(left) - left_len, "%s%s",
			 !count		      ? "" :
			 count + 1 == missing ? " and " :
						", ",
			 parts[i].what);
		count++;
		if (!parts[i].wish)
			continue;
		snprintf(wish + wish_len, sizeof(wish) - wish_len, "%s%s", *wish ? " and " : "",
			 parts[i].wish);
		snprintf(add + add_len, sizeof(add) - add_len, " %s", parts[i].add);
	}
	vm_note(vm, "vm-not-read",
		"the config of VM %s was not read (no qm here): numbers are counted from 0, and "
		"what it has already is not known%s%s%s%s%s%s%s",
		vm->id, missing ? "; its " : "", left,
		missing ? missing == 1 ? " is left as it is" : " are left as they are" : "",
		*wish ? "; if it is to be " : "", wish, *wish ? ", add" : "", add);
}

static void note_state(struct vm *vm)
{
	const char *lock = pve_config_get(&vm->qm.config, "lock");
	char path[SYSFS_PATH_MAX], why[400];

	if (lock && vm->qm.calls)
		vm_note(vm, "vm-locked",
			"VM %s is locked (%s): qm set is refused until that has ended; where it was broken "
			"off: qm unlock %s",
			vm->id, lock, vm->id);

	if (vm->slot.count &&
	    sysfs_exists(vm->host->root.fd, sysfs_path(path, "run/qemu-server/%s.pid", vm->id)))
		vm_note(vm, "vm-running",
			"VM %s runs: a PCI device cannot be plugged in; stop it, then start it again",
			vm->id);
	if (vm->pve.state == PVE_UNKNOWN)
		vm_note(vm, "vms-unknown", "%s: which other VM has it is not known",
			pve_why_unknown(&vm->pve, why, sizeof(why)));
	if (!vm->qm.is_known)
		note_unread(vm);
}

static void note_screen(struct vm *vm)
{
	for (size_t i = 0; i < vm->slot.count; i++) {
		const struct pci_function *fn = &vm->slot.fn[i];
		char addr[PCI_ADDRESS_SIZE];

		pci_address_format(&fn->addr, addr);
		addr[strlen(addr) - 2] = '\0';
		if (fn->boot_vga && vm->has_primary)
			vm_note(vm, "screen",
				"%s shows the host's console: with x-vga=1 it becomes the guest's only "
				"screen, and the host is reached over the network alone",
				addr);
	}
}

/* --- printing */

static struct json_object *json_calls(const struct vm *vm)
{
	struct json_object *calls = json_object_new_array();

	for (size_t i = 0; i < vm->qm.calls && calls && !vm->is_refused; i++) {
		struct json_object *call = json_object_new_object();
		struct json_object *words = json_object_new_array();

		if (!call || !words)
			return calls;
		for (size_t j = 0; j < vm->qm.call[i].words; j++)
			json_object_array_add(words, output_json_text(vm->qm.call[i].word[j]));
		json_object_object_add(call, "words", words);
		json_object_array_add(calls, call);
	}
	return calls;
}

static const char *level_of(const struct vm_note *note)
{
	return finding_level_name(note->refuses ? FINDING_BLOCKS : FINDING_NOTES);
}

static struct json_object *json_notes(const struct vm *vm)
{
	struct json_object *notes = json_object_new_array();

	for (size_t i = 0; i < vm->notes && notes; i++) {
		const struct vm_note *item = &vm->note[i];
		struct json_object *object = json_object_new_object();

		if (!object)
			return notes;
		json_object_object_add(object, "level", output_json_text(level_of(item)));
		json_object_object_add(object, "code", output_json_text(item->code));
		json_object_object_add(object, "text",
				       output_json_text(words_of(item->code, item->text)));
		json_object_array_add(notes, object);
	}
	return notes;
}

static int print_json(const struct vm *vm)
{
	struct json_object *top = output_json_object();

	if (!top)
		return output_json(NULL);
	json_object_object_add(top, "vmid", json_object_new_int64(atoll(vm->id)));
	json_object_object_add(top, "refused", json_object_new_boolean(vm->is_refused));
	json_object_object_add(top, "calls", json_calls(vm));
	json_object_object_add(top, "notes", json_notes(vm));
	return output_json(top);
}

enum {
	COL_LEVEL,
	COL_CODE,
	COL_TEXT,
};

static const struct output_column columns[] = {
	{ "LEVEL", "blocks: refused; notes", 6, 0, OUTPUT_STRING, true },
	{ "CODE", "a stable word", 12, 0, OUTPUT_STRING, true },
	{ "TEXT", "in words", 0.7, SCOLS_FL_TRUNC, OUTPUT_STRING, true },
	{ 0 },
};

/* Prints the refusals and notes, instead of the calls. */
static int print_table(const struct vm *vm, const struct output *output)
{
	struct output_table table;
	int ret = output_table_init(&table, output, "notes", columns);

	for (size_t i = 0; i < vm->notes && !ret; i++) {
		const struct vm_note *item = &vm->note[i];
		struct libscols_line *line = output_line(&table, NULL);

		output_set(&table, line, COL_LEVEL, level_of(item));
		output_set(&table, line, COL_CODE, item->code);
		output_set(&table, line, COL_TEXT, words_of(item->code, item->text));
		output_mark_cell(&table, line, COL_LEVEL, item->refuses ? OUTPUT_BAD : OUTPUT_DIM);
	}
	if (!ret)
		ret = output_table_print(&table);
	output_table_free(&table);
	return ret;
}

static int print_text(const struct vm *vm, const struct output *output)
{
	for (size_t i = 0; i < vm->qm.calls && !vm->libvirt; i++) {
		for (size_t j = 0; j < vm->qm.call[i].words; j++) {
			char *word = vm_quote(vm->qm.call[i].word[j]);

			if (!word)
				return message_errno(-ENOMEM, "cannot say how");
			printf("%s%s", j ? " " : "", word);
			free(word);
		}
		putchar('\n');
	}
	if (vm->libvirt)
		vm_print_libvirt(vm);
	for (size_t i = 0; i < vm->notes; i++) {
		const char *text = words_of(vm->note[i].code, vm->note[i].text);

		/* The output must remain XML. */
		if (vm->libvirt) {
			fprintf(stderr, "# %s\n", text);
			continue;
		}
		output_fold_comment(output, text);
	}
	return 0;
}

static int print(const struct vm *vm, const struct output *output)
{
	if (vm->no_memory)
		return message_errno(-ENOMEM, "cannot say how");
	if (output->format == OUTPUT_JSON)
		return print_json(vm);
	if (output_is_table(output))
		return print_table(vm, output);
	/* The refusal has been printed. */
	return vm->is_refused ? 0 : print_text(vm, output);
}

/* --- the whole */

/* Finds the functions of the VM's existing entries. */
static int read_entries(struct vm *vm)
{
	int ret = 0;

	for (unsigned int i = 0; i < PVE_MAX_HOSTPCI && !ret; i++) {
		vm->entry[i].value = pve_config_indexed(&vm->qm.config, "hostpci", i);
		if (vm->entry[i].value)
			ret = pve_entry_resolve(vm->host, &vm->pve, &vm->entry[i]);
		if (!ret && vm->entry[i].value)
			vm_name_mapped(vm, &vm->entry[i]);
		if (!ret && vm->entry[i].value && strlen(vm->entry[i].value) >= VM_LIST_SIZE)
			ret = message_error("hostpci%u of VM %s is longer than %d characters; fix: "
					    "name each function once",
					    i, vm->id, VM_LIST_SIZE);
	}
	vm->args.value = pve_config_get(&vm->qm.config, "args");
	if (!ret && vm->args.value)
		ret = pve_resolve_args(vm->host, &vm->args);
	return ret;
}

static int find_functions(struct vm *vm, const struct options *opts, int argc, char **argv)
{
	int ret = host_open(opts->root, &vm->host);

	if (ret)
		return COMMAND_NOTHING;
	for (int i = 0; i < argc; i++) {
		ret = slot_add(vm->host, argv[i], vm->only ? SLOT_ONLY : SLOT_WHOLE, &vm->slot);
		if (ret)
			return command_selected(ret) < 0 ? COMMAND_NOTHING : COMMAND_USAGE;
	}
	if (host_decide(vm->host, NULL) || pve_open(vm->host, &vm->pve))
		return COMMAND_NOTHING;
	if (!vm->libvirt)
		ret = qm_read(&vm->qm, vm->host, &vm->pve, vm->id);
	if (!ret && vm->run && !vm->host->root.is_host)
		ret = message_error(
			"--run changes a VM of this host, not one of a recorded machine; "
			"fix: leave out --root");
	if (!ret && vm->run && !*vm->qm.path)
		ret = message_error("qm is not in PATH: this is not a Proxmox VE host; fix: run "
				    "the calls there");
	if (!ret)
		ret = read_entries(vm);
	return ret ? COMMAND_NOTHING : 0;
}

static bool is_first_screen(const struct pve_entry *entry)
{
	char text[64];

	return entry->value &&
	       pve_is_true(pve_property(entry->value, NULL, "x-vga", text, sizeof(text)));
}

/* Does another entry have the guest's primary screen? */
static bool has_other_screen(const struct vm *vm, int but)
{
	for (int i = 0; i < PVE_MAX_HOSTPCI; i++)
		if (i != but && is_first_screen(&vm->entry[i]))
			return true;
	return false;
}

/*
 * Chooses the function for x-vga. Intel's GPU is never x-vga; the GPU with the host's screen
 * becomes the guest's primary one, unless the entries differ.
 */
static void choose_primary(struct vm *vm)
{
	for (size_t i = 0; i < vm->slot.count && !vm->has_primary && !vm->mdev; i++) {
		const struct pci_function *fn = &vm->slot.fn[i];
		int entry = vm_find_entry(vm, vm_index(vm, fn));
		bool is_default = fn->boot_vga && fn->id.vendor != 0x8086 &&
				  !has_other_screen(vm, entry);

		if (vm_is_igpu(fn) || fn->class >> 16 != 0x03)
			continue;
		vm->has_primary = vm->primary ||
				  (is_default && (entry < 0 || is_first_screen(&vm->entry[entry])));
		vm->primary_at = vm_index(vm, fn);
	}
}

/* Returns an exit status, or 0 with calls and notes. */
static int make_calls(struct vm *vm)
{
	int ret = 0;

	choose_primary(vm);
	if (vm->slot.count)
		ret = vm->mdev ? check_mdev(vm) : check_functions(vm);
	if (!ret && vm->slot.count && !vm->mdev)
		ret = check_group(vm);
	if (ret)
		return COMMAND_INCOMPLETE;
	if (vm->slot.count && !vm->libvirt)
		vm_machine(vm);
	if (!vm->libvirt)
		ret = vm_devices(vm);
	for (unsigned int i = 0; i < vm->usbs && !ret; i++)
		ret = vm_usb(vm, vm->usb[i]);
	if (ret)
		return COMMAND_INCOMPLETE;
	note_screen(vm);
	note_card(vm);
	note_other_vms(vm);
	if (!vm->libvirt)
		note_state(vm);
	return 0;
}

static int run(struct vm *vm, const struct options *opts, int argc, char **argv)
{
	int ret = find_functions(vm, opts, argc, argv);

	if (!ret)
		ret = make_calls(vm);
	if (ret)
		return vm->is_refused && print(vm, &opts->output) ? COMMAND_NOTHING : ret;
	ret = print(vm, &opts->output);
	/* Calls that cannot be shown are not run. */
	if (!ret && vm->run && fflush(stdout))
		return COMMAND_NOTHING;
	if (!ret && vm->run)
		ret = qm_run(&vm->qm);
	return ret ? COMMAND_NOTHING : COMMAND_OK;
}

static void release(struct vm *vm)
{
	for (size_t i = 0; i < vm->notes; i++)
		free(vm->note[i].text);
	for (size_t i = 0; i < PVE_MAX_HOSTPCI; i++)
		free(vm->entry[i].flags);
	for (size_t i = 0; i < PVE_MAX_HOSTPCI; i++)
		free(vm->next[i]);
	free(vm->args.flags);
	free(vm->note);
	free(vm->usb);
	pve_close(&vm->pve);
	qm_free(&vm->qm);
	slot_free(&vm->slot);
	host_close(vm->written);
	host_close(vm->host);
}

/*
 * 100 to 999999999 (PVE::JSONSchema, pve-vmid). So none of our arguments can be an option for qm.
 */
static bool is_vmid(const char *text)
{
	size_t len = strspn(text, "0123456789");

	return len >= 3 && len <= 9 && !text[len] && *text != '0';
}

static const struct options_entry entries[] = {
	{ "run", 'R', NULL, "run the commands, too" },
	{ "only", '1', NULL, "only the named function, not its whole card" },
	{ "usb", 'u', "DEVICE", "give this USB device too: VENDOR:PRODUCT or BUS-PORT" },
	{ "primary", 'p', NULL, "make it the guest's first screen: x-vga=1, vga none" },
	{ "ovmf", 'O', NULL, "set bios=ovmf also for a VM that has a disk" },
	{ "machine", 'q', NULL, "set machine=q35 also for a VM that has a disk" },
	{ "mapping", 'm', "NAME", "use a mapping, which is compared at each start" },
	{ "mdev", 't', "TYPE", "give a mediated device of this type (see vgpu)" },
	{ "romfile", 'F', "NAME", "use this ROM from /usr/share/kvm" },
	{ "rombar", 'B', "0", "hide the card's ROM" },
	{ "hidden", 'H', NULL, "hide KVM from an old NVIDIA driver" },
	{ "libvirt", 'l', NULL, "print <hostdev> elements for libvirt instead" },
	{ "force", 'f', NULL, "do what would be refused, too" },
	{ 0 },
};
static const struct options_spec spec = {
	.usage = "vm [OPTION...] VMID ADDRESS...",
	.about = "Prints the qm commands that give a card to a VM of Proxmox VE.\n",
	.entry = entries,
	.common = OPTIONS_READING | OPTIONS_COLUMNS,
	.columns = columns,
	.end = "Exit status: 0 printed, or run, 1 refused, 2 usage, 3 cannot be read or "
	       "run.\n",
};

/* The name becomes a part of a value: it must not have a character that would end it. */
static bool is_name(const char *text, const char *not_in)
{
	return *text && *text != '-' && !strpbrk(text, not_in);
}

static int parse_value(struct vm *vm, int opt, const struct options *opts)
{
	bool is_right = true;

	switch (opt) {
	case 'u':
		is_right = vm_is_usb(optarg);
		vm->usb[vm->usbs] = optarg;
		vm->usbs += is_right;
		if (!is_right)
			message_error("%s is not a USB device; fix: write 046d:c52b (lsusb) or "
				      "1-2.3 (lsusb -t)",
				      optarg);
		break;
	case 'm':
		vm->mapping = optarg;
		is_right = vm_is_mapping_name(optarg);
		if (!is_right)
			message_error(
				"%s is not a valid name for a mapping; fix: write two characters or "
				"more: first a letter, then letters, digits, - and _",
				optarg);
		break;
	case 't':
		vm->mdev = optarg;
		is_right = is_name(optarg, "/.:,;");
		if (!is_right)
			message_error("%s is not a type; fix: write one of vfio-early vgpu",
				      optarg);
		break;
	case 'F':
		vm->romfile = optarg;
		is_right = is_name(optarg, vm->libvirt ? "'<>&" : "/,;");
		if (!is_right)
			message_error(
				"%s is not a file name; fix: put the ROM into /usr/share/kvm, and "
				"write its name",
				optarg);
		break;
	case 'B':
		vm->no_rombar = true;
		is_right = !strcmp(optarg, "0");
		if (!is_right)
			message_error("%s is not a valid value for --rombar; fix: write 0", optarg);
		break;
	}
	return is_right ? 0 : options_usage(opts);
}

static void set_flag(struct vm *vm, int opt)
{
	vm->run |= opt == 'R';
	vm->only |= opt == '1';
	vm->primary |= opt == 'p';
	vm->ovmf |= opt == 'O';
	vm->q35 |= opt == 'q';
	vm->hidden |= opt == 'H';
	vm->libvirt |= opt == 'l';
	vm->force |= opt == 'f';
}

/* Returns 0, or COMMAND_USAGE after printing what --libvirt does not use. */
static int refuse_for_libvirt(const struct vm *vm, const struct options *opts, const char *word)
{
	const struct {
		const char *option;
		bool is_there;
	} unused[] = {
		{ "--usb", vm->usbs },	    { "--primary", vm->primary }, { "--ovmf", vm->ovmf },
		{ "--machine", vm->q35 },   { "--mapping", vm->mapping }, { "--mdev", vm->mdev },
		{ "--hidden", vm->hidden },
	};
	char list[80] = "";

	if (vm->run || output_is_table(&opts->output)) {
		message_error("--libvirt only prints XML; fix: leave out --run, --json, --raw and "
			      "--output");
		return options_usage(opts);
	}
	for (size_t i = 0; i < sizeof(unused) / sizeof(unused[0]); i++) {
		size_t len = strlen(list);

		if (unused[i].is_there)
			snprintf(list + len, sizeof(list) - len, "%s%s", len ? ", " : "",
				 unused[i].option);
	}
	if (*list) {
		message_error("--libvirt prints only <hostdev> elements, and none for these; fix: "
			      "leave out %s",
			      list);
		return options_usage(opts);
	}
	if (word && is_vmid(word)) {
		message_error("--libvirt takes no VMID: it reads no domain; fix: leave out %s",
			      word);
		return options_usage(opts);
	}
	return 0;
}

static int parse_arguments(struct vm *vm, const struct options *opts, int argc, char **argv)
{
	int ret = vm->libvirt ? refuse_for_libvirt(vm, opts, argv[optind]) : 0;

	if (ret)
		return ret;
	if (!vm->libvirt && optind == argc) {
		message_error("a VMID and an address are missing: vfio-early vm 100 0000:81:00");
		return options_usage(opts);
	}
	if (!vm->libvirt && !is_vmid(argv[optind])) {
		message_error("%s is not a VMID; fix: write a number that qm list shows, then "
			      "addresses",
			      argv[optind]);
		return options_usage(opts);
	}
	vm->id = vm->libvirt ? "0" : argv[optind++];
	if (optind == argc && !vm->usbs) {
		message_error("an address is missing: vfio-early vm %s 0000:81:00",
			      vm->libvirt ? "--libvirt" : vm->id);
		return options_usage(opts);
	}
	/* Calls that cannot be shown are not run. */
	if (vm->run && output_is_table(&opts->output) && opts->output.format != OUTPUT_JSON) {
		message_error(
			"--run shows the calls that it runs; fix: leave out --raw and --output");
		return options_usage(opts);
	}
	return 0;
}

int command_vm(int argc, char **argv)
{
	static struct vm vm;
	struct options opts;
	int opt, ret = 0;

	options_init(&opts, &spec);
	vm.usb = calloc((size_t)argc, sizeof(*vm.usb));
	if (!vm.usb)
		return COMMAND_NOTHING;
	while (!ret && (opt = options_next(&opts, argc, argv)) != OPTIONS_DONE) {
		if (opt == OPTIONS_EXIT) {
			free(vm.usb);
			return opts.status;
		}
		set_flag(&vm, opt);
		ret = parse_value(&vm, opt, &opts);
	}
	if (!ret)
		ret = parse_arguments(&vm, &opts, argc, argv);
	if (!ret)
		ret = run(&vm, &opts, argc - optind, argv + optind);
	release(&vm);
	return ret;
}
