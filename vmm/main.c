/* SPDX-License-Identifier: Apache-2.0 */
/* The program's entry; everything else is behind vmm/cli/. */
#include "vmm/cli/cli.h"
#include "vmm/lazy.h"

int main(int argc, char **argv)
{
	/* The daemon confines itself before it knows what its clients will want. */
	if (lazy_load_all && argc > 1 && argv[1][0] == '-')
		lazy_load_all();
	return cli_main(argc, argv);
}
