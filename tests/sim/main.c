/*
 * sim [-dlqv] [-n peers] [-r runs] [-s seed] [scenario ...]
 *
 * -d prints digests, of the small scenarios; -l lists all; -q runs no big ones;
 * -r runs each with so many seeds from the first on; -v says what happens.
 *
 * Each run is a process of its own, so that a failed assertion in the core ends
 * one run and its seed is told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "report.h"
#include "scenario.h"

#define WALL_MAX 300u /* seconds of real time that a run may take */

struct options {
	uint64_t seed;
	unsigned n, runs;
	bool digests, small, verbose;
};

static unsigned passed, failed;

static int
run_here(const struct sim_scenario *sc, const struct options *o, uint64_t seed)
{
	struct sim *s = sim_world_new(sc->name, seed, o->verbose);
	struct sim_report r = { 0 };
	bool ok;

	s->check_every = sc->check_every;
	sc->build(s, o->n > 0 ? o->n : sc->n);
	ok = sim_world_run(s, sc->limit_us);
	sim_report_take(s, &r);
	if (ok)
		ok = sim_report_judge(s, &r);
	if (o->digests)
		printf("%s %llu %s\n", sc->name, (unsigned long long)seed,
		    r.digest);
	else
		sim_report_print(s, &r);
	sim_world_free(s);
	fflush(stdout);
	return ok ? 0 : 1;
}

static void
run(const struct sim_scenario *sc, const struct options *o, uint64_t seed)
{
	char n[32] = "";
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		alarm(WALL_MAX);
		exit(run_here(sc, o, seed));
	}
	if (pid == -1 || waitpid(pid, &status, 0) == -1) {
		perror("sim");
		exit(2);
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		passed++;
		return;
	}
	failed++;
	if (WIFSIGNALED(status))
		printf("%s seed %llu: ended by signal %d\n", sc->name,
		    (unsigned long long)seed, WTERMSIG(status));
	if (o->n > 0)
		snprintf(n, sizeof(n), "-n %u ", o->n);
	printf("to replay: make sim SEED=%llu RUN='%s-r 1 %s'\n",
	    (unsigned long long)seed, n, sc->name);
}

static void
run_all(const struct sim_scenario *sc, const struct options *o)
{
	unsigned runs = o->runs > 0 ? o->runs : sc->seeds;

	for (unsigned i = 0; i < runs; i++)
		run(sc, o, o->seed + i);
}

static bool
find(const char *name, struct sim_scenario *sc)
{
	for (unsigned i = 0; sim_scenario_at(i, sc); i++)
		if (strcmp(sc->name, name) == 0)
			return true;
	fprintf(stderr, "sim: no scenario '%s'; -l lists them\n", name);
	return false;
}

static void
list(void)
{
	struct sim_scenario sc;

	for (unsigned i = 0; sim_scenario_at(i, &sc); i++)
		printf("%-10s %5u  %s\n", sc.name, sc.n, sc.what);
}

static bool
parse(int argc, char **argv, struct options *o)
{
	int ch;

	while ((ch = getopt(argc, argv, "dln:qr:s:v")) != -1) {
		switch (ch) {
		case 'd':
			o->digests = o->small = true;
			break;
		case 'l':
			list();
			exit(0);
		case 'n':
			o->n = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 'q':
			o->small = true;
			break;
		case 'r':
			o->runs = (unsigned)strtoul(optarg, NULL, 10);
			break;
		case 's':
			o->seed = strtoull(optarg, NULL, 10);
			break;
		case 'v':
			o->verbose = true;
			break;
		default:
			return false;
		}
	}
	return true;
}

int
main(int argc, char **argv)
{
	struct options o = { .seed = 1 };
	struct sim_scenario sc;

	if (!parse(argc, argv, &o)) {
		fprintf(stderr, "usage: sim [-dlqv] [-n peers] [-r runs] "
				"[-s seed] [scenario ...]\n");
		return 2;
	}
	for (unsigned i = 0; optind == argc && sim_scenario_at(i, &sc); i++)
		if (!o.small || !sc.big)
			run_all(&sc, &o);
	for (; optind < argc; optind++) {
		if (!find(argv[optind], &sc))
			return 2;
		run_all(&sc, &o);
	}
	if (!o.digests)
		printf("passed: %u\nfailed: %u\n", passed, failed);
	return failed > 0;
}
