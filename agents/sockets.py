"""The door that the device check of /work-with-us knocks at: open to everybody, it says the time, reads nothing, and closes."""

import json
import time
from typing import Any

from channels.generic.websocket import AsyncWebsocketConsumer


class CheckConsumer(AsyncWebsocketConsumer):
    async def connect(self) -> None:
        await self.accept()
        await self.send(text_data=json.dumps({"now": round(time.time(), 3)}))
        await self.close()

    async def receive(self, text_data: Any = None, bytes_data: Any = None) -> None:
        """Whatever comes is not looked at."""
