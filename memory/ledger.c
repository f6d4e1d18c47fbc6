/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger as the monitor writes it; see memory/ledger.h. */
#include "memory/ledger.h"

#include "base/bytes.h"
#include "base/fd.h"
#include "memory/layout.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

struct ledger {
	pthread_mutex_t lock; /* guards the bits and the counts */
	int fd;
	uint8_t *bits; /* the writable mapping; NULL if all is shared */
	size_t bits_len;
	struct ledger_counts counts;
};

/* ledger_memfd() - the sealed memfd with its header; the bits are mapped into ledger */
static int ledger_memfd(struct ledger *ledger, const struct ledger_header *header, struct err *e)
{
	ledger->fd = memfd_create("ledger", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (ledger->fd < 0)
		return err_sys(e, errno, "ledger: memfd_create");
	if (ftruncate(ledger->fd, (off_t)(PAGE_SIZE + ledger->bits_len)) < 0 ||
		pwrite(ledger->fd, header, sizeof(*header), 0) != (ssize_t)sizeof(*header))
		return err_sys(e, errno, "ledger: write");
	if (ledger->bits_len) {
		void *map = mmap(NULL, ledger->bits_len, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_NORESERVE, ledger->fd, (off_t)PAGE_SIZE);

		if (map == MAP_FAILED)
			return err_sys(e, errno, "ledger: mmap");
		ledger->bits = map;
	}
	/* From here on only the mapping above can write. */
	if (fcntl(ledger->fd, F_ADD_SEALS,
		    F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0)
		return err_sys(e, errno, "ledger: seal");
	return 0;
}

int ledger_create(struct ledger **out, const struct layout *layout, bool all_shared,
	uint64_t budget, struct err *e)
{
	struct ledger_header header = {
		.magic = LEDGER_MAGIC,
		.flags = all_shared ? LEDGER_ALL_SHARED : 0,
		.n_pages = layout->end.v >> PAGE_SHIFT,
	};
	struct ledger *ledger = calloc(1, sizeof(*ledger));
	int rc;

	*out = NULL;
	if (!ledger)
		return err_sys(e, ENOMEM, "ledger");
	pthread_mutex_init(&ledger->lock, NULL);
	ledger->counts = (struct ledger_counts){
		.ram = layout->ram,
		.shared = all_shared ? layout->ram : 0,
		.peak = all_shared ? layout->ram : 0,
		.budget = all_shared ? layout->ram : budget,
	};
	ledger->bits_len = all_shared ? 0 : (size_t)align_up((header.n_pages + 7) / 8, PAGE_SIZE);
	rc = ledger_memfd(ledger, &header, e);
	if (rc) {
		ledger_destroy(ledger);
		return rc;
	}
	*out = ledger;
	return 0;
}

void ledger_destroy(struct ledger *ledger)
{
	if (!ledger)
		return;
	if (ledger->bits)
		munmap(ledger->bits, ledger->bits_len);
	fd_drop(&ledger->fd);
	pthread_mutex_destroy(&ledger->lock);
	free(ledger);
}

int ledger_device_fd(const struct ledger *ledger)
{
	return ledger->fd;
}

struct ledger_locked ledger_lock(struct ledger *ledger)
{
	pthread_mutex_lock(&ledger->lock);
	return (struct ledger_locked){ledger};
}

void ledger_unlock(struct ledger_locked locked)
{
	pthread_mutex_unlock(&locked.ledger->lock);
}

static bool ledger_bit(const struct ledger *ledger, uint64_t page)
{
	return !ledger->bits || (ledger->bits[page / 8] >> (page % 8) & 1);
}

/* ledger_skip() - Return: the first page in [page, end) whose state is `shared`, or end. */
static uint64_t ledger_skip(const struct ledger *ledger, uint64_t page, uint64_t end, bool shared)
{
	const uint64_t none = shared ? 0 : UINT64_MAX;

	if (!ledger->bits)
		return shared ? page : end;
	while (page < end) {
		/* bits_len is whole pages, so an aligned word is always inside */
		if (page % 64 == 0 && end - page >= 64 &&
			load_le64(ledger->bits + page / 8) == none)
			page += 64;
		else if (ledger_bit(ledger, page) == shared)
			break;
		else
			page++;
	}
	return page;
}

bool ledger_run(struct ledger_locked locked, bool shared, gpa_t *gpa, uint64_t *len, gpa_t *run,
	uint64_t *run_len)
{
	const struct ledger *ledger = locked.ledger;
	uint64_t end = (gpa->v + *len) >> PAGE_SHIFT;
	uint64_t first, last;

	if (!shared && !ledger->counts.shared)
		return false; /* nothing is shared: spares a walk over all RAM */
	first = ledger_skip(ledger, gpa->v >> PAGE_SHIFT, end, !shared);
	last = ledger_skip(ledger, first, end, shared);
	*gpa = gpa_of(last << PAGE_SHIFT);
	*len = (end - last) << PAGE_SHIFT;
	*run = gpa_of(first << PAGE_SHIFT);
	*run_len = (last - first) << PAGE_SHIFT;
	return first < last;
}

bool ledger_room(struct ledger_locked locked, gpa_t gpa, uint64_t len)
{
	const struct ledger_counts *c = &locked.ledger->counts;
	uint64_t room = c->budget - c->shared, run_len;
	gpa_t run;

	if (len <= room)
		return true;
	while (ledger_run(locked, true, &gpa, &len, &run, &run_len)) {
		if (run_len > room)
			return false;
		room -= run_len;
	}
	return true;
}

void ledger_set(struct ledger_locked locked, gpa_t run, uint64_t run_len, bool shared)
{
	struct ledger *ledger = locked.ledger;
	struct ledger_counts *c = &ledger->counts;
	uint64_t page = run.v >> PAGE_SHIFT, end = (run.v + run_len) >> PAGE_SHIFT;

	assert(ledger->bits);
	/* Release: a device that sees "shared" sees the shared side as it was left to it. */
	for (; page < end; page++) {
		uint8_t *byte = &ledger->bits[page / 8], bit = (uint8_t)(1u << (page % 8));

		if (page % 8 == 0 && end - page >= 8) {
			__atomic_store_n(byte, shared ? 0xff : 0, __ATOMIC_RELEASE);
			page += 7;
		} else if (shared) {
			__atomic_or_fetch(byte, bit, __ATOMIC_RELEASE);
		} else {
			__atomic_and_fetch(byte, (uint8_t)~bit, __ATOMIC_RELEASE);
		}
	}
	c->shared = shared ? c->shared + run_len : c->shared - run_len;
	c->peak = max_u64(c->peak, c->shared);
	assert(c->shared <= c->budget);
}

void ledger_count(struct ledger_locked locked, bool changed, bool refused)
{
	locked.ledger->counts.conversions += changed;
	locked.ledger->counts.refused += refused;
}

struct ledger_counts ledger_counts(struct ledger *ledger)
{
	struct ledger_locked locked = ledger_lock(ledger);
	struct ledger_counts counts = ledger->counts;

	ledger_unlock(locked);
	return counts;
}
