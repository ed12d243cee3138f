#include "systemd.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/str.h"

/* A whole number in the environment, or 0. */
static uint64_t
number(const char *name)
{
	const char *text = getenv(name);
	uint64_t v;

	if (text == NULL || bt_str_u64(bt_str_of(text), &v) == -1)
		return 0;
	return v;
}

unsigned
bt_systemd_sockets(bool is_https[], unsigned max)
{
	const char *text = getenv("LISTEN_FDNAMES");
	struct bt_str names = bt_str_of(text == NULL ? "" : text);
	uint64_t n = number("LISTEN_FDS");
	size_t colon;

	if (number("LISTEN_PID") != (uint64_t)getpid())
		n = 0; /* meant for another process */
	if (n > max)
		n = max;
	for (unsigned i = 0; i < n; i++) {
		colon = bt_str_find(names, ':');
		is_https[i] =
		    bt_str_eq(bt_str_sub(names, 0, colon), STR("https"));
		names = bt_str_sub(
		    names, colon < names.n ? colon + 1 : colon, names.n);
		(void)fcntl(BT_SYSTEMD_FIRST + (int)i, F_SETFD, FD_CLOEXEC);
	}
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return (unsigned)n;
}

void
bt_systemd_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = path == NULL ? 0 : strlen(path);
	int fd;

	if (n < 2 || n >= sizeof(to.sun_path) ||
	    (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(to.sun_path, path, n);
	if (path[0] == '@') /* an abstract name begins with a NUL */
		to.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return;
	(void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL,
	    (struct sockaddr *)&to,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
	close(fd);
}

void
bt_systemd_reloading(void)
{
	struct timespec t;
	char text[80];

	clock_gettime(CLOCK_MONOTONIC, &t);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
	    (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000);
	bt_systemd_notify(text);
}
