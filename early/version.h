/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this build is called: the first version of debian/changelog. One object of each half knows it,
 * so that a new version compiles one file.
 */
#ifndef VFIO_EARLY_VERSION_H
#define VFIO_EARLY_VERSION_H

extern const char version_text[];

#endif
