// One service's certificate kept as the daemon would, alone:
// certs_probe HOME ADDRESS VAULT_PORT redis|postgres PORT OWNER.
//
// Vault is asked at ADDRESS:VAULT_PORT with the token in VAULT_TOKEN; the service listens at
// ADDRESS:PORT, sees HOME as /tmp, and its files are of the user OWNER. PostgreSQL is told through
// its socket in HOME/socket. What is told goes to standard output as "tell WEIGHT TEXT". Each line
// of standard input is answered by one line:
//   state       "ok GENERATION PROVEN SERIAL STAGE": 0, - and none for what is not there
//   trust       the CAs that Vault has now are what is to be trusted
//   rotate      asks for another certificate
//   hook HOW    what a reload does from now on: good; fails; hangs; lies (says yes and does
//               nothing); opens (lets everybody read the key before)
//   die before|after STAGE   kills itself when this stage is to be kept
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/streambuf.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "certs/keeper.hpp"
#include "certs/kept.hpp"
#include "certs/names.hpp"
#include "certs/reload.hpp"
#include "mesh/net/task_group.hpp"
#include "mesh/vault/session_driver.hpp"

using namespace bevmesh;
namespace asio = boost::asio;

namespace {

struct probe {
    std::string home;
    std::string address;
    std::string service;
    std::uint16_t port = 0;
    std::string hook = "good";
    std::atomic<unsigned> dies{0};  // twice the stage, and one for after; 0: not

    [[nodiscard]] std::string files() const { return home + "/" + service + "/current/"; }
};

constexpr milliseconds reload_limit{5'000};
constexpr milliseconds hang_limit{1'000};

net::awaitable<result<void>> reload_redis(probe const* how, certs::dates shown) {
    redis::settings where;
    where.where.transport = net::endpoint::kind::tls;
    where.where.host = how->address;
    where.where.port = how->port;
    where.tls.ca_file = how->files() + "ca.pem";
    where.tls.cert_file = how->files() + "cert.pem";
    where.tls.key_file = how->files() + "key.pem";
    std::string const inside = "/tmp/redis/current/";
    certs::file_paths seen{inside + "cert.pem", inside + "key.pem", inside + "ca.pem"};
    co_return co_await certs::reload_redis(std::move(where), std::move(seen), shown, reload_limit);
}

net::awaitable<result<void>> reload_postgres(probe const* how) {
    postgres::settings where;
    where.host = how->home + "/socket";
    where.port = how->port;
    co_return co_await certs::reload_postgres(std::move(where), reload_limit);
}

net::awaitable<result<void>> reload(probe const* how, certs::dates shown) {
    if (how->hook == "lies") co_return result<void>();
    if (how->hook == "hangs") {
        std::vector<std::string> argv{"sleep", "1000"};
        co_return co_await certs::run_on_node(std::move(argv), hang_limit);
    }
    if (how->hook == "fails") co_return failure{errc::local_error, "the hook fails"};
    if (how->hook == "opens") ::chmod((how->files() + "key.pem").c_str(), 0644);
    if (how->service == "postgres") co_return co_await reload_postgres(how);
    co_return co_await reload_redis(how, shown);
}

std::string state_file(probe const& how) {
    return how.home + "/state/" + how.service + ".json";
}

result<void> keep(std::string const& path, certs::renewal_state const& state) {
    std::ofstream(path + ".new") << certs::encode_kept(state);
    if (std::rename((path + ".new").c_str(), path.c_str()) == 0) return {};
    return failure{errc::local_error, "replace " + path};
}

unsigned death_at(certs::stage at, bool after) {
    return 2 * (static_cast<unsigned>(at) + 1) + (after ? 1 : 0);
}

unsigned parse_death(std::string const& words) {
    bool const after = words.starts_with("after ");
    auto const name = words.substr(words.find(' ') + 1);
    for (auto const at : {certs::stage::granted, certs::stage::issued, certs::stage::installed,
                          certs::stage::reloaded, certs::stage::verified})
        if (certs::name(at) == name) return death_at(at, after);
    return 0;
}

/// As keep(), for a daemon that may be killed there. On the keeper's pool.
result<void> keep_or_die(std::string const& path, certs::renewal_state const& state,
                         std::atomic<unsigned> const& dies) {
    auto const at = state.coming ? state.coming->at : certs::stage::verified;
    bool const fresh = !state.asked || state.coming;  // not that somebody asks for the next
    if (fresh && dies == death_at(at, false)) ::raise(SIGKILL);
    auto done = keep(path, state);
    if (fresh && dies == death_at(at, true)) ::raise(SIGKILL);
    return done;
}

certs::renewal_state read_kept(probe const& how) {
    std::ifstream file(state_file(how));
    std::string const text(std::istreambuf_iterator<char>(file), {});
    auto kept = certs::decode_kept(text);
    return kept.has_value() ? *kept : certs::renewal_state();
}

std::string told(certs::renewal_state const& s) {
    std::ostringstream out;
    out << "ok " << s.generation << ' ';
    if (s.proven)
        out << s.proven->generation << ' ' << s.proven->serial;
    else
        out << "0 -";
    out << ' ' << (s.coming ? certs::name(s.coming->at) : "none");
    return out.str();
}

net::awaitable<void> serve(probe* how, certs::keeper* of, vault::client* vault,
                           asio::posix::stream_descriptor* input, net::task_group* tasks) {
    asio::streambuf buffer;
    boost::system::error_code ended;
    for (;;) {
        co_await asio::async_read_until(*input, buffer, '\n',
                                        asio::redirect_error(asio::use_awaitable, ended));
        if (ended) break;
        std::string line;
        std::istream stream(&buffer);
        std::getline(stream, line);
        if (line == "rotate") of->rotate();
        if (line == "trust") {
            auto const issuers = co_await vault->issuers();
            std::vector<std::string> bundle;
            if (issuers.has_value())
                for (auto const& each : *issuers)
                    bundle.push_back(each.certificate);
            of->trust(std::move(bundle), "");
        }
        if (line.starts_with("hook ")) how->hook = line.substr(5);
        if (line.starts_with("die ")) how->dies = parse_death(line.substr(4));
        std::cout << told(of->state()) << std::endl;
    }
    tasks->cancel();
}

mesh_config mesh_of(probe const& how, std::string const& vault_port) {
    mesh_config mesh;
    mesh.name = "test";
    mesh.datacenter = "bev";
    mesh.nodes["alone"].address = how.address;
    mesh.vault.addresses = {"https://" + how.address + ":" + vault_port};
    mesh.vault.ca_file = how.home + "/ca.pem";
    mesh.vault.pki.mount = "pki_bev";
    mesh.vault.pki.root_mount = "pki_bev_root";
    return mesh;
}

}  // namespace

int main(int argc, char** argv) {
    auto const* const token = std::getenv("VAULT_TOKEN");
    if (argc != 7 || token == nullptr) return 1;
    probe how;
    how.home = argv[1];
    how.address = argv[2];
    how.service = argv[4];
    how.port = static_cast<std::uint16_t>(std::stoi(argv[5]));
    auto const mesh = mesh_of(how, argv[3]);
    asio::io_context loop(1);
    auto vault = vault::make_client(loop.get_executor(), vault::for_node(mesh.vault, "alone"),
                                    mesh.nodes.at("alone"));
    if (vault.has_error()) return 1;
    (*vault)->set_token(secret(token));

    certs::keeper_settings settings;
    settings.who = certs::subject_of(how.service, "alone", mesh);
    settings.ttl = seconds(20);
    settings.policy.identity = "alone/" + how.service;
    settings.policy.patience = milliseconds(1'500);
    settings.policy.retry_base = milliseconds(500);
    settings.key.mode = 0600;
    auto const greeting =
        how.service == "postgres" ? certs::greeting::postgres : certs::greeting::none;
    settings.addresses = {{how.address, how.port, greeting}};
    certs::keeper_hooks hooks;
    hooks.reload = [&how](certs::dates shown) { return reload(&how, shown); };
    hooks.keep = [path = state_file(how), &dies = how.dies](certs::renewal_state const& state) {
        return keep_or_die(path, state, dies);
    };
    hooks.tell = [](certs::weight weight, std::string const& text) {
        auto const* const word = weight == certs::weight::alarm     ? "alarm"
                                 : weight == certs::weight::warning ? "warning"
                                                                    : "information";
        std::cout << "tell " << word << ' ' << text << std::endl;
    };
    certs::ownership owner;
    owner.user = static_cast<uid_t>(std::stoi(argv[6]));
    asio::thread_pool pool(1);
    certs::shared_bundle trusted(loop.get_executor(), **vault);
    certs::keeper keeper(loop.get_executor(), {**vault, trusted, pool},
                         certs::store(how.home + "/" + how.service, certs::layout::linked, owner),
                         settings, hooks, read_kept(how), 1);
    asio::posix::stream_descriptor input(loop, ::dup(STDIN_FILENO));
    net::task_group tasks(loop.get_executor(), [](std::string_view task, std::string const& what) {
        std::cerr << task << ": " << what << "\n";
    });
    tasks.spawn(keeper.run(), "keeper");
    tasks.spawn(serve(&how, &keeper, vault->get(), &input, &tasks), "requests");
    loop.run();
    return 0;
}
