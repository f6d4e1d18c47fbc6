/* SPDX-License-Identifier: Apache-2.0 */
/* The user's terminal while a guest has it: keys go to the guest at once, Ctrl-C still ends us. */
#ifndef VMM_TERMINAL_H
#define VMM_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

struct terminal {
	struct termios saved;
	bool changed;
};

/* terminal_raw() - if wanted and standard input is a terminal: no line buffer, no echo. */
void terminal_raw(struct terminal *t, bool wanted);

/* terminal_restore() - put back what terminal_raw() found; does nothing if that did nothing. */
void terminal_restore(struct terminal *t);

#endif
