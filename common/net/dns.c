#include "net/dns.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <string.h>

#include <event2/dns.h>
#include <event2/util.h>

#include "base/mem.h"
#include "net/tcp.h"

struct bt_dns {
	struct bt_loop *loop;
	struct evdns_base *base; /* NULL until a name needs it */
	struct bt_dns_query *queries;
	unsigned held; /* queries that evdns will call back */
	bool closing;
	struct bt_loop_timer *reaper;
};

/*
 * A query that was cancelled while evdns has it stays until evdns lets go of
 * it, and so does the resolver.
 */
struct bt_dns_query {
	struct bt_dns *owner;
	bool cancelled;
	struct bt_dns_query *next, **link;
	struct bt_loop_timer *timer; /* to answer from the loop; to give up */
	struct evdns_getaddrinfo_request *request;
	bool asking; /* one of those held */
	bool answered;
	uint8_t family;
	uint16_t port;
	struct bt_addr addrs[BT_DNS_ADDRS_MAX];
	size_t n;
	const char *why;
	void (*done)(
	    void *arg, const struct bt_addr *a, size_t n, const char *why);
	void *arg;
};

static void
destroy(void *arg)
{
	struct bt_dns *d = arg;

	if (d->base != NULL)
		evdns_base_free(d->base, 0);
	bt_loop_timer_free(d->reaper);
	bt_mem_free(d);
}

struct bt_dns *
bt_dns_new(struct bt_loop *l)
{
	struct bt_dns *d;

	d = bt_mem_zero(1, sizeof(*d));
	d->loop = l;
	d->reaper = bt_loop_timer_new(l, destroy, d);
	return d;
}

void
bt_dns_free(struct bt_dns *d)
{
	if (d == NULL)
		return;
	while (d->queries != NULL)
		bt_dns_cancel(d->queries);
	d->closing = true;
	if (d->held == 0)
		destroy(d);
}

/* Take a query from its resolver: no callback comes from it any more. */
static void
part(struct bt_dns_query *q)
{
	*q->link = q->next;
	if (q->next != NULL)
		q->next->link = q->link;
	q->cancelled = true;
	bt_loop_timer_free(q->timer);
	q->timer = NULL;
	if (!q->asking)
		bt_mem_free(q);
	else if (q->request != NULL)
		evdns_getaddrinfo_cancel(q->request);
}

void
bt_dns_cancel(struct bt_dns_query *q)
{
	if (q != NULL)
		part(q);
}

/* What was found is told; or the time is over. */
static void
on_timer(void *arg)
{
	struct bt_dns_query *q = arg;
	struct bt_addr addrs[BT_DNS_ADDRS_MAX];
	void (*done)(void *, const struct bt_addr *, size_t, const char *);
	const char *why = q->answered ? q->why : "no answer from the resolver";
	void *done_arg = q->arg;
	size_t n = q->n;

	memcpy(addrs, q->addrs, sizeof(addrs));
	done = q->done;
	part(q);
	done(done_arg, addrs, n, n == 0 ? why : NULL);
}

static void
answer(struct bt_dns_query *q, const char *why)
{
	q->answered = true;
	q->why = why;
	bt_loop_timer_in(q->timer, 0);
}

static void
add(struct bt_dns_query *q, struct bt_addr a)
{
	if (a.family == 0 || (q->family != 0 && a.family != q->family))
		return;
	a.port = q->port;
	for (size_t i = 0; i < q->n; i++)
		if (bt_addr_eq(&q->addrs[i], &a))
			return;
	if (q->n < BT_DNS_ADDRS_MAX)
		q->addrs[q->n++] = a;
}

static void
on_found(int result, struct evutil_addrinfo *found, void *arg)
{
	struct bt_dns_query *q = arg;
	struct bt_dns *d = q->owner;
	struct sockaddr_storage ss;

	q->asking = false;
	q->request = NULL;
	d->held--;
	if (q->cancelled) {
		if (found != NULL)
			evutil_freeaddrinfo(found);
		bt_mem_free(q);
		/* not here: evdns is still in its own code above us */
		if (d->closing && d->held == 0)
			bt_loop_timer_in(d->reaper, 0);
		return;
	}
	for (struct evutil_addrinfo *i = found; i != NULL; i = i->ai_next) {
		if (i->ai_addrlen > sizeof(ss))
			continue;
		memset(&ss, 0, sizeof(ss));
		memcpy(&ss, i->ai_addr, i->ai_addrlen);
		add(q, bt_tcp_addr(&ss));
	}
	if (found != NULL)
		evutil_freeaddrinfo(found);
	if (result == EVUTIL_EAI_AGAIN || result == EVUTIL_EAI_FAIL)
		answer(q, "the resolver failed");
	else
		answer(q, "host not found");
}

/* RFC 6761: localhost, and every name beneath it, is this machine. */
static bool
is_localhost(struct bt_str host)
{
	static const char name[] = ".localhost";
	size_t n = sizeof(name) - 1;
	char tail[sizeof(name)];

	if (host.n > 0 && host.p[host.n - 1] == '.')
		host.n--;
	if (host.n == n - 1)
		return strncasecmp((const char *)host.p, name + 1, n - 1) == 0;
	if (host.n < n)
		return false;
	memcpy(tail, host.p + host.n - n, n);
	return strncasecmp(tail, name, n) == 0;
}

static void
open_base(struct bt_dns *d)
{
	d->base = evdns_base_new(
	    bt_loop_base(d->loop), EVDNS_BASE_DISABLE_WHEN_INACTIVE);
	if (d->base == NULL)
		return;
	/* where there is none evdns asks this machine; our timer ends that */
	evdns_base_resolv_conf_parse(
	    d->base, DNS_OPTIONS_ALL, "/etc/resolv.conf");
	evdns_base_set_option(d->base, "timeout:", "3");
}

static void
ask(struct bt_dns_query *q, struct bt_str host)
{
	struct evutil_addrinfo hints = { 0 };
	struct evdns_getaddrinfo_request *request;
	struct bt_dns *d = q->owner;
	char *name;

	if (d->base == NULL)
		open_base(d);
	if (d->base == NULL) {
		answer(q, "the resolver cannot be started");
		return;
	}
	hints.ai_family = q->family == 0   ? AF_UNSPEC
			  : q->family == 4 ? AF_INET
					   : AF_INET6;
	hints.ai_socktype = SOCK_STREAM;
	name = bt_str_dup(host);
	q->asking = true;
	d->held++;
	bt_loop_timer_in(q->timer, BT_DNS_TIMEOUT_US);
	request = evdns_getaddrinfo(d->base, name, NULL, &hints, on_found, q);
	if (q->asking)
		q->request = request;
	bt_mem_free(name);
}

struct bt_dns_query *
bt_dns_resolve(struct bt_dns *d, struct bt_str host, uint16_t port,
    uint8_t family,
    void (*done)(void *arg, const struct bt_addr *a, size_t n, const char *why),
    void *arg)
{
	static const uint8_t one4[4] = { 127, 0, 0, 1 };
	static const uint8_t one6[16] = { [15] = 1 };
	struct bt_dns_query *q;
	struct bt_addr a;

	q = bt_mem_zero(1, sizeof(*q));
	q->owner = d;
	q->next = d->queries;
	q->link = &d->queries;
	if (q->next != NULL)
		q->next->link = &q->next;
	d->queries = q;
	q->timer = bt_loop_timer_new(d->loop, on_timer, q);
	q->port = port;
	q->family = family;
	q->done = done;
	q->arg = arg;
	if (bt_addr_parse_ip(host, &a) == 0) {
		add(q, a);
		answer(q, "it is an address of the other family");
	} else if (is_localhost(host)) {
		add(q, bt_addr_v4(one4, 0));
		add(q, bt_addr_v6(one6, 0));
		answer(q, "host not found");
	} else
		ask(q, host);
	return q;
}
