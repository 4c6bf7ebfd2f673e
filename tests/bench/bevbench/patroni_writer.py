"""The writer of the failover tests, with the peer's way to find the primary: at each new connection
all members' Patronis are asked at once, and the one that answers 200 to /primary is it. (Its entry
in Consul follows only after a health check.)  patroni_writer.py NAME ADDRESSES PORT FILE KIND"""

import http.client
import sys
from concurrent import futures

import writer

REST = 8009
_pool = futures.ThreadPoolExecutor(8)


def _is_primary(address):
    connection = http.client.HTTPConnection(address, REST, timeout=writer.CONNECT)
    try:
        connection.request("GET", "/primary")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def primary_of(target):
    if "," not in target:
        return target
    asked = {_pool.submit(_is_primary, address): address for address in target.split(",")}
    try:
        for answer in futures.as_completed(asked, writer.CONNECT):
            if answer.result():
                return asked[answer]
    except futures.TimeoutError:
        pass
    raise OSError("no Patroni says that it is the primary")


writer.address_of = primary_of
writer.main(*sys.argv[1:])
