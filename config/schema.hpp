// The document, described once: each key with its type, its default and a sentence.
//
// Reading, `config show` and the JSON Schema are made from this description; there is no second
// list of keys. Pure.
#pragma once

#include "config/type.hpp"
#include "mesh/base/config.hpp"

namespace bevmesh::config {

/// The whole document; built once.
[[nodiscard]] type<mesh_config> const& document();

/// Parts of it, for the parts to be files of their own.
[[nodiscard]] type_of<std::vector<service_config>> services_section();
[[nodiscard]] type_of<check_config> check_entry();
[[nodiscard]] type_of<service_tls_config> service_tls_entry();
[[nodiscard]] type_of<registrar_config> registrar_section();
[[nodiscard]] type_of<std::vector<failover_group_config>> failover_section();
[[nodiscard]] type_of<tls_config> tls_section();
[[nodiscard]] type_of<peers_config> peers_section();
[[nodiscard]] type_of<vault_config> vault_section();
[[nodiscard]] type_of<metrics_config> metrics_section();

/// JSON Schema, draft 2020-12, for editors: keys, types, formats; not the rules across keys.
[[nodiscard]] json json_schema();

/// The kind's key in the document.
[[nodiscard]] std::string_view key_of(check_kind kind) noexcept;

}  // namespace bevmesh::config
