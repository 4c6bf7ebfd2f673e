# Beside server.hcl, for a mesh with `consul: {certificates: vault, tls: ...}`: HTTP goes by TLS
# alone, and who asks shows a certificate of the mesh's CA. bevmesh keeps the files and tells the
# agent when they are others (PUT /v1/agent/reload). Until they are there for the first time Consul
# does not start: its unit tries again, and the daemon needs no Consul to make them. The command
# `consul` wants CONSUL_HTTP_ADDR=https://127.0.0.1:8501, and these files as CONSUL_CACERT,
# CONSUL_CLIENT_CERT and CONSUL_CLIENT_KEY.
ports {
  http  = -1
  https = 8501
}
tls {
  https {
    ca_file         = "/etc/consul.d/tls/current/ca.pem"
    cert_file       = "/etc/consul.d/tls/current/cert.pem"
    key_file        = "/etc/consul.d/tls/current/key.pem"
    verify_incoming = true
    tls_min_version = "TLSv1_2"
  }
}
