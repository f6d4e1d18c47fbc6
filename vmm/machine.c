/* SPDX-License-Identifier: Apache-2.0 */
/* The board; see vmm/machine.h. */
#include "vmm/machine.h"

#include "base/fd.h"
#include "devices/front/bus.h"
#include "devices/front/courier.h"
#include "devices/front/cpu_plug.h"
#include "devices/front/debug_port.h"
#include "devices/front/ged.h"
#include "devices/front/ioapic.h"
#include "devices/front/mem_plug.h"
#include "devices/front/nmi_status.h"
#include "devices/front/pci.h"
#include "devices/front/power.h"
#include "devices/front/rtc.h"
#include "devices/front/serial.h"
#include "memory/ram.h"
#include "vmm/config.h"
#include "vmm/copyin_port.h"
#include "vmm/doorbell.h"
#include "vmm/fw_config.h"
#include "vmm/hv/hv.h"
#include "vmm/mem_device.h"
#include "vmm/outlet.h"
#include "vmm/resource.h"
#include "vmm/sandbox.h"
#include "vmm/sweeper.h"
#include "vmm/timeline.h"
#include "vmm/x86/map.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

void machine_wake(struct machine *m)
{
	uint64_t one = 1;

	/* Full is as good as added: the loop is awake then. */
	if (write(m->wake.fd, &one, sizeof(one)) < 0)
		return;
}

/* machine_eject() - end what the guest has let go of, if it was asked to */
static void machine_eject(struct machine *m)
{
	uint32_t slots = __atomic_exchange_n(&m->ejected, 0, __ATOMIC_ACQ_REL);

	for (struct device *d = m->devices; slots && d < m->devices + DEVICES_MAX; d++)
		if (d->pci && d->leaving && slots >> device_slot(d) & 1) {
			device_stop(d);
			m->desc.device_event(m->desc.ctx, d->id, "device-removed");
		}
}

/* machine_ejected() - on a vCPU thread, which can't wait for itself: the loop does the work */
static void machine_ejected(void *ctx, uint32_t slots)
{
	struct machine *m = ctx;

	__atomic_fetch_or(&m->ejected, slots, __ATOMIC_ACQ_REL);
	machine_wake(m);
}

static void machine_cpu_ejected(void *ctx)
{
	machine_wake(ctx);
}

static void machine_woken(void *ctx, uint32_t events)
{
	struct machine *m = ctx;
	uint64_t count;

	(void)events;
	if (read(m->wake.fd, &count, sizeof(count)) < 0)
		return;
	machine_eject(m);
	m->desc.woken(m->desc.ctx);
}

static void machine_power(void *ctx, enum power_event event)
{
	const struct machine_desc *desc = ctx;

	desc->power_event(desc->ctx, event == POWER_RESET);
}

static int machine_init_wake(struct machine *m, struct err *e)
{
	int rc;

	m->wake = (struct loop_source){.fn = machine_woken, .ctx = m};
	rc = fd_event(&m->wake.fd, e);
	return rc ? rc : loop_add(m->desc.loop, &m->wake, EPOLLIN, e);
}

/* machine_serial_fds() - where the port's bytes go to and come from */
static int machine_serial_fds(
	struct machine *m, const struct stream_config *c, int *out, int *in, struct err *e)
{
	*in = *out = -1;
	if (m->serial_outlet) {
		*in = *out = outlet_fd(m->serial_outlet);
	} else if (c->mode == STREAM_TTY) {
		*in = STDIN_FILENO;
		*out = STDOUT_FILENO;
	} else if (c->mode == STREAM_FILE) {
		m->serial_out = resource_open_output(c->file, "serial", e);
		if (m->serial_out < 0)
			return m->serial_out;
		*out = m->serial_out;
	}
	return 0;
}

static int machine_init_serial(struct machine *m, const struct stream_config *c, struct err *e)
{
	struct serial_desc desc = {
		.bus = m->bus,
		.loop = m->desc.loop,
		.irq = m->env.irq,
		.port = MAP_PORT_SERIAL,
		.gsi = MAP_IRQ_SERIAL,
		.watch = m->desc.timeline ? timeline_byte : NULL,
		.watch_ctx = m->desc.timeline,
	};
	int rc;

	if (c->mode == STREAM_OFF)
		return 0;
	rc = machine_serial_fds(m, c, &desc.out_fd, &desc.in_fd, e);
	return rc ? rc : serial_create(&m->serial, &desc, e);
}

static void machine_debug_code(void *ctx, uint8_t code)
{
	timeline_code(ctx, code);
}

/* machine_init_debug() - a debug port, if somebody wants to know */
static int machine_init_debug(struct machine *m, struct err *e)
{
	struct debug_port_desc desc = {
		m->bus, MAP_PORT_DEBUG, machine_debug_code, m->desc.timeline};

	return m->desc.timeline ? debug_port_create(&m->debug_port, &desc, e) : 0;
}

static int machine_init_events(struct machine *m, const struct machine_desc *desc, struct err *e)
{
	struct ged_desc ged = {
		.bus = m->bus,
		.irq = m->env.irq,
		.port = MAP_PORT_GED,
		.gsi = MAP_IRQ_GED,
		.eject = machine_ejected,
		.ctx = m,
	};
	struct cpu_plug_desc cpus = {
		.bus = m->bus,
		.port = MAP_PORT_CPUS,
		.n_present = desc->n_vcpus,
		.ejected = machine_cpu_ejected,
		.ctx = m,
	};
	struct mem_plug_desc memory = {.bus = m->bus, .port = MAP_PORT_MEMORY};
	int rc = ged_create(&m->ged, &ged, e);

	cpus.ged = memory.ged = m->ged;
	if (!rc && desc->cpu_plug)
		rc = cpu_plug_create(&m->cpus, &cpus, e);
	return rc || !desc->mem_plug ? rc : mem_plug_create(&m->mem_plug, &memory, e);
}

static int machine_send(void *ctx, uint64_t address, uint32_t data)
{
	return hv_msi_send(ctx, address, data);
}

static int machine_init_irqs(struct machine *m, struct err *e)
{
	struct ioapic_desc desc = {
		.bus = m->bus, .base = MAP_IOAPIC, .send = machine_send, .ctx = m->desc.hv};

	m->irqs.hv = m->desc.hv;
	return m->desc.ioapic ? ioapic_create(&m->irqs.ioapic, &desc, e) : 0;
}

static int machine_init_board(struct machine *m, const struct machine_desc *desc, struct err *e)
{
	struct power_desc power = {m->bus, MAP_PORT_PM, machine_power, &m->desc};
	struct rtc_desc rtc = {.bus = m->bus, .port = MAP_PORT_RTC};
	struct pci_bus_desc pci = {
		.bus = m->bus,
		.irq = m->env.irq,
		.window = {.base = MAP_PCI_MMIO, .len = MAP_PCI_MMIO_LEN},
		.ecam = MAP_PCI_ECAM,
		.port = MAP_PORT_PCI_ADDR,
		.gsi_base = MAP_IRQ_PCI_BASE,
	};
	int rc = power_create(&m->power, &power, e);

	if (!rc)
		rc = machine_init_events(m, desc, e);
	if (!rc)
		rc = nmi_status_create(&m->nmi_status, m->bus, MAP_PORT_NMI, e);
	if (!rc)
		rc = rtc_create(&m->rtc, &rtc, e);
	if (!rc)
		rc = machine_init_debug(m, e);
	if (!rc)
		rc = machine_init_serial(m, &desc->config->serial, e);
	if (!rc && desc->config->payload.firmware) {
		struct guest_io io = {desc->ram, desc->ledger};

		rc = fw_config_create(&m->fw_config, m->bus, &io, desc->config, e);
	}
	if (!rc)
		rc = pci_bus_create(&m->pci, &pci, e);
	if (!rc && desc->ram->cbit && !desc->ram->mappable)
		rc = copyin_port_create(&m->copyin, m->bus, desc->ram, e);
	/* At sw-protected the launch image lies in shared memory until it is copied: no sweep. */
	if (!rc && desc->ram->cbit && desc->ram->mappable)
		rc = sweeper_create(&m->sweeper, desc->loop, desc->ram, desc->ledger, e);
	if (!rc && desc->doorbell)
		rc = doorbell_create(&m->doorbell, m->bus, desc->doorbell, e);
	return rc;
}

/* machine_memory_changed() - the balloon or the virtio-mem device has another size */
static void machine_memory_changed(void *ctx)
{
	struct machine *m = ctx;

	m->desc.device_event(m->desc.ctx, "memory", "memory-changed");
}

static int machine_listen(struct machine *m, struct err *e)
{
	const struct balloon_listener listener = {machine_memory_changed, m};
	const struct mem_listener mem_listener = {machine_memory_changed, m};
	struct device *d = device_find(m->devices, "balloon0"),
		      *mem = device_find(m->devices, MEM_DEVICE_ID);
	int rc = d ? balloon_listen(&m->balloon, d, m->desc.loop, &listener, e) : 0;

	if (!rc && mem)
		rc = mem_device_listen(&m->mem_device, mem, m->desc.loop, &mem_listener, e);
	return rc;
}

/* machine_init_outlets() - the host's ends of serial port and console, where they need some */
static int machine_init_outlets(struct machine *m, struct err *e)
{
	const struct vm_config *c = m->desc.config;
	int rc = outlet_create(&m->serial_outlet, "serial", &c->serial, m->desc.loop, e);

	if (!rc)
		rc = outlet_create(&m->console_outlet, "console", &c->console, m->desc.loop, e);
	m->env.console_outlet = outlet_fd(m->console_outlet);
	return rc;
}

int machine_init(struct machine *m, const struct machine_desc *desc, struct err *e)
{
	int rc;

	memset(m, 0, sizeof(*m));
	m->desc = *desc;
	m->wake.fd = m->serial_out = -1;
	rc = machine_init_wake(m, e);
	if (!rc)
		rc = bus_create(&m->bus, e);
	if (rc)
		return rc;
	m->env = (struct device_env){
		.irq = irq_of(&m->irqs),
		.ram = desc->ram,
		.ledger = desc->ledger,
		.loop = desc->loop,
		.courier = &m->courier,
		.spawner = desc->spawner,
		.event = desc->device_event,
		.ctx = desc->ctx,
		.best_effort = desc->config->sandbox.mode == SANDBOX_BEST_EFFORT,
	};
	rc = machine_init_irqs(m, e);
	if (!rc)
		rc = machine_init_outlets(m, e);
	if (!rc)
		rc = machine_init_board(m, desc, e);
	m->env.pci = m->pci;
	if (!rc)
		rc = device_start_all(&m->devices, &m->env, desc->config, e);
	return rc ? rc : machine_listen(m, e);
}

int machine_start(struct machine *m, struct err *e)
{
	return sandbox_thread(&m->courier, FILTER_COURIER, m->desc.seccomp, e);
}

void machine_fini(struct machine *m)
{
	balloon_deafen(m->balloon);
	mem_device_deafen(m->mem_device);
	device_stop_all(m->devices);
	doorbell_destroy(m->doorbell);
	sweeper_destroy(m->sweeper);
	copyin_port_destroy(m->copyin);
	pci_bus_destroy(m->pci);
	fw_config_destroy(m->fw_config);
	serial_destroy(m->serial);
	debug_port_destroy(m->debug_port);
	rtc_destroy(m->rtc);
	nmi_status_destroy(m->nmi_status);
	mem_plug_destroy(m->mem_plug);
	cpu_plug_destroy(m->cpus);
	ged_destroy(m->ged);
	power_destroy(m->power);
	courier_destroy(m->courier);
	ioapic_destroy(m->irqs.ioapic);
	bus_destroy(m->bus);
	if (m->desc.loop)
		loop_remove(m->desc.loop, &m->wake);
	fd_drop(&m->wake.fd);
	fd_drop(&m->serial_out);
	outlet_destroy(m->serial_outlet);
	outlet_destroy(m->console_outlet);
}

int machine_plug(struct machine *m, struct device_plan *plan, unsigned int *slot, struct err *e)
{
	struct device *d;
	int rc = device_start_one(&d, m->devices, &m->env, plan, e);

	if (rc)
		return rc;
	*slot = device_slot(d);
	ged_added(m->ged, *slot);
	return 0;
}

int machine_unplug(struct machine *m, const char *id)
{
	struct device *d = device_find(m->devices, id);

	if (!d)
		return -ENOENT;
	d->leaving = true;
	ged_ask(m->ged, device_slot(d));
	return 0;
}

void machine_push_button(struct machine *m)
{
	ged_push_button(m->ged);
}
