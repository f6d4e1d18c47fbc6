/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A TD that runs on the model hypervisor, on the monitor's own vCPU thread: as Linux does it shares
 * a buffer (MapGPA), asks which calls there are, wants an interrupt for quotes, asks for one of a
 * quote service, takes the buffer back and accepts it. In between it asks for what it can't have.
 */
#include "base/fd.h"
#include "base/loop.h"
#include "tests/model/model.h"
#include "tests/unit/firmware.h"
#include "tests/unit/unit.h"
#include "vmm/hv/tdx_abi.h"
#include "vmm/quote_wire.h"
#include "vmm/quotes.h"
#include "vmm/vm.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BUFFER     MIB(32)
#define PIECE      MIB(2) /* as KVM cuts MapGPA */
#define BUFFER_LEN KIB(128)
#define QUOTE      "the quote of this report"
#define NOTIFY     0x50

static char folder[] = "/tmp/model-td-XXXXXX", firmware[64], service[64];

/* What the guest saw; each field is set in a turn of its own. */
struct guest {
	unsigned int turn;
	uint64_t shared, info, r11, notify, unaligned, no_version, asked, status, taken;
	uint8_t buffer[QUOTE_HEADER_LEN + sizeof(QUOTE)], quote[sizeof(QUOTE)];
	int private_read, accepted, stale, pages_lost;
};

static struct hv_tdx_exit *tdx_exit(struct kvm_run *run)
{
	return (void *)&run->io;
}

/* td_call() - as KVM hands a TDVMCALL on: with the answer "not supported" */
static void td_call(struct kvm_run *run, uint64_t number, uint64_t a, uint64_t b)
{
	run->exit_reason = HV_EXIT_REASON_TDX;
	*tdx_exit(run) = (struct hv_tdx_exit){.nr = number, .ret = HV_TDVMCALL_UNSUPPORTED};
	tdx_exit(run)->quote.gpa = a;
	tdx_exit(run)->quote.size = b;
}

static void td_request(struct kvm_run *run, uint64_t version)
{
	uint8_t b[QUOTE_HEADER_LEN + QUOTE_REPORT_LEN];

	memset(b, 0x77, sizeof(b));
	store_le64(b, version);
	store_le64(b + 8, 0);
	store_le32(b + 16, QUOTE_REPORT_LEN);
	store_le32(b + 20, 0);
	assert_int_equal(model_guest_write(run, BUFFER, false, b, sizeof(b)), 0);
	td_call(run, HV_TDVMCALL_GET_QUOTE, BUFFER, BUFFER_LEN);
}

/* td_poll() - Return: true when the quote is there, or never will be */
static bool td_poll(struct guest *g, struct kvm_run *run)
{
	assert_int_equal(model_guest_read(run, BUFFER, false, g->buffer, sizeof(g->buffer)), 0);
	g->status = load_le64(g->buffer + 8);
	run->exit_reason = KVM_EXIT_INTR;
	return g->status != QUOTE_IN_FLIGHT;
}

static int td_end(struct guest *g, struct kvm_run *run)
{
	g->taken = run->hypercall.ret;
	g->stale = model_guest_read(run, BUFFER, true, g->buffer, 1); /* not accepted yet */
	g->accepted = model_guest_accept(run, BUFFER);
	g->private_read = model_guest_read(run, BUFFER, true, g->buffer, 1);
	g->pages_lost = g->buffer[0]; /* what was shared is gone */
	run->exit_reason = KVM_EXIT_SHUTDOWN;
	return 0;
}

static int guest(void *ctx, unsigned int vcpu, struct kvm_run *run)
{
	struct guest *g = ctx;

	(void)vcpu;
	switch (g->turn++) {
	case 0:
		return model_guest_map(run, BUFFER, PIECE / PAGE_SIZE, false);
	case 1:
		g->shared = run->hypercall.ret;
		td_call(run, HV_TDVMCALL_GET_INFO, 1, 0);
		return 0;
	case 2:
		g->info = tdx_exit(run)->ret;
		g->r11 = tdx_exit(run)->info.r11;
		td_call(run, HV_TDVMCALL_SETUP_NOTIFY, NOTIFY, 0);
		return 0;
	case 3:
		g->notify = tdx_exit(run)->ret;
		td_call(run, HV_TDVMCALL_GET_QUOTE, BUFFER + 1, BUFFER_LEN);
		return 0;
	case 4:
		g->unaligned = tdx_exit(run)->ret;
		td_request(run, 2);
		return 0;
	case 5:
		g->no_version = tdx_exit(run)->ret;
		td_request(run, QUOTE_VERSION);
		return 0;
	case 6:
		g->asked = tdx_exit(run)->ret;
		g->turn -= !td_poll(g, run);
		return 0;
	case 7:
		memcpy(g->quote, g->buffer + QUOTE_HEADER_LEN, sizeof(g->quote));
		return model_guest_map(run, BUFFER, PIECE / PAGE_SIZE, true);
	default:
		return td_end(g, run);
	}
}

/* --- the quote service --- */

static void *serve(void *ctx)
{
	uint8_t request[QUOTE_WIRE_REQUEST_LEN];
	uint8_t reply[QUOTE_WIRE_PREFIX + QUOTE_WIRE_HEAD + sizeof(QUOTE)] = {0};
	cleanup_fd int fd = accept(*(int *)ctx, NULL, NULL);

	if (fd < 0 || fd_read_full(fd, request, sizeof(request)) || request[100] != 0x77)
		return NULL;
	reply[3] = sizeof(reply) - QUOTE_WIRE_PREFIX;
	store_le16(reply + 4, 1);
	store_le16(reply + 6, 1);
	store_le32(reply + 8, 1);
	store_le32(reply + 12, sizeof(reply) - QUOTE_WIRE_PREFIX);
	store_le32(reply + 24, sizeof(QUOTE));
	memcpy(reply + QUOTE_WIRE_PREFIX + QUOTE_WIRE_HEAD, QUOTE, sizeof(QUOTE));
	if (fd_write_full(fd, reply, sizeof(reply)))
		return NULL;
	return ctx;
}

static int service_up(pthread_t *thread, int *fd)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};

	memcpy(addr.sun_path, service, strlen(service) + 1);
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(*fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(listen(*fd, 1), 0);
	return pthread_create(thread, NULL, serve, fd);
}

/* --- the VM --- */

static void ended(void *ctx)
{
	loop_stop(ctx);
}

static void flag(struct vm_config *c, const char *name, const char *value)
{
	struct err e = ERR_INIT;

	if (config_flag(c, name, value, &e))
		fail_msg("%s", e.text);
}

static void config_up(struct vm_config *c, bool with_service)
{
	char keys[100];

	snprintf(keys, sizeof(keys), "tdx%s%s", with_service ? ",quotes=" : "",
		with_service ? service : "");
	config_init(c);
	flag(c, "firmware", firmware);
	flag(c, "memory", "size=64M");
	flag(c, "serial", "null");
	flag(c, "confidential", keys);
}

/* run() - the whole life of a TD; what it saw goes to *g */
static void run(struct guest *g, bool with_service)
{
	const struct model_config m = {.fail_call = MODEL_NO_CALL, .guest = guest, .ctx = g};
	struct vm_config config;
	struct vm_desc desc = {
		.config = &config, .spawner = -1, .ended = ended, .seccomp = FILTER_OFF};
	struct model_counts n;
	struct err e = ERR_INIT;
	struct vm *vm;

	config_up(&config, with_service);
	assert_int_equal(loop_create(&desc.loop, &e), 0);
	desc.ctx = desc.loop;
	model_start(&m);
	if (vm_create(&vm, &desc, &e) || vm_start(vm, &e))
		fail_msg("%s", e.text);
	vm_resume(vm);
	assert_int_equal(loop_run(desc.loop), 0);
	assert_int_equal(vm->end, VM_RESET);
	vm_destroy(vm);
	model_counts(&n);
	assert_int_equal(n.fds, 0);
	assert_int_equal(n.keys_used, 0);
	assert_int_equal(n.assigned, 0);
	assert_int_equal(n.both, 0);
	assert_int_equal(model_broken(), 0);
	model_stop();
	loop_destroy(desc.loop);
	config_fini(&config);
}

static void assert_rest(const struct guest *g)
{
	assert_int_equal(g->shared, 0);
	assert_int_equal(g->info, HV_TDVMCALL_SUCCESS);
	assert_int_equal(g->notify, HV_TDVMCALL_SUCCESS);
	assert_int_equal(g->taken, 0);
	assert_int_not_equal(g->stale, 0);
	assert_int_equal(g->accepted, 0);
	assert_int_equal(g->private_read, 0);
	assert_int_equal(g->pages_lost, 0);
}

static void td_gets_a_quote_in_memory_that_it_shares(void **state)
{
	struct guest g = {0};
	pthread_t thread;
	void *served;
	int fd;

	(void)state;
	assert_int_equal(service_up(&thread, &fd), 0);
	run(&g, true);
	pthread_join(thread, &served);
	assert_non_null(served);
	close(fd);
	unlink(service);
	assert_int_equal(g.unaligned, HV_TDVMCALL_ALIGN_ERROR);
	assert_int_equal(g.no_version, HV_TDVMCALL_INVALID_OPERAND);
	assert_int_equal(g.asked, HV_TDVMCALL_SUCCESS);
	assert_int_equal(g.status, QUOTE_DONE);
	assert_memory_equal(g.quote, QUOTE, sizeof(QUOTE));
	assert_rest(&g);
}

static void td_is_told_that_there_is_no_quote_service(void **state)
{
	struct guest g = {0};

	(void)state;
	run(&g, false);
	assert_int_equal(g.asked, HV_TDVMCALL_SUCCESS);
	assert_int_equal(g.status, QUOTE_UNAVAILABLE);
	assert_rest(&g);
	g = (struct guest){0};
	run(&g, true); /* one is named, but nobody is there */
	assert_int_equal(g.asked, HV_TDVMCALL_SUCCESS);
	assert_true(g.status == QUOTE_UNAVAILABLE || g.status == QUOTE_ERROR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(td_gets_a_quote_in_memory_that_it_shares),
		cmocka_unit_test(td_is_told_that_there_is_no_quote_service),
	};
	static uint8_t fw[FW_LEN];
	int failed;
	FILE *f;

	if (!mkdtemp(folder))
		return 1;
	snprintf(firmware, sizeof(firmware), "%s/fw", folder);
	snprintf(service, sizeof(service), "%s/qgs", folder);
	fw_build(fw);
	f = fopen(firmware, "we");
	if (!f || fwrite(fw, sizeof(fw), 1, f) != 1 || fclose(f))
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(firmware);
	rmdir(folder);
	return failed;
}
