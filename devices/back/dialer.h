/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct dialer: what a vsock device process can't do itself, having no file system: it listens on
 * a path for the host's clients, connects the guest to listeners of the host's, and removes the
 * socket when the device process has ended. It lives in the spawner: what a guest may trigger at
 * any time should not happen in the monitor, which holds the guest's memory. All that the device
 * process chooses is a number: PATH_<port>, nothing else, is connected to. Protocol:
 * devices/wire/vsock_dial.h. Nothing here waits.
 */
#ifndef DEVICES_BACK_DIALER_H
#define DEVICES_BACK_DIALER_H

#include "base/loop.h"

#define DIALER_PATH_MAX 108u /* with the NUL */

struct dialer {
	struct loop *loop;
	struct loop_source source; /* fd -1: not in use */
	char path[DIALER_PATH_MAX];
};

/* What the device process gets; the caller's. */
struct dialer_ends {
	int listen; /* for the owner alone; non-blocking */
	int dial;
};

/*
 * dialer_init() - listen, and serve a device process. A socket that a dead process left at the path
 * is replaced.
 * Return: 0; -EADDRINUSE if somebody listens there; -EEXIST if it is no socket; -errno. The dialer
 * is not in use after an error.
 */
int dialer_init(struct dialer *d, struct loop *loop, const char *path, struct dialer_ends *ends,
	struct err *e) MUST_CHECK;

/* dialer_fini() - remove the socket; not in use any more. A second time does nothing. */
void dialer_fini(struct dialer *d);

/*
 * dialer_disown() - the socket at the path is another dialer's now: this one's device process has
 * ended, or nobody else could have listened there. dialer_fini() then leaves it alone.
 */
void dialer_disown(struct dialer *d);

#endif
