// SPDX-License-Identifier: GPL-2.0-or-later
/* Old recipes in words: one table by kind, one by what keeps a recipe from counting; see recipes.h. */
#include "findings/recipes.h"
#include "util/words.h"

struct recipe_words {
	const char *code, *why, *fix;
	const char *fix_other; /* of one that gives no device away, where that differs */
};

#define FIX_IMPORT	"vfio-early import, then delete it"
#define FIX_IMPORT_FILE "vfio-early import; after a boot with it, vfio-early import --delete"
#define FIX_IMPORT_LOADER \
	"vfio-early import, then delete it from the boot loader's config, then vfio-early-cmdline refresh"
#define FIX_LOADER "delete it from the boot loader's config"
#define FIX_ADD	   "vfio-early add ADDRESS for what it names, then delete it"
/* Both texts: of one that gives a device away, and of another, which may have a use. */
#define FIX_ADD_FILE                                                   \
	"vfio-early add ADDRESS for its device, then delete the file", \
		"correct the name, or delete the file"
#define FIX_ADD_LINE \
	"vfio-early add ADDRESS for its device, then delete it", "correct it, or delete it"

static const struct recipe_words kinds[RECIPE_KINDS] = {
	[RECIPE_IDS] = { "ids",
			 "takes every function with such an ID, the host's own too, whenever "
			 "anything else loads vfio-pci",
			 FIX_IMPORT_FILE },
	[RECIPE_MODULE_IDS] = { "modules-ids",
				"takes every function with such an ID, the host's own too, but only "
				"after udev has loaded the drivers",
				FIX_IMPORT_FILE },
	[RECIPE_CMDLINE_IDS] = { "cmdline-ids",
				 "takes every function with such an ID, the host's own too",
				 FIX_IMPORT_LOADER },
	[RECIPE_STUB_IDS] = { "pci-stub-ids", "pci-stub takes them first", FIX_IMPORT },
	[RECIPE_DRIVERCTL] = { "driverctl", "driverctl sets its own override later, after udev",
			       "vfio-early import, then driverctl unset-override ADDRESS" },
	[RECIPE_DRIVERCTL_OTHER] = { "driverctl-other",
				     "driverctl gives it to that driver, after udev",
				     "driverctl unset-override ADDRESS, if the config is to have it" },
	[RECIPE_BLACKLIST] = { "blacklist",
			       "not needed for functions that the config names, and keeps the "
			       "driver from the host's other devices",
			       "delete it, unless it is there for another reason" },
	[RECIPE_BLACKLIST_VFIO] = { "vfio-kept-away", "keeps a module away that the boot needs",
				    "delete it" },
	[RECIPE_CMDLINE_BLACKLIST] = { "cmdline-blacklist",
				       "not needed for functions that the config names, and "
				       "keeps the driver from the host's other devices",
				       FIX_LOADER ", unless it is there for another reason" },
	[RECIPE_INSTALL] = { "install-false",
			     "not needed for functions that the config names, and keeps the "
			     "driver from the host's other devices",
			     "delete it, unless it is there for another reason" },
	[RECIPE_INSTALL_VFIO] = { "install-vfio",
				  "runs instead of vfio-pci whenever anything but the early boot "
				  "loads that",
				  FIX_ADD },
	[RECIPE_INSTALL_ORDER] = { "install-order",
				   "not needed: the boot binds before any of them is loaded",
				   "delete it" },
	[RECIPE_SOFTDEP] = { "softdep", "not needed: the boot binds before any of them is loaded",
			     "delete it" },
	[RECIPE_SOFTDEP_REVERSE] = { "softdep-reverse",
				     "is the wrong way round: it loads that driver before "
				     "vfio-pci; the early boot ignores it, modprobe does not",
				     "delete it" },
	[RECIPE_SOFTDEP_POST] = { "softdep-post",
				  "not needed: the boot binds before any of them is loaded",
				  "delete it" },
	[RECIPE_MODULES] = { "modules-listed", "not needed: the plan loads what it needs",
			     "delete it" },
	[RECIPE_VIRQFD] = { "virqfd",
			    "gone from Linux 6.2, and not needed before: the plan loads what it "
			    "needs",
			    "delete it" },
	[RECIPE_DRIVER_PRE] = { "driver-pre", "not needed: the plan loads what it needs",
				"delete it" },
	[RECIPE_SCRIPT] = { "override-script", "a boot script binds devices of its own choice",
			    FIX_ADD },
	[RECIPE_UDEV] = { "udev-rule", "a udev rule binds devices of its own choice", FIX_ADD },
	[RECIPE_UNIT] = { "unit",
			  "a systemd unit binds devices of its own choice, long after the "
			  "drivers",
			  FIX_ADD },
	[RECIPE_STARTUP] = { "startup-line",
			     "binds devices of its own choice at every boot, long after the drivers",
			     FIX_ADD },
	[RECIPE_HOOK] = { "vm-hook",
			  "not needed when a VM starts: the functions of the config are on "
			  "vfio-pci from the boot on",
			  "delete it, unless the device goes back to the host after the VM" },
	[RECIPE_UNSAFE] = { "unsafe-interrupts", "a VM may raise any interrupt of this host",
			    "switch on interrupt remapping (x2APIC) in the firmware, and delete "
			    "it" },
	[RECIPE_AMD_IOMMU] = { "amd-iommu-on",
			       "not an option of the kernel: the AMD IOMMU is on by default",
			       FIX_LOADER },
	[RECIPE_ACS] = { "acs-override",
			 "the IOMMU groups claim an isolation that the hardware does not have: a "
			 "device of one VM may read and write the memory of another VM and of "
			 "the host",
			 "delete it, unless you trust all VMs" },
	[RECIPE_XEN_HIDE] = { "xen-hide",
			      "hides the device from a Xen host's drivers, and does "
			      "nothing on this one",
			      FIX_ADD " from the boot loader's config" },
	[RECIPE_IGNORE_MSRS] = { "ignore-msrs",
				 "may stay: it lets guests use registers that KVM does not know, "
				 "which some Windows guests need",
				 "leave it" },
	[RECIPE_DISABLE_VGA] = { "disable-vga",
				 "may stay: it keeps bound devices out of VGA arbitration, and "
				 "the plan passes it on",
				 "leave it" },
	[RECIPE_CMDLINE_OPTION] = { "cmdline-option",
				    "has no effect: only modprobe reads options of modules there, and "
				    "the early boot loads that module with those of modprobe.d alone",
				    "write it into /etc/modprobe.d/vfio.conf as options MODULE "
				    "NAME=VALUE" },
	[RECIPE_NOMODESET] = { "nomodeset",
			       "keeps every graphics driver of the host from the hardware; not "
			       "needed for functions that the config names",
			       FIX_LOADER ", unless the host's own screen needs it" },
	[RECIPE_ALIAS] = { "alias",
			   "not needed: it has vfio-pci loaded by another name, and the plan loads "
			   "what it needs",
			   "delete it" },
	[RECIPE_LOADER_FILE] = { "loader-file-unread",
				 "does more than assign values: which kernel parameters it comes to "
				 "is not known",
				 "write NAME=\"VALUE\" there, then check again" },
	[RECIPE_LOADER_UNREAD] = { "loader-file-unreadable",
				   "cannot be read: which kernel parameters it comes to is not "
				   "known",
				   "check again as root, or let it be read" },
};

static const struct recipe_words states[RECIPE_STATES] = {
	[RECIPE_NO_SUFFIX] = { "no-suffix",
			       "does nothing: nothing reads a file there whose name does not end in "
			       ".conf",
			       FIX_ADD_FILE },
	[RECIPE_DOT_FILE] = { "dot-file",
			      "does nothing: nothing reads a file there whose name begins with a dot",
			      FIX_ADD_FILE },
	[RECIPE_NO_READER] = { "no-reader", "does nothing: nothing reads that place",
			       FIX_ADD_FILE },
	[RECIPE_HIDDEN] = { "hidden",
			    "does nothing: a file of the same name in an earlier folder counts "
			    "instead",
			    "delete it" },
	[RECIPE_SET_AGAIN] = { "set-again",
			       "does nothing: the parameter is set again further down, and only "
			       "the last one counts",
			       "delete it" },
	[RECIPE_NO_SUCH] = { "no-such-parameter",
			     "does nothing: that module has no such parameter; in modprobe.d it is "
			     "written options vfio-pci ids=",
			     FIX_ADD_LINE },
	[RECIPE_AFTER_BLANK] = { "after-blank",
				 "does nothing: a blank ends the list of IDs, so what follows is "
				 "another parameter",
				 FIX_ADD_LINE },
	[RECIPE_BAD_LINE] = { "bad-line", "does nothing: modprobe does not understand that line",
			      FIX_ADD_LINE },
	[RECIPE_NO_OPTIONS] = { "no-options",
				"does nothing: a line with options there loads no module "
				"(modules-load.d(5))",
				FIX_ADD_LINE },
	[RECIPE_NOT_PASSED] = { "not-passed",
				"does nothing: the boot loader does not pass it to the kernel",
				FIX_ADD_LINE },
	[RECIPE_NOT_KNOWN] = { "maybe-passed",
			       "it is not known whether the boot loader reads that file and passes it "
			       "to the kernel",
			       FIX_ADD_LINE },
	[RECIPE_BY_ALIAS] = { "alias-options",
			      "does nothing: options of an alias count only when vfio-pci is loaded by "
			      "that name",
			      FIX_ADD_LINE },
	[RECIPE_AFTER_DASHES] = { "after-dashes",
				  "does nothing: options behind -- count for no module",
				  FIX_ADD_LINE },
	[RECIPE_REFUSED] = { "module-refused",
			     "does nothing: an option of vfio-pci has a value that it does not "
			     "take, so modprobe does not load it",
			     FIX_ADD_LINE },
	[RECIPE_IN_VALUE] = { "in-value",
			      "does nothing: the quotes make it a part of the value of another "
			      "parameter",
			      FIX_ADD_LINE },
	[RECIPE_IN_COMMENT] = { "in-comment",
				"does nothing: the comment above it ends in a backslash, and goes on",
				FIX_ADD_LINE },
	[RECIPE_WRONG_FILE] = { "wrong-file",
				"does nothing: it is a line of modprobe.d, and this is a list of "
				"modules",
				FIX_ADD_LINE },
	[RECIPE_COMMA_LIST] = { "comma-list",
				"does nothing: a blacklist line takes one module, so the list is "
				"read as one name",
				"write one blacklist line for each module; delete it if the config "
				"names their devices" },
	[RECIPE_NO_EFFECT] = { "no-effect", "does nothing: this host remaps interrupts",
			       "delete it" },
};

static const struct recipe_words *words_of_recipe(const struct recipe *recipe)
{
	return recipe->state == RECIPE_IN_FORCE ? &kinds[recipe->kind] : &states[recipe->state];
}

/* Would its device be handed over by an address in the config? */
static bool gives_device(const struct recipe *recipe)
{
	switch (recipe->kind) {
	case RECIPE_DRIVERCTL:
	case RECIPE_SCRIPT:
	case RECIPE_UDEV:
	case RECIPE_UNIT:
	case RECIPE_STARTUP:
	case RECIPE_XEN_HIDE:
		return true;
	default:
		return recipe_is_ids(recipe);
	}
}

const char *recipe_code(const struct recipe *recipe)
{
	return words_of_recipe(recipe)->code;
}

const char *recipe_why(const struct recipe *recipe)
{
	return words_of(recipe_code(recipe), words_of_recipe(recipe)->why);
}

const char *recipe_fix(const struct recipe *recipe)
{
	const struct recipe_words *is = words_of_recipe(recipe);

	if (recipe->is_gone && recipe->state == RECIPE_IN_FORCE)
		return words_of("gone",
				gives_device(recipe) ?
					"vfio-early import, if its devices are to be bound: "
					"the next boot is without it" :
					"none is needed: the next boot is without it");
	return words_of(is->code, is->fix_other && !gives_device(recipe) ? is->fix_other : is->fix);
}
