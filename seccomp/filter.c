/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of roles and system calls; see seccomp/filter.h. CONTRIBUTING.md tells how to add a
 * row; tests/kvm/filters.py finds rows that nothing needs.
 */
#include "seccomp/filter.h"

#include <asm/ioctls.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define BIT(role) (1u << (role))
#define BLK       BIT(FILTER_BLK)
#define RNG       BIT(FILTER_RNG)
#define CONSOLE   BIT(FILTER_CONSOLE)
#define NET       BIT(FILTER_NET)
#define VSOCK     BIT(FILTER_VSOCK)
#define BALLOON   BIT(FILTER_BALLOON)
#define DEVICE    (BLK | RNG | CONSOLE | NET | VSOCK | BALLOON)
#define SPAWNER   BIT(FILTER_SPAWNER)
#define VCPU      BIT(FILTER_VCPU)
#define COURIER   BIT(FILTER_COURIER)
#define RUN       BIT(FILTER_RUN)
#define REPORTER  BIT(FILTER_REPORTER)
#define MAIN      BIT(FILTER_DAEMON)
#define API       BIT(FILTER_API)
#define DAEMON    BIT(FILTER_BUILDER) /* of its threads the one that makes VMs */
#define DIALER    BIT(FILTER_DIALER)
#define TALKERS   (COURIER | RUN) /* to device processes */
#define MONITOR   (VCPU | TALKERS)
#define MAKERS    (RUN | DAEMON)

#define WHOLE         UINT32_MAX /* int arguments: the upper half of a register is undefined */
#define IOCTL(number) 1, WHOLE, (number)

/* Newer than this C library's headers; tests/unit/vmm/test_filter_abi.c compares. */
#define SET_MEMORY_ATTRIBUTES 0x4020aed2
#define SET_MEMORY_REGION2    0x40a0ae49
#define PRE_FAULT_MEMORY      0xc040aed5
#define CREATE_GUEST_MEMFD    0xc040aed4
#define COLLAPSE              25 /* MADV_COLLAPSE, since Linux 6.1 */

#define THREAD (CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD)

static const struct filter_row rows[] = {
	/* --- all --- */
	{SCMP_SYS(write), DEVICE | MONITOR | API, "eventfds, log lines; device processes: output"},
	{SCMP_SYS(sendmsg), DEVICE | TALKERS, "vhost-user, and messages between our processes"},
	{SCMP_SYS(recvmsg), DEVICE | TALKERS | API, "the same"},

	/* --- device processes, and the main threads --- */
	{SCMP_SYS(epoll_wait), DEVICE | RUN | API, "the loop waits"},
	{SCMP_SYS(epoll_ctl), DEVICE | VCPU | RUN | API,
		"descriptors come and go: of devices, clients, INTx"},
	{SCMP_SYS(newfstatat), DEVICE | MAKERS,
		"fstat(): a memory region, the size of shared memory"},
	{SCMP_SYS(fstat), DEVICE | MAKERS, "the same", .rarely = "other C libraries"},
	{SCMP_SYS(mmap), DEVICE | DAEMON | API,
		"memory regions, large allocations; never executable", 2, PROT_EXEC, 0},
	{SCMP_SYS(munmap), DEVICE, "memory regions that go", .rarely = "other front ends"},
	{SCMP_SYS(munmap), MAKERS | API, "stacks of threads that ended, large allocations"},
	{SCMP_SYS(madvise), DEVICE, "keep guest memory out of core files", 2, WHOLE, MADV_DONTDUMP},
	{SCMP_SYS(madvise), BALLOON, "pages that the guest does without", 2, WHOLE, MADV_REMOVE},
	{SCMP_SYS(madvise), VSOCK, "give the buffers of slow readers back", 2, WHOLE, MADV_DONTNEED,
		.rarely = "slow readers"},
	{SCMP_SYS(close), DEVICE | TALKERS | API, "descriptors of messages; the end of devices"},
	{SCMP_SYS(exit_group), DEVICE | RUN, "the end"},
#ifdef __SANITIZE_ADDRESS__
	{SCMP_SYS(sigaltstack), DEVICE, "AddressSanitizer, before the end"},
#endif
	{SCMP_SYS(io_uring_enter), BLK, "disk operations; the ring itself is restricted"},
	{SCMP_SYS(accept4), VSOCK, "clients of the host"},
	{SCMP_SYS(shutdown), VSOCK, "connections that end in one direction",
		.rarely = "half-closed connections"},
	{SCMP_SYS(readv), RNG | CONSOLE | NET, "input and frames, straight to the guest"},
	{SCMP_SYS(writev), NET, "frames, straight from the guest"},
	{SCMP_SYS(ioctl), NET, "what the driver lets the tap leave undone", IOCTL(TUNSETOFFLOAD)},
	{SCMP_SYS(ioctl), NET, "queues of the tap that the driver uses", IOCTL(TUNSETQUEUE)},
	{SCMP_SYS(timerfd_settime), NET | BLK, "the wait for a rate limit",
		.rarely = "rate limits"},
	{SCMP_SYS(clock_gettime), NET | BLK, "rate limits", .rarely = "clocks without vDSO"},

	/* --- the spawner, and what device processes do before they load their own filter --- */
	{SCMP_SYS(clone3), SPAWNER, "a device process, into namespaces of its own"},
	{SCMP_SYS(clone), SPAWNER, "the same", .rarely = "kernels without clone3()"},
	{SCMP_SYS(pipe2), SPAWNER, "how its start went"},
	{SCMP_SYS(read), SPAWNER, "the same, and SIGCHLD"},
	{SCMP_SYS(wait4), SPAWNER, "device processes that ended"},
	{SCMP_SYS(rt_sigprocmask), SPAWNER, "start: signals as before"},
	{SCMP_SYS(rt_sigaction), SPAWNER, "start: SIGPIPE"},
	{SCMP_SYS(close_range), SPAWNER, "start: all but their own descriptors"},
	{SCMP_SYS(prctl), SPAWNER,
		"start: name, no_new_privs, death with the parent, capabilities"},
	{SCMP_SYS(capset), SPAWNER, "start: no capabilities"},
	{SCMP_SYS(prlimit64), SPAWNER, "start: limits"},
	{SCMP_SYS(mount), SPAWNER, "start: the empty root"},
	{SCMP_SYS(umount2), SPAWNER, "start: the empty root"},
	{SCMP_SYS(pivot_root), SPAWNER, "start: the empty root"},
	{SCMP_SYS(chroot), SPAWNER, "start: the empty root", .rarely = "hosts in an initramfs"},
	{SCMP_SYS(chdir), SPAWNER, "start: the empty root"},
	{SCMP_SYS(landlock_create_ruleset), SPAWNER, "start: Landlock"},
	{SCMP_SYS(landlock_restrict_self), SPAWNER, "start: Landlock"},
	{SCMP_SYS(seccomp), SPAWNER, "start: their own filter"},
	{SCMP_SYS(brk), SPAWNER, "start: allocations", .rarely = "devices of much state"},
	{SCMP_SYS(epoll_create1), SPAWNER, "start: the loop"},
	{SCMP_SYS(fcntl), SPAWNER, "start: modes of descriptors"},
	{SCMP_SYS(memfd_create), SPAWNER, "start: the record of what is in flight"},
	{SCMP_SYS(ftruncate), SPAWNER, "the same"},
	{SCMP_SYS(lseek), SPAWNER | BLK, "the size of an image, also when it is another"},
	{SCMP_SYS(statx), SPAWNER, "start of blk: alignment of direct requests",
		.rarely = "direct images"},
	{SCMP_SYS(fallocate), SPAWNER, "start of blk: can the image have holes?"},
	{SCMP_SYS(io_uring_setup), SPAWNER, "start of blk"},
	{SCMP_SYS(io_uring_register), SPAWNER, "start of blk: restrict the ring"},
	{SCMP_SYS(ioctl), SPAWNER, "start of net: is it a tap?", IOCTL(TUNGETIFF),
		.rarely = "taps"},
	{SCMP_SYS(getsockopt), SPAWNER, "start of net: if not, does it keep frames apart?", 2,
		WHOLE, SO_TYPE, .rarely = "sockets in place of taps"},
	{SCMP_SYS(ioctl), SPAWNER, "start of net: the headers of frames", IOCTL(TUNSETVNETHDRSZ),
		.rarely = "taps"},
	{SCMP_SYS(timerfd_create), SPAWNER, "start of blk and net: rate limits",
		.rarely = "rate limits"},
	{SCMP_SYS(socketpair), SPAWNER, "vsock: ports to connect to, and the connections", 0, WHOLE,
		AF_UNIX},
	{SCMP_SYS(socket), SPAWNER, "vsock: to listen and connect for the guest", 0, WHOLE,
		AF_UNIX},
	{SCMP_SYS(connect), SPAWNER, "vsock: the guest connects to the host"},
	{SCMP_SYS(fchmod), SPAWNER, "vsock: the listening socket is the owner's"},
	{SCMP_SYS(bind), SPAWNER, "vsock: the listening socket"},
	{SCMP_SYS(listen), SPAWNER, "vsock: the listening socket"},
	{SCMP_SYS(unlink), SPAWNER, "vsock: the listening socket, at the end"},

	/* --- monitor: vCPU threads, mostly --- */
	{SCMP_SYS(ioctl), VCPU, "run the guest", IOCTL(KVM_RUN)},
	{SCMP_SYS(ioctl), MONITOR, "lines of the serial port and INTx", IOCTL(KVM_IRQ_LINE)},
	{SCMP_SYS(ioctl), MONITOR, "the same, where KVM has no IOAPIC", IOCTL(KVM_SIGNAL_MSI),
		.rarely = "level tdx"},
	{SCMP_SYS(ioctl), MONITOR, "MSI routes: the guest writes to a table",
		IOCTL(KVM_SET_GSI_ROUTING)},
	{SCMP_SYS(ioctl), MONITOR, "devices start, stop and go", IOCTL(KVM_IRQFD)},
	{SCMP_SYS(ioctl), TALKERS, "the same", IOCTL(KVM_IOEVENTFD)},
	{SCMP_SYS(ioctl), VCPU, "the guest moves the registers of a device", IOCTL(KVM_IOEVENTFD),
		.rarely = "a device that runs meanwhile"},
	{SCMP_SYS(ioctl), VCPU, "conversions", IOCTL(SET_MEMORY_ATTRIBUTES),
		.rarely = "level sw-protected and up"},
	{SCMP_SYS(ioctl), VCPU, "large conversions", IOCTL(PRE_FAULT_MEMORY),
		.rarely = "level snp and up"},
	{SCMP_SYS(read), MONITOR | API, "eventfds, timers, signals; API requests, console input"},
	{SCMP_SYS(futex), MONITOR | API, "locks, and waits for them"},
	{SCMP_SYS(poll), TALKERS, "answers of device processes, within a time limit"},
	{SCMP_SYS(poll), VCPU, "the guest reads which interrupts are pending", 2, WHOLE, 0},
	{SCMP_SYS(madvise), VCPU, "conversions discard private pages", 2, WHOLE, MADV_REMOVE},
	{SCMP_SYS(madvise), VCPU | COURIER | API, "the C library: the stack of a thread that ends",
		2, WHOLE, MADV_DONTNEED},
	{SCMP_SYS(fallocate), VCPU | RUN, "conversions and the sweep discard shared pages", 1,
		WHOLE, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE},
	{SCMP_SYS(timerfd_settime), VCPU, "serial output is written a little later, in one go"},
	{SCMP_SYS(timerfd_settime), MAIN, "how long guests may take to let go of devices"},
	{SCMP_SYS(pidfd_send_signal), TALKERS, "end a device process that does not answer"},
	{SCMP_SYS(clock_gettime), MONITOR | API, "time limits", .rarely = "clocks without vDSO"},
	{SCMP_SYS(restart_syscall), TALKERS | API, "the kernel, for a wait with a time limit",
		.rarely = "after SIGSTOP"},
	{SCMP_SYS(rt_sigreturn), VCPU, "from the handler of the signal that interrupts a vCPU"},
#ifndef __SANITIZE_THREAD__ /* its runtime does look, at each signal, and would end the process */
	{SCMP_SYS(rt_sigprocmask), VCPU | COURIER | API,
		"a thread's end; the C library does not look at the result", .refuse = EPERM},
#endif
	{SCMP_SYS(exit), VCPU | COURIER | API, "the end of the thread"},

	/* --- monitor: the main thread of `run` --- */
	{SCMP_SYS(ioctl), RUN, "give the terminal back", IOCTL(TCSETS)},
	{SCMP_SYS(ioctl), MAKERS, "the C library: did it take the settings? is it a terminal?",
		IOCTL(TCGETS)},
	{SCMP_SYS(brk), DAEMON, "allocations"},
	{SCMP_SYS(brk), RUN | API, "the same", .rarely = "the heap is full"},
	{SCMP_SYS(accept4), RUN, "a client of the serial port or the console",
		.rarely = "sockets in a terminal's place"},
	{SCMP_SYS(unlink), RUN, "its socket, at the end",
		.rarely = "sockets in a terminal's place"},
	{SCMP_SYS(timerfd_settime), RUN, "how long a quote may take", .rarely = "level tdx"},
	{SCMP_SYS(lseek), MAKERS, "the sweep looks for pages with backing"},
	{SCMP_SYS(mincore), REPORTER, "how much private memory has backing"},
	{SCMP_SYS(clock_nanosleep), MAKERS, "wait for a vCPU to leave a region that goes",
		.rarely = "a vCPU is in it"},
	{SCMP_SYS(getpid), MAKERS, "signals to threads; reports"},
	{SCMP_SYS(tgkill), MAKERS, "interrupt a vCPU"},
	{SCMP_SYS(rt_sigprocmask), MAKERS, "around signals to threads"},
	{SCMP_SYS(wait4), RUN, "the spawner's end"},
	{SCMP_SYS(openat), REPORTER, "the report is a new file each time"},
	{SCMP_SYS(rename), REPORTER, "it takes the old one's place"},
	{SCMP_SYS(unlink), REPORTER, "or, not complete, is removed", .rarely = "full disks"},

	/* --- monitor: the thread that connects to a quote service, if there is one --- */
	{SCMP_SYS(socket), DIALER, "to the service", 0, WHOLE, AF_UNIX, .rarely = "level tdx"},
	{SCMP_SYS(socket), DIALER, "the same", 0, WHOLE, AF_VSOCK, .rarely = "level tdx"},
	{SCMP_SYS(connect), DIALER, "the same", .rarely = "level tdx"},
	{SCMP_SYS(write), DIALER, "log lines", .rarely = "level tdx"},
	{SCMP_SYS(close), DIALER, "a service that refuses", .rarely = "level tdx"},
	{SCMP_SYS(futex), DIALER, "waits for its next errand", .rarely = "level tdx"},
	{SCMP_SYS(madvise), DIALER, "the C library: its stack at the end", 2, WHOLE, MADV_DONTNEED,
		.rarely = "level tdx"},
#ifndef __SANITIZE_THREAD__
	{SCMP_SYS(rt_sigprocmask), DIALER, "the same", .refuse = EPERM, .rarely = "level tdx"},
#endif
	{SCMP_SYS(exit), DIALER, "the end of the thread", .rarely = "level tdx"},

	/* --- monitor: the daemon's threads for clients; those create and boot VMs at any time ---
	 */
	{SCMP_SYS(accept4), API, "clients"},
	{SCMP_SYS(sendto), API, "replies"},
	{SCMP_SYS(shutdown), API, "the end of a reply that no request can follow"},
	{SCMP_SYS(mremap), API, "large requests grow"},
	{SCMP_SYS(unlink), MAIN | DAEMON, "the API's socket, at the end"},
	{SCMP_SYS(openat), DAEMON, "vm.boot: /dev/kvm, kernel, disks: clients name files by path",
		0, WHOLE, (uint32_t)AT_FDCWD},
	{SCMP_SYS(access), DAEMON, "vm.create: is /dev/sev there?"},
	{SCMP_SYS(sysinfo), DAEMON, "vm.boot: has the host the memory?"},
	{SCMP_SYS(memfd_create), DAEMON, "vm.boot: shared memory, ledger"},
	{SCMP_SYS(ftruncate), DAEMON, "the same"},
	{SCMP_SYS(pwrite64), DAEMON, "vm.boot: the ledger"},
	{SCMP_SYS(fcntl), DAEMON, "vm.boot: seals, locks of disks, modes of descriptors"},
	{SCMP_SYS(mprotect), DAEMON, "vm.boot: private memory read-only, stacks; never executable",
		2, PROT_EXEC, 0},
	{SCMP_SYS(madvise), DAEMON, "vm.boot: huge pages to unpack a kernel into", 2, WHOLE,
		MADV_HUGEPAGE, .rarely = "stock kernels"},
	{SCMP_SYS(madvise), DAEMON, "vm.boot: huge pages where the launch image goes", 2, WHOLE,
		COLLAPSE, .rarely = "stock kernels"},
	{SCMP_SYS(madvise), DAEMON, "vm.boot: keep guest memory out of core files", 2, WHOLE,
		MADV_DONTDUMP},
	{SCMP_SYS(getrandom), DAEMON, "vm.create: a network device's address", .rarely = "taps"},
	{SCMP_SYS(socket), DAEMON, "vm.boot: to look at the host's end of a tap", 0, WHOLE, AF_INET,
		.rarely = "taps"},
	{SCMP_SYS(socket), DAEMON, "vm.boot: to a vhost-user back end of others", 0, WHOLE, AF_UNIX,
		.rarely = "back ends of others"},
	{SCMP_SYS(connect), DAEMON, "the same", .rarely = "back ends of others"},
	{SCMP_SYS(fchmod), DAEMON, "vm.boot: a socket for the serial port or the console",
		.rarely = "sockets in a terminal's place"},
	{SCMP_SYS(bind), DAEMON, "the same", .rarely = "sockets in a terminal's place"},
	{SCMP_SYS(listen), DAEMON, "the same", .rarely = "sockets in a terminal's place"},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot: a pseudoterminal for one of them", IOCTL(TIOCSPTLCK),
		.rarely = "pseudoterminals"},
	{SCMP_SYS(ioctl), DAEMON, "the same: every byte passes", IOCTL(TCSETS),
		.rarely = "pseudoterminals"},
	{SCMP_SYS(ioctl), DAEMON, "the same: its number", IOCTL(TIOCGPTN),
		.rarely = "pseudoterminals"},
	{SCMP_SYS(ioctl), DAEMON, "the same: its other end", IOCTL(TIOCGPTPEER),
		.rarely = "pseudoterminals"},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot: open a tap", IOCTL(TUNSETIFF), .rarely = "taps"},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot: a tap's MTU", IOCTL(SIOCGIFMTU), .rarely = "taps"},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot: is a tap up?", IOCTL(SIOCGIFFLAGS), .rarely = "taps"},
	/* The daemon has no capability for these. */
	{SCMP_SYS(ioctl), DAEMON, "vm.boot: a tap's MTU", IOCTL(SIOCSIFMTU), .refuse = EPERM,
		.rarely = "taps"},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot: addresses of its own", IOCTL(SIOCSIFHWADDR),
		.refuse = EPERM, .rarely = "taps"},
	{SCMP_SYS(ioctl), DAEMON, "the same", IOCTL(SIOCSIFADDR), .refuse = EPERM,
		.rarely = "taps"},
	{SCMP_SYS(ioctl), DAEMON, "the same", IOCTL(SIOCSIFNETMASK), .refuse = EPERM,
		.rarely = "taps"},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot: a tap is up", IOCTL(SIOCSIFFLAGS), .refuse = EPERM,
		.rarely = "taps"},
	{SCMP_SYS(socketpair), MAKERS, "to a device process; one may replace another", 0, WHOLE,
		AF_UNIX, .rarely = "device processes that die"},
	{SCMP_SYS(eventfd2), DAEMON, "vm.boot: kicks and calls"},
	{SCMP_SYS(epoll_create1), DAEMON, "vm.boot: a device's events"},
	{SCMP_SYS(timerfd_create), DAEMON, "vm.boot: serial port, sweep"},
	{SCMP_SYS(clone3), DAEMON, "vm.boot: threads; clone() has flags that can be tested",
		.refuse = ENOSYS},
	{SCMP_SYS(clone), DAEMON, "vm.boot: vCPU threads, never a process", 0, THREAD, THREAD},
	{SCMP_SYS(rt_sigaction), DAEMON, "vm.boot: the signal that interrupts a vCPU"},
	{SCMP_SYS(set_robust_list), DAEMON, "the start of a thread"},
	{SCMP_SYS(rseq), DAEMON, "the start of a thread"},
	{SCMP_SYS(sched_getaffinity), DAEMON, "vm.boot at snp: how many threads may hash the image",
		.rarely = "SNP hosts"},
	{SCMP_SYS(prctl), DAEMON, "the start of a thread: its name", 0, WHOLE, PR_SET_NAME},
	{SCMP_SYS(seccomp), DAEMON, "the start of a vCPU thread: its filter"},
	{SCMP_SYS(ioctl), DAEMON, "vm.nmi", IOCTL(KVM_SIGNAL_MSI)},
	{SCMP_SYS(ioctl), DAEMON, "vm.resize: a vCPU that went can come again",
		IOCTL(KVM_SET_MP_STATE)},
	{SCMP_SYS(ioctl), DAEMON, "vm.resize: interrupts reach a vCPU that came",
		IOCTL(KVM_GET_LAPIC)},
	{SCMP_SYS(ioctl), DAEMON, "the same", IOCTL(KVM_SET_LAPIC)},
	{SCMP_SYS(ioctl), DAEMON, "vm.create: what the host offers", IOCTL(KVM_CHECK_EXTENSION)},
	{SCMP_SYS(ioctl), DAEMON, "the same", IOCTL(KVM_GET_API_VERSION)},
	{SCMP_SYS(ioctl), DAEMON, "the same", IOCTL(KVM_GET_SUPPORTED_CPUID)},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot", IOCTL(KVM_CREATE_VM)},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot", IOCTL(KVM_SET_IDENTITY_MAP_ADDR)},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot", IOCTL(KVM_SET_TSS_ADDR)},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot", IOCTL(KVM_CREATE_IRQCHIP)},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot, levels with a C-bit", IOCTL(KVM_ENABLE_CAP)},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot, levels with a C-bit", IOCTL(KVM_X86_SET_MSR_FILTER)},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot, levels with a C-bit", IOCTL(CREATE_GUEST_MEMFD)},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot, levels with a C-bit", IOCTL(SET_MEMORY_REGION2)},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot", IOCTL(KVM_SET_USER_MEMORY_REGION)},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot", IOCTL(KVM_GET_VCPU_MMAP_SIZE)},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot", IOCTL(KVM_CREATE_VCPU)},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot", IOCTL(KVM_SET_CPUID2)},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot: what KVM counts of a vCPU", IOCTL(KVM_GET_STATS_FD)},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot", IOCTL(KVM_SET_XCRS), .rarely = "the lab"},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot: launch commands of SEV-SNP",
		IOCTL(KVM_MEMORY_ENCRYPT_OP), .rarely = "level snp"},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot: the CPUID page of SEV-SNP", IOCTL(KVM_GET_CPUID2),
		.rarely = "level snp"},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot", IOCTL(KVM_SET_MSRS)},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot", IOCTL(KVM_GET_SREGS)},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot", IOCTL(KVM_SET_SREGS)},
	{SCMP_SYS(ioctl), DAEMON, "vm.boot", IOCTL(KVM_SET_REGS)},
};

/*
 * Roles whose filter contains other roles' rows: of what a process starts, as it inherits the
 * filter. Calls that are refused are so in the role itself alone.
 */
static const unsigned int contains[FILTER_ROLES] = {
	[FILTER_SPAWNER] = DEVICE,
	[FILTER_REPORTER] = RUN,
	[FILTER_DAEMON] = RUN,
	[FILTER_BUILDER] = VCPU | COURIER | DIALER,
};

static const char *const names[] = {
	[FILTER_BLK] = "blk",
	[FILTER_RNG] = "rng",
	[FILTER_CONSOLE] = "console",
	[FILTER_NET] = "net",
	[FILTER_VSOCK] = "vsock",
	[FILTER_BALLOON] = "balloon",
	[FILTER_SPAWNER] = "spawner",
	[FILTER_VCPU] = "vcpu",
	[FILTER_COURIER] = "courier",
	[FILTER_RUN] = "run",
	[FILTER_REPORTER] = "reporter",
	[FILTER_DAEMON] = "daemon",
	[FILTER_API] = "api",
	[FILTER_BUILDER] = "builder",
	[FILTER_DIALER] = "dialer",
};
_Static_assert(ARRAY_SIZE(names) == FILTER_ROLES, "a name per role");

const struct filter_row *filter_row(size_t i)
{
	return i < ARRAY_SIZE(rows) ? &rows[i] : NULL;
}

bool filter_applies(const struct filter_row *row, enum filter_role role)
{
	return row->roles & (row->refuse ? BIT(role) : BIT(role) | contains[role]);
}

const char *filter_role_name(enum filter_role role)
{
	return names[role];
}

bool filter_is_lax(enum filter_role role)
{
#if defined(__SANITIZE_THREAD__)
	(void)role; /* it starts a thread of its own in each process */
	return true;
#elif defined(__SANITIZE_ADDRESS__)
	return role >= FILTER_SPAWNER;
#elif defined(__has_feature)
	return role >= FILTER_SPAWNER &&
		(__has_feature(address_sanitizer) || __has_feature(thread_sanitizer));
#else
	(void)role;
	return false;
#endif
}

size_t filter_size(enum filter_role role)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bool again = !filter_applies(&rows[i], role) || rows[i].refuse;

		for (size_t j = 0; j < i && !again; j++)
			again = rows[j].call == rows[i].call && filter_applies(&rows[j], role);
		n += !again;
	}
	return n;
}

int filter_mode_parse(enum filter_mode *mode, const char *text, struct err *e)
{
	static const char *const texts[] = {
		[FILTER_KILL] = "true",
		[FILTER_LOG] = "log",
		[FILTER_TRAP] = "trap",
		[FILTER_ERRNO] = "errno",
		[FILTER_OFF] = "false",
	};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (!strcmp(text, texts[i])) {
			*mode = (enum filter_mode)i;
			return 0;
		}
	return err_set(
		e, EINVAL, "--seccomp: '%s' is none of: true, false, log, trap, errno", text);
}
