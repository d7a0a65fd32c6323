// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The version, in an object of its own: see version.h. VERSION comes from the Makefile.
 */
#include "version.h"

const char version_text[] = VERSION;
