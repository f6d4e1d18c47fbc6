/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/ledger.h"
#include "memory/ram.h"
#include "tests/unit/unit.h"
#include "vmm/certs.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* a table with one certificate of len bytes at offset, in a file of size bytes */
static int load(struct certs *c, uint32_t offset, uint32_t len, size_t size, struct err *e)
{
	uint8_t file[8192] = {0};
	char path[] = "/tmp/test-certs-XXXXXX";
	int fd = mkstemp(path), rc;

	memset(file, 0xcc, 16);
	memcpy(file + 16, &offset, 4);
	memcpy(file + 20, &len, 4);
	for (uint32_t i = offset; i < offset + len && i < sizeof(file); i++)
		file[i] = (uint8_t)i;
	assert_int_equal(write(fd, file, size), size);
	close(fd);
	rc = certs_init(c, path, e);
	unlink(path);
	return rc;
}

static void certs_loads_whole_pages_when_the_table_is_good(void **state)
{
	struct err e = ERR_INIT;
	struct certs c;

	(void)state;
	assert_int_equal(load(&c, 48, 5000, 5048, &e), 0);
	assert_int_equal(certs_pages(&c), 2);
	assert_int_equal(c.table[48], 48);
	assert_int_equal(c.table[8191], 0);
	certs_fini(&c);
}

static void certs_refuses_a_bad_table(void **state)
{
	static const struct {
		uint32_t offset, len;
		size_t size;
		const char *says;
	} rows[] = {
		{48, 100, 147, "100 bytes at 48 are not in the file of 147"},
		{UINT32_MAX, UINT32_MAX, 200, "are not in the file"},
		{0, 4, 24, "no end"},
		{24, 4, 47, "no end"},
		{48, 4, 0, "no end"},
		{0, 0, 0, "no end"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err e = ERR_INIT;
		struct certs c;

		assert_int_equal(load(&c, rows[i].offset, rows[i].len, rows[i].size, &e), -EINVAL);
		if (!strstr(e.text, rows[i].says))
			fail_msg("%s: %s", rows[i].says, e.text);
		assert_non_null(strstr(e.text, "--confidential: certs:"));
		certs_fini(&c);
	}
}

static int no_discard(void *ctx, gpa_t gpa, uint64_t len, bool private_side)
{
	(void)ctx, (void)gpa, (void)len, (void)private_side;
	return 0;
}

static void certs_gives_the_table_when_there_is_room(void **state)
{
	static const struct convert_ops ops = {.discard = no_discard};
	struct ram_desc desc = {.cbit = UINT64_C(1) << 38, .guest_memfd = -1};
	struct err e = ERR_INIT;
	struct converter converter;
	struct ledger *ledger;
	struct certs c;
	struct ram ram;

	(void)state;
	assert_int_equal(layout_init(&desc.layout, MIB(16), &e), 0);
	assert_int_equal(ram_init(&ram, &desc, &e), 0);
	assert_int_equal(ledger_create(&ledger, &ram.layout, false, MIB(1), &e), 0);
	converter = (struct converter){&ram.layout, ledger, &ops, &ram, false};
	assert_int_equal(load(&c, 48, 5000, 5048, &e), 0);
	c.io = (struct guest_io){&ram, ledger};

	assert_int_equal(convert(&converter, gpa_of(MIB(2)), 2 * PAGE_SIZE, true), 0);
	assert_int_equal(certs_give(&c, gpa_of(MIB(2)), 1), -ENOSPC);
	assert_int_equal(certs_give(&c, gpa_of(MIB(3)), 2), -EFAULT); /* private */
	assert_int_equal(certs_give(&c, gpa_of(MIB(64)), 2), -EFAULT);
	assert_int_equal(ram.shared[MIB(2) + 100], 0);
	assert_int_equal(certs_give(&c, gpa_of(MIB(2)), 2), 0);
	assert_memory_equal(ram.shared + MIB(2), c.table, c.len);

	certs_fini(&c);
	ledger_destroy(ledger);
	ram_fini(&ram);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certs_loads_whole_pages_when_the_table_is_good),
		cmocka_unit_test(certs_refuses_a_bad_table),
		cmocka_unit_test(certs_gives_the_table_when_there_is_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
