/* SPDX-License-Identifier: Apache-2.0 */
/* Where the bytes of the serial port or the virtio console go to and come from. */
#ifndef VMM_STREAM_H
#define VMM_STREAM_H

enum stream_mode { STREAM_OFF, STREAM_NULL, STREAM_TTY, STREAM_FILE };

struct stream_config {
	int mode;   /* enum stream_mode */
	char *file; /* given: mode is STREAM_FILE */
};

#endif
