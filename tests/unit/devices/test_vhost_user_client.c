/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/front/vhost_user_client.h"

#include "base/fd.h"
#include "devices/wire/virtio.h"
#include "tests/unit/devices/fake_peer.h"
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#define TIMEOUT 60    /* ms; for silent peers, which are waited for */
#define PATIENT 60000 /* for all others, which answer when the machine lets them */

static unsigned int open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

static int connect_to(struct fake_peer *p, struct vhost_user_client **c, int sock, struct err *e)
{
	const struct vhost_user_memory memory[2] = {
		{gpa_of(0), 0x1000, p->sock, 0}, {gpa_of(0x100000), 0x2000, p->sock, 0x5000}};
	bool silent = p->fault == PEER_SILENT || p->fault == PEER_HALF ||
		p->fault == PEER_HALF_BODY;
	struct vhost_user_client_desc d = {.sock = sock,
		.name = "disk0",
		.memory = memory,
		.n_memory = 2,
		.timeout_ms = silent ? TIMEOUT : PATIENT};

	return vhost_user_client_create(c, &d, e);
}

/* whole_life() - everything the client can do. Return: the first error. */
static int whole_life(struct vhost_user_client *c, struct err *e)
{
	cleanup_fd int fd = eventfd(0, 0);
	struct vhost_user_ring rings[2] = {
		{0, 64, gpa_of(0x1000), gpa_of(0x2000), gpa_of(0x3000), fd, fd, fd, 0},
		{1, 128, gpa_of(0x4000), gpa_of(0x5000), gpa_of(0x6000), fd, fd, fd, 0}};
	struct vhost_user_record record = {.fd = -1};
	const struct vhost_user_setup setup = {UINT64_MAX, rings, 2, 128, &record};
	uint8_t config[8];
	int rc = vhost_user_client_get_config(c, config, sizeof(config), e);

	if (!rc)
		rc = vhost_user_client_set_config(c, 3, "ab", 2, e);
	if (!rc)
		rc = vhost_user_client_start(c, &setup, e);
	fd_drop(&record.fd);
	if (rc)
		return rc;
	return vhost_user_client_stop(c, NULL, e);
}

static void vhost_user_client_drives_an_honest_back_end(void **state)
{
	struct vhost_user_client *c;
	struct err e = ERR_INIT;
	struct fake_peer p;
	uint8_t config[4];
	unsigned int before = open_fds();
	int sock = fake_peer_start(&p, 0, PEER_HONEST);

	(void)state;
	assert_int_equal(connect_to(&p, &c, sock, &e), 0);
	assert_true(vhost_user_client_features(c) & VIRTIO_BIT(9));
	assert_false(vhost_user_client_features(c) & VHOST_USER_F_PROTOCOL_FEATURES);
	assert_int_equal(vhost_user_client_queues(c), 4);
	assert_int_equal(whole_life(c, &e), 0);
	assert_int_equal(whole_life(c, &e), 0);
	assert_int_equal(vhost_user_client_get_config(c, config, 4, &e), 0);
	assert_memory_equal(config, "\1\2\3a", 4);
	vhost_user_client_destroy(c);
	fake_peer_join(&p);
	/* everything offered but ACCESS_PLATFORM; memory once; addresses moved by the constant */
	assert_true(p.driver_features == (p.features & ~VIRTIO_F_ACCESS_PLATFORM));
	assert_int_equal(p.seen[VHOST_USER_SET_MEM_TABLE], 1);
	assert_int_equal(p.table.n_regions, 2);
	assert_true(p.table.regions[1].user_addr == VHOST_USER_CLIENT_BASE + 0x100000);
	assert_int_equal(p.table.regions[1].mmap_offset, 0x5000);
	assert_true(p.addr[1].desc == VHOST_USER_CLIENT_BASE + 0x4000);
	assert_true(p.addr[1].avail == VHOST_USER_CLIENT_BASE + 0x5000);
	assert_true(p.addr[1].used == VHOST_USER_CLIENT_BASE + 0x6000);
	assert_int_equal(p.num[1], 128);
	assert_int_equal(p.enabled[0] | p.enabled[1], 0);
	assert_int_equal(p.seen[VHOST_USER_GET_VRING_BASE], 4);
	assert_int_equal(p.seen[VHOST_USER_SET_PROTOCOL_FEATURES], 1);
	assert_int_equal(open_fds(), before);
}

static void vhost_user_client_works_without_protocol_features(void **state)
{
	struct vhost_user_client *c;
	struct err e = ERR_INIT;
	struct fake_peer p;
	cleanup_fd int fd = eventfd(0, 0);
	struct vhost_user_ring ring = {
		0, 64, gpa_of(0), gpa_of(0x2000), gpa_of(0x3000), fd, fd, fd, 0};
	const struct vhost_user_setup setup = {UINT64_MAX, &ring, 1, 64, NULL};
	int sock = fake_peer_start(&p, 0, PEER_HONEST);

	(void)state;
	p.features &= ~VHOST_USER_F_PROTOCOL_FEATURES;
	assert_int_equal(connect_to(&p, &c, sock, &e), 0);
	assert_int_equal(vhost_user_client_get_config(c, &(uint8_t){0}, 1, &e), -ENOTSUP);
	assert_int_equal(vhost_user_client_start(c, &setup, &e), 0);
	assert_int_equal(vhost_user_client_stop(c, NULL, &e), 0);
	vhost_user_client_destroy(c);
	fake_peer_join(&p);
	assert_int_equal(p.seen[VHOST_USER_SET_VRING_ENABLE], 0);
	assert_int_equal(p.seen[VHOST_USER_SET_VRING_KICK], 1);
}

static void vhost_user_client_wants_version_1(void **state)
{
	struct vhost_user_client *c;
	struct err e = ERR_INIT;
	struct fake_peer p;
	int sock = fake_peer_start(&p, 0, PEER_HONEST);

	(void)state;
	p.features &= ~VIRTIO_F_VERSION_1;
	assert_int_equal(connect_to(&p, &c, sock, &e), -EPROTO);
	assert_null(c);
	assert_non_null(strstr(e.text, "disk0"));
	fake_peer_join(&p);
}

/* want() - the error that a fault must lead to at a request that expects an answer. */
static int want(enum peer_fault fault)
{
	switch (fault) {
	case PEER_SILENT:
	case PEER_HALF:
	case PEER_HALF_BODY:
		return -ETIMEDOUT;
	case PEER_DIES:
		return -EPIPE;
	case PEER_REFUSES:
		return -EREMOTEIO;
	default:
		return -EPROTO;
	}
}

static void check_fault(uint32_t at, enum peer_fault fault)
{
	struct vhost_user_client *c;
	struct err e = ERR_INIT;
	struct fake_peer p;
	unsigned int before = open_fds();
	int sock = fake_peer_start(&p, at, fault);
	int rc = connect_to(&p, &c, sock, &e);

	if (!rc)
		rc = whole_life(c, &e);
	assert_int_equal(rc, want(fault));
	assert_non_null(strstr(e.text, "disk0"));
	/* the stream is given up: no second wait, no second try */
	if (c && fault != PEER_REFUSES)
		assert_int_equal(whole_life(c, &e), -EPIPE);
	vhost_user_client_destroy(c);
	fake_peer_join(&p);
	assert_int_equal(open_fds(), before);
}

static void vhost_user_client_survives_bad_answers(void **state)
{
	/* values, acknowledgements, configuration, ring state */
	static const uint32_t at[] = {VHOST_USER_GET_FEATURES, VHOST_USER_GET_PROTOCOL_FEATURES,
		VHOST_USER_GET_QUEUE_NUM, VHOST_USER_SET_OWNER, VHOST_USER_SET_MEM_TABLE,
		VHOST_USER_SET_VRING_KICK, VHOST_USER_SET_VRING_ENABLE, VHOST_USER_GET_CONFIG,
		VHOST_USER_SET_CONFIG, VHOST_USER_GET_VRING_BASE};

	(void)state;
	for (unsigned int i = 0; i < ARRAY_SIZE(at); i++)
		for (int fault = PEER_SILENT; fault < PEER_FAULTS; fault++) {
			bool get = at[i] == VHOST_USER_GET_CONFIG ||
				at[i] == VHOST_USER_GET_VRING_BASE;
			bool ack = !get && at[i] != VHOST_USER_GET_FEATURES &&
				at[i] != VHOST_USER_GET_PROTOCOL_FEATURES &&
				at[i] != VHOST_USER_GET_QUEUE_NUM;

			if ((fault == PEER_REFUSES && !ack) ||
				(fault == PEER_WRONG_CONTENT && !get))
				continue;
			check_fault(at[i], (enum peer_fault)fault);
		}
}

static void vhost_user_client_gives_up_on_one_who_takes_nothing(void **state)
{
	struct vhost_user_client *c;
	struct err e = ERR_INIT;
	struct fake_peer p;
	int sock = fake_peer_start(&p, VHOST_USER_SET_CONFIG, PEER_SILENT), rc = 0;

	(void)state;
	p.protocol &= ~VHOST_USER_PROTOCOL_F_REPLY_ACK;
	assert_int_equal(connect_to(&p, &c, sock, &e), 0);
	shutdown(sock, SHUT_RD);
	for (int i = 0; i < 3 && !rc; i++)
		rc = vhost_user_client_get_config(c, &(uint8_t){0}, 1, &e);
	assert_int_equal(rc, -EPIPE);
	vhost_user_client_destroy(c);
	fake_peer_join(&p);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(vhost_user_client_drives_an_honest_back_end),
	cmocka_unit_test(vhost_user_client_works_without_protocol_features),
	cmocka_unit_test(vhost_user_client_wants_version_1),
	cmocka_unit_test(vhost_user_client_survives_bad_answers),
	cmocka_unit_test(vhost_user_client_gives_up_on_one_who_takes_nothing),
};
UNIT_MAIN(tests)
