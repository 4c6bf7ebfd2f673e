#include "certs/reload.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>
#include <utility>
#include <vector>

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <openssl/x509_vfy.h>

#include "mesh/net/deadline.hpp"
#include "mesh/net/program.hpp"
#include "mesh/net/tls.hpp"

namespace bevmesh::certs {

namespace asio = boost::asio;

namespace {

constexpr milliseconds look_again{200};
constexpr milliseconds other_limit{1'000};

/// A service whose certificate has ended could not be told of the next one otherwise. Chain and
/// name are checked as always.
result<void> ignore_dates(net::tls_options& of) {
    auto context = net::make_client_context(of);
    if (context.has_error()) return context.error();
    X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param((*context)->native_handle()),
                                X509_V_FLAG_NO_CHECK_TIME);
    of.context = std::move(*context);
    return {};
}

/// 0: none of those that mean "read your files again" to somebody.
int number_of(std::string_view signal) {
    constexpr std::array<std::pair<std::string_view, int>, 6> known{{{"SIGHUP", SIGHUP},
                                                                     {"SIGUSR1", SIGUSR1},
                                                                     {"SIGUSR2", SIGUSR2},
                                                                     {"SIGINT", SIGINT},
                                                                     {"SIGTERM", SIGTERM},
                                                                     {"SIGQUIT", SIGQUIT}}};
    for (auto const& [name, number] : known)
        if (name == signal) return number;
    return 0;
}

asio::awaitable<result<void>> connect_until_it_works(wire_address where) {
    boost::system::error_code error;
    auto const address = asio::ip::make_address(where.host, error);
    if (error) co_return failure{errc::bad_input, to_string(where) + ": is no literal address"};
    asio::ip::tcp::endpoint const peer(address, where.port);
    auto const executor = co_await asio::this_coro::executor;
    asio::steady_timer pause(executor);
    for (;;) {
        asio::ip::tcp::socket socket(executor);
        co_await socket.async_connect(peer, asio::redirect_error(asio::use_awaitable, error));
        if (!error) co_return result<void>();
        pause.expires_after(look_again);
        co_await pause.async_wait(asio::use_awaitable);
    }
}

/// Until a connection is taken; what it then says is for the look at the wire.
asio::awaitable<result<void>> wait_for(wire_address where, milliseconds limit) {
    auto const doing = "connect to " + to_string(where);
    auto connecting = connect_until_it_works(std::move(where));
    return net::with_deadline(std::move(connecting), limit, doing);
}

/// The first value of the answer.
asio::awaitable<result<std::string>> ask_postgres(postgres::settings where, std::string statement,
                                                  milliseconds limit) {
    auto const executor = co_await asio::this_coro::executor;
    auto const deadline = std::chrono::steady_clock::now() + limit;
    auto const doing = statement;
    auto const server = postgres::make_connection(executor, std::move(where));
    auto const opened = co_await server->open(deadline);
    if (opened.has_error()) co_return opened.error();
    std::vector<std::string> parameters;
    auto const answered =
        co_await server->query(std::move(statement), std::move(parameters), deadline);
    server->close();
    if (answered.has_error()) co_return answered.error();
    if (answered->failed())
        co_return failure{errc::remote_error,
                          doing + " at " + server->name() + ": " + answered->error};
    co_return answered->value();
}

}  // namespace

asio::awaitable<result<void>> reload_redis(redis::settings where, file_paths files, dates how,
                                           milliseconds limit) {
    if (how == dates::ignored) {
        auto const done = ignore_dates(where.tls);
        if (done.has_error()) co_return done.error();
    }
    auto const executor = co_await asio::this_coro::executor;
    auto const deadline = std::chrono::steady_clock::now() + limit;
    auto made = redis::make_connection(executor, std::move(where));
    if (made.has_error()) co_return made.error();
    auto& server = **made;
    auto const opened = co_await server.open(deadline);
    if (opened.has_error()) co_return opened.error();
    std::vector<std::string> command{"CONFIG", "SET"};
    for (auto const& word :
         {std::string("tls-cert-file"), files.certificate, std::string("tls-key-file"), files.key,
          std::string("tls-ca-cert-file"), files.trusted})
        command.push_back(word);
    auto const answered = co_await server.call(std::move(command), deadline);
    server.close();
    if (answered.has_error()) co_return answered.error();
    if (answered->failed())
        co_return failure{errc::remote_error,
                          "CONFIG SET tls-cert-file at " + server.name() + ": " + answered->text};
    co_return result<void>();
}

asio::awaitable<result<void>> reload_postgres(postgres::settings where, milliseconds limit) {
    std::string statement = "SELECT pg_reload_conf()";
    auto const answered = co_await ask_postgres(std::move(where), std::move(statement), limit);
    if (answered.has_error()) co_return answered.error();
    if (*answered != "t") co_return failure{errc::remote_error, "pg_reload_conf() says no"};
    co_return result<void>();
}

asio::awaitable<result<void>> check_postgres_crl(postgres::settings where, std::string file,
                                                 milliseconds limit) {
    auto const at = where.host + ":" + std::to_string(where.port);
    std::string statement = "SELECT current_setting('ssl_crl_file')";
    auto const answered = co_await ask_postgres(std::move(where), std::move(statement), limit);
    if (answered.has_error()) co_return answered.error();
    if (*answered == file) co_return result<void>();
    co_return failure{errc::conflict,
                      "ssl_crl_file at " + at + " is '" + *answered + "', expected '" + file + "'"};
}

asio::awaitable<result<void>> check_nginx_crl(docker::client& engine, std::string name,
                                              std::string file) {
    std::vector<std::string> argv{"nginx", "-T"};
    auto container = name;
    auto const shown = co_await engine.exec(std::move(container), std::move(argv));
    if (shown.has_error()) co_return shown.error();
    std::istringstream lines(shown->out);
    for (std::string line; std::getline(lines, line);) {
        std::istringstream words(line);
        std::string key;
        std::string value;
        words >> key >> value;
        if (key == "ssl_crl" && (value == file + ";" || value == file)) co_return result<void>();
    }
    co_return failure{errc::conflict, "no ssl_crl of nginx in " + name + " is " + file};
}

asio::awaitable<result<void>> signal_container(docker::client& engine, std::string name,
                                               std::string signal) {
    return engine.kill(std::move(name), std::move(signal));
}

asio::awaitable<result<void>> run_in_container(docker::client& engine, std::string name,
                                               std::vector<std::string> argv) {
    auto const doing = "run " + (argv.empty() ? std::string() : argv.front()) + " in " + name;
    auto const done = co_await engine.exec(std::move(name), std::move(argv));
    if (done.has_error()) co_return done.error();
    if (done->exit_code == 0) co_return result<void>();
    auto const& said = done->err.empty() ? done->out : done->err;
    co_return failure{errc::local_error, doing + ": status " + std::to_string(done->exit_code) +
                                             ": " + said.substr(0, said.find('\n'))};
}

asio::awaitable<result<void>> signal_process(std::string pid_file, std::string signal) {
    std::ifstream file(pid_file);
    pid_t process = 0;
    if (!(file >> process) || process <= 1)
        co_return failure{errc::local_error, pid_file + ": no number of a process is in it"};
    auto const number = number_of(signal);
    if (number == 0) co_return failure{errc::bad_input, "there is no signal " + signal};
    if (::kill(process, number) == 0) co_return result<void>();
    auto const why = std::strerror(errno);
    co_return failure{errc::local_error,
                      signal + " to process " + std::to_string(process) + ": " + why};
}

asio::awaitable<result<void>> run_on_node(std::vector<std::string> argv, milliseconds limit) {
    net::program what;
    what.argv = std::move(argv);
    return net::run_program(std::move(what), limit);
}

asio::awaitable<result<void>> may_restart(restart_settings how) {
    if (how.may) {
        auto const allowed = how.may();
        if (allowed.has_error()) co_return allowed.error();
    }
    for (auto const& other : how.others) {
        auto const there = co_await wait_for(other, other_limit);
        if (there.has_error())
            co_return failure{errc::conflict,
                              "one is restarted at a time, and another instance is "
                              "away: " +
                                  there.error().doing};
    }
    co_return result<void>();
}

namespace {

asio::awaitable<result<void>> restart_in_turn(docker::client& engine, restart_settings how) {
    auto const allowed = co_await may_restart(how);
    if (allowed.has_error()) co_return allowed.error();
    auto const stopped = co_await engine.stop(how.container, how.grace);
    if (stopped.has_error()) co_return stopped.error();
    auto const started = co_await engine.start(how.container);
    if (started.has_error()) co_return started.error();
    co_return co_await wait_for(how.where, how.limit);
}

}  // namespace

asio::awaitable<result<void>> restart_container(docker::client& engine, restart_settings how) {
    if (how.take_turn) {
        auto const mine = co_await how.take_turn();
        if (mine.has_error()) co_return mine.error();
    }
    auto restarting = restart_in_turn(engine, how);
    auto const done = co_await std::move(restarting);
    if (how.give_turn_back) co_await how.give_turn_back();
    co_return done;
}

asio::awaitable<result<void>> post(net::endpoint where, net::tls_options tls, std::string target,
                                   dates how, milliseconds limit) {
    if (how == dates::ignored && where.transport == net::endpoint::kind::tls) {
        auto const done = ignore_dates(tls);
        if (done.has_error()) co_return done.error();
    }
    auto const executor = co_await asio::this_coro::executor;
    net::http_client_options options;
    options.peer = std::move(where);
    options.tls = std::move(tls);
    auto client = net::make_http_client(executor, std::move(options));
    if (client.has_error()) co_return client.error();
    net::http_request request;
    request.method = "POST";
    request.target = std::move(target);
    request.timeout = limit;
    auto const sent = request;
    auto const answered = co_await (*client)->send(std::move(request));
    if (answered.has_error()) co_return answered.error();
    if (answered->status < 300) co_return result<void>();
    co_return net::status_failure(sent, (*client)->peer(), answered->status, answered->body);
}

asio::awaitable<result<void>> check_binds(docker::client& engine, std::string name,
                                          std::string folder) {
    auto const found = co_await engine.inspect(name);
    // An engine that does not answer is told elsewhere, and hinders no renewal.
    if (found.has_error()) co_return result<void>();
    for (auto const& source : found->bound)
        if (source.starts_with(folder + "/"))
            co_return failure{errc::conflict,
                              "container " + name + " has " + source +
                                  " bound into it alone, where a new one would not be seen: bind "
                                  "the folder " +
                                  folder + ", or use `layout: inplace`"};
    co_return result<void>();
}

asio::awaitable<result<void>> tell_in_turn(std::vector<reload_call> calls, dates how) {
    for (auto const& one : calls) {
        auto const done = co_await one(how);
        if (done.has_error()) co_return done.error();
    }
    co_return result<void>();
}

asio::awaitable<result<void>> tell_all(std::vector<reload_call> calls, dates how) {
    result<void> all;
    for (auto const& one : calls) {
        auto const done = co_await one(how);
        if (done.has_value()) continue;
        auto const& said = done.error();
        all = failure{said.code,
                      all.has_error() ? all.error().doing + "; " + said.doing : said.doing};
    }
    co_return all;
}

}  // namespace bevmesh::certs
