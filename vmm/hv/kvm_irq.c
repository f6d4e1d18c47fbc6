/* SPDX-License-Identifier: Apache-2.0 */
/* Interrupts and notifications on KVM; see vmm/hv/hv.h. */
#include "vmm/hv/kvm.h"

#include <errno.h>
#include <sys/ioctl.h>

/* routes_push() - give KVM the whole table; the caller holds the lock */
static int routes_push(struct hv *hv)
{
	struct kvm_routes *r = &hv->routes;
	uint32_t n = 0;

	for (uint32_t pin = 0; pin < KVM_IOAPIC_PINS && !hv->desc.type->split_irqchip; pin++)
		r->table.entries[n++] = (struct kvm_irq_routing_entry){
			.gsi = pin,
			.type = KVM_IRQ_ROUTING_IRQCHIP,
			.u.irqchip = {.irqchip = KVM_IRQCHIP_IOAPIC, .pin = pin},
		};
	for (uint32_t i = 0; i < KVM_MSI_ROUTES; i++)
		if (r->used[i] && r->msi[i].type == KVM_IRQ_ROUTING_MSI)
			r->table.entries[n++] = r->msi[i];
	r->table.head.nr = n;
	return ioctl(hv->vm_fd, KVM_SET_GSI_ROUTING, &r->table.head) < 0 ? -errno : 0;
}

int kvm_irq_init(struct hv *hv, struct err *e)
{
	struct kvm_enable_cap split = {.cap = KVM_CAP_SPLIT_IRQCHIP, .args = {KVM_IOAPIC_PINS}};
	int rc;

	if (hv->desc.type->split_irqchip && ioctl(hv->vm_fd, KVM_ENABLE_CAP, &split) < 0)
		return err_sys(e, errno, "KVM_CAP_SPLIT_IRQCHIP");
	if (!hv->desc.type->split_irqchip && ioctl(hv->vm_fd, KVM_CREATE_IRQCHIP) < 0)
		return err_sys(e, errno, "KVM_CREATE_IRQCHIP");
	pthread_mutex_lock(&hv->routes.lock);
	rc = routes_push(hv);
	pthread_mutex_unlock(&hv->routes.lock);
	return rc ? err_sys(e, -rc, "KVM_SET_GSI_ROUTING") : 0;
}

int hv_irq_line(struct hv *hv, unsigned int gsi, bool level)
{
	struct kvm_irq_level l = {.irq = gsi, .level = level};

	return ioctl(hv->vm_fd, KVM_IRQ_LINE, &l) < 0 ? -errno : 0;
}

int hv_msi_alloc(struct hv *hv)
{
	int gsi = -ENOSPC;

	pthread_mutex_lock(&hv->routes.lock);
	for (int i = 0; i < KVM_MSI_ROUTES && gsi < 0; i++)
		if (!hv->routes.used[i]) {
			hv->routes.used[i] = true;
			hv->routes.msi[i] = (struct kvm_irq_routing_entry){0};
			gsi = KVM_IOAPIC_PINS + i;
		}
	pthread_mutex_unlock(&hv->routes.lock);
	return gsi;
}

void hv_msi_free(struct hv *hv, unsigned int gsi)
{
	pthread_mutex_lock(&hv->routes.lock);
	hv->routes.used[gsi - KVM_IOAPIC_PINS] = false;
	routes_push(hv);
	pthread_mutex_unlock(&hv->routes.lock);
}

int hv_msi_set(struct hv *hv, unsigned int gsi, uint64_t addr, uint32_t data)
{
	int rc;

	pthread_mutex_lock(&hv->routes.lock);
	hv->routes.msi[gsi - KVM_IOAPIC_PINS] = (struct kvm_irq_routing_entry){
		.gsi = gsi,
		.type = KVM_IRQ_ROUTING_MSI,
		.u.msi = {.address_lo = (uint32_t)addr,
			.address_hi = (uint32_t)(addr >> 32),
			.data = data},
	};
	rc = routes_push(hv);
	pthread_mutex_unlock(&hv->routes.lock);
	return rc;
}

int hv_irqfd(struct hv *hv, unsigned int gsi, int eventfd, bool assign)
{
	struct kvm_irqfd arg = {
		.fd = (uint32_t)eventfd,
		.gsi = gsi,
		.flags = assign ? 0 : KVM_IRQFD_FLAG_DEASSIGN,
	};

	return ioctl(hv->vm_fd, KVM_IRQFD, &arg) < 0 ? -errno : 0;
}

int hv_msi_send(struct hv *hv, uint64_t addr, uint32_t data)
{
	struct kvm_msi msi = {
		.address_lo = (uint32_t)addr, .address_hi = (uint32_t)(addr >> 32), .data = data};

	return ioctl(hv->vm_fd, KVM_SIGNAL_MSI, &msi) < 0 ? -errno : 0;
}

/* An MSI of delivery mode NMI to the local APIC whose id is the vCPU's number. */
int hv_nmi(struct hv *hv, unsigned int vcpu)
{
	return hv_msi_send(hv, 0xfee00000u | vcpu << 12, 4u << 8);
}

int hv_ioeventfd(struct hv *hv, uint64_t addr, unsigned int len, int eventfd, bool assign)
{
	struct kvm_ioeventfd arg = {
		.addr = addr,
		.len = len,
		.fd = eventfd,
		.flags = assign ? 0 : KVM_IOEVENTFD_FLAG_DEASSIGN,
	};

	return ioctl(hv->vm_fd, KVM_IOEVENTFD, &arg) < 0 ? -errno : 0;
}
