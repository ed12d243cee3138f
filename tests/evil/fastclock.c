/*
 * fastclock - a preloaded clock that runs FASTCLOCK times as fast.
 *
 * Time-outs of minutes pass in seconds in a program that is not changed for it:
 * the monotonic clocks are read faster, and epoll waits are shorter by as much.
 * The time of day is left alone, and so is the time that the processor takes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS 1000000000

int clock_gettime(clockid_t id, struct timespec *ts);
int epoll_wait(int fd, struct epoll_event *ev, int n, int timeout_ms);

static int64_t speed = 1;
static int64_t begun[16]; /* by clock, ns */

static int64_t
read_clock(clockid_t id)
{
	struct timespec ts = { 0 };

	syscall(SYS_clock_gettime, id, &ts);
	return (int64_t)ts.tv_sec * NS + ts.tv_nsec;
}

static int
is_monotonic(clockid_t id)
{
	return id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE ||
	       id == CLOCK_MONOTONIC_RAW || id == CLOCK_BOOTTIME;
}

__attribute__((constructor)) static void
start(void)
{
	const char *s = getenv("FASTCLOCK");

	for (clockid_t id = 0; id < 16; id++)
		if (is_monotonic(id))
			begun[id] = read_clock(CLOCK_MONOTONIC);
	if (s != NULL && strtol(s, NULL, 10) > 0)
		speed = strtol(s, NULL, 10);
}

int
clock_gettime(clockid_t id, struct timespec *ts)
{
	int64_t ns;

	if (!is_monotonic(id))
		return (int)syscall(SYS_clock_gettime, id, ts);
	/* those of one kind are compared with each other: one source for all */
	ns = begun[id] + (read_clock(CLOCK_MONOTONIC) - begun[id]) * speed;
	ts->tv_sec = (time_t)(ns / NS);
	ts->tv_nsec = (long)(ns % NS);
	return 0;
}

int
epoll_wait(int fd, struct epoll_event *ev, int n, int timeout_ms)
{
	if (timeout_ms > 0)
		timeout_ms = (int)((timeout_ms + speed - 1) / speed);
	return (int)syscall(
	    SYS_epoll_pwait, fd, ev, n, timeout_ms, NULL, (size_t)8);
}
