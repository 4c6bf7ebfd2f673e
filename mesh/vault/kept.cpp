#include "mesh/vault/kept.hpp"

#include "mesh/base/json_fields.hpp"

namespace bevmesh::vault {

secret encode_kept(session_kept const& kept) {
    json::value out = json::value::object();
    auto const put = [&out](char const* key, secret const& value) {
        if (!value.empty()) out[key] = value.reveal();
    };
    put("token", kept.token);
    put("secret_id", kept.secret_id);
    put("next_secret_id", kept.next);
    put("retired_secret_id", kept.retired);
    return secret(json::dump(out) + "\n");
}

result<session_kept> decode_kept(std::string_view document) {
    return json::decode(document, "the kept login", [](json::value const& v) {
        session_kept k;
        k.token = secret(json::text(v, "token"));
        k.secret_id = secret(json::text(v, "secret_id"));
        k.next = secret(json::text(v, "next_secret_id"));
        k.retired = secret(json::text(v, "retired_secret_id"));
        return k;
    });
}

}  // namespace bevmesh::vault
