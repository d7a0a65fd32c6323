/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text formats of Proxmox VE: the config of a VM or a container, "key=value,..." properties,
 * and the files of cluster-wide mappings. No I/O, no knowledge of PCI.
 *
 * Formats: qm.conf(5), pct.conf(5); PVE::QemuServer::parse_vm_config, PVE::JSONSchema
 * parse_property_string, PVE::SectionConfig.
 */
#ifndef VFIO_EARLY_HOOK_HOST_PVE_CONFIG_H
#define VFIO_EARLY_HOOK_HOST_PVE_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#define PVE_MAX_HOSTPCI 16 /* PVE::QemuServer::PCI, $MAX_HOSTPCI_DEVICES */
#define PVE_MAX_USB	14 /* PVE::QemuServer::USB, $MAX_USB_DEVICES; 5 below machine version 7.1 */

struct pve_option {
	char *key, *value;
	bool is_pending; /* changed since the VM was started; applies from its next start on */
};

/* What the next start of a VM uses: its options, with pending changes applied. */
struct pve_config {
	unsigned int id; /* VMID; set by the caller */
	bool is_container;
	struct pve_option *option;
	size_t options;
};

/* One "map" line of a mapping: what it is on one node. The text is kept for pve_property(). */
struct pve_mapping {
	char *name;
	char **map;
	size_t maps;
	bool has_mdev;
};

struct pve_mappings {
	struct pve_mapping *list;
	size_t count;
};

/*
 * pve_config_parse - read the config of a VM or a container.
 * @text: the file, or the output of `qm config`
 * @config: zeroed; call pve_config_free() in any case
 *
 * Snapshots are left out. If an option is there twice, the last one wins. Returns 0 or -ENOMEM.
 */
int pve_config_parse(const char *text, struct pve_config *config);

void pve_config_free(struct pve_config *config);

/* pve_config_option - an option, or NULL. */
const struct pve_option *pve_config_option(const struct pve_config *config, const char *key);

/* pve_config_get - its value, or NULL. */
const char *pve_config_get(const struct pve_config *config, const char *key);

/* pve_config_indexed - the value of "hostpci3", or NULL. */
const char *pve_config_indexed(const struct pve_config *config, const char *key,
			       unsigned int number);

/* pve_is_true - a boolean as PVE reads it: 1, on, yes or true. @text: or NULL */
bool pve_is_true(const char *text);

/* pve_is_false - 0, off, no or false. */
bool pve_is_false(const char *text);

/*
 * pve_property - one property of a value such as "0000:81:00,pcie=1".
 * @fallback: the key that a word without "=" belongs to ("host"), or NULL
 * @buf: gets the property
 *
 * Returns buf, or NULL when there is no such property.
 */
const char *pve_property(const char *value, const char *fallback, const char *key, char *buf,
			 size_t size);

/* pve_mappings_parse - read mapping/pci.cfg or usb.cfg; as pve_config_parse(). */
int pve_mappings_parse(const char *text, struct pve_mappings *mappings);

void pve_mappings_free(struct pve_mappings *mappings);

/* pve_mappings_find - by name, or NULL. */
const struct pve_mapping *pve_mappings_find(const struct pve_mappings *mappings, const char *name);

#endif
