// registrator's settings of a container: SERVICE_<key>, SERVICE_<port>_<key> in environment and
// labels.
//
// Its rules (bridge/util.go at 6bfadbc): the prefix is case-sensitive, the key is not; the port is
// the container's own; a port's own key beats a general one, and of equal ones a label the
// environment. An empty value counts as unset, but a port's own empty one still hides the general
// one. From fayrus/registrator: SERVICE_<port>_<tcp|udp>_<key>, which beats SERVICE_<port>_<key>,
// and SERVICE_<low>-<high>_IGNORE.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "mesh/docker/types.hpp"

namespace bevmesh::registrar {

/// What holds for one port.
class port_settings {
public:
    /// The value, or "" for an unset one.
    [[nodiscard]] std::string const& get(std::string_view key) const;
    /// The key is given for this very port, be it with an empty value.
    [[nodiscard]] bool own(std::string_view key) const;
    [[nodiscard]] auto begin() const { return values_.begin(); }
    [[nodiscard]] auto end() const { return values_.end(); }

private:
    friend class compat_keys;
    struct setting {
        int level = 0;  // 0 general, 1 of a range, 2 of the port, 3 of port and protocol
        std::string value;
    };
    std::map<std::string, setting, std::less<>> values_;
};

class compat_keys {
public:
    explicit compat_keys(docker::container const& container);

    /// Nobody said anything to registrator about this container.
    [[nodiscard]] bool empty() const { return entries_.empty(); }
    [[nodiscard]] port_settings for_port(docker::port_key const& port) const;

private:
    void add(std::string_view key, std::string_view value);

    std::vector<std::pair<std::string, std::string>> entries_;  // later ones win
};

}  // namespace bevmesh::registrar
