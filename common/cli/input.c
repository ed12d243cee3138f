#include "cli/input.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codec/metainfo.h"

static bool
has_scheme(const char *operand, const char *scheme)
{
	return strncasecmp(operand, scheme, strlen(scheme)) == 0;
}

bool
bt_input_is_url(const char *operand)
{
	return has_scheme(operand, "http://") ||
	       has_scheme(operand, "https://");
}

int
bt_input_take_stdin(struct bt_input *in, struct bt_err *err)
{
	if (in->stdin_taken)
		return bt_err_set(
		    err, BT_EUSAGE, "'-' (standard input) is given twice");
	in->stdin_taken = true;
	return 0;
}

static int
read_file(struct bt_input *in, const char *path, struct bt_buf *out,
    struct bt_err *err)
{
	struct stat st;
	int fd, rc = -1;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd == -1)
		return bt_err_sys(err, "cannot open '%s'", path);
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode))
		bt_err_set(err, BT_EINPUT, "'%s' is a folder", path);
	else
		rc = in->read(fd, path, out, err);
	close(fd); /* read-only: nothing to lose by ignoring its result */
	return rc;
}

int
bt_input_torrent(struct bt_input *in, const char *operand, struct bt_buf *out,
    struct bt_err *err)
{
	const char *name = operand;
	int rc;

	assert(in->read != NULL);
	bt_buf_init(out, BT_META_BYTES_MAX);
	if (strcmp(operand, "-") == 0) {
		name = "standard input";
		if (bt_input_take_stdin(in, err) == -1)
			return -1;
		rc = in->read(STDIN_FILENO, name, out, err);
	} else if (has_scheme(operand, "magnet:")) {
		return bt_err_set(err, BT_EINPUT,
		    "magnet links are not supported yet: '%s'", operand);
	} else if (bt_input_is_url(operand)) {
		if (in->fetch == NULL)
			return bt_err_set(err, BT_EUSAGE,
			    "'%s' is a URL, and only files are read here",
			    operand);
		rc = in->fetch(in->arg, operand, out, err);
	} else {
		rc = read_file(in, operand, out, err);
	}
	if (rc == -1)
		return -1;
	if (out->n == 0)
		return bt_err_set(err, BT_EINPUT, "'%s' is empty", name);
	return 0;
}
