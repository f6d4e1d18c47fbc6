/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The UART; see devices/front/serial.h. Register names are those of the PC16550D data sheet.
 *
 * Sending takes no time as the guest sees it: THRE and TEMT are always set.
 */
#include "devices/front/serial.h"

#include "base/fd.h"
#include "base/log.h"
#include "base/num.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/timerfd.h>
#include <time.h>

#define IN_MAX  256
#define WAKE_NS 2000000
#define PTMX    makedev(5, 2) /* opening it anew would make another terminal */

enum { REG_DATA, REG_IER, REG_IIR_FCR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCR };

#define IER_RX       0x01
#define IER_THRE     0x02
#define IER_MASK     0x0f
#define IIR_NONE     0x01
#define IIR_THRE     0x02
#define IIR_RX       0x04
#define IIR_FIFO     0xc0
#define FCR_ENABLE   0x01
#define FCR_CLEAR_RX 0x02
#define LCR_DLAB     0x80
#define MCR_OUT2     0x08
#define MCR_LOOP     0x10
#define MCR_MASK     0x1f
#define LSR_DR       0x01
#define LSR_IDLE     0x60 /* THRE and TEMT */
#define MSR_READY    0xb0 /* DCD, DSR, CTS: somebody is at the other end */

struct serial {
	struct serial_desc desc;
	struct bus_region region;
	pthread_mutex_t lock;
	pthread_cond_t room; /* the main thread wrote something out */
	uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
	bool thre; /* the THRE interrupt is due */
	bool line; /* level last given to the interrupt line */
	uint8_t in[IN_MAX];
	unsigned int in_at, in_len;
	bool in_paused; /* the source is not watched, since in[] was full */
	uint8_t *out;
	size_t out_at, out_len;
	bool stuck; /* a wait for room was in vain; no more waiting until there is some */
	uint64_t dropped;
	int in_fd, out_fd; /* our own */
	struct loop_source in_source, out_source;
	struct loop_source wake; /* a timer: there is output, or room for input again */
};

/* update_line() - interrupt identification; sets the line where it changed. Return: IIR's low bits.
 */
static uint8_t update_line(struct serial *s)
{
	uint8_t id = IIR_NONE;
	bool level;

	if ((s->ier & IER_RX) && s->in_len)
		id = IIR_RX;
	else if ((s->ier & IER_THRE) && s->thre)
		id = IIR_THRE;
	level = id != IIR_NONE && (s->mcr & MCR_OUT2) && !(s->mcr & MCR_LOOP);
	if (level != s->line) {
		s->line = level;
		s->desc.irq.ops->set_line(s->desc.irq.ctx, s->desc.gsi, level);
	}
	return id;
}

/* wake_main() - in a moment, so that a line of output costs one write and not one per byte. */
static void wake_main(const struct serial *s)
{
	const struct itimerspec once = {.it_value.tv_nsec = WAKE_NS};

	timerfd_settime(s->wake.fd, 0, &once, NULL);
}

static void in_push(struct serial *s, uint8_t byte)
{
	if (s->in_len == IN_MAX)
		return;
	s->in[(s->in_at + s->in_len) % IN_MAX] = byte;
	s->in_len++;
}

static uint8_t in_pop(struct serial *s)
{
	uint8_t byte;

	if (!s->in_len)
		return 0;
	byte = s->in[s->in_at];
	s->in_at = (s->in_at + 1) % IN_MAX;
	s->in_len--;
	if (s->in_paused && !s->in_len)
		wake_main(s);
	return byte;
}

static void wait_for_room(struct serial *s)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += SERIAL_WAIT_MS * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	while (s->out_len == SERIAL_OUT_MAX)
		if (pthread_cond_timedwait(&s->room, &s->lock, &until))
			break;
	s->stuck = s->out_len == SERIAL_OUT_MAX;
}

static void out_push(struct serial *s, uint8_t byte)
{
	if (s->desc.watch)
		s->desc.watch(s->desc.watch_ctx, byte);
	if (s->out_fd < 0)
		return;
	if (s->out_len == SERIAL_OUT_MAX && !s->stuck)
		wait_for_room(s);
	if (s->out_len == SERIAL_OUT_MAX) {
		s->dropped++;
		log_limited(LOG_WARN, "serial", "output is not taken: %llu bytes dropped",
			(unsigned long long)s->dropped);
		return;
	}
	s->out[(s->out_at + s->out_len) % SERIAL_OUT_MAX] = byte;
	if (!s->out_len++)
		wake_main(s);
}

static uint8_t read_msr(const struct serial *s)
{
	uint8_t m = s->mcr;

	if (!(m & MCR_LOOP))
		return MSR_READY;
	/* RTS, DTR, OUT1, OUT2 come back as CTS, DSR, RI, DCD. */
	return (uint8_t)((m & 2) << 3 | (m & 1) << 5 | (m & 4) << 4 | (m & 8) << 4);
}

static uint8_t read_iir(struct serial *s)
{
	uint8_t id = update_line(s);

	if (id == IIR_THRE) {
		s->thre = false;
		update_line(s);
	}
	return (uint8_t)(id | (s->fcr & FCR_ENABLE ? IIR_FIFO : 0));
}

static uint8_t read_reg(struct serial *s, uint64_t reg)
{
	bool dlab = s->lcr & LCR_DLAB;

	switch (reg) {
	case REG_DATA:
		return dlab ? s->dll : in_pop(s);
	case REG_IER:
		return dlab ? s->dlm : s->ier;
	case REG_IIR_FCR:
		return read_iir(s);
	case REG_LCR:
		return s->lcr;
	case REG_MCR:
		return s->mcr;
	case REG_LSR:
		return (uint8_t)(LSR_IDLE | (s->in_len ? LSR_DR : 0));
	case REG_MSR:
		return read_msr(s);
	default:
		return s->scr;
	}
}

static void write_data(struct serial *s, uint8_t v)
{
	if (s->mcr & MCR_LOOP)
		in_push(s, v);
	else
		out_push(s, v);
	s->thre = true;
}

static void write_ier(struct serial *s, uint8_t v)
{
	if (~s->ier & v & IER_THRE)
		s->thre = true;
	s->ier = v & IER_MASK;
}

static void write_fcr(struct serial *s, uint8_t v)
{
	if (v & FCR_CLEAR_RX) {
		s->in_len = 0;
		if (s->in_paused)
			wake_main(s);
	}
	s->fcr = v;
}

static void write_reg(struct serial *s, uint64_t reg, uint8_t v)
{
	bool dlab = s->lcr & LCR_DLAB;

	if (reg == REG_DATA && dlab)
		s->dll = v;
	else if (reg == REG_DATA)
		write_data(s, v);
	else if (reg == REG_IER && dlab)
		s->dlm = v;
	else if (reg == REG_IER)
		write_ier(s, v);
	else if (reg == REG_IIR_FCR)
		write_fcr(s, v);
	else if (reg == REG_LCR)
		s->lcr = v;
	else if (reg == REG_MCR)
		s->mcr = v & MCR_MASK;
	else if (reg == REG_SCR)
		s->scr = v;
}

static uint64_t serial_read(void *ctx, uint64_t off, unsigned int len)
{
	struct serial *s = ctx;
	uint64_t v;

	if (len != 1)
		return UINT64_MAX;
	pthread_mutex_lock(&s->lock);
	v = read_reg(s, off);
	update_line(s);
	pthread_mutex_unlock(&s->lock);
	return v;
}

static void serial_write(void *ctx, uint64_t off, unsigned int len, uint64_t value)
{
	struct serial *s = ctx;

	if (len != 1)
		return;
	pthread_mutex_lock(&s->lock);
	write_reg(s, off, (uint8_t)value);
	update_line(s);
	pthread_mutex_unlock(&s->lock);
}

static const struct bus_ops serial_ops = {.read = serial_read, .write = serial_write};

/* flush() - write out what the descriptor takes now. Return: false when it takes no more yet. */
static bool flush(struct serial *s)
{
	while (s->out_len) {
		size_t n = min_u64(s->out_len, SERIAL_OUT_MAX - s->out_at);
		ssize_t put = write(s->out_fd, s->out + s->out_at, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0 && errno == EAGAIN)
			return false;
		if (put < 0) { /* the other end is gone: throw it away */
			put = (ssize_t)n;
			s->dropped += n;
		}
		s->out_at = (s->out_at + (size_t)put) % SERIAL_OUT_MAX;
		s->out_len -= (size_t)put;
		s->stuck = false;
		pthread_cond_signal(&s->room);
	}
	return true;
}

/* flush_or_watch() - flush, and watch the descriptor only while there is something left. */
static void flush_or_watch(struct serial *s)
{
	struct err e = ERR_INIT;

	if (flush(s))
		loop_remove(s->desc.loop, &s->out_source);
	else if (!s->out_source.added && loop_add(s->desc.loop, &s->out_source, EPOLLOUT, &e))
		log_limited(LOG_WARN, "serial", "output: %s", e.text);
}

static void resume_input(struct serial *s)
{
	struct err e = ERR_INIT;

	if (!s->in_paused || s->in_len)
		return;
	s->in_paused = false;
	if (loop_add(s->desc.loop, &s->in_source, EPOLLIN, &e))
		log_limited(LOG_WARN, "serial", "input: %s", e.text);
}

static void on_wake(void *ctx, uint32_t events)
{
	struct serial *s = ctx;
	uint64_t n;

	(void)events;
	if (read(s->wake.fd, &n, sizeof(n)) < 0)
		return;
	pthread_mutex_lock(&s->lock);
	flush_or_watch(s);
	resume_input(s);
	pthread_mutex_unlock(&s->lock);
}

static void on_output(void *ctx, uint32_t events)
{
	struct serial *s = ctx;

	(void)events;
	pthread_mutex_lock(&s->lock);
	flush_or_watch(s);
	pthread_mutex_unlock(&s->lock);
}

static void on_input(void *ctx, uint32_t events)
{
	struct serial *s = ctx;
	uint8_t buf[IN_MAX];
	ssize_t n;

	(void)events;
	pthread_mutex_lock(&s->lock);
	n = s->in_len < IN_MAX ? read(s->in_fd, buf, IN_MAX - s->in_len) : 0;
	for (ssize_t i = 0; i < n; i++)
		in_push(s, buf[i]);
	if (s->in_len == IN_MAX)
		s->in_paused = true;
	if (s->in_paused || n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		loop_remove(s->desc.loop, &s->in_source);
	update_line(s);
	pthread_mutex_unlock(&s->lock);
}

/*
 * own_fd() - a descriptor of our own that doesn't block: a terminal or pipe is opened anew, since
 * O_NONBLOCK belongs to the open file, which may be the user's shell's too.
 * Return: it, or -errno.
 */
static int own_fd(int fd, int mode)
{
	char path[32];
	struct stat st;
	int own;

	if (fstat(fd, &st))
		return -errno;
	if ((isatty(fd) && st.st_rdev != PTMX) || S_ISFIFO(st.st_mode)) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		own = open(path, mode | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
		if (own >= 0)
			return own;
	}
	own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (own < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) && fcntl(own, F_SETFL, fcntl(own, F_GETFL) | O_NONBLOCK) < 0)
		log_debug("serial", "descriptor %d stays blocking: %s", fd, strerror(errno));
	return own;
}

static int open_output(struct serial *s, struct err *e)
{
	if (s->desc.out_fd < 0)
		return 0;
	s->out_fd = own_fd(s->desc.out_fd, O_WRONLY);
	if (s->out_fd < 0)
		return err_sys(e, -s->out_fd, "serial: output");
	s->out = malloc(SERIAL_OUT_MAX);
	if (!s->out)
		return err_sys(e, ENOMEM, "serial: output");
	s->out_source = (struct loop_source){.fd = s->out_fd, .fn = on_output, .ctx = s};
	return 0;
}

static int open_input(struct serial *s, struct err *e)
{
	int rc;

	if (s->desc.in_fd < 0)
		return 0;
	s->in_fd = own_fd(s->desc.in_fd, O_RDONLY);
	if (s->in_fd < 0)
		return err_sys(e, -s->in_fd, "serial: input");
	s->in_source = (struct loop_source){.fd = s->in_fd, .fn = on_input, .ctx = s};
	rc = loop_add(s->desc.loop, &s->in_source, EPOLLIN, e);
	return rc == -EPERM ? 0 : rc; /* a plain file or the like: no input */
}

static int open_wake(struct serial *s, struct err *e)
{
	s->wake.fn = on_wake;
	s->wake.ctx = s;
	s->wake.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (s->wake.fd < 0)
		return err_sys(e, errno, "serial: timerfd");
	return loop_add(s->desc.loop, &s->wake, EPOLLIN, e);
}

static void init(struct serial *s, const struct serial_desc *desc)
{
	pthread_condattr_t attr;

	s->desc = *desc;
	s->in_fd = s->out_fd = s->wake.fd = -1;
	s->dll = 12; /* 9600 baud */
	s->region = (struct bus_region){.space = BUS_PORT,
		.base = desc->port,
		.len = SERIAL_PORTS,
		.ops = &serial_ops,
		.ctx = s};
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&s->room, &attr);
	pthread_condattr_destroy(&attr);
}

int serial_create(struct serial **out, const struct serial_desc *desc, struct err *e)
{
	struct serial *s = calloc(1, sizeof(*s));

	*out = NULL;
	if (!s)
		return err_sys(e, ENOMEM, "serial");
	init(s, desc);
	if (open_output(s, e) || open_wake(s, e) || open_input(s, e) ||
		bus_add(desc->bus, &s->region, e))
		goto fail;
	*out = s;
	return 0;
fail:
	serial_destroy(s);
	return -e->code;
}

void serial_destroy(struct serial *serial)
{
	struct serial *s = serial;

	if (!s)
		return;
	bus_remove(s->desc.bus, &s->region);
	loop_remove(s->desc.loop, &s->in_source);
	loop_remove(s->desc.loop, &s->out_source);
	loop_remove(s->desc.loop, &s->wake);
	if (s->out && !flush(s)) {
		struct pollfd p = {.fd = s->out_fd, .events = POLLOUT};

		if (poll(&p, 1, SERIAL_WAIT_MS) > 0)
			flush(s);
	}
	fd_drop(&s->in_fd);
	fd_drop(&s->out_fd);
	fd_drop(&s->wake.fd);
	pthread_cond_destroy(&s->room);
	pthread_mutex_destroy(&s->lock);
	free(s->out);
	free(s);
}
