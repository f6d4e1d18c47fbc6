/* SPDX-License-Identifier: Apache-2.0 */
/* The entry point of a fuzz target, as libFuzzer calls it. Any crash, abort or leak is a find. */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#endif
