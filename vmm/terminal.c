/* SPDX-License-Identifier: Apache-2.0 */
/* The user's terminal; see vmm/terminal.h. */
#include "vmm/terminal.h"

#include <unistd.h>

void terminal_raw(struct terminal *t, bool wanted)
{
	struct termios raw;

	t->changed = false;
	if (!wanted || tcgetattr(STDIN_FILENO, &t->saved) < 0)
		return;
	raw = t->saved;
	raw.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | IXON);
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | IEXTEN);
	t->changed = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

void terminal_restore(struct terminal *t)
{
	if (t->changed)
		tcsetattr(STDIN_FILENO, TCSANOW, &t->saved);
	t->changed = false;
}
