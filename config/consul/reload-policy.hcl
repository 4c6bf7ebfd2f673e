# Behind daemon-policy.hcl, on meshes whose configuration has `consul: {tls: {recipe: consul}}`: the
# daemon tells its own agent that its certificate's files are others (PUT /v1/agent/reload). Consul
# has no narrower right for that: with this one the daemon could also make its agent leave.
agent "NODE" {
  policy = "write"
}
