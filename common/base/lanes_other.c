#include "base/lanes_priv.h"

/* A processor for which OpenSSL alone has kernels. */
const struct bt_lanes_kernel *const bt_lanes_kernels[] = {
	&bt_lanes_openssl[0],
	&bt_lanes_openssl[1],
	NULL,
};
