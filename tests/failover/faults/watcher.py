"""Looks at whom Consul names primary, as a program on a node:  watcher.py SERVICE TOKEN_FILE FILE

Every 50 ms the catalog, consistently. One line a look goes to FILE, `INSTANT ADDRESS,ADDRESS`; a
look without an answer leaves none. Ends at SIGTERM.
"""

import http.client
import json
import signal
import sys
import time

INTERVAL = 0.05
stopped = []


def look(service, token):
    connection = http.client.HTTPConnection("127.0.0.1", 8500, timeout=2)
    try:
        connection.request(
            "GET", f"/v1/catalog/service/{service}?consistent", headers={"X-Consul-Token": token}
        )
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            return None
        return [entry["ServiceAddress"] for entry in json.loads(body)]
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


def main(service, token_file, path):
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.append(True))
    with open(token_file) as file:
        token = file.read().strip()
    with open(path, "w", buffering=1) as out:
        while not stopped:
            found = look(service, token)
            if found is not None:
                instant = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
                out.write(f"{instant} {','.join(found) or '-'}\n")
            time.sleep(INTERVAL)


if __name__ == "__main__":
    main(*sys.argv[1:])
