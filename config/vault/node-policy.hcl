# The token of a node's bevmesh daemon. `bevmesh vault bootstrap` makes it for every node, with what
# the configuration names in place of the words in capitals, and secret-policy.hcl after it for each
# path that the node may read.

# Keeps itself: the token has no default policy.
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "auth/token/renew-self" {
  capabilities = ["update"]
}

# Makes its next secret ID before the old one ends, looks at its own, destroys the old one. All
# three are about this role's secret IDs only, and looking and destroying want the secret itself.
path "auth/APPROLE_MOUNT/role/APPROLE_NAME/secret-id" {
  capabilities = ["update"]
}
path "auth/APPROLE_MOUNT/role/APPROLE_NAME/secret-id/lookup" {
  capabilities = ["update"]
}
path "auth/APPROLE_MOUNT/role/APPROLE_NAME/secret-id/destroy" {
  capabilities = ["update"]
}

# Has certificates signed, within what its role allows; by an issuer that is not the default one yet
# too, for the first certificate of a new one.
path "PKI_MOUNT/sign/PKI_ROLE" {
  capabilities = ["update"]
}
path "PKI_MOUNT/issuer/+/sign/PKI_ROLE" {
  capabilities = ["update"]
}
path "PKI_MOUNT/roles/PKI_ROLE" {
  capabilities = ["read"]
}

# Not granted: revoking, issuers and roles, policies, other nodes' secret IDs, other secrets, any
# writing of secrets. Issuers' certificates and CRLs are readable without a token.
