/* SPDX-License-Identifier: Apache-2.0 */
/* The program's entry; everything else is behind vmm/cli/. */
#include "vmm/cli/cli.h"

int main(int argc, char **argv)
{
	return cli_main(argc, argv);
}
