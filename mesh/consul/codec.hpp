// Consul's JSON to values and back. Pure: tested on answers recorded from Consul 1.22.
//
// Every decode is errc::bad_answer when the document is not what Consul documents; fields that
// bevmesh does not read may be anything.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "mesh/base/result.hpp"
#include "mesh/consul/answer.hpp"
#include "mesh/consul/types.hpp"

namespace bevmesh::consul {

/// The body of PUT /v1/agent/service/register.
[[nodiscard]] std::string encode_registration(service_definition const& definition);
/// The body of PUT /v1/agent/check/update/ID; maintenance is reported as critical.
[[nodiscard]] std::string encode_check_update(status state, std::string_view output);

[[nodiscard]] result<agent_self> decode_self(std::string_view document);
[[nodiscard]] result<std::map<std::string, agent_service>> decode_agent_services(
    std::string_view document);
[[nodiscard]] result<agent_service> decode_agent_service(std::string_view document);
[[nodiscard]] result<std::map<std::string, agent_check>> decode_agent_checks(
    std::string_view document);
[[nodiscard]] result<agent_entry> decode_agent_entry(std::string_view document);
/// Service names with all their tags.
[[nodiscard]] result<std::map<std::string, std::vector<std::string>>> decode_catalog_services(
    std::string_view document);
[[nodiscard]] result<std::vector<health_entry>> decode_catalog_service(std::string_view document);
[[nodiscard]] result<std::vector<health_entry>> decode_health_service(std::string_view document);
[[nodiscard]] result<std::vector<kv_entry>> decode_kv(std::string_view document);
/// The reasons of a transaction that was refused: "operation 0: failed to set key ...; ...".
[[nodiscard]] result<std::string> decode_transaction_errors(std::string_view document);
/// "ACCESSOR (policy, policy)"; the secret ID in the document is not looked at.
[[nodiscard]] result<std::string> decode_token(std::string_view document);

/// What the headers say; see `answer`. `with_token`: a request without one is never told that its
/// answer was filtered (seen with 1.22.7), so under a default policy of "deny" it counts as
/// filtered.
struct answer_facts {
    std::uint64_t index = 0;
    std::string content_hash;
    bool filtered = false;
    bool known_leader = true;
    milliseconds last_contact{0};

    friend bool operator==(answer_facts const&, answer_facts const&) = default;
};
using header_lines = std::vector<std::pair<std::string, std::string>>;
[[nodiscard]] answer_facts decode_headers(header_lines const& headers, bool with_token);

/// As Go's time.ParseDuration reads it: whole seconds as "10s", else milliseconds, "1500ms".
[[nodiscard]] std::string encode_duration(milliseconds d);
/// Go's form, "1m30s", "1.5s", "500ms", "0"; below a millisecond is cut off. errc::bad_answer.
[[nodiscard]] result<milliseconds> decode_duration(std::string_view text);

[[nodiscard]] std::string base64_encode(std::string_view bytes);
[[nodiscard]] result<std::string> base64_decode(std::string_view text);

}  // namespace bevmesh::consul
