# One path of secrets that a node may read; see node-policy.hcl.
path "KV_MOUNT/data/KV_PATH" {
  capabilities = ["read"]
}
