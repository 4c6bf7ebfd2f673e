"""PostgreSQL through libpq itself, by ctypes: what real clients do when a server goes away is in
there. Blocking; one connection.
"""

import ctypes

_OK = (1, 2)  # PGRES_COMMAND_OK, PGRES_TUPLES_OK


class QueryError(Exception):
    """The server's answer is an error; `state` is its SQLSTATE."""

    def __init__(self, state, text):
        super().__init__(text)
        self.state = state


class Connection:
    """By TLS with the files in the directory `files`, but for what `more` says; plain without. The
    password is PGPASSWORD's, unless it is given."""

    def __init__(self, address, port, password=None, files=None, limit=2, **more):
        self._pq = _library()
        options = {
            "host": address,
            "port": port,
            "user": "bevmesh",
            "dbname": "postgres",
            "connect_timeout": 2,
            "tcp_user_timeout": 1000,
            # For an answer that does not come: nothing that was sent is unacknowledged then.
            "keepalives_idle": 1,
            "keepalives_interval": 1,
            "keepalives_count": 2,
            "options": f"'-c statement_timeout={limit * 1000}'",
            "sslmode": "disable",
        }
        if password:
            options["password"] = password
        if files:
            generation = files.resolve()
            options["sslmode"] = "verify-full"
            options["sslrootcert"] = generation / "ca.pem"
            options["sslcert"] = generation / "cert.pem"
            options["sslkey"] = generation / "key.pem"
        options.update(more)
        text = " ".join(f"{name}={value}" for name, value in options.items())
        self._connection = self._pq.PQconnectdb(text.encode())
        if self._pq.PQstatus(self._connection) != 0:
            text = self._message()
            self.close()
            raise OSError(text)

    def _message(self):
        return self._pq.PQerrorMessage(self._connection).decode().strip()

    def query(self, text):
        """The first column of all rows. OSError: no answer."""
        result = self._pq.PQexec(self._connection, text.encode())
        try:
            if self._pq.PQresultStatus(result) in _OK:
                rows = range(self._pq.PQntuples(result))
                return [self._pq.PQgetvalue(result, row, 0).decode() for row in rows]
            state = self._pq.PQresultErrorField(result, ord("C"))
            if state:
                raise QueryError(state.decode(), self._message())
            raise OSError(self._message())
        finally:
            self._pq.PQclear(result)

    def close(self):
        if self._connection:
            self._pq.PQfinish(self._connection)
        self._connection = None


def _library():
    library = ctypes.CDLL("libpq.so.5")
    pointer, text = ctypes.c_void_p, ctypes.c_char_p
    for name, result, arguments in (
        ("PQconnectdb", pointer, [text]),
        ("PQstatus", ctypes.c_int, [pointer]),
        ("PQerrorMessage", text, [pointer]),
        ("PQexec", pointer, [pointer, text]),
        ("PQresultStatus", ctypes.c_int, [pointer]),
        ("PQresultErrorField", text, [pointer, ctypes.c_int]),
        ("PQntuples", ctypes.c_int, [pointer]),
        ("PQgetvalue", text, [pointer, ctypes.c_int, ctypes.c_int]),
        ("PQclear", None, [pointer]),
        ("PQfinish", None, [pointer]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    return library
