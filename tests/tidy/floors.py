"""The house in tables: who may include whom, what is pure, where each library lives.

These are the tables to edit when the house grows; the rules that read them are in house_rules.py.
"""

# Each folder with what it may include beside itself. The three parts never include each other.
_BASE = ("mesh/base",)
_CLIENTS = _BASE + ("mesh/os", "mesh/log", "mesh/net")
_PARTS = _CLIENTS + ("mesh/consul", "mesh/vault", "mesh/docker", "mesh/redis", "mesh/postgres",
                     "config")
_DAEMON = _PARTS + ("registrar", "failover", "certs")
MAY_INCLUDE = {
    "mesh/base": (),
    "mesh/os": _BASE,
    "mesh/log": _BASE,
    "mesh/net": _BASE + ("mesh/log",),
    "mesh/consul": _CLIENTS,
    "mesh/vault": _CLIENTS,
    "mesh/docker": _CLIENTS,
    "mesh/redis": _CLIENTS,
    "mesh/postgres": _CLIENTS,
    # Of failover only the pure policy: a group that breaks its inequalities is no configuration. Of
    # certs only the windows, in which a certificate may be renewed.
    "config": _BASE + ("mesh/log", "failover", "certs"),
    "registrar": _PARTS,
    "failover": _PARTS,
    "certs": _PARTS,
    "mesh/daemon": _DAEMON,
    "mesh/cli": _DAEMON + ("mesh/daemon",),
}

# Pure: the sources of these CMake targets, their headers, and all that these include.
PURE_TARGETS = ("mesh_base", "consul_codec", "vault_codec", "docker_codec", "config_validate",
                "registrar_core", "registrar_reconcile", "registrar_scan", "registrar_verify",
                "registrar_dns_core", "failover_core", "failover_policy", "cli_view",
                "failover_guard_rules", "failover_redis_state", "failover_postgres_state",
                "failover_unit_state",
                "certs_core")

# What a pure target may link beside another pure target. Asio is among Boost's headers: there only
# the ban on the include helps.
PURE_LINKS = ("flags", "Boost::headers", "nlohmann_json::nlohmann_json", "fmt::fmt")

# (what, pattern of an include that a pure file must not have)
PURE_BANNED_INCLUDES = (
    ("Asio or Beast", r"<boost/(asio|beast)[/.]"),
    ("OpenSSL", r"<openssl/"),
    ("yaml-cpp", r"<yaml-cpp/"),
    ("spdlog", r"<spdlog/"),
    ("a thread", r"<(thread|mutex|shared_mutex|future|condition_variable|stop_token|semaphore"
                 r"|latch|barrier|pthread\.h|boost/(thread|fiber|interprocess)[/.].*)>"),
    ("a file", r"<(fstream|filesystem|fcntl\.h|unistd\.h|boost/filesystem[/.].*)>"),
    ("a terminal", r"<iostream>"),
    ("the system", r"<(sys/|csignal|signal\.h|netdb\.h|systemd/|boost/process)"),
    ("a client library", r"<(ares|libpq-fe|hiredis/|postgresql/|prometheus/)"),
)

# (what, pattern in code that a pure file must not have)
PURE_BANNED_CODE = (
    ("a clock", r"::now\s*\(|\bclock_gettime\b|\bgettimeofday\b|\blocaltime(_r)?\s*\("
                r"|\b(steady|system|high_resolution|utc)_clock\b"
                r"|(?<![\w.>:])(?:std::|::)?(?:time|clock)\s*\("),
    ("a thread", r"\bstd::j?thread\b|\bstd::async\b|\bstd::mutex\b|\bpthread_\w+"),
    ("a file", r"\bf?open(at)?\s*\(|\bstd::[io]?fstream\b|\bstd::filesystem\b"),
    ("a random device", r"\brandom_device\b|\bgetrandom\b|\bgetentropy\b|\bRAND_bytes\b"
                        r"|\bs?rand\s*\("),
    ("the environment", r"\b(secure_)?getenv\s*\("),
    ("a coroutine", r"\bco_(await|return|yield)\b"),
)

# Where a library is included and nowhere else: (library, pattern of its include, pattern of paths).
LIBRARY_HOMES = (
    ("Beast", r"<boost/beast[/.]", r"mesh/net/[^/]+\.cpp"),
    ("yaml-cpp", r"<yaml-cpp/", r"config/[^/]+\.cpp|mesh/cli/[^/]+\.cpp|tests/.+"),
    ("spdlog", r"<spdlog/", r"mesh/log/[^/]+\.[ch]pp|tests/.+"),
    ("CLI11", r"<CLI/", r"mesh/cli/[^/]+\.[ch]pp|tests/.+"),
    ("libsystemd", r"<systemd/", r"mesh/daemon/[^/]+\.cpp"),
    ("hiredis", r"<hiredis/", r"mesh/redis/[^/]+\.cpp"),
    ("libpq", r"<(postgresql/)?libpq", r"mesh/postgres/[^/]+\.[ch]pp"),
    ("c-ares", r"<ares", r"mesh/net/[^/]+\.cpp"),
    ("Catch2", r"<catch2/", r"tests/catch(_main)?\.[ch]pp"),
)
