/* SPDX-License-Identifier: Apache-2.0 */
/* The ioctls of a tap; see devices/back/net_tap.h. */
#include "devices/back/net_tap.h"

#include "devices/wire/spawn.h"
#include "devices/wire/virtio_net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Linux 6.2; older headers lack them. */
#define TAP_F_USO4 0x20u
#define TAP_F_USO6 0x40u

/* What a driver takes, what the tap calls it, and by which offload it is asked for. */
static const struct offload {
	uint64_t guest, host;
	unsigned int tap, asked;
} offloads_known[] = {
	{VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_CSUM, TUN_F_CSUM, SPAWN_OFFLOAD_CSUM},
	{VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_HOST_TSO4, TUN_F_TSO4, SPAWN_OFFLOAD_TSO},
	{VIRTIO_NET_F_GUEST_TSO6, VIRTIO_NET_F_HOST_TSO6, TUN_F_TSO6, SPAWN_OFFLOAD_TSO},
	{VIRTIO_NET_F_GUEST_ECN, VIRTIO_NET_F_HOST_ECN, TUN_F_TSO_ECN, SPAWN_OFFLOAD_TSO},
	{VIRTIO_NET_F_GUEST_UFO, VIRTIO_NET_F_HOST_UFO, TUN_F_UFO, SPAWN_OFFLOAD_UFO},
	{VIRTIO_NET_F_GUEST_USO4, VIRTIO_NET_F_HOST_USO, TAP_F_USO4, SPAWN_OFFLOAD_UFO},
	{VIRTIO_NET_F_GUEST_USO6, 0, TAP_F_USO6, SPAWN_OFFLOAD_UFO},
};

/* tap_flags() - TUN_F_* for what a driver takes; combinations that a tap refuses become less. */
static unsigned int tap_flags(uint64_t features)
{
	unsigned int flags = 0;

	for (size_t i = 0; i < ARRAY_SIZE(offloads_known); i++)
		if (features & offloads_known[i].guest)
			flags |= offloads_known[i].tap;
	if (!(flags & TUN_F_CSUM))
		return 0;
	if (!(flags & (TUN_F_TSO4 | TUN_F_TSO6)))
		flags &= ~(unsigned int)TUN_F_TSO_ECN;
	if ((flags & (TAP_F_USO4 | TAP_F_USO6)) != (TAP_F_USO4 | TAP_F_USO6))
		flags &= ~(TAP_F_USO4 | TAP_F_USO6);
	return flags;
}

int net_tap_set(int fd, uint64_t features)
{
	return ioctl(fd, TUNSETOFFLOAD, tap_flags(features)) < 0 ? -errno : 0;
}

/* tap_features() - what was asked for, as far as the tap takes it. */
static uint64_t tap_features(int fd, unsigned int offloads)
{
	const uint64_t uso = VIRTIO_NET_F_GUEST_USO4 | VIRTIO_NET_F_GUEST_USO6;
	uint64_t guest = 0, host = 0;
	bool has_uso;

	if (!(offloads & SPAWN_OFFLOAD_CSUM) || net_tap_set(fd, VIRTIO_NET_F_GUEST_CSUM) < 0)
		return 0;
	has_uso = net_tap_set(fd, VIRTIO_NET_F_GUEST_CSUM | uso) == 0;
	for (size_t i = 0; i < ARRAY_SIZE(offloads_known); i++) {
		const struct offload *o = &offloads_known[i];

		if (!(offloads & o->asked) || ((o->guest & uso) && !has_uso))
			continue;
		guest |= o->guest;
		host |= o->host;
	}
	if (net_tap_set(fd, guest) < 0)
		return 0;
	return guest | host | VIRTIO_NET_F_CTRL_GUEST_OFFLOADS;
}

/* net_tap_passes_messages() - another program's end of a socket that keeps frames apart */
static bool net_tap_passes_messages(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
		(type == SOCK_SEQPACKET || type == SOCK_DGRAM);
}

int net_tap_prepare(int fd, unsigned int offloads, uint64_t *features, struct err *e)
{
	int flags = fcntl(fd, F_GETFL), header = sizeof(struct virtio_net_header);
	struct ifreq ifr;

	*features = 0;
	if (flags < 0 || (flags & O_ACCMODE) != O_RDWR)
		return err_set(e, EBADF, "tap is not open for reading and writing");
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return err_sys(e, errno, "tap");
	if (ioctl(fd, TUNGETIFF, &ifr) < 0)
		return net_tap_passes_messages(fd)
			? 0
			: err_set(e, ENOTTY,
				  "the descriptor is neither one of a tap "
				  "nor a socket of messages");
	if (!(ifr.ifr_flags & IFF_TAP) || !(ifr.ifr_flags & IFF_VNET_HDR) ||
		!(ifr.ifr_flags & IFF_NO_PI))
		return err_set(e, EINVAL, "not opened as a tap with IFF_NO_PI and IFF_VNET_HDR");
	if (ioctl(fd, TUNSETVNETHDRSZ, &header) < 0)
		return err_sys(e, errno, "TUNSETVNETHDRSZ");
	*features = tap_features(fd, offloads);
	net_tap_set(fd, 0);
	return 0;
}

int net_tap_attach(int fd, bool on)
{
	struct ifreq ifr = {.ifr_flags = (short)(on ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE)};

	return ioctl(fd, TUNSETQUEUE, &ifr) < 0 ? -errno : 0;
}
