#include "base/lanes_priv.h"

const struct bt_lanes_kernel *const bt_lanes_kernels[] = {
	&bt_lanes_openssl[0],
	&bt_lanes_openssl[1],
	&bt_lanes_shani[0],
	&bt_lanes_shani[1],
	&bt_lanes_shani[2],
	&bt_lanes_shani[3],
	&bt_lanes_shani[4],
	&bt_lanes_avx2[0],
	&bt_lanes_avx2[1],
	&bt_lanes_avx512[0],
	&bt_lanes_avx512[1],
	NULL,
};
