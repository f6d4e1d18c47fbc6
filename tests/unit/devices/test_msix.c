/* SPDX-License-Identifier: Apache-2.0 */
#include "devices/front/msix.h"

#include "base/fd.h"
#include "tests/unit/devices/fake_irq.h"
#include "tests/unit/unit.h"

#include <sys/eventfd.h>

#define VECTORS 70
#define SOURCES 3
#define GSI0    24 /* the first that the fake hands out */

struct fixture {
	struct fake_irq irq;
	struct msix *msix;
	int fds[SOURCES];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err e = ERR_INIT;
	struct msix_desc d = {.n_vectors = VECTORS, .fds = f->fds, .n_sources = SOURCES};

	d.irq = fake_irq_of(&f->irq);
	for (int i = 0; i < SOURCES; i++)
		f->fds[i] = eventfd(0, EFD_NONBLOCK);
	assert_int_equal(msix_create(&f->msix, &d, &e), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	msix_destroy(f->msix);
	assert_int_equal(fake_irq_total(&f->irq), 0);
	for (int i = 0; i < SOURCES; i++)
		fd_drop(&f->fds[i]);
	free(f);
	return 0;
}

static void program(
	struct fixture *f, unsigned int v, uint64_t addr, uint32_t data, uint32_t control)
{
	msix_table_write(f->msix, v * 16, 8, addr);
	msix_table_write(f->msix, v * 16 + 8, 4, data);
	msix_table_write(f->msix, v * 16 + 12, 4, control);
}

static bool pending(struct fixture *f, unsigned int v)
{
	return msix_pba_read(f->msix, v / 64 * 8, 8) >> v % 64 & 1;
}

static void msix_delivers_directly_once_enabled_and_unmasked(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(msix_bind(f->msix, 0, 5), 5);
	program(f, 5, 0xfee01000, 0x4041, 0);
	assert_int_equal(f->irq.irqfds[GSI0], 0);
	msix_set_control(f->msix, PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
	assert_int_equal(f->irq.irqfds[GSI0], 0);
	assert_true(msix_enabled(f->msix));
	msix_set_control(f->msix, PCI_MSIX_ENABLE);
	assert_int_equal(f->irq.irqfds[GSI0], 1);
	assert_int_equal(f->irq.last_fd[GSI0], f->fds[0]);
	assert_int_equal(f->irq.msg[GSI0].address, 0xfee01000);
	assert_int_equal(f->irq.msg[GSI0].data, 0x4041);
	msix_table_write(f->msix, 5 * 16 + 8, 4, 0x4042);
	assert_int_equal(f->irq.msg[GSI0].data, 0x4042);
	msix_set_control(f->msix, 0);
	assert_int_equal(f->irq.irqfds[GSI0], 0);
}

static void msix_holds_what_is_pending_while_masked(void **state)
{
	struct fixture *f = *state;
	eventfd_t n;

	assert_int_equal(msix_bind(f->msix, 1, 65), 65);
	program(f, 65, 0xfee00000, 1, PCI_MSIX_MASKED);
	msix_set_control(f->msix, PCI_MSIX_ENABLE);
	assert_false(pending(f, 65));
	eventfd_write(f->fds[1], 1);
	eventfd_write(f->fds[1], 1);
	assert_true(pending(f, 65));
	assert_false(pending(f, 64));
	assert_int_equal(f->irq.irqfds[GSI0], 0);
	/* unmasking gives the irqfd one signal (which the fake does not take) */
	msix_table_write(f->msix, 65 * 16 + 12, 4, 0);
	assert_int_equal(f->irq.irqfds[GSI0], 1);
	assert_int_equal(eventfd_read(f->fds[1], &n), 0);
	assert_int_equal(n, 1);
	msix_table_write(f->msix, 65 * 16 + 12, 4, 1);
	assert_false(pending(f, 65));
	msix_table_write(f->msix, 65 * 16 + 12, 4, 0);
	assert_int_equal(eventfd_read(f->fds[1], &n), -1);
}

static void msix_shares_a_vector_between_sources(void **state)
{
	struct fixture *f = *state;

	msix_set_control(f->msix, PCI_MSIX_ENABLE);
	program(f, 1, 0xfee00000, 1, 0);
	for (unsigned int i = 0; i < SOURCES; i++)
		assert_int_equal(msix_bind(f->msix, i, 1), 1);
	assert_int_equal(f->irq.irqfds[GSI0], SOURCES);
	assert_false(f->irq.allocated[GSI0 + 1]);
	assert_int_equal(msix_bind(f->msix, 0, MSIX_NONE), MSIX_NONE);
	assert_int_equal(f->irq.irqfds[GSI0], SOURCES - 1);
	assert_int_equal(msix_bind(f->msix, 1, 2), 2);
	assert_int_equal(f->irq.irqfds[GSI0], 1);
	assert_true(f->irq.allocated[GSI0 + 1]);
	assert_int_equal(msix_bind(f->msix, 2, 2), 2);
	assert_false(f->irq.allocated[GSI0]);
}

static void msix_answers_none_when_it_can_not_bind(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(msix_bind(f->msix, 0, VECTORS), MSIX_NONE);
	assert_int_equal(msix_bind(f->msix, 0, 0xfffe), MSIX_NONE);
	f->irq.no_more_gsis = true;
	assert_int_equal(msix_bind(f->msix, 0, 0), MSIX_NONE);
	f->irq.no_more_gsis = false;
	assert_int_equal(msix_bind(f->msix, 0, 0), 0);
}

static void msix_survives_every_access_to_its_tables(void **state)
{
	struct fixture *f = *state;

	msix_set_control(f->msix, PCI_MSIX_ENABLE);
	msix_bind(f->msix, 0, 0);
	for (unsigned int len = 1; len <= 8; len *= 2)
		for (uint64_t off = 0; off < 4096; off++) {
			msix_table_write(f->msix, off, len, UINT64_MAX);
			msix_table_read(f->msix, off, len);
			if (off >= VECTORS * 16)
				assert_int_equal(msix_table_read(f->msix, off, len), 0);
			assert_int_equal(msix_pba_read(f->msix, off, len), 0);
		}
	/* reserved bits of the control word stay clear; small writes do nothing */
	assert_int_equal(msix_table_read(f->msix, 12, 4), 1);
	msix_table_write(f->msix, 12, 1, 0);
	msix_table_write(f->msix, 12, 2, 0);
	assert_int_equal(msix_table_read(f->msix, 12, 4), 1);
	assert_int_equal(msix_table_read(f->msix, VECTORS * 16 - 4, 4), 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
static const struct CMUnitTest tests[] = {
	CASE(msix_delivers_directly_once_enabled_and_unmasked),
	CASE(msix_holds_what_is_pending_while_masked),
	CASE(msix_shares_a_vector_between_sources),
	CASE(msix_answers_none_when_it_can_not_bind),
	CASE(msix_survives_every_access_to_its_tables),
};
UNIT_MAIN(tests)
