/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct machine: the x86 board of one VM: bus, power registers, clock, serial port, PCI bus with
 * its virtio devices. It is served by a loop from outside, on that loop's thread.
 */
#ifndef VMM_MACHINE_H
#define VMM_MACHINE_H

#include "base/loop.h"
#include "seccomp/filter.h"
#include "vmm/device.h"
#include "vmm/irq.h"

struct balloon_ear;
struct mem_device;
struct converter;
struct copyin_port;
struct debug_port;
struct courier;
struct device_plan;
struct doorbell;
struct ged;
struct mem_plug;
struct nmi_status;
struct power;
struct fw_config;
struct rtc;
struct serial;
struct sweeper;
struct timeline;

struct machine_desc {
	unsigned int n_vcpus; /* at the start */
	bool cpu_plug;        /* they can come and go */
	bool mem_plug;        /* memory can come, by ACPI */
	const struct vm_config *config;
	struct loop *loop; /* outlives the machine */
	struct hv *hv;
	bool ioapic; /* the board has one of its own; else KVM has */
	struct ram *ram;
	struct ledger *ledger;
	const struct converter *doorbell; /* not NULL: conversions by port, see vmm/doorbell.h */
	int spawner;
	enum filter_mode seccomp; /* of the courier's thread */
	/* The guest switched itself off (reset: asked for a reset); on a vCPU thread. */
	void (*power_event)(void *ctx, bool reset);
	/* "device-removed": machine_unplug() is complete; "memory-changed"; others as in
	 * vmm/device.h. Loop's thread.
	 */
	void (*device_event)(void *ctx, const char *id, const char *event);
	struct timeline *timeline; /* gets what the guest says of itself; NULL: nobody asks */
	/* After machine_wake(), or if cpu_plug_take_ejected() has something; on the loop's thread.
	 */
	void (*woken)(void *ctx);
	void *ctx;
};

struct machine {
	struct machine_desc desc;
	struct device_env env; /* what devices are made of */
	struct bus *bus;
	struct irq_controller irqs;
	struct courier *courier; /* for what vCPUs have to say to device processes */
	struct power *power;
	struct ged *ged;
	struct cpu_plug *cpus;     /* NULL: vCPUs can't come and go */
	struct mem_plug *mem_plug; /* NULL: no memory can come by ACPI */
	struct nmi_status *nmi_status;
	uint32_t ejected; /* atomic: slots that the guest has let go of, to be looked at */
	struct rtc *rtc;
	struct debug_port *debug_port; /* NULL without a timeline */
	struct serial *serial;
	struct fw_config *fw_config; /* NULL: no firmware */
	struct pci_bus *pci;
	struct doorbell *doorbell;
	struct copyin_port *copyin;
	struct sweeper *sweeper;
	struct loop_source wake; /* an eventfd: somebody called machine_wake() */
	int serial_out;          /* -1: none of its own */
	struct outlet *serial_outlet, *console_outlet; /* NULL: no pseudoterminal or socket */
	struct device *devices;                        /* DEVICES_MAX entries */
	struct balloon_ear *balloon;                   /* NULL: there is none */
	struct mem_device *mem_device;                 /* likewise */
};

/* machine_init() - build the board. Return: 0 or -errno; machine_fini() is allowed then. */
int machine_init(struct machine *m, const struct machine_desc *desc, struct err *e) MUST_CHECK;

/*
 * machine_start() - the thread for errands. It inherits what the caller has given up, so: after
 * sandbox_jail(), before the first vCPU thread. Return: 0 or -errno.
 */
int machine_start(struct machine *m, struct err *e) MUST_CHECK;

/* machine_fini() - take it apart; no vCPU may be running. */
void machine_fini(struct machine *m);

/*
 * machine_plug() - start one more device and tell the guest of it.
 * @slot: on the bus; @plan: its resources stay the caller's
 * Return: 0 or -errno of device_start_one().
 */
int machine_plug(
	struct machine *m, struct device_plan *plan, unsigned int *slot, struct err *e) MUST_CHECK;

/*
 * machine_unplug() - ask the guest to let go of a device; when it has, the device ends. Again: asks
 * again. Return: 0, or -ENOENT.
 */
int machine_unplug(struct machine *m, const char *id) MUST_CHECK;

/* machine_push_button() - tell the guest that its power button was pushed. */
void machine_push_button(struct machine *m);

/* machine_wake() - have desc.woken called soon. Any thread, signal-safe. */
void machine_wake(struct machine *m);

#endif
