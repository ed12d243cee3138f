#include "cli/process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

/*
 * Opened the wrong way round, so that using it fails as a closed one would.
 * Should there be no /dev/null, it is as it was.
 */
static void
take_number(int fd)
{
	if (fcntl(fd, F_GETFD) == -1 && errno == EBADF)
		(void)open(
		    "/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static void
raise_descriptors(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < rl.rlim_max) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
}

void
bt_process_begin(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		take_number(fd);
	raise_descriptors();
	signal(SIGPIPE, SIG_IGN);
}
