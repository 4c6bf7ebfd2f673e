# A Consul server of a bevmesh mesh: what is the same on every node. Beside it in /etc/consul.d goes
# what is not, and what is secret: node_name, bind_addr, retry_join, encrypt, acl.tokens. Written
# for Consul 1.22; the reference is "Agents Configuration" in Consul's documentation.

server           = true
bootstrap_expect = 3      # three nodes, three servers: one may fail
datacenter       = "bev"
domain           = "consul"

# HTTP and DNS for this node alone. The daemon and the node's resolver are here; other nodes have
# their own agent. What crosses the mesh is gossip (8301) and server RPC (8300) on bind_addr.
client_addr = "127.0.0.1"
ports {
  grpc     = -1           # xDS, for Envoy: not used
  grpc_tls = -1
}
connect {
  enabled = false         # certificates come from Vault; a second CA would only be another secret
}

# Timeouts for a leader lost: 1 is what Consul advises for production; its default, 5, is for the
# smallest virtual machines and makes an election take seconds longer.
performance {
  raft_multiplier = 1
}

# Nothing without a token, by default. Policies for the tokens are beside this file.
acl {
  enabled        = true
  default_policy = "deny"
  down_policy    = "extend-cache"   # a follower without leader goes on with what it knows
  # Tokens are in a file of the node, not only in the agent's data: an agent that lost its data
  # directory comes back with them.
  enable_token_persistence = false
}

dns_config {
  # Any server answers from its own copy, unless that is older than this; then it asks the leader.
  # The default, ten years, would let a server that was cut off name a primary that has moved.
  allow_stale = true
  max_stale   = "1s"
  # An answer too long for UDP is cut and marked (TC), so that a resolver asks again by TCP. Without
  # it a service of many instances loses some of them, silently.
  enable_truncate = true
  # Answers are not cached at all: a resolver must see a failed instance go.
  service_ttl { "*" = "0s" }
  node_ttl    = "0s"
}

# Whoever may register a service could otherwise run a program as Consul's user. Checks of kind
# script and docker come through the API, which this alone opens (enable_local_script_checks is for
# files): set it to true on nodes that use them, and guard the daemon's token accordingly.
enable_script_checks = false

# What a container answers is text from a container: bounded, and written back at most so often when
# only the text changed.
check_output_max_size = 4096
check_update_interval = "5m"

# A server that is told to stop is a restart, not a farewell: it keeps its place among the peers.
leave_on_terminate      = false
skip_leave_on_interrupt = true
rejoin_after_leave      = true
autopilot {
  # The three servers are the mesh's nodes. Consul's default would remove one that hung for ten
  # seconds from the catalog with all its services, and its agent would bring these back only with
  # its next full sync, up to a minute after it is well again (seen with 1.22.7). A node that is
  # gone for good: `consul force-leave -prune NODE`, `consul operator raft remove-peer`.
  cleanup_dead_servers      = false
  last_contact_threshold    = "200ms"
  server_stabilization_time = "10s"
}

disable_update_check = true
log_level            = "info"
