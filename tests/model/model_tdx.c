/* SPDX-License-Identifier: Apache-2.0 */
/* The model's TDX. */
#include "tests/model/model_int.h"

long model_tdx_vm_op(struct model_vm *vm, void *arg)
{
	(void)vm;
	(void)arg;
	return -ENOTTY;
}

long model_tdx_vcpu_op(struct model_fd *f, void *arg)
{
	(void)f;
	(void)arg;
	return -ENOTTY;
}
