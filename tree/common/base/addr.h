/*
 * addr - an IP address and a port, without a socket.
 *
 * ::ffff:a.b.c.d is IPv4 everywhere: every way in normalises it.
 * Equality and the hash key are of family, address and port.
 * Pure: text and bytes only; net/ turns it to a sockaddr.
 *
 * Speaks   BEP 23 (6-byte form), BEP 7 (18-byte form)
 * Used by  codec/announce, core/candidates, net, bt-tracker
 * Tests    tests/unit/test_addr.c
 */
#ifndef BT_BASE_ADDR_H
#define BT_BASE_ADDR_H

#include "base/str.h"

struct bt_addr {
	uint8_t family;		/* 4 or 6; 0 is none */
	uint8_t ip[16];		/* 4 or 16 bytes, the rest zero */
	uint16_t port;		/* host order */
};

#define BT_ADDR_TEXT_MAX 56	/* "[v6]:65535" and a NUL fit */

struct bt_addr	bt_addr_v4(const uint8_t ip[4], uint16_t port);
struct bt_addr	bt_addr_v6(const uint8_t ip[16], uint16_t port);
bool	bt_addr_eq(const struct bt_addr *a, const struct bt_addr *b);
bool	bt_addr_eq_ip(const struct bt_addr *a, const struct bt_addr *b);
bool	bt_addr_is_loopback(const struct bt_addr *a);
bool	bt_addr_is_any(const struct bt_addr *a);
/* Can one dial it: a unicast address and a port that is not 0. */
bool	bt_addr_is_dialable(const struct bt_addr *a);
/* "1.2.3.4:80" or "[::1]:80"; returns out. */
char	*bt_addr_text(const struct bt_addr *a, char out[BT_ADDR_TEXT_MAX]);
/* The address alone, "1.2.3.4" or "::1"; returns out. */
char	*bt_addr_ip_text(const struct bt_addr *a, char out[BT_ADDR_TEXT_MAX]);
/* "1.2.3.4", "::1", "[::1]": an address alone, port 0. 0 or -1. */
int	bt_addr_parse_ip(struct bt_str s, struct bt_addr *out);
/* "1.2.3.4:80" or "[::1]:80", port 0..65535. 0 or -1. */
int	bt_addr_parse(struct bt_str s, struct bt_addr *out);
/* Compact form: 6 or 18 bytes; returns how many. */
size_t	bt_addr_pack(const struct bt_addr *a, uint8_t out[18]);
/* From exactly 6 (family 4) or 18 (family 6) bytes at p. */
struct bt_addr	bt_addr_unpack(const uint8_t *p, uint8_t family);

#endif
