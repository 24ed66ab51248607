"""The scripted customers of Later & Co, from practice.txt, and an applicant who has practised with one of them."""

from pathlib import Path

from agents.models import Agent
from dispatch import desk, practice
from dispatch.models import PracticePoint, PracticeScript
from tickets.models import Topic

FIELDS = {"--": "name", ">": "opening", "?": "unclear", "!": "thanks"}
OF_POINT = {"w": "words", "a": "answer", "t": "advice"}
PASSES = (
    "Hello Ms Paulsen, I am sorry about that. Do you have the tracking number of the parcel?",
    "Thank you. I have paused the bill for 21 days, until the shop has answered.",
    "Right, you do not have to pay anything meanwhile.",
)


def scripts() -> None:
    """All scripts with their points. Inner."""
    text = Path(__file__).with_name("practice.txt").read_text(encoding="utf-8")
    for position, block in enumerate(text.split("\n== ")[1:]):
        head, *lines = block.strip().splitlines()
        key, topic, customer = (part.strip() for part in head.split("·"))
        script = PracticeScript(
            key=key, position=position, customer=customer, topic=Topic.objects.filter(key=topic).first()
        )
        points: list[PracticePoint] = []
        for line in lines:
            mark, _blank, rest = line.partition(" ")
            english, german = (part.strip() for part in rest.split("|"))
            if mark in FIELDS:
                setattr(script, f"{FIELDS[mark]}_en", english)
                setattr(script, f"{FIELDS[mark]}_de", german)
            elif mark in {"+", "-"}:
                points.append(
                    PracticePoint(position=len(points), avoid=mark == "-", name_en=english, name_de=german)
                )
            elif mark in OF_POINT:
                for code, said in (("en", english), ("de", german)):
                    setattr(points[-1], f"{OF_POINT[mark]}_{code}", said.replace("; ", "\n"))
        script.save()
        for point in points:
            point.script = script
        PracticePoint.objects.bulk_create(points)


def practised(agent: Agent) -> None:
    """This applicant passes the first script, by the services. Outermost."""
    first = practice.scripts()[0]
    one = practice.start(agent=agent, script_key=first.key, language="en")
    for text in PASSES:
        desk.reply(agent=agent, epoch=one.shift.epoch, ticket_id=one.ticket_id, body=text)
        practice.look()
    desk.resolve(agent=agent, epoch=one.shift.epoch, ticket_id=one.ticket_id)
    practice.settle(agent_id=agent.pk)
