// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * vfio-early vm: how a slot is given to a virtual machine of Proxmox: the calls of qm(1), printed, or
 * run one after the other without a shell. What the guest must know of some cards is in one table.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command.h"
#include "host.h"
#include "message.h"
#include "options.h"
#include "output.h"
#include "slot.h"

#define MAX_HOSTPCI 16 /* PVE::QemuServer::PCI, $MAX_HOSTPCI_DEVICES */
#define MAX_USB	    14 /* PVE::QemuServer::USB, $MAX_USB_DEVICES; 5 below machine version 7.1 */
#define MAX_CALLS   40
#define MAX_WORDS   10

/*
 * What a guest needs for a family of cards, and the ranges of device IDs by which each is known. In
 * one place, so that a wrong or an old word is one line.
 */
enum family {
	KEPLER,
	FERMI,
	MAXWELL,
	RESET_BUG,
};

static const struct {
	const char *name;
	const char *text;
} families[] = {
	[KEPLER] = { "Kepler",
		     "use NVIDIA 470.256.02 and kernel 6.6 LTS in the guest: branch 470 is the "
		     "last for Kepler, and its last release is not adapted to later kernels" },
	[FERMI] = { "Fermi",
		    "use NVIDIA 390.157 and kernel 6.1 LTS in the guest, or nouveau: branch 390 is "
		    "the last for Fermi, and its last release is not adapted to later kernels" },
	[MAXWELL] = { "Maxwell, Pascal or Volta",
		      "use NVIDIA's closed module, branch 580 or older, in the guest: the open one "
		      "knows Turing and later only, and 580 is the last branch for this family" },
	[RESET_BUG] = { "known not to reset",
			"the card may not come back when the guest is stopped: the host then needs "
			"a reboot, or the vendor-reset module" },
};

static const struct hint {
	uint16_t vendor, from, to;
	enum family family;
} hints[] = {
	{ 0x10de, 0x06c0, 0x06df, FERMI },     /* GF100 */
	{ 0x10de, 0x0dc0, 0x0e3a, FERMI },     /* GF104, GF106, GF108 */
	{ 0x10de, 0x0fc0, 0x0fff, KEPLER },    /* GK107 */
	{ 0x10de, 0x1000, 0x103f, KEPLER },    /* GK110, GK210 */
	{ 0x10de, 0x1040, 0x109f, FERMI },     /* GF119, GF110 */
	{ 0x10de, 0x1140, 0x1140, FERMI },     /* GF117 */
	{ 0x10de, 0x1180, 0x11ff, KEPLER },    /* GK104, GK106 */
	{ 0x10de, 0x1200, 0x125f, FERMI },     /* GF114, GF116 */
	{ 0x10de, 0x1280, 0x12bf, KEPLER },    /* GK208 */
	{ 0x10de, 0x1340, 0x13ff, MAXWELL },   /* GM107, GM108, GM204 */
	{ 0x10de, 0x1401, 0x1436, MAXWELL },   /* GM206 */
	{ 0x10de, 0x15f0, 0x15ff, MAXWELL },   /* GP100 */
	{ 0x10de, 0x1617, 0x17ff, MAXWELL },   /* GM204, GM200 */
	{ 0x10de, 0x1b00, 0x1dff, MAXWELL },   /* GP102 to GP108, GV100 */
	{ 0x1002, 0x66a0, 0x66af, RESET_BUG }, /* Vega 20 */
	{ 0x1002, 0x67c0, 0x67ff, RESET_BUG }, /* Polaris 10, 11 */
	{ 0x1002, 0x6860, 0x687f, RESET_BUG }, /* Vega 10 */
	{ 0x1002, 0x6980, 0x699f, RESET_BUG }, /* Polaris 12 */
	{ 0x1002, 0x7310, 0x731f, RESET_BUG }, /* Navi 10 */
	{ 0x1002, 0x7340, 0x734f, RESET_BUG }, /* Navi 14 */
};

#define N_HINTS (sizeof(hints) / sizeof(hints[0]))

struct call {
	char *word[MAX_WORDS + 1]; /* of qm, without "qm" */
	unsigned int words;
};

/* What `qm config` says, as far as it concerns us. */
struct config {
	bool is_known;
	bool has_q35, has_ovmf, has_efidisk, has_disk;
	char storage[64]; /* of the first disk */
	char *hostpci[MAX_HOSTPCI];
	char *usb[MAX_USB];
};

struct vm {
	struct host *host;
	struct slot slot;
	const char *id;
	const char **usb;
	unsigned int usbs;
	bool run, force, ovmf;
	char qm[PATH_MAX]; /* "" where there is none */
	struct config config;
	struct call call[MAX_CALLS];
	unsigned int calls;
	char **note;
	size_t notes;
	bool no_memory;
};

/* --- what is to be said */

__attribute__((format(printf, 2, 3))) static void note(struct vm *vm, const char *fmt, ...)
{
	char **list = realloc(vm->note, (vm->notes + 1) * sizeof(*list));
	va_list args;
	int ret;

	if (!list) {
		vm->no_memory = true;
		return;
	}
	vm->note = list;
	va_start(args, fmt);
	ret = vasprintf(&list[vm->notes], fmt, args);
	va_end(args);
	if (ret < 0) {
		vm->no_memory = true;
		return;
	}
	for (size_t i = 0; i < vm->notes; i++) {
		if (strcmp(list[i], list[vm->notes]) != 0)
			continue;
		free(list[vm->notes]);
		return;
	}
	vm->notes++;
}

/* A call of `qm set VMID`, with pairs of option and value. */
static void call(struct vm *vm, const char *option, const char *value)
{
	struct call *item = &vm->call[vm->calls];
	const char *const words[] = { "set", vm->id, option, value };

	if (vm->calls == MAX_CALLS)
		return;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		item->word[item->words] = strdup(words[i]);
		if (!item->word[item->words])
			vm->no_memory = true;
		item->words++;
	}
	vm->calls++;
}

/* --- qm */

/* Where the user's shell would find it. No shell, and so no word is taken for anything else. */
static void find_qm(struct vm *vm)
{
	const char *dir = getenv("PATH");

	for (dir = dir ? dir : "/usr/sbin:/usr/bin"; *dir; dir += *dir == ':') {
		size_t len = strcspn(dir, ":");

		if (len && *dir == '/' &&
		    snprintf(vm->qm, sizeof(vm->qm), "%.*s/qm", (int)len, dir) <
			    (int)sizeof(vm->qm) &&
		    !access(vm->qm, X_OK))
			return;
		dir += len;
	}
	vm->qm[0] = '\0';
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

/* Where a value's storage ends: "local-lvm:vm-101-disk-0,size=32G" */
static void take_disk(struct config *config, const char *value)
{
	size_t len = strcspn(value, ":,");

	if (strstr(value, "media=cdrom") || !strncmp(value, "none", 4))
		return;
	config->has_disk = true;
	if (value[len] == ':' && *value != '/' && !*config->storage)
		snprintf(config->storage, sizeof(config->storage), "%.*s", (int)len, value);
}

static bool take_indexed(const char *key, const char *name, char **list, unsigned int max,
			 const char *value)
{
	size_t len = strlen(name);
	unsigned long i;
	char *end;

	if (strncmp(key, name, len) != 0 || !isdigit((unsigned char)key[len]))
		return false;
	i = strtoul(key + len, &end, 10);
	if (*end || i >= max)
		return false;
	free(list[i]);
	list[i] = strdup(value);
	return true;
}

/* "hostpci0: 0000:81:00,pcie=1" */
static void take_config(struct config *config, char *line)
{
	static const char *const disks[] = { "scsi", "virtio", "sata", "ide", "nvme" };
	char *value = strstr(line, ": ");

	if (!value)
		return;
	*value = '\0';
	value += 2;
	value[strcspn(value, "\r\n")] = '\0';
	if (take_indexed(line, "hostpci", config->hostpci, MAX_HOSTPCI, value) ||
	    take_indexed(line, "usb", config->usb, MAX_USB, value))
		return;
	if (!strcmp(line, "machine"))
		config->has_q35 = strstr(value, "q35") != NULL;
	else if (!strcmp(line, "bios"))
		config->has_ovmf = !strcmp(value, "ovmf");
	else if (!strcmp(line, "efidisk0"))
		config->has_efidisk = true;
	for (size_t i = 0; i < sizeof(disks) / sizeof(disks[0]); i++) {
		size_t len = strlen(disks[i]);

		if (!strncmp(line, disks[i], len) && isdigit((unsigned char)line[len]))
			take_disk(config, value);
	}
}

static void read_lines(struct config *config, FILE *in)
{
	char *line = NULL;
	size_t size = 0;

	/* Snapshots follow behind the first "[name]": they are not the machine as it is. */
	while (getline(&line, &size, in) > 0 && *line != '[')
		take_config(config, line);
	free(line);
	config->is_known = true;
}

/* Of a recorded machine its file, of this host what qm says. */
static int read_config(struct vm *vm)
{
	char path[PATH_MAX + 64];
	int fds[2], status;
	FILE *in;
	pid_t pid;

	if (!vm->host->root.is_host) {
		snprintf(path, sizeof(path), "%s/etc/pve/qemu-server/%s.conf", vm->host->root.path,
			 vm->id);
		in = fopen(path, "re");
		if (in) {
			read_lines(&vm->config, in);
			fclose(in);
		}
		return 0;
	}
	find_qm(vm);
	if (!*vm->qm)
		return 0;
	if (pipe(fds))
		return message_errno(-errno, "cannot run %s", vm->qm);
	pid = fork();
	if (pid < 0) {
		close(fds[0]);
		close(fds[1]);
		return message_errno(-errno, "cannot run %s", vm->qm);
	}
	if (!pid) {
		char *argv[] = { (char *)"qm", (char *)"config", (char *)vm->id, NULL };

		dup2(fds[1], STDOUT_FILENO);
		close(fds[0]);
		close(fds[1]);
		execv(vm->qm, argv);
		_exit(127);
	}
	close(fds[1]);
	in = fdopen(fds[0], "r");
	if (in) {
		read_lines(&vm->config, in);
		fclose(in);
	} else {
		close(fds[0]);
	}
	status = wait_for(pid);
	if (status)
		return message_error("qm config %s ended with status %d; fix: name a VM of this "
				     "host (qm list)",
				     vm->id, status);
	return 0;
}

static int run_calls(const struct vm *vm)
{
	for (unsigned int i = 0; i < vm->calls; i++) {
		char *argv[MAX_WORDS + 2] = { (char *)"qm" };
		int status;
		pid_t pid;

		memcpy(argv + 1, vm->call[i].word, vm->call[i].words * sizeof(*argv));
		fflush(stdout);
		pid = fork();
		if (!pid) {
			execv(vm->qm, argv);
			_exit(127);
		}
		status = pid < 0 ? 127 : wait_for(pid);
		if (status)
			return message_error("qm set %s %s ended with status %d; done before it: "
					     "%u of %u",
					     vm->id, vm->call[i].word[2], status, i, vm->calls);
	}
	return 0;
}

/* --- what to call */

static void call_machine(struct vm *vm)
{
	const struct config *config = &vm->config;
	/* A guest that was installed for BIOS does not start under OVMF. */
	bool is_installed = config->is_known && config->has_disk && !config->has_ovmf;
	char value[128];

	if (!config->has_q35)
		call(vm, "--machine", "q35");
	if (is_installed && !vm->ovmf) {
		note(vm, "this VM has a disk and no bios=ovmf: a guest that was installed for BIOS "
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
		note(vm,
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
	for (int i = 0; i < MAX_HOSTPCI; i++)
		if (vm->config.hostpci[i] && has_device(vm->config.hostpci[i], addr))
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

static void add_hints(struct vm *vm, const struct pci_function *fn)
{
	if (fn->class >> 16 != 0x03)
		return;
	for (size_t i = 0; i < N_HINTS; i++) {
		char addr[PCI_ADDRESS_SIZE], id[PCI_ID_SIZE];

		if (fn->id.vendor != hints[i].vendor || fn->id.device < hints[i].from ||
		    fn->id.device > hints[i].to)
			continue;
		note(vm, "%s (%s), %s: %s", pci_address_format(&fn->addr, addr),
		     pci_id_format(&fn->id, id), families[hints[i].family].name,
		     families[hints[i].family].text);
	}
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
			note(vm,
			     "%s has no IOMMU group, so no VM gets it: vfio-early status says why",
			     addr);
		missing |= !known || host_next(vm->host, known) != HOST_NEXT_VFIO;
	}
	if (missing)
		note(vm,
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
		add_hints(vm, &vm->slot.fn[i]);
	}
	if (at >= 0) {
		note(vm, "hostpci%d of VM %s has %s already: nothing to do for it", at, vm->id,
		     where);
		return 0;
	}
	snprintf(value, sizeof(value), "%s,pcie=1%s", where, has_vga ? ",x-vga=1" : "");
	at = take_free(vm->config.hostpci, MAX_HOSTPCI, value);
	if (at < 0)
		return message_error("VM %s has no hostpci free: %d is the most", vm->id,
				     MAX_HOSTPCI);
	if (has_vga)
		note(vm,
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

	for (int i = 0; i < MAX_USB; i++) {
		if (!vm->config.usb[i] || !has_usb(vm->config.usb[i], wanted))
			continue;
		note(vm, "usb%d of VM %s has %s already: nothing to do for it", i, vm->id, wanted);
		return 0;
	}
	snprintf(value, sizeof(value), "host=%s,usb3=1", wanted);
	at = take_free(vm->config.usb, MAX_USB, value);
	if (at < 0)
		return message_error("VM %s has no usb free: %d is the most", vm->id, MAX_USB);
	snprintf(option, sizeof(option), "--usb%d", at);
	call(vm, option, value);
	return 0;
}

/* --- printing */

static int print_json(const struct vm *vm)
{
	struct json_object *top = json_object_new_object(), *calls = json_object_new_array();
	struct json_object *notes = json_object_new_array();

	json_object_object_add(top, "schema", json_object_new_int(1));
	json_object_object_add(top, "vmid", json_object_new_string(vm->id));
	for (unsigned int i = 0; i < vm->calls; i++) {
		struct json_object *words = json_object_new_array();

		json_object_array_add(words, json_object_new_string("qm"));
		for (unsigned int j = 0; j < vm->call[i].words; j++)
			json_object_array_add(words, json_object_new_string(vm->call[i].word[j]));
		json_object_array_add(calls, words);
	}
	for (size_t i = 0; i < vm->notes; i++)
		json_object_array_add(notes, json_object_new_string(vm->note[i]));
	json_object_object_add(top, "calls", calls);
	json_object_object_add(top, "notes", notes);
	return output_json(top);
}

/* The calls can be copied into a shell: of all words none has a character that one would take. */
static void print_text(const struct vm *vm, const struct output *output)
{
	for (unsigned int i = 0; i < vm->calls; i++) {
		fputs("qm", stdout);
		for (unsigned int j = 0; j < vm->call[i].words; j++)
			printf(" %s", vm->call[i].word[j]);
		putchar('\n');
	}
	for (size_t i = 0; i < vm->notes; i++) {
		fputs("# ", stdout);
		output_fold(output, 2, vm->note[i]);
	}
}

static int print(const struct vm *vm, const struct output *output)
{
	int ret = 0;

	if (vm->no_memory)
		return message_errno(-ENOMEM, "cannot say how");
	if (output->format == OUTPUT_JSON)
		ret = print_json(vm);
	else
		print_text(vm, output);
	return ret ? ret : output_finish();
}

static int run(struct vm *vm, const struct options *opts, int argc, char **argv)
{
	int ret = host_open(opts->root, &vm->host);

	if (ret)
		return COMMAND_NOTHING;
	for (int i = 0; i < argc; i++) {
		ret = slot_add(vm->host, argv[i], SLOT_WHOLE, &vm->slot);
		if (ret)
			return ret == -EINVAL || ret == -ENOENT ? COMMAND_USAGE : COMMAND_NOTHING;
	}
	if (host_decide(vm->host, NULL))
		return COMMAND_NOTHING;
	ret = read_config(vm);
	if (!ret && vm->run && !vm->host->root.is_host)
		ret = message_error(
			"--run changes a VM of this host, not one of a recorded machine; "
			"fix: leave out --root");
	if (!ret && vm->run && !*vm->qm)
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
	if (!vm->config.is_known)
		note(vm,
		     "the config of VM %s was not read (no qm here): numbers are counted from 0, "
		     "and what it has already is not known",
		     vm->id);
	ret = print(vm, &opts->output);
	if (!ret && vm->run)
		ret = run_calls(vm);
	return ret ? COMMAND_NOTHING : COMMAND_OK;
}

static void release(struct vm *vm)
{
	for (unsigned int i = 0; i < vm->calls; i++)
		for (unsigned int j = 0; j < vm->call[i].words; j++)
			free(vm->call[i].word[j]);
	for (size_t i = 0; i < vm->notes; i++)
		free(vm->note[i]);
	for (size_t i = 0; i < MAX_HOSTPCI; i++)
		free(vm->config.hostpci[i]);
	for (size_t i = 0; i < MAX_USB; i++)
		free(vm->config.usb[i]);
	free(vm->note);
	free(vm->usb);
	slot_free(&vm->slot);
	host_close(vm->host);
}

/* 100 to 999999999 (PVE::JSONSchema, pve-vmid); so no word of ours is ever an option of qm's. */
static bool is_vmid(const char *text)
{
	size_t len = strspn(text, "0123456789");

	return len >= 3 && len <= 9 && !text[len] && *text != '0';
}

int command_vm(int argc, char **argv)
{
	static const struct options_entry entries[] = {
		{ "run", 'R', NULL, "run the calls, instead of only printing them" },
		{ "usb", 'u', "DEVICE",
		  "a USB device too: VENDOR:PRODUCT or BUS-PORT; repeatable" },
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
