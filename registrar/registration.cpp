#include "registrar/registration.hpp"

namespace bevmesh::registrar {

std::string_view name(origin o) noexcept {
    switch (o) {
        case origin::configured:
            return "configured";
        case origin::labels:
            return "labels";
        case origin::compat:
            return "registrator";
        case origin::compose:
            return "compose";
        case origin::swarm:
            return "swarm";
    }
    return "unknown";
}

std::string_view name(reporter r) noexcept {
    switch (r) {
        case reporter::consul:
            return "consul";
        case reporter::daemon:
            return "bevmesh";
        case reporter::docker_health:
            return "docker";
        case reporter::application:
            return "application";
    }
    return "unknown";
}

}  // namespace bevmesh::registrar
