"""What a user of the room can rely on, tested without a server."""

import unittest

from parlor import Refused
from parlor.testing import TestRoom


class RoomTests(unittest.TestCase):
    def setUp(self) -> None:
        self.room = TestRoom(config={"motd": "be brief"})
        self.addCleanup(self.room.close)
        self.ada, self.bob = (self.room.connect_as(name) for name in ("ada", "bob"))
        for socket in (self.ada, self.bob):
            welcome = {"type": "welcome", "userId": socket.name, "motd": "be brief", "said": 0}
            self.assertEqual(socket.events(), [welcome])

    def test_everybody_hears_what_is_said(self) -> None:
        self.ada.send("say", {"text": "hello"})
        said = {"type": "said", "number": 1, "from": "ada", "text": "hello"}
        self.assertEqual(self.ada.events(), [said])
        self.assertEqual(self.bob.events(), [said])

    def test_what_is_refused_leaves_no_trace(self) -> None:
        with self.assertRaises(Refused) as refused:
            self.ada.request("say", {"text": " "})
        self.assertEqual((refused.exception.code, str(refused.exception)), ("say.empty", "say something"))
        self.assertEqual(self.ada.events(), [])
        self.assertEqual(self.bob.events(), [])
        self.assertIsNone(self.room.stored("count"))

    def test_data_of_another_kind_is_refused(self) -> None:
        self.ada.send("say", {"text": 5})
        refused = {"type": "error", "code": "bad-data", "message": "data.text must be a text, not the number 5"}
        self.assertEqual(self.ada.events(), [refused])

    def test_the_count_outlives_a_restart_of_the_server(self) -> None:
        self.ada.send("say", {"text": "hello"})
        self.room.restart()
        self.assertEqual(self.room.connect_as("cat").last("welcome")["said"], 1)
