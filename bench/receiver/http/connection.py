"""A connection that waits for its client for a limited time. uvicorn has limits for idle ones alone."""

from asyncio import BaseTransport, TimerHandle
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle


class Connection(H11Protocol):
    """A connection that is closed when its client is too slow, or when others need its place.

    Beyond the most connections a new one takes the place of the one that has waited longest for its client.
    A request that is being answered keeps its place: `limit_concurrency` of uvicorn is the limit for those.
    """

    most_connections: ClassVar[int] = 200
    most_head_s: ClassVar[float] = 10.0
    """Seconds for the whole head of a request, from the connection or from the answer before."""
    most_pause_s: ClassVar[float] = 30.0
    """Seconds for which a client that gets an answer may take nothing of it."""

    _timer: TimerHandle | None = None
    _since_s: float = 0.0

    def connection_made(self, transport: BaseTransport) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)  # type: ignore[arg-type]
        self._make_place()
        self._wait(self.most_head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._stop()
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """Read what came; a whole head ends the wait for it."""
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:
            self._stop()
            self._since_s = self.loop.time()

    def on_response_complete(self) -> None:
        """Wait for the next request, whatever else still comes of this one."""
        self._wait(self.most_head_s)
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Wait for a client that takes nothing."""
        super().pause_writing()
        self._wait(self.most_pause_s)

    def resume_writing(self) -> None:
        """Go on."""
        super().resume_writing()
        if not self.cycle.response_complete:
            self._stop()

    def _wait(self, most_s: float) -> None:
        self._stop()
        self._since_s = self.loop.time()
        self._timer = self.loop.call_later(most_s, self._give_up)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        self.connections.discard(self)
        self.transport.abort()

    def _make_place(self) -> None:
        if len(self.connections) <= self.most_connections:
            return
        others = (each for each in self.connections if each is not self and isinstance(each, Connection))
        waiting = [each for each in others if each._waits_for_client()]
        if waiting:
            min(waiting, key=lambda each: each._since_s)._give_up()

    def _waits_for_client(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is None or cycle.response_complete or cycle.more_body or self.flow.write_paused
