// SPDX-License-Identifier: GPL-2.0-or-later
/* An image, as verify and status read it. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "image/image.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *why = NULL;
	struct image image;
	int fd = memfd_create("image", MFD_CLOEXEC), ret;

	must(fd >= 0 && write(fd, data, size) == (ssize_t)size && !lseek(fd, 0, SEEK_SET));
	ret = image_read(fd, &image, &why);
	must(ret <= 0);
	must(!ret || why);
	must(!image.plan || strlen(image.plan) <= image.plan_size);
	must(strlen(image.binary_sha) == 0 || strlen(image.binary_sha) == 64);
	for (size_t i = 0; i < image.modules; i++)
		must(image.module[i]);
	image_free(&image);
	close(fd);
	return 0;
}
