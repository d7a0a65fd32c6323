// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early vm: how a slot is given to a virtual machine of Proxmox: the calls of qm(1), printed or
 * run, and what the guest must know of the card.
 */
#include <ctype.h>
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
#include "commands/qm.h"
#include "findings/findings.h"
#include "host/host.h"
#include "host/slot.h"
#include "plan/plan.h"
#include "ui/options.h"
#include "ui/output.h"
#include "util/array.h"
#include "util/message.h"
#include "util/words.h"

/* What the administrator is to know: a stable word, and a sentence. */
struct vm_note {
	const char *code;
	char *text;
};

struct vm {
	struct host *host;
	struct slot slot;
	const char *id;
	const char **usb;
	unsigned int usbs;
	bool run, force, ovmf;
	struct qm qm;
	struct vm_note *note;
	size_t notes;
	bool no_memory;
};

/* --- what is to be said */

__attribute__((format(printf, 3, 4))) static void note(struct vm *vm, const char *code,
						       const char *fmt, ...)
{
	struct vm_note item = { .code = code };
	va_list args;
	int ret;

	va_start(args, fmt);
	ret = vasprintf(&item.text, fmt, args);
	va_end(args);
	if (ret < 0) {
		vm->no_memory = true;
		return;
	}
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

/* --- what to call */

static void call(struct vm *vm, const char *option, const char *value)
{
	if (!qm_set(&vm->qm, vm->id, option, value))
		vm->no_memory = true;
}

static void call_machine(struct vm *vm)
{
	const struct qm_config *config = &vm->qm.config;
	/* A guest that was installed for BIOS does not start under OVMF. */
	bool is_installed = config->is_known && config->has_disk && !config->has_ovmf;
	char value[128];

	if (!config->has_q35)
		call(vm, "--machine", "q35");
	if (is_installed && !vm->ovmf) {
		note(vm, "bios-kept",
		     "this VM has a disk and no bios=ovmf: a guest that was installed for BIOS "
		     "does not start under OVMF, so that is left alone; for a new guest add "
		     "--ovmf");
		return;
	}
	if (!config->has_ovmf)
		call(vm, "--bios", "ovmf");
	if (config->has_efidisk)
		return;
	if (*config->storage) {
		snprintf(value, sizeof(value), "%s:1,efitype=4m,pre-enrolled-keys=0",
			 config->storage);
		call(vm, "--efidisk0", value);
	} else {
		note(vm, "efidisk-missing",
		     "OVMF keeps its settings on an EFI disk: qm set %s --efidisk0 "
		     "STORAGE:1,efitype=4m,pre-enrolled-keys=0",
		     vm->id);
	}
}

/* Does a hostpci value have this function, or its slot? "0000:81:00.0;81:00.1,pcie=1" */
static bool has_device(const char *value, const struct pci_address *addr)
{
	char list[256], *save, *word;

	if (!strncmp(value, "host=", 5))
		value += 5;
	snprintf(list, sizeof(list), "%.*s", (int)strcspn(value, ","), value);
	for (word = strtok_r(list, ";", &save); word; word = strtok_r(NULL, ";", &save)) {
		struct selector sel;
		size_t where;

		if (selector_parse(word, &sel, &where) || sel.hops)
			continue;
		if (sel.kind == SELECTOR_SLOT ?
			    pci_address_same_slot(&sel.addr, addr) :
			    sel.kind == SELECTOR_ADDRESS && pci_address_equal(&sel.addr, addr))
			return true;
	}
	return false;
}

static int find_device(const struct vm *vm, const struct pci_address *addr)
{
	for (int i = 0; i < QM_MAX_HOSTPCI; i++)
		if (vm->qm.config.hostpci[i] && has_device(vm->qm.config.hostpci[i], addr))
			return i;
	return -1;
}

static int take_free(char **list, int max, const char *value)
{
	for (int i = 0; i < max; i++) {
		if (list[i])
			continue;
		list[i] = strdup(value);
		return i;
	}
	return -1;
}

static void add_hint(struct vm *vm, const struct pci_function *fn)
{
	char addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE];
	const char *family, *hint = guest_hint(fn, &family);

	if (hint)
		note(vm, "guest-hint", "%s (%s), %s: %s", pci_address_format(&fn->addr, addr),
		     pci_id_format(&fn->id, id), family, hint);
}

/* How far the functions first..last of the list, one slot, are from ready to be given away. */
static int check_functions(struct vm *vm, const char *where, size_t first, size_t end)
{
	bool missing = false;

	for (size_t i = first; i < end; i++) {
		const struct pci_function *fn = &vm->slot.fn[i];
		const struct host_function *known = host_find(vm->host, &fn->addr);
		const char *protect = known ? host_protect(vm->host, known) : NULL;
		char addr[PCI_ADDRESS_SIZE];

		pci_address_format(&fn->addr, addr);
		if (pci_is_bridge(fn))
			return message_error("%s is a bridge; fix: name what is behind it", addr);
		if (protect && !vm->force)
			return message_error("%s %s: this host needs it; --force gives it away all "
					     "the same",
					     addr, protect);
		if (fn->group < 0)
			note(vm, "no-group",
			     "%s has no IOMMU group, so no VM gets it: vfio-early status says why",
			     addr);
		missing |= !known || host_next(vm->host, known) != HOST_NEXT_VFIO;
	}
	if (missing)
		note(vm, "not-in-config",
		     "the config does not have all of %s, so its driver has it until the VM "
		     "starts: vfio-early add %s",
		     where, where);
	return 0;
}

/* One slot, whose functions are first..end-1 of the list. */
static int call_slot(struct vm *vm, const char *where, size_t first, size_t end)
{
	struct pci_function *fn = &vm->slot.fn[first];
	char value[128], option[32];
	bool has_vga = false;
	int at = find_device(vm, &fn->addr);

	for (size_t i = first; i < end; i++) {
		has_vga |= vm->slot.fn[i].boot_vga;
		add_hint(vm, &vm->slot.fn[i]);
	}
	if (at >= 0) {
		note(vm, "there-already", "hostpci%d of VM %s has %s already: nothing to do for it",
		     at, vm->id, where);
		return 0;
	}
	snprintf(value, sizeof(value), "%s,pcie=1%s", where, has_vga ? ",x-vga=1" : "");
	at = take_free(vm->qm.config.hostpci, QM_MAX_HOSTPCI, value);
	if (at < 0)
		return message_error("VM %s has no hostpci free: %d is the most", vm->id,
				     QM_MAX_HOSTPCI);
	if (has_vga)
		note(vm, "screen",
		     "%s shows the host's console: with x-vga=1 it becomes the guest's only "
		     "screen, and the host is reached over the network alone",
		     where);
	snprintf(option, sizeof(option), "--hostpci%d", at);
	call(vm, option, value);
	return 0;
}

static int call_slots(struct vm *vm)
{
	int ret = 0;

	for (size_t i = 0, end; i < vm->slot.count && !ret; i = end) {
		bool is_virtual = slot_is_virtual(&vm->host->root, &vm->slot.fn[i].addr);
		char where[PCI_ADDRESS_SIZE];

		for (end = i + 1; end < vm->slot.count && !is_virtual; end++)
			if (!pci_address_same_slot(&vm->slot.fn[i].addr, &vm->slot.fn[end].addr) ||
			    slot_is_virtual(&vm->host->root, &vm->slot.fn[end].addr))
				break;
		pci_address_format(&vm->slot.fn[i].addr, where);
		if (!is_virtual)
			where[strlen(where) - 2] = '\0'; /* so that qm takes all of the slot */
		ret = check_functions(vm, where, i, end);
		if (!ret)
			ret = call_slot(vm, where, i, end);
	}
	return ret;
}

/* "046d:c52b", or "1-2.3": bus, and the ports on the way. */
static bool is_usb(const char *text)
{
	size_t bus = strspn(text, "0123456789"), port;

	if (strspn(text, "0123456789abcdefABCDEF") == 4 && text[4] == ':' &&
	    strspn(text + 5, "0123456789abcdefABCDEF") == 4 && !text[9])
		return true;
	if (!bus || text[bus] != '-')
		return false;
	port = strspn(text + bus + 1, "0123456789.");
	return port && !text[bus + 1 + port] && isdigit((unsigned char)text[bus + 1]) &&
	       isdigit((unsigned char)text[bus + port]) && !strstr(text, "..");
}

static bool has_usb(const char *value, const char *wanted)
{
	const char *host = strstr(value, "host=");
	size_t len = strlen(wanted);

	return host && !strncasecmp(host + 5, wanted, len) &&
	       (!host[5 + len] || host[5 + len] == ',');
}

static int call_usb(struct vm *vm, const char *wanted)
{
	char value[64], option[32];
	int at;

	for (int i = 0; i < QM_MAX_USB; i++) {
		if (!vm->qm.config.usb[i] || !has_usb(vm->qm.config.usb[i], wanted))
			continue;
		note(vm, "there-already", "usb%d of VM %s has %s already: nothing to do for it", i,
		     vm->id, wanted);
		return 0;
	}
	snprintf(value, sizeof(value), "host=%s,usb3=1", wanted);
	at = take_free(vm->qm.config.usb, QM_MAX_USB, value);
	if (at < 0)
		return message_error("VM %s has no usb free: %d is the most", vm->id, QM_MAX_USB);
	snprintf(option, sizeof(option), "--usb%d", at);
	call(vm, option, value);
	return 0;
}

/* Whoever starts the VM takes it from the host, whether the config has it or not. */
static void note_in_use(struct vm *vm, const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->list[i];
		struct pci_address addr;

		if ((finding_is(finding, FINDING_DISK) || finding_is(finding, FINDING_ADDRESS)) &&
		    !pci_address_parse(finding->subject, &addr) && slot_has(&vm->slot, &addr))
			note(vm, finding->code, "%s: %s; fix: %s", finding->subject, finding->text,
			     finding->fix);
	}
}

/* The slots as bind lines, by address and ID; NULL when memory ran out. */
static char *write_lines(const struct slot *slot)
{
	char *lines = NULL;
	size_t size;
	FILE *out = open_memstream(&lines, &size);

	for (size_t i = 0; out && i < slot->count; i++) {
		char addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE];

		fprintf(out, "bind %s=%s\n", pci_address_format(&slot->fn[i].addr, addr),
			pci_id_format(&slot->fn[i].id, id));
	}
	if (out && !fclose(out))
		return lines;
	free(lines);
	return NULL;
}

/* What the host loses with the slots, as `check` says it once the config has all of them. */
static int find_in_use(struct vm *vm)
{
	struct findings findings = { 0 };
	struct host *candidate = NULL;
	char *compiled = NULL, *lines = write_lines(&vm->slot);
	size_t size;
	int ret = lines ? plan_compile(&vm->host->root, NULL, &compiled, &size) :
			  message_errno(-ENOMEM, "cannot look at what is in use");

	if (!ret)
		ret = candidate_open(vm->host, compiled, lines, &candidate);
	if (!ret)
		ret = findings_collect_check(candidate, NULL, &findings);
	if (!ret)
		note_in_use(vm, &findings);
	findings_free(&findings);
	host_close(candidate);
	free(compiled);
	free(lines);
	return ret;
}

/* --- printing */

static struct json_object *json_calls(const struct vm *vm)
{
	struct json_object *calls = json_object_new_array();

	for (unsigned int i = 0; i < vm->qm.calls && calls; i++) {
		struct json_object *call = json_object_new_object();
		struct json_object *words = json_object_new_array();

		if (!call || !words)
			return calls;
		json_object_array_add(words, json_object_new_string("qm"));
		for (unsigned int j = 0; j < QM_WORDS; j++)
			json_object_array_add(words,
					      json_object_new_string(vm->qm.call[i].word[j]));
		json_object_object_add(call, "words", words);
		json_object_array_add(calls, call);
	}
	return calls;
}

static struct json_object *json_notes(const struct vm *vm)
{
	struct json_object *notes = json_object_new_array();

	for (size_t i = 0; i < vm->notes && notes; i++) {
		const struct vm_note *item = &vm->note[i];
		struct json_object *object = json_object_new_object();

		if (!object)
			return notes;
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
	json_object_object_add(top, "calls", json_calls(vm));
	json_object_object_add(top, "notes", json_notes(vm));
	return output_json(top);
}

/* The calls can be copied into a shell: of all words none has a character that one would take. */
static void print_text(const struct vm *vm, const struct output *output)
{
	for (unsigned int i = 0; i < vm->qm.calls; i++) {
		fputs("qm", stdout);
		for (unsigned int j = 0; j < QM_WORDS; j++)
			printf(" %s", vm->qm.call[i].word[j]);
		putchar('\n');
	}
	for (size_t i = 0; i < vm->notes; i++) {
		fputs("# ", stdout);
		output_fold(output, 2, words_of(vm->note[i].code, vm->note[i].text));
	}
}

static int print(const struct vm *vm, const struct output *output)
{
	if (vm->no_memory)
		return message_errno(-ENOMEM, "cannot say how");
	if (output->format == OUTPUT_JSON)
		return print_json(vm);
	print_text(vm, output);
	return 0;
}

static int run(struct vm *vm, const struct options *opts, int argc, char **argv)
{
	int ret = host_open(opts->root, &vm->host);

	if (ret)
		return COMMAND_NOTHING;
	for (int i = 0; i < argc; i++) {
		ret = slot_add(vm->host, argv[i], SLOT_WHOLE, &vm->slot);
		if (ret)
			return command_selected(ret) < 0 ? COMMAND_NOTHING : COMMAND_USAGE;
	}
	if (host_decide(vm->host, NULL))
		return COMMAND_NOTHING;
	ret = qm_read(&vm->qm, vm->host, vm->id);
	if (!ret && vm->run && !vm->host->root.is_host)
		ret = message_error(
			"--run changes a VM of this host, not one of a recorded machine; "
			"fix: leave out --root");
	if (!ret && vm->run && !*vm->qm.path)
		ret = message_error("qm is not in PATH: this is no Proxmox VE host; fix: run the "
				    "calls there");
	if (ret)
		return COMMAND_NOTHING;

	if (vm->slot.count)
		call_machine(vm);
	ret = call_slots(vm);
	for (unsigned int i = 0; i < vm->usbs && !ret; i++)
		ret = call_usb(vm, vm->usb[i]);
	if (ret)
		return COMMAND_INCOMPLETE;
	if (vm->slot.count && find_in_use(vm))
		return COMMAND_NOTHING;
	if (!vm->qm.config.is_known)
		note(vm, "vm-not-read",
		     "the config of VM %s was not read (no qm here): numbers are counted from 0, "
		     "and what it has already is not known",
		     vm->id);
	ret = print(vm, &opts->output);
	/* What cannot be shown is not done. */
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
	free(vm->note);
	free(vm->usb);
	qm_free(&vm->qm);
	slot_free(&vm->slot);
	host_close(vm->host);
}

/* 100 to 999999999 (PVE::JSONSchema, pve-vmid); so no word of ours is ever an option of qm's. */
static bool is_vmid(const char *text)
{
	size_t len = strspn(text, "0123456789");

	return len >= 3 && len <= 9 && !text[len] && *text != '0';
}

static const struct options_entry entries[] = {
	{ "run", 'R', NULL, "run the calls, instead of only printing them" },
	{ "usb", 'u', "DEVICE", "a USB device too: VENDOR:PRODUCT or BUS-PORT; repeatable" },
	{ "ovmf", 'O', NULL, "bios=ovmf also for a VM that has a disk already" },
	{ "force", 'f', NULL, "also what this host needs itself" },
	{ 0 },
};
static const struct options_spec spec = {
	.usage = "vm [OPTION...] VMID ADDRESS...",
	.about = "Prints the calls of qm that give all functions of a slot to a VM of "
		 "Proxmox VE,\nand what the guest should know of the card.\n",
	.entry = entries,
	.common = OPTIONS_READING,
	.end = "Exit status: 0 printed, or run, 1 refused, 2 usage, 3 cannot be read or "
	       "run.\n",
};

int command_vm(int argc, char **argv)
{
	static struct vm vm;
	struct options opts;
	int opt, ret;

	options_init(&opts, &spec);
	vm.usb = calloc((size_t)argc, sizeof(*vm.usb));
	if (!vm.usb)
		return COMMAND_NOTHING;
	while ((opt = options_next(&opts, argc, argv)) != OPTIONS_DONE) {
		ret = -1;
		if (opt == OPTIONS_EXIT)
			ret = opts.status;
		else if (opt == 'R')
			vm.run = true;
		else if (opt == 'f')
			vm.force = true;
		else if (opt == 'O')
			vm.ovmf = true;
		else if (opt == 'u' && is_usb(optarg))
			vm.usb[vm.usbs++] = optarg;
		else if (opt == 'u') {
			message_error("%s is no USB device; fix: write 046d:c52b (lsusb) or 1-2.3 "
				      "(lsusb -t)",
				      optarg);
			ret = options_usage(&opts);
		}
		if (ret >= 0)
			goto out;
	}
	ret = COMMAND_USAGE;
	if (optind == argc || !is_vmid(argv[optind])) {
		message_error(
			"%s is no VMID; fix: write the number that qm list has, then addresses",
			optind == argc ? "(none)" : argv[optind]);
		options_usage(&opts);
		goto out;
	}
	vm.id = argv[optind++];
	if (optind == argc && !vm.usbs) {
		message_error("an address is missing: vfio-early vm %s 0000:81:00", vm.id);
		options_usage(&opts);
		goto out;
	}
	ret = run(&vm, &opts, argc - optind, argv + optind);
out:
	release(&vm);
	return ret;
}
