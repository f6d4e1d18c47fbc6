/* SPDX-License-Identifier: Apache-2.0 */
#include "vmm/nic.h"

#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct nic_config make(void)
{
	struct nic_config n;
	struct err e = ERR_INIT;

	assert_int_equal(nic_init(&n, &e), 0);
	return n;
}

static void nic_init_gives_an_address_of_its_own(void **state)
{
	struct nic_config a = make(), b = make();
	uint8_t mac[6];
	struct err e = ERR_INIT;

	(void)state;
	assert_true(nic_mac(a.mac, mac));
	assert_int_equal(mac[0] & 3, 2); /* of one station, of local choice */
	assert_string_not_equal(a.mac, b.mac);
	assert_int_equal(nic_check(&a, &e), 0);
	free(a.mac);
	free(b.mac);
}

static void nic_mac_takes_nothing_else(void **state)
{
	static const char *const bad[] = {"", "52:54:00:12:34", "52:54:00:12:34:5",
		"52:54:00:12:34:567", "52:54:00:12:34:56:78", "52-54-00-12-34-56",
		"5x:54:00:12:34:56", " 2:54:00:12:34:56", "0x:54:00:12:34:56",
		"52:54:00:12:34:56 "};
	static const uint8_t want[6] = {0x52, 0x54, 0x00, 0xaB, 0xcD, 0xff};
	uint8_t mac[6];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(nic_mac(bad[i], mac));
	assert_true(nic_mac("52:54:00:aB:Cd:FF", mac));
	assert_memory_equal(mac, want, 6);
}

static void nic_take_list_reads_both_spellings(void **state)
{
	static const struct {
		const char *list;
		unsigned int n; /* 0: refused */
	} cases[] = {
		{"9", 1}, {"9:9", 2}, {"9,9", 2}, {"[9]", 1}, {"[9,9,9]", 3}, {"", 0}, {"[9", 0},
		{"9]", 0}, {"[]", 0}, {"9:", 0}, {":9", 0}, {"-1", 0}, {"2", 0}, {"0x", 0},
		{"9 ", 0}, {"99999999999", 0}, {"[9]]", 0},
		{"9:9:9:9:9:9:9:9:9:9:9:9:9:9:9:9:9", 0}, {"1000000", 0}, /* not open */
	};

	(void)state;
	assert_int_equal(dup2(0, 9), 9);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nic_config n = make();
		struct err e = ERR_INIT;

		n.fd_list = strdup(cases[i].list);
		if ((nic_take_list(&n, &e) == 0) != (cases[i].n > 0))
			fail_msg("fd=%s", cases[i].list);
		if (cases[i].n)
			assert_int_equal(n.n_fds, cases[i].n);
		free(n.fd_list);
		free(n.mac);
	}
}

static void nic_check_names_the_key_at_fault(void **state)
{
	static char tap_long[] = "0123456789abcdef", slash[] = "a/b", ip[] = "1.2.3",
		    group[] = "01:00:00:00:00:00";
	static const struct {
		struct nic_config change;
		const char *key;
	} cases[] = {
		{{.tap = tap_long}, "tap="},
		{{.tap = slash}, "tap="},
		{{.ip = ip}, "ip="},
		{{.mask = ip}, "mask="},
		{{.mac = group}, "mac="},
		{{.host_mac = group}, "host_mac="},
		{{.num_queues = 3}, "num_queues="},
		{{.queue_size = 100}, "queue_size="},
		{{.num_queues = 4, .n_fds = 1}, "num_queues="},
		{{.tap = slash + 2, .fd_list = ip}, "tap and fd"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nic_config n = cases[i].change;
		struct err e = ERR_INIT;

		n.num_queues = n.num_queues ? n.num_queues : 2;
		n.queue_size = n.queue_size ? n.queue_size : 256;
		assert_int_equal(nic_check(&n, &e), -EINVAL);
		if (!strstr(e.text, cases[i].key))
			fail_msg("%s: %s", cases[i].key, e.text);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(nic_init_gives_an_address_of_its_own),
	cmocka_unit_test(nic_mac_takes_nothing_else),
	cmocka_unit_test(nic_take_list_reads_both_spellings),
	cmocka_unit_test(nic_check_names_the_key_at_fault),
};
UNIT_MAIN(tests)
