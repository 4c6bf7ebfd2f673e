# The token of the bevmesh daemon (/etc/bevmesh/consul.token, mode 0600). One policy a node, with
# the node's name for NODE. `bevmesh consul bootstrap` makes it for every node; by hand:
#   sed s/NODE/thanos/ daemon-policy.hcl | consul acl policy create -name bevmesh-thanos -rules -

# Registers and deregisters the services of this node's agent with their checks, puts them in
# maintenance, reads who is healthy where. A container may have any name, so no prefix can bound it;
# that a registration stands on this node is what the agent token bounds.
service_prefix "" {
  policy     = "write"
  intentions = "deny"
}

# Reads the catalog: which nodes there are, and their health (serfHealth).
node_prefix "" {
  policy = "read"
}

# Asks its own agent who and how it is (/v1/agent/self, /v1/agent/metrics); no other agent, and it
# cannot change it: no reload (but for reload-policy.hcl), no leave, no tokens.
agent "NODE" {
  policy = "read"
}

# Leases of failover groups, and the endpoints GROUP-primary beside them on a node that no agent
# owns: written in one transaction.
key_prefix "bevmesh/failover/" {
  policy = "write"
}
node "bevmesh" {
  policy = "write"
}

# Whose turn it is to restart an instance of a service that cannot reload its certificate.
key_prefix "bevmesh/restart/" {
  policy = "write"
}

# Not granted: other keys, session, event, query, acl, operator.
