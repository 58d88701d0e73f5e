"""What tests ask of a page in a real headless Chromium."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, cast

import pytest
from playwright.sync_api import Dialog, Page

# The ratio of WCAG 2.2 (1.4.3) for every piece of text against the nearest background behind it.
POOR_CONTRAST: Final = """() => {
  const parse = (css) => css.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (element) => {
    for (let e = element; e; e = e.parentElement) {
      const colour = parse(getComputedStyle(e).backgroundColor);
      if (colour.length === 3 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const poor = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || element.closest('script, [hidden], .mark-text')) continue;
    const style = getComputedStyle(element);
    const pair = [light(parse(element.closest('svg') ? style.fill : style.color)), light(behind(element))];
    const ratio = (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
    if (ratio < 4.5) poor.add(`${ratio.toFixed(2)} ${element.className}: ${walker.currentNode.data}`);
  }
  return [...poor];
}"""


TOOLS: Final = Path(__file__).parents[2] / "tools" / "plots"
AXE: Final = TOOLS / "node_modules" / "axe-core" / "axe.min.js"


@dataclass
class Overheard:
    """What a page said and asked for: on the console, in a dialog, to the network, against its policy."""

    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def listen(self, page: Page) -> None:
        """From now on."""
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))
        page.on("dialog", self._refuse)
        page.on("request", lambda request: self.asked.append(request.url))
        page.expose_function("violated", self._violated)
        page.add_init_script(
            "addEventListener('securitypolicyviolation', (event) => violated(event.violatedDirective))"
        )

    def _violated(self, directive: str) -> None:
        self.said.append(directive)

    def _refuse(self, dialog: Dialog) -> None:
        self.said.append(dialog.message)
        dialog.dismiss()


def unfold(page: Page) -> None:
    """Open every folded table."""
    page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")


def barriers(page: Page) -> list[tuple[object, object]]:
    """What the accessibility engine objects to in the whole page, folded tables included."""
    if not AXE.exists():
        pytest.fail("axe-core is missing: npm ci --prefix tools/plots")
    unfold(page)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = cast("dict[str, list[dict[str, object]]]", page.evaluate("axe.run()"))
    return [(violation["id"], violation["help"]) for violation in found["violations"]]
