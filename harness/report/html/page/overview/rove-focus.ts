/** Arrow keys go from square to square: the grid is one stop of the Tab key, not hundreds. */
export function roveFocus(table: HTMLElement): void {
  const squares = () => [...table.querySelectorAll<HTMLElement>('a.square')];
  const first = squares()[0];
  if (first) first.tabIndex = 0;
  const focus = (target: HTMLElement | undefined): void => {
    if (!target) return;
    for (const one of squares()) one.tabIndex = -1;
    target.tabIndex = 0;
    target.focus();
  };
  /** The nearest square in the row above or below, by where it stands. */
  const vertical = (from: HTMLElement, direction: 1 | -1): HTMLElement | undefined => {
    const at = from.getBoundingClientRect();
    const distance = (one: DOMRect) => Math.abs(one.top - at.top) * 10 + Math.abs(one.left - at.left);
    return squares()
      .map((element) => ({ element, box: element.getBoundingClientRect() }))
      .filter(({ box }) => (direction === 1 ? box.top > at.top + 2 : box.top < at.top - 2))
      .sort((a, b) => distance(a.box) - distance(b.box))[0]?.element;
  };
  table.addEventListener('keydown', (event) => {
    const from = event.target as HTMLElement;
    if (!from.matches('a.square')) return;
    const all = squares();
    const index = all.indexOf(from);
    const targets: Record<string, () => HTMLElement | undefined> = {
      ArrowRight: () => all[index + 1],
      ArrowLeft: () => all[index - 1],
      ArrowDown: () => vertical(from, 1),
      ArrowUp: () => vertical(from, -1),
      Home: () => all[0],
      End: () => all.at(-1),
    };
    const target = targets[event.key];
    if (!target) return;
    event.preventDefault();
    focus(target());
  });
}
