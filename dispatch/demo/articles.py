"""The help articles of Later & Co and questions that say which of them answers, from the text files beside this one.

articles.*.txt: blocks with topic, address, "= title", "? wording", then the text. questions.*.txt: "address | question", and
"- | question" for what no article answers.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from agents.models import User
from tickets.articles import article_approve, article_save
from tickets.assistant.evaluate import calibrate, read_questions
from tickets.models import Article, AssistantUse, Topic

LANGUAGES = ("en", "de")
HERE = Path(__file__).parent
# What a machine may try first, and what is for people only; the other topics leave it switched off.
ASSISTED = ("payment", "return", "refund", "delivery", "account")
FOR_PEOPLE = ("unknown", "data", "complaint")


class Written(NamedTuple):
    topic: str
    slug: str
    title: str
    wordings: str
    body: str


def written(language: str) -> Iterator[Written]:
    """The articles of a language."""
    text = (HERE / f"articles.{language}.txt").read_text(encoding="utf-8")
    for block in re.split(r"\n\n(?=[a-z-]+\n[a-z0-9-]+\n= )", text.partition("\n\n")[2]):
        topic, slug, title, *rest = block.strip().split("\n")
        wordings = [line[2:] for line in rest if line.startswith("? ")]
        body = "\n".join(line for line in rest if not line.startswith("? "))
        yield Written(topic, slug, title[2:], "\n".join(wordings), body.strip())


def help_articles(admin: User | None) -> None:
    """Articles, approved; which topics the assistant tries first; what its score is worth. Inner."""
    topics = {topic.key: topic for topic in Topic.objects.all()}
    Topic.objects.filter(key__in=ASSISTED).update(assistant=AssistantUse.ON)
    Topic.objects.filter(key__in=FOR_PEOPLE).update(assistant=AssistantUse.NEVER)
    for language in LANGUAGES:
        for one in written(language):
            article = article_save(
                Article(
                    slug=one.slug,
                    topic=topics.get(one.topic),
                    language=language,
                    title=one.title,
                    wordings=one.wordings,
                    body=one.body,
                ),
                user_id=admin.pk if admin else None,
            )
            article_approve(article_id=article.pk, version=1, user_id=admin.pk if admin else None)
        calibrate(language, read_questions(HERE / f"questions.{language}.txt"))
