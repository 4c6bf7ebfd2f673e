#include "mesh/net/listener.hpp"

#include <grp.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

#include <boost/asio/redirect_error.hpp>

namespace bevmesh::net {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using unix_socket = asio::local::stream_protocol;

namespace {

failure cannot_listen(std::string const& where, error_code const& error) {
    auto const code = error == asio::error::address_in_use ? errc::conflict : errc::local_error;
    return {code, "listen on " + where + ": " + error.message()};
}

template <class Protocol>
class socket_listener : public listener {
public:
    socket_listener(typename Protocol::acceptor acceptor, std::string name)
        : acceptor_(std::move(acceptor)), name_(std::move(name)) {}

    result<void> listen() {
        error_code error;
        acceptor_.listen(asio::socket_base::max_listen_connections, error);
        if (error) return cannot_listen(name_, error);
        return {};
    }
    awaitable<result<std::unique_ptr<byte_stream>>> accept() override {
        error_code error;
        auto socket =
            co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
        if (!error) co_return stream_of(std::move(socket));
        bool const over = error == asio::error::operation_aborted || !acceptor_.is_open();
        co_return failure{over ? errc::canceled : errc::local_error,
                          "accept on " + name_ + ": " + error.message()};
    }
    void close() noexcept override {
        error_code ignored;
        acceptor_.close(ignored);
    }
    std::uint16_t port() const noexcept override { return 0; }
    std::string const& name() const noexcept override { return name_; }

protected:
    virtual std::unique_ptr<byte_stream> stream_of(typename Protocol::socket socket) {
        return make_stream(std::move(socket));
    }

    typename Protocol::acceptor acceptor_;
    std::string name_;
};

class tcp_listener final : public socket_listener<tcp> {
public:
    tcp_listener(tcp::acceptor acceptor, std::string name, std::shared_ptr<tls_door> tls)
        : socket_listener(std::move(acceptor), std::move(name)), tls_(std::move(tls)) {}

    std::uint16_t port() const noexcept override {
        error_code ignored;
        return acceptor_.local_endpoint(ignored).port();
    }

protected:
    std::unique_ptr<byte_stream> stream_of(tcp::socket socket) override {
        return tls_ ? make_stream(std::move(socket), *tls_) : make_stream(std::move(socket));
    }

private:
    std::shared_ptr<tls_door> tls_;
};

class unix_listener final : public socket_listener<unix_socket> {
public:
    unix_listener(unix_socket::acceptor acceptor, std::string path)
        : socket_listener(std::move(acceptor), "unix://" + path), path_(std::move(path)) {
        struct stat file{};
        if (::stat(path_.c_str(), &file) == 0) inode_ = file.st_ino;
    }
    ~unix_listener() override {
        struct stat file{};
        if (::stat(path_.c_str(), &file) == 0 && file.st_ino == inode_) ::unlink(path_.c_str());
    }

private:
    std::string path_;
    ino_t inode_ = 0;
};

/// Removes a socket that nobody serves; errc::conflict for a live one and for any other file.
result<void> clear_path(asio::any_io_executor const& executor, std::string const& path) {
    struct stat file{};
    if (::lstat(path.c_str(), &file) != 0) return {};
    if (!S_ISSOCK(file.st_mode)) {
        return failure{errc::conflict,
                       "listen on unix://" + path + ": a file that is no socket is there"};
    }
    unix_socket::socket probe(executor);
    error_code error;
    probe.open(unix_socket(), error);
    if (!error) probe.non_blocking(true, error);
    if (!error) probe.connect(unix_socket::endpoint(path), error);
    if (error != asio::error::connection_refused) {
        return failure{errc::conflict, "listen on unix://" + path + ": somebody serves there"};
    }
    ::unlink(path.c_str());
    return {};
}

/// -1 when there is no such group.
gid_t group_id(std::string const& name) {
    if (name.empty()) return static_cast<gid_t>(-1);
    std::vector<char> buffer(16U << 10U);
    group entry{};
    group* found = nullptr;
    ::getgrnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
    return found == nullptr ? static_cast<gid_t>(-1) : found->gr_gid;
}

result<std::unique_ptr<listener>> listen_unix(asio::any_io_executor const& executor,
                                              listen_options const& options) {
    auto const& path = options.socket_path;
    sockaddr_un limit{};
    if (path.size() >= sizeof limit.sun_path) {
        return failure{errc::bad_input, "listen on unix://" + path + ": the path is too long"};
    }
    if (auto const cleared = clear_path(executor, path); cleared.has_error())
        return cleared.error();
    unix_socket::acceptor acceptor(executor);
    error_code error;
    acceptor.open(unix_socket(), error);
    if (!error) {
        // By umask, so that there is no moment at which the file is open to more.
        auto const before = ::umask(~options.mode & 0777U);
        acceptor.bind(unix_socket::endpoint(path), error);
        ::umask(before);
    }
    if (error) return cannot_listen("unix://" + path, error);
    auto bound = std::make_unique<unix_listener>(std::move(acceptor), path);
    auto const owner = group_id(options.group);
    if (owner != static_cast<gid_t>(-1) &&
        ::chown(path.c_str(), static_cast<uid_t>(-1), owner) != 0) {
        return cannot_listen("unix://" + path, {errno, boost::system::system_category()});
    }
    if (auto const listening = bound->listen(); listening.has_error()) return listening.error();
    return std::unique_ptr<listener>(std::move(bound));
}

result<std::unique_ptr<listener>> listen_tcp(asio::any_io_executor const& executor,
                                             listen_options const& options) {
    auto const where = options.address + " port " + std::to_string(options.port);
    error_code error;
    auto const address = asio::ip::make_address(options.address, error);
    if (error) return failure{errc::bad_input, "listen on " + where + ": not a literal address"};
    tcp::endpoint const local(address, options.port);
    tcp::acceptor acceptor(executor);
    acceptor.open(local.protocol(), error);
    if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor.bind(local, error);
    if (error) return cannot_listen(where, error);
    auto bound = std::make_unique<tcp_listener>(std::move(acceptor), where, options.tls);
    if (auto const listening = bound->listen(); listening.has_error()) return listening.error();
    return std::unique_ptr<listener>(std::move(bound));
}

}  // namespace

result<std::unique_ptr<listener>> make_listener(asio::any_io_executor const& executor,
                                                listen_options const& options) {
    return options.socket_path.empty() ? listen_tcp(executor, options)
                                       : listen_unix(executor, options);
}

}  // namespace bevmesh::net
