#include "hasher.h"

#include <errno.h>
#include <string.h>

#include "base/hash.h"
#include "rig.h"

enum hasher
hasher_named(const char *name)
{
	if (strcmp(name, "openssl") == 0)
		return HASHER_OPENSSL;
	errno = 0;
	rig_fail("no such hash: '%s'", name);
}

const char *
hasher_name(enum hasher with)
{
	(void)with;
	return "openssl";
}

void
hasher_sha1(enum hasher with, struct hasher_job *j, unsigned n)
{
	unsigned i;

	(void)with;
	for (i = 0; i < n; i++)
		bt_hash_sha1((struct bt_str){ j[i].p, j[i].n }, j[i].digest);
}
