#include "failover/driver/lease_store.hpp"

#include <nlohmann/json.hpp>

#include "mesh/consul/codec.hpp"
#include "mesh/consul/watch.hpp"
#include "mesh/net/deadline.hpp"

namespace bevmesh::failover {

using nlohmann::json;

namespace {

/// The catalog's node that no agent owns, so that no anti-entropy takes the endpoint away.
constexpr auto synthetic_node = "bevmesh";

json endpoint_of(std::string const& group, lease_record const& record,
                 service_addresses const& where) {
    auto const name = group + "-primary";
    auto const at = where.find(record.holder);
    auto const address = at == where.end() ? service_address() : at->second;
    return {{"Service",
             {{"Verb", "set"},
              {"Node", synthetic_node},
              {"Service",
               {{"ID", name},
                {"Service", name},
                {"Tags", json::array({record.holder})},
                {"Address", address.host},
                {"Port", address.port},
                {"Meta",
                 {{"bevmesh-failover", group},
                  {"node", record.holder},
                  {"epoch", std::to_string(record.epoch)}}}}}}}};
}

outcome outcome_of(errc code) {
    switch (code) {
        case errc::conflict:
        case errc::forbidden:
        case errc::unreachable:
        case errc::bad_input:
            return outcome::refused;
        default:
            return outcome::unknown;
    }
}

class consul_store final : public lease_store {
public:
    consul_store(consul::client& agent, std::string group, service_addresses where)
        : consul_(agent),
          group_(std::move(group)),
          where_(std::move(where)),
          key_(lease_key(group_)) {}

    awaitable<std::variant<record_seen, read_failed>> read(std::uint64_t op,
                                                           milliseconds limit) override {
        consul::blocking how;
        how.consistent = true;
        auto asking = consul_.kv_list(key_, how);
        auto const got = co_await net::with_deadline(std::move(asking), limit, "read the lease");
        if (!got || got->filtered) co_return read_failed{op};
        auto seen = record_of(got->value);
        seen.op = op;
        co_return seen;
    }

    awaitable<write_answered> write(write_record what, milliseconds limit) override {
        write_answered answer;
        answer.write_id = what.record.write_id;
        auto writing = consul_.transaction(encode_transaction(what, group_, where_));
        auto const got = co_await net::with_deadline(std::move(writing), limit, "write the lease");
        if (!got) {
            answer.result = outcome_of(got.error().code);
            answer.detail = describe(got.error());
            // What is refused at once would be asked again at once.
            answer.conflict = got.error().code == errc::conflict;
            auto const pace = answer.conflict ? limit / 10 : limit / 2;
            co_await net::sleep_for(pace);
            co_return answer;
        }
        auto const index = decode_transaction(*got, group_);
        if (index) {
            answer.result = outcome::done;
            answer.index = *index;
        } else {
            answer.detail = describe(index.error());
        }
        co_return answer;
    }

    awaitable<void> watch(listener on_change) override {
        using entries = std::vector<consul::kv_entry>;
        consul::watch_hooks<entries> hooks;
        hooks.ask = [this](consul::blocking how) { return consul_.kv_list(key_, how); };
        hooks.on_news = [this, on_change](entries const& seen) { on_change(record_of(seen)); };
        consul::watch_policy policy;
        // A query that a dead server holds is not waited for much longer than that.
        policy.wait = milliseconds(10'000);
        policy.burst = 10;
        policy.pace = milliseconds(20);
        policy.retry = {milliseconds(50), milliseconds(500)};
        auto watching = consul::watch(std::move(hooks), policy, 1);
        co_await std::move(watching);
    }

private:
    // The prefix of one group may be that of another.
    [[nodiscard]] record_seen record_of(std::vector<consul::kv_entry> const& entries) const {
        record_seen seen;
        for (auto const& e : entries) {
            if (e.key != key_) continue;
            seen.index = e.modify_index;
            auto record = decode_record(e.value);
            if (record)
                seen.record = std::move(*record);
            else
                seen.unreadable = describe(record.error());
        }
        return seen;
    }

    consul::client& consul_;
    std::string group_;
    service_addresses where_;
    std::string key_;
};

}  // namespace

std::string lease_key(std::string_view group) {
    return "bevmesh/failover/" + std::string(group);
}

std::string encode_transaction(write_record const& what, std::string const& group,
                               service_addresses const& where) {
    json entry{{"Verb", what.unconditional ? "set" : "cas"},
               {"Key", lease_key(group)},
               {"Value", consul::base64_encode(encode(what.record))}};
    if (!what.unconditional) entry["Index"] = what.base;
    json operations = json::array({{{"KV", std::move(entry)}}});
    if (what.endpoint == endpoint_change::publish) {
        operations.push_back({{"Node",
                               {{"Verb", "set"},
                                {"Node",
                                 {{"Node", synthetic_node},
                                  {"Address", "127.0.0.1"},
                                  {"Meta", {{"external-node", "true"}}}}}}}});
        operations.push_back(endpoint_of(group, what.record, where));
    } else if (what.endpoint == endpoint_change::remove) {
        operations.push_back({{"Service",
                               {{"Verb", "delete"},
                                {"Node", synthetic_node},
                                {"Service",
                                 // Without the name Consul refuses the whole transaction.
                                 {{"ID", group + "-primary"}, {"Service", group + "-primary"}}}}}});
    }
    return operations.dump();
}

result<std::uint64_t> decode_transaction(std::string_view document, std::string const& group) {
    auto const parsed = json::parse(document, nullptr, false);
    auto const bad = failure{errc::bad_answer, "the answer to a transaction: no ModifyIndex"};
    if (!parsed.is_object() || !parsed.contains("Results") || !parsed["Results"].is_array())
        return bad;
    for (auto const& one : parsed["Results"]) {
        if (!one.is_object() || !one.contains("KV") || !one["KV"].is_object()) continue;
        auto const& entry = one["KV"];
        if (entry.value("Key", "") != lease_key(group)) continue;
        auto const index = entry.find("ModifyIndex");
        if (index != entry.end() && index->is_number_unsigned()) return index->get<std::uint64_t>();
    }
    return bad;
}

std::unique_ptr<lease_store> make_lease_store(consul::client& agent, std::string group,
                                              service_addresses where) {
    return std::make_unique<consul_store>(agent, std::move(group), std::move(where));
}

}  // namespace bevmesh::failover
