#include "udp.h"

#include <assert.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/rd.h"
#include "codec/udptrk.h"
#include "connid.h"
#include "net/tcp.h"
#include "record.h"
#include "stats.h"

#define LISTEN_MAX 64	    /* sockets; far more than anybody lists */
#define BATCH 32	    /* packets in one system call */
#define ROUNDS_MAX 16	    /* batches before other sockets get a turn */
#define HEAD_LEN 20u	    /* BEP 15: an announce reply before its peers */
#define ROW_LEN 12u	    /* BEP 15: one torrent of a scrape reply */
#define URL_MAX 256u	    /* BEP 41: a path with a key, and more */
#define FRAME4 (1500u - 28) /* Ethernet less IPv4 and UDP heads */
#define FRAME6 (1500u - 48) /* the same for IPv6 */

_Static_assert(BATCH <= BT_SERVICE_AHEAD, "a batch is foreseen");

struct packet {
	struct sockaddr_storage ss;
	/* where it was sent to, from where the reply goes */
	_Alignas(struct cmsghdr)
	    uint8_t control[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	uint8_t in[BT_UDP_PACKET_MAX];
	struct bt_addr from;
	bool is_known; /* it bears a connection id that is good */
	struct bt_buf out;
};

struct bt_udp {
	struct event_base *base;
	struct bt_service *service;
	struct bt_clerk *clerk;
	const struct bt_proxy *proxy;
	uint8_t secret[16];
	struct event *evs[LISTEN_MAX];
	int fds[LISTEN_MAX];
	size_t n;
	struct packet packets[BATCH];
	struct mmsghdr in[BATCH], out[BATCH];
	struct iovec in_iov[BATCH], out_iov[BATCH];
	uint8_t rows[BT_UDP_SCRAPE_MAX * ROW_LEN];
};

struct bt_udp *
bt_udp_new(struct event_base *base, struct bt_service *s,
    struct bt_clerk *clerk, const struct bt_proxy *proxy,
    const uint8_t secret[16])
{
	struct bt_udp *u = bt_mem_zero(1, sizeof(*u));

	u->base = base;
	u->service = s;
	u->clerk = clerk;
	u->proxy = proxy;
	memcpy(u->secret, secret, sizeof(u->secret));
	for (int i = 0; i < BATCH; i++) {
		bt_buf_init(&u->packets[i].out, BT_UDP_REQUEST_MAX);
		u->in_iov[i].iov_base = u->packets[i].in;
		u->in_iov[i].iov_len = sizeof(u->packets[i].in);
		u->in[i].msg_hdr.msg_iov = &u->in_iov[i];
		u->in[i].msg_hdr.msg_iovlen = 1;
		u->in[i].msg_hdr.msg_name = &u->packets[i].ss;
		u->in[i].msg_hdr.msg_control = u->packets[i].control;
	}
	return u;
}

static struct bt_udp_reply
error_of(struct bt_str text)
{
	return (struct bt_udp_reply){ .action = BT_UDP_ERROR, .error = text };
}

/* The path of URLData, which ends where the query begins. */
static bool
knows_key(const struct bt_udp *u, struct bt_str url_data)
{
	struct bt_str path;

	path = bt_str_sub(url_data, 0, bt_str_find(url_data, '?'));
	return !bt_gate_is_keyed(&u->clerk->pass) ||
	       (bt_gate_take_key(&u->clerk->pass, &path) &&
		   bt_str_eq(path, STR("/announce")));
}

static struct bt_udp_reply
announce(struct bt_udp *u, struct bt_udp_request *q, const struct bt_addr *from,
    struct bt_err *err)
{
	struct bt_proxy_client client = bt_proxy_decide(u->proxy, from, NULL);
	struct bt_service_ask ask = { .announce = &q->announce,
		.from = client.addr,
		.may_say_ip = client.may_say_ip,
		.both = false };
	struct bt_service_answer got;
	size_t size = from->family == 4 ? 6 : 18;
	int f = from->family == 4 ? 0 : 1;

	if (!knows_key(u, q->url_data))
		return error_of(STR("unknown key"));
	ask.want_max =
	    (uint32_t)((f == 0 ? FRAME4 : FRAME6) - HEAD_LEN) / (uint32_t)size;
	if (bt_service_announce(u->service, u->clerk, &ask, &got, err) == -1)
		return error_of(bt_str_of(err->text));
	return (struct bt_udp_reply){
		.action = BT_UDP_ANNOUNCE,
		.interval = got.interval_s,
		.incomplete = got.store.incomplete,
		.complete = got.store.complete,
		.peers = { got.store.peers[f], got.store.n[f] * size },
	};
}

static struct bt_udp_reply
scrape(struct bt_udp *u, const struct bt_udp_request *q)
{
	struct bt_scrape_row row;
	uint8_t *to = u->rows;

	/* a request that has no room for a key */
	if (bt_gate_is_keyed(&u->clerk->pass))
		return error_of(STR("unknown key"));

	for (size_t i = 0; i < q->nhashes; i++, to += ROW_LEN) {
		memcpy(row.info_hash, q->hashes[i], 20);
		/* rows have no names: what is not let in is there, and 0 */
		if (bt_service_scrape(u->service, u->clerk, &row, 1) == 0)
			row = (struct bt_scrape_row){ 0 };
		bt_put_be32(to, row.complete);
		bt_put_be32(to + 4, row.downloaded);
		bt_put_be32(to + 8, row.incomplete);
	}
	return (struct bt_udp_reply){
		.action = BT_UDP_SCRAPE, .rows = u->rows, .nrows = q->nhashes
	};
}

/* What was asked and said, for the log. */
static void
put_record(const struct bt_udp *u, const struct bt_udp_request *q,
    const struct bt_udp_reply *r, const struct bt_addr *from)
{
	struct bt_record_line line = { .client = *from,
		.front = BT_STATS_UDP,
		.is_scrape = q->action == BT_UDP_SCRAPE };
	char text[BT_ERR_TEXT_MAX];

	if (!line.is_scrape) {
		line.event = q->announce.event;
		line.info_hash = q->announce.info_hash;
		line.n = (uint32_t)(r->peers.n / (from->family == 4 ? 6 : 18));
	} else {
		line.n = (uint32_t)q->nhashes;
		if (q->nhashes == 1)
			line.info_hash = q->hashes[0];
	}
	if (r->action == BT_UDP_ERROR) {
		bt_str_printable(r->error, text, sizeof(text));
		line.refusal = text;
	}
	bt_record_put(u->clerk->record, &line);
}

/*
 * Write the answer to one packet, or nothing. A bad id is answered only by what
 * is shorter than the packet: its sender's address may be forged, and two
 * trackers would tell each other of their errors for ever.
 */
static void
answer(struct bt_udp *u, struct bt_str in, const struct packet *p,
    struct bt_buf *out)
{
	struct bt_udp_request q;
	struct bt_udp_reply r;
	struct bt_err err;
	uint8_t url[URL_MAX];
	enum bt_stats_kind kind = BT_STATS_SCRAPE;
	bool addressed, good, was_asked;
	int rc;

	rc = bt_udp_request_parse(in, &q, url, sizeof(url), &addressed);
	if (!addressed)
		return;
	good = p->is_known || (rc == 0 && q.action == BT_UDP_CONNECT);
	was_asked = good && rc == 0 && q.action != BT_UDP_CONNECT;
	if (!good)
		r = error_of(STR("bad connection id"));
	else if (rc == -1)
		r = error_of(STR("bad request"));
	else if (q.action == BT_UDP_CONNECT)
		r = (struct bt_udp_reply){ .action = BT_UDP_CONNECT,
			.connection = bt_connid_make(
			    u->secret, &p->from, u->clerk->now_ms) };
	else if (q.action == BT_UDP_ANNOUNCE)
		r = announce(u, &q, &p->from, &err);
	else
		r = scrape(u, &q);
	r.transaction = q.transaction;
	rc = bt_udp_reply_put(out, &r);
	assert(rc == 0);
	if (!good && out->n >= in.n) {
		bt_buf_clear(out);
		return;
	}
	if (r.action == BT_UDP_ANNOUNCE)
		kind = BT_STATS_ANNOUNCE;
	else if (r.action == BT_UDP_ERROR)
		kind = BT_STATS_REFUSED;
	if (r.action != BT_UDP_CONNECT)
		bt_stats_count(
		    u->clerk->tally, BT_STATS_UDP, p->from.family, kind);
	if (u->clerk->record != NULL && was_asked)
		put_record(u, &q, &r, &p->from);
}

/*
 * A socket of all addresses would answer from whichever the route names, and
 * the client would not know the reply as one: the packet's own way back is
 * named, but for the interface, which only link-local addresses need.
 */
static void
aim_back(struct msghdr *m)
{
	struct in_pktinfo v4;
	struct in6_pktinfo v6;
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	if (c == NULL)
		return;
	if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
		memcpy(&v4, CMSG_DATA(c), sizeof(v4));
		v4.ipi_ifindex = 0;
		memcpy(CMSG_DATA(c), &v4, sizeof(v4));
	} else if (c->cmsg_level == IPPROTO_IPV6 &&
		   c->cmsg_type == IPV6_PKTINFO) {
		memcpy(&v6, CMSG_DATA(c), sizeof(v6));
		if (!IN6_IS_ADDR_LINKLOCAL(&v6.ipi6_addr))
			v6.ipi6_ifindex = 0;
		memcpy(CMSG_DATA(c), &v6, sizeof(v6));
	} else /* an adopted socket may be told of what nobody can send */
		m->msg_controllen = 0;
}

/*
 * Who sent n packets, and do they bear ids that we gave? What they announce to
 * is on its way then, of all of them at once.
 */
static void
look_at(struct bt_udp *u, unsigned n)
{
	const uint8_t *hashes[BATCH];
	struct packet *p;
	struct bt_str in;
	size_t of = 0;

	for (unsigned i = 0; i < n; i++) {
		p = &u->packets[i];
		in = (struct bt_str){ p->in, u->in[i].msg_len };
		p->from = bt_tcp_addr(&p->ss);
		p->is_known = in.n >= sizeof(uint64_t) &&
			      bt_connid_is_good(u->secret, &p->from,
				  u->clerk->now_ms, bt_be64(in.p));
		hashes[of] = bt_udp_request_hash(in);
		of += p->is_known && hashes[of] != NULL;
	}
	if (of > 1)
		bt_service_foresee(u->service, hashes, of);
}

/* Answer n packets; replies that the socket does not take now are lost. */
static void
answer_all(struct bt_udp *u, int fd, unsigned n)
{
	unsigned nout = 0, at = 0;
	struct packet *p;
	int sent;

	look_at(u, n);
	for (unsigned i = 0; i < n; i++) {
		p = &u->packets[i];
		bt_buf_clear(&p->out);
		if (p->from.family == 0 || p->from.port == 0)
			continue;
		answer(
		    u, (struct bt_str){ p->in, u->in[i].msg_len }, p, &p->out);
		if (p->out.n == 0)
			continue;
		u->out_iov[nout].iov_base = p->out.p;
		u->out_iov[nout].iov_len = p->out.n;
		u->out[nout].msg_hdr = u->in[i].msg_hdr;
		u->out[nout].msg_hdr.msg_iov = &u->out_iov[nout];
		u->out[nout].msg_hdr.msg_flags = 0;
		aim_back(&u->out[nout].msg_hdr);
		nout++;
	}
	while (at < nout) {
		sent = sendmmsg(fd, u->out + at, nout - at, MSG_NOSIGNAL);
		/* one that cannot be sent (no route, say) holds up no other */
		at += sent > 0 ? (unsigned)sent : 1;
	}
}

static void
on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct bt_udp *u = arg;
	int n;

	(void)what;
	bt_clerk_now(u->clerk);
	for (int round = 0; round < ROUNDS_MAX; round++) {
		for (int i = 0; i < BATCH; i++) {
			u->in[i].msg_hdr.msg_namelen = sizeof(u->packets[i].ss);
			u->in[i].msg_hdr.msg_controllen =
			    sizeof(u->packets[i].control);
		}
		n = recvmmsg(fd, u->in, BATCH, MSG_DONTWAIT, NULL);
		if (n <= 0)
			return;
		answer_all(u, fd, (unsigned)n);
		if (n < BATCH)
			return;
	}
}

void
bt_udp_free(struct bt_udp *u)
{
	if (u == NULL)
		return;
	for (size_t i = 0; i < u->n; i++) {
		on_readable(u->fds[i], 0, u);
		event_free(u->evs[i]);
		close(u->fds[i]);
	}
	for (int i = 0; i < BATCH; i++)
		bt_buf_fini(&u->packets[i].out);
	bt_mem_free(u);
}

/* Only a socket of all addresses needs it: see aim_back(). */
static void
tell_destination(int fd)
{
	struct bt_addr local = bt_tcp_local(fd);
	int on = 1;

	if (!bt_addr_is_any(&local))
		return;
	/* an IPv6 socket that takes IPv4 too tells of both by the latter */
	if (local.family == 4)
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
}

void
bt_udp_listen(struct bt_udp *u, int fd)
{
	assert(u->n < LISTEN_MAX);
	tell_destination(fd);
	u->fds[u->n] = fd;
	u->evs[u->n] =
	    event_new(u->base, fd, EV_READ | EV_PERSIST, on_readable, u);
	assert(u->evs[u->n] != NULL);
	event_add(u->evs[u->n], NULL);
	u->n++;
}
