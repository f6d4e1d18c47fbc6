/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Milliseconds of a whole `cloister verify tdx-quote` process, wall clock and CPU, over a quote and
 * collateral of the tests' own. argv[1] is the binary, argv[2] the writer of the inputs.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RUNS  50
#define FILES 8

extern char **environ;

static const char *const inputs[FILES][2] = {
	{"--quote", "quote"},
	{"--tcb-info", "tcb_info"},
	{"--tcb-info-issuer-chain", "signer_chain"},
	{"--qe-identity", "qe_identity"},
	{"--qe-identity-issuer-chain", "signer_chain"},
	{"--root-ca-crl", "root_crl"},
	{"--pck-crl", "pck_crl"},
	{"--trusted-root", "root"},
};

/* What the writer also writes. */
static const char *const others[] = {"pck_chain", "report", "vek", "ask_ark", "ark", "ark_crl"};

static double bench_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double bench_cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_CHILDREN, &u);
	return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3 +
		(double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3;
}

static int bench_run(char **argv)
{
	posix_spawn_file_actions_t quiet;
	int status = 0;
	pid_t pid;

	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", 1, 0);
	if (posix_spawn(&pid, argv[0], &quiet, NULL, argv, environ) ||
		waitpid(pid, &status, 0) < 0 || status) {
		printf("%s: failed\n", argv[0]);
		return 1;
	}
	posix_spawn_file_actions_destroy(&quiet);
	return 0;
}

static int bench_verify(char *binary, char paths[FILES][64])
{
	char *argv[3 + 2 * FILES + 3] = {binary, "verify", "tdx-quote", "--at-time", "1800000000"};
	double best = 1e9, cpu;
	int n = 5;

	for (int i = 0; i < FILES; i++) {
		argv[n++] = (char *)inputs[i][0];
		argv[n++] = paths[i];
	}
	cpu = bench_cpu();
	for (int i = 0; i < RUNS; i++) {
		double t = bench_now();

		if (bench_run(argv))
			return 1;
		t = bench_now() - t;
		best = t < best ? t : best;
	}
	printf("verify tdx-quote: best %.2f ms, mean CPU %.2f ms\n", best,
		(bench_cpu() - cpu) / RUNS);
	return 0;
}

int main(int argc, char **argv)
{
	char dir[] = "bench_verify.XXXXXX", paths[FILES][64];
	char *writer[] = {argc == 3 ? argv[2] : NULL, dir, NULL};
	int ret;

	if (argc != 3 || !mkdtemp(dir) || bench_run(writer))
		return 1;
	for (int i = 0; i < FILES; i++)
		snprintf(paths[i], sizeof(paths[i]), "%s/%s", dir, inputs[i][1]);
	ret = bench_verify(argv[1], paths);
	for (int i = 0; i < FILES; i++)
		unlink(paths[i]);
	for (int i = 0; i < (int)(sizeof(others) / sizeof(others[0])); i++) {
		snprintf(paths[0], sizeof(paths[0]), "%s/%s", dir, others[i]);
		unlink(paths[0]);
	}
	rmdir(dir);
	return ret;
}
