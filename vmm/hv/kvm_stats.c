/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What KVM itself counts of a vCPU, such as exits that it handles alone: Linux's binary statistics
 * (Documentation/virt/kvm/api.rst, KVM_GET_STATS_FD). One read brings header, names and values.
 */
#include "vmm/hv/kvm.h"
#include "vmm/hv/stat.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define STATS_BYTES 8192 /* Linux 6.18 has 4056 */
#define NAME_BYTES  64

int kvm_stats_fd(int vcpu_fd)
{
	int fd = ioctl(vcpu_fd, KVM_GET_STATS_FD, 0);

	return fd < 0 ? -errno : fd;
}

/* stats_one() - counters of one value are told; histograms and what is no counter are not */
static void stats_one(const uint8_t *bytes, size_t n, const struct kvm_stats_header *h, size_t i,
	const struct hv_stat_sink *sink)
{
	size_t step = sizeof(struct kvm_stats_desc) + h->name_size;
	size_t at = h->desc_offset + i * step, value_at;
	struct kvm_stats_desc d;
	char name[NAME_BYTES];
	uint64_t value;

	if (at + step > n || h->name_size > sizeof(name))
		return;
	memcpy(&d, bytes + at, sizeof(d));
	memcpy(name, bytes + at + sizeof(d), h->name_size);
	value_at = (size_t)h->data_offset + d.offset;
	if (!memchr(name, 0, h->name_size) || value_at + sizeof(value) > n || d.size != 1)
		return;
	if ((d.flags & KVM_STATS_TYPE_MASK) != KVM_STATS_TYPE_CUMULATIVE || d.exponent)
		return;
	memcpy(&value, bytes + value_at, sizeof(value));
	sink->tell(sink->ctx, name, value);
}

void hv_vcpu_stats(const struct hv_vcpu *vcpu, const struct hv_stat_sink *sink)
{
	_Alignas(8) uint8_t bytes[STATS_BYTES];
	struct kvm_stats_header h;
	ssize_t n;

	if (vcpu->stats_fd < 0 || lseek(vcpu->stats_fd, 0, SEEK_SET) < 0)
		return;
	n = read(vcpu->stats_fd, bytes, sizeof(bytes));
	if (n < (ssize_t)sizeof(h))
		return;
	memcpy(&h, bytes, sizeof(h));
	for (size_t i = 0; i < h.num_desc; i++)
		stats_one(bytes, (size_t)n, &h, i, sink);
}
