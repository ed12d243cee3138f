#include <string.h>

#include "codec/announce.h"
#include "codec/url.h"

#define KEY_DIGITS 8u	/* a key is 32 bits in hex */
#define IP_TEXT_MAX 64u /* an IPv6 address in brackets fits */

enum param { /* the first three must be there */
	P_INFO_HASH,
	P_PEER_ID,
	P_PORT,
	P_UPLOADED,
	P_DOWNLOADED,
	P_LEFT,
	P_EVENT,
	P_NUMWANT,
	P_KEY,
	P_COMPACT,
	P_NO_PEER_ID,
	P_TRACKERID,
	P_IP,
	P_IPV4,
	P_COUNT
};

#define NAME_ROOM 12u /* the longest, "downloaded", and a NUL */

static const char names[P_COUNT][NAME_ROOM] = {
	[P_INFO_HASH] = "info_hash",
	[P_PEER_ID] = "peer_id",
	[P_PORT] = "port",
	[P_UPLOADED] = "uploaded",
	[P_DOWNLOADED] = "downloaded",
	[P_LEFT] = "left",
	[P_EVENT] = "event",
	[P_NUMWANT] = "numwant",
	[P_KEY] = "key",
	[P_COMPACT] = "compact",
	[P_NO_PEER_ID] = "no_peer_id",
	[P_TRACKERID] = "trackerid",
	[P_IP] = "ip",
	[P_IPV4] = "ipv4",
};

static enum param
param_of(struct bt_str name)
{
	enum param p;

	if (name.n == 0 || name.n >= NAME_ROOM)
		return P_COUNT;
	/* one letter and the length tell nearly all of them apart */
	for (p = 0; p < P_COUNT; p++)
		if (names[p][0] == (char)name.p[0] &&
		    names[p][name.n - 1] != '\0' && names[p][name.n] == '\0' &&
		    memcmp(names[p], name.p, name.n) == 0)
			break;
	return p;
}

static int
read_id(
    struct bt_str value, uint8_t out[20], const char *name, struct bt_err *err)
{
	size_t n;

	if (bt_url_unescape(value, out, 20, &n) == -1 || n != 20)
		return bt_err_set(err, BT_EINPUT, "%s is not 20 bytes", name);
	return 0;
}

/*
 * A count of bytes. More than 64 bits hold is as much as they hold: clients
 * that do not know what is left have sent such numbers, and to a tracker only
 * 0 and the rest differ.
 */
static int
read_bytes(
    struct bt_str value, uint64_t *out, const char *name, struct bt_err *err)
{
	uint64_t v = 0;

	for (size_t i = 0; i < value.n; i++) {
		unsigned digit = (unsigned)value.p[i] - '0';

		if (digit > 9)
			return bt_err_set(
			    err, BT_EINPUT, "%s is not a number", name);
		if (v > (UINT64_MAX - digit) / 10)
			v = UINT64_MAX;
		else
			v = v * 10 + digit;
	}
	*out = v;
	return 0;
}

static int
read_port(struct bt_str value, uint16_t *out, struct bt_err *err)
{
	uint64_t v;

	if (bt_str_u64(value, &v) == -1 || v == 0 || v > UINT16_MAX)
		return bt_err_set(
		    err, BT_EINPUT, "port is not a number from 1 to 65535");
	*out = (uint16_t)v;
	return 0;
}

/* Advice, so nonsense is no advice. */
static int32_t
numwant_of(struct bt_str value)
{
	uint64_t v;

	if (bt_str_u64(value, &v) == -1)
		return -1;
	return v > INT32_MAX ? INT32_MAX : (int32_t)v;
}

static bool
hex_key(struct bt_str value, uint32_t *key)
{
	uint8_t digits[KEY_DIGITS], bytes[KEY_DIGITS / 2];
	uint32_t v = 0;

	if (value.n == 0 || value.n > sizeof(digits))
		return false;
	memset(digits, '0', sizeof(digits));
	memcpy(digits + sizeof(digits) - value.n, value.p, value.n);
	if (bt_str_unhex((struct bt_str){ digits, sizeof(digits) }, bytes,
		sizeof(bytes)) == -1)
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++)
		v = v << 8 | bytes[i];
	*key = v;
	return true;
}

/*
 * Nothing says that a key is hex, and some clients send other text: it is
 * folded to 32 bits by FNV-1a, so that equal keys stay equal.
 */
static uint32_t
key_of(struct bt_str value)
{
	uint32_t v;

	if (hex_key(value, &v))
		return v;
	v = 0x811c9dc5;
	for (size_t i = 0; i < value.n; i++)
		v = (v ^ value.p[i]) * 0x01000193;
	return v;
}

static enum bt_event
event_of(struct bt_str value)
{
	if (bt_str_eq(value, STR("started")))
		return BT_EVENT_STARTED;
	if (bt_str_eq(value, STR("stopped")))
		return BT_EVENT_STOPPED;
	if (bt_str_eq(value, STR("completed")))
		return BT_EVENT_COMPLETED;
	if (bt_str_eq(value, STR("paused")))
		return BT_EVENT_PAUSED;
	return BT_EVENT_NONE;
}

/* Numeric addresses only: a tracker looks up no names for strangers. */
static struct bt_addr
ip_of(struct bt_str value)
{
	uint8_t text[IP_TEXT_MAX];
	struct bt_addr a;
	size_t n;

	if (bt_url_unescape(value, text, sizeof(text), &n) == -1 ||
	    bt_addr_parse_ip((struct bt_str){ text, n }, &a) == -1)
		return (struct bt_addr){ 0 };
	return a;
}

static int
read_param(enum param p, struct bt_str value, struct bt_announce *a,
    struct bt_err *err)
{
	struct bt_addr ip;

	switch (p) {
	case P_INFO_HASH:
		return read_id(value, a->info_hash, names[p], err);
	case P_PEER_ID:
		return read_id(value, a->peer_id, names[p], err);
	case P_PORT:
		return read_port(value, &a->port, err);
	case P_UPLOADED:
		return read_bytes(value, &a->uploaded, names[p], err);
	case P_DOWNLOADED:
		return read_bytes(value, &a->downloaded, names[p], err);
	case P_LEFT:
		return read_bytes(value, &a->left, names[p], err);
	case P_EVENT:
		a->event = event_of(value);
		break;
	case P_NUMWANT:
		a->numwant = numwant_of(value);
		break;
	case P_KEY:
		a->key = key_of(value);
		a->has_key = true;
		break;
	case P_COMPACT:
		a->compact = !bt_str_eq(value, STR("0"));
		break;
	case P_NO_PEER_ID:
		a->no_peer_id = bt_str_eq(value, STR("1"));
		break;
	case P_TRACKERID:
		a->trackerid = value;
		break;
	case P_IP:
		ip = ip_of(value);
		if (ip.family != 0)
			a->ip = ip;
		break;
	case P_IPV4:
		if (a->ip.family == 0)
			a->ip = ip_of(value);
		break;
	case P_COUNT:
		break;
	}
	return 0;
}

int
bt_announce_query_parse(
    struct bt_str query, struct bt_announce *a, struct bt_err *err)
{
	struct bt_announce got = {
		.left = UINT64_MAX, .numwant = -1, .compact = true
	};
	struct bt_str name, value;
	unsigned seen = 0;
	enum param p;

	while (bt_url_next_param(&query, &name, &value)) {
		p = param_of(name);
		if (p == P_COUNT || value.n == 0 || (seen & 1u << p) != 0)
			continue;
		seen |= 1u << p;
		if (read_param(p, value, &got, err) == -1)
			return -1;
	}
	for (p = P_INFO_HASH; p <= P_PORT; p++)
		if ((seen & 1u << p) == 0)
			return bt_err_set(
			    err, BT_EINPUT, "%s is missing", names[p]);
	*a = got;
	return 0;
}
