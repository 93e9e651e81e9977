"""A page as a test reads it: its elements, found by the standard library's parser, every one closed in order."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"meta", "input", "br", "hr", "img", "link"})


@dataclass
class Node:
    tag: str
    attributes: dict[str, str]
    children: list["Node"] = field(default_factory=list)
    text: str = ""

    def find(self, *tags: str) -> Iterator["Node"]:
        """Yield every element below of one of `tags`, of any tag when none is given, in the page's order."""
        for child in self.children:
            if not tags or child.tag in tags:
                yield child
            yield from child.find(*tags)

    @property
    def words(self) -> str:
        """All text in it, blanks joined."""
        return " ".join(" ".join([self.text, *(child.words for child in self.children)]).split())


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open = [Node("#page", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Node(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        opened = self.open.pop().tag
        assert opened == tag, f"</{tag}> closes <{opened}>"

    def handle_data(self, data: str) -> None:
        self.open[-1].text += data


def read(page: str) -> Node:
    """Return the elements of `page`; fail when one is not closed, or out of order."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert [node.tag for node in reader.open] == ["#page"]
    return reader.open[0]
