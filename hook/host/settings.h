/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The attributes that set lines change, on the running host: the attribute of each key, what a
 * function offers, and the value before the boot. Only reads; early/ writes them, and commands/
 * when a device is given back.
 */
#ifndef VFIO_EARLY_HOOK_HOST_SETTINGS_H
#define VFIO_EARLY_HOOK_HOST_SETTINGS_H

#include "host/host.h"

/* settings_attribute - "reset_method", "d3cold_allowed" or "power/control". */
const char *settings_attribute(enum plan_key key);

/*
 * settings_offered - what a function offers for a key: its methods, or the current value.
 * reset_method shows only what is enabled (drivers/pci/pci.c, reset_method_show), so if this boot
 * has written it, the value from before counts.
 *
 * Returns buf, "" if it does not have the key.
 */
const char *settings_offered(const struct host *host, const struct host_function *fn,
			     enum plan_key key, char *buf, size_t size);

/*
 * settings_has_methods - is each wanted method (separated by blanks) offered? "default" always is.
 */
bool settings_has_methods(const char *offered, const char *wanted);

/* The methods of Linux 6.x (drivers/pci/pci.c, pci_reset_fn_methods). */
#define SETTINGS_METHODS "device_specific acpi flr af_flr pm bus cxl_bus"

/*
 * settings_next_unknown - the next method in a list, separated by blanks, that is neither one of
 * SETTINGS_METHODS nor listed by any function of this host: a later kernel may have more.
 * @wanted: moved behind it
 * @len: set to its length
 *
 * Returns NULL if there is none.
 */
const char *settings_next_unknown(const struct host *host, const char **wanted, size_t *len);

/*
 * settings_power - "on" or "auto", and whether its power may be cut: "auto d3cold=on". Returns buf,
 * "" if the kernel does not tell.
 */
const char *settings_power(const struct host *host, const struct host_function *fn, char *buf,
			   size_t size);

/*
 * settings_bars - its memory regions and their sizes, and for those that can be resized the sizes that
 * they can have: "0: 16M, 1: 256M of 256M 512M 1G" (drivers/pci/pci-sysfs.c, resource_show and
 * resource##n##_resize_show). Returns buf, "" when the kernel does not tell.
 */
const char *settings_bars(const struct host *host, const struct host_function *fn, char *buf,
			  size_t size);

#endif
