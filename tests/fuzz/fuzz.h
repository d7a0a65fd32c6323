/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fuzzers of this folder share: a root directory in memory, and a check that is a crash. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

/* libFuzzer's entry: https://llvm.org/docs/LibFuzzer.html */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* must - what holds for any input. Unlike assert() it is there in every build. */
#define must(condition) ((condition) ? (void)0 : __builtin_trap())

/* fuzz_text - the input as a string of its own, so that a byte read past its end is seen. */
char *fuzz_text(const uint8_t *data, size_t size);

/* fuzz_root - a root directory that is the same for all inputs and goes with the process. */
int fuzz_root(void);

/* fuzz_file - gives a file below it this content; its folders are made. */
void fuzz_file(const char *path, const void *data, size_t size);

#endif
