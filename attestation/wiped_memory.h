/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Heap for libcrypto that is wiped when it is freed. libcrypto wipes its numbers and keys by
 * itself, but not the buffers that a key's text and DER pass through while it is read.
 */
#ifndef ATTESTATION_WIPED_MEMORY_H
#define ATTESTATION_WIPED_MEMORY_H

#include <stdbool.h>

/*
 * wiped_memory_install() - make libcrypto use it. Has to come before any other use of libcrypto.
 * Return: true; false if libcrypto has memory already and keeps its own way.
 */
bool wiped_memory_install(void);

#endif
