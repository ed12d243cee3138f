/*
 * sim [-dlqv] [-g ms] [-n peers] [-r runs] [-s seed] [scenario ...]
 *
 * -d prints digests, of the small scenarios; -g says each so many milliseconds
 * how full the links are (and changes the digest); -l lists all; -q runs no big
 * ones;
 * -r runs each with so many seeds from the first on; -v says what happens.
 *
 * Each run is a process of its own, one for each processor at a time: a failed
 * assertion in the core ends one run, and its seed is told.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gauge.h"
#include "report.h"
#include "scenario.h"

#define JOBS_MAX 8u
#define CPU_MAX 300u /* seconds of processor time that a run may take */

struct options {
	uint64_t seed;
	unsigned n, runs, jobs, gauge_ms;
	bool digests, small, verbose;
};

struct job {
	pid_t pid; /* 0: none */
	const char *name;
	uint64_t seed;
	char n[32];
	FILE *out;
};

static struct job jobs[JOBS_MAX];
static unsigned running, passed, failed;

static void
give_up(void)
{
	perror("sim");
	exit(2);
}

static int
run_here(const struct sim_scenario *sc, const struct options *o, uint64_t seed)
{
	struct sim *s = sim_world_new(sc->name, seed, o->verbose);
	struct sim_report r = { 0 };
	bool ok;

	s->check_every = sc->check_every;
	sc->build(s, o->n > 0 ? o->n : sc->n);
	if (o->gauge_ms > 0)
		sim_gauge_begin(s, (int64_t)o->gauge_ms * 1000);
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

/* What the run said; then whether it was well. */
static void
end_one(struct job *j, int status)
{
	char line[4096];

	rewind(j->out);
	while (fgets(line, sizeof(line), j->out) != NULL)
		fputs(line, stdout);
	fclose(j->out);
	j->pid = 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		passed++;
		return;
	}
	failed++;
	if (WIFSIGNALED(status))
		printf("%s seed %llu: ended by signal %d\n", j->name,
		    (unsigned long long)j->seed, WTERMSIG(status));
	printf("to replay: make sim SEED=%llu RUN='%s-r 1 %s'\n",
	    (unsigned long long)j->seed, j->n, j->name);
}

static void
wait_one(void)
{
	int status;
	pid_t pid = wait(&status);

	if (pid == -1)
		give_up();
	for (unsigned i = 0; i < JOBS_MAX; i++)
		if (jobs[i].pid == pid)
			end_one(&jobs[i], status);
	running--;
	fflush(stdout);
}

/* Start a run, when there is a processor for it. */
static void
run(const struct sim_scenario *sc, const struct options *o, uint64_t seed)
{
	/* it waits for nothing, so that one that hangs burns this too */
	static const struct rlimit cpu = { CPU_MAX, CPU_MAX + 10 };
	struct job *j = jobs;

	while (running >= o->jobs)
		wait_one();
	while (j->pid != 0)
		j++;
	*j = (struct job){ .name = sc->name, .seed = seed };
	if (o->n > 0)
		snprintf(j->n, sizeof(j->n), "-n %u ", o->n);
	j->out = tmpfile();
	if (j->out == NULL)
		give_up();
	j->pid = fork();
	if (j->pid == 0) {
		if (dup2(fileno(j->out), STDOUT_FILENO) == -1 ||
		    dup2(fileno(j->out), STDERR_FILENO) == -1)
			give_up();
		setrlimit(RLIMIT_CPU, &cpu);
		exit(run_here(sc, o, seed));
	}
	if (j->pid == -1)
		give_up();
	running++;
}

static void
run_all(const struct sim_scenario *sc, const struct options *o, bool named)
{
	unsigned runs = o->runs > 0 ? o->runs : sc->seeds;

	if (sc->seeds == 0)
		runs = named || o->runs > 0;

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

	while ((ch = getopt(argc, argv, "dg:ln:qr:s:v")) != -1) {
		switch (ch) {
		case 'd':
			o->digests = o->small = true;
			break;
		case 'g':
			o->gauge_ms = (unsigned)strtoul(optarg, NULL, 10);
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
	long cpus;

	/* what a run said stays when an assertion or a signal ends it */
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!parse(argc, argv, &o)) {
		fprintf(stderr, "usage: sim [-dlqv] [-g ms] [-n peers] "
				"[-r runs] [-s seed] [scenario ...]\n");
		return 2;
	}
	cpus = sysconf(_SC_NPROCESSORS_ONLN);
	o.jobs = cpus < 1 ? 1 : cpus < JOBS_MAX ? (unsigned)cpus : JOBS_MAX;
	for (unsigned i = 0; optind == argc && sim_scenario_at(i, &sc); i++)
		if (!o.small || !sc.big)
			run_all(&sc, &o, false);
	for (; optind < argc; optind++) {
		if (!find(argv[optind], &sc))
			return 2;
		run_all(&sc, &o, true);
	}
	while (running > 0)
		wait_one();
	if (!o.digests)
		printf("passed: %u\nfailed: %u\n", passed, failed);
	return failed > 0;
}
