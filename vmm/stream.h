/* SPDX-License-Identifier: Apache-2.0 */
/* Where the bytes of the serial port or the virtio console go to and come from. */
#ifndef VMM_STREAM_H
#define VMM_STREAM_H

enum stream_mode {
	STREAM_OFF,
	STREAM_NULL,
	STREAM_TTY,
	STREAM_FILE,
	STREAM_PTY,   /* a new pseudoterminal */
	STREAM_SOCKET /* a unix socket that a client connects to */
};

struct stream_config {
	int mode;     /* enum stream_mode */
	char *file;   /* of mode STREAM_FILE */
	char *socket; /* of mode STREAM_SOCKET */
};

#endif
