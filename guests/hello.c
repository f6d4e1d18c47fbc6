/* SPDX-License-Identifier: Apache-2.0 */
/* The smallest guest: says its command line and powers off. */
#include "guests/lib/guest.h"

const char guest_name[] = "hello";

void guest_main(void)
{
	print("hello from a guest, command line '%s'\n", guest_cmdline());
}
