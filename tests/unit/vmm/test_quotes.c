/* SPDX-License-Identifier: Apache-2.0 */
/* Quotes: a guest's requests (rule R49), and a quote service that behaves well, badly or not at
 * all. */
#include "vmm/quotes.h"

#include "base/fd.h"
#include "memory/convert.h"
#include "memory/ledger.h"
#include "memory/ram.h"
#include "tests/unit/unit.h"
#include "vmm/hv/tdx_abi.h"
#include "vmm/quote_socket.h"
#include "vmm/quote_wire.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define BUFFER    MIB(2) /* shared: room for as many buffers as there may be, and one */
#define LEN       KIB(16)
#define BIG       KIB(128)
#define QUOTE_LEN 4000u
#define TURNS     2000

static struct ram ram;
static struct ledger *ledger;
static struct loop *loop;
static struct quotes *quotes;
static int service = -1;
static char path[64];
static unsigned int interrupts;
static uint64_t sent_address;
static uint32_t sent_data;

static int no_discard(void *ctx, gpa_t gpa, uint64_t len, bool private_side)
{
	(void)ctx, (void)gpa, (void)len, (void)private_side;
	return 0;
}

static const struct convert_ops ops = {.discard = no_discard};

static int send_msi(void *ctx, uint64_t address, uint32_t data)
{
	(void)ctx;
	interrupts++;
	sent_address = address;
	sent_data = data;
	return 0;
}

static void share(uint64_t gpa, uint64_t len, bool shared)
{
	const struct converter c = {&ram.layout, ledger, &ops, &ram, false};

	assert_int_equal(convert(&c, gpa_of(gpa), len, shared), 0);
}

static void up(const char *at, unsigned int time_limit_ms)
{
	struct quotes_desc desc = {.loop = loop,
		.io = {&ram, ledger},
		.service = at,
		.time_limit_ms = time_limit_ms,
		.send = send_msi};
	struct err e = ERR_INIT;

	if (quotes_create(&quotes, &desc, &e))
		fail_msg("%s", e.text);
	interrupts = 0;
}

static int setup(void **state)
{
	struct ram_desc desc = {.cbit = UINT64_C(1) << 38, .guest_memfd = -1};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(layout_init(&desc.layout, MIB(64), &e), 0);
	assert_int_equal(ram_init(&ram, &desc, &e), 0);
	assert_int_equal(ledger_create(&ledger, &ram.layout, false, MIB(8), &e), 0);
	assert_int_equal(loop_create(&loop, &e), 0);
	share(BUFFER, MIB(4), true);
	snprintf(path, sizeof(path), "/tmp/test-quotes-%d", getpid());
	snprintf(un.sun_path, sizeof(un.sun_path), "%s", path);
	unlink(path);
	service = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(service, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(service, QUOTES_MAX), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	quotes_destroy(quotes);
	quotes = NULL;
	fd_drop(&service);
	unlink(path);
	loop_destroy(loop);
	ledger_destroy(ledger);
	ram_fini(&ram);
	return 0;
}

/* --- the guest --- */

static uint64_t status(uint64_t gpa)
{
	return load_le64(ram.shared + gpa + 8);
}

static void request(uint64_t gpa, uint64_t version, uint32_t in_len)
{
	uint8_t *b = ram.shared + gpa;

	memset(b, 0x11, QUOTE_HEADER_LEN + QUOTE_REPORT_LEN);
	store_le64(b, version);
	store_le64(b + 8, 77);
	store_le32(b + 16, in_len);
	store_le32(b + 20, 99);
}

static uint64_t ask(uint64_t gpa, uint64_t len)
{
	request(gpa, 1, QUOTE_REPORT_LEN);
	return quotes_ask(quotes, gpa_of(gpa), len);
}

static void wait_status(uint64_t gpa, uint64_t want)
{
	for (int i = 0; i < TURNS && status(gpa) == QUOTE_IN_FLIGHT; i++)
		loop_run_once(loop, 10);
	assert_int_equal(status(gpa), want);
}

/* --- the service --- */

/* accepted() - let the monitor connect and send; take the request. Return: the connection */
static int accepted(void)
{
	uint8_t got[QUOTE_WIRE_REQUEST_LEN];
	struct timeval second = {.tv_sec = 1};
	int fd;

	loop_run_once(loop, 0);
	fd = accept4(service, NULL, NULL, SOCK_CLOEXEC);
	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second));
	loop_run_once(loop, 0);
	assert_int_equal(fd_read_full(fd, got, sizeof(got)), 0);
	assert_memory_equal(
		got, "\0\0\x04\x18\x01\0\x01\0\0\0\0\0\x18\x04\0\0\0\0\0\0\0\x04\0\0\0", 25);
	assert_int_equal(got[28], 0x11);
	return fd;
}

/* An answer of the service's, with what is wrong in it. */
struct answer {
	uint32_t len, quote_len; /* 0: as they should be */
	uint16_t major, minor;
	uint32_t type, error, size_off, id_len;
};

static size_t answer(uint8_t *out, const struct answer *a)
{
	uint32_t quote = a->quote_len ? a->quote_len : QUOTE_LEN;
	uint32_t len = a->len ? a->len : QUOTE_WIRE_HEAD + a->id_len + QUOTE_LEN;

	store_le32(out, __builtin_bswap32(len));
	store_le16(out + 4, a->major);
	store_le16(out + 6, a->minor);
	store_le32(out + 8, a->type);
	store_le32(out + 12, len + a->size_off);
	store_le32(out + 16, a->error);
	store_le32(out + 20, a->id_len);
	store_le32(out + 24, quote);
	memset(out + 28, 0xee, a->id_len);
	for (uint32_t i = 0; i < QUOTE_LEN; i++)
		out[28 + a->id_len + i] = (uint8_t)(i * 7);
	return 28 + a->id_len + QUOTE_LEN;
}

static const struct answer good = {.major = 1, .minor = 1, .type = 1};

static void assert_quote(uint64_t gpa)
{
	const uint8_t *b = ram.shared + gpa;

	assert_int_equal(load_le32(b + 20), QUOTE_LEN);
	for (uint32_t i = 0; i < QUOTE_LEN; i++)
		assert_int_equal(b[QUOTE_HEADER_LEN + i], (uint8_t)(i * 7));
}

static void quotes_gives_the_quote_when_the_service_answers_in_pieces(void **state)
{
	static const size_t pieces[] = {1, 3, 17, 1000, SIZE_MAX};

	(void)state;
	up(path, 0);
	quotes_notify(quotes, 3, 0x51);
	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		uint8_t bytes[8192];
		const struct answer a = {
			.major = 1, .minor = 1, .type = 1, .id_len = i & 1 ? 32 : 0};
		size_t len = answer(bytes, &a), n;
		int fd;

		assert_int_equal(ask(BUFFER, LEN), HV_TDVMCALL_SUCCESS);
		assert_int_equal(status(BUFFER), QUOTE_IN_FLIGHT);
		fd = accepted();
		for (size_t at = 0; at < len; at += n) {
			n = len - at < pieces[i] ? len - at : pieces[i];
			assert_int_equal(status(BUFFER), QUOTE_IN_FLIGHT);
			assert_int_equal(fd_write_full(fd, bytes + at, n), 0);
			loop_run_once(loop, 10);
		}
		wait_status(BUFFER, QUOTE_DONE);
		assert_quote(BUFFER);
		assert_int_equal(interrupts, i + 1);
		assert_int_equal(sent_address, 0xfee03000);
		assert_int_equal(sent_data, 0x51);
		close(fd);
	}
}

static void quotes_gives_an_error_when_the_answer_is_bad(void **state)
{
	static const struct answer bad[] = {
		{.major = 2, .minor = 1, .type = 1},
		{.major = 1, .minor = 9, .type = 1},
		{.major = 1, .minor = 1, .type = 0},
		{.major = 1, .minor = 1, .type = 1, .error = 0x12001},
		{.major = 1, .minor = 1, .type = 1, .size_off = 1},
		{.major = 1, .minor = 1, .type = 1, .quote_len = QUOTE_LEN + 1},
		{.major = 1, .minor = 1, .type = 1, .quote_len = UINT32_MAX, .id_len = 4},
		{.major = 1, .minor = 1, .type = 1, .len = LEN + 1},
		{.major = 1, .minor = 1, .type = 1, .len = 23},
		{.major = 1, .minor = 1, .type = 1, .len = UINT32_MAX},
	};

	(void)state;
	up(path, 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t bytes[8192];
		size_t len = answer(bytes, &bad[i]);
		int fd;

		assert_int_equal(ask(BUFFER, LEN), HV_TDVMCALL_SUCCESS);
		fd = accepted();
		assert_int_equal(fd_write_full(fd, bytes, len), 0);
		wait_status(BUFFER, QUOTE_ERROR);
		assert_int_equal(load_le32(ram.shared + BUFFER + 20), 0);
		close(fd);
	}
	assert_int_equal(interrupts, 0); /* nobody asked for them */
}

static void quotes_gives_an_error_when_the_service_is_silent_or_gone(void **state)
{
	int fd;

	(void)state;
	up(path, 20);
	assert_int_equal(ask(BUFFER, LEN), HV_TDVMCALL_SUCCESS);
	fd = accepted();
	wait_status(BUFFER, QUOTE_ERROR); /* silent */
	close(fd);
	assert_int_equal(ask(BUFFER, LEN), HV_TDVMCALL_SUCCESS);
	loop_run_once(loop, 0);
	fd = accept4(service, NULL, NULL, SOCK_CLOEXEC);
	close(fd);
	wait_status(BUFFER, QUOTE_ERROR); /* hangs up */
	fd_drop(&service);
	assert_int_equal(ask(BUFFER, LEN), HV_TDVMCALL_SUCCESS);
	wait_status(BUFFER, QUOTE_ERROR); /* refuses */
}

static void quotes_refuses_bad_requests(void **state)
{
	(void)state;
	up(path, 0);
	assert_int_equal(ask(BUFFER, 0), HV_TDVMCALL_INVALID_OPERAND);
	assert_int_equal(quotes_ask(quotes, gpa_of(BUFFER + 64), LEN), HV_TDVMCALL_ALIGN_ERROR);
	assert_int_equal(quotes_ask(quotes, gpa_of(BUFFER), LEN + 1), HV_TDVMCALL_ALIGN_ERROR);
	assert_int_equal(ask(BUFFER, BIG + PAGE_SIZE), HV_TDVMCALL_INVALID_OPERAND);
	assert_int_equal(quotes_ask(quotes, gpa_of(MIB(16)), LEN), HV_TDVMCALL_INVALID_OPERAND);
	assert_int_equal(quotes_ask(quotes, gpa_of(GIB(9)), LEN), HV_TDVMCALL_INVALID_OPERAND);
	assert_int_equal(
		quotes_ask(quotes, gpa_of(~(PAGE_SIZE - 1)), LEN), HV_TDVMCALL_INVALID_OPERAND);
	request(BUFFER, 2, QUOTE_REPORT_LEN);
	assert_int_equal(quotes_ask(quotes, gpa_of(BUFFER), LEN), HV_TDVMCALL_INVALID_OPERAND);
	request(BUFFER, 1, LEN - QUOTE_HEADER_LEN + 1);
	assert_int_equal(quotes_ask(quotes, gpa_of(BUFFER), LEN), HV_TDVMCALL_INVALID_OPERAND);
	assert_int_equal(status(BUFFER), 77);
	request(BUFFER, 1, QUOTE_REPORT_LEN - 1); /* no report has that length */
	assert_int_equal(quotes_ask(quotes, gpa_of(BUFFER), LEN), HV_TDVMCALL_SUCCESS);
	assert_int_equal(status(BUFFER), QUOTE_ERROR);
}

static void quotes_says_so_when_there_is_no_service(void **state)
{
	(void)state;
	up(NULL, 0);
	assert_int_equal(ask(BUFFER, LEN), HV_TDVMCALL_SUCCESS);
	assert_int_equal(status(BUFFER), QUOTE_UNAVAILABLE);
}

static void quotes_lets_the_17th_wait(void **state)
{
	uint8_t bytes[8192];
	size_t len = answer(bytes, &good);
	int fds[QUOTES_MAX];

	(void)state;
	up(path, 0);
	for (unsigned int i = 0; i < QUOTES_MAX; i++)
		assert_int_equal(ask(BUFFER + i * BIG, BIG), HV_TDVMCALL_SUCCESS);
	assert_int_equal(ask(BUFFER + QUOTES_MAX * BIG, BIG), HV_TDVMCALL_RETRY);
	assert_int_equal(status(BUFFER + QUOTES_MAX * BIG), 77);
	for (unsigned int i = 0; i < QUOTES_MAX; i++)
		fds[i] = accepted();
	assert_int_equal(ask(BUFFER + QUOTES_MAX * BIG, BIG), HV_TDVMCALL_RETRY);
	for (unsigned int i = QUOTES_MAX; i-- > 0;) {
		assert_int_equal(fd_write_full(fds[i], bytes, len), 0);
		wait_status(BUFFER + i * BIG, QUOTE_DONE);
		assert_quote(BUFFER + i * BIG);
		close(fds[i]);
	}
	assert_int_equal(ask(BUFFER + QUOTES_MAX * BIG, BIG), HV_TDVMCALL_SUCCESS);
}

static void quotes_writes_nothing_when_the_guest_takes_its_memory_back(void **state)
{
	uint8_t bytes[8192];
	size_t len = answer(bytes, &good);
	int fd;

	(void)state;
	up(path, 0);
	quotes_notify(quotes, 0, 0x20);
	assert_int_equal(ask(BUFFER, LEN), HV_TDVMCALL_SUCCESS);
	fd = accepted();
	share(BUFFER, LEN, false);
	assert_int_equal(fd_write_full(fd, bytes, len), 0);
	for (int i = 0; i < TURNS && !interrupts; i++)
		loop_run_once(loop, 10);
	assert_int_equal(interrupts, 1);
	assert_int_equal(status(BUFFER), QUOTE_IN_FLIGHT);
	assert_int_equal(ram.shared[BUFFER + QUOTE_HEADER_LEN], 0x11);
	close(fd);
}

static void quote_socket_parses_what_it_should(void **state)
{
	static const char longer[] =
		"/a/path/that/is/too/long/for/a/socket/address/which/has/room/for/a/hundred/and/"
		"eight/bytes/with/its/end/no/more";
	static const char *const bad[] = {"vsock:", "vsock:2", "vsock:2:", "vsock:2:4050x",
		"vsock::4050", "vsock:-2:1", "vsock:2:4294967296", "", longer};
	struct quote_socket s;
	struct err e = ERR_INIT;

	(void)state;
	assert_int_equal(quote_socket_parse(&s, "vsock:2:4050", &e), 0);
	assert_int_equal(s.at.ss_family, AF_VSOCK);
	assert_int_equal(quote_socket_parse(&s, "/run/qgs", &e), 0);
	assert_int_equal(s.at.ss_family, AF_UNIX);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(quote_socket_parse(&s, bad[i], &e), -EINVAL);
		assert_non_null(strstr(e.text, "--confidential: quotes:"));
	}
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(quotes_gives_the_quote_when_the_service_answers_in_pieces),
		CASE(quotes_gives_an_error_when_the_answer_is_bad),
		CASE(quotes_gives_an_error_when_the_service_is_silent_or_gone),
		CASE(quotes_refuses_bad_requests),
		CASE(quotes_says_so_when_there_is_no_service),
		CASE(quotes_lets_the_17th_wait),
		CASE(quotes_writes_nothing_when_the_guest_takes_its_memory_back),
		cmocka_unit_test(quote_socket_parses_what_it_should),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
