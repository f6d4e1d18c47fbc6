/* SPDX-License-Identifier: Apache-2.0 */
/* struct backend_own: what a vhost-user back end leaves to its front end. */
#ifndef DEVICES_FRONT_BACKEND_OWN_H
#define DEVICES_FRONT_BACKEND_OWN_H

#include <stdint.h>

struct backend_own {
	uint32_t len;       /* of a device configuration that is ours; 0: the back end has it */
	uint8_t config[64]; /* len bytes */
	uint64_t features;  /* offered beside its own */
	uint64_t withheld;  /* of its own, not offered */
};

#endif
