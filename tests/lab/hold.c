/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab-hold: keeps one empty VM open, as long as it lives.
 *
 * KVM patches kernel code when its first VM comes and its last one goes, and QEMU's multi-threaded
 * emulation of several CPUs does not always survive that (an int3 oops of the lab's kernel). With
 * this VM held before anything else runs, and until the end, it happens once, in a quiet machine.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

int main(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int vm = kvm < 0 ? -1 : ioctl(kvm, KVM_CREATE_VM, 0);

	if (vm < 0 || ioctl(vm, KVM_CREATE_VCPU, 0) < 0) {
		perror("lab-hold: /dev/kvm");
		return 1;
	}
	if (fork()) /* the caller goes on when the VM is there */
		return 0;
	for (;;)
		pause();
}
