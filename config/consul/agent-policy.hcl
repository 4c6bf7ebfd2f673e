# The token of a Consul agent itself (acl.tokens.agent): it writes its own node and reads the
# services it announces, and nothing of other nodes. One policy a node, with the node's name for
# NODE. `bevmesh consul bootstrap` makes it for every node; by hand:
#   sed s/NODE/thanos/ agent-policy.hcl | consul acl policy create -name agent-thanos -rules -
node "NODE" {
  policy = "write"
}
service_prefix "" {
  policy = "read"
}
