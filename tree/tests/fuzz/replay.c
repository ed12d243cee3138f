/*
 * replay - run a fuzz target over the files of folders, without libFuzzer.
 *
 * Each input is a block of its own exact size, so that the sanitizers see one
 * byte read too many. Ends with "passed: N", which `make check` counts; an
 * input that fails ends the program in the sanitizer's or assert's way.
 */
#include <dirent.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "fuzz.h"

static void
run_file(const char *path, const struct stat *st)
{
	size_t n = (size_t)st->st_size, got;
	uint8_t *p = malloc(n);
	FILE *f = fopen(path, "rb");

	if (f == NULL || (p == NULL && n != 0))
		err(1, "cannot open '%s'", path);
	got = n != 0 ? fread(p, 1, n, f) : 0;
	if (got != n)
		errx(1, "cannot read '%s'", path);
	fclose(f);
	fprintf(stderr, "%s\n", path);
	LLVMFuzzerTestOneInput(p, n);
	free(p);
}

static size_t
run_folder(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;
	struct stat st;
	size_t count = 0;
	char *path;

	if (d == NULL)
		err(1, "cannot open '%s'", folder);
	while ((e = readdir(d)) != NULL) {
		if (asprintf(&path, "%s/%s", folder, e->d_name) == -1)
			err(1, "cannot name '%s'", e->d_name);
		if (stat(path, &st) == -1)
			err(1, "cannot read '%s'", path);
		if (S_ISREG(st.st_mode)) {
			run_file(path, &st);
			count++;
		}
		free(path);
	}
	closedir(d);
	return count;
}

int
main(int argc, char **argv)
{
	size_t count = 0;

	for (int i = 1; i < argc; i++)
		count += run_folder(argv[i]);
	if (count == 0)
		errx(1, "no inputs");
	printf("passed: %zu\n", count);
	return 0;
}
