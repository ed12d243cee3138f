/*
 * meter FILE COMMAND... - run a command and tell what it took.
 *
 * FILE gets "pid=N" at the start, and one line at the end:
 *
 *	wall=S cpu=S vmhwm_kib=N rssanon_kib=N status=N
 *
 * A process's peak begins with that of whoever forked it, so this is smaller
 * than what it measures. RssAnon is sampled, 50 times a second. SIGTERM and
 * SIGINT are passed on.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "rig.h"

int
main(int argc, char **argv)
{
	struct timespec tick = { 0, 20000000 };
	uint64_t anon = 0, now;
	struct rusage u;
	sigset_t set;
	double began;
	FILE *out;
	pid_t pid;
	int status, number;

	if (argc < 3 || (out = fopen(argv[1], "we")) == NULL) {
		fprintf(stderr, "usage: meter FILE COMMAND...\n");
		return 2;
	}
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	began = rig_now();
	if ((pid = fork()) == -1)
		rig_fail("fork");
	if (pid == 0) {
		sigprocmask(SIG_UNBLOCK, &set, NULL);
		execvp(argv[2], argv + 2);
		rig_fail("cannot run '%s'", argv[2]);
	}
	fprintf(out, "pid=%ld\n", (long)pid);
	fflush(out);
	while (wait4(pid, &status, WNOHANG, &u) == 0) {
		number = sigtimedwait(&set, NULL, &tick);
		if (number == SIGTERM || number == SIGINT)
			kill(pid, number);
		now = rig_status(pid, "RssAnon");
		anon = now > anon ? now : anon;
	}
	fprintf(out,
	    "wall=%.4f cpu=%.4f vmhwm_kib=%ld rssanon_kib=%llu status=%d\n",
	    rig_now() - began,
	    (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
		(double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6,
	    u.ru_maxrss, (unsigned long long)anon,
	    WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	fclose(out);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
