// The metrics of the certificates that this node keeps.
#pragma once

namespace bevmesh::daemon {

class certificates;
class families;

void add_certificates(families& to, certificates const& kept);

}  // namespace bevmesh::daemon
