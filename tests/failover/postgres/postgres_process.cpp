#include "tests/failover/postgres/postgres_process.hpp"

#include <array>
#include <csignal>
#include <fstream>
#include <poll.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>

#include "failover/postgres/control.hpp"
#include "mesh/net/clock.hpp"
#include "tests/catch.hpp"

namespace bevmesh::testing {
namespace {

constexpr uid_t nobody = 65534;

std::string text_of(std::string const& path) {
    std::ifstream in(path);
    std::stringstream all;
    all << in.rdbuf();
    return all.str();
}

}  // namespace

void run(boost::asio::io_context& loop, awaitable<void> test) {
    std::exception_ptr thrown;
    bool ended = false;
    boost::asio::co_spawn(loop, std::move(test), [&](std::exception_ptr const& error) {
        thrown = error;
        ended = true;
        loop.stop();
    });
    loop.restart();
    loop.run_for(seconds(60));
    REQUIRE(ended);
    if (thrown) std::rethrow_exception(thrown);
}

postgres_process::postgres_process(std::string node, std::string release)
    : node_(std::move(node)),
      image_(release == "15" ? "base" : "postgres-" + release),
      bin_("/usr/lib/postgresql/" + release + "/bin"),
      port_(free_port()) {
    REQUIRE(::chmod(where_.path("").c_str(), 0777) == 0);
}

int postgres_process::tool(std::vector<std::string> argv) const {
    command what;
    what.image = image_;
    what.argv = std::move(argv);
    what.user = nobody;
    what.log = where_.path("tools.log");
    ::unlink(what.log.c_str());
    return run_in_image(what);
}

void postgres_process::init() {
    auto const made = tool({bin_ + "/initdb", "-D", data(), "-A", "trust", "-U", "postgres",
                            "--no-sync", "--data-checksums", "--locale=C.UTF-8"});
    INFO(text_of(where_.path("tools.log")));
    REQUIRE(made == 0);
    std::ofstream more(data() + "/postgresql.conf", std::ios::app);
    more << "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nfsync = off\n"
         << "restart_after_crash = off\nshared_buffers = 16MB\nmax_wal_size = 128MB\njit = off\n"
         << "wal_keep_size = 64MB\nwal_retrieve_retry_interval = 200ms\n";
    std::ofstream hba(data() + "/pg_hba.conf");
    hba << "host all locked 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"
        << "host replication all 127.0.0.1/32 trust\n";
}

int postgres_process::base_backup(postgres_process const& from) {
    auto argv = failover::postgres::base_backup_command(bin_, data(), from.conninfo(),
                                                        failover::postgres::slot_of(node_));
    return tool(std::move(argv));
}

int postgres_process::rewind(postgres_process const& from) {
    return tool(failover::postgres::rewind_command(bin_, data(), from.conninfo(), false));
}

std::string postgres_process::control() const {
    auto said = run_tool(failover::postgres::control_command(bin_, data()));
    REQUIRE(said.first == 0);
    return std::move(said.second);
}

std::pair<int, std::string> postgres_process::run_tool(std::vector<std::string> argv) const {
    auto const status = tool(std::move(argv));
    return {status, text_of(where_.path("tools.log"))};
}

void postgres_process::start() {
    command what;
    what.image = image_;
    what.argv = {bin_ + "/postgres", "-D", data(), "-p", std::to_string(port_)};
    what.user = nobody;
    what.log = where_.path("log");
    auto const server = in_image(what);
    // As a container has it: an init of its own PID namespace, which passes signals on, and with
    // which all dies.
    init_ = std::make_unique<child>(
        [server] {
            ::prctl(PR_SET_PDEATHSIG, SIGKILL);
            static pid_t postmaster = 0;
            postmaster = ::fork();
            if (postmaster == 0) server();
            for (int const number : {SIGINT, SIGQUIT, SIGTERM})
                std::signal(number, [](int n) { ::kill(postmaster, n); });
            for (;;) {
                pid_t const ended = ::wait(nullptr);
                if (ended == postmaster) ::_exit(0);
            }
        },
        true);
    auto const limit = net::now() + seconds(20);
    for (;;) {
        boost::asio::io_context loop;
        std::string answered;
        run(loop, [](postgres_process const& me, std::string& value) -> awaitable<void> {
            value = co_await ask(me, std::string("select 1"));
        }(*this, answered));
        if (answered == "1") return;
        INFO(answered << '\n' << text_of(where_.path("log")));
        REQUIRE(net::now() < limit);
        REQUIRE(init_->runs());
        ::poll(nullptr, 0, 20);
    }
}

void postgres_process::stop(int signal) {
    init_->signal(signal);
    REQUIRE(init_->ended(seconds(20)));
    init_.reset();
}

void postgres_process::freeze(bool frozen) const {
    // The postmaster is the init's only child that is asked for new connections.
    std::array<char, 64> path{};
    std::snprintf(path.data(), path.size(), "/proc/%d/task/%d/children", init_->pid(),
                  init_->pid());
    std::istringstream pids(text_of(path.data()));
    for (pid_t pid = 0; pids >> pid;)
        ::kill(pid, frozen ? SIGSTOP : SIGCONT);
}

postgres::settings postgres_process::login() const {
    postgres::settings how;
    how.host = "127.0.0.1";
    how.port = port_;
    return how;
}

std::string postgres_process::conninfo() const {
    return "host=127.0.0.1 port=" + std::to_string(port_) + " user=postgres dbname=postgres";
}

awaitable<std::string> ask(postgres_process const& whom, std::string statement) {
    return ask_for(seconds(5), whom, std::move(statement));
}

awaitable<std::string> ask_for(milliseconds patience, postgres_process const& whom,
                               std::string statement) {
    auto const executor = co_await boost::asio::this_coro::executor;
    auto const c = postgres::make_connection(executor, whom.login());
    auto const limit = std::chrono::steady_clock::now() + patience;
    auto const opened = co_await c->open(limit);
    if (!opened) co_return "error: " + opened.error().doing;
    std::vector<std::string> none;
    auto const got = co_await c->query(std::move(statement), std::move(none), limit);
    if (!got) co_return "error: " + got.error().doing;
    co_return got->failed() ? "error: " + got->error : got->value();
}

}  // namespace bevmesh::testing
