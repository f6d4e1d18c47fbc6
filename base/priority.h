/* SPDX-License-Identifier: Apache-2.0 */
/* How soon the calling thread runs when it has something to do. Threads that it makes inherit that. */
#ifndef BASE_PRIORITY_H
#define BASE_PRIORITY_H

#include <stdbool.h>

/* priority_first() - before all ordinary threads. Return: false if it may not, which takes
 * CAP_SYS_NICE. */
bool priority_first(void);

/* priority_ordinary() - as any other thread. */
void priority_ordinary(void);

/* priority_soon() - with short slices, which are due sooner, from Linux 6.12 on; else as any other. */
void priority_soon(void);

#endif
