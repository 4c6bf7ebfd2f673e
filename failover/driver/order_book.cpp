#include "failover/driver/order_book.hpp"

#include "mesh/consul/watch.hpp"
#include "mesh/log/log.hpp"

namespace bevmesh::failover {
namespace {

namespace asio = boost::asio;
using asio::awaitable;
using entries = std::vector<consul::kv_entry>;

constexpr int tries = 5;

/// The entry of that key, when it is there; `list` is of all that begin so.
consul::kv_entry const* entry_in(entries const& list, std::string const& key) {
    for (auto const& e : list)
        if (e.key == key) return &e;
    return nullptr;
}

}  // namespace

awaitable<void> order_book::watch(std::function<void()> on_change) {
    consul::watch_hooks<entries> hooks;
    hooks.ask = [this](consul::blocking how) { return consul_.kv_list(key_, how); };
    hooks.on_news = [this, on_change](entries const& list) {
        auto const* const e = entry_in(list, key_);
        auto read = e == nullptr ? standing_orders() : decode_orders(e->value);
        if (!read) {
            log::logger("failover")
                .warning("an entry of Consul's KV is no order of ours",
                         {{"key", key_}, {"reason", describe(read.error())}});
            return;
        }
        seen_ = std::move(*read);
        on_change();
    };
    consul::watch_policy policy;
    policy.retry = {milliseconds(200), milliseconds(5'000)};
    auto watching = consul::watch(std::move(hooks), policy, 1);
    co_await std::move(watching);
}

awaitable<result<void>> order_book::change(edit how) {
    for (int i = 0; i < tries; ++i) {
        auto const changed = co_await try_change(how);
        if (!changed) co_return changed.error();
        if (*changed) co_return result<void>();
    }
    co_return failure{errc::conflict, "somebody else changes the orders at the same time"};
}

awaitable<result<bool>> order_book::try_change(edit how) {
    consul::blocking ask;
    ask.consistent = true;
    auto const list = co_await consul_.kv_list(key_, ask);
    if (!list) co_return list.error();
    if (list->filtered) co_return failure{errc::forbidden, "the token may not read " + key_};
    auto const* const e = entry_in(list->value, key_);
    // What cannot be read is replaced: an operator's word is the way out of it.
    auto read = e == nullptr ? standing_orders() : decode_orders(e->value);
    auto orders = read ? std::move(*read) : standing_orders();
    how(orders);
    auto text = encode(orders);
    std::optional<std::uint64_t> const base = e == nullptr ? 0 : e->modify_index;
    auto const written = co_await consul_.kv_put(key_, std::move(text), base);
    if (!written) co_return written.error();
    // Not `written` itself: as what is returned a result<bool> becomes whether it has a value.
    co_return *written;
}

}  // namespace bevmesh::failover
