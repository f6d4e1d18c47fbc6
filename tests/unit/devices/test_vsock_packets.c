/* SPDX-License-Identifier: Apache-2.0 */
/* Packets and buffers of a vsock driver that are wrong, row by row. */
#include "devices/back/vsock.h"

#include "base/fd.h"
#include "tests/unit/devices/vrig.h"
#include "tests/unit/unit.h"

#include <string.h>

enum outcome { BREAKS, RESETS, IGNORES };

/* Packets that are wrong. Where the specification says nothing of a case, ours is the reason. */
static void vsock_answers_wrong_packets_as_specified(void **state)
{
	static const struct {
		const char *spec;
		struct virtio_vsock_hdr h;
		uint32_t chain_len; /* 0: as h says */
		uint16_t flags;     /* of the descriptor */
		enum outcome outcome;
	} rows[] = {
#define FROM(cid, to, ...)                                                                         \
	{.src_cid = (cid), .dst_cid = (to), .src_port = 1, .dst_port = 2, __VA_ARGS__}
#define HOST(...) FROM(CID, 2, .type = 1, __VA_ARGS__)
		{"5.10.6: shorter than a header", HOST(.op = 5), HDR - 1, 0, BREAKS},
		{"5.10.6: len beyond the buffers", HOST(.op = 5, .len = 9), HDR + 8, 0, BREAKS},
		{"5.10.6: len near 4 GiB", HOST(.op = 5, .len = UINT32_MAX), HDR, 0, BREAKS},
		{"5.10.6: writable", HOST(.op = 5), HDR, RIG_WRITE, BREAKS},
		{"2.7.5: beyond memory", HOST(.op = 5), RIG_SIZE, 0, BREAKS},
		{"2.7.5.3.1: looped", HOST(.op = 5), HDR, RIG_NEXT, BREAKS},
		{"5.10.6.4.1: unknown type", FROM(CID, 2, .type = 9, .op = 1), 0, 0, RESETS},
		{"5.10.6.4.1: seqpacket was not offered", FROM(CID, 2, .type = 2, .op = 1), 0, 0,
			RESETS},
		{"5.10.6.4: another's CID", FROM(CID + 1, 2, .type = 1, .op = 1), 0, 0, IGNORES},
		{"5.10.6.4: not for the host", FROM(CID, 9, .type = 1, .op = 1), 0, 0, IGNORES},
		{"5.10.6.4: a CID of 64 bits", FROM(CID | UINT64_C(1) << 32, 2, .type = 1, .op = 1),
			0, 0, IGNORES},
		{"5.10.6.5: RST is not answered", HOST(.op = 3), 0, 0, IGNORES},
		{"5.10.6.5: RESPONSE to no request", HOST(.op = 2), 0, 0, RESETS},
		{"5.10.6.5: SHUTDOWN of nothing", HOST(.op = 4, .flags = 3), 0, 0, RESETS},
		{"5.10.6: no operation", HOST(.op = 0), 0, 0, RESETS},
		{"5.10.6: unknown operation", HOST(.op = 8), 0, 0, RESETS},
		{"5.10.6: bytes for nobody", HOST(.op = 5, .len = 8), 0, 0, RESETS},
		{"5.10.6.3: credit of nothing", HOST(.op = 6), 0, 0, RESETS},
		{"5.10.6.3: credit of nothing", HOST(.op = 7), 0, 0, RESETS},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint32_t len = rows[i].chain_len ? rows[i].chain_len : HDR + rows[i].h.len;
		struct vrig f;

		vrig_open(&f);
		vrig_give(&f, 2);
		memcpy(rig_at(&f.rig, TX_DATA), &rows[i].h, HDR);
		rig_desc(
			&f.rig, RIG_DESC(TX), 0, (struct rig_desc){TX_DATA, len, rows[i].flags, 0});
		rig_offer(&f.rig, TX, 0);
		rig_kick(&f.rig, TX);
		if (rig_count(f.rig.err[TX]) != (rows[i].outcome == BREAKS) ||
			vrig_came(&f) != (rows[i].outcome == RESETS))
			fail_msg("%s", rows[i].spec);
		if (rows[i].outcome == RESETS)
			assert_int_equal(f.h.op, VIRTIO_VSOCK_OP_RST);
		vrig_close(&f);
	}
}

/* The same in an open connection: it ends, nothing else does. */
static void vsock_ends_connection_when_packet_is_out_of_order(void **state)
{
	static const struct virtio_vsock_hdr rows[] = {
		HOST(.op = 1), /* a second REQUEST (spec 5.10.6.5) */
		HOST(.op = 2), /* a second RESPONSE */
		HOST(.op = 0),
		HOST(.op = 8),
		HOST(.op = UINT16_MAX),
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct virtio_vsock_hdr h = rows[i];
		uint32_t port, other_port;
		struct vrig f;
		int fd, other;

		vrig_open(&f);
		other = vrig_open_stream(&f, &other_port);
		fd = vrig_open_stream(&f, &port);
		h.src_port = 1024;
		h.dst_port = port;
		vrig_send(&f, h, "");
		vrig_expect(&f, VIRTIO_VSOCK_OP_RST);
		assert_int_equal(f.h.src_port, port);
		vrig_expect_end(&f, &fd);
		vrig_send_rw(&f, 1024, other_port, "well", 4);
		vrig_expect_bytes(&f, other, "well");
		fd_drop(&other);
		vrig_close(&f);
	}
}

static void vsock_breaks_when_receive_buffer_is_wrong(void **state)
{
	static const struct rig_desc rows[] = {
		{RIG_DATA, HDR - 1, RIG_WRITE, 0},              /* no room for a header (5.10.6) */
		{RIG_DATA, BUFFER, 0, 0},                       /* readable (5.10.6) */
		{RIG_DATA, 0, RIG_WRITE, 0},                    /* no bytes (2.7.5) */
		{RIG_GPA + RIG_SIZE - 8, BUFFER, RIG_WRITE, 0}, /* beyond memory (2.7.5) */
		{RIG_DATA, BUFFER, RIG_WRITE | RIG_NEXT, 0},    /* looped (2.7.5.3.1) */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct vrig f;

		vrig_open(&f);
		rig_desc(&f.rig, RIG_DESC(RX), 0, rows[i]);
		rig_offer(&f.rig, RX, 0);
		vrig_send_op(&f, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 1, 2);
		assert_int_equal(rig_count(f.rig.err[RX]), 1);
		vrig_close(&f);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(vsock_answers_wrong_packets_as_specified),
	cmocka_unit_test(vsock_ends_connection_when_packet_is_out_of_order),
	cmocka_unit_test(vsock_breaks_when_receive_buffer_is_wrong),
};
UNIT_MAIN(tests)
