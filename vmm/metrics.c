/* SPDX-License-Identifier: Apache-2.0 */
/* Counters for clients; see vmm/metrics.h. A new counter of queues is a row of `rows`. */
#include "vmm/metrics.h"

#include "devices/wire/counters.h"
#include "memory/ledger.h"
#include "vmm/hv/stat.h"
#include "vmm/report.h"
#include "vmm/vm.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const char *const exit_names[] = {
	[HV_EXIT_AGAIN] = "other",
	[HV_EXIT_STOPPED] = "stopped",
	[HV_EXIT_PORT] = "port",
	[HV_EXIT_MMIO] = "mmio",
	[HV_EXIT_CONVERT] = "convert",
	[HV_EXIT_CERTS] = "certs",
	[HV_EXIT_QUOTE] = "quote",
	[HV_EXIT_NOTIFY] = "notify",
	[HV_EXIT_RESET] = "reset",
	[HV_EXIT_FAILED] = "failed",
};
_Static_assert(ARRAY_SIZE(exit_names) == HV_EXIT_KINDS, "a name per kind of exit");

/* One counter of a queue, in both forms. */
static const struct row {
	size_t offset;         /* in struct queue_counters */
	const char *json;      /* NULL: device kinds name it themselves */
	const char *name;      /* rows of one name follow each other */
	const char *direction; /* label; NULL: none */
	const char *help;
} rows[] = {
	{offsetof(struct queue_counters, requests), "requests", "requests", NULL,
		"Requests finished."},
	{offsetof(struct queue_counters, errors), "errors", "errors", NULL,
		"Requests answered with an error."},
	{offsetof(struct queue_counters, refused), "refused", "refused", NULL,
		"Rings and descriptors refused because they broke a rule."},
	{offsetof(struct queue_counters, calls), "interrupts", "interrupts", NULL,
		"Interrupts asked for."},
	{offsetof(struct queue_counters, in_ops), NULL, "operations", "in",
		"Requests that moved data; in: to the guest."},
	{offsetof(struct queue_counters, out_ops), NULL, "operations", "out", NULL},
	{offsetof(struct queue_counters, in_bytes), NULL, "bytes", "in",
		"Data moved, without headers; in: to the guest."},
	{offsetof(struct queue_counters, out_bytes), NULL, "bytes", "out", NULL},
};

/* What cloud-hypervisor's clients call the operations and bytes of a kind of device. */
static const struct names {
	const char *kind, *in_ops, *in_bytes, *out_ops, *out_bytes;
} names[] = {
	{"blk", "read_ops", "read_bytes", "write_ops", "write_bytes"},
	{"net", "rx_frames", "rx_bytes", "tx_frames", "tx_bytes"},
	{NULL, "in_ops", "in_bytes", "out_ops", "out_bytes"},
};

static const struct names *names_of(const char *kind)
{
	const struct names *n = names;

	while (n->kind && strcmp(n->kind, kind))
		n++;
	return n;
}

static const struct queue_counters *queue_of(const struct device *d, unsigned int queue)
{
	const struct device_counters *all = d->counters.at;

	return &all->queues[queue];
}

static uint64_t counter_at(const struct queue_counters *q, size_t offset)
{
	return counters_get((const uint64_t *)(const void *)((const char *)q + offset));
}

/* device_sum() - one counter over all queues of a device */
static uint64_t device_sum(const struct device *d, size_t offset)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < d->plan.spawn.n_queues && i < COUNTERS_QUEUES; i++)
		sum += counter_at(queue_of(d, i), offset);
	return sum;
}

/* --- vm.counters --- */

static void set(json_t *o, const char *key, uint64_t value)
{
	json_object_set_new(o, key, json_integer((json_int_t)(value & INT64_MAX)));
}

static void set_kvm(void *ctx, const char *name, uint64_t value)
{
	char key[80];

	snprintf(key, sizeof(key), "kvm_%.70s", name);
	set(ctx, key, value);
}

static json_t *vcpu_json(const struct vcpu *v)
{
	const struct hv_stat_sink sink = {set_kvm, json_object()};
	uint64_t all = 0;

	for (unsigned int i = 0; i < HV_EXIT_KINDS; i++) {
		uint64_t n = vcpu_exits(v, (enum hv_exit_kind)i);

		set(sink.ctx, exit_names[i], n);
		all += n;
	}
	set(sink.ctx, "exits", all);
	hv_vcpu_stats(v->hv, &sink);
	return sink.ctx;
}

static json_t *device_json(const struct device *d)
{
	const struct names *n = names_of(d->kind);
	json_t *o = json_object();
	uint64_t requests;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].json)
			set(o, rows[i].json, device_sum(d, rows[i].offset));
	set(o, n->in_ops, device_sum(d, offsetof(struct queue_counters, in_ops)));
	set(o, n->in_bytes, device_sum(d, offsetof(struct queue_counters, in_bytes)));
	set(o, n->out_ops, device_sum(d, offsetof(struct queue_counters, out_ops)));
	set(o, n->out_bytes, device_sum(d, offsetof(struct queue_counters, out_bytes)));
	requests = device_sum(d, offsetof(struct queue_counters, requests));
	set(o, "latency_avg_ns",
		requests ? device_sum(d, offsetof(struct queue_counters, latency_ns)) / requests
			 : 0);
	set(o, "deaths", d->deaths);
	return o;
}

static json_t *launch_json(const struct vm *vm)
{
	uint64_t before = vm->created_ns;
	json_t *o = json_object();
	char key[32];

	for (unsigned int i = 0; vm_stage_name(i); i++) {
		snprintf(key, sizeof(key), "%s_us", vm_stage_name(i));
		set(o, key, (vm->stage_ns[i] - before) / 1000);
		before = vm->stage_ns[i];
	}
	return o;
}

json_t *metrics_json(struct vm *vm)
{
	json_t *o = json_object();
	char name[16];

	for (unsigned int i = 0; i < vm->n_vcpus; i++) {
		if (!vm->vcpus[i].started)
			continue;
		snprintf(name, sizeof(name), "vcpu%u", (unsigned int)i);
		json_object_set_new(o, name, vcpu_json(&vm->vcpus[i]));
	}
	json_object_set_new(o, "memory", report_ledger(vm));
	json_object_set_new(o, "launch", launch_json(vm));
	for (unsigned int i = 0; i < DEVICES_MAX; i++)
		if (vm->machine.devices[i].pci)
			json_object_set_new(
				o, vm->machine.devices[i].id, device_json(&vm->machine.devices[i]));
	return o;
}

/* --- Prometheus --- */

static void family(FILE *f, const char *name, const char *type, const char *help)
{
	fprintf(f, "# HELP cloister_%s %s\n# TYPE cloister_%s %s\n", name, help, name, type);
}

/* label() - a value with what the format wants escaped */
static void label(FILE *f, const char *key, const char *value)
{
	fprintf(f, "%s=\"", key);
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			fputc('\\', f);
		fputc(*value == '\n' ? ' ' : *value, f);
	}
	fputc('"', f);
}

static void queue_label(FILE *f, const struct device *d, unsigned int queue)
{
	label(f, "device", d->id);
	fprintf(f, ",queue=\"%u\"", queue);
}

/* each_queue() - call fn for every queue of every device */
static void each_queue(FILE *f, const struct vm *vm,
	void (*fn)(FILE *f, const struct device *d, unsigned int queue, const struct row *row),
	const struct row *row)
{
	for (unsigned int i = 0; i < DEVICES_MAX; i++) {
		const struct device *d = &vm->machine.devices[i];

		for (unsigned int q = 0; d->pci && q < d->plan.spawn.n_queues; q++)
			if (q < COUNTERS_QUEUES)
				fn(f, d, q, row);
	}
}

static void queue_row(FILE *f, const struct device *d, unsigned int queue, const struct row *row)
{
	fprintf(f, "cloister_queue_%s_total{", row->name);
	queue_label(f, d, queue);
	if (row->direction)
		fprintf(f, ",direction=\"%s\"", row->direction);
	fprintf(f, "} %llu\n", (unsigned long long)counter_at(queue_of(d, queue), row->offset));
}

/* queue_latency() - the histogram; the count is the buckets' own sum, so that they always agree */
static void queue_latency(
	FILE *f, const struct device *d, unsigned int queue, const struct row *row)
{
	static const char name[] = "cloister_queue_latency_seconds";
	const struct queue_counters *q = queue_of(d, queue);
	unsigned long long sum = 0;

	(void)row;
	for (unsigned int i = 0; i < COUNTERS_BUCKETS; i++) {
		sum += counters_get(&q->latency[i]);
		fprintf(f, "%s_bucket{", name);
		queue_label(f, d, queue);
		if (i == COUNTERS_BUCKETS - 1)
			fprintf(f, ",le=\"+Inf\"} %llu\n", sum);
		else
			fprintf(f, ",le=\"%g\"} %llu\n", (double)(UINT64_C(1) << i) / 1e6, sum);
	}
	fprintf(f, "%s_sum{", name);
	queue_label(f, d, queue);
	fprintf(f, "} %.9f\n%s_count{", (double)counters_get(&q->latency_ns) / 1e9, name);
	queue_label(f, d, queue);
	fprintf(f, "} %llu\n", sum);
}

static void text_queues(FILE *f, const struct vm *vm)
{
	char name[64];

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		snprintf(name, sizeof(name), "queue_%s_total", rows[i].name);
		if (rows[i].help)
			family(f, name, "counter", rows[i].help);
		each_queue(f, vm, queue_row, &rows[i]);
	}
	family(f, "queue_latency_seconds", "histogram",
		"Time from taking a request to finishing it.");
	each_queue(f, vm, queue_latency, NULL);
}

static void text_devices(FILE *f, const struct vm *vm)
{
	family(f, "device_up", "gauge", "Whether the device has a process.");
	for (unsigned int i = 0; i < DEVICES_MAX; i++) {
		const struct device *d = &vm->machine.devices[i];

		if (!d->pci)
			continue;
		fputs("cloister_device_up{", f);
		label(f, "device", d->id);
		fprintf(f, ",kind=\"%s\"} %d\n", d->kind, !d->dead);
	}
	family(f, "device_deaths_total", "counter", "Device processes that ended by themselves.");
	for (unsigned int i = 0; i < DEVICES_MAX; i++) {
		const struct device *d = &vm->machine.devices[i];

		if (!d->pci)
			continue;
		fputs("cloister_device_deaths_total{", f);
		label(f, "device", d->id);
		fprintf(f, "} %u\n", d->deaths);
	}
}

/* A vCPU whose KVM counters are being written. */
struct text_vcpu {
	FILE *f;
	unsigned int index;
};

static void text_kvm(void *ctx, const char *name, uint64_t value)
{
	const struct text_vcpu *t = ctx;

	fprintf(t->f, "cloister_vcpu_kvm_total{vcpu=\"%u\",", t->index);
	label(t->f, "stat", name);
	fprintf(t->f, "} %llu\n", (unsigned long long)value);
}

static void text_vcpus(FILE *f, const struct vm *vm)
{
	struct text_vcpu t = {.f = f};
	const struct hv_stat_sink sink = {text_kvm, &t};

	family(f, "vcpu_exits_total", "counter", "Exits to the monitor by reason.");
	for (unsigned int i = 0; i < vm->n_vcpus; i++)
		for (unsigned int k = 0; k < HV_EXIT_KINDS; k++)
			fprintf(f, "cloister_vcpu_exits_total{vcpu=\"%u\",reason=\"%s\"} %llu\n",
				(unsigned int)i, exit_names[k],
				(unsigned long long)vcpu_exits(
					&vm->vcpus[i], (enum hv_exit_kind)k));
	family(f, "vcpu_kvm_total", "counter",
		"What KVM counts of a vCPU; exits has all, also those that KVM handles alone.");
	for (; t.index < vm->n_vcpus; t.index++)
		if (vm->vcpus[t.index].hv)
			hv_vcpu_stats(vm->vcpus[t.index].hv, &sink);
}

static void text_memory(FILE *f, const struct vm *vm)
{
	struct ledger_counts c = ledger_counts(vm->ledger);

	family(f, "memory_bytes", "gauge", "Guest memory by its state in the ledger.");
	fprintf(f, "cloister_memory_bytes{state=\"private\"} %llu\n",
		(unsigned long long)(c.ram - c.shared));
	fprintf(f, "cloister_memory_bytes{state=\"shared\"} %llu\n", (unsigned long long)c.shared);
	family(f, "memory_shared_peak_bytes", "gauge", "Most memory shared at one time.");
	fprintf(f, "cloister_memory_shared_peak_bytes %llu\n", (unsigned long long)c.peak);
	family(f, "memory_shared_budget_bytes", "gauge", "Most memory that may be shared.");
	fprintf(f, "cloister_memory_shared_budget_bytes %llu\n", (unsigned long long)c.budget);
	family(f, "conversions_total", "counter", "Conversions that changed a page.");
	fprintf(f, "cloister_conversions_total %llu\n", (unsigned long long)c.conversions);
	family(f, "conversions_refused_total", "counter", "Conversions answered with an error.");
	fprintf(f, "cloister_conversions_refused_total %llu\n", (unsigned long long)c.refused);
}

static void text_launch(FILE *f, const struct vm *vm)
{
	uint64_t before = vm->created_ns;

	family(f, "launch_seconds", "gauge", "What each stage of the launch took.");
	for (unsigned int i = 0; vm_stage_name(i); i++) {
		fprintf(f, "cloister_launch_seconds{stage=\"%s\"} %.9f\n", vm_stage_name(i),
			(double)(vm->stage_ns[i] - before) / 1e9);
		before = vm->stage_ns[i];
	}
}

char *metrics_text(struct vm *vm, const char *state)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	family(f, "info", "gauge", "Version, state and level.");
	fprintf(f, "cloister_info{version=\"" CLOISTER_VERSION "\",state=\"%s\",level=\"%s\"} 1\n",
		state, vm ? vm->type->name : "");
	if (vm) {
		text_vcpus(f, vm);
		text_memory(f, vm);
		text_launch(f, vm);
		text_devices(f, vm);
		text_queues(f, vm);
	}
	if (fclose(f) == 0)
		return text;
	free(text);
	return NULL;
}
