# What rolling the CA over and revoking certificates needs, and no more: for a token that an
# administrator makes when it is wanted, and that ends soon:
#   bao token create -policy=bevmesh-ca-operator -no-default-policy -ttl=1h
path "auth/token/lookup-self" {
  capabilities = ["read"]
}
path "PKI_MOUNT/config/issuers" {
  capabilities = ["read", "update"]
}
path "PKI_MOUNT/issuer/+" {
  capabilities = ["read", "update", "delete"]
}
path "PKI_MOUNT/intermediate/generate/internal" {
  capabilities = ["update"]
}
path "PKI_MOUNT/intermediate/set-signed" {
  capabilities = ["update"]
}
path "PKI_MOUNT/revoke" {
  capabilities = ["update"]
}
path "PKI_MOUNT/crl/rotate" {
  capabilities = ["read"]
}
path "PKI_ROOT_MOUNT/root/rotate/internal" {
  capabilities = ["update"]
}
path "PKI_ROOT_MOUNT/config/issuers" {
  capabilities = ["read", "update"]
}
path "PKI_ROOT_MOUNT/issuer/+" {
  capabilities = ["read", "update", "delete"]
}
path "PKI_ROOT_MOUNT/issuer/+/sign-intermediate" {
  capabilities = ["update"]
}
