/* SPDX-License-Identifier: Apache-2.0 */
#include "memory/layout.h"
#include "memory/view.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define RAM  MIB(16)
#define USER UINT64_C(0x7f0000000000) /* where the front end has gpa 0 */

/* A view of 16 MiB in two adjacent regions of one memfd, with a ledger, all private. */
struct fixture {
	int fd;
	uint8_t *memory; /* the test's own mapping */
	struct ledger *ledger;
	struct view view;
};

static int add(struct view *v, int fd, struct view_spec spec)
{
	struct err e = ERR_INIT;
	int rc = view_add(v, &spec, fd, &e);

	assert_int_equal(rc, -e.code);
	return rc;
}

static void fixture_up(struct fixture *f, bool ledger)
{
	struct layout layout;
	struct err e = ERR_INIT;

	memset(f, 0, sizeof(*f));
	f->fd = memfd_create("memory", MFD_CLOEXEC);
	assert_int_equal(ftruncate(f->fd, (off_t)RAM), 0);
	f->memory = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	assert_true(f->memory != MAP_FAILED);
	assert_int_equal(layout_init(&layout, RAM, &e), 0);
	assert_int_equal(ledger_create(&f->ledger, &layout, false, RAM, &e), 0);
	assert_int_equal(view_init(&f->view, ledger ? ledger_device_fd(f->ledger) : -1, &e), 0);
	assert_int_equal(
		add(&f->view, f->fd, (struct view_spec){MIB(8), MIB(8), USER + MIB(8), MIB(8)}), 0);
	assert_int_equal(add(&f->view, f->fd, (struct view_spec){0, MIB(8), USER, 0}), 0);
}

static void fixture_down(struct fixture *f)
{
	view_fini(&f->view);
	ledger_destroy(f->ledger);
	munmap(f->memory, RAM);
	close(f->fd);
}

static void set_shared(struct fixture *f, uint64_t gpa, uint64_t len, bool shared)
{
	struct ledger_locked locked = ledger_lock(f->ledger);

	ledger_set(locked, gpa_of(gpa), len, shared);
	ledger_unlock(locked);
}

/* copy() - guest memory to or from buf. Return: 0 or the error of view_iov(). */
static int copy(struct fixture *f, uint64_t gpa, void *buf, uint64_t len, bool in)
{
	struct iovec iov[4];
	uint8_t *at = buf;
	int n = view_iov(&f->view, gpa_of(gpa), len, iov, ARRAY_SIZE(iov));

	for (int i = 0; i < n; i++) {
		memcpy(in ? iov[i].iov_base : at, in ? at : iov[i].iov_base, iov[i].iov_len);
		at += iov[i].iov_len;
	}
	return n < 0 ? n : 0;
}

static void view_reads_and_writes_shared_pages(void **state)
{
	struct fixture f;
	char buf[8] = "", text[] = "abcdef";

	(void)state;
	fixture_up(&f, true);
	set_shared(&f, MIB(2), 8192, true);
	assert_int_equal(copy(&f, MIB(2) + 4093, text, 7, true), 0);
	assert_memory_equal(f.memory + MIB(2) + 4093, "abcdef", 7);
	memcpy(f.memory + MIB(2) + 100, "xyz", 4);
	assert_int_equal(copy(&f, MIB(2) + 100, buf, 4, false), 0);
	assert_string_equal(buf, "xyz");
	fixture_down(&f);
}

static void view_refuses_private_pages_in_every_call(void **state)
{
	static const struct {
		uint64_t gpa, len;
	} bad[] = {
		{MIB(2), 1},
		{MIB(3) - 1, 1},
		{MIB(3) - 1, 2},
		{MIB(3) + 4095, 2},
		{MIB(3) - 4096, 12288},
		{0, RAM},
		{MIB(3), 0},
	};
	struct fixture f;
	struct iovec iov[4];
	static char buf[RAM];

	(void)state;
	fixture_up(&f, true);
	set_shared(&f, MIB(3), 4096, true);
	memset(f.memory, 0x5a, RAM);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		gpa_t gpa = gpa_of(bad[i].gpa);

		assert_int_equal(copy(&f, gpa.v, buf, bad[i].len, false), -EFAULT);
		assert_int_equal(copy(&f, gpa.v, buf, bad[i].len, true), -EFAULT);
		assert_int_equal(view_iov(&f.view, gpa, bad[i].len, iov, 4), -EFAULT);
	}
	for (size_t i = 0; i < RAM; i++) /* nothing was read, nothing was written */
		if (buf[i] || f.memory[i] != 0x5a)
			fail_msg("byte %zu was touched", i);
	fixture_down(&f);
}

static void view_sees_conversions_at_once(void **state)
{
	struct fixture f;
	uint16_t v = 1;

	(void)state;
	fixture_up(&f, true);
	assert_int_equal(copy(&f, MIB(4), &v, sizeof(v), false), -EFAULT);
	set_shared(&f, MIB(4), 4096, true);
	assert_int_equal(copy(&f, MIB(4), &v, sizeof(v), false), 0);
	set_shared(&f, MIB(4), 4096, false);
	assert_int_equal(copy(&f, MIB(4), &v, sizeof(v), false), -EFAULT);
	assert_int_equal(copy(&f, MIB(4), &v, sizeof(v), true), -EFAULT);
	assert_int_equal(f.memory[MIB(4)], 0);
	fixture_down(&f);
}

static void view_refuses_what_is_not_mapped(void **state)
{
	struct fixture f;
	struct iovec iov[2];
	char buf[16];

	(void)state;
	fixture_up(&f, false);
	assert_int_equal(copy(&f, RAM - 16, buf, 16, false), 0);
	assert_int_equal(copy(&f, RAM - 15, buf, 16, false), -EFAULT);
	assert_int_equal(copy(&f, RAM, buf, 1, false), -EFAULT);
	assert_int_equal(view_iov(&f.view, gpa_of(RAM), 1, iov, 2), -EFAULT);
	assert_int_equal(copy(&f, UINT64_MAX, buf, 1, false), -EFAULT);
	assert_int_equal(copy(&f, UINT64_MAX, buf, 2, false), -EFAULT);
	assert_int_equal(copy(&f, 0, buf, 0, false), -EFAULT);
	assert_int_equal(copy(&f, RAM - 8, buf, 16, true), -EFAULT);
	fixture_down(&f);
}

static void view_splits_at_regions_and_honours_room(void **state)
{
	struct fixture f;
	struct iovec iov[3];
	char out[] = "across", in[8] = "";

	(void)state;
	fixture_up(&f, false);
	assert_int_equal(view_iov(&f.view, gpa_of(MIB(8) - 4096), 12288, iov, 3), 2);
	assert_int_equal(iov[0].iov_len, 4096);
	assert_int_equal(iov[1].iov_len, 8192);
	assert_int_equal(view_iov(&f.view, gpa_of(MIB(8) - 4096), 12288, iov, 1), -E2BIG);
	assert_int_equal(view_iov(&f.view, gpa_of(MIB(8) - 4096), 4096, iov, 1), 1);
	assert_int_equal(copy(&f, MIB(8) - 3, out, sizeof(out), true), 0);
	assert_int_equal(copy(&f, MIB(8) - 3, in, sizeof(out), false), 0);
	assert_string_equal(in, out);
	assert_memory_equal(f.memory + MIB(8) - 3, out, sizeof(out));
	fixture_down(&f);
}

static void view_refuses_bad_regions(void **state)
{
	static const struct view_spec bad[] = {
		{RAM, 0, USER + RAM, 0},        /* empty */
		{RAM + 1, 4096, USER + RAM, 0}, /* four misaligned ones */
		{RAM, 4095, USER + RAM, 0}, {RAM, 4096, USER + RAM + 8, 0},
		{RAM, 4096, USER + RAM, 512},
		{UINT64_MAX - 4095, 4096, USER + RAM, 0}, /* three that wrap */
		{RAM, 4096, UINT64_MAX - 4095, 0}, {RAM, 8192, USER + RAM, UINT64_MAX - 4095},
		{RAM, 8192, USER + RAM, RAM - 4096}, /* beyond the descriptor */
		{RAM, 4096, USER + RAM, RAM}, {RAM, UINT64_C(1) << 62, USER + RAM, 0},
		{MIB(8) - 4096, 4096, USER + RAM, 0}, /* overlaps */
		{RAM - 4096, 8192, USER + RAM, 0},
		{RAM, 4096, USER + 4096, 0}, /* overlaps in the front end */
	};
	struct fixture f;

	(void)state;
	fixture_up(&f, false);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(add(&f.view, f.fd, bad[i]), -EINVAL);
	assert_int_equal(add(&f.view, -1, (struct view_spec){RAM, 4096, USER + RAM, 0}), -EBADF);
	assert_int_equal(f.view.n_regions, 2);
	assert_int_equal(
		add(&f.view, f.fd, (struct view_spec){RAM, 4096, USER + RAM, RAM - 4096}), 0);
	fixture_down(&f);
}

static void view_holds_so_many_regions_and_no_more(void **state)
{
	struct fixture f;

	(void)state;
	fixture_up(&f, false);
	for (uint64_t at = RAM; f.view.n_regions < VIEW_REGIONS_MAX; at += 4096)
		assert_int_equal(add(&f.view, f.fd, (struct view_spec){at, 4096, USER + at, 0}), 0);
	assert_int_equal(
		add(&f.view, f.fd, (struct view_spec){GIB(1), 4096, USER + GIB(1), 0}), -ENOSPC);
	view_clear(&f.view);
	assert_int_equal(f.view.n_regions, 0);
	assert_int_equal(add(&f.view, f.fd, (struct view_spec){GIB(1), 4096, USER + GIB(1), 0}), 0);
	fixture_down(&f);
}

static void view_removes_a_region_by_all_its_names(void **state)
{
	struct view_spec low = {.gpa = 0, .size = MIB(8), .user_addr = USER}, other = low;
	struct fixture f;
	char c;

	(void)state;
	fixture_up(&f, false);
	other.size -= 4096;
	assert_int_equal(view_remove(&f.view, &other), -ENOENT);
	other = low;
	other.user_addr += 4096;
	assert_int_equal(view_remove(&f.view, &other), -ENOENT);
	assert_int_equal(copy(&f, 0, &c, 1, false), 0);
	assert_int_equal(view_remove(&f.view, &low), 0);
	assert_int_equal(copy(&f, 0, &c, 1, false), -EFAULT);
	assert_int_equal(copy(&f, MIB(8), &c, 1, false), 0);
	assert_int_equal(view_remove(&f.view, &low), -ENOENT);
	fixture_down(&f);
}

static void view_translates_front_end_addresses(void **state)
{
	struct fixture f;
	gpa_t gpa;

	(void)state;
	fixture_up(&f, false);
	assert_int_equal(view_from_user(&f.view, USER + 0x1234, 16, &gpa), 0);
	assert_int_equal(gpa.v, 0x1234);
	assert_int_equal(view_from_user(&f.view, USER + MIB(9), 1, &gpa), 0);
	assert_int_equal(gpa.v, MIB(9));
	assert_int_equal(view_from_user(&f.view, USER - 1, 1, &gpa), -EFAULT);
	assert_int_equal(view_from_user(&f.view, USER + RAM - 8, 16, &gpa), -EFAULT);
	assert_int_equal(view_from_user(&f.view, USER, UINT64_MAX, &gpa), -EFAULT);
	assert_int_equal(view_from_user(&f.view, UINT64_MAX, 2, &gpa), -EFAULT);
	fixture_down(&f);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(view_reads_and_writes_shared_pages),
	cmocka_unit_test(view_refuses_private_pages_in_every_call),
	cmocka_unit_test(view_sees_conversions_at_once),
	cmocka_unit_test(view_refuses_what_is_not_mapped),
	cmocka_unit_test(view_splits_at_regions_and_honours_room),
	cmocka_unit_test(view_refuses_bad_regions),
	cmocka_unit_test(view_holds_so_many_regions_and_no_more),
	cmocka_unit_test(view_removes_a_region_by_all_its_names),
	cmocka_unit_test(view_translates_front_end_addresses),
};
UNIT_MAIN(tests)
