# What a DNS question may see (acl.tokens.dns): names, addresses and health; DNS has no tokens of
# its own, so whoever can ask the node's resolver can see this. It writes nothing.
node_prefix "" {
  policy = "read"
}
service_prefix "" {
  policy = "read"
}
query_prefix "" {
  policy = "read"
}
