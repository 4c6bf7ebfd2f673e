"""TLS as who has a certificate of the mesh: that of the node's own daemon."""

import ssl

OWN = "lib/bevmesh/certs/bevmesh/current"  # below /var


def context_of(files, shown=None):
    """Trusts the mesh's CA. `shown`: another certificate and its key, () for none. OSError, also
    while the files change."""
    # All of one generation.
    generation = files.resolve()
    context = ssl.create_default_context(cafile=str(generation / "ca.pem"))
    pair = (generation / "cert.pem", generation / "key.pem") if shown is None else shown
    if pair:
        context.load_cert_chain(*pair)
    return context


def wrap(sock, address, files):
    """The server must be `address`."""
    return context_of(files).wrap_socket(sock, server_hostname=address)
