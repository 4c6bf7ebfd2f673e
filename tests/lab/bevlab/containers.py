"""The containers of the BEV mesh: which runs where, from which image, with which ports.

Redis, PostgreSQL, nginx, Prometheus, Alertmanager, RabbitMQ, ZooKeeper and Tor are what their names
say. Every other is a stand-in that answers /health, and carries the tag `stand-in` so that it says
so wherever it shows. Names and ports are those of config/bev.yaml. No address stands anywhere here:
containers find each other by NAME.service.consul.
"""

from dataclasses import dataclass, field


@dataclass
class Container:
    node: str
    name: str
    network: str
    ports: dict[int, int]  # on the node → in the container
    image: str = "stand-in"
    script: str = ""  # for sh -c; empty: the stand-in on every port
    user: str = ""
    env: dict[str, str] = field(default_factory=dict)
    options: list[str] = field(default_factory=list)  # further ones of `docker run`

    @property
    def is_stand_in(self):
        return self.image == "stand-in"

    def run_arguments(self):
        """What stands after `docker run`."""
        args = [
            "--detach",
            "--name",
            self.name,
            "--hostname",
            self.name,
            "--network",
            self.network,
            "--restart",
            "unless-stopped",
        ]
        for outer, inner in self.ports.items():
            args += ["--publish", f"{outer}:{inner}"]
        for name, value in self.env.items():
            args += ["--env", f"{name}={value}"]
        if self.user:
            args += ["--user", self.user]
        if self.is_stand_in:
            args += ["--label", "bevmesh.tags=stand-in"]
        args += self.options + [f"bev/{self.image}"]
        if self.is_stand_in:
            return args + ["stand-in", *(str(port) for port in self.ports.values())]
        return args + ["sh", "-c", self.script]


POSTGRES = r"""
printf 'local all all trust\nhost all all all trust\n' > /tmp/pg_hba.conf
exec /usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main \
    -c config_file=/etc/postgresql/15/main/postgresql.conf -c hba_file=/tmp/pg_hba.conf \
    -c listen_addresses='*' -c unix_socket_directories=/tmp -c jit=off -c ssl=off \
    -c shared_buffers=32MB
"""

# Three brokers of one cluster, which find each other by container name. One scheduler and no busy
# waiting: the lab's machine is shared by three nodes.
RABBITMQ = r"""
printf '%s' "$COOKIE" > /var/lib/rabbitmq/.erlang.cookie
chmod 400 /var/lib/rabbitmq/.erlang.cookie
cat > /etc/rabbitmq/rabbitmq.conf <<CONF
loopback_users = none
vm_memory_high_watermark.absolute = 256MB
disk_free_limit.absolute = 50MB
cluster_formation.peer_discovery_backend = classic_config
cluster_formation.classic_config.nodes.1 = rabbit@rabbitmq-1
cluster_formation.classic_config.nodes.2 = rabbit@rabbitmq-2
cluster_formation.classic_config.nodes.3 = rabbit@rabbitmq-3
CONF
echo '[rabbitmq_management].' > /etc/rabbitmq/enabled_plugins
exec /usr/lib/rabbitmq/bin/rabbitmq-server
"""

ZOOKEEPER = r"""
cat > /tmp/zoo.cfg <<CONF
dataDir=/tmp/zookeeper
clientPort=2181
admin.enableServer=false
4lw.commands.whitelist=*
CONF
exec java -Xmx96m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dzookeeper.jmx.log4j.disable=true \
    -cp '/usr/share/java/*' org.apache.zookeeper.server.ZooKeeperServerMain /tmp/zoo.cfg
"""

PROMETHEUS = r"""
cat > /tmp/prometheus.yml <<CONF
global: {scrape_interval: 10s}
alerting:
  alertmanagers:
    - static_configs: [{targets: ['alertmanager.service.consul:9093']}]
scrape_configs:
  - job_name: prometheus
    static_configs: [{targets: ['prometheus.service.consul:9090']}]
  - job_name: alertmanager
    static_configs: [{targets: ['alertmanager.service.consul:9093']}]
CONF
exec prometheus --config.file=/tmp/prometheus.yml --storage.tsdb.path=/tmp/prometheus
"""

# A reverse proxy to services of other nodes. The name stands in a variable: nginx then asks for it
# at each request, instead of once at its start.
NGINX = r"""
cat > /tmp/nginx.conf <<'CONF'
error_log /dev/stderr warn;
pid /tmp/nginx.pid;
events {}
http {
    access_log off;
    resolver 127.0.0.11 valid=1s ipv6=off;
    server {
        listen 80;
        listen 443 ssl;
        ssl_certificate /etc/ssl/certs/ssl-cert-snakeoil.pem;
        ssl_certificate_key /etc/ssl/private/ssl-cert-snakeoil.key;
        location = /health { return 200 "ok\n"; }
        location ~ ^/(?<service>intelowl|influxdb)/(?<rest>.*)$ {
            set $port 8000;
            if ($service = influxdb) { set $port 8086; }
            proxy_pass http://$service.service.consul:$port/$rest;
        }
    }
    server {
        listen 81;
        location / { stub_status; }
    }
}
CONF
exec nginx -c /tmp/nginx.conf -g 'daemon off;'
"""

DATABASES = {
    "BEV_POSTGRES": "postgres.service.consul:5432",
    "BEV_REDIS": "redis.service.consul:6379",
}


def _rabbitmq(number, port, management):
    return Container(
        "thanos",
        f"rabbitmq-{number}",
        "bev_network",
        {port: 5672, management: 15672},
        "queues",
        RABBITMQ,
        user="rabbitmq",
        env={
            "COOKIE": "of-the-lab",
            "HOME": "/var/lib/rabbitmq",
            "RABBITMQ_NODENAME": f"rabbit@rabbitmq-{number}",
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none",
        },
    )


def _stand_in(node, name, network, *ports, **more):
    return Container(node, name, network, {port: port for port in ports}, **more)


# In the order they are started: databases, queues, what needs them.
CONTAINERS = [
    _stand_in("starlord", "vault", "bev_control", 8200),
    _stand_in("starlord", "dev-environment", "bev_control", 8082),
    _stand_in(
        "starlord",
        "frontend",
        "bev_control",
        8080,
        env=DATABASES,
        options=[
            "--health-cmd",
            "wget -q -O /dev/null http://127.0.0.1:8080/health",
            "--health-interval",
            "2s",
            "--health-retries",
            "1",
        ],
    ),
    _stand_in("starlord", "deployment-orchestrator", "bev_control", 8081),
    Container(
        "thanos",
        "postgres",
        "bev_network",
        {5432: 5432},
        "base",
        POSTGRES,
        user="postgres",
        env={"PGHOST": "/tmp"},
    ),
    _stand_in("thanos", "neo4j", "bev_network", 7687, 7474),
    _stand_in("thanos", "elasticsearch", "bev_network", 9200, 9300),
    _stand_in("thanos", "influxdb", "bev_network", 8086),
    Container("thanos", "zookeeper", "bev_network", {2181: 2181}, "queues", ZOOKEEPER),
    _stand_in("thanos", "kafka-1", "bev_network", 9092),
    _stand_in("thanos", "kafka-2", "bev_network", 9093),
    _stand_in("thanos", "kafka-3", "bev_network", 9094),
    _rabbitmq(1, 5672, 15672),
    _rabbitmq(2, 5673, 15673),
    _rabbitmq(3, 5674, 15674),
    _stand_in("thanos", "intelowl", "bev_osint", 8000, env=DATABASES),
    _stand_in("thanos", "intelowl-worker", "bev_osint", 8010, env=DATABASES),
    _stand_in("thanos", "autonomous-coordinator", "bev_network", 8020, env=DATABASES),
    _stand_in("thanos", "adaptive-learning", "bev_network", 8030),
    _stand_in("thanos", "knowledge-evolution", "bev_network", 8040),
    Container(
        "oracle1",
        "redis",
        "bev_oracle",
        {6379: 6379},
        "base",
        "exec redis-server --protected-mode no --save '' --appendonly no --dir /tmp",
        user="redis",
    ),
    Container(
        "oracle1", "prometheus", "bev_oracle", {9090: 9090}, "edge", PROMETHEUS, user="prometheus"
    ),
    Container(
        "oracle1",
        "alertmanager",
        "bev_oracle",
        {9093: 9093},
        "edge",
        "exec prometheus-alertmanager --config.file=/etc/prometheus/alertmanager.yml"
        " --storage.path=/tmp/alertmanager --cluster.listen-address=",
        user="prometheus",
    ),
    _stand_in("oracle1", "grafana", "bev_oracle", 3000),
    _stand_in("oracle1", "health-monitor", "bev_oracle", 8060),
    Container(
        "oracle1",
        "tor",
        "bev_oracle",
        {9050: 9050},
        "edge",
        "exec tor --SocksPort 0.0.0.0:9050 --DataDirectory /tmp/tor --Log 'warn stderr'",
        user="debian-tor",
    ),
    _stand_in("oracle1", "vault-proxy", "bev_oracle", 8100),
    Container(
        "oracle1", "nginx-proxy-manager", "bev_oracle", {80: 80, 443: 443, 81: 81}, "base", NGINX
    ),
    _stand_in("oracle1", "breach-analyzer", "bev_oracle", 8070),
    _stand_in("oracle1", "crypto-analyzer", "bev_oracle", 8071),
    _stand_in("oracle1", "social-analyzer", "bev_oracle", 8072),
]
