/* SPDX-License-Identifier: Apache-2.0 */
/* Opening of taps; see vmm/tap.h. */
#include "vmm/tap.h"

#include "base/fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_arp.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#define TUN          "/dev/net/tun"
#define USUAL_MTU    1500
#define BUSY_TRIES   50 /* a process that had the tap until now may take this long to end */
#define BUSY_WAIT_US 20000

static int tap_refused(const char *name, int code, struct err *e)
{
	if (code == EPERM)
		return err_sys(e, code,
			"--net: tap '%s': needs CAP_NET_ADMIN, or a tap made for this user (ip tuntap "
			"add NAME mode tap vnet_hdr user U)",
			name);
	if (code == EBUSY)
		return err_sys(e, code, "--net: tap '%s': another program uses it", name);
	return err_sys(e, code, "--net: tap '%s'", name);
}

/* tap_set_name() - make fd a queue of the tap of that name. Return: 0 or -errno. */
static int tap_set_name(int fd, struct ifreq *ifr, bool many)
{
	const short flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR;

	for (int i = 0;; i++) {
		ifr->ifr_flags = (short)(flags | (many ? IFF_MULTI_QUEUE : 0));
		if (ioctl(fd, TUNSETIFF, ifr) == 0)
			return 0;
		if (errno == EINVAL && !many)
			many = true; /* it was made for several queues */
		else if (errno != EBUSY || i == BUSY_TRIES)
			return -errno;
		else
			usleep(BUSY_WAIT_US);
	}
}

/* tap_open_queue() - Return: a descriptor of one queue, or -errno; ifr gets the tap's name. */
static int tap_open_queue(struct ifreq *ifr, bool many, struct err *e)
{
	cleanup_fd int fd = open(TUN, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	int rc;

	if (fd < 0)
		return err_sys(e, errno, "--net: " TUN);
	rc = tap_set_name(fd, ifr, many);
	return rc ? tap_refused(ifr->ifr_name, -rc, e) : fd_take(&fd);
}

/* tap_set_address() - one of the interface's IPv4 addresses, as text; NULL: leave it. */
static int tap_set_address(
	int sock, struct ifreq *ifr, unsigned long what, const char *text, struct err *e)
{
	struct sockaddr_in a = {.sin_family = AF_INET};

	if (!text)
		return 0;
	inet_pton(AF_INET, text, &a.sin_addr);
	memcpy(&ifr->ifr_addr, &a, sizeof(a));
	return ioctl(sock, what, ifr) < 0
		? err_sys(e, errno, "--net: tap '%s': address %s", ifr->ifr_name, text)
		: 0;
}

static int tap_set_mac(int sock, struct ifreq *ifr, const char *text, struct err *e)
{
	if (!text)
		return 0;
	ifr->ifr_hwaddr = (struct sockaddr){.sa_family = ARPHRD_ETHER};
	nic_mac(text, (uint8_t *)ifr->ifr_hwaddr.sa_data);
	return ioctl(sock, SIOCSIFHWADDR, ifr) < 0
		? err_sys(e, errno, "--net: tap '%s': host_mac=%s", ifr->ifr_name, text)
		: 0;
}

static int tap_set_mtu(int sock, struct ifreq *ifr, uint64_t mtu, struct err *e)
{
	if (ioctl(sock, SIOCGIFMTU, ifr) < 0)
		return err_sys(e, errno, "--net: tap '%s': mtu", ifr->ifr_name);
	if (!mtu || (uint64_t)ifr->ifr_mtu == mtu)
		return 0;
	ifr->ifr_mtu = (int)mtu;
	return ioctl(sock, SIOCSIFMTU, ifr) < 0
		? err_sys(e, errno, "--net: tap '%s': mtu=%d", ifr->ifr_name, (int)mtu)
		: 0;
}

static int tap_set_up(int sock, struct ifreq *ifr, struct err *e)
{
	if (ioctl(sock, SIOCGIFFLAGS, ifr) == 0) {
		if (ifr->ifr_flags & IFF_UP)
			return 0;
		ifr->ifr_flags |= IFF_UP;
		if (ioctl(sock, SIOCSIFFLAGS, ifr) == 0)
			return 0;
	}
	return err_sys(e, errno, "--net: tap '%s': up", ifr->ifr_name);
}

/* tap_set_up_host() - what the config says of the host's end. Return: 0 or -errno. */
static int tap_set_up_host(
	const struct nic_config *n, const char *name, uint16_t *mtu, struct err *e)
{
	cleanup_fd int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = {0};

	if (sock < 0)
		return err_sys(e, errno, "--net: socket");
	memcpy(ifr.ifr_name, name, sizeof(ifr.ifr_name));
	if (tap_set_mtu(sock, &ifr, n->mtu, e) < 0)
		return -e->code;
	*mtu = (uint16_t)(n->mtu || ifr.ifr_mtu != USUAL_MTU ? ifr.ifr_mtu : 0);
	if (tap_set_mac(sock, &ifr, n->host_mac, e) < 0 ||
		tap_set_address(sock, &ifr, SIOCSIFADDR, n->ip, e) < 0 ||
		tap_set_address(sock, &ifr, SIOCSIFNETMASK, n->mask, e) < 0)
		return -e->code;
	return tap_set_up(sock, &ifr, e);
}

static void tap_close(int *fds, unsigned int n)
{
	while (n)
		fd_drop(&fds[--n]);
}

/* tap_copy() - the config keeps its own descriptors for the next boot. */
static int tap_copy(const struct nic_config *n, int *fds, struct err *e)
{
	for (unsigned int i = 0; i < n->n_fds; i++) {
		fds[i] = fcntl(n->fds[i], F_DUPFD_CLOEXEC, 3);
		if (fds[i] < 0) {
			err_sys(e, errno, "--net: descriptor %d", n->fds[i]);
			tap_close(fds, i);
			return -e->code;
		}
	}
	return 0;
}

int tap_queues(const struct nic_config *n, int *fds, uint16_t *mtu, struct err *e)
{
	unsigned int pairs = (unsigned int)n->num_queues / 2;
	struct ifreq ifr = {0};

	*mtu = (uint16_t)n->mtu;
	if (n->n_fds)
		return tap_copy(n, fds, e);
	strncpy(ifr.ifr_name, n->tap ? n->tap : "vmtap%d", IFNAMSIZ - 1);
	for (unsigned int i = 0; i < pairs; i++) {
		fds[i] = tap_open_queue(&ifr, pairs > 1, e);
		if (fds[i] < 0) {
			tap_close(fds, i);
			return -e->code;
		}
	}
	if (tap_set_up_host(n, ifr.ifr_name, mtu, e) < 0) {
		tap_close(fds, pairs);
		return -e->code;
	}
	return 0;
}
