/* SPDX-License-Identifier: Apache-2.0 */
/* Hashing pages; see attestation/page_hash.h. */
#include "attestation/page_hash.h"

#include "attestation/sha384x4.h"
#include "base/attr.h"
#include "base/num.h"

#include <pthread.h>
#include <sched.h>
#include <string.h>

#define PAGE_LEN    SHA384X4_LEN
#define THREADS_MAX 8
#define THREAD_WORK 256 /* pages that are worth a thread: 1 MiB, about a millisecond */

struct worker {
	pthread_t thread;
	struct page_hash *pages;
	size_t n;
	int ret;
	struct err e;
};

/* page_hash_repeats() - Return: true if a page has the same bytes as the one before it. */
static bool page_hash_repeats(const struct page_hash *p)
{
	return p[0].bytes && p[-1].bytes &&
		(p[0].bytes == p[-1].bytes || !memcmp(p[0].bytes, p[-1].bytes, PAGE_LEN));
}

/* page_hash_group() - hash 1 to SHA384X4_LANES pages. Return: 0 or -EIO. */
static int page_hash_group(struct page_hash **group, size_t n, struct digest *d, struct err *e)
{
	const uint8_t *bytes[SHA384X4_LANES];
	uint8_t out[SHA384X4_LANES][DIGEST_SHA384_LEN];
	int ret = 0;

	if (n == SHA384X4_LANES && sha384x4_usable()) {
		for (size_t i = 0; i < n; i++)
			bytes[i] = group[i]->bytes;
		sha384x4_pages(bytes, out);
		for (size_t i = 0; i < n; i++)
			memcpy(group[i]->out, out[i], sizeof(out[i]));
		return 0;
	}
	for (size_t i = 0; !ret && i < n; i++) {
		digest_update(d, group[i]->bytes, PAGE_LEN);
		ret = digest_final(d, group[i]->out, e);
	}
	return ret;
}

/* page_hash_share() - hash one thread's share. Return: 0, -ENOMEM or -EIO. */
static int page_hash_share(struct page_hash *pages, size_t n, struct err *e)
{
	cleanup_digest struct digest d = DIGEST_INIT;
	struct page_hash *group[SHA384X4_LANES];
	size_t in_group = 0;
	int ret = digest_init(&d, DIGEST_SHA384, e);

	for (size_t i = 0; !ret && i < n; i++) {
		if (!pages[i].bytes || (i && page_hash_repeats(&pages[i])))
			continue;
		group[in_group++] = &pages[i];
		if (in_group < SHA384X4_LANES)
			continue;
		ret = page_hash_group(group, in_group, &d, e);
		in_group = 0;
	}
	if (!ret)
		ret = page_hash_group(group, in_group, &d, e);
	for (size_t i = 1; !ret && i < n; i++)
		if (page_hash_repeats(&pages[i]))
			memcpy(pages[i].out, pages[i - 1].out, sizeof(pages[i].out));
	return ret;
}

static void *page_hash_thread(void *worker)
{
	struct worker *w = worker;

	w->ret = page_hash_share(w->pages, w->n, &w->e);
	return NULL;
}

/* page_hash_threads() - Return: how many threads n pages are worth here, at least 1. */
static size_t page_hash_threads(size_t n)
{
	size_t threads = min_u64(n / THREAD_WORK, THREADS_MAX);
	cpu_set_t cpus;

	if (threads < 2 || sched_getaffinity(0, sizeof(cpus), &cpus))
		return 1;
	return min_u64(threads, (uint64_t)CPU_COUNT(&cpus));
}

int page_hash_all(struct page_hash *pages, size_t n, struct err *e)
{
	struct worker workers[THREADS_MAX];
	size_t threads = page_hash_threads(n), started = 1, share = n / threads, rest;
	int ret;

	for (; started < threads; started++) {
		struct worker *w = &workers[started];

		*w = (struct worker){.pages = pages + (started - 1) * share, .n = share};
		if (pthread_create(&w->thread, NULL, page_hash_thread, w))
			break; /* the caller's thread does the rest */
	}
	rest = (started - 1) * share;
	ret = page_hash_share(pages + rest, n - rest, e);
	for (size_t i = 1; i < started; i++) {
		pthread_join(workers[i].thread, NULL);
		if (!ret && workers[i].ret) {
			ret = workers[i].ret;
			*e = workers[i].e;
		}
	}
	return ret;
}
