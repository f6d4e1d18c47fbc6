/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct virtio_pci: a virtio device on the PCI bus (virtio 1.2, 4.1, modern only) whose back end
 * is another process, reached by vhost-user.
 *
 * The data path never comes here: a kick is an ioeventfd that the back end reads, an interrupt an
 * irqfd that it writes. Only with INTx the monitor's main thread stands between: it sets the ISR
 * bit and the line, the guest's read of the ISR clears both.
 *
 * A back end that dies may be replaced (virtio_pci_replace()), and the driver notices nothing.
 * One that is not replaced, stalls longer than its time-out or reports a broken ring puts the
 * device into DEVICE_NEEDS_RESET; the VM goes on. Writing DRIVER_OK, a reset and a write to the
 * device's configuration talk to the back end and may hold the writing vCPU up to the time-out. A
 * back end that does not stop in that time at a reset is killed, so that nothing is in flight after
 * it.
 *
 * BAR 0, 32 KiB: common registers at 0, ISR 0x1000, device configuration 0x2000, pending bits
 * 0x3000, notifications 0x4000 (4 bytes per queue), MSI-X table 0x5000.
 * Threads: create and destroy in the main thread, registers from any vCPU; what talks to the back
 * end is done on the courier's thread meanwhile.
 */
#ifndef DEVICES_FRONT_VIRTIO_PCI_H
#define DEVICES_FRONT_VIRTIO_PCI_H

#include "base/loop.h"
#include "devices/front/irq.h"
#include "devices/front/pci.h"
#include "devices/front/vhost_user_client.h"
#include "memory/layout.h"

struct backend_own;
struct courier;
struct virtio_pci;

struct virtio_pci_desc {
	struct pci_bus *pci;
	struct loop *loop;
	struct irq irq;
	struct courier *const *courier; /* talks to the back end for vCPUs; see courier_run_at() */
	const struct layout *layout;    /* RAM; outlives the device */
	const char *name;               /* id for messages, as "disk0"; copied */
	uint16_t virtio_id;             /* enum virtio_id */
	uint32_t class_code;            /* PCI_CLASS_* */
	unsigned int slot;              /* 0: the lowest free one */
	uint16_t n_queues;              /* 1 to VIRTIO_COMMON_QUEUES */
	uint16_t max_queue_size;        /* a power of two up to VIRTIO_QUEUE_SIZE_MAX */
	uint64_t withheld;              /* features that the guest is not offered */
	uint32_t config_len; /* of the device configuration, up to VHOST_USER_CLIENT_CONFIG_MAX; 0:
				none */
	bool config_live;    /* the back end changes it while it serves: each read asks */
	bool require_access_platform; /* above level off */
	int sock;                     /* vhost-user; the device owns it, also when creation fails */
	int pidfd;                    /* of the back end, -1: unknown; owned likewise */
	const struct backend_own *own; /* what the back end leaves to us; copied; NULL: nothing */
	const struct vhost_user_memory *memory; /* for the back end; copied, fds stay open */
	unsigned int n_memory;
	unsigned int timeout_ms; /* of the back end, 0: VHOST_USER_CLIENT_TIMEOUT_MS */
	/* Main thread: the back end is gone. Return: true if it was replaced. May be NULL. */
	bool (*died)(void *ctx);
	void *died_ctx;
};

/*
 * virtio_pci_create() - negotiate with the back end and put the device on the bus.
 * Return: 0, -EINVAL, -errno of the vhost-user client or of pci_attach().
 */
int virtio_pci_create(
	struct virtio_pci **out, const struct virtio_pci_desc *desc, struct err *e) MUST_CHECK;

/*
 * virtio_pci_destroy() - take it off the bus, stop the back end and wait for its end (it is killed
 * if it does not stop in time). vCPUs may run. NULL is allowed.
 */
void virtio_pci_destroy(struct virtio_pci *vp);

/* virtio_pci_slot() - Return: the PCI slot. */
unsigned int virtio_pci_slot(const struct virtio_pci *vp);

/*
 * virtio_pci_refresh_config() - read the configuration again from the back end, after something
 * that changes it, and tell the driver. Main thread. Return: 0 or -errno of the client.
 */
int virtio_pci_refresh_config(struct virtio_pci *vp, struct err *e) MUST_CHECK;

/*
 * virtio_pci_replace() - a new back end takes the place of one that died and goes on with what that
 * had in flight. In died() only. @sock, @pidfd: the device's from now on, also after an error.
 * Return: 0, -EINVAL if it offers less than the first, -errno of the client.
 */
int virtio_pci_replace(struct virtio_pci *vp, int sock, int pidfd, struct err *e) MUST_CHECK;

/*
 * virtio_pci_suspend() - have the back end finish what is in flight and stop; guest memory and
 * device state stand still then. virtio_pci_resume() goes on. Main thread, no vCPU runs.
 */
void virtio_pci_suspend(struct virtio_pci *vp);
void virtio_pci_resume(struct virtio_pci *vp);

#endif
