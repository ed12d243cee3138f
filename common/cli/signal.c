#include "cli/signal.h"

#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#define TOGETHER_NS INT64_C(200000000)

/* All that a handler can reach. */
static volatile sig_atomic_t caught;
static struct timespec caught_at;

static int64_t
since_caught(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - caught_at.tv_sec) * INT64_C(1000000000) +
	       (now.tv_nsec - caught_at.tv_nsec);
}

static void
on_signal(int sig)
{
	if (caught == 0) {
		clock_gettime(CLOCK_MONOTONIC, &caught_at);
		caught = sig;
	} else if (sig != caught || since_caught() > TOGETHER_NS) {
		signal(sig, SIG_DFL);
		raise(sig); /* blocked until we return */
	}
}

void
bt_signal_catch(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_handler = on_signal;
	sigemptyset(&sa.sa_mask);
	sigaddset(&sa.sa_mask, SIGINT);
	sigaddset(&sa.sa_mask, SIGTERM);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
}

void
bt_signal_came(int signo)
{
	if (caught == 0)
		on_signal(signo);
	bt_signal_catch();
}

int
bt_signal_caught(void)
{
	return caught;
}
