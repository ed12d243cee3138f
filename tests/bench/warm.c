/*
 * warm SIZE [FILE]... - hold so much memory for a moment, and read the files.
 *
 * A virtual machine that gives free memory back to its host pays dearly for the
 * first touch of a page. What was held just now is still there for whoever is
 * measured next; and what was read is in the page cache.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "rig.h"

int
main(int argc, char **argv)
{
	static char buf[1 << 20];
	uint64_t n;
	void *p;
	int fd;

	if (argc < 2) {
		fprintf(stderr, "usage: warm SIZE [FILE]...\n");
		return 2;
	}
	n = rig_number(argv[1], 1);
	p = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
	    -1, 0);
	if (p == MAP_FAILED)
		rig_fail("mmap");
	/* In large pages where there are any: that is much quicker. */
	madvise(p, n, MADV_HUGEPAGE);
	madvise(p, n, MADV_POPULATE_WRITE);
	munmap(p, n);
	for (argv += 2; *argv != NULL; argv++) {
		if ((fd = open(*argv, O_RDONLY | O_CLOEXEC)) == -1)
			rig_fail("cannot open '%s'", *argv);
		while (read(fd, buf, sizeof(buf)) > 0)
			continue;
		close(fd);
	}
	return 0;
}
