"""A relay that makes a line's round trip, and breaks the line when it is told to.

What passes is held for half the round trip each way, because not every kernel has netem. SIGUSR1: nothing comes back from the seed any more,
though its connection stays. SIGUSR2: one byte a second comes back.
"""

import asyncio
import collections
import signal
import time

CHUNK = 65536
# Held back in one direction before the sender is not read any more: more than any line here has under way.
HELD_BYTES_MAX = 16 << 20
SEED_PORT = 18444
PORT = 18555


class Fault:
    """How the way back is broken; all connections of a relay share it."""

    def __init__(self):
        self.stopped = False
        self.drips = False


class Way:
    """One direction of a connection: what comes in goes out so many seconds later, in order."""

    def __init__(self, reader, writer, seconds, fault=None):
        self.reader, self.writer, self.seconds, self.fault = reader, writer, seconds, fault
        self.held = collections.deque()
        self.held_bytes = 0
        self.changed = asyncio.Event()

    async def take(self):
        while True:
            data = await self.reader.read(CHUNK)
            self.held.append((time.monotonic() + self.seconds, data))
            self.held_bytes += len(data)
            self.changed.set()
            if not data:
                return
            while self.held_bytes > HELD_BYTES_MAX:
                await asyncio.sleep(0.001)

    async def give(self):
        while True:
            while not self.held:
                self.changed.clear()
                await self.changed.wait()
            due, data = self.held[0]
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            while self.fault and self.fault.stopped:
                await asyncio.sleep(0.1)
            if self.fault and self.fault.drips and len(data) > 1:
                self.held[0] = (due, data[1:])
                data = data[:1]
                await asyncio.sleep(1)
            else:
                self.held.popleft()
            if not data:
                self.writer.close()
                return
            self.held_bytes -= len(data)
            self.writer.write(data)
            await self.writer.drain()


async def serve(host, milliseconds):
    """Until it is killed: connections to host go on to the seed of this namespace, a round trip later."""
    fault = Fault()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGUSR1, lambda: setattr(fault, "stopped", True))
    loop.add_signal_handler(signal.SIGUSR2, lambda: setattr(fault, "drips", True))

    async def on_connection(reader, writer):
        from_seed, to_seed = await asyncio.open_connection("127.0.0.1", SEED_PORT)
        ways = [Way(reader, to_seed, milliseconds / 2000), Way(from_seed, writer, milliseconds / 2000, fault)]
        await asyncio.gather(*(step() for way in ways for step in (way.take, way.give)), return_exceptions=True)

    server = await asyncio.start_server(on_connection, host, PORT, limit=4 * CHUNK)
    async with server:
        await server.serve_forever()
