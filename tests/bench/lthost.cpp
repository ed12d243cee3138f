/*
 * lthost [-c] [-d] [-e] [-p] [-s] [-a URL] [-k ADDR:PORT] [-l RATE]
 *	ADDR:PORT TORRENT DIR
 *
 * libtorrent-rasterbar as a program of its own, on one address, with plain TCP
 * and without discovery, so that it is measured and not the language around it.
 *
 * -c verifies DIR and ends; -d keeps its default settings, else it is tuned as
 * its high_performance_seed() and more; -e ends when all is there; -p uses its
 * posix disk I/O instead of mapped files; -s believes that all is there; -a
 * announces to URL, -k dials a peer, -l limits what is sent, bytes a second.
 *
 * Prints "listening PORT", and "done" when the content is complete.
 */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <unistd.h>
#include <vector>

#include <libtorrent/add_torrent_params.hpp>
#include <libtorrent/alert_types.hpp>
#include <libtorrent/address.hpp>
#include <libtorrent/posix_disk_io.hpp>
#include <libtorrent/session.hpp>
#include <libtorrent/session_params.hpp>
#include <libtorrent/settings_pack.hpp>
#include <libtorrent/torrent_handle.hpp>
#include <libtorrent/torrent_info.hpp>
#include <libtorrent/torrent_status.hpp>

namespace {

struct options {
	bool check = false, defaults = false, ends = false, posix = false,
	     seed = false;
	int limit = 0;
	std::string announce;
	std::vector<std::string> peers;
};

lt::settings_pack
settings(const options &o, const char *listen)
{
	lt::settings_pack s;

	if (!o.defaults) {
		s = lt::high_performance_seed();
		/* What it does well here: more of each bound, two workers. */
		s.set_int(s.aio_threads, 2);
		s.set_int(s.hashing_threads, 2);
		s.set_int(s.max_peer_recv_buffer_size, 5 << 20);
		s.set_int(s.recv_socket_buffer_size, 0);
		s.set_int(s.send_socket_buffer_size, 0);
		s.set_int(s.max_queued_disk_bytes, 32 << 20);
		s.set_int(s.max_allowed_in_request_queue, 4000);
		s.set_int(s.connections_limit, 20000);
		s.set_int(s.max_peerlist_size, 20000);
		s.set_int(s.unchoke_slots_limit, -1);
		s.set_int(s.suggest_mode, lt::settings_pack::no_piece_suggestions);
		s.set_int(s.request_timeout, 60);
		s.set_int(s.peer_timeout, 120);
		s.set_int(s.inactivity_timeout, 600);
		s.set_bool(s.close_redundant_connections, false);
	}
	s.set_str(s.listen_interfaces, listen);
	s.set_int(s.alert_mask, lt::alert_category::status |
		lt::alert_category::error | lt::alert_category::storage);
	s.set_bool(s.enable_dht, false);
	s.set_bool(s.enable_lsd, false);
	s.set_bool(s.enable_upnp, false);
	s.set_bool(s.enable_natpmp, false);
	s.set_bool(s.enable_incoming_utp, false);
	s.set_bool(s.enable_outgoing_utp, false);
	s.set_int(s.in_enc_policy, lt::settings_pack::pe_disabled);
	s.set_int(s.out_enc_policy, lt::settings_pack::pe_disabled);
	s.set_bool(s.allow_multiple_connections_per_ip, true);
	s.set_int(s.min_announce_interval, 1);
	s.set_int(s.min_reconnect_time, 1);
	if (o.limit > 0)
		s.set_int(s.upload_rate_limit, o.limit);
	return s;
}

void
dial(const lt::torrent_handle &h, const options &o)
{
	for (const std::string &p : o.peers) {
		std::size_t colon = p.rfind(':');

		h.connect_peer(lt::tcp::endpoint(
		    lt::make_address_v4(p.substr(0, colon)),
		    static_cast<unsigned short>(
			std::atoi(p.c_str() + colon + 1))));
	}
}

void
say(const char *what)
{
	std::puts(what);
	std::fflush(stdout);
}

/* Returns the exit status. */
int
watch(lt::session &session, const options &o)
{
	std::vector<lt::alert *> alerts;

	for (;;) {
		session.wait_for_alert(lt::seconds(1));
		session.pop_alerts(&alerts);
		for (lt::alert *a : alerts) {
			if (auto *l = lt::alert_cast<
				lt::listen_succeeded_alert>(a))
				say(("listening " + std::to_string(l->port))
					.c_str());
			if (lt::alert_cast<lt::torrent_error_alert>(a) ||
			    lt::alert_cast<lt::file_error_alert>(a)) {
				std::fprintf(stderr, "lthost: %s\n",
				    a->message().c_str());
				return 1;
			}
			if (auto *c = lt::alert_cast<
				lt::torrent_checked_alert>(a)) {
				dial(c->handle, o);
				if (o.check)
					return c->handle.status().is_seeding
					    ? 0
					    : 1;
			}
			/* All is here; it is done when all is in its file. */
			if (auto *f = lt::alert_cast<
				lt::torrent_finished_alert>(a))
				f->handle.flush_cache();
			if (lt::alert_cast<lt::cache_flushed_alert>(a)) {
				say("done");
				if (o.ends)
					return 0;
			}
		}
	}
}

} // namespace

int
main(int argc, char **argv)
{
	lt::session_params params;
	lt::add_torrent_params add;
	options o;
	int c, status;

	while ((c = getopt(argc, argv, "cdepsa:k:l:")) != -1)
		switch (c) {
		case 'c': o.check = true; break;
		case 'd': o.defaults = true; break;
		case 'e': o.ends = true; break;
		case 'p': o.posix = true; break;
		case 's': o.seed = true; break;
		case 'a': o.announce = optarg; break;
		case 'k': o.peers.push_back(optarg); break;
		case 'l': o.limit = std::atoi(optarg); break;
		default: return 2;
		}
	if (argc - optind != 3) {
		std::fprintf(stderr, "usage: lthost [-cdeps] [-a URL] "
		    "[-k ADDR:PORT] [-l RATE] ADDR:PORT TORRENT DIR\n");
		return 2;
	}
	params.settings = settings(o, argv[optind]);
	if (o.posix)
		params.disk_io_constructor = lt::posix_disk_io_constructor;
	add.ti = std::make_shared<lt::torrent_info>(
	    std::string(argv[optind + 1]));
	add.save_path = argv[optind + 2];
	add.flags &= ~(lt::torrent_flags::auto_managed |
	    lt::torrent_flags::paused);
	if (o.seed)
		add.have_pieces.resize(add.ti->num_pieces(), true);
	add.ti->clear_trackers();
	if (!o.announce.empty())
		add.trackers.push_back(o.announce);

	lt::session session(params);

	session.async_add_torrent(std::move(add));
	status = watch(session, o);
	/* What the process still holds is the system's to take back. */
	_exit(status);
}
