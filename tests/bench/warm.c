/*
 * warm SIZE - hold so much memory for a moment.
 *
 * A virtual machine that gives free memory back to its host pays dearly for the
 * first touch of a page. What was held just now is still there for whoever is
 * measured next.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "rig.h"

int
main(int argc, char **argv)
{
	uint64_t n;

	if (argc != 2) {
		fprintf(stderr, "usage: warm SIZE\n");
		return 2;
	}
	n = rig_number(argv[1], 1);
	if (mmap(NULL, n, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1,
		0) == MAP_FAILED)
		rig_fail("mmap");
	return 0;
}
