/* SPDX-License-Identifier: Apache-2.0 */
/* Both ends of the benchmark's TCP connection; see guests/bench/link.h. */
#include "guests/bench/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int link_up(const char *interface, unsigned int address)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};
	struct ifreq set = {0}, up = {.ifr_flags = IFF_UP};
	int sock = socket(AF_INET, SOCK_DGRAM, 0), rc;

	strncpy(set.ifr_name, interface, IFNAMSIZ - 1);
	strncpy(up.ifr_name, interface, IFNAMSIZ - 1);
	memcpy(&set.ifr_addr, &in, sizeof(in));
	rc = ioctl(sock, SIOCSIFADDR, &set);
	in.sin_addr.s_addr = htonl(0xffffff00U);
	memcpy(&set.ifr_netmask, &in, sizeof(in));
	if (!rc)
		rc = ioctl(sock, SIOCSIFNETMASK, &set);
	if (!rc)
		rc = ioctl(sock, SIOCSIFFLAGS, &up);
	close(sock);
	return rc;
}

int link_socket(struct sockaddr_storage *host)
{
	const struct sockaddr_in in = {.sin_family = AF_INET,
		.sin_port = htons(LINK_PORT),
		.sin_addr.s_addr = htonl(LINK_HOST)};
	int sock = socket(AF_INET, SOCK_STREAM, 0);

	memset(host, 0, sizeof(*host));
	memcpy(host, &in, sizeof(in));
	setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &(int){1}, sizeof(int));
	return sock;
}

int link_move(int sock, size_t bytes, int send)
{
	static char chunk[LINK_CHUNK];

	while (bytes) {
		size_t part = bytes < sizeof(chunk) ? bytes : sizeof(chunk);
		ssize_t n = send ? write(sock, chunk, part) : read(sock, chunk, part);

		if (!n)
			errno = ECONNRESET;
		if (n <= 0)
			return -1;
		bytes -= (size_t)n;
	}
	return 0;
}
