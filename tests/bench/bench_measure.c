/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How fast launch digests are: MB of launch image per second, per core (CPU time) and by the clock,
 * and milliseconds of a whole `cloister measure` process. argv[1] is the binary.
 *
 * The image is 4 MiB of bytes that do not repeat, so that no short cut for equal pages helps. The
 * first row is SHA-384 of the same bytes in one piece: rows take turns, so that a machine whose
 * speed changes changes all of them, and the last column compares with it.
 */
#include "attestation/mrtd.h"
#include "attestation/sev_digest.h"
#include "attestation/snp_digest.h"
#include "tests/unit/firmware.h"

#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LEN  (4u << 20)
#define RUNS 30

extern char **environ;

static uint8_t bytes[LEN];

static double bench_ms(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int bench_sha384(const struct image *image, struct err *e)
{
	uint8_t out[DIGEST_SHA384_LEN];

	(void)image;
	return digest_of(DIGEST_SHA384, bytes, LEN, out, e);
}

static int bench_snp(const struct image *image, struct err *e)
{
	struct snp_digest d;
	int ret = snp_digest_init(&d, NULL, NULL, e);

	if (!ret)
		ret = snp_digest_image(&d, image, e);
	snp_digest_fini(&d);
	return ret;
}

static int bench_mrtd(const struct image *image, struct err *e)
{
	uint8_t out[MRTD_LEN];

	return mrtd_of_image(image, MRTD_PAGE_BY_PAGE, NULL, out, e);
}

static int bench_sev(const struct image *image, struct err *e)
{
	struct sev_digest d;
	int ret = sev_digest_init(&d, NULL, e);

	(void)image;
	if (!ret)
		ret = sev_digest_add(&d, "", gpa_of(0), bytes_of(bytes, LEN), e);
	sev_digest_fini(&d);
	return ret;
}

static struct row {
	const char *name;
	int (*fn)(const struct image *, struct err *);
	double clock, cpu; /* best of all runs, ms */
} rows[] = {
	{"SHA-384, one message", bench_sha384, 1e9, 1e9},
	{"SNP launch digest", bench_snp, 1e9, 1e9},
	{"MRTD", bench_mrtd, 1e9, 1e9},
	{"SEV launch digest (SHA-256)", bench_sev, 1e9, 1e9},
};

static int bench_row(struct row *row, const struct image *image)
{
	double clock = bench_ms(CLOCK_MONOTONIC), cpu = bench_ms(CLOCK_PROCESS_CPUTIME_ID);
	struct err e;

	if (row->fn(image, &e)) {
		puts(e.text);
		return 1;
	}
	cpu = bench_ms(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	clock = bench_ms(CLOCK_MONOTONIC) - clock;
	row->cpu = cpu < row->cpu ? cpu : row->cpu;
	row->clock = clock < row->clock ? clock : row->clock;
	return 0;
}

/* bench_digests() - print the best of RUNS runs of every row. */
static int bench_digests(const struct image *image)
{
	const size_t n = sizeof(rows) / sizeof(rows[0]);

	for (size_t i = 0; i < RUNS * n; i++)
		if (bench_row(&rows[i % n], image))
			return 1;
	for (size_t i = 0; i < n; i++)
		printf("%-28s %5.0f MB/s per core %5.0f MB/s in all %6.2f ms  %3.0f %%\n",
			rows[i].name, LEN / rows[i].cpu / 1e3, LEN / rows[i].clock / 1e3,
			rows[i].clock, 100 * rows[0].cpu / rows[i].cpu);
	return 0;
}

/* bench_process() - print the best time of a whole process. */
static int bench_process(const char *name, char **argv)
{
	double best = 1e9;

	for (int i = 0; i < RUNS; i++) {
		posix_spawn_file_actions_t quiet;
		double t = bench_ms(CLOCK_MONOTONIC);
		int status;
		pid_t pid;

		posix_spawn_file_actions_init(&quiet);
		posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", 1, 0);
		if (posix_spawn(&pid, argv[0], &quiet, NULL, argv, environ) ||
			waitpid(pid, &status, 0) < 0 || status) {
			printf("%s: failed\n", argv[0]);
			return 1;
		}
		posix_spawn_file_actions_destroy(&quiet);
		t = bench_ms(CLOCK_MONOTONIC) - t;
		best = t < best ? t : best;
	}
	printf("%-28s %42.2f ms\n", name, best);
	return 0;
}

/* bench_file() - write a firmware image of 4 MiB: the tables are at its end. */
static int bench_file(char *path)
{
	static uint8_t tail[FW_LEN];
	int fd = mkstemp(path);

	fw_build(tail);
	memcpy(bytes + LEN - FW_LEN, tail, FW_LEN);
	if (fd < 0 || write(fd, bytes, LEN) != LEN)
		return -1;
	return close(fd);
}

int main(int argc, char **argv)
{
	char path[] = "bench_measure.XXXXXX";
	char *snp[] = {argv[1], "measure", "--mode", "snp", "--vcpus", "64", "--vcpu-type",
		"EPYC-Milan", "--ovmf", path, NULL};
	char *sev[] = {argv[1], "measure", "--mode", "sev", "--ovmf", path, NULL};
	const struct image_part part = {gpa_of(0xffc00000), LEN, IMAGE_NORMAL, bytes, LEN};
	struct image image;
	struct err e;
	int ret = argc != 2;

	for (size_t i = 0; i < LEN; i += 8)
		store_le64(bytes + i, (i + 1) * UINT64_C(0x9e3779b97f4a7c15));
	image_init(&image);
	if (ret || image_add(&image, &part, &e) || bench_file(path))
		return 1;
	ret |= bench_digests(&image);
	ret |= bench_process("measure snp, 64 vCPUs", snp);
	ret |= bench_process("measure sev", sev);
	unlink(path);
	image_fini(&image);
	return ret;
}
