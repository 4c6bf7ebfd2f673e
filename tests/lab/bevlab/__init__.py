"""The lab: three nodes of a mesh on one machine, with real Consul servers and Docker engines.

A node is a network, mount and UTS namespace with its own /etc, /run, /var/lib and /var/log. Nothing
of it has a name outside: when its processes are gone, namespaces, links and mounts are gone with
them, and what is left is one directory. Standard library only.
"""
